// SPDX-License-Identifier: Apache-2.0
#include "anchors/anchor_keeper.hpp"

#include "support/capture_log.hpp"
#include "support/fake_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <utility>

namespace helios::anchors {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const StreamId kTrail = {.space = "audit-chain", .stream = "trail"};

AnchorPlan to_file(std::int64_t interval_ms, std::string file = "f") {
  return {.stream = kTrail, .interval_ms = interval_ms, .file = std::move(file), .post = {}};
}

AnchorPlan to_address(std::int64_t interval_ms) {
  return {.stream = kTrail,
          .interval_ms = interval_ms,
          .file = {},
          .post = PostTarget{.url = "u", .token_file = {}, .ca_file = {}}};
}

class AnchorKeeperTest : public testing::Test {
 protected:
  [[nodiscard]] AnchorPorts ports() {
    return {.read_head = [this](const StreamId&) -> base::Result<std::optional<kv::StreamRecord>> {
              if (!error_.empty()) return base::fail(base::Errc::unavailable, error_);
              if (head_ == 0) return std::optional<kv::StreamRecord>();
              kv::StreamRecord record;
              record.number = head_;
              return std::optional(record);
            },
            .append = [this](const std::string& path, std::string_view line) -> base::Result<void> {
              return keep(path, line);
            },
            .post = [this](const PostTarget& target, std::string_view body) -> base::Result<void> {
              timeouts_.push_back(target.timeout_ms);
              clock_.advance_ms(takes_ms_);
              return keep(target.url, body);
            }};
  }

  base::Result<void> keep(const std::string& where, std::string_view what) {
    if (is_full_ || where == broken_)
      return base::fail(base::Errc::unavailable, where + " is full");
    kept_.push_back(where + " " + std::string(what.substr(0, 1)));
    if (on_kept_) on_kept_();
    return {};
  }

  void pass(std::int64_t ms) {
    clock_.advance_ms(ms);
    static_cast<void>(keeper_.run_due());
  }

