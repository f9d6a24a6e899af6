// SPDX-License-Identifier: Apache-2.0
//
// Goal: a block is in force at once, on disk before the answer, there again after a restart, and over in time; where the disk
// fails it holds all the same, and says so.

#include "app/block_keeper.hpp"

#include "kv/namespace_name.hpp"
#include "kv/transaction.hpp"
#include "support/capture_log.hpp"
#include "support/fake_clock.hpp"
#include "support/manual_executor.hpp"
#include "support/pending_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace helios::app {
namespace {

using blocks::Kind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Keeper : public testing::Test {
 protected:
  void start(bool has_disk = true) {
    keeper_ = std::make_unique<BlockKeeper>(store_, control_, log_, has_disk);
    keeper_->load();
    keeper_->start(
        {.put_in_force =
             [this](const blocks::SharedBlockSet& set, auto done) {
               in_force_ = set;
               on_force_.push_back(std::move(done));
             },
         .call_after = [this](std::int64_t delay_ms,
                              base::Task task) { timers_.emplace_back(delay_ms, std::move(task)); },
         .on_blocked =
             [this](const blocks::Block& block, std::uint64_t ended) {
               told_.push_back("blocked " + block.name + ", " + std::to_string(ended));
             },
         .on_unblocked =
             [this](const blocks::Block& block, std::string_view cause) {
               told_.push_back(std::string(cause) + " " + block.name);
             }});
  }
  void block(Kind kind, std::string name, std::optional<std::int64_t> for_ms = std::nullopt,
             std::string reason = "runs wild") {
    keeper_->block(
        {.kind = kind, .name = std::move(name), .reason = std::move(reason), .for_ms = for_ms},
        on_outcome());
  }
  admin::OnBlocked on_outcome() {
    return [this](base::Result<admin::BlockOutcome> outcome) {
      outcomes_.push_back(std::move(outcome));
    };
  }
  // What every worker has answered, with so many sessions ended.
  void put_in_force(std::size_t ended = 0) {
    for (auto& done : std::exchange(on_force_, {})) done(ended);
  }
  void write() {
    disk_.run_all();
    control_.run_all();
  }
  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const blocks::Block& block : keeper_->read()) result.push_back(block.name);
    return result;
  }

  test::FakeClock clock_;
  test::CaptureLog log_;
  test::ManualExecutor disk_;
  test::ManualExecutor control_;
  test::PendingStore store_{kv::Limits{}, clock_, disk_};
  std::unique_ptr<BlockKeeper> keeper_;
  blocks::SharedBlockSet in_force_;
  std::vector<std::move_only_function<void(std::size_t)>> on_force_;
  std::vector<std::pair<std::int64_t, base::Task>> timers_;
  std::vector<std::string> told_;  // as events
  std::vector<base::Result<admin::BlockOutcome>> outcomes_;
};

TEST_F(Keeper, block_is_in_force_at_once_and_answers_when_it_is_everywhere_and_on_disk) {
  for (const bool is_disk_first : {true, false}) {
    start();
    block(Kind::agent, is_disk_first ? "bot" : "bot2");
    ASSERT_NE(in_force_, nullptr);
    if (is_disk_first) write();
    if (!is_disk_first) put_in_force(3);
    EXPECT_THAT(outcomes_, IsEmpty());
    if (is_disk_first) put_in_force(3);
    if (!is_disk_first) write();
    ASSERT_EQ(outcomes_.size(), 1U);
    ASSERT_TRUE(outcomes_[0]);
    EXPECT_EQ(outcomes_[0]->sessions_ended, 3U);
    EXPECT_TRUE(outcomes_[0]->is_kept);
    EXPECT_TRUE(keeper_->read().back().is_kept);
    outcomes_.clear();
  }
  EXPECT_EQ(log_.count("agent \"bot\" is blocked, 3 sessions ended: runs wild"), 1U);
  EXPECT_THAT(told_, ElementsAre("blocked bot, 3", "blocked bot2, 3"));
}

