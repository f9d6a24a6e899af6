// SPDX-License-Identifier: Apache-2.0

// Threads that really run at once: no update is lost, no inconsistent state is ever seen.

#include "store_contract.hpp"

#include <array>
#include <atomic>
#include <charconv>
#include <functional>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace helios::test {
namespace {

using kv::ReadStatus;
using kv::Transaction;
using kv::WriteStatus;

void run_threads(int count, const std::function<void(int)>& body) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&body, i] { body(i); });
}

// The number that `key` holds, 0 when absent. False when the attempt is over.
bool read_number(Transaction& transaction, std::string_view key, int& number) {
  std::string_view text;
  number = 0;
  switch (transaction.get(key, text)) {
    case ReadStatus::value:
      std::from_chars(text.data(), text.data() + text.size(), number);
      return true;
    case ReadStatus::absent: return true;
    case ReadStatus::not_resident:
    case ReadStatus::doomed: return false;
    case ReadStatus::failed: ADD_FAILURE(); return false;
  }
  return false;
}

void write_number(Transaction& transaction, std::string_view key, int number) {
  EXPECT_EQ(transaction.set(key, std::to_string(number)), WriteStatus::ok);
}

TEST_P(StoreContract, concurrent_increments_of_one_key_are_all_counted) {
  constexpr int kThreads = 8;
  constexpr int kTimes = 500;
  run_threads(kThreads, [&](int) {
    for (int i = 0; i < kTimes; ++i) {
      transact(space(), [](Transaction& transaction) {
        int number = 0;
        if (!read_number(transaction, "counter", number)) return false;
        write_number(transaction, "counter", number + 1);
        return true;
      });
    }
  });
  EXPECT_EQ(committed("counter"), std::to_string(kThreads * kTimes));
}

TEST_P(StoreContract, concurrent_creators_of_one_key_give_one_winner_a_round) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 200;
  std::atomic<int> winners = 0;
  run_threads(kThreads, [&](int) {
    for (int i = 0; i < kRounds; ++i) {
      bool is_creator = false;
      transact(space(), [i, &is_creator](Transaction& transaction) {
        int number = 0;
        const std::string key = "round" + std::to_string(i);
        if (!read_number(transaction, key, number)) return false;
        is_creator = number == 0;
        if (is_creator) write_number(transaction, key, 1);
        return true;
      });
      if (is_creator) ++winners;
    }
  });
  EXPECT_EQ(winners, kRounds);
}

// Two keys whose sum never changes. Nobody may ever see another sum, not even an attempt that cannot
// commit any more: its plugin would decide on a state that never was.
TEST_P(StoreContract, concurrent_readers_never_see_a_broken_invariant) {
  constexpr int kSum = 1000;
  put("a", std::to_string(kSum));
  put("b", "0");
  std::atomic<int> broken = 0;
  run_threads(4, [&](int thread) {
    std::mt19937 random(static_cast<unsigned>(thread + 1));
    for (int i = 0; i < 1000; ++i) {
      const int amount = static_cast<int>(random() % 10);
      transact(space(), [&](Transaction& transaction) {
        int a = 0;
        int b = 0;
        const bool a_first = amount % 2 == 0;
        if (!read_number(transaction, a_first ? "a" : "b", a_first ? a : b)) return false;
        if (i % 16 == 0) std::this_thread::yield();  // give others a chance to come between
        if (!read_number(transaction, a_first ? "b" : "a", a_first ? b : a)) return false;
        if (a + b != kSum) ++broken;
        if (thread == 3) return true;  // one of them only reads
        write_number(transaction, "a", a - amount);
        write_number(transaction, "b", b + amount);
        return true;
      });
    }
  });
  EXPECT_EQ(broken, 0);
  EXPECT_EQ(std::stoi(committed("a")) + std::stoi(committed("b")), kSum);
}

// The same with a key that exists only half of the time: absence must be as consistent as values.
TEST_P(StoreContract, concurrent_readers_never_see_both_or_none_of_two_alternating_keys) {
  put("left", "1");
  std::atomic<int> broken = 0;
  run_threads(4, [&](int thread) {
    for (int i = 0; i < 1000; ++i) {
      transact(space(), [&](Transaction& transaction) {
        int left = 0;
        int right = 0;
        if (!read_number(transaction, "left", left)) return false;
        if (!read_number(transaction, "right", right)) return false;
        if (left + right != 1) ++broken;
        if (thread == 0) return true;
        write_number(transaction, left == 1 ? "right" : "left", 1);
        EXPECT_EQ(transaction.erase(left == 1 ? "left" : "right"), WriteStatus::ok);
        return true;
      });
    }
  });
  EXPECT_EQ(broken, 0);
}

TEST_P(StoreContract, concurrent_writers_of_several_namespaces_never_exceed_the_total) {
  constexpr std::uint64_t kMax = 20 * kv::entry_bytes(2, 100);
  kv::Limits limits;
  limits.max_total_bytes = kMax;
  make_store(limits);
  const std::array<kv::Namespace*, 4> spaces{&open("a"), &open("b"), &open("c"), &open("d")};
  std::atomic<int> exceeded = 0;
  run_threads(4, [&](int thread) {
    std::mt19937 random(static_cast<unsigned>(thread + 1));
    for (int i = 0; i < 2000; ++i) {
      Transaction transaction(store(), *spaces[static_cast<std::size_t>(thread)]);
      const std::string key = std::to_string(10 + random() % 20);
      const kv::WriteStatus written = random() % 3 == 0
                                          ? transaction.erase(key)
                                          : transaction.set(key, std::string(random() % 101, 'v'));
      if (written != WriteStatus::ok) continue;
      (void)commit_and_wait(transaction);  // done or full
      if (store().total_usage().bytes > kMax) ++exceeded;
    }
  });
  EXPECT_EQ(exceeded, 0);
  kv::Usage sum;
  for (kv::Namespace* space : spaces) {
    expect_usage_is_recount(*space);
    sum.keys += store().usage(*space).keys;
    sum.bytes += store().usage(*space).bytes;
  }
  EXPECT_EQ(store().total_usage().keys, sum.keys);
  EXPECT_EQ(store().total_usage().bytes, sum.bytes);
}

// Half of the increments are made under exclusivity, which is released on other threads at times.
TEST_P(StoreContract, concurrent_increments_with_and_without_exclusivity_are_all_counted) {
  constexpr int kThreads = 4;
  constexpr int kTimes = 200;
  const auto increment = [](Transaction& transaction) {
    int number = 0;
    if (!read_number(transaction, "counter", number)) return false;
    write_number(transaction, "counter", number + 1);
    return true;
  };
  const auto increment_exclusively = [&] {
    std::promise<std::unique_ptr<kv::Exclusivity>> granted;
    std::future<std::unique_ptr<kv::Exclusivity>> late = granted.get_future();
    store().request_exclusive(
        space(), [granted = std::move(granted)](std::unique_ptr<kv::Exclusivity> lease) mutable {
          granted.set_value(std::move(lease));
        });
    const std::unique_ptr<kv::Exclusivity> lease = late.get();
    transact(space(), increment, lease.get());
  };
  run_threads(kThreads, [&](int thread) {
    for (int i = 0; i < kTimes; ++i) {
      if (thread % 2 == 0) {
        transact(space(), increment);
      } else {
        increment_exclusively();
      }
    }
  });
  EXPECT_EQ(committed("counter"), std::to_string(kThreads * kTimes));
}

}  // namespace
}  // namespace helios::test
