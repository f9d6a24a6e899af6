// SPDX-License-Identifier: Apache-2.0

// Threads run small random transactions on few keys and write down what each of them saw; afterwards it is proved
// that what committed could have run one after the other, in an order that agrees with the moments at which the
// answers came. HELIOS_SEED repeats a run as far as threads can be repeated, HELIOS_HISTORY asks for so many
// transactions of each thread.

#include "store_contract.hpp"
#include "support/history.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <future>
#include <iostream>
#include <iterator>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace helios::test {
namespace {

using kv::ReadStatus;
using kv::Transaction;
using kv::WriteStatus;

constexpr int kThreads = 4;
constexpr int kKeys = 6;
constexpr int kCounters = 2;
// So low that about every second charge is refused.
constexpr std::int64_t kMost = 12;

unsigned number_from(const char* variable, unsigned otherwise) {
  const char* wanted = std::getenv(variable);
  return wanted == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(wanted, nullptr, 10));
}

// What one thread does.
class Client {
 public:
  Client(StoreContract& contract, int number, unsigned seed, std::atomic<std::uint64_t>& moments)
      : contract_(contract),
        name_("T" + std::to_string(number)),
        own_key_("own" + std::to_string(number)),
        random_(seed * kThreads + static_cast<unsigned>(number)),
        moments_(moments) {}

  void run(unsigned count) {
    while (history_.size() < count && !testing::Test::HasFailure()) {
      // Now and then as the only writer.
      below(16) == 0 ? run_exclusively() : run_one(nullptr);
    }
  }

  [[nodiscard]] std::vector<HistoryRecord> take() { return std::move(history_); }
  [[nodiscard]] int conflicts() const { return conflicts_; }

 private:
  int below(int limit) { return std::uniform_int_distribution(0, limit - 1)(random_); }
  std::string any_key() { return "k" + std::to_string(below(kKeys)); }

  void run_exclusively() {
    std::promise<std::unique_ptr<kv::Exclusivity>> granted;
    auto late = granted.get_future();
    contract_.store().request_exclusive(
        contract_.space(),
        [granted = std::move(granted)](std::unique_ptr<kv::Exclusivity> lease) mutable {
          granted.set_value(std::move(lease));
        });
    const std::unique_ptr<kv::Exclusivity> lease = late.get();
    run_one(lease.get());
  }

  // Attempts of one kind until one commits, or is dropped as a hook that traps drops it. What an attempt wrote that
  // did not commit nobody may ever see.
  void run_one(kv::Exclusivity* lease) {
    Transaction transaction(contract_.store(), contract_.space(), lease);
    const std::mt19937 plan = random_;
    for (;; transaction.reset()) {
      begin();
      random_ = plan;  // a fetched key is the one that is read again
      const bool is_whole = attempt(transaction);
      if (!is_whole && transaction.needs_fetch()) {
        contract_.fetch_and_wait(transaction);
        continue;
      }
      if (is_whole && below(10) == 0) return;
      if (is_whole && commit(transaction)) return;
      ++conflicts_;
      if (testing::Test::HasFailure()) return;
    }
  }

  void begin() {
    record_ = {.name = name_ + "." + std::to_string(++attempts_), .began = ++moments_};
    numbers_.clear();
  }

  bool attempt(Transaction& transaction) {
    const int steps = 1 + below(5);
    for (int step = 0; step < steps; ++step) {
      if (step % 2 == 1 && below(4) == 0) std::this_thread::yield();
      const int what = below(100);
      const std::string key = any_key();
      const bool goes_on = what < 15 && record_.writes.empty() ? scan(transaction)
                           : what < 35                         ? read(transaction, key)
                           : what < 60                         ? write(transaction, key)
                           : what < 70                         ? erase(transaction, key)
                                                               : count(transaction);
      if (!goes_on) return false;
    }
    // By this key it can be asked later under which version the transaction was committed.
    return !has_changes() || transaction.set(own_key_, record_.name) == WriteStatus::ok;
  }

  [[nodiscard]] bool has_changes() const {
    return !record_.writes.empty() || std::ranges::any_of(record_.counters, [](const auto& item) {
      return item.second.is_erased ||
             std::ranges::any_of(item.second.charges, &HistoryCharge::is_made);
    });
  }

  // Mostly charges; a counter is read before them, and erased behind them.
  bool count(Transaction& transaction) {
    const std::string key = "c" + std::to_string(below(kCounters));
    HistoryCounter& counter = record_.counters[key];
    const int what = below(10);
    if (counter.is_erased) return true;
    if (what == 0) {
      EXPECT_EQ(transaction.erase(key), WriteStatus::ok);
      counter.is_erased = true;
      return true;
    }
    if (what == 1 && !counter.seen && counter.charges.empty())
      return look(transaction, key, counter);
    return charge(transaction, key, counter);
  }

  static bool look(Transaction& transaction, const std::string& key, HistoryCounter& counter) {
    std::string_view value;
    const ReadStatus status = transaction.get(key, value);
    if (status != ReadStatus::value && status != ReadStatus::absent) return false;
    counter.seen = status == ReadStatus::value ? kv::number_in(value).value() : 0;
    return true;
  }

