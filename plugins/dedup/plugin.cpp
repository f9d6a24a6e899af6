// SPDX-License-Identifier: Apache-2.0

// Refuses, or answers itself, a statement that the same tenant has sent within the last milliseconds, with the same
// parameters. Of any number that come at once, one passes: the key is made only where it is not there.
//
//   config               {"window_ms": 500, "writes_only": true, "answer": "duplicate"}
//   seen:<digest>        empty, for window_ms; written here

#include "helios/plugin.hpp"

namespace {

using namespace helios::plugin;

constexpr StringView kConfigIsWrong =
    "dedup: \"config\" needs a window_ms of 1 or more; its answer, if any, is a text";

struct Settings {
  int64_t window_ms = 0;
  bool writes_only = false;
  Optional<String> answer;  // to repeats; none: they are refused
};

Optional<Settings> parse_settings(StringView json) {
  const Optional<Json> object = Json::parse(json);
  if (!object) return {};
  const Optional<Json> window = object->member("window_ms");
  const Optional<Json> writes_only = object->member("writes_only");
  const Optional<int64_t> ms = window ? window->integer() : Optional<int64_t>();
  if (!ms || *ms < 1) return {};
  Settings settings{*ms, writes_only && writes_only->boolean().value_or(false), {}};
  if (const Optional<Json> answer = object->member("answer")) {
    settings.answer = answer->string();
    if (!settings.answer) return {};
  }
  return settings;
}

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
      "23505");
}

Verdict answer_with(StringView text) {
  Answer answer;
  answer.column("dedup").value(text);
  return answer.done();
}

Verdict let_one_pass(const QueryContext& context) {
  const Optional<String> text = kv_read("config");
  if (!text) return proceed();
  const Optional<Settings> settings = parse_settings(*text);
  if (!settings) return block(kConfigIsWrong, "F0000");
  if (settings->writes_only && context.is_read_only()) return proceed();
  const Optional<String> tenant = context.tenant();
  if (!tenant || context.original_query().empty()) return proceed();  // a function call has no text

  const String key = concat("seen:", digest(context, *tenant));
  switch (kv_create(key, "", settings->window_ms)) {
    case Written::done: return proceed();
    case Written::refused: fail();  // it cannot be kept: on_error decides
    case Written::unmet: break;
  }
  metric_add("repeats");
  return settings->answer ? answer_with(*settings->answer) : refuse(kv_read_entry(key));
}

}  // namespace

HELIOS_PRE_QUERY(let_one_pass)
