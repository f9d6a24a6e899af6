// SPDX-License-Identifier: Apache-2.0
#pragma once

// The helios.* settings of one session that are not its client's to choose: each is fixed to a value, by a rule or an
// authenticate hook, or it is closed ([tenant] setters): the client may not set it, and nobody else has.
//
// The server is not told of fixed values: they are what plugins, blocks and rules about tenants go by, whatever the server
// has under the name. So what brings the server back to its own start value (RESET, RESET ALL, DISCARD ALL) changes nothing
// here, and passes. So does setting one to the value that it has.
//
// Unknown is a violation: a statement that changes a setting, and nobody can read which, or to what, may be about one of
// these. Where nothing is fixed or closed there are no violations.
//
// Thread rule: the session's. A value; nothing is looked up or allocated for a statement that changes no setting.

#include "sql/analysis.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helios::session {

class FixedSettings {
 public:
  struct Entry {
    std::string name;
    std::optional<std::string> value;  // nullopt: closed. Empty: fixed to none.
  };
  // What somebody tried. Lives until the next change.
  struct Violation {
    const Entry* entry = nullptr;  // null: nobody can read which
  };

  // Requires, of both: `name` begins with "helios.", in lower case. What was said last of a name counts.
  void fix(std::string_view name, std::string value);
  void close(std::string_view name);

  // True: nothing is fixed or closed, and there is no need to read what clients send.
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

  // The value that it is fixed to; null: it is not. A view until the next change.
  [[nodiscard]] const std::string* find(std::string_view name) const;

  // The client may not set it, and it has no value.
  [[nodiscard]] bool is_closed(std::string_view name) const {
    const Entry* entry = entry_of(name);
    return entry != nullptr && !entry->value;
  }

  // The first thing that a statement may not change; nullopt: there is none. What it stores for later counts as if it ran
  // now: PREPARE, DECLARE CURSOR.
  [[nodiscard]] std::optional<Violation> violation_of(const sql::Statement& statement) const;
  // Likewise of settings that a client brings when it connects.
  [[nodiscard]] std::optional<Violation> violation_of(
      const std::vector<std::pair<std::string, std::string>>& settings) const;

 private:
  void put(std::string_view name, std::optional<std::string> value);
  [[nodiscard]] const Entry* entry_of(std::string_view name) const;
  [[nodiscard]] std::optional<Violation> violation_of(const sql::SettingChange& change,
                                                      const sql::Statement& statement) const;
  [[nodiscard]] std::optional<Violation> violation_of_value(std::string_view name,
                                                            std::string_view value) const;
  [[nodiscard]] std::optional<Violation> violation_of_bound(const sql::BoundArguments& bound) const;
  [[nodiscard]] std::optional<Violation> violation_of_stored(const sql::Statement& statement) const;

  std::vector<Entry> entries_;  // by name
};

}  // namespace helios::session
