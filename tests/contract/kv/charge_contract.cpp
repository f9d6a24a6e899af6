// SPDX-License-Identifier: Apache-2.0

// Charges: what they answer, what of them conflicts, and what they come to.

#include "store_contract.hpp"

#include <atomic>
#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace helios::test {
namespace {

using kv::ChargeStatus;
using kv::CommitStatus;
using kv::CounterCharge;
using kv::Transaction;
using kv::WriteStatus;

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

// A number as the store keeps it.
std::string bytes(std::int64_t number) { return std::string(kv::number_bytes(number)); }

CounterCharge by(std::int64_t amount, std::int64_t limit = kMax) {
  return {.amount = amount, .limit = limit};
}

// Of a bucket of three tokens, one of which comes back in a second.
kv::BucketDraw draw(std::int64_t cost, std::int64_t now_ms) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return {.rate = *kv::rate_of(3, 1, kSecond).rate, .cost = cost, .now_ns = now_ms * 1'000'000};
}

TEST_P(StoreContract, charge_is_made_up_to_the_limit_and_not_beyond) {
  Transaction transaction(store(), space());
  EXPECT_EQ(charge(transaction, "c", by(11, 10)).status, ChargeStatus::refused);
  EXPECT_EQ(charge(transaction, "c", by(10, 10)).status, ChargeStatus::made);
  EXPECT_EQ(charge(transaction, "c", by(1, 10)).status, ChargeStatus::refused);
  EXPECT_EQ(charge(transaction, "c", by(0, 10)).status, ChargeStatus::made);
  EXPECT_EQ(charge(transaction, "c", by(0, 9)).status, ChargeStatus::refused);
  EXPECT_EQ(charge(transaction, "c", by(-10, 1)).status, ChargeStatus::refused);
  EXPECT_EQ(charge(transaction, "c", by(-9, 1)).status, ChargeStatus::made);
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  EXPECT_EQ(committed("c"), bytes(1));
}

TEST_P(StoreContract, sum_beyond_64_bits_is_beyond_every_limit) {
  put("most", bytes(kMax));
  put("least", bytes(kMin));
  Transaction transaction(store(), space());
  EXPECT_EQ(charge(transaction, "most", by(1, kMax)).status, ChargeStatus::refused);
  EXPECT_EQ(charge(transaction, "least", by(-1, kMin)).status, ChargeStatus::refused);
  EXPECT_EQ(charge(transaction, "most", by(kMin, kMin)).status, ChargeStatus::made);
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  EXPECT_EQ(committed("most"), bytes(-1));
}

TEST_P(StoreContract, charges_that_only_ask_make_nothing) {
  Transaction transaction(store(), space());
  EXPECT_EQ(charge(transaction, "c", by(0)).status, ChargeStatus::made);
  EXPECT_EQ(charge(transaction, "d", by(5, 4)).status, ChargeStatus::refused);
  EXPECT_FALSE(transaction.has_changes());
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  EXPECT_EQ(store().usage(space()).keys, 0U);
}

TEST_P(StoreContract, transactions_that_only_charge_one_key_do_not_conflict) {
  Transaction one(store(), space());
  Transaction other(store(), space());
  EXPECT_EQ(charge(one, "c", by(3, 10)).status, ChargeStatus::made);
  EXPECT_EQ(charge(other, "c", by(4, 10)).status, ChargeStatus::made);
  EXPECT_EQ(charge(one, "c", by(2, 10)).status, ChargeStatus::made);
  EXPECT_EQ(commit(other), CommitStatus::done);
  EXPECT_EQ(charge(one, "c", by(1, 10)).status, ChargeStatus::made);
  EXPECT_EQ(commit(one), CommitStatus::done);
  EXPECT_EQ(committed("c"), bytes(10));
}

TEST_P(StoreContract, charge_that_does_not_fit_any_more_is_conflict) {
  Transaction one(store(), space());
  Transaction other(store(), space());
  EXPECT_EQ(charge(one, "c", by(6, 10)).status, ChargeStatus::made);
  EXPECT_EQ(charge(other, "c", by(6, 10)).status, ChargeStatus::made);
  EXPECT_EQ(commit(other), CommitStatus::done);
  EXPECT_EQ(commit(one), CommitStatus::conflict);
  EXPECT_EQ(committed("c"), bytes(6));
}

