// SPDX-License-Identifier: Apache-2.0

// Random transactions beside a model that is too simple to be wrong: the list of all states that were
// ever committed, each a std::map. Two attempts run interleaved on one thread. What an attempt reads
// must have been true all at once in one of the states since it began; it commits if and only if what
// it read is still true; and it is never called doomed for nothing. A failure names its seed and step.

#include "store_contract.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace helios::test {
namespace {

using kv::CommitStatus;
using kv::Transaction;
using kv::WriteStatus;

struct ModelEntry {
  std::string value;
  kv::ExpiryMs expires_at_ms = kv::kNeverExpires;
  int written = 0;  // a number of its own for each write, as values of counters repeat
};

using State = std::map<std::string, ModelEntry>;

const ModelEntry* live(const State& state, const std::string& key, std::int64_t now_ms) {
  const auto found = state.find(key);
  if (found == state.end()) return nullptr;
  const kv::ExpiryMs end = found->second.expires_at_ms;
  return end != kv::kNeverExpires && end <= now_ms ? nullptr : &found->second;
}

std::string shown(const std::optional<ModelEntry>& entry) { return entry ? entry->value : "-"; }

struct ModelCharge {
  std::int64_t amount;
  std::int64_t limit;
  kv::ExpiryMs expires_at_ms;
  bool is_made;
};

// What a counter becomes by one charge. The rule in the simplest words, and in other ones than the store's.
bool add_to(std::optional<ModelEntry>& entry, const ModelCharge& charge) {
  const std::int64_t before = entry ? kv::number_in(entry->value).value() : 0;
  const std::int64_t sum = before + charge.amount;
  if (charge.amount >= 0 && sum > charge.limit) return false;
  if (charge.amount < 0 && sum < charge.limit) return false;
  if (charge.amount == 0) return true;
  if (!entry) entry = ModelEntry{.value = {}, .expires_at_ms = charge.expires_at_ms};
  entry->value = kv::number_bytes(sum);
  return true;
}

struct Attempt {
  std::unique_ptr<Transaction> transaction;
  std::map<std::string, std::string> reads;  // key -> what was shown
  std::map<std::string, int> versions;       // key -> the write that was read; 0: none
  std::map<std::string, std::vector<ModelCharge>> charges;  // of what is committed
  std::map<std::string, std::optional<ModelEntry>> writes;  // nullopt = delete
  std::size_t begun_at = 0;  // number of the state that was the newest then
  bool is_over = false;
};

class ModelRun {
 public:
  // With expiry, one attempt runs at a time and the clock moves between attempts only: the model has
  // no notion of time passing within one.
  ModelRun(StoreContract& contract, unsigned seed, bool with_expiry)
      : contract_(contract), seed_(seed), random_(seed), with_expiry_(with_expiry) {
    for (Attempt& attempt : attempts_) {
      attempt.transaction = std::make_unique<Transaction>(contract.store(), contract.space());
    }
  }

