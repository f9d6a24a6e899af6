// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a test gives the fake host: a statement, and what became of it.

#include "helios_abi2.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <stdint.h>

namespace helios::plugin {

// A statement, and who runs it.
class FakeQuery {
 public:
  explicit FakeQuery(std::string_view text) {
    texts[HELIOS_TEXT] = texts[HELIOS_ORIGINAL_TEXT] = text;
    texts[HELIOS_USER] = texts[HELIOS_DATABASE] = "";
    texts[HELIOS_REQUEST_ID] = "00000000-0000-4000-8000-000000000001";
    texts[HELIOS_SESSION_ID] = "00000000-0000-4000-8000-000000000002";
    numbers[HELIOS_IS_READ_ONLY] = 0;
    numbers[HELIOS_PARAMETER_COUNT] = 0;
    numbers[HELIOS_ORIGIN] = HELIOS_ORIGIN_QUERY;
    numbers[HELIOS_REWRITES] = 0;
    numbers[HELIOS_MANAGES_SESSION] = 0;
  }

  FakeQuery& attribute(const std::string& name, const std::string& value) {
    attributes[name] = value;
    return *this;
  }
  FakeQuery& tenant(const std::string& id) {
    texts[HELIOS_TENANT] = id;
    return attribute("tenant_id", id);
  }
  FakeQuery& user(const std::string& name) {
    texts[HELIOS_USER] = name;
    return *this;
  }
  FakeQuery& database(const std::string& name) {
    texts[HELIOS_DATABASE] = name;
    return *this;
  }
  FakeQuery& read_only(bool yes) {
    numbers[HELIOS_IS_READ_ONLY] = yes ? 1 : 0;
    return *this;
  }
  // It is BEGIN, COMMIT, SET or the like.
  FakeQuery& manages_session(bool yes) {
    numbers[HELIOS_MANAGES_SESSION] = yes ? 1 : 0;
    return *this;
  }
  // A plugin has rewritten the statement.
  FakeQuery& rewrite(const std::string& text) {
    texts[HELIOS_TEXT] = text;
    ++numbers[HELIOS_REWRITES];
    return *this;
  }
  // What the grammar would say; none unless it is set here.
  FakeQuery& fingerprint(uint64_t bits) {
    numbers[HELIOS_FINGERPRINT] = static_cast<int64_t>(bits);
    return *this;
  }
  // What is left of the text, or of another one, without its secrets.
  FakeQuery& redacted(const std::string& text, uint32_t field = HELIOS_REDACTED_TEXT) {
    texts[field] = text;
    numbers[HELIOS_IS_REDACTED] = 1;
    return *this;
  }
  // The statement is run by this SQL EXECUTE.
  FakeQuery& execute_text(const std::string& text) {
    texts[HELIOS_EXECUTE_TEXT] = text;
    return *this;
  }
  // A parameter in binary format.
  FakeQuery& binary_parameter(const std::string& value, uint32_t type_oid = 17) {
    parameter(value, type_oid);
    binary.insert(static_cast<uint32_t>(parameters.size() - 1));
    return *this;
  }
  // A parameter in text format; nullopt = NULL.
  FakeQuery& parameter(std::optional<std::string> value, uint32_t type_oid = 25) {
    parameters.emplace_back(type_oid, std::move(value));
    numbers[HELIOS_PARAMETER_COUNT] = static_cast<int64_t>(parameters.size());
    numbers[HELIOS_ORIGIN] = HELIOS_ORIGIN_EXECUTE;
    return *this;
  }

  // By the numbers of helios_abi2.h.
  std::map<uint32_t, std::string> texts;
  std::map<uint32_t, int64_t> numbers;
  std::map<std::string, std::string> attributes;
  std::vector<std::pair<uint32_t, std::optional<std::string>>> parameters;
  std::set<uint32_t> binary;  // indexes of those in binary format
};

// What happened to a statement, as the proxy would tell post_query.
struct FakeOutcome {
  std::string outcome = "executed";
  bool success = true;  // for the reader: `outcome` decides
  int64_t elapsed_us = 1000;
  int64_t response_bytes = 64;
  std::optional<int64_t> rows = std::nullopt;
  std::string error = {};
  std::string sqlstate = {};
  std::optional<int64_t> settlement = std::nullopt;  // HELIOS_SETTLED_*, where it is known by then

  void write_to(FakeQuery& query) const {
    static const std::map<std::string, int64_t> kNumbers{
        {"executed", HELIOS_OUTCOME_EXECUTED}, {"answered", HELIOS_OUTCOME_ANSWERED},
        {"failed", HELIOS_OUTCOME_FAILED},     {"refused", HELIOS_OUTCOME_REFUSED},
        {"skipped", HELIOS_OUTCOME_SKIPPED},   {"lost", HELIOS_OUTCOME_LOST},
        {"unknown", HELIOS_OUTCOME_UNKNOWN}};
    query.numbers[HELIOS_OUTCOME] = kNumbers.at(outcome);
    query.numbers[HELIOS_DURATION_NS] = elapsed_us * 1000;
    query.numbers[HELIOS_RESPONSE_BYTES] = response_bytes;
    if (rows) query.numbers[HELIOS_ROWS] = *rows;
    if (settlement) query.numbers[HELIOS_SETTLEMENT] = *settlement;
    if (!error.empty()) query.texts[HELIOS_ERROR_MESSAGE] = error;
    if (!sqlstate.empty()) query.texts[HELIOS_SQLSTATE] = sqlstate;
  }
};

}  // namespace helios::plugin