TEST_P(StoreContract, refused_charge_that_would_fit_now_is_conflict) {
  put("c", bytes(10));
  Transaction transaction(store(), space());
  EXPECT_EQ(charge(transaction, "c", by(1, 10)).status, ChargeStatus::refused);
  put("c", bytes(9));
  EXPECT_EQ(commit(transaction), CommitStatus::conflict);
}

TEST_P(StoreContract, refused_charge_that_still_would_be_is_done) {
  put("c", bytes(10));
  Transaction transaction(store(), space());
  EXPECT_EQ(charge(transaction, "c", by(1, 10)).status, ChargeStatus::refused);
  put("c", bytes(11));
  EXPECT_EQ(commit(transaction), CommitStatus::done);
}

TEST_P(StoreContract, value_that_became_no_number_is_conflict) {
  Transaction transaction(store(), space());
  EXPECT_EQ(charge(transaction, "c", by(1)).status, ChargeStatus::made);
  put("c", "text");
  EXPECT_EQ(commit(transaction), CommitStatus::conflict);
}

TEST_P(StoreContract, read_behind_a_charge_shows_it_and_counts_by_version) {
  put("c", bytes(1));
  Transaction transaction(store(), space());
  EXPECT_EQ(charge(transaction, "c", by(2)).status, ChargeStatus::made);
  EXPECT_EQ(charge(transaction, "c", by(3)).status, ChargeStatus::made);
  EXPECT_EQ(get(transaction, "c"), bytes(6));
  EXPECT_EQ(charge(transaction, "c", by(4)).status, ChargeStatus::made);
  EXPECT_EQ(get(transaction, "c"), bytes(10));
  Transaction other(store(), space());
  EXPECT_EQ(charge(other, "c", by(1)).status, ChargeStatus::made);
  EXPECT_EQ(commit(other), CommitStatus::done);
  EXPECT_EQ(commit(transaction), CommitStatus::conflict);
  EXPECT_EQ(committed("c"), bytes(2));
}

TEST_P(StoreContract, charge_behind_a_read_counts_by_version) {
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "c"), "-");
  EXPECT_EQ(charge(transaction, "c", by(2)).status, ChargeStatus::made);
  put("c", bytes(1));
  EXPECT_EQ(commit(transaction), CommitStatus::conflict);
  EXPECT_EQ(committed("c"), bytes(1));
}

TEST_P(StoreContract, scan_shows_what_was_charged_and_counts_by_version) {
  put("c", bytes(1));
  Transaction transaction(store(), space());
  EXPECT_EQ(charge(transaction, "b", by(2)).status, ChargeStatus::made);
  EXPECT_EQ(charge(transaction, "c", by(2)).status, ChargeStatus::made);
  EXPECT_EQ(charge(transaction, "d", by(2)).status, ChargeStatus::made);
  EXPECT_EQ(keys_of(transaction, {.after = "b"}), "c d");
  Transaction other(store(), space());
  EXPECT_EQ(charge(other, "b", by(1)).status, ChargeStatus::made);
  EXPECT_EQ(charge(other, "c", by(1)).status, ChargeStatus::made);
  EXPECT_EQ(commit(other), CommitStatus::done);
  EXPECT_EQ(commit(transaction), CommitStatus::conflict);
}

TEST_P(StoreContract, write_behind_a_charge_takes_its_place_and_the_answer_still_counts) {
  Transaction transaction(store(), space());
  EXPECT_EQ(charge(transaction, "c", by(5, 10)).status, ChargeStatus::made);
  EXPECT_EQ(transaction.set("c", "text"), WriteStatus::ok);
  EXPECT_EQ(charge(transaction, "c", by(1)).status, ChargeStatus::not_a_number);
  EXPECT_EQ(get(transaction, "c"), "text");
  put("c", bytes(5));
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  EXPECT_EQ(committed("c"), "text");

  put("c", bytes(5));
  transaction.reset();
  EXPECT_EQ(charge(transaction, "c", by(5, 10)).status, ChargeStatus::made);
  EXPECT_EQ(transaction.erase("c"), WriteStatus::ok);
  EXPECT_EQ(charge(transaction, "c", by(7, 7)).status, ChargeStatus::made);
  EXPECT_EQ(get(transaction, "c"), bytes(7));
  put("c", bytes(6));
  EXPECT_EQ(commit(transaction), CommitStatus::conflict);
}

