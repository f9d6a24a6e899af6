// SPDX-License-Identifier: Apache-2.0
#pragma once

// Portals, and what the names of one session stand for. The server has one set of statement names for Parse and
// PREPARE, and one of portal names for Bind and DECLARE; so has the session.
//
// Who keeps what alive: a name its portal; a portal its bound statement and its run; a run the bound
// statement. So a run can outlive its portal, and nothing keeps itself alive.

#include "session/name_log.hpp"
#include "session/prepared.hpp"
#include "session/query_run.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace helios::session {

struct Portal {
  std::shared_ptr<const BoundStatement> bound;
  bool is_holdable = false;      // a cursor WITH HOLD: it outlives its transaction
  bool is_judged = false;        // its statement has met its hooks
  bool touches_session = false;  // what it runs may change settings or the transaction
  bool may_copy_in = false;      // what it runs may ask the client for COPY data
  bool is_under_way = false;     // the connection ended before the server had answered to it
  // What everything that reads it has to keep to together: of the verdicts at its Bind, its DECLARE, its first Execute.
  AnswerCaps caps;
  // Judged, and not ended: the server may run it by Execute, FETCH or a function that reads cursors.
  std::unique_ptr<QueryRun> run;
  std::size_t run_bytes = 0;  // what `run` held when the portal got it
  // How often a failed transaction had gone on, behind ROLLBACK TO, when an Execute did not get as far as the portal.
  std::uint64_t recoveries_before = 0;

  [[nodiscard]] std::size_t held_bytes() const {
    return sizeof(Portal) + run_bytes + caps.held_bytes() + (bound ? bound->held_bytes() : 0);
  }
};

// The names of one session.
struct Names {
  explicit Names(NameLog<Portal>::Dropped on_portal_dropped)
      : portals(false, std::move(on_portal_dropped)) {}

  // DEALLOCATE ALL and DISCARD ALL leave the unnamed one.
  NameLog<const PreparedStatement> statements{true};
  NameLog<Portal> portals;

  // Settles what a statement of a Query, or a forwarded message, did to names.
  void settle(const NameChanges& changes, bool is_done) {
    statements.settle(changes.statement, is_done);
    portals.settle(changes.portal, is_done);
  }
  // The server has no unnamed statement any more, whatever was noted after it.
  void end_unnamed() { statements.settle(statements.define("", nullptr, 0), true); }
  void forget() {
    statements.forget();
    portals.forget();
  }
  // A portal that was judged, and has not ended, executes this prepared statement; empty: some prepared statement.
  [[nodiscard]] bool is_executed(std::string_view statement) const;
  [[nodiscard]] std::size_t held_bytes() const {
    return statements.held_bytes() + portals.held_bytes();
  }
};

}  // namespace helios::session
