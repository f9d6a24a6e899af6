// SPDX-License-Identifier: Apache-2.0
#pragma once

// How the tests of this module ask and print.

#include "sql/analyzer.hpp"

#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace helios::sql {

inline std::shared_ptr<const Analysis> parse_text(std::string_view text) {
  return parse(text, ReadingRules{});
}

inline ReadingRules backslash_rules() { return {.standard_conforming_strings = false}; }

inline std::string text_of(std::string_view text, const Statement& statement) {
  return std::string(text.substr(statement.begin, statement.end - statement.begin));
}

inline std::vector<std::string> statement_texts(std::string_view text, ReadingRules rules = {}) {
  std::vector<std::string> texts;
  const auto analysis = parse(text, rules);
  for (const Statement& statement : analysis->statements) texts.push_back(text_of(text, statement));
  return texts;
}

// "set helios.a=x", "reset helios.a", "unknown", ...
inline std::string describe(const SettingChange& change) {
  switch (change.kind) {
    case SettingChange::Kind::set: return "set " + change.name + "=" + change.value;
    case SettingChange::Kind::set_local: return "local " + change.name + "=" + change.value;
    case SettingChange::Kind::reset: return "reset " + change.name;
    case SettingChange::Kind::reset_local_default: return "local default " + change.name;
    case SettingChange::Kind::reset_all: return "reset all";
    case SettingChange::Kind::discard_all: return "discard all";
    case SettingChange::Kind::unknown: return "unknown";
    case SettingChange::Kind::stored: return "stored";
    case SettingChange::Kind::recalled: return "recalled";
    case SettingChange::Kind::bound: {
      const auto part = [&change](std::size_t i, const std::string& constant) {
        const int number = change.bound->parameters.at(i);
        return " " + (number == 0 ? constant : "$" + std::to_string(number));
      };
      return "bound" + part(0, change.bound->name.value_or("?")) +
             part(1, change.bound->value.value_or("null")) +
             part(2, change.bound->is_local ? "local" : "session");
    }
  }
  return "?";
}

inline std::vector<std::string> changes_of(const Analysis& analysis) {
  std::vector<std::string> changes;
  for (const Statement& statement : analysis.statements) {
    for (const SettingChange& change : statement.settings) changes.push_back(describe(change));
  }
  return changes;
}

}  // namespace helios::sql
