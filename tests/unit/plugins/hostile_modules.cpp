// SPDX-License-Identifier: Apache-2.0

// Modules that should not load, and large or odd ones that may.

#include "hostile_guests.hpp"
#include "wasm_bytes.hpp"

#include <iterator>
#include <utility>

namespace helios::plugins {

namespace {

using Outcome = HostileGuest::Outcome;
using namespace std::literals;

constexpr std::uint32_t kMany = 100'000;

HostileGuest refused(std::string name, LazyBytes text, std::string words) {
  return {std::move(name), std::move(text), true, Outcome::not_loaded, std::move(words)};
}

HostileGuest refused_bytes(std::string name, LazyBytes bytes, std::string words) {
  return {std::move(name), std::move(bytes), false, Outcome::not_loaded, std::move(words)};
}

HostileGuest fine(std::string name, LazyBytes bytes) {
  return {std::move(name), std::move(bytes), false, Outcome::proceeds};
}

// A plugin that is one only but for `more`.
std::string with(std::string more) { return guest_text({.more = std::move(more)}); }

// A plugin with `memory` for its own.
std::string with_memory(const std::string& memory, const std::string& more = "") {
  return "(module " + memory + more +
         R"( (func (export "alloc") (param i32) (result i32) (i32.const 1024))
    (func (export "dealloc") (param i32 i32))
    (func (export "pre_query") (param i32 i32) (result i64) (i64.const 0))))";
}

std::vector<HostileGuest> starts() {
  return {
      refused("loops_in_start", with("(func $s (loop $l (br $l))) (start $s)"),
              "does not start within"),
      refused("loops_in_initialize", with(R"((func (export "_initialize") (loop $l (br $l))))"),
              "does not start within"),
      refused("traps_in_start", with("(func $s (unreachable)) (start $s)"),
              "does not start: trap: unreachable"),
      refused("recurses_in_start", with("(func $s (call $s) (call $s)) (start $s)"),
              "call stack exhausted"),
      refused("passes_a_bad_pointer_in_start",
              with("(func $s (drop (call $kv_delete (i32.const -1) (i32.const 9)))) (start $s)"),
              "kv_delete was handed a range outside"),
      refused("puts_data_outside_its_memory", with("(data (i32.const 131070) \"abcd\")"),
              "does not start"),
      refused("puts_elements_outside_its_table",
              with("(table 1 funcref) (elem (i32.const 1) $kv_get)"), "does not start"),
  };
}