  test::FakeClock clock_;
  test::CaptureLog log_;
  kv::RecordNumber head_ = 7;
  std::string error_;
  bool is_full_ = false;
  std::string broken_;  // the place that keeps nothing
  std::function<void()> on_kept_;
  std::int64_t takes_ms_ = 0;
  std::vector<std::string> kept_;
  std::vector<std::uint32_t> timeouts_;
  AnchorKeeper keeper_{ports(), clock_, log_};
};

TEST_F(AnchorKeeperTest, anchor_is_made_at_once_and_then_every_interval) {
  keeper_.set({to_file(10'000)});
  EXPECT_EQ(keeper_.run_due(), 10'001);
  EXPECT_EQ(kept_.size(), 1U);
  pass(9'999);
  EXPECT_EQ(kept_.size(), 1U);
  pass(1);
  EXPECT_EQ(kept_.size(), 2U);
  EXPECT_EQ(keeper_.stats().kept, 2U);
  EXPECT_EQ(keeper_.stats().last_kept_ms, clock_.wall_ms());
  EXPECT_EQ(log_.count("anchor: 2024-01-01T00:00:10.000Z audit-chain/trail 7:"), 1U);
}

TEST_F(AnchorKeeperTest, each_plan_has_its_own_time_and_place) {
  keeper_.set({to_file(10'000), to_address(30'000)});
  pass(0);
  EXPECT_THAT(kept_, ElementsAre("f 2", "u {"));
  pass(10'000);
  EXPECT_THAT(kept_, ElementsAre("f 2", "u {", "f 2"));
}

TEST_F(AnchorKeeperTest, what_fails_is_tried_again_within_a_minute_and_said_once) {
  is_full_ = true;
  keeper_.set({to_file(3'600'000)});
  pass(0);
  const std::string why = "no anchor of audit-chain/trail in f: f is full";
  EXPECT_THAT(keeper_.health(), ElementsAre(why));
  pass(AnchorKeeper::kRetryMs);
  EXPECT_EQ(keeper_.stats().failures, 2U);
  EXPECT_EQ(log_.count(base::LogLevel::error, why), 1U);
  is_full_ = false;
  pass(AnchorKeeper::kRetryMs);
  EXPECT_THAT(keeper_.health(), IsEmpty());
  EXPECT_EQ(kept_.size(), 1U);
  pass(3'599'999);
  EXPECT_EQ(kept_.size(), 1U);
}

TEST_F(AnchorKeeperTest, stream_that_is_not_there_or_cannot_be_read_is_said) {
  head_ = 0;
  keeper_.set({to_file(1'000)});
  pass(0);
  EXPECT_THAT(keeper_.health(),
              ElementsAre("no anchor of audit-chain/trail in f: there is no record yet"));
  error_ = "the disk is gone";
  pass(1'000);
  EXPECT_THAT(keeper_.health(),
              ElementsAre("no anchor of audit-chain/trail in f: the disk is gone"));
}

TEST_F(AnchorKeeperTest, plan_that_is_furthest_behind_is_what_the_gauge_shows) {
  broken_ = "g";
  keeper_.set({to_file(1'000)});
  pass(0);
  EXPECT_EQ(keeper_.stats().last_kept_ms, clock_.wall_ms());
  keeper_.set({to_file(1'000), to_file(1'000, "g")});
  pass(1'000);
  EXPECT_EQ(keeper_.stats().last_kept_ms, 0);
  broken_.clear();
  const std::int64_t kept_ms = clock_.wall_ms() + 1'000;
  pass(1'000);
  EXPECT_EQ(keeper_.stats().last_kept_ms, kept_ms);
  broken_ = "g";
  pass(5'000);
  EXPECT_EQ(keeper_.stats().last_kept_ms, kept_ms);
}

TEST_F(AnchorKeeperTest, files_do_not_wait_for_addresses) {
  keeper_.set({to_address(1'000), to_file(1'000)});
  pass(0);
  EXPECT_THAT(kept_, ElementsAre("f 2", "u {"));
}

TEST_F(AnchorKeeperTest, other_plans_do_not_wait_for_the_rest_of_a_round) {
  keeper_.set({to_file(1'000), to_file(2'000), to_file(3'000)});
  on_kept_ = [this] { keeper_.set({to_file(1'000, "g")}); };
  EXPECT_EQ(keeper_.run_due(), 1);
  on_kept_ = nullptr;
  pass(0);
  EXPECT_THAT(kept_, ElementsAre("f 2", "g 2"));
}

TEST_F(AnchorKeeperTest, plan_that_was_there_before_keeps_its_time) {
  keeper_.set({to_file(10'000)});
  pass(0);
  keeper_.set({to_file(10'000), to_file(10'000, "g")});
  pass(5'000);
  EXPECT_THAT(kept_, ElementsAre("f 2", "g 2"));
  keeper_.set({});
  pass(100'000);
  EXPECT_EQ(kept_.size(), 2U);
}

TEST_F(AnchorKeeperTest, trouble_of_a_plan_that_is_gone_is_forgotten) {
  is_full_ = true;
  keeper_.set({to_file(10'000)});
  pass(0);
  keeper_.set({});
  pass(0);
  EXPECT_THAT(keeper_.health(), IsEmpty());
}

TEST_F(AnchorKeeperTest, last_anchors_are_made_at_the_end) {
  keeper_.set({to_file(3'600'000), to_address(3'600'000)});
  pass(0);
  keeper_.start();
  keeper_.stop();
  EXPECT_THAT(kept_, ElementsAre("f 2", "u {", "f 2", "u {"));
  EXPECT_THAT(timeouts_, ElementsAre(10'000U, AnchorKeeper::kFarewellMs));
}

TEST_F(AnchorKeeperTest, end_does_not_wait_for_addresses_for_long) {
  keeper_.set({to_address(3'600'000), to_address(3'600'000), to_file(3'600'000)});
  pass(0);
  kept_.clear();
  takes_ms_ = AnchorKeeper::kFarewellMs;
  keeper_.start();
  keeper_.stop();
  EXPECT_THAT(kept_, ElementsAre("f 2", "u {"));
  EXPECT_EQ(log_.count("no last anchor of audit-chain/trail to u: others took too long"), 1U);
}

TEST_F(AnchorKeeperTest, end_without_a_beginning_makes_none) {
  keeper_.set({to_file(1'000)});
  keeper_.stop();
  EXPECT_THAT(kept_, IsEmpty());
}

}  // namespace
}  // namespace helios::anchors
