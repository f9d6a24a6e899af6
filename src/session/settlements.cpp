// SPDX-License-Identifier: Apache-2.0
#include "session/settlements.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace helios::session {

using hooks::Settlement;

namespace {

// Drivers set one before every statement. Of more, the oldest are given up.
constexpr std::size_t kMaxSavepoints = 4096;
// What an execution takes that has lost its text: strings, scratch and records included.
constexpr std::size_t kKeptBytes = sizeof(hooks::StatementExecution) + 256;

// It may end transactions itself, as far as it stands: a procedure may not inside of a block, or beside
// other statements of a Query.
bool may_commit(const StatementRun& run, bool is_alone, bool in_block) {
  return is_alone && !in_block && run.statement->may_commit_itself;
}

bool is_read(const StatementRun* run) { return run != nullptr && run->analysis->parsed; }

}  // namespace

// What begins or ends transactions, or parts of them, does nothing before it is complete.
void Settlements::on_progress(StatementRun* run, std::size_t limit) {
  if (run == nullptr || run->statement->transaction != sql::TransactionOp::none) return;
  open(*run, limit);
}

void Settlements::on_complete(StatementRun* run, std::string_view tag, bool is_alone,
                              std::size_t limit) {
  using Op = sql::TransactionOp;
  const Op op = is_read(run) ? run->statement->transaction : Op::none;
  // It undoes what came before; itself it belongs to what goes on.
  if (op == Op::rollback_to) rollback_to(run->statement->savepoint);
  if (run != nullptr) {
    open(*run, limit);
    if (may_commit(*run, is_alone, in_block_)) doubtful_ = open_.size();
  }
  switch (op) {
    case Op::none:
      if (!is_read(run)) end_unread(tag);
      break;
    case Op::finish_prepared:
    case Op::rollback_to: break;
    case Op::begin: in_block_ = true; break;
    case Op::prepare:
      if (tag == "ROLLBACK" && !in_block_) {
        // There was no transaction to prepare. Alone, it ends what its pipeline has done; in a Query, not.
        if (is_alone) end_transaction(Settlement::committed);
        break;
      }
      [[fallthrough]];
    case Op::commit:
    case Op::rollback:
      in_block_ = run->statement->is_chained;
      end_transaction(tag == "COMMIT"     ? Settlement::committed
                      : tag == "ROLLBACK" ? Settlement::rolled_back
                                          : Settlement::unknown);
      break;
    case Op::savepoint: savepoint(run->statement->savepoint); break;
    case Op::release: release(run->statement->savepoint); break;
  }
}

// A statement that nobody read; its tag tells what it did to the transaction. ROLLBACK may have been ROLLBACK
// TO. No savepoint can be told from one whose name nobody knows.
void Settlements::end_unread(std::string_view tag) {
  if (tag == "SAVEPOINT") {
    savepoints_.clear();
    savepoints_lost_ = true;
    savepoint({});
  }
  if (tag == "BEGIN" || tag == "START TRANSACTION") in_block_ = true;
  if (tag == "COMMIT") end_transaction(Settlement::committed);
  if (tag == "ROLLBACK" || tag == "PREPARE TRANSACTION") end_transaction(Settlement::unknown);
}

void Settlements::on_error(StatementRun* run, bool is_alone) {
  failed_ = true;
  if (run == nullptr) return;
  const bool is_doubtful = may_commit(*run, is_alone, in_block_);
  if (is_doubtful) doubtful_ = open_.size();
  if (!run->execution || (run->is_open && !is_undone_by_error(*run))) return;
  run->execution->settlement = is_doubtful ? Settlement::unknown : Settlement::rolled_back;
}

// All that it has done was behind the newest savepoint: no ROLLBACK TO brings that back. Then its transaction is asked
// no more. Otherwise it waits for that.
bool Settlements::is_undone_by_error(StatementRun& run) {
  const auto found = std::ranges::find(std::next(open_.begin(), static_cast<std::ptrdiff_t>(kept_)),
                                       open_.end(), run.execution.get(), &Open::execution);
  if (found == open_.end()) return false;
  const auto index = static_cast<std::size_t>(std::distance(open_.begin(), found));
  if (!savepoints_.empty() && index < savepoints_.back().first) return false;
  open_.erase(found);
  kept_ = std::min(kept_, index);
  if (index < doubtful_) --doubtful_;
  run.is_open = false;
  return true;
}

