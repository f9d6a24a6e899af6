// SPDX-License-Identifier: Apache-2.0

// Writes down every call of its hooks, and decides by the mark in the text: "/*17 refuse*/", "/*17 rewrite*/",
// "/*17 answer*/"; everything else passes, "/*17 slow*/" after a while, and of the answer to "/*17 cap*/" some rows at most. What each session did is under "<session>:<number>", fields apart by 0x1f.

#include "helios/numbers.hpp"
#include "helios/plugin.hpp"

using namespace helios::plugin;

static constexpr StringView kField = "\x1f";
static constexpr int64_t kCaps = 4;  // a limit is the number of the statement, modulo this

static void write_down(const QueryContext& context, StringView line) {
  const String session = context.client_id();
  const auto number = kv_increment(concat("n:", session));
  if (!number || !kv_write(concat("c:", session, ":", format_int(1000000 + *number)), line)) fail();
}

static bool contains(StringView text, StringView part) {
  for (size_t at = 0; at + part.size() <= text.size(); ++at)
    if (text.part(at, part.size()) == part) return true;
  return false;
}

static String hexadecimal(StringView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  String text;
  text.reserve(bytes.size() * 2);
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes.data()[i]);
    text.data()[2 * i] = kDigits[byte >> 4];
    text.data()[2 * i + 1] = kDigits[byte & 15];
  }
  text.assume_size(bytes.size() * 2);
  return text;
}

// "t<text>", "b<hexadecimal>" or "n" of each, apart by 0x1e; "?" where only the server knows them.
static String parameters(const QueryContext& context) {
  if (!detail::number_field(HELIOS_PARAMETER_COUNT)) return String("?");
  String all;
  for (uint32_t i = 0; i < context.parameter_count(); ++i) {
    const auto parameter = context.parameter(i);
    if (i) all = concat(all, "\x1e");
    if (!parameter || !parameter->value)
      all = concat(all, "n");
    else if (parameter->is_binary)
      all = concat(all, "b", hexadecimal(parameter->value->view()));
    else
      all = concat(all, "t", parameter->value->view());
  }
  return all;
}

// PREPARE runs nothing: what it prepares is judged where it runs.
static bool prepares(StringView text) {
  return text.starts_with("PREPARE ") && !text.starts_with("PREPARE TRANS");
}

static String number_of(StringView text) {
  for (size_t at = 0; at + 2 < text.size(); ++at) {
    if (text.part(at, 2) != "/*") continue;
    size_t end = at + 2;
    while (end < text.size() && text.data()[end] >= '0' && text.data()[end] <= '9') ++end;
    if (end > at + 2) return text.part(at + 2, end - at - 2);
  }
  return "0";
}

static StringView decision(StringView text) {
  if (prepares(text)) return "pass";
  if (contains(text, " refuse*/")) return "refuse";
  if (contains(text, " rewrite*/")) return "rewrite";
  if (contains(text, " answer*/")) return "answer";
  return "pass";
}

// A timer of the server may run out while a hook thinks: some 30 ms, counted by rounds, because now_ms() stands still inside of a call.
static void take_time() {
  static constexpr uint32_t kRounds = 20000000;
  for (volatile uint32_t round = 0; round < kRounds; round = round + 1) {
  }
}

static Verdict pre(const QueryContext& context) {
  const String text = context.query();
  const StringView decided = decision(text.view());
  write_down(
      context,
      concat(concat("pre", kField, context.request_id(), kField, format_int(now_ms()), kField),
             concat(decided, kField, context.tenant().value_or(""), kField, parameters(context)),
             concat(kField, text.view())));
  if (contains(text.view(), " slow*/")) take_time();
  if (contains(text.view(), " cap*/"))
    limit_rows(parse_int(number_of(text.view()).view()).value_or(0) % kCaps);
  if (decided == "refuse") return block("the oracle says no");
  if (decided == "rewrite")
    return rewrite(concat("SELECT /*", number_of(text.view()), " rewritten*/ 'rewritten'"));
  if (decided == "answer") {
    Answer answer;
    answer.column("answered");
    answer.value("by the oracle");
    return answer.done();
  }
  return proceed();
}

static void post(const QueryContext& context, const Outcome& outcome) {
  static constexpr StringView kNames[] = {"executed", "failed",   "refused", "skipped",
                                          "lost",     "answered", "unknown"};
  write_down(context, concat(concat("post", kField, context.request_id(), kField),
                             concat(kNames[static_cast<int>(outcome.kind)], kField,
                                    outcome.rows ? format_int(*outcome.rows) : String("-")),
                             concat(kField, outcome.command_tag, kField, outcome.sqlstate)));
}

static void settled(const QueryContext& context, Settlement settlement) {
  static constexpr StringView kNames[] = {"committed", "rolled back", "unknown"};
  write_down(context, concat(concat("settled", kField, context.request_id(), kField),
                             kNames[static_cast<int>(settlement)]));
}

HELIOS_PRE_QUERY(pre)
HELIOS_POST_QUERY(post)
HELIOS_SETTLED(settled)
