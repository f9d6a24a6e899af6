// SPDX-License-Identifier: Apache-2.0

// The test double that others rely on to be late.

#include "support/pending_store.hpp"

#include "kv/transaction.hpp"
#include "support/fake_clock.hpp"
#include "support/manual_executor.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace helios::test {
namespace {

using kv::CommitStatus;
using kv::ReadStatus;
using kv::Transaction;
using kv::WriteStatus;

class PendingStoreTest : public testing::Test {
 protected:
  FakeClock clock_;
  ManualExecutor executor_;
  PendingStore store_{{}, clock_, executor_};
  kv::Namespace& space_ = **store_.open("subject");
};

TEST_F(PendingStoreTest, read_is_not_resident_until_fetched) {
  Transaction transaction(store_, space_);
  std::string_view value;
  EXPECT_EQ(transaction.get("k", value), ReadStatus::not_resident);
  EXPECT_EQ(transaction.missing_key(), "k");
  EXPECT_EQ(transaction.get("other", value), ReadStatus::not_resident) << "the attempt is over";
  bool is_ready = false;
  store_.fetch(transaction, [&] { is_ready = true; });
  EXPECT_FALSE(is_ready);
  executor_.run_all();
  EXPECT_TRUE(is_ready);
  transaction.reset();
  EXPECT_EQ(transaction.get("k", value), ReadStatus::absent);
  EXPECT_EQ(transaction.get("other", value), ReadStatus::not_resident);
  EXPECT_EQ(store_.counts().not_resident, 2U);
  EXPECT_EQ(store_.counts().fetches, 1U);
}

TEST_F(PendingStoreTest, commit_is_pending_until_the_executor_runs) {
  Transaction transaction(store_, space_);
  ASSERT_EQ(transaction.set("k", "v"), WriteStatus::ok);
  std::optional<CommitStatus> answer;
  EXPECT_EQ(transaction.commit([&](CommitStatus status) { answer = status; }),
            CommitStatus::pending);
  EXPECT_FALSE(answer);
  EXPECT_EQ(store_.inner().usage(space_).keys, 0U);
  EXPECT_TRUE(executor_.run_one());
  EXPECT_EQ(answer, CommitStatus::done);
  EXPECT_EQ(store_.inner().usage(space_).keys, 1U);
}

TEST_F(PendingStoreTest, key_is_fetched_anew_after_a_commit_that_read_it) {
  Transaction transaction(store_, space_);
  std::string_view value;
  for (int statement = 0; statement < 2; ++statement) {
    ASSERT_EQ(transaction.get("k", value), ReadStatus::not_resident);
    store_.fetch(transaction, [] {});
    executor_.run_all();
    transaction.reset();
    ASSERT_EQ(transaction.get("k", value), ReadStatus::absent);
    ASSERT_EQ(transaction.commit([](CommitStatus) {}), CommitStatus::pending);
    executor_.run_all();
    transaction.reset();
  }
}

TEST_F(PendingStoreTest, fail_commits_answers_as_told_and_writes_nothing) {
  store_.fail_commits(1, CommitStatus::failed);
  std::optional<CommitStatus> answer;
  for (const CommitStatus expected : {CommitStatus::failed, CommitStatus::done}) {
    Transaction transaction(store_, space_);
    ASSERT_EQ(transaction.set("k", "v"), WriteStatus::ok);
    ASSERT_EQ(transaction.commit([&](CommitStatus status) { answer = status; }),
              CommitStatus::pending);
    executor_.run_all();
    EXPECT_EQ(answer, expected);
    EXPECT_EQ(store_.inner().usage(space_).keys, expected == CommitStatus::done ? 1U : 0U);
  }
}

}  // namespace
}  // namespace helios::test
