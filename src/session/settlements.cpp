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
    if (may_commit(*run, is_alone, in_block_)) note_end_within(*run);
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

// It may have ended the transaction, and begun another, as often as it liked. What it does itself it answers for.
void Settlements::note_end_within(const StatementRun& run) {
  using Kind = sql::StatementKind;
  doubtful_ = now_;
  const Kind kind = run.statement->facts.kind;
  if (kind != Kind::call && kind != Kind::do_block && kind != Kind::unknown) return;
  undoable_ = run.open_since == 0 ? now_ : run.open_since - 1;
}

// A statement that nobody read; its tag tells what it did to the transaction. ROLLBACK may have been ROLLBACK
// TO. A savepoint whose name nobody knows can be told from no other.
void Settlements::end_unread(std::string_view tag) {
  if (tag == "SAVEPOINT" || tag == "RELEASE") lose_savepoints();
  if (tag == "BEGIN" || tag == "START TRANSACTION") in_block_ = true;
  if (tag == "COMMIT") end_transaction(Settlement::committed);
  if (tag == "ROLLBACK" || tag == "PREPARE TRANSACTION") end_transaction(Settlement::unknown);
}

// All that it has done is undone, unless it began in front of a savepoint: then ROLLBACK TO can bring that back.
void Settlements::on_error(StatementRun* run, bool is_alone) {
  failed_ = true;
  if (run == nullptr) return;
  const bool is_doubtful = may_commit(*run, is_alone, in_block_);
  if (is_doubtful) doubtful_ = now_;
  if (!run->execution) return;
  if (run->open_since == 0) {
    run->execution->settlement = is_doubtful ? Settlement::unknown : Settlement::rolled_back;
    return;
  }
  const Moment savepoint = savepoints_.empty() ? last_lost_ : savepoints_.back().set;
  const auto found = find(*run);
  if (found == open_.end() || found->began <= savepoint) return;
  decide(*found, Settlement::rolled_back);
  kept_ = std::min(kept_, static_cast<std::size_t>(found - open_.begin()));
  open_.erase(found);
  run->open_since = 0;
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
  if (!run.execution || !run.execution->chain->has_settled()) return;
  ++now_;
  if (run.open_since != 0) {
    if (const auto found = find(run); found != open_.end()) found->worked = now_;
    return;
  }
  run.open_since = now_;
  run.execution->settlement.reset();  // of an attempt that failed
  if (open_.size() >= limit) {
    run.execution->settlement = Settlement::unknown;
  } else {
    open_.push_back({run.execution.get(), now_, now_, {}});
  }
}

// The end: it was decided meanwhile, or did not fit.
std::vector<Settlements::Open>::iterator Settlements::find(const StatementRun& run) {
  const auto found = std::ranges::lower_bound(open_, run.open_since, {}, &Open::began);
  return found != open_.end() && found->began == run.open_since ? found : open_.end();
}

std::vector<Settlements::Open>::iterator Settlements::first_after(Moment moment) {
  return std::ranges::upper_bound(open_, moment, {}, &Open::began);
}

// It is not open any more: the caller takes it out.
void Settlements::decide(Open& open, Settlement settlement) {
  const bool is_doubtful =
      settlement == Settlement::committed ? open.began <= undoable_ : open.began <= doubtful_;
  open.execution->settlement = is_doubtful ? Settlement::unknown : settlement;
  if (!open.kept.execution) return;
  base::make_room(due_);
  due_.push_back(std::move(open.kept));
}

void Settlements::decide_from(std::vector<Open>::iterator first, Settlement settlement) {
  std::for_each(first, open_.end(), [&](Open& open) { decide(open, settlement); });
  kept_ = std::min(kept_, static_cast<std::size_t>(first - open_.begin()));
  open_.erase(first, open_.end());
}

void Settlements::end_transaction(Settlement settlement) {
  decide_all(settlement);
  constexpr std::size_t kKeptCapacity = 64;
  if (open_.capacity() > kKeptCapacity) open_.shrink_to_fit();
  savepoints_.clear();
  savepoints_lost_ = false;
  last_lost_ = doubtful_ = undoable_ = 0;
  failed_ = false;
}

void Settlements::savepoint(const std::string& name) {
  if (savepoints_.size() >= kMaxSavepoints) {
    last_lost_ = savepoints_.front().set;
    savepoints_.erase(savepoints_.begin());
    savepoints_lost_ = true;
  }
  savepoints_.push_back({name, now_});
}

// Which there are, and where, nobody knows any more.
void Settlements::lose_savepoints() {
  savepoints_.clear();
  savepoints_lost_ = true;
  last_lost_ = now_;
}

// Savepoints of one name may be nested: the newest counts.
std::vector<Settlements::Savepoint>::iterator Settlements::find_savepoint(const std::string& name) {
  const auto found =
      std::ranges::find(savepoints_.rbegin(), savepoints_.rend(), name, &Savepoint::name);
  return found == savepoints_.rend() ? savepoints_.end() : std::prev(found.base());
}

// With one that is not known, all that were set behind it are gone.
void Settlements::release(const std::string& name) {
  const auto found = find_savepoint(name);
  if (found == savepoints_.end()) return lose_savepoints();
  savepoints_.erase(found, savepoints_.end());
}

// One that is not there was set before any statement that is followed.
void Settlements::rollback_to(const std::string& name) {
  failed_ = false;
  const auto found = find_savepoint(name);
  if (found == savepoints_.end()) {
    decide_all(savepoints_lost_ ? Settlement::unknown : Settlement::rolled_back);
    savepoints_.clear();
    return;
  }
  decide_from(first_after(found->set), Settlement::rolled_back);
  const auto is_undone_in_part = [&](Open& open) {
    if (open.worked <= found->set) return false;
    decide(open, Settlement::unknown);
    return true;
  };
  if (std::erase_if(open_, is_undone_in_part) != 0) kept_ = 0;
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