  void run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      SCOPED_TRACE("seed " + std::to_string(seed_) + ", step " + std::to_string(i));
      step();
    }
    EXPECT_GT(commits_, 0);
    EXPECT_GT(charges_, 0);
    if (!with_expiry_) {
      EXPECT_GT(conflicts_, 0);
    }
  }

 private:
  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }

  void step() {
    Attempt& attempt = attempts_[with_expiry_ ? 0 : static_cast<std::size_t>(below(2))];
    const int what = below(100);
    if (!attempt.is_over && what >= 50 && below(2) == 0 && what < 80)
      return step_on_counter(attempt);
    const std::string key = "k" + std::to_string(below(12));
    if (attempt.is_over || what < 4) {
      begin(attempt);
    } else if (what < 50) {
      get(attempt, key);
    } else if (what < 70) {
      set(attempt, key);
    } else if (what < 80) {
      EXPECT_EQ(attempt.transaction->erase(key), WriteStatus::ok);
      attempt.writes[key] = std::nullopt;
    } else {
      finish(attempt);
      compare();
    }
  }

  void begin(Attempt& attempt) {
    attempt.transaction->reset();
    attempt.reads.clear();
    attempt.versions.clear();
    attempt.charges.clear();
    attempt.writes.clear();
    attempt.is_over = false;
    attempt.begun_at = states_.size() - 1;
    if (with_expiry_) contract_.clock_.advance_ms(below(20));
  }

  void step_on_counter(Attempt& attempt) {
    const std::string key = "c" + std::to_string(below(3));
    const int what = below(20);
    if (what < 15) {
      charge(attempt, key);
    } else if (what < 18) {
      get(attempt, key);
    } else {
      EXPECT_EQ(attempt.transaction->erase(key), WriteStatus::ok);
      attempt.writes[key] = std::nullopt;
    }
  }

  [[nodiscard]] std::optional<ModelEntry> entry_in(const State& state,
                                                   const std::string& key) const {
    const ModelEntry* const entry = live(state, key, now_ms());
    return entry == nullptr ? std::nullopt : std::optional(*entry);
  }

  [[nodiscard]] bool holds_in(const State& state, const Attempt& attempt) const {
    const bool reads_hold = std::ranges::all_of(attempt.versions, [&](const auto& read) {
      const ModelEntry* const entry = live(state, read.first, now_ms());
      return (entry == nullptr ? 0 : entry->written) == read.second;
    });
    return reads_hold && std::ranges::all_of(attempt.charges, [&](const auto& charged) {
             std::optional<ModelEntry> entry = entry_in(state, charged.first);
             return std::ranges::all_of(charged.second, [&entry](const ModelCharge& charge) {
               return add_to(entry, charge) == charge.is_made;
             });
           });
  }

  // What `attempt` sees under a key if `state` is what is committed.
  [[nodiscard]] std::optional<ModelEntry> seen_by(const Attempt& attempt, const State& state,
                                                  const std::string& key) const {
    if (const auto own = attempt.writes.find(key); own != attempt.writes.end()) return own->second;
    std::optional<ModelEntry> entry = entry_in(state, key);
    if (const auto charged = attempt.charges.find(key); charged != attempt.charges.end())
      for (const ModelCharge& charge : charged->second) (void)add_to(entry, charge);
    return entry;
  }

  void expect_consistent(const Attempt& attempt) const {
    EXPECT_TRUE(std::ranges::any_of(std::span(states_).subspan(attempt.begun_at),
                                    [&](const State& state) { return holds_in(state, attempt); }))
        << "what was told was never true at once";
  }

  bool is_doomed(Attempt& attempt, bool is_so) const {
    if (!is_so) return false;
    EXPECT_FALSE(holds_in(states_.back(), attempt)) << "doomed for nothing";
    attempt.is_over = true;
    return true;
  }

  void get(Attempt& attempt, const std::string& key) {
    const std::string seen = contract_.get(*attempt.transaction, key);
    if (is_doomed(attempt, seen == "doomed")) return;
    EXPECT_EQ(seen, shown(seen_by(attempt, states_.back(), key)));
    if (attempt.writes.contains(key)) return;
    const auto [before, is_first] = attempt.reads.emplace(key, seen);
    EXPECT_EQ(before->second, seen) << "one key showed two values";
    const std::optional<ModelEntry> committed = entry_in(states_.back(), key);
    if (is_first) attempt.versions[key] = committed ? committed->written : 0;
    expect_consistent(attempt);
    // What was only charged is read and written from here on.
    if (seen != shown(committed)) attempt.writes[key] = seen_by(attempt, states_.back(), key);
  }

  void charge(Attempt& attempt, const std::string& key) {
    ModelCharge charge{.amount = below(9) - 3, .limit = 12, .expires_at_ms = 0, .is_made = false};
    if (charge.amount < 0) charge.limit = 0;
    if (with_expiry_ && below(2) == 0) charge.expires_at_ms = now_ms() + below(60);
    const kv::ChargeAnswer answer = contract_.charge(
        *attempt.transaction, key,
        kv::CounterCharge{
            .amount = charge.amount, .limit = charge.limit, .expires_at_ms = charge.expires_at_ms});
    if (is_doomed(attempt, answer.status == kv::ChargeStatus::ended)) return;
    charge.is_made = answer.status == kv::ChargeStatus::made;
    EXPECT_TRUE(charge.is_made || answer.status == kv::ChargeStatus::refused);
    ++charges_;
    const bool is_by_version = attempt.versions.contains(key) || attempt.writes.contains(key);
    if (is_by_version) {
      std::optional<ModelEntry> entry = seen_by(attempt, states_.back(), key);
      EXPECT_EQ(add_to(entry, charge), charge.is_made);
      if (charge.is_made && charge.amount != 0) attempt.writes[key] = entry;
      return;
    }
    attempt.charges[key].push_back(charge);
    expect_consistent(attempt);
  }

  void set(Attempt& attempt, const std::string& key) {
    const std::string padding(static_cast<std::size_t>(below(100)), '.');
    ModelEntry entry{.value = std::to_string(++values_) + padding};
    if (with_expiry_ && below(2) == 0) entry.expires_at_ms = now_ms() + below(60);
    EXPECT_EQ(attempt.transaction->set(key, entry.value, entry.expires_at_ms), WriteStatus::ok);
    attempt.writes[key] = entry;
  }

  void finish(Attempt& attempt) {
    const bool is_current = holds_in(states_.back(), attempt);
    const CommitStatus status = contract_.commit(*attempt.transaction);
    EXPECT_EQ(status, is_current ? CommitStatus::done : CommitStatus::conflict);
    if (status == CommitStatus::done) {
      ++commits_;
      states_.push_back(state_after(attempt));
    } else {
      ++conflicts_;
    }
    begin(attempt);
  }

  State state_after(const Attempt& attempt) {
    State next = states_.back();
    const auto put = [&](const std::string& key, const std::optional<ModelEntry>& entry) {
      next.erase(key);
      if (!entry) return;
      next[key] = *entry;
      next[key].written = ++writes_;
    };
    for (const auto& [key, charges] : attempt.charges) {
      const std::optional<ModelEntry> after = seen_by(attempt, states_.back(), key);
      const bool is_changed = shown(after) != shown(entry_in(states_.back(), key));
      if (is_changed && !attempt.writes.contains(key)) put(key, after);
    }
    for (const auto& [key, entry] : attempt.writes) put(key, entry);
    return next;
  }

  void compare() {
    std::map<std::string, std::string> expected;
    for (const auto& [key, entry] : states_.back()) {
      if (live(states_.back(), key, now_ms()) != nullptr) expected[key] = entry.value;
    }
    std::map<std::string, std::string> stored;
    for (const kv::Item& item : contract_.store().scan(contract_.space(), {}).items) {
      stored[item.key] = item.value;
    }
    EXPECT_EQ(stored, expected);
    // Expired entries may count until they are removed, so that is for runs without them.
    if (!with_expiry_) contract_.expect_usage_is_recount(contract_.space());
    EXPECT_EQ(contract_.store().usage(contract_.space()).bytes,
              contract_.store().total_usage().bytes);
  }

  [[nodiscard]] std::int64_t now_ms() const { return contract_.clock_.wall_ms(); }

  StoreContract& contract_;
  const unsigned seed_;
  std::mt19937 random_;
  const bool with_expiry_;
  std::vector<State> states_{State{}};
  std::array<Attempt, 2> attempts_;
  int values_ = 0;
  int writes_ = 0;
  int charges_ = 0;
  int commits_ = 0;
  int conflicts_ = 0;
};

unsigned seeds() { return StoreContract::GetParam().is_slow ? 1 : 10; }

TEST_P(StoreContract, random_transactions_behave_as_the_model) {
  for (unsigned seed = 1; seed <= seeds() && !HasFailure(); ++seed) {
    make_store({});
    ModelRun(*this, seed, false).run(3000);
  }
}

TEST_P(StoreContract, random_transactions_with_expiry_behave_as_the_model) {
  for (unsigned seed = 1; seed <= seeds() && !HasFailure(); ++seed) {
    make_store({});
    ModelRun(*this, seed, true).run(3000);
    // Writing clears expired entries away, and then all of them are.
    clock_.advance_ms(1000);
    for (int i = 0; i < 5; ++i) put("last", "v");
    expect_usage_is_recount(space());
  }
}

}  // namespace
}  // namespace helios::test
