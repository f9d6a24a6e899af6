// SPDX-License-Identifier: Apache-2.0

// What an answer rests on is waited for in every store that it names, and only what a plugin insists on can be missing.

#include "hooks/state_barrier.hpp"

#include "kv/memory_store.hpp"
#include "support/fake_clock.hpp"
#include "support/manual_executor.hpp"
#include "support/manual_journal.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>

namespace helios::hooks {
namespace {

class StateBarrierTest : public testing::Test {
 protected:
  StateBarrierTest() {
    here_.attach(here_journal_, {});
    shared_.attach(shared_journal_, {});
  }
  // Nobody may be left waiting when the stores end.
  ~StateBarrierTest() override {
    here_journal_.reach(kv::kEveryTicket - 1);
    shared_journal_.reach(kv::kEveryTicket - 1);
    home_.run_all();
  }

  static Receipt sum(const Receipt& first, const Receipt& second) {
    Receipt sum = first;
    sum.add(second);
    return sum;
  }
  static Receipt required(const Receipt& receipt) {
    Receipt all;
    all.add(receipt, true);
    return all;
  }
  Kept wait(const Receipt& receipt) {
    return StateBarrier::wait(receipt, home_, [this](Kept kept) { late_ = kept; });
  }
  std::optional<Kept> late() {
    home_.run_all();
    return late_;
  }

  test::FakeClock clock_;
  test::ManualJournal here_journal_;  // outlives the store
  test::ManualJournal shared_journal_;
  kv::MemoryStore here_{kv::Limits{}, clock_};
  kv::MemoryStore shared_{kv::Limits{}, clock_};
  test::ManualExecutor home_;
  std::optional<Kept> late_;
};

TEST_F(StateBarrierTest, receipt_of_nothing_is_kept) {
  EXPECT_EQ(wait({}), Kept::yes);
  EXPECT_EQ(wait(Receipt(here_, kv::kNoTicket)), Kept::yes);
}

TEST_F(StateBarrierTest, larger_ticket_of_a_store_counts) {
  const Receipt both = sum(Receipt(here_, 5), Receipt(here_, 3));
  EXPECT_EQ(wait(both), Kept::pending);
  here_journal_.reach(4);
  EXPECT_EQ(late(), std::nullopt);
  here_journal_.reach(5);
  EXPECT_EQ(late(), Kept::yes);
}

TEST_F(StateBarrierTest, what_is_kept_already_is_not_waited_for) {
  here_journal_.reach(5);
  EXPECT_EQ(wait(Receipt(here_, 5)), Kept::yes);
  EXPECT_EQ(here_journal_.waiting(), 0U);
}

TEST_F(StateBarrierTest, two_stores_are_both_waited_for) {
  for (const bool is_here_first : {true, false}) {
    const Receipt here(here_, 5);
    const Receipt shared(shared_, 900);
    late_ = std::nullopt;
    here_journal_.reach(0);
    shared_journal_.reach(0);
    EXPECT_EQ(wait(is_here_first ? sum(here, shared) : sum(shared, here)), Kept::pending);
    shared_journal_.reach(900);
    EXPECT_EQ(late(), std::nullopt) << is_here_first;
    here_journal_.reach(5);
    EXPECT_EQ(late(), Kept::yes) << is_here_first;
  }
}

TEST_F(StateBarrierTest, second_store_may_have_it_while_the_first_is_waited_for) {
  EXPECT_EQ(wait(sum(Receipt(here_, 5), Receipt(shared_, 900))), Kept::pending);
  here_journal_.reach(5);
  EXPECT_EQ(late(), std::nullopt);
  shared_journal_.reach(900);
  EXPECT_EQ(late(), Kept::yes);
}

TEST_F(StateBarrierTest, store_that_breaks_is_no_harm_where_nobody_insists) {
  EXPECT_EQ(wait(sum(Receipt(here_, 5), required(Receipt(shared_, 900)))), Kept::pending);
  here_journal_.break_down();
  EXPECT_EQ(late(), std::nullopt) << "the other one is waited for all the same";
  shared_journal_.reach(900);
  EXPECT_EQ(late(), Kept::yes);
  EXPECT_EQ(wait(Receipt(here_, 6)), Kept::yes) << "it is broken already";
}

TEST_F(StateBarrierTest, store_that_breaks_is_told_where_somebody_insists) {
  EXPECT_EQ(wait(sum(required(Receipt(here_, 5)), Receipt(shared_, 900))), Kept::pending);
  here_journal_.break_down();
  EXPECT_EQ(late(), Kept::no);
  EXPECT_EQ(shared_journal_.waiting(), 0U);
  EXPECT_EQ(wait(required(Receipt(here_, 6))), Kept::no) << "it is broken already";
}

TEST_F(StateBarrierTest, later_commit_that_nobody_insists_on_may_be_lost) {
  EXPECT_EQ(wait(sum(required(Receipt(here_, 5)), Receipt(here_, 6))), Kept::pending);
  here_journal_.reach(5);
  here_journal_.break_down();
  EXPECT_EQ(late(), Kept::yes);
}

TEST_F(StateBarrierTest, what_was_required_once_stays_so) {
  Receipt sum_of_sums;
  sum_of_sums.add(required(Receipt(here_, 5)));
  EXPECT_EQ(wait(sum_of_sums), Kept::pending);
  here_journal_.break_down();
  EXPECT_EQ(late(), Kept::no);
}

}  // namespace
}  // namespace helios::hooks
