// SPDX-License-Identifier: Apache-2.0
#pragma once

// Parse, Bind, Execute and Close, where statements are looked at (PostgreSQL manual, "Extended Query").
//
// What names stand for is followed. A statement is judged by the Bind that makes its portal, with its parameters: the
// server plans it next, which runs functions, and then not only Execute can run it, but also FETCH and functions that read
// cursors. What was judged holds for all of them. Its story (QueryRun) lives by the portal until it has ended. A cursor of
// SQL is judged by its DECLARE, and its query by its first Execute.
//
// Flow, for the present message:
//  1 step(). True = it was forwarded or refused. False = nobody can decide it yet: the caller holds it.
//  2 While the judge is busy, carry_out() with its decision; otherwise step() again when answers have come.
//
// Thread rule: the session's.

#include "pgwire/extended.hpp"
#include "session/forwarder.hpp"
#include "session/present_message.hpp"
#include "session/session_context.hpp"
#include "session/statement_judge.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace helios::session {

class ExtendedQuery {
 public:
  ExtendedQuery(SessionContext& context, StatementJudge& judge, PresentMessage& present,
                Forwarder& forwarder)
      : context_(context), judge_(judge), present_(present), forwarder_(forwarder) {}

  // Requires: the present message is a Parse, Bind, Execute or Close; the judge is not busy.
  [[nodiscard]] bool step();
  // The judge is through with the present message.
  void carry_out(Decision& decision);
  // The present message is given up.
  void drop() { portal_.reset(); }

 private:
  [[nodiscard]] bool is_uncertain(std::string_view name) const;
  bool refuse(const Refusal& refusal, const pgwire::ParseView* parse = nullptr);
  bool refuse_unseen(const Refusal& refusal);
  [[nodiscard]] std::optional<Refusal> objection_to_values() const;
  bool step_malformed_bind();
  bool forward_malformed();

  bool step_parse();
  void carry_out_parse(Decision& decision, const pgwire::ParseView& view);
  bool step_close();

  bool step_bind();
  [[nodiscard]] std::shared_ptr<Portal> make_portal(const pgwire::BindView& view,
                                                    StatementPool::Statement statement);
  void carry_out_bind(Decision& decision, const pgwire::BindView& view);
  void carry_out_execute(const Decision& decision, const pgwire::ExecuteView& view);
  bool is_refused(const Decision& decision);
  void forward_bind(Decision& decision, std::string_view name);
  std::string bind_other_text(std::string_view name, const BoundStatement& bound,
                              std::string_view text);
  void note_judgement(Portal& portal, const Decision& decision);

  bool step_execute();
  bool execute_judged(std::int32_t max_rows);
  [[nodiscard]] bool note_cursor_caps();
  [[nodiscard]] NameLog<const PreparedStatement>::Found present_statement_of(
      const Portal& portal) const;
  void forward_execute(std::int32_t max_rows);
  void execute_unknown(std::string_view portal, bool is_bound);

  SessionContext& context_;
  StatementJudge& judge_;
  PresentMessage& present_;
  Forwarder& forwarder_;
  std::shared_ptr<Portal> portal_;  // of the Bind or Execute that is being decided
};

}  // namespace helios::session