TEST_F(Keeper, next_process_finds_it_and_not_what_was_taken_away) {
  start();
  block(Kind::user, "ann");
  block(Kind::tenant, std::string("\xff:odd:\x01"), 5'000);
  block(Kind::user, "bob");
  write();
  keeper_->unblock(Kind::user, "bob", on_outcome());
  put_in_force();
  write();
  const auto before = keeper_->read();
  EXPECT_EQ(outcomes_.size(), 4U);
  EXPECT_EQ(told_.back(), "taken away bob");
  start();
  EXPECT_EQ(keeper_->read(), before);
  EXPECT_EQ(keeper_->snapshot()->find(Kind::user, "ann")->reason, "runs wild");
  clock_.advance_ms(5'000);
  start();
  EXPECT_THAT(names(), ElementsAre("ann"));
}

TEST_F(Keeper, is_over_in_time_everywhere) {
  start();
  block(Kind::user, "ann", 90'000);
  block(Kind::user, "bob", 2'000);
  block(Kind::user, "cid");
  ASSERT_EQ(timers_.size(), 2U);  // a look at the clock in a minute, and one in time for bob
  EXPECT_EQ(timers_[0].first, 60'000);
  EXPECT_EQ(timers_[1].first, 2'000);
  clock_.advance_ms(2'000);
  std::exchange(timers_[1].second, {})();
  EXPECT_THAT(names(), ElementsAre("ann", "cid"));
  EXPECT_EQ(in_force_->size(), 2U);
  EXPECT_EQ(log_.count("user \"bob\" is over"), 1U);
  EXPECT_THAT(told_, ElementsAre("expired bob"));
  clock_.advance_ms(58'000);
  std::exchange(timers_[0].second, {})();
  EXPECT_THAT(names(), ElementsAre("ann", "cid"));
  clock_.advance_ms(30'000);
  for (std::size_t i = 2; i < timers_.size(); ++i) std::exchange(timers_[i].second, {})();
  EXPECT_THAT(names(), ElementsAre("cid"));
}

TEST_F(Keeper, disk_that_fails_does_not_keep_anybody_in) {
  start();
  store_.fail_commits(1, kv::CommitStatus::failed);
  block(Kind::user, "ann");
  put_in_force();
  write();
  ASSERT_TRUE(outcomes_.at(0));
  EXPECT_FALSE(outcomes_[0]->is_kept);
  EXPECT_THAT(outcomes_[0]->warning, HasSubstr("until the proxy ends"));
  EXPECT_FALSE(keeper_->read().at(0).is_kept);
  EXPECT_NE(in_force_->find(Kind::user, "ann"), nullptr);
}

TEST_F(Keeper, without_a_disk_it_says_how_long_it_is_kept) {
  start(false);
  block(Kind::user, "ann");
  put_in_force();
  ASSERT_TRUE(outcomes_.at(0));
  EXPECT_FALSE(outcomes_[0]->is_kept);
  EXPECT_EQ(outcomes_[0]->warning, "");
  EXPECT_EQ(store_.find(kv::kProxyNamespace), nullptr);
  EXPECT_EQ(log_.count("kept until the proxy ends"), 1U);
}

TEST_F(Keeper, what_cannot_be_is_refused_and_changes_nothing) {
  start();
  block(Kind::user, "");
  block(Kind::user, "ann", std::nullopt, "two\nlines");
  keeper_->unblock(Kind::user, "ann", on_outcome());
  ASSERT_EQ(outcomes_.size(), 3U);
  EXPECT_EQ(outcomes_[0].error().code, base::Errc::invalid);
  EXPECT_EQ(outcomes_[1].error().code, base::Errc::invalid);
  EXPECT_EQ(outcomes_[2].error().code, base::Errc::not_found);
  EXPECT_EQ(in_force_, nullptr);
  EXPECT_THAT(on_force_, IsEmpty());
}

TEST_F(Keeper, entry_that_cannot_be_read_blocks_all_the_same) {
  kv::Namespace& space = **store_.inner().open(kv::kProxyNamespace);
  kv::Transaction transaction(store_.inner(), space);
  EXPECT_EQ(transaction.set("block:user:ann", "a newer form"), kv::WriteStatus::ok);
  EXPECT_EQ(transaction.set("block:robot:r2", "1 x"), kv::WriteStatus::ok);
  EXPECT_EQ(transaction.set("of somebody else", "x"), kv::WriteStatus::ok);
  EXPECT_EQ(transaction.commit({}), kv::CommitStatus::done);
  start();
  ASSERT_THAT(names(), ElementsAre("ann"));
  EXPECT_EQ(keeper_->read()[0].reason, "(the reason cannot be read)");
  EXPECT_EQ(log_.count("block:robot:r2"), 1U);
}

TEST_F(Keeper, blocks_are_numbers_by_kind) {
  start();
  block(Kind::user, "ann");
  block(Kind::user, "bob");
  block(Kind::agent, "bot");
  metrics::Registry registry;
  const auto registration = registry.add_source(keeper_->metrics_source());
  const std::string text = registry.render();
  EXPECT_THAT(text, HasSubstr("helios_blocks{kind=\"user\"} 2"));
  EXPECT_THAT(text, HasSubstr("helios_blocks{kind=\"database\"} 0"));
  EXPECT_THAT(text, HasSubstr("helios_blocks{kind=\"agent\"} 1"));
}

}  // namespace
}  // namespace helios::app