void Settlements::on_ready(pgwire::TransactionStatus status) {
  in_block_ = status != pgwire::TransactionStatus::idle;
  if (!in_block_) {
    end_transaction(failed_ ? Settlement::rolled_back : Settlement::committed);
  }
  failed_ = status == pgwire::TransactionStatus::failed;
}

void Settlements::on_end(bool is_quiet) {
  end_transaction(is_quiet ? Settlement::rolled_back : Settlement::unknown);
}

void Settlements::open(StatementRun& run, std::size_t limit) {
  if (!run.execution || run.is_open || !run.execution->chain->has_settled()) return;
  run.is_open = true;
  run.execution->settlement.reset();  // of an attempt that failed
  if (open_.size() >= limit) {
    run.execution->settlement = Settlement::unknown;
  } else {
    open_.push_back({run.execution.get(), {}});
  }
}

void Settlements::decide_from(std::size_t first, Settlement settlement) {
  for (std::size_t i = first; i < open_.size(); ++i) {
    Open& open = open_[i];
    const bool is_doubtful = i < doubtful_ && settlement == Settlement::rolled_back;
    open.execution->settlement = is_doubtful ? Settlement::unknown : settlement;
    if (open.kept.execution) {
      base::make_room(due_);
      due_.push_back(std::move(open.kept));
    }
  }
  open_.erase(std::next(open_.begin(), static_cast<std::ptrdiff_t>(first)), open_.end());
  kept_ = std::min(kept_, first);
  doubtful_ = std::min(doubtful_, first);
}

void Settlements::end_transaction(Settlement settlement) {
  decide_from(0, settlement);
  constexpr std::size_t kKeptCapacity = 64;
  if (open_.capacity() > kKeptCapacity) open_.shrink_to_fit();
  savepoints_.clear();
  savepoints_lost_ = false;
  failed_ = false;
}

void Settlements::savepoint(const std::string& name) {
  if (savepoints_.size() >= kMaxSavepoints) {
    savepoints_.erase(savepoints_.begin());
    savepoints_lost_ = true;
  }
  savepoints_.push_back({name, open_.size()});
}

// Savepoints of one name may be nested: the newest counts.
std::vector<Settlements::Savepoint>::iterator Settlements::find_savepoint(const std::string& name) {
  const auto found =
      std::ranges::find(savepoints_.rbegin(), savepoints_.rend(), name, &Savepoint::name);
  return found == savepoints_.rend() ? savepoints_.end() : std::prev(found.base());
}

void Settlements::release(const std::string& name) {
  savepoints_.erase(find_savepoint(name), savepoints_.end());
}

// One that is not there was set before any statement that is followed.
void Settlements::rollback_to(const std::string& name) {
  failed_ = false;
  const auto found = find_savepoint(name);
  if (found == savepoints_.end()) {
    decide_from(0, savepoints_lost_ ? Settlement::unknown : Settlement::rolled_back);
    savepoints_.clear();
    return;
  }
  decide_from(found->first, Settlement::rolled_back);
  savepoints_.erase(std::next(found), savepoints_.end());
}

// Nothing of the message that it came with is needed any more.
void Settlements::keep(EndedStatement statement) {
  hooks::StatementExecution& execution = *statement.execution;
  execution.text = {};
  execution.execute_text = {};
  execution.rewritten = {};
  execution.redacted.reset();
  execution.parameters = {};
  execution.answer.reset();
  const auto from = std::next(open_.begin(), static_cast<std::ptrdiff_t>(kept_));
  const auto found = std::find_if(
      from, open_.end(), [&execution](const Open& open) { return open.execution == &execution; });
  if (found == open_.end()) {  // it never worked, and nobody said why
    execution.settlement = Settlement::unknown;
    due_.push_back(std::move(statement));
    return;
  }
  found->kept = std::move(statement);
  while (kept_ < open_.size() && open_[kept_].kept.execution) ++kept_;
}

std::size_t Settlements::held_bytes() const {
  return open_.capacity() * sizeof(Open) + kept_ * kKeptBytes +
         savepoints_.capacity() * sizeof(Savepoint);
}

}  // namespace helios::session
