// SPDX-License-Identifier: Apache-2.0
#include "session/query_run.hpp"

#include "pgwire/command_complete.hpp"
#include "session/names.hpp"

#include <algorithm>
#include <utility>

namespace helios::session {
namespace {

// What plugins are told of an error's message: a client can make the server say anything, at any length.
constexpr std::size_t kMaxErrorMessageBytes = 8192;

}  // namespace

QueryRun::~QueryRun() = default;

void apply_statement(const sql::Statement& statement, bool is_rolled_back, Settings& settings) {
  using Op = sql::TransactionOp;
  for (const sql::SettingChange& change : statement.settings) {
    settings.apply(change);
    if (statement.is_holdable && change.kind == sql::SettingChange::Kind::stored) {
      settings.store_until_commit();
    }
  }
  switch (statement.transaction) {
    case Op::none:
    case Op::finish_prepared: break;
    case Op::begin: settings.begin(); break;
    case Op::commit:
      if (is_rolled_back) {
        settings.rollback();
      } else {
        settings.commit();
      }
      break;
    case Op::rollback: settings.rollback(); break;
    case Op::prepare:
      // Of a failed transaction, or of none: then what its pipeline has done is committed.
      if (is_rolled_back) {
        settings.unseen_rollback();
      } else {
        settings.commit();
      }
      break;
    case Op::savepoint: settings.savepoint(statement.savepoint); break;
    case Op::release: settings.release(statement.savepoint); break;
    case Op::rollback_to: settings.rollback_to(statement.savepoint); break;
  }
  if (statement.is_chained) settings.begin();
}

void QueryRun::apply_settings(std::string_view tag, Settings& settings) {
  if (std::exchange(settings_applied_, true)) return;
  // Outside of a transaction block the message is a transaction of its own.
  if (touches_session) settings.begin();
  // The commit of a failed transaction answers ROLLBACK.
  apply_statement(*statements[current_].statement, tag == "ROLLBACK", settings);
}

// What a set_config() changes, it has changed with the first row.
void QueryRun::on_suspended(std::uint64_t rows, Followed followed) {
  if (current_ >= statements.size()) return;
  apply_settings({}, followed.settings);
  rows_before_ += rows;
}

void QueryRun::on_complete(std::string_view tag, Followed followed) {
  if (current_ >= statements.size()) return;
  StatementRun& run = statements[current_];
  apply_settings(tag, followed.settings);
  followed.names.settle(run.names, true);
  if (run.execution) {
    run.execution->command_tag = tag;
    run.execution->rows = pgwire::rows_of_tag(tag);
    if (rows_before_ != 0) run.execution->rows = run.execution->rows.value_or(0) + rows_before_;
    if (std::exchange(has_failed_attempt_, false)) {
      run.execution->sqlstate.clear();
      run.execution->error_message.clear();
    }
  }
  const bool is_answer = run.execution && run.execution->answer;
  close_statement(is_answer ? hooks::Outcome::answered : hooks::Outcome::executed, followed.names);
}

void QueryRun::on_error(std::string_view sqlstate, std::string_view message, Names& names) {
  if (current_ >= statements.size()) return;
  on_attempt_failed(sqlstate, message);
  close_statement(hooks::Outcome::failed, names);
}

void QueryRun::on_attempt_failed(std::string_view sqlstate, std::string_view message) {
  if (current_ >= statements.size()) return;
  has_failed_attempt_ = true;
  if (auto* execution = statements[current_].execution.get()) {
    execution->sqlstate = sqlstate;
    execution->error_message = message.substr(0, kMaxErrorMessageBytes);
  }
}

void QueryRun::close_statement(hooks::Outcome outcome, Names& names) {
  names.settle(statements[current_].names, false);  // unless it was done
  if (auto* execution = statements[current_].execution.get()) {
    execution->outcome = outcome;
    // Otherwise its transaction decides, or has.
    if (statements[current_].open_since == 0 && !execution->settlement) {
      if (outcome == hooks::Outcome::skipped)
        execution->settlement = hooks::Settlement::rolled_back;
      if (outcome == hooks::Outcome::unknown) execution->settlement = hooks::Settlement::unknown;
    }
    execution->duration_ns = std::exchange(spent_ns_, 0);
    execution->response_bytes = answer_bytes_;
    if (outcome == hooks::Outcome::executed && rows_before_ != 0 && !execution->rows) {
      execution->rows = rows_before_;  // the portal ended before its last row
    }
    // Without an end that says how many there were: those that were sent.
    if (is_answer_cut_ || (outcome != hooks::Outcome::executed && rows_sent_ != 0))
      execution->rows = rows_sent_;
  }
  answer_bytes_ = rows_sent_ = 0;
  is_answer_cut_ = false;
  settings_applied_ = false;
  ++current_;
}

void QueryRun::spend_at_end(std::int64_t ns) {
  for (std::size_t i = statements.size(); i > 0; --i) {
    hooks::StatementExecution* execution = statements[i - 1].execution.get();
    if (execution == nullptr || execution->outcome == hooks::Outcome::skipped) continue;
    execution->duration_ns += ns;
    return;
  }
}

void QueryRun::finish(hooks::Outcome outcome, Names& names) {
  while (current_ < statements.size()) close_statement(outcome, names);
}

// Where rows have come, those that the client did not fetch will not come any more.
void QueryRun::finish_portal(bool went_on, Names& names) {
  using hooks::Outcome;
  finish(is_suspended()                    ? Outcome::executed
         : has_failed_attempt_ && !went_on ? Outcome::failed
                                           : Outcome::unknown,
         names);
}

void QueryRun::refuse(std::string_view sqlstate, std::string_view message, Names& names) {
  for (StatementRun& run : statements) {
    names.settle(run.names, false);
    if (!run.execution) continue;
    run.execution->outcome = hooks::Outcome::refused;
    run.execution->settlement = hooks::Settlement::rolled_back;
    run.execution->sqlstate = sqlstate;
    run.execution->error_message = message;
  }
  current_ = statements.size();
}

void QueryRun::answer(std::uint64_t rows) {
  hooks::StatementExecution& execution = *statements.front().execution;
  execution.outcome = hooks::Outcome::answered;
  execution.settlement = hooks::Settlement::committed;
  execution.rows = rows;
  current_ = statements.size();
}

bool QueryRun::has_executions() const {
  return std::ranges::any_of(statements,
                             [](const StatementRun& run) { return run.execution != nullptr; });
}

bool QueryRun::defines_names() const {
  return std::ranges::any_of(statements, [](const StatementRun& run) {
    const sql::NameOp op = run.statement->name_op;
    return op != sql::NameOp::none && op != sql::NameOp::execute && op != sql::NameOp::fetch;
  });
}

}  // namespace helios::session
