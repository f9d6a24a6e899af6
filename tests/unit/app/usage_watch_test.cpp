// SPDX-License-Identifier: Apache-2.0
//
// Quotas that are nearly used up are said once, and again after they were not.

#include "app/usage_watch.hpp"

#include "kv/memory_store.hpp"
#include "support/append_record.hpp"
#include "support/capture_log.hpp"
#include "support/fake_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace helios::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class UsageWatchTest : public testing::Test {
 protected:
  // So many keys in the namespace, no others.
  void hold(int keys, const std::string& name = "p") {
    kv::Transaction transaction(store_, **store_.open(name));
    for (int n = 0; n < 100; ++n) {
      const std::string key = std::to_string(n);
      EXPECT_EQ(n < keys ? transaction.set(key, "") : transaction.erase(key), kv::WriteStatus::ok);
    }
    EXPECT_EQ(transaction.commit({}), kv::CommitStatus::done);
    watch_.look(true);
  }

  test::FakeClock clock_;
  kv::MemoryStore store_{{.max_keys_per_namespace = 20}, clock_};
  test::CaptureLog log_;
  UsageWatch watch_{store_, log_};
};

TEST_F(UsageWatchTest, quota_is_said_at_80_percent_and_until_70) {
  hold(15);
  EXPECT_THAT(watch_.warnings(), IsEmpty());
  hold(16);
  EXPECT_THAT(watch_.warnings(),
              ElementsAre("the namespace p holds 80 % of [kv] max_keys_per_namespace = 20"));
  hold(14);
  EXPECT_THAT(watch_.warnings(),
              ElementsAre("the namespace p holds 70 % of [kv] max_keys_per_namespace = 20"));
  hold(20);
  EXPECT_EQ(log_.count("state: the namespace p holds"), 1U);
  hold(13);
  EXPECT_THAT(watch_.warnings(), IsEmpty());
  hold(17);
  EXPECT_EQ(log_.count("state: the namespace p holds"), 2U);
}

TEST_F(UsageWatchTest, raised_limit_ends_the_warning) {
  hold(20);
  EXPECT_EQ(watch_.warnings().size(), 1U);
  store_.set_limits({.max_keys_per_namespace = 100});
  watch_.look(true);
  EXPECT_THAT(watch_.warnings(), IsEmpty());
}

TEST_F(UsageWatchTest, every_quota_is_watched) {
  const std::uint64_t entry = kv::entry_bytes(1, 0);
  store_.set_limits({.max_bytes_per_namespace = 11 * entry,
                     .max_total_bytes = 12 * entry,
                     .max_stream_bytes = kv::record_bytes(10)});
  test::append_record(store_, "p", "trail", "0123456789");
  hold(10);
  EXPECT_THAT(watch_.warnings(),
              ElementsAre("all namespaces together hold 83 % of [kv] max_total_bytes = " +
                              std::to_string(12 * entry),
                          "all streams together hold 100 % of [state] max_stream_bytes = 106",
                          "the namespace p holds 90 % of [kv] max_bytes_per_namespace = " +
                              std::to_string(11 * entry)));
  watch_.look(false);
  EXPECT_EQ(watch_.warnings().size(), 2U) << "a ring is full as a matter of course";
}

TEST_F(UsageWatchTest, answer_has_an_end) {
  for (int n = 0; n < 40; ++n) hold(20, "p" + std::to_string(n));
  const auto warnings = watch_.warnings();
  EXPECT_EQ(warnings.size(), 17U);
  EXPECT_EQ(warnings.back(), "and 24 more");
}

}  // namespace
}  // namespace helios::app