  bool charge(Transaction& transaction, const std::string& key, HistoryCounter& counter) {
    HistoryCharge charge{.amount = below(9) - 3, .limit = kMost};
    if (charge.amount < 0) charge.limit = 0;
    const kv::ChargeAnswer answer =
        transaction.charge(key, kv::CounterCharge{.amount = charge.amount, .limit = charge.limit});
    if (answer.status == kv::ChargeStatus::ended) return false;
    charge.is_made = answer.status == kv::ChargeStatus::made;
    EXPECT_TRUE(charge.is_made || answer.status == kv::ChargeStatus::refused);
    counter.charges.push_back(charge);
    return true;
  }

  bool read(Transaction& transaction, const std::string& key) {
    std::string_view value;
    const ReadStatus status = transaction.get(key, value);
    if (status != ReadStatus::value && status != ReadStatus::absent) return false;
    std::optional<std::string> seen;
    if (status == ReadStatus::value) seen = value;
    if (const auto own = record_.writes.find(key); own != record_.writes.end()) {
      EXPECT_EQ(seen, own->second) << "not what the transaction has written itself";
      return true;
    }
    const auto [before, is_first] = record_.reads.emplace(key, seen);
    EXPECT_EQ(before->second, seen) << "one key showed two values";
    return true;
  }

  // Nobody writes what he has not read.
  bool write(Transaction& transaction, const std::string& key) {
    if (!read(transaction, key)) return false;
    const std::string value = record_.name + "/" + std::to_string(++numbers_[key]);
    EXPECT_EQ(transaction.set(key, value), WriteStatus::ok);
    record_.writes[key] = value;
    return true;
  }

  bool erase(Transaction& transaction, const std::string& key) {
    if (!read(transaction, key)) return false;
    EXPECT_EQ(transaction.erase(key), WriteStatus::ok);
    record_.writes[key] = std::nullopt;
    return true;
  }

  bool scan(Transaction& transaction) {
    HistoryScan scan{.prefix = "k", .after = below(2) == 0 ? "" : any_key()};
    const kv::KeyRange range{.prefix = scan.prefix,
                             .after = scan.after,
                             .max_items = static_cast<std::uint64_t>(1 + below(kKeys))};
    kv::KeyPage page;
    if (transaction.scan(range, page) != ReadStatus::value) return false;
    for (const kv::KeyItem& item : page.items) scan.shown[item.key] = item.stamp.version;
    if (!page.complete) scan.last = page.items.back().key;
    record_.scans.push_back(std::move(scan));
    return true;
  }

  bool commit(Transaction& transaction) {
    record_.version = transaction.snapshot().value_or(0);
    const kv::CommitStatus status = StoreContract::commit_and_wait(transaction);
    record_.ended = ++moments_;
    if (status == kv::CommitStatus::conflict) return false;
    EXPECT_EQ(status, kv::CommitStatus::done);
    if (has_changes()) {
      const auto own = contract_.item(own_key_);
      EXPECT_TRUE(own && own->value == record_.name);
      if (own) record_.version = own->version;
    }
    history_.push_back(std::move(record_));
    return true;
  }

  StoreContract& contract_;
  const std::string name_;
  const std::string own_key_;
  std::mt19937 random_;
  std::atomic<std::uint64_t>& moments_;
  HistoryRecord record_;
  std::map<std::string, int> numbers_;  // of the values that this attempt has written to a key
  std::vector<HistoryRecord> history_;
  int attempts_ = 0;
  int conflicts_ = 0;
};

// What is there at the end, as one more transaction.
HistoryRecord last_state(StoreContract& contract, std::uint64_t moment) {
  HistoryRecord record{.name = "the end", .began = moment, .ended = moment, .version = ~0ULL};
  for (int i = 0; i < kKeys; ++i) {
    const std::string key = "k" + std::to_string(i);
    const auto item = contract.item(key);
    record.reads[key] = item ? std::optional(item->value) : std::nullopt;
  }
  for (int i = 0; i < kCounters; ++i) {
    const std::string key = "c" + std::to_string(i);
    const auto item = contract.item(key);
    record.counters[key].seen = item ? kv::number_in(item->value).value() : 0;
  }
  return record;
}

TEST_P(StoreContract, recorded_history_of_threads_is_strictly_serializable) {
  const unsigned count = number_from("HELIOS_HISTORY", 250);
  const unsigned seed = number_from("HELIOS_SEED", std::random_device{}());
  std::cout << "HELIOS_SEED=" << seed << '\n';
  std::atomic<std::uint64_t> moments = 0;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < kThreads; ++i) {
    clients.push_back(std::make_unique<Client>(*this, i, seed, moments));
  }
  {
    std::vector<std::jthread> threads;
    for (const auto& client : clients)
      threads.emplace_back([&client, count] { client->run(count); });
  }
  std::vector<HistoryRecord> history;
  int conflicts = 0;
  for (const auto& client : clients) {
    std::ranges::move(client->take(), std::back_inserter(history));
    conflicts += client->conflicts();
  }
  std::cout << history.size() << " committed, " << conflicts << " attempts more\n";
  EXPECT_GT(conflicts, 0) << "the threads did not meet";
  history.push_back(last_state(*this, ++moments));
  EXPECT_EQ(find_anomaly(history), "") << "seed " << seed;
}

}  // namespace
}  // namespace helios::test
