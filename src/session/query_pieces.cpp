// SPDX-License-Identifier: Apache-2.0
#include "session/query_pieces.hpp"

#include "pgwire/query.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/forwarder.hpp"
#include "session/refusal_records.hpp"
#include "session/text_maker.hpp"

#include <algorithm>
#include <utility>

namespace helios::session {

namespace fe = pgwire::frontend;
using sql::TransactionOp;

namespace {

TransactionOp op_of(const StatementRun& run) { return run.statement->transaction; }

// The transaction that it runs in ends with it.
bool ends_transaction(const StatementRun& run) {
  const TransactionOp op = op_of(run);
  return op == TransactionOp::commit || op == TransactionOp::rollback ||
         op == TransactionOp::prepare;
}

// Its statements are one transaction, and nothing in the text says so.
bool needs_block(const backend::Link& link, const QueryRun& run) {
  return !link.is_in_block() && op_of(run.statements.front()) != TransactionOp::begin;
}

Refusal refusal(std::string_view what) {
  return {std::string(pgwire::sqlstate::kFeatureNotSupported),
          "a plugin limits the answer of a statement, which cannot be done " + std::string(what)};
}

}  // namespace

std::optional<Refusal> objection_to_pieces(const backend::Link& link, const QueryRun& run) {
  if (link.is_batch_open())
    return refusal("in a Query behind messages without a Sync: send the Sync first");
  const auto& statements = run.statements;
  if (statements.size() == 1) return std::nullopt;
  if (std::ranges::any_of(statements,
                          [](const auto& each) { return each.statement->reads_copy_data; }))
    return refusal("in a Query that also reads COPY data: send its statements one by one");
  const bool is_bare = needs_block(link, run);
  for (std::size_t i = 0; i < statements.size(); ++i) {
    const bool is_last = i + 1 == statements.size();
    const bool is_bad = is_bare ? op_of(statements[i]) != TransactionOp::none
                                : ends_transaction(statements[i]) && !is_last;
    if (is_bad)
      return refusal(
          "in a Query that begins or ends a transaction amid its statements: send them one by one");
  }
  return std::nullopt;
}

PiecePlan plan_pieces(const backend::Link& link, const QueryRun& run,
                      const std::shared_ptr<const sql::Analysis>& original) {
  PiecePlan plan;
  if (run.statements.size() == 1) return plan;
  plan.needs_block = needs_block(link, run);
  std::size_t first = 0;
  for (std::size_t i = 0; i < run.statements.size(); ++i) {
    const bool is_last = i + 1 == run.statements.size();
    const StatementRun& each = run.statements[i];
    if (!is_last && (each.caps.empty() || op_of(each) != TransactionOp::none)) continue;
    if (is_last && first == 0 && !plan.needs_block) return plan;  // in one
    plan.texts.push_back(compose_piece(run, original, first, i + 1));
    first = i + 1;
  }
  return plan;
}

void QueryPieces::begin(PiecePlan plan, InFlight&& item, Forwarder& forwarder) {
  plan_ = std::move(plan);
  next_ = 0;
  is_due_ = has_failed_ = is_ending_ = false;
  item.expect.is_bounded = item.expect.is_piece = true;
  item.expect.is_silent = plan_.needs_block;
  context_.link->send(pgwire::serialize_query(plan_.needs_block ? "BEGIN" : plan_.texts[next_++]));
  tag_ = forwarder.follow(std::move(item));
}

// Behind the last word of the server on how it reads a text.
bool QueryPieces::is_last(pgwire::TransactionStatus status, bool has_failed) {
  const bool is_in_block = status != pgwire::TransactionStatus::idle;
  has_failed_ = has_failed;
  const bool has_more = !has_failed_ && next_ < plan_.texts.size();
  const bool is_own_block = plan_.needs_block && is_in_block;
  if (is_ending_ || (!has_more && !is_own_block)) return end();
  is_due_ = true;
  step();
  return false;
}

bool QueryPieces::end() {
  plan_ = {};
  tag_ = 0;
  return true;
}

bool QueryPieces::step() {
  if (!is_due_ || context_.link->is_cancelling()) return false;
  is_due_ = false;
  send_next();
  return true;
}

void QueryPieces::send_next() {
  if (has_failed_ || next_ == plan_.texts.size()) {
    is_ending_ = true;
    return send(has_failed_ ? "ROLLBACK" : "COMMIT", true);
  }
  if (context_.link->rules() == plan_.rules) return send(plan_.texts[next_++], false);
  InFlight* item = context_.in_flight.find(tag_);
  StatementRun* next = item == nullptr ? nullptr : item->run->present();
  if (next != nullptr) {
    Refusal refused{
        std::string(pgwire::sqlstate::kFeatureNotSupported),
        "Query refused: client_encoding or standard_conforming_strings has changed amid "
        "its statements: send them one by one"};
    next->refusal = std::make_unique<Refusal>(note_refusal(context_, std::move(refused), next));
  }
  next_ = plan_.texts.size();
  send(kFailingStatement, false);
}

void QueryPieces::send(std::string_view text, bool is_silent) {
  context_.link->make_room();
  context_.link->send(pgwire::serialize_query(text));
  context_.link->expect(
      tag_, {.request = fe::kQuery, .is_bounded = true, .is_piece = true, .is_silent = is_silent});
}

}  // namespace helios::session
