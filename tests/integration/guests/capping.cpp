// SPDX-License-Identifier: Apache-2.0

// Limits the answer of each statement that says so in its text: "rows=N", "bytes=N". What post_query is told is under "ends",
// one line for each.

#include "helios/numbers.hpp"
#include "helios/plugin.hpp"

using namespace helios::plugin;

static Optional<int64_t> limit_in(StringView text, StringView word) {
  for (size_t at = 0; at + word.size() < text.size(); ++at) {
    if (text.part(at, word.size()) != word) continue;
    size_t end = at + word.size();
    while (end < text.size() && text.data()[end] >= '0' && text.data()[end] <= '9') ++end;
    return parse_int(text.part(at + word.size(), end - at - word.size()));
  }
  return {};
}

static Verdict limit(const QueryContext& context) {
  const String text = context.query();
  if (const auto rows = limit_in(text.view(), "rows=")) limit_rows(*rows);
  if (const auto bytes = limit_in(text.view(), "bytes=")) limit_bytes(*bytes, "ask for bytes");
  return proceed();
}

static void note(const QueryContext&, const Outcome& outcome) {
  static constexpr StringView kNames[] = {"executed", "failed",   "refused", "skipped",
                                          "lost",     "answered", "unknown"};
  const String line = concat(kNames[static_cast<int>(outcome.kind)], " ", outcome.sqlstate, " ",
                             outcome.rows ? format_int(*outcome.rows) : String("-"));
  if (!kv_write("ends", concat(kv_read("ends").value_or(""), line, "\n"))) fail();
}

HELIOS_PRE_QUERY(limit)
HELIOS_POST_QUERY(note)
