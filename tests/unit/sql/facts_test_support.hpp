// SPDX-License-Identifier: Apache-2.0
#pragma once

// How the tests of facts print them.

#include "unit/sql/sql_test_support.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <utility>

namespace helios::sql {

// The facts of a text of one statement; the default ones, and a failure, for any other.
inline Facts facts_of(std::string_view text) {
  const auto analysis = parse_text(text);
  EXPECT_TRUE(analysis->parsed) << text << ": " << analysis->error;
  if (analysis->statements.size() != 1) {
    ADD_FAILURE() << "not one statement: " << text;
    return {};
  }
  return analysis->statements.front().facts;
}

inline std::string dotted(std::string_view catalog, std::string_view schema,
                          std::string_view name) {
  std::string whole;
  for (const std::string_view part : {catalog, schema}) {
    if (!part.empty()) whole.append(part).append(".");
  }
  return whole.append(name);
}

inline std::string joined(std::vector<std::string> words, bool has_more) {
  std::ranges::sort(words);
  if (has_more) words.emplace_back("...");
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  return line;
}

// "a:r s.b:rw ...": what is read, written, defined; in the order of the alphabet; "...": there may be more.
inline std::string relations_in(const Facts& facts) {
  std::vector<std::string> words;
  for (const Relation& relation : facts.relations) {
    words.push_back(dotted(relation.catalog, relation.schema, relation.name) + ":" +
                    (relation.is_read ? "r" : "") + (relation.is_written ? "w" : "") +
                    (relation.is_defined ? "d" : ""));
  }
  return joined(std::move(words), facts.has_more_relations);
}

// "f s.g ..."
inline std::string functions_in(const Facts& facts) {
  std::vector<std::string> words;
  for (const Function& function : facts.functions)
    words.push_back(dotted("", function.schema, function.name));
  return joined(std::move(words), facts.has_more_functions);
}

inline std::string pins_in(const Facts& facts) {
  constexpr std::array<std::pair<Pin, std::string_view>, 11> kWords{
      {{Pin::listen, "listen"},
       {Pin::temporary_object, "temporary"},
       {Pin::holdable_cursor, "holdable"},
       {Pin::prepared_statement, "prepared"},
       {Pin::advisory_lock, "lock"},
       {Pin::library, "library"},
       {Pin::process_state, "process"},
       {Pin::sequence, "sequence"},
       {Pin::setting, "setting"},
       {Pin::hidden_code, "hidden"},
       {Pin::unknown, "unknown"}}};
  std::string line;
  for (const auto& [pin, word] : kWords) {
    if (facts.pins.has(pin)) line += (line.empty() ? "" : " ") + std::string(word);
  }
  return line;
}

// "where no-limit"; nothing where a word does not apply.
inline std::string clauses_in(const Facts& facts) {
  std::string line;
  if (facts.has_where) line += *facts.has_where ? "where" : "no-where";
  if (facts.has_limit)
    line += (line.empty() ? "" : " ") + std::string(*facts.has_limit ? "limit" : "no-limit");
  return line;
}

}  // namespace helios::sql
