// SPDX-License-Identifier: Apache-2.0

// A disk that fails at the k-th call, for every k, and a plug that is pulled at any moment. What is found
// afterwards is the state after some first part of the transactions, which includes everything
// acknowledged. A failure names k, or the round. Every fourth k by default, each variant beginning at another
// one; with HELIOS_FAULTS=all, every k, and many more rounds.

#include "disk_fixture.hpp"
#include "support/fault_file_system.hpp"
#include "support/stream_chain.hpp"

#include <gmock/gmock.h>

#include <random>
#include <string_view>
#include <vector>

namespace helios::test {
namespace {

using kv::CommitStatus;
using kv::Durability;
using kv::Safety;
using kv::Transaction;
using kv::WriteStatus;

class FaultyDisk : public DiskFixture {
 protected:
  FaultyDisk() {
    disk_.options.file_system = files_;
    disk_.options.log_bytes = 4000;  // logs are begun, and memory flushed, all the time
  }

  static std::string value_of(int number) {
    return std::to_string(number) + std::string(number % 5 * 100, '.');
  }

  // Transaction `number` sets two keys together, deletes a third, and appends a record to a stream.
  CommitStatus run_one(int number) {
    Transaction transaction(store(), space());
    const std::string value = value_of(number);
    const std::string key = std::to_string(number % 7);
    bool is_ok = transaction.set("a" + key, value) == WriteStatus::ok;
    is_ok &= transaction.set("b" + key, value) == WriteStatus::ok;
    is_ok &= transaction.erase("a" + std::to_string((number + 3) % 7)) == WriteStatus::ok;
    is_ok &= transaction.append("log", value) == WriteStatus::ok;
    if (!is_ok) return CommitStatus::failed;
    transaction.wait_until_kept();
    return commit(transaction);
  }

  // What the first `count` transactions leave.
  static Content after(int count) {
    Content state;
    for (int number = 0; number < count; ++number) {
      const std::string value = value_of(number);
      state["a" + std::to_string(number % 7)] = value;
      state["b" + std::to_string(number % 7)] = value;
      state.erase("a" + std::to_string((number + 3) % 7));
    }
    return state;
  }

  // Runs `count` transactions until one fails; returns how many were acknowledged.
  int run(int count) {
    for (int number = 0; number < count; ++number) {
      if (run_one(number) != CommitStatus::done) return number;
    }
    return count;
  }

  // Opens the directory on a disk that works and finds the state after at least `least` transactions.
  void expect_prefix(int least, int most) {
    files_->fail_at(0, {}, false);
    disk_.open();
    const Content found = content();
    int count = least;
    while (count <= most && found != after(count)) ++count;
    EXPECT_LE(count, most) << "not the state after " << least << " to " << most << " transactions";
    EXPECT_EQ(store().usage(space()).keys, found.size());
    expect_records(count);
    // And it can be worked with.
    EXPECT_EQ(run_one(0), CommitStatus::done);
    disk_.close();
  }

  // The stream has a record of each of these transactions, and no other.
  void expect_records(int count) {
    const auto page = store().read_stream(space(), "log", {});
    ASSERT_TRUE(page) << page.error().message;
    expect_chain(*page);
    ASSERT_EQ(page->records.size(), static_cast<std::size_t>(count));
    EXPECT_EQ(page->extent.next, page->records.size() + 1);
    for (int number = 0; number < count; ++number)
      EXPECT_EQ(page->records[static_cast<std::size_t>(number)].bytes, value_of(number));
  }

  void fail_at_every_call(Durability durability, FaultFileSystem::Fault fault, bool for_ever,
                          std::uint64_t first) {
    constexpr int kTransactions = 15;
    disk_.durabilities.standard = durability;
    const std::uint64_t stride = tries_all() ? 1 : 4;
    bool was_reached = true;
    for (std::uint64_t at = tries_all() ? 1 : first; was_reached && !HasFailure(); at += stride) {
      SCOPED_TRACE("call " + std::to_string(at) + " fails");
      TemporaryFolder folder;
      disk_.options.directory = folder.path() + "/state";
      files_->fail_at(at, fault, for_ever);
      disk_.log.clear();
      int acknowledged = 0;
      if (complaint().empty()) {
        acknowledged = run(kTransactions);
        if (acknowledged < kTransactions) expect_read_only();
        disk_.close();
      }
      was_reached = files_->has_failed();
      expect_prefix(acknowledged, kTransactions);
    }
  }

