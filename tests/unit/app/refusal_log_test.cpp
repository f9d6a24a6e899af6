// SPDX-License-Identifier: Apache-2.0
//
// The last refusals are kept, within bounds, and found by what they are about.

#include "app/refusal_log.hpp"

#include "support/capture_log.hpp"
#include "support/fake_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace helios::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

session::RefusalRecord record(const std::string& plugin, const std::string& tenant) {
  session::RefusalRecord record;
  record.plugin = plugin;
  record.tenant = tenant;
  record.user = "ann";
  record.reason = "no";
  record.sqlstate = "42000";
  return record;
}

class RefusalLogTest : public testing::Test {
 protected:
  static std::vector<std::uint64_t> numbers(const admin::RefusalPage& page) {
    std::vector<std::uint64_t> numbers;
    for (const auto& refusal : page.refusals) numbers.push_back(refusal.number);
    return numbers;
  }

  test::CaptureLog log_;
  test::FakeClock clock_;
  RefusalLog refusals_{log_, clock_};
};

TEST_F(RefusalLogTest, newest_are_read_and_then_those_behind) {
  for (int i = 0; i < 5; ++i) refusals_.note(record("p", "acme"));
  admin::RefusalQuery query;
  query.limit = 2;
  auto page = refusals_.read(query);
  EXPECT_THAT(numbers(page), ElementsAre(4, 5));
  EXPECT_EQ(page.last_number, 5U);
  query.after = 1;
  page = refusals_.read(query);
  EXPECT_THAT(numbers(page), ElementsAre(2, 3));
  EXPECT_EQ(page.last_number, 3U);
  query.after = 5;
  EXPECT_THAT(refusals_.read(query).refusals, IsEmpty());
  EXPECT_EQ(refusals_.read(query).last_number, 5U);
}

TEST_F(RefusalLogTest, they_are_bounded_in_number_and_bytes) {
  for (std::size_t i = 0; i < RefusalLog::kMaxRecords + 3; ++i) refusals_.note(record("p", "acme"));
  admin::RefusalQuery query;
  query.limit = RefusalLog::kMaxRecords + 3;
  EXPECT_THAT(refusals_.read(query).refusals, SizeIs(RefusalLog::kMaxRecords));
  EXPECT_EQ(refusals_.read(query).forgotten, 3U);
  auto large = record("p", "acme");
  large.reason = std::string(4096, 'x');
  for (std::size_t i = 0; i < RefusalLog::kMaxRecords; ++i) refusals_.note(large);
  EXPECT_LT(refusals_.read(query).refusals.size(), RefusalLog::kMaxBytes / 4096);
}

TEST_F(RefusalLogTest, one_line_for_each_but_not_without_end) {
  for (std::uint32_t i = 0; i < RefusalLog::kMaxLinesPerSecond + 7; ++i)
    refusals_.note(record("p", "acme"));
  EXPECT_EQ(log_.count(base::LogLevel::info, "refused (42000) by p (rule), request "),
            RefusalLog::kMaxLinesPerSecond);
  clock_.advance_ms(1000);
  refusals_.note(record("", "acme"));
  EXPECT_EQ(log_.count(base::LogLevel::info, "7 refusals before this one are not in the log"), 1U);
  EXPECT_EQ(log_.count(base::LogLevel::info, "by proxy (rule)"), 1U);
}

TEST_F(RefusalLogTest, they_are_counted_by_plugin_and_sqlstate_up_to_a_limit) {
  refusals_.note(record("p", "acme"));
  for (std::size_t i = 0; i < RefusalLog::kMaxCounters + 5; ++i) {
    auto other = record("q", "acme");
    other.sqlstate = std::to_string(i);
    refusals_.note(other);
  }
  std::vector<metrics::Family> families;
  refusals_.metrics_source()(families);
  ASSERT_THAT(families, SizeIs(2));
  EXPECT_EQ(families[0].samples.size(), RefusalLog::kMaxCounters + 1);
  double sum = 0;
  for (const auto& sample : families[0].samples) sum += sample.value;
  EXPECT_EQ(sum, RefusalLog::kMaxCounters + 6);
}

TEST_F(RefusalLogTest, answers_that_were_cut_are_counted_by_plugin_and_kind) {
  for (const char* const kind : {"rows", "bytes", "rows"}) {
    auto cut = record("p", "acme");
    cut.cap = kind;
    refusals_.note(std::move(cut));
  }
  refusals_.note(record("p", "acme"));
  std::vector<metrics::Family> families;
  refusals_.metrics_source()(families);
  EXPECT_EQ(families[1].name, "helios_caps_total");
  ASSERT_THAT(families[1].samples, SizeIs(2));
  EXPECT_EQ(families[1].samples[0].value, 1) << "bytes";
  EXPECT_EQ(families[1].samples[1].value, 2) << "rows";
}

// Model: a plain list.
TEST_F(RefusalLogTest, random_questions_are_answered_as_by_a_list) {
  std::mt19937 random(11);
  const auto draw = [&] { return std::string(1, static_cast<char>('a' + random() % 3)); };
  std::deque<std::pair<std::string, std::string>> model;
  for (int round = 0; round < 2000; ++round) {
    model.emplace_back(draw(), draw());
    refusals_.note(record(model.back().first, model.back().second));
    if (round % 20 != 0) continue;
    admin::RefusalQuery query;
    if (random() % 2 == 0) query.plugin = draw();
    if (random() % 2 == 0) query.tenant = draw();
    if (random() % 2 == 0) query.after = random() % model.size();
    query.limit = 1 + random() % 50;
    std::vector<std::uint64_t> expected;
    for (std::size_t i = query.after.value_or(0); i < model.size(); ++i) {
      const bool fits = query.plugin.value_or(model[i].first) == model[i].first &&
                        query.tenant.value_or(model[i].second) == model[i].second;
      if (fits) expected.push_back(i + 1);
    }
    if (expected.size() > query.limit) {
      query.after
          ? expected.resize(query.limit)
          : static_cast<void>(expected.erase(
                expected.begin(), expected.end() - static_cast<std::ptrdiff_t>(query.limit)));
    }
    EXPECT_EQ(numbers(refusals_.read(query)), expected);
  }
}

}  // namespace
}  // namespace helios::app