TEST_P(StoreContract, answer_that_is_no_number_counts_as_a_read) {
  put("c", "text");
  Transaction transaction(store(), space());
  EXPECT_EQ(charge(transaction, "c", by(1)).status, ChargeStatus::not_a_number);
  EXPECT_EQ(charge(transaction, "d", by(1)).status, ChargeStatus::made);
  put("c", "other");
  EXPECT_EQ(commit(transaction), CommitStatus::conflict);
}

TEST_P(StoreContract, charge_of_what_cannot_be_a_key_is_not_admitted) {
  Transaction transaction(store(), space());
  const kv::ChargeAnswer answer = transaction.charge("", by(1));
  EXPECT_EQ(answer.status, ChargeStatus::not_admitted);
  EXPECT_EQ(answer.write, WriteStatus::invalid_key);
}

TEST_P(StoreContract, reads_and_charges_hold_at_one_moment) {
  put("a", "1");
  Transaction transaction(store(), space());
  EXPECT_EQ(get(transaction, "a"), "1");
  put("a", "2");
  put("c", bytes(3));
  EXPECT_EQ(charge(transaction, "c", by(1)).status, ChargeStatus::ended);

  transaction.reset();
  EXPECT_EQ(charge(transaction, "c", by(1, 10)).status, ChargeStatus::made);
  put("c", bytes(4));
  put("a", "3");
  EXPECT_EQ(get(transaction, "a"), "3") << "the answer still holds";
  put("c", bytes(10));
  put("a", "4");
  EXPECT_EQ(get(transaction, "a"), "doomed");
}

TEST_P(StoreContract, counter_that_a_charge_makes_ends_when_it_says_and_keeps_that_time) {
  const std::int64_t end = store().now_ms() + 100;
  for (int i = 0; i < 2; ++i) {
    Transaction transaction(store(), space());
    const CounterCharge ending{.amount = 2, .limit = 10, .expires_at_ms = end + 1000 * i};
    EXPECT_EQ(charge(transaction, "c", ending).status, ChargeStatus::made);
    EXPECT_EQ(commit(transaction), CommitStatus::done);
    EXPECT_EQ(item("c")->expires_at_ms, end);
    clock_.advance_ms(50);
  }
  clock_.advance_ms(50);
  Transaction transaction(store(), space());
  EXPECT_EQ(charge(transaction, "c", by(10, 10)).status, ChargeStatus::made);
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  EXPECT_EQ(item("c")->value, bytes(10));
  EXPECT_EQ(item("c")->expires_at_ms, kv::kNeverExpires);
}

TEST_P(StoreContract, charge_of_a_counter_that_ended_and_went_meanwhile_begins_anew) {
  put("c", bytes(4), store().now_ms() + 100);
  put("other", bytes(1), store().now_ms() + 1000);
  Transaction transaction(store(), space());
  EXPECT_EQ(charge(transaction, "c", by(5, 10)).status, ChargeStatus::made);
  clock_.advance_ms(100);
  put("x", "lets what has expired be removed");
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  EXPECT_EQ(committed("c"), bytes(5));
}

TEST_P(StoreContract, draws_do_not_conflict_while_there_are_tokens) {
  const std::int64_t now_ms = store().now_ms();
  Transaction one(store(), space());
  Transaction other(store(), space());
  Transaction third(store(), space());
  EXPECT_EQ(charge(one, "b", draw(2, now_ms)).status, ChargeStatus::made);
  EXPECT_EQ(charge(other, "b", draw(1, now_ms)).status, ChargeStatus::made);
  EXPECT_EQ(charge(third, "b", draw(1, now_ms)).status, ChargeStatus::made);
  EXPECT_EQ(commit(one), CommitStatus::done);
  EXPECT_EQ(commit(other), CommitStatus::done);
  EXPECT_EQ(commit(third), CommitStatus::conflict) << "the bucket is empty";
  third.reset();
  EXPECT_EQ(charge(third, "b", draw(1, now_ms)).status, ChargeStatus::refused);
  EXPECT_EQ(commit(third), CommitStatus::done);
  third.reset();
  EXPECT_EQ(charge(third, "b", draw(-3, now_ms)).status, ChargeStatus::made);
  EXPECT_EQ(commit(third), CommitStatus::done);
  EXPECT_EQ(committed("b"), "-") << "a full bucket is not kept";
}