  void expect_read_only() {
    EXPECT_THAT(store().health(), testing::HasSubstr(disk_.options.directory));
    Transaction transaction(store(), space());
    EXPECT_EQ(transaction.set("k", "v"), WriteStatus::failed);
    EXPECT_EQ(transaction.append("log", "v"), WriteStatus::failed);
    std::string_view value;
    EXPECT_NE(transaction.get("a0", value), kv::ReadStatus::failed);
    EXPECT_EQ(disk_.log.count("state cannot be written any more"), 1U);
  }

  std::shared_ptr<FaultFileSystem> files_ = std::make_shared<FaultFileSystem>();
};

TEST_F(FaultyDisk, strict_survives_an_error_at_every_call) {
  fail_at_every_call(Durability::strict, FaultFileSystem::Fault::io_error, false, 1);
}

TEST_F(FaultyDisk, strict_survives_a_disk_that_breaks_at_every_call) {
  fail_at_every_call(Durability::strict, FaultFileSystem::Fault::io_error, true, 2);
}

TEST_F(FaultyDisk, relaxed_survives_a_full_disk_at_every_call) {
  fail_at_every_call(Durability::relaxed, FaultFileSystem::Fault::no_space, true, 3);
}

TEST_F(FaultyDisk, relaxed_survives_a_disk_that_is_full_for_a_moment_at_every_call) {
  fail_at_every_call(Durability::relaxed, FaultFileSystem::Fault::no_space, false, 4);
}

TEST_F(FaultyDisk, plug_pulled_at_any_moment_leaves_a_prefix_with_all_that_was_on_disk) {
  constexpr int kTransactions = 100;
  const int rounds = tries_all() ? 400 : 12;
  std::mt19937 random(11);
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    TemporaryFolder folder;
    disk_.options.directory = folder.path() + "/state";
    disk_.durabilities.standard = round % 2 == 0 ? Durability::strict : Durability::relaxed;
    disk_.options.sync_interval_ms = 2;
    disk_.open();
    const int ran = run(std::uniform_int_distribution(1, kTransactions)(random));
    const auto on_disk = static_cast<int>(disk_.journal().reached(Safety::on_disk));
    files_->pull_plug();
    disk_.abandon();
    files_->lose_unsynced(random);
    expect_prefix(round % 2 == 0 ? ran : on_disk, ran);
  }
}

TEST_F(FaultyDisk, namespaces_in_memory_go_on_when_the_disk_fails) {
  disk_.durabilities.by_name["passing"] = Durability::memory;
  disk_.open();
  files_->fail_at(1, FaultFileSystem::Fault::no_space, true);
  EXPECT_EQ(run(1), 0);
  EXPECT_EQ(put("k", "v", kv::kNeverExpires, "passing"), CommitStatus::done);
  EXPECT_EQ(content("passing"), (Content{{"k", "v"}}));
  EXPECT_FALSE(store().backup(disk_.options.directory + "-copy"));
}

TEST_F(FaultyDisk, waiting_reply_hears_of_the_failure) {
  disk_.open();
  files_->fail_at(1, FaultFileSystem::Fault::io_error, false);
  Transaction transaction(store(), space());
  ASSERT_EQ(transaction.set("k", "v"), WriteStatus::ok);
  ASSERT_EQ(commit(transaction), CommitStatus::done) << "relaxed answers at once";
  std::promise<bool> kept;
  const auto on_kept = [&]() -> kv::OnReached {
    return [&](bool reached) { kept.set_value(reached); };
  };
  const auto status = store().when_kept(transaction.ticket(), on_kept);
  EXPECT_NE(status, kv::WaitStatus::reached);
  if (status == kv::WaitStatus::pending) {
    EXPECT_FALSE(kept.get_future().get());
  }
  EXPECT_NE(store().health(), "");
}

}  // namespace
}  // namespace helios::test
