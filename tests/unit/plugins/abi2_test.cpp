// SPDX-License-Identifier: Apache-2.0

// Hooks of ABI 2: what they can ask, what they can decide, and when it counts. A hook that returns a
// number other than 0 fails with that number, which is how the guests here report what an import said.

#include "helios_abi2.h"
#include "plugin_fixture.hpp"

#include <cstring>
#include <functional>

namespace helios::plugins {
namespace {

using hooks::HookPoint;
using Action = hooks::Verdict::Action;
using Status = hooks::CallResult::Status;

constexpr std::string_view kFrame = R"((module
  (import "env" "field" (func $field (param i32 i32 i32) (result i32)))
  (import "env" "field_length" (func $field_length (param i32) (result i32)))
  (import "env" "field_number" (func $field_number (param i32 i32) (result i32)))
  (import "env" "attribute" (func $attribute (param i32 i32 i32 i32) (result i32)))
  (import "env" "parameter" (func $parameter (param i32 i32 i32) (result i32)))
  (import "env" "parameter_kind" (func $parameter_kind (param i32 i32) (result i32)))
  (import "env" "scratch_set" (func $scratch_set (param i32 i32) (result i32)))
  (import "env" "scratch_get" (func $scratch_get (param i32 i32) (result i32)))
  (import "env" "block" (func $block (param i32 i32 i32 i32) (result i32)))
  (import "env" "rewrite" (func $rewrite (param i32 i32) (result i32)))
  (import "env" "answer_begin" (func $answer_begin (result i32)))
  (import "env" "answer_column" (func $answer_column (param i32 i32 i32) (result i32)))
  (import "env" "answer_value" (func $answer_value (param i32 i32) (result i32)))
  (import "env" "answer_null" (func $answer_null (result i32)))
  (import "env" "identify" (func $identify (param i32 i32 i32) (result i32)))
  (import "env" "log" (func $log (param i32 i32 i32) (result i32)))
  (import "env" "metric_add" (func $metric_add (param i32 i32 i64) (result i32)))
  (import "env" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (import "env" "kv_incr" (func $kv_incr (param i32 i32 i64 i64 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "key") (data (i32.const 32) "config.region") (data (i32.const 48) "no entry")
  (data (i32.const 64) "HE001") (data (i32.const 80) "SELECT 2")
  (func (export "helios_abi_version") (result i32) (i32.const 2))
)";

// Ends the hook with what `call` returned unless that is `wanted`.
std::string expecting(int wanted, const std::string& call) {
  return "(local.set $code " + call + ") (if (i32.ne (local.get $code) (i32.const " +
         std::to_string(wanted) + ")) (then (return (local.get $code))))";
}

std::string hook(std::string_view name, const std::string& body) {
  return "(func (export \"" + std::string(name) + "\") (result i32) (local $code i32) " + body +
         " (i32.const 0))\n";
}

// Stores what is at 1024 under "key".
std::string store(const std::string& length) {
  return "(drop (call $kv_set (i32.const 16) (i32.const 3) (i32.const 1024) " + length + "))";
}

class Abi2Test : public PatientPluginTest {
 protected:
  void add(const std::string& functions, const std::string& manifest = "") {
    write_file("p.wat", std::string(kFrame) + functions + ")");
    if (!manifest.empty()) write_file("p.toml", manifest);
    chain_ = load_ok();
    statement_ = std::make_unique<Statement>(chain_, "acme");
  }
  hooks::CallResult run(HookPoint point) {
    TestCall call(plugin(chain_, "p"), *statement_, point, home_);
    call.start();
    home_.run_until([&] { return call.done(); });
    return call.result();
  }
  hooks::CallResult pre_query(const std::string& body) {
    add(hook("pre_query", body));
    return run(HookPoint::pre_query);
  }
  // What field `field` is in a hook; "-1" and the like when it has no value.
  std::string field(int number, HookPoint point) {
    const auto result = run_field(
        "(local.set $code (call $field (i32.const " + std::to_string(number) +
            ") (i32.const 1024) (i32.const 4096))) (if (i32.lt_s (local.get $code) (i32.const 0)) "
            "(then (return (local.get $code)))) " +
            store("(local.get $code)"),
        point);
    return result;
  }
  std::string number(int field, HookPoint point) {
    const auto text = run_field(expecting(0, "(call $field_number (i32.const " +
                                                 std::to_string(field) + ") (i32.const 1024))") +
                                    store("(i32.const 8)"),
                                point);
    if (text.size() != 8) return text;
    std::int64_t value = 0;
    std::memcpy(&value, text.data(), sizeof(value));
    return std::to_string(value);
  }
  std::string run_field(const std::string& body, HookPoint point) {
    const auto execution = std::move(statement_);
    write_file("p.wat", std::string(kFrame) + hook("pre_query", body) + hook("post_query", body) +
                            hook("settled", body) + ")");
    chain_ = load_ok();
    statement_ = std::make_unique<Statement>(chain_, "acme", "SELECT 'x'");
    if (prepare) prepare(statement_->execution());
    const auto result = run(point);
    if (result.status == Status::failed) return result.failure.substr(std::strlen("returned "));
    return value("p", "key").value_or("");
  }

  std::function<void(hooks::StatementExecution&)> prepare;
  WaitingExecutor home_;
  std::shared_ptr<const hooks::Chain> chain_;
  std::unique_ptr<Statement> statement_;
};

TEST_F(Abi2Test, counter_counts_per_tenant_with_fresh_and_reused_instances) {
  for (const std::string_view kind : {"fresh", "reuse"}) {
    const std::string name = "counter-" + std::string(kind);
    add_guest("counter2", name);
    write_file(name + ".toml", "instance = \"" + std::string(kind) + "\"");
    const auto chain = load_ok();
    for (int i = 0; i < 12; ++i)
      EXPECT_EQ(run_hook(chain, name, HookPoint::pre_query).status, Status::ok);
    run_hook(chain, name, HookPoint::pre_query, "globex");
    run_hook(chain, name, HookPoint::pre_query, "");
    EXPECT_EQ(value(name, "count:acme"), std::string("\x0c\0\0\0\0\0\0\0", 8));
    EXPECT_EQ(value(name, "count:globex"), std::string("\x01\0\0\0\0\0\0\0", 8));
  }
  EXPECT_EQ(key_count(), 4U);
  EXPECT_EQ(info("counter-reuse").abi, 2U);
}

TEST_F(Abi2Test, bytes_fields_say_who_runs_what) {
  EXPECT_EQ(field(HELIOS_TEXT, HookPoint::pre_query), "SELECT 'x'");
  EXPECT_EQ(field(HELIOS_USER, HookPoint::pre_query), "alice");
  EXPECT_EQ(field(HELIOS_DATABASE, HookPoint::pre_query), "demo");
  EXPECT_EQ(field(HELIOS_CLIENT_ADDRESS, HookPoint::pre_query), "127.0.0.1");
  EXPECT_EQ(field(HELIOS_TENANT, HookPoint::pre_query), "acme");
  EXPECT_EQ(field(HELIOS_REQUEST_ID, HookPoint::pre_query).size(), 36U);
  EXPECT_EQ(field(HELIOS_COMMAND_TAG, HookPoint::pre_query), "-1");
  EXPECT_EQ(field(HELIOS_TEXT, HookPoint::settled), "-1");
  EXPECT_EQ(field(0, HookPoint::pre_query), "-5");
  EXPECT_EQ(field(HELIOS_ROWS, HookPoint::pre_query), "-5");
}

TEST_F(Abi2Test, rewritten_text_and_the_original_are_both_there) {
  prepare = [](hooks::StatementExecution& it) { it.rewritten = "SELECT 'y'"; };
  EXPECT_EQ(field(HELIOS_TEXT, HookPoint::pre_query), "SELECT 'y'");
  EXPECT_EQ(field(HELIOS_ORIGINAL_TEXT, HookPoint::pre_query), "SELECT 'x'");
}

TEST_F(Abi2Test, outcome_and_settlement_are_there_when_they_are_known) {
  prepare = [](hooks::StatementExecution& it) {
    it.outcome = hooks::Outcome::failed;
    it.sqlstate = "23505";
    it.rows = 7;
    it.duration_ns = 12345;
    it.settlement = hooks::Settlement::rolled_back;
  };
  EXPECT_EQ(number(HELIOS_OUTCOME, HookPoint::pre_query), "-1");
  EXPECT_EQ(number(HELIOS_OUTCOME, HookPoint::post_query), std::to_string(HELIOS_OUTCOME_FAILED));
  EXPECT_EQ(number(HELIOS_ROWS, HookPoint::post_query), "7");
  EXPECT_EQ(number(HELIOS_DURATION_NS, HookPoint::post_query), "12345");
  EXPECT_EQ(field(HELIOS_SQLSTATE, HookPoint::post_query), "23505");
  EXPECT_EQ(number(HELIOS_SETTLEMENT, HookPoint::post_query), "-1");
  EXPECT_EQ(number(HELIOS_SETTLEMENT, HookPoint::settled),
            std::to_string(HELIOS_SETTLED_ROLLED_BACK));
  EXPECT_EQ(number(HELIOS_TEXT, HookPoint::post_query), "-5");
}

TEST_F(Abi2Test, parameters_come_as_the_client_bound_them) {
  prepare = [](hooks::StatementExecution& it) {
    it.origin = hooks::Origin::execute;
    it.parameters = {{.type_oid = 25, .is_binary = false, .value = "hello"},
                     {.type_oid = 23, .is_binary = true, .value = std::nullopt}};
  };
  const auto parameter = [&](int index) {
    return run_field("(local.set $code (call $parameter (i32.const " + std::to_string(index) +
                         ") (i32.const 1024) (i32.const 64))) (if (i32.lt_s (local.get $code) "
                         "(i32.const 0)) (then (return (local.get $code)))) " +
                         store("(local.get $code)"),
                     HookPoint::pre_query);
  };
  EXPECT_EQ(parameter(0), "hello");
  EXPECT_EQ(parameter(1), std::to_string(HELIOS_UNMET));
  EXPECT_EQ(parameter(2), std::to_string(HELIOS_MISSING));
  EXPECT_EQ(number(HELIOS_PARAMETER_COUNT, HookPoint::pre_query), "2");
  EXPECT_EQ(number(HELIOS_ORIGIN, HookPoint::pre_query), std::to_string(HELIOS_ORIGIN_EXECUTE));
  const auto kind =
      run_field(expecting(0, "(call $parameter_kind (i32.const 1) (i32.const 1024))") +
                    store("(i32.const 12)"),
                HookPoint::pre_query);
  EXPECT_EQ(kind, std::string("\x17\0\0\0\x01\0\0\0\xff\xff\xff\xff", 12));
}

TEST_F(Abi2Test, buffer_that_is_too_small_is_not_written) {
  const auto result =
      pre_query(expecting(-2, "(call $field (i32.const 3) (i32.const 1024) (i32.const 4))") +
                expecting(5, "(call $field_length (i32.const 3))") +
                expecting(0, "(i32.load (i32.const 1024))"));
  EXPECT_EQ(result.status, Status::ok) << result.failure;
}

TEST_F(Abi2Test, manifest_configuration_is_an_attribute) {
  add(hook("pre_query", expecting(2,
                                  "(call $attribute (i32.const 32) (i32.const 13) "
                                  "(i32.const 1024) (i32.const 8))") +
                            store("(i32.const 2)")),
      "[config]\nregion = \"eu\"");
  EXPECT_EQ(run(HookPoint::pre_query).status, Status::ok);
  EXPECT_EQ(value("p", "key"), "eu");
}

TEST_F(Abi2Test, scratch_travels_from_pre_query_to_the_later_hooks) {
  const std::string read =
      expecting(8, "(call $scratch_get (i32.const 1024) (i32.const 256))") + store("(i32.const 8)");
  add(hook("pre_query", expecting(0, "(call $scratch_set (i32.const 80) (i32.const 8))") +
                            expecting(8, "(call $scratch_get (i32.const 1024) (i32.const 8))") +
                            expecting(-4, "(call $scratch_set (i32.const 80) (i32.const 257))")) +
      hook("post_query", read + expecting(-5, "(call $scratch_set (i32.const 80) (i32.const 8))")) +
      hook("settled", read));
  EXPECT_EQ(run(HookPoint::pre_query).status, Status::ok);
  for (const HookPoint point : {HookPoint::post_query, HookPoint::settled}) {
    const auto result = run(point);
    EXPECT_EQ(result.status, Status::ok) << result.failure;
    EXPECT_EQ(value("p", "key"), "SELECT 2");
    remove("p", "key");
  }
}

TEST_F(Abi2Test, block_has_its_reason_and_state) {
  const auto result = pre_query(
      expecting(0, "(call $block (i32.const 48) (i32.const 8) (i32.const 64) (i32.const 5))"));
  EXPECT_EQ(result.verdict.action, Action::block);
  EXPECT_EQ(result.verdict.text, "no entry");
  EXPECT_EQ(result.verdict.sqlstate, "HE001");
  EXPECT_EQ(info("p").refusals, 1U);
}

TEST_F(Abi2Test, block_with_a_bad_state_blocks_all_the_same) {
  const auto result = pre_query(
      expecting(-5, "(call $block (i32.const 48) (i32.const 8) (i32.const 64) (i32.const 4))"));
  EXPECT_EQ(result.verdict.action, Action::block);
  EXPECT_EQ(result.verdict.sqlstate, "");
}

TEST_F(Abi2Test, last_verdict_counts) {
  const auto result = pre_query(
      expecting(0, "(call $block (i32.const 48) (i32.const 8) (i32.const 0) (i32.const 0))") +
      expecting(0, "(call $answer_begin)") +
      expecting(0, "(call $rewrite (i32.const 80) (i32.const 8))"));
  EXPECT_EQ(result.verdict.action, Action::rewrite);
  EXPECT_EQ(result.verdict.text, "SELECT 2");
}

TEST_F(Abi2Test, rewrite_that_cannot_be_carried_out_fails_the_call) {
  EXPECT_EQ(pre_query(expecting(0, "(call $rewrite (i32.const 80) (i32.const 0))")).failure,
            "rewrote the statement to an empty text, or one with a NUL byte");
  EXPECT_EQ(pre_query(expecting(0, "(call $rewrite (i32.const 80) (i32.const 9))")).status,
            Status::failed);
}

TEST_F(Abi2Test, answer_is_made_of_columns_and_values) {
  const auto result =
      pre_query(expecting(0, "(call $answer_begin)") +
                expecting(0, "(call $answer_column (i32.const 16) (i32.const 3) (i32.const 25))") +
                expecting(0, "(call $answer_column (i32.const 16) (i32.const 1) (i32.const 23))") +
                expecting(0, "(call $answer_value (i32.const 48) (i32.const 8))") +
                expecting(0, "(call $answer_null)") +
                expecting(-5, "(call $answer_column (i32.const 16) (i32.const 1) (i32.const 23))") +
                expecting(0, "(call $answer_null)") +
                expecting(0, "(call $answer_value (i32.const 48) (i32.const 0))"));
  ASSERT_EQ(result.verdict.action, Action::answer) << result.failure;
  const hooks::Answer& answer = *result.verdict.answer;
  ASSERT_EQ(answer.columns.size(), 2U);
  EXPECT_EQ(answer.columns[0].name, "key");
  EXPECT_EQ(answer.columns[1].type_oid, 23U);
  ASSERT_EQ(answer.rows.size(), 2U);
  EXPECT_EQ(answer.rows[0][0], "no entry");
  EXPECT_EQ(answer.rows[0][1], std::nullopt);
  EXPECT_EQ(answer.rows[1][1], "");
}

TEST_F(Abi2Test, answer_that_ends_within_a_row_fails_the_call) {
  const auto result =
      pre_query(expecting(0, "(call $answer_begin)") +
                expecting(0, "(call $answer_column (i32.const 16) (i32.const 3) (i32.const 25))") +
                expecting(0, "(call $answer_column (i32.const 16) (i32.const 3) (i32.const 25))") +
                expecting(0, "(call $answer_null)"));
  EXPECT_EQ(result.failure, "its answer ends within a row");
}

TEST_F(Abi2Test, answer_bomb_fails_the_call_within_its_limit) {
  const auto result =
      pre_query(expecting(0, "(call $answer_begin)") +
                expecting(0, "(call $answer_column (i32.const 16) (i32.const 3) (i32.const 25))") +
                "(loop $more (drop (call $answer_value (i32.const 0) (i32.const 0))) (br $more))");
  EXPECT_EQ(result.failure, "answered more than 1048576 bytes");
}

TEST_F(Abi2Test, verdict_outside_pre_query_is_refused) {
  add(hook("post_query",
           expecting(-5, "(call $block (i32.const 48) (i32.const 8) (i32.const 0) (i32.const 0))") +
               expecting(-5, "(call $rewrite (i32.const 80) (i32.const 8))") +
               expecting(-5, "(call $answer_begin)") +
               expecting(-5, "(call $answer_value (i32.const 0) (i32.const 0))") +
               expecting(-5, "(call $identify (i32.const 1) (i32.const 48) (i32.const 8))")));
  const auto result = run(HookPoint::post_query);
  EXPECT_EQ(result.status, Status::ok) << result.failure;
}

TEST_F(Abi2Test, authenticate_identifies_or_denies) {
  add(hook("authenticate",
           expecting(5, "(call $field (i32.const 3) (i32.const 1024) (i32.const 16))") +
               expecting(0, "(call $identify (i32.const 3) (i32.const 1024) (i32.const 5))") +
               expecting(0, "(call $identify (i32.const 4) (i32.const 48) (i32.const 2))") +
               expecting(-5, "(call $identify (i32.const 5) (i32.const 48) (i32.const 2))")));
  const hooks::AuthenticationRequest request{.session_id = "s",
                                             .user = "alice",
                                             .database = "d",
                                             .client_ip = "",
                                             .attributes = {},
                                             .chain = chain_};
  hooks::Call call;
  call.point = HookPoint::authenticate;
  call.authentication = &request;
  call.home = &home_;
  ASSERT_EQ(plugin(chain_, "p").run(call), hooks::RunStatus::done);
  ASSERT_EQ(call.result.status, Status::ok) << call.result.failure;
  EXPECT_EQ(call.result.authentication.identity.tenant_id, "alice");
  EXPECT_EQ(call.result.authentication.identity.roles, std::vector<std::string>{"no"});
}

TEST_F(Abi2Test, log_and_metrics_count_once_committed) {
  const std::string both =
      expecting(0, "(call $log (i32.const 2) (i32.const 48) (i32.const 8))") +
      expecting(0, "(call $metric_add (i32.const 16) (i32.const 3) (i64.const 5))");
  add(hook("pre_query",
           both + expecting(-5, "(call $log (i32.const 4) (i32.const 48) (i32.const 8))") +
               expecting(-5, "(call $metric_add (i32.const 48) (i32.const 8) (i64.const 1))")) +
      hook("post_query", both + "(unreachable)"));
  EXPECT_EQ(run(HookPoint::pre_query).status, Status::ok);
  EXPECT_EQ(run(HookPoint::post_query).status, Status::failed);
  ASSERT_EQ(info("p").metrics.size(), 1U);
  EXPECT_EQ(info("p").metrics[0], (std::pair<std::string, std::uint64_t>("key", 5)));
  EXPECT_EQ(log_.count("plugin p: no entry"), 1U);
}

TEST_F(Abi2Test, counter_keeps_to_its_bounds) {
  const auto incr = [](std::int64_t delta, std::int64_t limit, std::int64_t ttl) {
    return "(call $kv_incr (i32.const 16) (i32.const 3) (i64.const " + std::to_string(delta) +
           ") (i64.const " + std::to_string(limit) + ") (i64.const " + std::to_string(ttl) +
           ") (i32.const 1024))";
  };
  const auto result = pre_query(
      expecting(HELIOS_MISSING, incr(0, 0, 0)) + expecting(0, incr(5, 7, 0)) +
      expecting(HELIOS_UNMET, incr(3, 7, 0)) + expecting(5, "(i32.load (i32.const 1024))") +
      expecting(0, incr(-6, -1, 0)) + expecting(-1, "(i32.load (i32.const 1024))") +
      expecting(HELIOS_UNMET, incr(-1, -1, 0)) + expecting(0, incr(0, 0, 0)) +
      expecting(HELIOS_INVALID, incr(1, 9, -1)) +
      expecting(HELIOS_OVERFLOW, incr(INT64_MIN, INT64_MIN, 0)));
  EXPECT_EQ(result.status, Status::ok) << result.failure;
  EXPECT_EQ(value("p", "key"), std::string(8, '\xff'));
}

TEST_F(Abi2Test, counter_keeps_the_time_that_it_was_made_with) {
  add(hook("pre_query", expecting(0,
                                  "(call $kv_incr (i32.const 16) (i32.const 3) (i64.const 1) "
                                  "(i64.const 99) (i64.const 1000) (i32.const 1024))")));
  run(HookPoint::pre_query);
  clock_.advance_ms(600);
  run(HookPoint::pre_query);
  EXPECT_EQ(value("p", "key"), std::string("\2\0\0\0\0\0\0\0", 8));
  clock_.advance_ms(600);
  EXPECT_EQ(value("p", "key"), std::nullopt);
  run(HookPoint::pre_query);
  EXPECT_EQ(value("p", "key"), std::string("\1\0\0\0\0\0\0\0", 8));
}

TEST_F(Abi2Test, value_that_is_no_counter_is_left_alone) {
  add(hook("pre_query", expecting(HELIOS_WRONG_TYPE,
                                  "(call $kv_incr (i32.const 16) (i32.const 3) (i64.const 1) "
                                  "(i64.const 99) (i64.const 0) (i32.const 1024))")));
  put("p", "key", "text");
  EXPECT_EQ(run(HookPoint::pre_query).status, Status::ok);
  EXPECT_EQ(value("p", "key"), "text");
}

// Every import that takes a place in memory, with one that is outside.
TEST_F(Abi2Test, bad_pointer_to_any_import_ends_the_call) {
  const std::string kCalls[] = {
      "(call $field (i32.const 3) (i32.const 65535) (i32.const 2))",
      "(call $field (i32.const 3) (i32.const 16) (i32.const -1))",
      "(call $field_number (i32.const 101) (i32.const 65529))",
      "(call $attribute (i32.const -1) (i32.const 2) (i32.const 0) (i32.const 0))",
      "(call $parameter (i32.const 0) (i32.const 65536) (i32.const 1))",
      "(call $parameter_kind (i32.const 0) (i32.const 65525))",
      "(call $scratch_set (i32.const 65530) (i32.const 7))",
      "(call $scratch_get (i32.const 65530) (i32.const 7))",
      "(call $block (i32.const 65530) (i32.const 7) (i32.const 0) (i32.const 0))",
      "(call $block (i32.const 0) (i32.const 0) (i32.const -4) (i32.const 5))",
      "(call $rewrite (i32.const 65536) (i32.const 1))",
      "(call $answer_column (i32.const 65536) (i32.const 1) (i32.const 25))",
      "(call $answer_value (i32.const 65536) (i32.const 1))",
      "(call $identify (i32.const 1) (i32.const 65536) (i32.const 1))",
      "(call $log (i32.const 1) (i32.const 65536) (i32.const 1))",
      "(call $metric_add (i32.const 65536) (i32.const 1) (i64.const 1))",
      "(call $kv_incr (i32.const 16) (i32.const 3) (i64.const 1) (i64.const 1) (i64.const 0) "
      "(i32.const 65529))",
  };
  for (const std::string& call : kCalls) {
    const auto result = pre_query("(drop " + call + ")");
    EXPECT_EQ(result.status, Status::failed) << call;
    EXPECT_NE(result.failure.find("was handed a range outside the plugin's memory"),
              std::string::npos)
        << call << ": " << result.failure;
  }
}

TEST_F(Abi2Test, reused_instance_remembers_until_an_attempt_fails) {
  // Blocks when its own count of calls is 3; traps at 4.
  add(R"((global $calls (mut i32) (i32.const 0)))" +
          hook("pre_query",
               "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))"
               "(if (i32.eq (global.get $calls) (i32.const 3)) (then "
               "(drop (call $block (i32.const 48) (i32.const 8) (i32.const 0) (i32.const 0)))))"
               "(if (i32.eq (global.get $calls) (i32.const 4)) (then (unreachable)))"),
      "instance = \"reuse\"");
  const auto action = [&] { return run(HookPoint::pre_query).verdict.action; };
  EXPECT_EQ(action(), Action::proceed);
  EXPECT_EQ(action(), Action::proceed);
  EXPECT_EQ(action(), Action::block);
  EXPECT_EQ(run(HookPoint::pre_query).status, Status::failed);
  EXPECT_EQ(action(), Action::proceed);
  EXPECT_EQ(action(), Action::proceed);
  EXPECT_EQ(action(), Action::block);
}

TEST_F(Abi2Test, module_of_another_version_does_not_load) {
  write_file("p.wat", R"((module (memory (export "memory") 1)
    (func (export "helios_abi_version") (result i32) (i32.const 3))
    (func (export "pre_query") (result i32) (i32.const 0))))");
  const auto chain = load();
  ASSERT_FALSE(chain);
  EXPECT_NE(chain.error().message.find("is made for version 3 of the ABI"), std::string::npos)
      << chain.error().message;
}

TEST_F(Abi2Test, reuse_is_refused_for_abi_1) {
  add_guest("counter");
  write_file("counter.toml", "instance = \"reuse\"");
  EXPECT_FALSE(load());
}

TEST_F(Abi2Test, wasi_offers_nothing_but_lets_a_library_start) {
  write_file("p.wat", R"((module
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "\40\00\00\00\05\00\00\00") (data (i32.const 64) "hello")
    (func (export "_initialize") (drop (call $sizes (i32.const 0) (i32.const 4)))
      (drop (call $random (i32.const 128) (i32.const 16))))
    (func (export "helios_abi_version") (result i32) (i32.const 2))
    (func (export "pre_query") (result i32)
      (call $fd_write (i32.const 2) (i32.const 16) (i32.const 1) (i32.const 32)))
    (func (export "post_query") (call $exit (i32.const 0)))))");
  chain_ = load_ok();
  statement_ = std::make_unique<Statement>(chain_, "acme");
  EXPECT_EQ(run(HookPoint::pre_query).status, Status::ok);
  EXPECT_EQ(log_.count("plugin p: hello"), 1U);
  EXPECT_EQ(run(HookPoint::post_query).failure, "trap: called proc_exit");
}

}  // namespace
}  // namespace helios::plugins
