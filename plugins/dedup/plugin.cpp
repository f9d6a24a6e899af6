// SPDX-License-Identifier: Apache-2.0

// Refuses, or answers itself, a statement that the same tenant has sent within the last milliseconds, with the same
// parameters. Of any number that come at once, one passes: the key is made only where it is not there.
//
//   config               {"window_ms": 500, "writes_only": true, "answer": "duplicate"}
//   seen:<digest>        the request id of the one that passed, for window_ms; written here
//
// What did not happen may be sent again: `settled` takes the mark of its own statement back. What operators write is judged
// by check_write, so that a mistyped text is refused where it is written.

#include "helios/plugin.hpp"

#include "policy.hpp"
#include "settings.hpp"

namespace {

using namespace helios::plugin;
using namespace helios::dedup;

// object_not_in_prerequisite_state. Not a unique violation (23505), which frameworks take for a row that is
// there, and not one of the codes after which they try again by themselves.
constexpr const char* kRepeated = "55000";

constexpr StringView kConfigIsWrong =
    "dedup: \"config\" needs a window_ms of 1 or more; its answer, if any, is a text";

// Each part with its length, so that no two lists of parts read the same.
void add(String& all, StringView part) {
  all.append(concat(format_int(static_cast<int64_t>(part.size())), ":", part));
}

String digest(const QueryContext& context, StringView tenant) {
  String all;
  add(all, tenant);
  add(all, context.database());
  add(all, context.user());
  add(all, context.original_query());
  // Of an EXECUTE, whose arguments may not be shown as parameters, or be other values under other casts.
  add(all, context.execute_text());
  for (uint32_t i = 0; i < context.parameter_count(); ++i) {
    const Optional<Parameter> parameter = context.parameter(i);
    if (!parameter) fail();
    add(all, format_int(parameter->type_oid));
    add(all, parameter->is_binary ? "b" : "t");
    add(all, parameter->value ? concat("=", *parameter->value) : String("NULL"));
  }
  return sha256_hex(all);
}

Verdict refuse(const Optional<Entry>& seen) {
  const int64_t left_ms = seen ? seen->ttl_left_ms.value_or(0) : 0;
  return block(
      concat("the same statement was sent already (retry in ", format_int(left_ms), " ms)"),
      kRepeated);
}

Verdict answer_with(StringView text) {
  Answer answer;
  answer.column("dedup").value(text);
  return answer.done();
}

// Statements of which two that look the same are the same.
bool is_looked_at(const QueryContext& context, const Settings& settings) {
  const String text = context.original_query();
  if (settings.writes_only && context.is_read_only()) return false;
  if (!is_order(text) && (settings.writes_only || !is_query(text))) return false;
  if (is_of_cursor(text)) return false;
  // SQL EXECUTE with arguments that nobody is told.
  const bool is_told = context.parameter_count() != 0 || !context.execute_text().empty();
  return is_told || !has_placeholder(text);
}

// Rows are an answer only where the client learns their columns together with them. To a prepared statement
// Describe has said others, which nobody here knows.
bool can_be_answered(const QueryContext& context) { return !context.is_prepared(); }

Verdict let_one_pass(const QueryContext& context) {
  const Optional<String> text = kv_read("config");
  if (!text) return proceed();
  const Optional<Settings> settings = stored_settings(*text);
  if (!settings) return block(kConfigIsWrong, "F0000");
  const Optional<String> tenant = context.tenant();
  if (!tenant || !is_looked_at(context, *settings)) return proceed();

  const String mark = digest(context, *tenant);
  const String key = concat("seen:", mark);
  switch (kv_create(key, context.request_id(), settings->window_ms)) {
    case Written::done: context.keep(mark); return proceed();
    case Written::refused: fail();  // it cannot be kept: on_error decides
    case Written::unmet: break;
  }
  metric_add("repeats");
  const bool is_answered = settings->answer && can_be_answered(context);
  return is_answered ? answer_with(*settings->answer) : refuse(kv_read_entry(key));
}

// A statement that never ran, or failed, or was rolled back, has not happened. One of which that is not known
// may have: its mark stays.
void take_back(const QueryContext& context, Settlement settlement) {
  const String mark = context.kept();
  if (mark.empty()) return;
  const bool was_answered =
      Outcome::present().kind == Outcome::Kind::answered;  // by another plugin
  if (settlement != Settlement::rolled_back && !was_answered) return;
  const String key = concat("seen:", mark);
  const Optional<String> owner = kv_read(key);
  if (owner && *owner == context.request_id()) kv_remove(key);
}

Verdict judge_write(const WriteContext& write) {
  const String problem = problem_of_write(write.key(), write.value());
  return problem.empty() ? proceed() : block(problem);
}

}  // namespace

HELIOS_CHECK_WRITE(judge_write)
HELIOS_PRE_QUERY(let_one_pass)
HELIOS_SETTLED(take_back)
