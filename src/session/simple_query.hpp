// SPDX-License-Identifier: Apache-2.0
#pragma once

// Query and FunctionCall, where they are looked at (PostgreSQL manual, "Simple Query", "Function Call"). Each is judged
// whole, forwarded or refused, and answered up to a ReadyForQuery of its own. A FunctionCall has no text: that of a large
// object is judged as the SELECT that does the same, any other passes only where the configuration says so.
//
// Flow, for the present message:
//  1 step(). True = it was forwarded, answered or refused. False = the judge is busy with it: the caller holds it.
//  2 carry_out() with the judge's decision.
//
// Thread rule: the session's.

#include "session/forwarder.hpp"
#include "session/present_message.hpp"
#include "session/query_pieces.hpp"
#include "session/session_context.hpp"
#include "session/statement_judge.hpp"

#include <cstddef>

namespace helios::session {

class SimpleQuery {
 public:
  SimpleQuery(SessionContext& context, StatementJudge& judge, PresentMessage& present,
              Forwarder& forwarder)
      : context_(context),
        judge_(judge),
        present_(present),
        forwarder_(forwarder),
        pieces_(context) {}

  // Requires: the present message is a Query or a FunctionCall; the judge is not busy.
  [[nodiscard]] bool step();
  void carry_out(Decision& decision);

  // ---- A Query that is sent in pieces, see query_pieces.hpp.
  // It is under way: nothing else is sent.
  [[nodiscard]] bool is_sending() const { return pieces_.is_active(); }
  bool send_next() { return pieces_.step(); }
  bool is_last_piece(pgwire::TransactionStatus status, bool has_failed) {
    return pieces_.is_last(status, has_failed);
  }
  [[nodiscard]] std::size_t held_bytes() const { return pieces_.held_bytes(); }

 private:
  bool step_query();
  void carry_out_query(Decision& decision);
  void forward_query(Decision& decision);
  bool step_function_call();
  void carry_out_function_call(const Decision& decision);

  SessionContext& context_;
  StatementJudge& judge_;
  PresentMessage& present_;
  Forwarder& forwarder_;
  QueryPieces pieces_;
};

}  // namespace helios::session
