// SPDX-License-Identifier: Apache-2.0

#include "abi2_fixture.hpp"

#include <cstdint>
#include <cstring>
#include <utility>

namespace helios::plugins {
namespace {

constexpr std::string_view kFrame = R"((module
  (import "env" "field" (func $field (param i32 i32 i32) (result i32)))
  (import "env" "field_length" (func $field_length (param i32) (result i32)))
  (import "env" "field_part" (func $field_part (param i32 i32 i32 i32) (result i32)))
  (import "env" "field_sha256_hex" (func $field_sha256_hex (param i32 i32) (result i32)))
  (import "env" "field_number" (func $field_number (param i32 i32) (result i32)))
  (import "env" "attribute" (func $attribute (param i32 i32 i32 i32) (result i32)))
  (import "env" "parameter" (func $parameter (param i32 i32 i32) (result i32)))
  (import "env" "parameter_kind" (func $parameter_kind (param i32 i32) (result i32)))
  (import "env" "parameter_part" (func $parameter_part (param i32 i32 i32 i32) (result i32)))
  (import "env" "parameter_sha256_hex" (func $parameter_sha256_hex (param i32 i32) (result i32)))
  (import "env" "parameter_hmac_hex" (func $parameter_hmac_hex (param i32 i32) (result i32)))
  (import "env" "scratch_set" (func $scratch_set (param i32 i32) (result i32)))
  (import "env" "scratch_get" (func $scratch_get (param i32 i32) (result i32)))
  (import "env" "skip_settled" (func $skip_settled (result i32)))
  (import "env" "block" (func $block (param i32 i32 i32 i32) (result i32)))
  (import "env" "explain" (func $explain (param i32 i32 i32) (result i32)))
  (import "env" "limit_rows" (func $limit_rows (param i64) (result i32)))
  (import "env" "limit_bytes" (func $limit_bytes (param i64) (result i32)))
  (import "env" "rewrite" (func $rewrite (param i32 i32) (result i32)))
  (import "env" "answer_begin" (func $answer_begin (result i32)))
  (import "env" "answer_column" (func $answer_column (param i32 i32 i32) (result i32)))
  (import "env" "answer_value" (func $answer_value (param i32 i32) (result i32)))
  (import "env" "answer_null" (func $answer_null (result i32)))
  (import "env" "identify" (func $identify (param i32 i32 i32) (result i32)))
  (import "env" "log" (func $log (param i32 i32 i32) (result i32)))
  (import "env" "metric_add" (func $metric_add (param i32 i32 i64) (result i32)))
  (import "env" "kv_get" (func $kv_get (param i32 i32 i32 i32) (result i32)))
  (import "env" "kv_delete" (func $kv_delete (param i32 i32) (result i32)))
  (import "env" "kv_take" (func $kv_take (param i32 i32 i64 i64 i64 i64 i32) (result i32)))
  (import "env" "kv_charge" (func $kv_charge (param i32 i32 i64 i64 i64) (result i32)))
  (import "env" "kv_draw" (func $kv_draw (param i32 i32 i64 i64 i64 i64) (result i32)))
  (import "env" "kv_set_ex" (func $kv_set_ex (param i32 i32 i32 i32 i64 i32) (result i32)))
  (import "env" "kv_cas" (func $kv_cas (param i32 i32 i64 i32 i32 i64 i32 i32) (result i32)))
  (import "env" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (import "env" "stream_append" (func $stream_append (param i32 i32 i32 i32) (result i32)))
  (import "env" "kv_incr" (func $kv_incr (param i32 i32 i64 i64 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "key") (data (i32.const 32) "config.region") (data (i32.const 48) "no entry")
  (data (i32.const 64) "HE001") (data (i32.const 80) "SELECT 2")
  (func (export "helios_abi_version") (result i32) (i32.const 2))
)";

}  // namespace

std::string expecting(int wanted, const std::string& call) {
  return "(local.set $code " + call + ") (if (i32.ne (local.get $code) (i32.const " +
         std::to_string(wanted) + ")) (then (return (local.get $code))))";
}

std::string hook(std::string_view name, const std::string& body) {
  return "(func (export \"" + std::string(name) + "\") (result i32) (local $code i32) " + body +
         " (i32.const 0))\n";
}

std::string store(const std::string& length) {
  return "(drop (call $kv_set (i32.const 16) (i32.const 3) (i32.const 1024) " + length + "))";
}

void Abi2Test::add(const std::string& functions, const std::string& manifest) {
  write_file("p.wat", std::string(kFrame) + functions + ")");
  if (!manifest.empty()) write_file("p.toml", manifest);
  chain_ = load_ok();
  statement_ = std::make_unique<Statement>(chain_, "acme");
}

hooks::CallResult Abi2Test::run(hooks::HookPoint point) {
  TestCall call(plugin(chain_, "p"), *statement_, point, home_);
  call.start();
  home_.run_until([&] { return call.done(); });
  return call.result();
}

hooks::CallResult Abi2Test::pre_query(const std::string& body) {
  add(hook("pre_query", body));
  return run(hooks::HookPoint::pre_query);
}

std::string Abi2Test::field(int number, hooks::HookPoint point) {
  const auto result = run_field(
      "(local.set $code (call $field (i32.const " + std::to_string(number) +
          ") (i32.const 1024) (i32.const 4096))) (if (i32.lt_s (local.get $code) (i32.const 0)) "
          "(then (return (local.get $code)))) " +
          store("(local.get $code)"),
      point);
  return result;
}

std::string Abi2Test::number(int field, hooks::HookPoint point) {
  const auto text = run_field(expecting(0, "(call $field_number (i32.const " +
                                               std::to_string(field) + ") (i32.const 1024))") +
                                  store("(i32.const 8)"),
                              point);
  if (text.size() != 8) return text;
  std::int64_t value = 0;
  std::memcpy(&value, text.data(), sizeof(value));
  return std::to_string(value);
}

std::string Abi2Test::run_field(const std::string& body, hooks::HookPoint point) {
  const auto execution = std::move(statement_);
  write_file("p.wat", std::string(kFrame) + hook("pre_query", body) + hook("post_query", body) +
                          hook("settled", body) + ")");
  chain_ = load_ok();
  statement_ = std::make_unique<Statement>(chain_, "acme", "SELECT 'x'");
  if (prepare) prepare(statement_->execution());
  const auto result = run(point);
  if (result.status == hooks::CallResult::Status::failed)
    return result.failure.substr(std::strlen("returned "));
  return value("p", "key").value_or("");
}

}  // namespace helios::plugins
