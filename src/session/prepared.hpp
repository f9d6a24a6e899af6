// SPDX-License-Identifier: Apache-2.0
#pragma once

// Prepared and bound statements, as the proxy knows them (PostgreSQL manual, "Extended Query"). What stands
// for them under a name is in names.hpp.

#include "hooks/statement_execution.hpp"
#include "sql/analysis.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace helios::session {

// The text that a name stands for. Immutable; shared by all sessions of a worker.
struct PreparedStatement {
  std::string text;
  std::string types;  // of the parameters, as Parse had them; empty after PREPARE
  sql::ReadingRules rules;
  std::shared_ptr<const sql::Analysis> analysis;

  [[nodiscard]] std::size_t held_bytes() const {
    return sizeof(PreparedStatement) + text.size() + types.size();
  }
};

// One object for each text in use, so that a thousand sessions that prepare the same statements hold
// them once. Thread rule: the worker's. Lifetime: what it gave out may outlive it.
class StatementPool : public std::enable_shared_from_this<StatementPool> {
 public:
  using Statement = std::shared_ptr<const PreparedStatement>;

  // The one that is in use already, or null.
  [[nodiscard]] Statement find(std::string_view text, std::string_view types,
                               sql::ReadingRules rules) const;
  [[nodiscard]] Statement intern(std::string_view text, std::string_view types,
                                 sql::ReadingRules rules,
                                 std::shared_ptr<const sql::Analysis> analysis);
  [[nodiscard]] std::size_t size() const { return statements_.size(); }

 private:
  struct Key {
    std::string_view text;
    std::string_view types;
    sql::ReadingRules rules;
    bool operator==(const Key&) const = default;
  };
  struct Entry {
    Key key;  // views into the statement
    std::weak_ptr<const PreparedStatement> statement;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Key& key) const {
      return std::hash<std::string_view>{}(key.text) * 31 + key.types.size();
    }
    std::size_t operator()(const Entry& entry) const { return (*this)(entry.key); }
  };
  struct Equal {
    using is_transparent = void;
    static const Key& key(const Key& key) { return key; }
    static const Key& key(const Entry& entry) { return entry.key; }
    bool operator()(const auto& a, const auto& b) const { return key(a) == key(b); }
  };
  static Key key_of(const PreparedStatement& statement) {
    return {statement.text, statement.types, statement.rules};
  }

  std::unordered_set<Entry, Hash, Equal> statements_;
};

// A statement with its parameters, ready to be executed: what Bind says. Immutable once it was filled; kept
// alive by its portal and by whoever still tells its story.
struct BoundStatement {
  StatementPool::Statement statement;  // null: the proxy did not see what it runs
  std::string values;   // parameter formats and values, as in Bind; empty after DECLARE
  std::string formats;  // result formats, as in Bind
  std::vector<hooks::Parameter> parameters;  // views into `values`
  bool is_declared = false;                  // the query of a cursor that SQL declared

  [[nodiscard]] std::size_t held_bytes() const {
    return sizeof(BoundStatement) + values.size() + formats.size() +
           parameters.capacity() * sizeof(hooks::Parameter);
  }
};

}  // namespace helios::session
