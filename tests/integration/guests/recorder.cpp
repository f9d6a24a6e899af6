// SPDX-License-Identifier: Apache-2.0

// Writes down, in order, every call of its hooks: "pre|<tenant>|<text>" and "post|<tenant>|<text>|<outcome>".

#include "helios/plugin.hpp"

using namespace helios::plugin;

static void record(StringView line) {
  const int64_t number = parse_int(kv_read("count").value_or("0")).value_or(0);
  if (!kv_write(concat("call:", format_int(1000000 + number)), line)) fail();
  if (!kv_write("count", format_int(number + 1))) fail();
}

static Verdict pre(const QueryContext& context) {
  record(concat("pre|", context.attribute("tenant_id").value_or("-"), "|", context.query()));
  return proceed();
}

static void post(const QueryContext& context, const Outcome& outcome) {
  static constexpr StringView kNames[] = {"executed", "failed",   "refused", "skipped",
                                          "lost",     "answered", "unknown"};
  record(concat("post|", context.attribute("tenant_id").value_or("-"), "|", context.query(), "|",
                kNames[static_cast<int>(outcome.kind)]));
}

HELIOS_PRE_QUERY(pre)
HELIOS_POST_QUERY(post)
