// SPDX-License-Identifier: Apache-2.0
#pragma once

// A Query of several statements, one of which has a cap on its answer. In one message nobody could stop the statements behind
// an answer that was cut, nor undo those in front of it. So it is sent in pieces, each a Query of its own that ends behind
// a statement with a cap, and the next one goes out when the answer is complete. The client notices nothing: of the pieces
// but the last it gets no ReadyForQuery (backend::Expect::is_piece).
//
// All statements of one Query are one transaction, unless a block is open. Pieces are not, so they are put into a block:
// a BEGIN and a COMMIT of the proxy's own, around them, or the ROLLBACK where one has failed. Where a block is open, or the
// text begins with BEGIN, that is the client's, and nothing is added.
//
// A text that ends its block before its last statement, or that has transaction commands where it has no block, cannot be
// put into one; nor can one that the client is to send COPY data for. Such are refused: objection_to_pieces().
//
// Each piece is read by the server when its turn comes, and the statements before it may have changed how. Its word on that
// comes with each ReadyForQuery: where it has changed, the next piece is not sent, and the Query fails.
//
// Thread rule: the session's. Errors: std::bad_alloc.

#include "session/query_run.hpp"
#include "session/refusal.hpp"
#include "session/session_context.hpp"
#include "sql/analysis.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace helios::session {

class Forwarder;

// How a Query is sent.
struct PiecePlan {
  std::vector<std::string> texts;  // empty: as one message
  bool needs_block = false;
  sql::ReadingRules rules;  // by which it was judged

  [[nodiscard]] std::size_t held_bytes() const {
    std::size_t bytes = 0;
    for (const std::string& text : texts) bytes += text.capacity();
    return bytes;
  }
};

// To sending a Query with caps in the state in which the link is. nullopt = plan_pieces() can.
[[nodiscard]] std::optional<Refusal> objection_to_pieces(const backend::Link& link,
                                                         const QueryRun& run);
// `original`: of the client's text. Requires: nobody objects.
[[nodiscard]] PiecePlan plan_pieces(const backend::Link& link, const QueryRun& run,
                                    const std::shared_ptr<const sql::Analysis>& original);

class QueryPieces {
 public:
  explicit QueryPieces(SessionContext& context) : context_(context) {}

  // Sends the first piece, by `forwarder`. Requires: `plan` has texts; not is_active().
  void begin(PiecePlan plan, InFlight&& item, Forwarder& forwarder);
  // The Query is not answered to its end, and nothing else may be sent.
  [[nodiscard]] bool is_active() const { return tag_ != 0; }
  // See backend::LinkUser.
  bool is_last(pgwire::TransactionStatus status, bool has_failed);
  // Sends the next piece, if it is due and nothing can be cancelled any more. False = it is not.
  bool step();
  [[nodiscard]] std::size_t held_bytes() const { return plan_.held_bytes(); }

 private:
  void send_next();
  void send(std::string_view text, bool is_silent);
  bool end();

  SessionContext& context_;
  PiecePlan plan_;
  std::size_t next_ = 0;  // of the texts
  backend::Tag tag_ = 0;  // 0: there is none
  bool is_due_ = false;   // the last piece was answered, and the next one was not sent
  bool has_failed_ = false;
  bool is_ending_ = false;  // COMMIT or ROLLBACK was sent
};

}  // namespace helios::session
