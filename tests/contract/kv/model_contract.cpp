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
  std::string value;  // never written twice, so it tells who wrote it
  kv::ExpiryMs expires_at_ms = kv::kNeverExpires;
};

using State = std::map<std::string, ModelEntry>;

std::string shown(const State& state, const std::string& key, std::int64_t now_ms) {
  const auto found = state.find(key);
  if (found == state.end()) return "-";
  const kv::ExpiryMs end = found->second.expires_at_ms;
  return end != kv::kNeverExpires && end <= now_ms ? "-" : found->second.value;
}

struct Attempt {
  std::unique_ptr<Transaction> transaction;
  std::map<std::string, std::string> reads;                 // key -> what was shown
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
    if (!with_expiry_) {
      EXPECT_GT(conflicts_, 0);
    }
  }

 private:
  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }

  void step() {
    Attempt& attempt = attempts_[with_expiry_ ? 0 : static_cast<std::size_t>(below(2))];
    const std::string key = "k" + std::to_string(below(12));
    const int what = below(100);
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
    attempt.writes.clear();
    attempt.is_over = false;
    attempt.begun_at = states_.size() - 1;
    if (with_expiry_) contract_.clock_.advance_ms(below(20));
  }

  [[nodiscard]] bool holds_in(const State& state, const Attempt& attempt) const {
    return std::ranges::all_of(attempt.reads, [&](const auto& read) {
      return shown(state, read.first, now_ms()) == read.second;
    });
  }

  void get(Attempt& attempt, const std::string& key) {
    const std::string seen = contract_.get(*attempt.transaction, key);
    if (const auto own = attempt.writes.find(key); own != attempt.writes.end()) {
      EXPECT_EQ(seen, own->second ? own->second->value : "-");
      return;
    }
    if (seen == "doomed") {
      EXPECT_FALSE(holds_in(states_.back(), attempt)) << "doomed for nothing";
      attempt.is_over = true;
      return;
    }
    const auto [before, is_first] = attempt.reads.emplace(key, seen);
    EXPECT_EQ(before->second, seen) << "one key showed two values";
    const bool is_consistent =
        std::ranges::any_of(std::span(states_).subspan(attempt.begun_at),
                            [&](const State& state) { return holds_in(state, attempt); });
    EXPECT_TRUE(is_consistent) << "what was read was never true at once";
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
      State next = states_.back();
      for (const auto& [key, entry] : attempt.writes) {
        if (entry) {
          next[key] = *entry;
        } else {
          next.erase(key);
        }
      }
      states_.push_back(std::move(next));
    } else {
      ++conflicts_;
    }
    begin(attempt);
  }

  void compare() {
    std::map<std::string, std::string> expected;
    for (const auto& [key, entry] : states_.back()) {
      const std::string value = shown(states_.back(), key, now_ms());
      if (value != "-") expected[key] = value;
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
