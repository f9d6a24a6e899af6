// SPDX-License-Identifier: Apache-2.0
#include "hostile_guests.hpp"

#include "wasm_bytes.hpp"

#include <iterator>
#include <utility>

namespace helios::plugins {

namespace {

using Outcome = HostileGuest::Outcome;

constexpr std::uint32_t kPageBytes = 65536;
constexpr std::uint32_t kAnswerAt = 4096;

// As a data string of the text format: every byte as \hh.
std::string escaped(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 3);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += {'\\', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

HostileGuest text(std::string name, GuestText parts, Outcome outcome, std::string words = "",
                  std::uint64_t keys = 0) {
  return {std::move(name), guest_text(parts), true, outcome, std::move(words), keys};
}

HostileGuest hook(std::string name, std::string code, Outcome outcome, std::string words = "",
                  std::uint64_t keys = 0) {
  return text(std::move(name), {.hook = std::move(code)}, outcome, std::move(words), keys);
}

HostileGuest answers(std::string name, LazyBytes json, Outcome outcome, std::string words = "") {
  const auto file = [json = std::move(json)] { return guest_answering(json.make()); };
  return {std::move(name), file, true, outcome, std::move(words)};
}

std::string packed(std::uint64_t pointer, std::uint64_t length) {
  return "(i64.const " + std::to_string(static_cast<std::int64_t>(pointer << 32 | length)) + ")";
}

// Fails unless the i32 that `code` leaves is `wanted`.
std::string expecting(int wanted, const std::string& code) {
  return "(if (i32.ne " + code + " (i32.const " + std::to_string(wanted) +
         ")) (then (unreachable)))";
}

constexpr std::string_view kLoop = "(loop $for_ever (br $for_ever))";
constexpr std::string_view kSet =
    "(call $kv_set (i32.const 16) (i32.const 3) (i32.const 16) (i32.const 3))";

std::string loop_of(std::string_view code) {
  return "(loop $for_ever " + std::string(code) + " (br $for_ever)) (unreachable)";
}

std::vector<HostileGuest> endless() {
  const std::string loop(kLoop);
  const std::string set(kSet);
  // The largest range that a guest of 16 MiB can name.
  const std::string hash =
      "(drop (call $sha256_hex (i32.const 0) (i32.const 16777216) (i32.const 0)))";
  const std::string fill = "(memory.fill (i32.const 0) (i32.const 1) (i32.const 16777216))";
  constexpr std::uint32_t kAllPages = 256;
  return {
      hook("loops_in_hook", loop + "(unreachable)", Outcome::loops),
      text("loops_in_alloc", {.alloc = loop + "(unreachable)"}, Outcome::loops),
      text("loops_in_start_once_it_has_state",
           {.hook = "(drop " + set + ") (i64.const 0)",
            .more = "(func $start (if (i32.ge_s (call $kv_get (i32.const 16) (i32.const 3) "
                    "(i32.const 64) "
                    "(i32.const 8)) (i32.const 0)) (then " +
                    loop + "))) (start $start)"},
           Outcome::proceeds, "", 1),
      hook("loops_over_kv_set", loop_of("(drop " + set + ")"), Outcome::loops),
      hook("loops_over_kv_get",
           loop_of(
               "(drop (call $kv_get (i32.const 16) (i32.const 3) (i32.const 64) (i32.const 8)))"),
           Outcome::loops),
      hook("loops_over_kv_delete", loop_of("(drop (call $kv_delete (i32.const 16) (i32.const 3)))"),
           Outcome::loops),
      hook("loops_over_time", loop_of("(drop (call $time_now_ms))"), Outcome::loops),
      text("loops_over_hashes", {.hook = loop_of(hash), .pages = kAllPages}, Outcome::loops),
      text("hashes_without_a_loop",
           {.hook = repeat(hash, 2000) + "(unreachable)", .pages = kAllPages}, Outcome::loops),
      text("fills_without_a_loop",
           {.hook = repeat(fill, 4000) + "(unreachable)", .pages = kAllPages}, Outcome::loops),
      hook("loops_over_memory_grow", loop_of("(drop (memory.grow (i32.const 1)))"), Outcome::loops),
      text("loops_over_table_grow",
           {.hook = loop_of("(drop (table.grow $t (ref.null func) (i32.const 1)))"),
            .more = "(table $t 1 funcref)"},
           Outcome::loops),
      text(
          "calls_itself_in_turn_for_ever",
          {.hook = loop_of("(call $down (i32.const 1000))"),
           .more =
               "(func $down (param i32) (if (local.get 0) (then (call $down (i32.sub (local.get 0) "
               "(i32.const 1))))))"},
          Outcome::loops),
      text("allocates_for_a_loop", {.hook = loop + "(unreachable)", .dealloc = loop},
           Outcome::loops),
  };
}

std::vector<HostileGuest> traps() {
  return {
      hook("traps", "(unreachable)", Outcome::fails, "trap: unreachable"),
      hook("divides_by_zero", "(i64.div_s (i64.const 1) (i64.const 0))", Outcome::fails,
           "trap: integer divide by zero"),
      hook("reads_outside", "(i64.load (i32.const -1))", Outcome::fails, "out of bounds memory"),
      text("calls_no_function",
           {.hook = "(call_indirect (type $t) (i32.const 0)) (i64.const 0)",
            .more = "(type $t (func)) (table 1 funcref)"},
           Outcome::fails, "uninitialized table element"),
      text("calls_with_another_type",
           {.hook = "(call_indirect (type $t) (i32.const 0)) (i64.const 0)",
            .more = "(type $t (func)) (table 1 funcref) (elem (i32.const 0) $other) "
                    "(func $other (param i32))"},
           Outcome::fails, "indirect call type mismatch"),
      text("recurses", {.hook = "(call $f) (i64.const 0)", .more = "(func $f (call $f) (call $f))"},
           Outcome::fails, "call stack exhausted"),
      text("traps_in_alloc", {.alloc = "(unreachable)"}, Outcome::fails, "trap: unreachable"),
      text("traps_in_dealloc", {.dealloc = "(unreachable)"}, Outcome::proceeds),
      text("loops_in_dealloc", {.dealloc = std::string(kLoop)}, Outcome::proceeds),
      hook("grows_and_traps",
           "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) "
           "(unreachable)",
           Outcome::fails, "trap: unreachable"),
      hook("grows_and_lives_with_a_refusal",
           "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) "
           "(i64.const 0)",
           Outcome::proceeds),
      text("lays_a_table_bomb",
           {.hook = expecting(-1, "(table.grow $t (ref.null func) (i32.const 1000000000))") +
                    "(i64.const 0)",
            .more = "(table $t 1 funcref)"},
           Outcome::proceeds),
      hook("writes_and_traps", "(drop " + std::string(kSet) + ") (unreachable)", Outcome::fails,
           "trap: unreachable"),
  };
}

std::vector<HostileGuest> pointers() {
  const auto call = [](std::string name, const std::string& code, std::string words) {
    return hook(std::move(name), "(drop " + code + ") (i64.const 0)", Outcome::fails,
                std::move(words));
  };
  return {
      text("allocates_nothing", {.alloc = "(i32.const 0)"}, Outcome::fails, "alloc had no room"),
      text("allocates_at_the_end_of_the_address_space", {.alloc = "(i32.const -1)"}, Outcome::fails,
           "alloc returned room outside"),
      text("allocates_across_the_end", {.alloc = "(i32.const 131068)"}, Outcome::fails,
           "alloc returned room outside"),
      text("allocates_over_its_own_data", {.alloc = "(i32.const 16)"}, Outcome::proceeds),
      hook("answers_across_the_address_space", packed(0xfffffff0, 0x20), Outcome::fails,
           "outside the plugin's memory"),
      hook("answers_at_the_end", packed(131071, 2), Outcome::fails, "outside the plugin's memory"),
      hook("answers_more_than_may_be", packed(0, 0x7fffffff), Outcome::fails,
           "the limit is 1048576"),
      hook("answers_a_negative_length", packed(0, 0x80000000), Outcome::proceeds),
      hook("answers_all_ones", "(i64.const -1)", Outcome::proceeds),
      call("names_a_key_outside",
           "(call $kv_get (i32.const 131072) (i32.const 1) (i32.const 0) (i32.const 1))",
           "kv_get was handed a range outside"),
      call("names_a_key_that_wraps",
           "(call $kv_set (i32.const -8) (i32.const 16) (i32.const 0) (i32.const 1))",
           "kv_set was handed a range outside"),
      call("lies_about_the_room_for_a_value",
           "(call $kv_get (i32.const 16) (i32.const 3) (i32.const 1024) (i32.const -1))",
           "kv_get was handed a range outside"),
      call("deletes_what_is_outside", "(call $kv_delete (i32.const 16) (i32.const -1))",
           "kv_delete was handed a range outside"),
      call("hashes_into_the_void",
           "(call $sha256_hex (i32.const 0) (i32.const 8) (i32.const 131040))",
           "sha256_hex was handed a range outside"),
      hook("reads_a_value_over_its_key",
           expecting(0, std::string(kSet)) +
               expecting(
                   3, "(call $kv_get (i32.const 16) (i32.const 3) (i32.const 17) (i32.const 8))") +
               "(i64.const 0)",
           Outcome::proceeds, "", 1),
      hook("hashes_a_range_onto_itself",
           expecting(64, "(call $sha256_hex (i32.const 0) (i32.const 131072) (i32.const 8))") +
               "(i64.const 0)",
           Outcome::proceeds),
  };
}

std::vector<HostileGuest> state() {
  const std::string big = "(i32.const 16) (i32.const 3) (i32.const 0)";
  return {
      hook(
          "keeps_an_empty_key",
          expecting(-1, "(call $kv_set (i32.const 16) (i32.const 0) (i32.const 0) (i32.const 1))") +
              "(i64.const 0)",
          Outcome::proceeds),
      hook("keeps_a_key_that_is_too_long",
           expecting(-1,
                     "(call $kv_set (i32.const 0) (i32.const 65537) (i32.const 0) (i32.const 1))") +
               "(i64.const 0)",
           Outcome::proceeds),
      hook("keeps_a_value_that_is_too_long",
           expecting(-1, "(call $kv_set " + big + "(i32.const 65537))") + "(i64.const 0)",
           Outcome::proceeds),
      text("keeps_what_just_fits",
           {.hook = expecting(0,
                              "(call $kv_set (i32.const 0) (i32.const 65536) (i32.const 0) "
                              "(i32.const 65536))") +
                    "(i64.const 0)",
            .alloc = "(i32.const 65536)"},
           Outcome::proceeds, "", 1),
      // 127 pairs of 128 KiB and their overhead fit into what one call may write.
      hook("fills_the_store",
           "(loop $more (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1))) "
           "(br_if $more "
           "(i32.eqz (call $kv_set (i32.const 0) (i32.const 65536) (i32.const 0) (i32.const "
           "65536))))) "
           "(i64.const 0)",
           Outcome::proceeds, "", 127),
      hook("asks_for_too_many_keys",
           "(loop $more (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1))) "
           "(drop (call $kv_get (i32.const 0) (i32.const 4) (i32.const 64) (i32.const 8))) (br "
           "$more)) "
           "(unreachable)",
           Outcome::fails, "reads more than one call may"),
  };
}

template <typename... Lists>
std::vector<HostileGuest> joined(Lists... lists) {
  std::vector<HostileGuest> all;
  (std::move(lists.begin(), lists.end(), std::back_inserter(all)), ...);
  return all;
}

}  // namespace

std::string guest_text(const GuestText& parts) {
  return R"((module
  (import "env" "kv_get" (func $kv_get (param i32 i32 i32 i32) (result i32)))
  (import "env" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (import "env" "kv_delete" (func $kv_delete (param i32 i32) (result i32)))
  (import "env" "sha256_hex" (func $sha256_hex (param i32 i32 i32) (result i32)))
  (import "env" "time_now_ms" (func $time_now_ms (result i64)))
  (memory (export "memory") )" +
         std::to_string(parts.pages) + ")\n  (data (i32.const 16) \"key\")\n" + parts.more +
         "\n  (func (export \"alloc\") (param i32) (result i32) " + parts.alloc +
         ")\n  (func (export \"dealloc\") (param i32 i32) " + parts.dealloc +
         ")\n  (func (export \"pre_query\") (param i32 i32) (result i64) " + parts.hook + "))";
}

std::string guest_answering(std::string_view json) {
  return guest_text(
      {.hook = packed(kAnswerAt, json.size()),
       .more = "(data (i32.const " + std::to_string(kAnswerAt) + ") \"" + escaped(json) + "\")",
       .pages = static_cast<std::uint32_t>((kAnswerAt + json.size()) / kPageBytes + 1)});
}

std::vector<HostileGuest> hostile_calls() {
  return joined(endless(), traps(), pointers(), state());
}

std::vector<HostileGuest> hostile_answers() {
  using namespace std::literals;
  constexpr std::size_t kDeep = 100'000;
  constexpr std::size_t kAlmostMib = (1 << 20) - 100;
  const std::string block = R"({"action":"block","value":")";
  return {
      answers("answers_half", R"({"action":)", Outcome::fails, "bad answer: not JSON"),
      answers(
          "answers_deep_lists", [] { return repeat("[", kDeep); }, Outcome::fails,
          "bad answer: not JSON"),
      answers(
          "answers_deep_objects", [] { return repeat(R"({"a":)", kDeep); }, Outcome::fails,
          "bad answer: not JSON"),
      answers(
          "answers_many_numbers", [] { return "[0" + repeat(",0", kAlmostMib / 2) + "]"; },
          Outcome::fails, "bad answer: not a JSON object"),
      answers(
          "answers_many_members",
          [] { return R"({"action":"continue")" + repeat(R"(,"x":0)", kAlmostMib / 6) + "}"; },
          Outcome::proceeds),
      answers("answers_a_huge_number",
              R"({"action":"continue","x":1)" + std::string(1000, '0') + "e999999999}",
              Outcome::proceeds),
      answers("answers_invalid_utf8", block + "\xff\xfe\"}", Outcome::fails,
              "bad answer: not JSON"),
      answers("answers_half_a_character", block + "\xe2\x82\"}", Outcome::fails,
              "bad answer: not JSON"),
      answers("answers_a_lone_surrogate", block + R"(\ud800"})", Outcome::fails,
              "bad answer: not JSON"),
      answers("answers_twice", R"({"action":"continue","action":"block"})", Outcome::blocks,
              "no reason given"),
      answers("answers_zero_bytes_in_the_reason", block + R"(a\u0000b"})", Outcome::blocks, "a b"),
      answers("answers_raw_zero_bytes", block + "a\0b\"}"s, Outcome::fails, "bad answer: not JSON"),
      answers(
          "answers_a_reason_of_a_megabyte",
          [block] { return block + std::string(kAlmostMib, 'x') + "\"}"; }, Outcome::blocks,
          "xxx..."),
      answers("answers_a_sqlstate_that_is_none", R"({"action":"block","sqlstate":"4200"})",
              Outcome::fails, "\"sqlstate\""),
      answers("answers_the_sqlstate_of_success", R"({"action":"block","sqlstate":"00000"})",
              Outcome::fails, "\"sqlstate\""),
      answers("rewrites_to_nothing", R"({"action":"rewrite","value":""})", Outcome::fails,
              "a rewrite without the new statement"),
      answers("rewrites_to_zero_bytes",
              R"({"action":"rewrite","value":"SELECT 1\u0000; DROP TABLE t"})", Outcome::fails,
              "contains a NUL byte"),
      answers("rewrites_to_several", R"({"action":"rewrite","value":"SELECT 1; SELECT 2"})",
              Outcome::rewrites, "SELECT 1; SELECT 2"),
      answers("answers_rows_that_are_none", R"({"action":"cached","data":[1,2,300]})",
              Outcome::fails, "without its rows"),
      answers("answers_an_unknown_action", R"({"action":"explode"})", Outcome::fails,
              "unknown action"),
  };
}

std::vector<HostileGuest> hostile_guests() {
  return joined(hostile_modules(), hostile_calls(), hostile_answers());
}

}  // namespace helios::plugins
