// SPDX-License-Identifier: Apache-2.0

// An exception in the threads that write and sync ends neither them nor the process, and leaves nobody waiting: in a
// callback it is the callback's affair, anywhere else state cannot be written any more.

#include "disk_fixture.hpp"
#include "support/fault_log.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

namespace helios::test {
namespace {

using kv::CommitStatus;
using kv::Safety;

// Throws on every thread but the test's.
class BadClock final : public base::Clock {
 public:
  [[nodiscard]] std::int64_t monotonic_ns() const override {
    if (is_bad && std::this_thread::get_id() != home_) throw std::runtime_error("planted");
    return 1'000'000'000;
  }
  [[nodiscard]] std::int64_t wall_ms() const override { return FakeClock::kStartWallMs; }

  std::atomic<bool> is_bad = false;

 private:
  const std::thread::id home_ = std::this_thread::get_id();
};

class JournalExceptions : public testing::Test {
 protected:
  JournalExceptions() {
    disk_.options.faults = &faults_;
    disk_.open();
  }
  kv::MemoryStore& store() { return disk_.store(); }

  // Changes something, and returns what became of it.
  CommitStatus change() {
    kv::Transaction transaction(store(), **store().open("subject"));
    EXPECT_EQ(transaction.set("key", "value"), kv::WriteStatus::ok);
    std::promise<CommitStatus> answer;
    auto late = answer.get_future();
    const auto status = transaction.commit([&](CommitStatus end) { answer.set_value(end); });
    return status == CommitStatus::pending ? late.get() : status;
  }

  BadClock clock_;
  FaultLog faults_;
  DiskStore disk_{{}, clock_, kv::Durability::strict};
};

TEST_F(JournalExceptions, sync_that_throws_is_one_that_failed) {
  EXPECT_EQ(change(), CommitStatus::done);
  clock_.is_bad = true;
  EXPECT_EQ(change(), CommitStatus::failed);
  EXPECT_THAT(store().health(), testing::HasSubstr("unexpected exception"));
  EXPECT_THAT(faults_.lines(), testing::ElementsAre("state: planted"));
  EXPECT_EQ(disk_.log.count("state cannot be written any more"), 1U);
}

TEST_F(JournalExceptions, callback_that_throws_keeps_nobody_from_his) {
  EXPECT_EQ(change(), CommitStatus::done);
  std::promise<bool> called;
  auto result = called.get_future();
  const auto ask = [this](kv::OnReached callback) {
    const auto make = [&]() -> kv::OnReached { return std::move(callback); };
    return disk_.journal().wait(disk_.journal().stats().transactions + 1, Safety::on_disk, make);
  };
  EXPECT_EQ(ask([](bool) { throw std::runtime_error("planted"); }), kv::WaitStatus::pending);
  EXPECT_EQ(ask([&](bool reached) { called.set_value(reached); }), kv::WaitStatus::pending);
  EXPECT_EQ(change(), CommitStatus::done);
  EXPECT_TRUE(result.get());
  EXPECT_THAT(faults_.lines(), testing::ElementsAre("state: planted"));
  EXPECT_EQ(store().health(), "");
}

}  // namespace
}  // namespace helios::test
