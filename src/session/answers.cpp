// SPDX-License-Identifier: Apache-2.0
#include "session/answers.hpp"

#include "pgwire/error_response.hpp"
#include "pgwire/sqlstate.hpp"
#include "session/objections.hpp"

#include <algorithm>
#include <utility>

namespace helios::session {

namespace fe = pgwire::frontend;
namespace be = pgwire::backend;
using pgwire::TransactionStatus;

namespace {

// A block or procedure: it may have committed a change before it failed.
bool may_change_anything(const sql::Statement& statement) {
  return std::ranges::any_of(statement.settings, [](const sql::SettingChange& change) {
    return change.kind == sql::SettingChange::Kind::unknown;
  });
}

void note_durations(const QueryRun& run, Timings& timings) {
  for (const StatementRun& statement : run.statements) {
    const hooks::StatementExecution* execution = statement.execution.get();
    if (execution != nullptr && (execution->outcome == hooks::Outcome::executed ||
                                 execution->outcome == hooks::Outcome::failed))
      timings.statements.observe_ns(execution->duration_ns);
  }
}

}  // namespace

Answers::Answers(SessionContext& context, std::function<void()> wake)
    : context_(context),
      post_hooks_(*context.environment.home, *context.environment.recycler, std::move(wake)) {}

bool Answers::step() {
  if (context_.held_ready.empty()) return context_.link->step();
  if (post_hooks_.pending()) return false;
  if (context_.environment.timings != nullptr) {
    context_.environment.timings->waits_for_post_query.observe_ns(
        context_.environment.clock->monotonic_ns() - held_since_ns_);
  }
  release_ready();
  return true;
}

void Answers::on_suspension(backend::Answer answer) {
  const InFlight* item = context_.in_flight.find(answer.tag);
  QueryRun* run = item == nullptr ? nullptr : item->present_run();
  if (run == nullptr) {
    context_.settings.recall_change();
    return;
  }
  run->on_answer_bytes(answer.bytes);
  if (is_settling()) {
    settlements_.on_progress(run->present(), most_unsettled());
  }
  note_time(*item, *run);
  run->on_suspended(static_cast<std::uint64_t>(std::max(item->max_rows, 0)), followed());
}

// Names stand for what the message said, or do not, and runs get their post_query with the next ReadyForQuery,
// unless more of the portal's rows may come.
void Answers::on_ended(backend::Tag tag, char answer) {
  InFlight* item = context_.in_flight.find(tag);
  if (item == nullptr) return;
  context_.names.settle(item->names, answer != 0);
  if (item->is_malformed && answer != 0) context_.names.forget();
  if (item->expect.request == fe::kSync && answer != 0) note_commit(*item);
  if (item->run) {
    item->run->finish(hooks::Outcome::skipped, context_.names);
    end_run(item->run);
  } else if (item->portal && item->portal->run) {
    settle_portal(*item, answer);
  }
  context_.in_flight.end(tag);
}

// The server plans where it binds, which runs functions: from then on a portal may have done something. An Execute that
// was skipped leaves it as it was. A cursor of SQL is judged by its Execute, and perhaps was never made: the next one
// is judged anew.
void Answers::settle_portal(const InFlight& item, char answer) {
  const std::shared_ptr<Portal>& portal = item.portal;
  if (answer == be::kBindComplete) {
    note_time(item, *portal->run);
    if (is_settling()) settlements_.on_progress(portal->run->present(), most_unsettled());
  } else if (item.expect.request == fe::kBind) {
    portal->run->finish(hooks::Outcome::skipped, context_.names);  // it was never made
  } else if (answer == 0 && portal->bound->is_declared && !portal->run->is_suspended()) {
    portal->run->finish(hooks::Outcome::skipped, context_.names);
    portal->is_judged = false;
  }
  if (portal->run->is_finished()) end_run(portal->run);
}

// Its post_query comes with ReadyForQuery.
void Answers::end_run(std::unique_ptr<QueryRun>& run) {
  if (context_.environment.timings != nullptr) note_durations(*run, *context_.environment.timings);
  base::make_room(ended_runs_);
  ended_runs_.push_back(std::move(run));
}

// What the server spent on the present statement of `run`, which `item` asked for. It works on one thing after
// the other, so no time counts twice. It sends the ends of short statements together with those of the long
// one behind them: a SET, which may be another tenant's, must not swallow its time.
void Answers::note_time(const InFlight& item, QueryRun& run) {
  const StatementRun* statement = run.present();
  if (statement == nullptr || !statement->execution || !may_work(*statement->statement)) return;
  const std::int64_t now_ns = context_.environment.clock->monotonic_ns();
  run.spend(std::max<std::int64_t>(now_ns - std::max(item.forwarded_ns, server_free_ns_), 0));
  server_free_ns_ = now_ns;
}

// Where there is no block, a batch commits at its Sync: deferred triggers work then, behind the end of the statement
// whose they are.
void Answers::note_commit(const InFlight& sync) {
  if (sync.forwarded_ns == 0) return;
  const std::int64_t now_ns = context_.environment.clock->monotonic_ns();
  commit_ns_ = std::max<std::int64_t>(now_ns - std::max(sync.forwarded_ns, server_free_ns_), 0);
  server_free_ns_ = now_ns;
}

// Portals end with their transaction, but for cursors WITH HOLD.
void Answers::end_portals() {
  context_.names.portals.clear_settled(
      [](const std::shared_ptr<Portal>& portal) { return portal->is_holdable; });
}

void Answers::end_portal(const std::shared_ptr<Portal>& portal) {
  if (!portal->run) return;
  portal->run->finish_portal(recoveries_ != portal->recoveries_before, context_.names);
  end_run(portal->run);
}

void Answers::on_completion(backend::Answer answer, std::string_view command_tag) {
  InFlight* item = context_.in_flight.find(answer.tag);
  if (item == nullptr) return;
  QueryRun* run = item->present_run();
  if (may_be_rollback_to(run)) ++recoveries_;
  if (is_settling()) {
    settlements_.on_complete(run != nullptr ? run->present() : nullptr, command_tag,
                             run == nullptr || run->statements.size() == 1, most_unsettled());
  }
  if (run != nullptr) {
    run->on_answer_bytes(answer.bytes);
    note_time(*item, *run);
    const bool may_commit = may_commit_itself(*run);
    if (may_commit) context_.settings.may_have_ended();
    const bool ends_transaction = may_end_transaction(*run);
    const StatementRun* done = run->present();
    is_piece_over_ |= item->expect.is_piece && done != nullptr && !done->caps.empty();
    run->on_complete(command_tag, followed());
    if (may_commit) context_.settings.may_have_committed(false);  // what it has changed itself
    if (ends_transaction) end_portals();
  } else if (item->expect.request == fe::kExecute && !item->portal) {
    note_execution(command_tag);
  } else if (item->expect.request == fe::kFunctionCall && item->touches_session) {
    context_.settings.recall_change();
  }
}

// What becomes of statements matters to somebody.
bool Answers::is_settling() const {
  return context_.environment.chain->has_settled() || !settlements_.empty();
}

std::size_t Answers::most_unsettled() const {
  return context_.environment.config->limits.max_unsettled_statements;
}

// And there is no block, as far as anybody knows.
bool Answers::may_commit_itself(QueryRun& run) const {
  const StatementRun* statement = run.present();
  return statement != nullptr && statement->statement->may_commit_itself &&
         !context_.link->is_in_block();
}

// Not all of them leave the session idle: another may follow in the same Query, or by AND CHAIN.
bool Answers::may_end_transaction(QueryRun& run) {
  using Op = sql::TransactionOp;
  const StatementRun* statement = run.present();
  const Op op = statement == nullptr ? Op::none : statement->statement->transaction;
  return op == Op::commit || op == Op::rollback || op == Op::prepare;
}

// Its present statement. Of what nobody has read anything may be.
bool Answers::may_be_rollback_to(QueryRun* run) {
  const StatementRun* statement = run == nullptr ? nullptr : run->present();
  return statement == nullptr || !statement->analysis->parsed ||
         statement->statement->transaction == sql::TransactionOp::rollback_to;
}

// The text of this Execute is not known; its tag tells something of what it was.
void Answers::note_execution(std::string_view tag) {
  context_.settings.recall_change();
  if (tag == "COMMIT") context_.settings.commit();
  if (tag == "ROLLBACK") context_.settings.unseen_rollback();
  if (tag == "RESET") context_.settings.unseen_reset();
  if (tag == "DISCARD ALL")
    context_.settings.apply(
        {.kind = sql::SettingChange::Kind::discard_all, .name = {}, .value = {}});
}

bool Answers::on_error(backend::Answer answer, bool is_own, const pgwire::ErrorFieldsView& fields) {
  const bool is_end = fields.severity == "FATAL" || fields.severity == "PANIC";
  if (cut_ && !is_end) return end_cut(answer);
  cut_.reset();
  const InFlight* item = context_.in_flight.find(answer.tag);
  // What answers a message of the link's own answers no stand-in.
  const Refusal* refusal = item == nullptr || is_own ? nullptr : item->refusal_behind(fields);
  note_error(answer, fields, refusal);
  return refusal != nullptr;
}

// The client is told `refusal`; null: what the server says.
void Answers::note_error(const backend::Answer& answer, const pgwire::ErrorFieldsView& fields,
                         const Refusal* refusal) {
  if (InFlight* item = context_.in_flight.find(answer.tag)) {
    QueryRun* run = item->present_run();
    settlements_.on_error(run != nullptr ? run->present() : nullptr,
                          run == nullptr || run->statements.size() == 1);
    if (refusal != nullptr) context_.actions->to_client.append(refusal->error_response());
    if (run != nullptr) {
      run->on_answer_bytes(answer.bytes);
      if (may_commit_itself(*run)) {
        context_.settings.may_have_committed(may_change_anything(*run->present()->statement));
      }
      note_failure(*item, *run, fields);
    }
    if (item->ends_unnamed) context_.names.end_unnamed();
  } else {
    settlements_.on_error(nullptr, false);  // e.g. of a Flush: its batch is undone all the same
  }
  context_.settings.fail();
}

void Answers::note_failure(const InFlight& item, QueryRun& run,
                           const pgwire::ErrorFieldsView& fields) {
  note_time(item, run);
  // In a failed transaction, or cancelled, an Execute ends before it comes to its portal. Behind a
  // ROLLBACK TO the portal can still be run.
  const bool is_attempt = item.expect.request == fe::kExecute && !run.is_suspended() &&
                          (fields.sqlstate == pgwire::sqlstate::kFailedTransaction ||
                           fields.sqlstate == pgwire::sqlstate::kQueryCanceled);
  if (is_attempt) {
    run.on_attempt_failed(fields.sqlstate, fields.message);
    if (item.portal) item.portal->recoveries_before = recoveries_;
  } else {
    run.on_error(fields.sqlstate, fields.message, context_.names);
  }
}

// Outside of a transaction block the message was a transaction of its own, which ends with it.
void Answers::on_status(TransactionStatus status, bool has_failed) {
  if (status != TransactionStatus::idle) {
    context_.settings.begin();
  } else if (context_.settings.in_transaction()) {
    if (has_failed) {
      context_.settings.rollback();
    } else {
      context_.settings.commit();
    }
  }
  settlements_.on_ready(status);
}

// The answer to a message is complete. It is released when its post_query hooks have committed.
void Answers::on_ready(std::string_view message, bool is_view) {
  if (!context_.link->is_in_block()) end_portals();
  const std::int64_t commit_ns = std::exchange(commit_ns_, 0);
  if (!ended_runs_.empty()) ended_runs_.back()->spend_at_end(commit_ns);
  if (!ended_runs_.empty() || settlements_.has_due()) {
    if (post_hooks_.start(ended_runs_, &settlements_) != hooks::RunStatus::done)
      return hold_ready(message);
    if (ends_by_hooks()) return;
  }
  if (is_view) {
    context_.actions->to_client.append_view(message);
  } else {
    context_.actions->to_client.append(std::string(message));
  }
}

// A short answer waits with its ReadyForQuery: one send instead of two, and no row of it is seen before what its hooks
// have stored is kept.
void Answers::hold_ready(std::string_view message) {
  constexpr std::size_t kMostBytes = 8192;
  if (context_.environment.timings != nullptr)
    held_since_ns_ = context_.environment.clock->monotonic_ns();
  base::Output& answer = context_.actions->to_client;
  if (answer.bytes() <= kMostBytes) {
    context_.held_ready = answer.flatten();
    answer.discard();
  }
  context_.held_ready += message;
}

void Answers::release_ready() {
  if (!ends_by_hooks()) context_.actions->to_client.append(std::exchange(context_.held_ready, {}));
}

bool Answers::ends_by_hooks() {
  const hooks::ChainResult* fatal = post_hooks_.fatal();
  if (fatal == nullptr) return false;
  context_.end.fail(fatal->sqlstate, "terminating connection: " + fatal->message);
  return true;
}

// ---- the end ----

void Answers::collect_lost() {
  static_cast<void>(post_hooks_.fatal());  // nobody is told any more, unless they have thrown
  settlements_.on_end(context_.link == nullptr ||
                      (context_.link->owed().empty() && !context_.link->is_batch_open()));
  for (auto& run : ended_runs_) {
    if (run) lost_runs_.push_back(std::move(run));
  }
  ended_runs_.clear();
  note_unfinished();
  context_.in_flight.for_each([](InFlight& item) {
    if (item.portal) item.portal->is_under_way = true;
  });
  context_.names.portals.for_each_settled(
      [this](const std::shared_ptr<Portal>& portal) { lose_portal(portal); });
  context_.in_flight.for_each([this](InFlight& item) {
    base::make_room(lost_runs_);
    if (item.run) {
      lost_runs_.push_back(std::move(item.run));
    } else if (item.portal && item.portal->run) {
      lost_runs_.push_back(std::move(item.portal->run));
    }
  });
  if (context_.link != nullptr) context_.link->end_all();
}

hooks::RunStatus Answers::run_last_hooks() {
  for (auto& run : lost_runs_) run->finish(hooks::Outcome::lost, context_.names);
  return post_hooks_.start(lost_runs_, &settlements_);
}

// What the server has spent on, and said of, the message that it was answering.
void Answers::note_unfinished() {
  const backend::Owed* owed = context_.link == nullptr ? nullptr : context_.link->owed().front();
  const InFlight* item = owed == nullptr ? nullptr : context_.in_flight.find(owed->tag);
  QueryRun* run = item == nullptr ? nullptr : item->present_run();
  if (run == nullptr) return;
  run->on_answer_bytes(context_.link->answer_bytes());
  note_time(*item, *run);
}

// One that nothing has run, and that nobody was asked to run, is not lost.
void Answers::lose_portal(const std::shared_ptr<Portal>& portal) {
  if (!portal->run || portal->is_under_way) return;
  if (!portal->run->is_suspended()) {
    portal->run->finish_portal(recoveries_ != portal->recoveries_before, context_.names);
  }
  base::make_room(lost_runs_);
  lost_runs_.push_back(std::move(portal->run));
}

}  // namespace helios::session