TEST_P(StoreContract, charges_are_counted_before_they_are_made) {
  kv::Limits limits;
  limits.max_keys_per_namespace = 2;
  make_store(limits);
  put("a", bytes(1));
  Transaction transaction(store(), space());
  EXPECT_EQ(charge(transaction, "b", by(1)).status, ChargeStatus::made);
  const kv::ChargeAnswer answer = charge(transaction, "c", by(1));
  EXPECT_EQ(answer.status, ChargeStatus::not_admitted);
  EXPECT_EQ(answer.write, WriteStatus::namespace_full);
  EXPECT_EQ(charge(transaction, "c", by(2, 1)).status, ChargeStatus::refused);
  EXPECT_EQ(transaction.set("c", "v"), WriteStatus::namespace_full);
  EXPECT_EQ(charge(transaction, "a", by(1)).status, ChargeStatus::made);
  put("c", "v");
  remove("c");
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  expect_usage_is_recount(space());
}

TEST_P(StoreContract, charge_without_room_at_the_commit_is_full) {
  kv::Limits limits;
  limits.max_keys_per_namespace = 1;
  make_store(limits);
  Transaction transaction(store(), space());
  EXPECT_EQ(charge(transaction, "b", by(1)).status, ChargeStatus::made);
  put("a", "v");
  EXPECT_EQ(commit(transaction), CommitStatus::full);
  EXPECT_EQ(committed("b"), "-");
}

TEST_P(StoreContract, more_charges_than_a_transaction_may_remember_are_not_admitted) {
  kv::Limits limits;
  limits.max_transaction_records = 3;
  make_store(limits);
  Transaction transaction(store(), space());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(charge(transaction, "c", by(1)).status, ChargeStatus::made);
  EXPECT_EQ(charge(transaction, "c", by(1)).write, WriteStatus::transaction_too_large);
  EXPECT_EQ(commit(transaction), CommitStatus::done);
  EXPECT_EQ(committed("c"), bytes(3));
}

TEST_P(StoreContract, charges_wait_for_the_end_of_exclusivity_and_add_to_what_the_holder_left) {
  std::unique_ptr<kv::Exclusivity> lease;
  store().request_exclusive(space(), [&](auto granted) { lease = std::move(granted); });
  settle();
  ASSERT_NE(lease, nullptr);
  Transaction fits(store(), space());
  Transaction does_not(store(), space());
  EXPECT_EQ(charge(fits, "c", by(3, 10)).status, ChargeStatus::made);
  EXPECT_EQ(charge(does_not, "c", by(6, 10)).status, ChargeStatus::made);
  Transaction holder(store(), space(), lease.get());
  EXPECT_EQ(charge(holder, "c", by(5, 10)).status, ChargeStatus::made);
  const auto first = start_commit(fits);
  const auto second = start_commit(does_not);
  EXPECT_EQ(commit(holder), CommitStatus::done);
  EXPECT_FALSE(first->is_known() || second->is_known());
  lease.reset();
  settle();
  ASSERT_TRUE(first->is_known() && second->is_known());
  EXPECT_EQ(first->status(), CommitStatus::done);
  EXPECT_EQ(second->status(), CommitStatus::conflict);
  EXPECT_EQ(committed("c"), bytes(8));
}

TEST_P(StoreContract, concurrent_charges_of_one_key_stop_exactly_at_the_limit) {
  constexpr int kThreads = 8;
  constexpr int kTimes = 300;
  constexpr std::int64_t kMost = kThreads * kTimes / 2;
  std::atomic<int> made = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int time = 0; time < kTimes; ++time) {
          bool is_made = false;
          transact(space(), [&](Transaction& transaction) {
            const kv::ChargeAnswer answer = transaction.charge("c", by(1, kMost));
            is_made = answer.status == ChargeStatus::made;
            return answer.status != ChargeStatus::ended;
          });
          if (is_made) ++made;
        }
      });
    }
  }
  EXPECT_EQ(made, kMost);
  EXPECT_EQ(committed("c"), bytes(kMost));
}

}  // namespace
}  // namespace helios::test
