// SPDX-License-Identifier: Apache-2.0

// Does what a comment in the statement tells it, /*rewrite: SELECT 2*/ or /*answer: 7*/ (an int4), and writes down what
// each of its hooks was shown (of a DECLARE, only that), parts between tabs: the hook, the text, the EXECUTE's own text, the parameters.

#include "helios/plugin.hpp"

using namespace helios::plugin;

static constexpr size_t kNowhere = SIZE_MAX;

static size_t find(StringView text, StringView part, size_t from = 0) {
  for (size_t at = from; at + part.size() <= text.size(); ++at)
    if (text.part(at).starts_with(part)) return at;
  return kNowhere;
}

static Optional<String> order(StringView text, StringView verb) {
  const String begin = concat("/*", verb, ": ");
  const size_t at = find(text, begin);
  if (at == kNowhere) return {};
  const size_t from = at + begin.size();
  return String(text.part(from, find(text, "*/", from) - from));
}

static String parameters(const QueryContext& context) {
  String all;
  for (uint32_t i = 0; i < context.parameter_count(); ++i) {
    const Optional<Parameter> parameter = context.parameter(i);
    if (!parameter) fail();
    all = concat(all, "\t", parameter->value.has_value() ? *parameter->value : String("NULL"));
  }
  return all;
}

static void record(StringView hook, const QueryContext& context) {
  const int64_t number = parse_int(kv_read("count").value_or("0")).value_or(0);
  const String line = concat(hook, "\t", context.original_query(), "\t", context.execute_text(),
                             parameters(context));
  if (!kv_write(concat("call:", format_int(1000000 + number)), line)) fail();
  if (!kv_write("count", format_int(number + 1))) fail();
}

static Verdict pre(const QueryContext& context) {
  record("pre", context);
  const String text = context.original_query();
  if (text.view().starts_with("DECLARE")) return proceed();
  if (const auto sql = order(text, "rewrite")) return rewrite(*sql);
  if (const auto value = order(text, "answer")) {
    Answer answer;
    answer.column("answer", 23);
    answer.value(*value);
    return answer.done();
  }
  return proceed();
}

static void post(const QueryContext& context, const Outcome&) { record("post", context); }

HELIOS_PRE_QUERY(pre)
HELIOS_POST_QUERY(post)
