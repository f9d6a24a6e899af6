// SPDX-License-Identifier: Apache-2.0

// Writes down what became of every "insert into seen values (ID)": "committed", "rolled back" or "unknown"
// under "row:ID", more than once if it is told more than once. ID may be a parameter.

#include "helios/plugin.hpp"

using namespace helios::plugin;

static constexpr StringView kInsert = "insert into seen values (";

static Verdict note_row(const QueryContext& context) {
  const String text = context.query();
  if (!text.view().starts_with(kInsert)) return proceed();
  StringView row = text.view().part(kInsert.size(), text.size() - kInsert.size() - 1);
  const auto parameter = context.parameter(0);
  context.keep(parameter && parameter->value ? parameter->value->view() : row);
  return row == "0" ? block("not this one") : proceed();
}

static void write_down(const QueryContext& context, Settlement settlement) {
  const String row = context.kept();
  if (row.empty()) return;
  static constexpr StringView kNames[] = {"committed", "rolled back", "unknown"};
  const String key = concat("row:", row);
  const String before = kv_read(key).value_or(String());
  if (!kv_write(key, concat(before, kNames[static_cast<int>(settlement)], ";"))) fail();
}

HELIOS_PRE_QUERY(note_row)
HELIOS_SETTLED(write_down)