std::vector<HostileGuest> shapes() {
  return {
      refused("imports_what_nobody_offers", R"((module (import "env" "open_socket" (func))))",
              "\"env.open_socket\", which the proxy does not offer"),
      refused("imports_its_memory", R"((module (import "env" "memory" (memory 1))))",
              "does not offer"),
      refused("imports_with_another_type", R"((module (import "env" "kv_get" (func (param i64)))))",
              "imports \"env.kv_get\" as (i64)"),
      refused("imports_under_a_name_with_control_bytes",
              R"((module (import "env" "\1b[2J\0a" (func))))", "\\x1b[2J\\x0a"),
      refused("has_a_hook_of_another_type", with(R"((func (export "post_query") (param f64)))"),
              "exports \"post_query\" as (f64)"),
      refused("has_a_hook_that_is_a_memory", with(R"((export "post_query" (memory 0)))"),
              "but not as a function"),
      refused("has_no_memory", with_memory("(memory 1)"), "does not export its memory"),
      refused("has_a_large_memory", with_memory(R"((memory (export "memory") 60000))"),
              "exceeds the limit"),
      refused("has_a_large_table", with("(table 1000000 funcref)"), "exceeds the limit"),
      refused("has_two_tables", with("(table 1 funcref) (table 1 funcref)"), "table"),
  };
}

std::vector<HostileGuest> proposals() {
  const auto hook = [](std::string code) { return guest_text({.hook = std::move(code)}); };
  return {
      refused("has_a_64_bit_memory", with_memory(R"((memory (export "memory") i64 1))"),
              "memory64"),
      refused("has_a_shared_memory", with_memory(R"((memory (export "memory") 1 1 shared))"),
              "threads"),
      refused("has_two_memories", with("(memory $other 1)"), "multiple memories"),
      refused("has_small_pages", with_memory(R"((memory (export "memory") 1 (pagesize 1)))"),
              "page size"),
      refused("uses_atomics", hook("(atomic.fence) (i64.const 0)"), "threads"),
      refused("uses_relaxed_simd",
              hook("(drop (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0))) "
                   "(i64.const 0)"),
              "relaxed SIMD"),
      refused("uses_exceptions", with("(tag $t)"), "exceptions"),
      refused("uses_garbage_collection", with("(type $s (struct (field i32)))"), "gc"),
      refused("uses_tail_calls", with("(func $f (return_call $f))"), "tail calls"),
      refused("uses_typed_references", with("(type $f (func)) (func (param (ref $f)))"),
              "function references"),
      refused("is_a_component", "(component)", "is a component"),
  };
}

std::vector<HostileGuest> malformed() {
  const std::string whole = wasm_plugin({});
  return {
      refused_bytes("is_no_module", "#!/bin/sh\n", "magic"),
      refused_bytes("is_cut_off", whole.substr(0, whole.size() - 2), "unexpected end"),
      refused_bytes("is_only_a_header", "\0asm"s, "unexpected end"),
      refused_bytes("is_of_another_version", "\0asm\2\0\0\0"s, "version"),
      refused_bytes("has_a_section_longer_than_itself", "\0asm\1\0\0\0\1\xff\xff\xff\x7f"s,
                    "unexpected end"),
      refused_bytes("has_an_export_that_is_not_utf8", wasm_plugin({.export_name = "\xff\xfe"}),
                    "UTF-8"),
      refused_bytes("has_two_exports_of_one_name", wasm_plugin({.export_name = "alloc"}),
                    "duplicate export"),
      refused_bytes("ends_in_the_middle_of_a_function",
                    wasm_plugin({.bodies = {wasm_body(0, "\x02\x40"sv)}}), "control frames remain"),
      refused("is_unbalanced_text", "(module", "expected"),
      refused(
          "is_text_of_parentheses", [] { return repeat("(", kMany); }, ""),
      refused(
          "is_text_of_deep_expressions",
          [] {
            return guest_text({.hook = repeat("(i64.add (i64.const 1) ", kMany) + "(i64.const 0)" +
                                       repeat(")", kMany)});
          },
          ""),
  };
}

std::vector<HostileGuest> too_much() {
  return {
      refused_bytes(
          "has_many_types", [] { return wasm_plugin({.types = kMany}); },
          "types; the limit is 10000"),
      refused_bytes(
          "has_a_type_of_many_values", [] { return wasm_plugin({.params = 1000}); },
          "parameters in one function type"),
      refused_bytes(
          "has_many_imports", [] { return wasm_plugin({.imports = kMany}); },
          "100000 imports; the limit is 100"),
      refused_bytes(
          "has_many_functions",
          [] { return wasm_plugin({.bodies = std::vector<std::string>(kMany, wasm_body(0, ""))}); },
          "100003 functions; the limit is 20000"),
      refused_bytes(
          "has_many_globals", [] { return wasm_plugin({.globals = kMany}); },
          "globals; the limit is 10000"),
      refused_bytes(
          "has_many_exports", [] { return wasm_plugin({.exports = kMany}); },
          "100004 exports; the limit is 1000"),
      refused_bytes(
          "has_an_export_of_a_long_name",
          [] { return wasm_plugin({.export_name = std::string(200'000, 'n')}); }, "string"),
      refused_bytes(
          "has_many_element_segments", [] { return wasm_plugin({.elements = kMany}); },
          "element segments"),
      refused_bytes(
          "has_many_data_segments", [] { return wasm_plugin({.data = kMany}); }, "data segments"),
      refused_bytes(
          "has_many_locals", [] { return wasm_plugin({.bodies = {wasm_body(50'000, "")}}); },
          "50000 locals in one function"),
      refused_bytes(
          "has_a_function_of_megabytes",
          [] { return wasm_plugin({.bodies = {wasm_body(0, repeat("\x01", 3 << 20))}}); },
          "bytes in one function; the limit is 262144"),
      refused_bytes(
          "is_padded_to_10_megabytes", [] { return wasm_plugin({.custom_bytes = 10 << 20}); },
          "larger than 4096 KiB"),
  };
}

std::vector<HostileGuest> large() {
  constexpr std::uint32_t kDeep = 5'000;
  const std::string blocks = repeat("\x02\x40", kDeep) + repeat("\x0b", kDeep);
  // A br_table in a block: 60,000 times the way out of it.
  const std::string jumps =
      "\x02\x40\x41\0\x0e"s + leb(60'000) + repeat("\0"sv, 60'000) + "\0\x0b"s;
  return {
      fine("is_padded_to_3_megabytes", [] { return wasm_plugin({.custom_bytes = 3 << 20}); }),
      fine("has_garbage_for_names",
           [] { return wasm_plugin({.names = "\0\xff\xff\xff\xff\x0f garbage"s}); }),
      fine("has_a_function_of_many_nops",
           [] { return wasm_plugin({.bodies = {wasm_body(0, repeat("\x01", 250'000))}}); }),
      fine("has_deep_blocks", [blocks] { return wasm_plugin({.bodies = {wasm_body(0, blocks)}}); }),
      fine("has_a_large_jump_table",
           [jumps] { return wasm_plugin({.bodies = {wasm_body(0, jumps)}}); }),
      fine(
          "has_a_thousand_functions",
          [] { return wasm_plugin({.bodies = std::vector<std::string>(1000, wasm_body(3, ""))}); }),
      fine("has_as_many_locals_as_it_may",
           [] { return wasm_plugin({.bodies = {wasm_body(2'000, "")}}); }),
      {"uses_simd",
       guest_text({.hook = "(i64x2.extract_lane 0 (i64x2.add (v128.const i64x2 0 0) (v128.const "
                           "i64x2 0 0)))"}),
       true, Outcome::proceeds},
  };
}

}  // namespace

std::vector<HostileGuest> hostile_modules() {
  std::vector<HostileGuest> all;
  for (auto list : {starts(), shapes(), proposals(), malformed(), too_much(), large()})
    std::move(list.begin(), list.end(), std::back_inserter(all));
  return all;
}

}  // namespace helios::plugins
