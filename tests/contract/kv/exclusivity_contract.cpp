// SPDX-License-Identifier: Apache-2.0

// Exclusivity: who holds it writes alone, the others wait in order and nobody blocks.

#include "store_contract.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace helios::test {
namespace {

using kv::CommitStatus;
using kv::Transaction;
using kv::WriteStatus;
using Lease = std::unique_ptr<kv::Exclusivity>;

TEST_P(StoreContract, exclusivity_of_a_free_namespace_is_granted) {
  Lease lease;
  store().request_exclusive(space(), [&](Lease granted) { lease = std::move(granted); });
  settle();
  EXPECT_NE(lease, nullptr);
}

TEST_P(StoreContract, exclusivity_is_granted_in_order_of_request) {
  std::vector<int> order;
  Lease lease;
  for (int i = 0; i < 3; ++i) {
    store().request_exclusive(space(), [&, i](Lease granted) {
      order.push_back(i);
      lease = std::move(granted);
    });
  }
  settle();
  EXPECT_EQ(order, std::vector<int>{0});
  lease.reset();
  settle();
  EXPECT_EQ(order, (std::vector<int>{0, 1}));
  lease.reset();
  settle();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
  lease.reset();
  settle();
}

TEST_P(StoreContract, exclusivity_that_is_not_kept_goes_to_the_next) {
  int granted = 0;
  for (int i = 0; i < 3; ++i) store().request_exclusive(space(), [&](Lease) { ++granted; });
  settle();
  EXPECT_EQ(granted, 3);
  put("k", "v");
}

TEST_P(StoreContract, exclusivity_of_one_namespace_leaves_others_alone) {
  Lease lease;
  store().request_exclusive(space(), [&](Lease granted) { lease = std::move(granted); });
  settle();
  Transaction transaction(store(), open("other"));
  ASSERT_EQ(transaction.set("k", "v"), WriteStatus::ok);
  EXPECT_EQ(commit(transaction), CommitStatus::done);
}

TEST_P(StoreContract, holder_commits_while_others_wait_for_its_end) {
  put("k", "0");
  Lease lease;
  store().request_exclusive(space(), [&](Lease granted) { lease = std::move(granted); });
  settle();
  ASSERT_NE(lease, nullptr);

  Transaction blind(store(), space());
  ASSERT_EQ(blind.set("other", "v"), WriteStatus::ok);
  const auto blind_answer = start_commit(blind);
  EXPECT_FALSE(blind_answer->is_known());
  EXPECT_EQ(committed("other"), "-");

  Transaction holder(store(), space(), lease.get());
  EXPECT_EQ(get(holder, "k"), "0");
  ASSERT_EQ(holder.set("k", "1"), WriteStatus::ok);
  EXPECT_EQ(commit(holder), CommitStatus::done);
  EXPECT_EQ(committed("k"), "1");
  EXPECT_FALSE(blind_answer->is_known());

  lease.reset();
  settle();
  ASSERT_TRUE(blind_answer->is_known());
  EXPECT_EQ(blind_answer->status(), CommitStatus::done);
  EXPECT_EQ(blind_answer->times_called(), 1);
  EXPECT_EQ(committed("other"), "v");
}

TEST_P(StoreContract, waiting_commit_whose_read_the_holder_changed_is_conflict) {
  put("k", "0");
  Transaction changed(store(), space());
  EXPECT_EQ(get(changed, "k"), "0");
  ASSERT_EQ(changed.set("result", "x"), WriteStatus::ok);
  Transaction unchanged(store(), space());
  EXPECT_EQ(get(unchanged, "nothing"), "-");
  ASSERT_EQ(unchanged.set("fine", "x"), WriteStatus::ok);

  Lease lease;
  store().request_exclusive(space(), [&](Lease granted) { lease = std::move(granted); });
  settle();
  const auto changed_answer = start_commit(changed);
  const auto unchanged_answer = start_commit(unchanged);
  Transaction holder(store(), space(), lease.get());
  ASSERT_EQ(holder.set("k", "1"), WriteStatus::ok);
  EXPECT_EQ(commit(holder), CommitStatus::done);
  EXPECT_FALSE(changed_answer->is_known());

  lease.reset();
  settle();
  EXPECT_EQ(changed_answer->status(), CommitStatus::conflict);
  EXPECT_EQ(unchanged_answer->status(), CommitStatus::done);
  EXPECT_EQ(committed("result"), "-");
  EXPECT_EQ(committed("fine"), "x");
}

TEST_P(StoreContract, waiting_commits_are_decided_in_their_order) {
  Transaction first(store(), space());
  Transaction second(store(), space());
  for (Transaction* transaction : {&first, &second}) {
    EXPECT_EQ(get(*transaction, "k"), "-");
  }
  ASSERT_EQ(first.set("k", "first"), WriteStatus::ok);
  ASSERT_EQ(second.set("k", "second"), WriteStatus::ok);
  Lease lease;
  store().request_exclusive(space(), [&](Lease granted) { lease = std::move(granted); });
  settle();
  const auto second_answer = start_commit(second);
  const auto first_answer = start_commit(first);
  lease.reset();
  settle();
  EXPECT_EQ(second_answer->status(), CommitStatus::done);
  EXPECT_EQ(first_answer->status(), CommitStatus::conflict);
}

TEST_P(StoreContract, waiting_commits_are_decided_before_the_next_holder) {
  Lease lease;
  store().request_exclusive(space(), [&](Lease granted) { lease = std::move(granted); });
  settle();
  Transaction waiting(store(), space());
  ASSERT_EQ(waiting.set("k", "v"), WriteStatus::ok);
  const auto answer = start_commit(waiting);
  bool was_decided = false;  // its answer may wait for the disk
  Lease next;
  store().request_exclusive(space(), [&](Lease granted) {
    was_decided = item("k").has_value();
    next = std::move(granted);
  });
  settle();
  EXPECT_EQ(next, nullptr);
  lease.reset();
  settle();
  ASSERT_NE(next, nullptr);
  EXPECT_TRUE(was_decided);
  Transaction holder(store(), space(), next.get());
  EXPECT_EQ(get(holder, "k"), "v");
}

TEST_P(StoreContract, waiting_commit_without_room_is_full) {
  kv::Limits limits;
  limits.max_keys_per_namespace = 1;
  make_store(limits);
  Transaction waiting(store(), space());
  ASSERT_EQ(waiting.set("a", "v"), WriteStatus::ok);
  Lease lease;
  store().request_exclusive(space(), [&](Lease granted) { lease = std::move(granted); });
  settle();
  const auto answer = start_commit(waiting);
  Transaction holder(store(), space(), lease.get());
  ASSERT_EQ(holder.set("b", "v"), WriteStatus::ok);
  EXPECT_EQ(commit(holder), CommitStatus::done);
  lease.reset();
  settle();
  EXPECT_EQ(answer->status(), CommitStatus::full);
}

TEST_P(StoreContract, reads_and_read_only_commits_go_on_under_exclusivity) {
  put("k", "0");
  Lease lease;
  store().request_exclusive(space(), [&](Lease granted) { lease = std::move(granted); });
  settle();
  Transaction reader(store(), space());
  EXPECT_EQ(get(reader, "k"), "0");
  EXPECT_EQ(commit(reader), CommitStatus::done);
  EXPECT_EQ(store().scan(space(), {}).items.size(), 1U);
}

// The holder of an attempt that kept failing: nobody can fail it any more.
TEST_P(StoreContract, attempt_begun_under_exclusivity_always_commits) {
  put("k", "0");
  Lease lease;
  store().request_exclusive(space(), [&](Lease granted) { lease = std::move(granted); });
  settle();
  Transaction holder(store(), space(), lease.get());
  EXPECT_EQ(get(holder, "k"), "0");
  ASSERT_EQ(holder.set("k", "holder"), WriteStatus::ok);
  Transaction rival(store(), space());
  EXPECT_EQ(get(rival, "k"), "0");
  ASSERT_EQ(rival.set("k", "rival"), WriteStatus::ok);
  const auto rival_answer = start_commit(rival);
  EXPECT_EQ(commit(holder), CommitStatus::done);
  lease.reset();
  settle();
  EXPECT_EQ(rival_answer->status(), CommitStatus::conflict);
  EXPECT_EQ(committed("k"), "holder");
}

// A callback may use the store, also to give up and ask for exclusivity again, any number of times.
TEST_P(StoreContract, callbacks_may_chain_without_end) {
  constexpr int kRounds = 100'000;
  int rounds = 0;
  std::function<void(Lease)> again = [&](Lease lease) {
    ++rounds;
    lease.reset();
    if (rounds < kRounds) store().request_exclusive(space(), again);
  };
  store().request_exclusive(space(), again);
  settle();
  EXPECT_EQ(rounds, kRounds);
}

// What a callback holds is let go with no lock held, too.
TEST_P(StoreContract, callback_may_use_the_store_while_it_is_destroyed) {
  Lease lease;
  store().request_exclusive(space(), [&](Lease granted) { lease = std::move(granted); });
  settle();
  Transaction waiting(store(), space());
  ASSERT_EQ(waiting.set("k", "v"), WriteStatus::ok);
  std::uint64_t keys_seen = 0;
  const auto look = [&](const int*) { keys_seen = store().usage(space()).keys; };
  static const int kAnything = 0;
  std::unique_ptr<const int, decltype(look)> held(&kAnything, look);
  ASSERT_EQ(waiting.commit([held = std::move(held)](CommitStatus) {}), CommitStatus::pending);
  settle();
  lease.reset();
  settle();
  EXPECT_EQ(keys_seen, 1U);
}

TEST_P(StoreContract, many_waiting_requests_are_granted_without_recursion) {
  constexpr int kRequests = 50'000;
  Lease lease;
  store().request_exclusive(space(), [&](Lease granted) { lease = std::move(granted); });
  settle();
  int granted = 0;
  for (int i = 0; i < kRequests; ++i) {
    store().request_exclusive(space(), [&](Lease next) {
      ++granted;
      next.reset();
    });
  }
  lease.reset();
  settle();
  EXPECT_EQ(granted, kRequests);
}

TEST_P(StoreContract, commit_callback_may_commit_again) {
  Lease lease;
  store().request_exclusive(space(), [&](Lease granted) { lease = std::move(granted); });
  settle();
  Transaction waiting(store(), space());
  ASSERT_EQ(waiting.set("k", "1"), WriteStatus::ok);
  CommitStatus second_status = CommitStatus::failed;
  const CommitStatus first_status = waiting.commit([&](CommitStatus status) {
    EXPECT_EQ(status, CommitStatus::done);
    waiting.reset();
    EXPECT_EQ(waiting.set("k", "2"), WriteStatus::ok);
    const CommitStatus at_once = waiting.commit([&](CommitStatus late) { second_status = late; });
    if (at_once != CommitStatus::pending) second_status = at_once;
  });
  EXPECT_EQ(first_status, CommitStatus::pending);
  settle();
  lease.reset();
  settle();
  EXPECT_EQ(second_status, CommitStatus::done);
  EXPECT_EQ(committed("k"), "2");
}

}  // namespace
}  // namespace helios::test
