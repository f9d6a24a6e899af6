// SPDX-License-Identifier: Apache-2.0
#pragma once

// Prepared statements and portals, as the proxy knows them (PostgreSQL manual, "Extended Query"). The
// server has one set of statement names for Parse and PREPARE, and one of portal names for Bind and
// DECLARE; so has the session.

#include "hooks/statement_execution.hpp"
#include "session/name_log.hpp"
#include "session/query_run.hpp"
#include "sql/analysis.hpp"

#include <cstddef>
#include <cstdint>
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

// A statement with its parameters, ready to be executed.
struct Portal {
  StatementPool::Statement statement;  // null: the proxy did not see what it runs
  std::string values;   // parameter formats and values, as in Bind; empty after DECLARE
  std::string formats;  // result formats, as in Bind
  std::vector<hooks::Parameter> parameters;  // views into `values`
  bool is_declared = false;                  // a cursor that SQL declared
  bool is_holdable = false;                  // one WITH HOLD: it outlives its transaction
  bool is_judged = false;                    // its statement has met its hooks
  bool touches_session = false;              // what it runs may change settings or the transaction
  bool may_copy_in = false;                  // what it runs may ask the client for COPY data
  // Judged, and not ended: the server may run it by Execute, FETCH or a function that reads cursors. It
  // lives by the portal, and keeps it alive again when it is taken out.
  std::unique_ptr<QueryRun> run;
  bool is_under_way = false;  // the connection ended before the server had answered to it
  std::size_t run_bytes = 0;  // what `run` held when the portal got it
  // How many statements that could read a cursor the server had run when it made the portal.
  std::uint64_t readers_before = 0;

  [[nodiscard]] std::size_t held_bytes() const {
    return sizeof(Portal) + values.size() + formats.size() + run_bytes +
           parameters.capacity() * sizeof(hooks::Parameter);
  }
};

// The run of a portal, or null.
[[nodiscard]] std::unique_ptr<QueryRun> take_run(const std::shared_ptr<Portal>& portal);

// The names of one session.
struct Names {
  explicit Names(NameLog<Portal>::Dropped on_portal_dropped)
      : portals(std::move(on_portal_dropped)) {}

  NameLog<const PreparedStatement> statements;
  NameLog<Portal> portals;
  std::uint64_t unit = 1;  // of what is forwarded now

  // Settles what a statement of a Query, or an item of the reply queue, did to names.
  void settle(const NameChanges& changes, bool is_done) {
    statements.settle(changes.statement, is_done);
    portals.settle(changes.portal, is_done);
  }
  void forget() {
    statements.forget();
    portals.forget();
  }
  [[nodiscard]] std::size_t held_bytes() const {
    return statements.held_bytes() + portals.held_bytes();
  }
};

}  // namespace helios::session
