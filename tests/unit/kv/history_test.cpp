// SPDX-License-Identifier: Apache-2.0

// The checker of histories finds each kind of fault in a history made by hand, and none in good ones.

#include "support/history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace helios::test {
namespace {

using History = std::vector<HistoryRecord>;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kAbsent = std::nullopt;

// All at once, unless a test says otherwise.
constexpr std::uint64_t kBegan = 1;
constexpr std::uint64_t kEnded = 100;

HistoryRecord record(std::string name, std::uint64_t version) {
  return {.name = std::move(name), .began = kBegan, .ended = kEnded, .version = version};
}

HistoryRecord writer(std::string name, std::uint64_t version,
                     std::map<std::string, std::optional<std::string>> reads,
                     std::map<std::string, std::optional<std::string>> writes) {
  HistoryRecord made = record(std::move(name), version);
  made.reads = std::move(reads);
  made.writes = std::move(writes);
  return made;
}

auto is_cycle_of(const std::string& one, const std::string& other) {
  return AllOf(HasSubstr("no order"), HasSubstr(one + " at"), HasSubstr(other + " at"));
}

TEST(History, empty_one_is_serializable) { EXPECT_THAT(find_anomaly({}), IsEmpty()); }

TEST(History, increments_in_a_row_are_serializable) {
  const History history{writer("A", 1, {{"x", kAbsent}}, {{"x", "1"}}),
                        writer("B", 2, {{"x", "1"}}, {{"x", "2"}}),
                        writer("C", 3, {{"x", "2"}}, {{"x", kAbsent}}),
                        writer("D", 4, {{"x", kAbsent}}, {{"x", "4"}})};
  EXPECT_THAT(find_anomaly(history), IsEmpty());
}

TEST(History, lost_update_is_found) {
  const History history{writer("A", 1, {{"x", kAbsent}}, {{"x", "1"}}),
                        writer("B", 2, {{"x", "1"}}, {{"x", "2"}}),
                        writer("C", 3, {{"x", "1"}}, {{"x", "3"}})};
  EXPECT_THAT(find_anomaly(history), is_cycle_of("B", "C"));
}

TEST(History, lost_creation_is_found) {
  const History history{writer("A", 1, {{"x", kAbsent}}, {{"x", "1"}}),
                        writer("B", 2, {{"x", kAbsent}}, {{"x", "2"}})};
  EXPECT_THAT(find_anomaly(history), is_cycle_of("A", "B"));
}

TEST(History, write_skew_is_found) {
  const History history{writer("A", 1, {}, {{"x", "1"}, {"y", "1"}}),
                        writer("B", 2, {{"x", "1"}, {"y", "1"}}, {{"x", "2"}}),
                        writer("C", 3, {{"x", "1"}, {"y", "1"}}, {{"y", "3"}})};
  EXPECT_THAT(find_anomaly(history), is_cycle_of("B", "C"));
}

TEST(History, read_of_a_value_that_nobody_committed_is_found) {
  EXPECT_THAT(find_anomaly({writer("A", 1, {{"x", "ghost"}}, {})}),
              AllOf(HasSubstr("nobody committed"), HasSubstr("A at")));
}

TEST(History, read_of_half_a_transaction_is_found) {
  const History history{writer("A", 1, {}, {{"x", "1"}, {"y", "1"}}),
                        writer("B", 1, {{"x", "1"}, {"y", kAbsent}}, {})};
  EXPECT_THAT(find_anomaly(history), is_cycle_of("A", "B"));
}

// Two writers that do not meet, and two readers that see them come in different orders.
TEST(History, long_fork_is_found) {
  const History history{writer("A", 1, {}, {{"x", "1"}}), writer("B", 2, {}, {{"y", "2"}}),
                        writer("C", 1, {{"x", "1"}, {"y", kAbsent}}, {}),
                        writer("D", 2, {{"x", kAbsent}, {"y", "2"}}, {})};
  EXPECT_THAT(find_anomaly(history), is_cycle_of("C", "D"));
}

TEST(History, phantom_is_found) {
  History history{writer("A", 1, {}, {{"p1", "1"}}), writer("B", 2, {}, {{"p2", "2"}})};
  for (HistoryRecord& made : history) made.scans = {{.prefix = "p"}};
  EXPECT_THAT(find_anomaly(history), is_cycle_of("A", "B"));
}

TEST(History, phantom_behind_the_page_of_a_scan_is_none) {
  History history{writer("A", 1, {}, {{"p1", "1"}}), writer("B", 3, {}, {{"p0", "3"}}),
                  writer("C", 4, {}, {{"p2", "4"}}), record("D", 1)};
  history[3].scans = {{.prefix = "p", .after = "p0", .last = "p1", .shown = {{"p1", 1}}}};
  history[3].reads = {{"p0", "3"}, {"p2", "4"}};
  EXPECT_THAT(find_anomaly(history), IsEmpty());
  history[3].scans[0].last = kAbsent;
  EXPECT_THAT(find_anomaly(history), is_cycle_of("C", "D"));
}

TEST(History, scan_that_shows_what_was_replaced_is_found) {
  History history{writer("A", 1, {}, {{"p1", "1"}}),
                  writer("B", 2, {{"p1", "1"}}, {{"p1", "2"}, {"q", "2"}}), record("C", 2)};
  history[2].scans = {{.prefix = "p", .shown = {{"p1", 1}}}};
  history[2].reads = {{"q", "2"}};
  EXPECT_THAT(find_anomaly(history), is_cycle_of("B", "C"));
}

TEST(History, scan_that_shows_what_nobody_committed_is_found) {
  History history{record("A", 1)};
  history[0].scans = {{.prefix = "p", .shown = {{"p1", 7}}}};
  EXPECT_THAT(find_anomaly(history), HasSubstr("nobody committed"));
}

// An order is possible, but B had begun only when A had had its answer.
TEST(History, stale_read_is_found) {
  History history{writer("A", 1, {}, {{"x", "1"}}), writer("B", 1, {{"x", kAbsent}}, {})};
  EXPECT_THAT(find_anomaly(history), IsEmpty());
  history[0].ended = 10;
  history[1].began = 11;
  EXPECT_THAT(find_anomaly(history), is_cycle_of("A", "B"));
}

HistoryRecord charger(std::string name, std::uint64_t version, const HistoryCharge& charge) {
  HistoryRecord made = record(std::move(name), version);
  made.counters["c"].charges = {charge};
  return made;
}

TEST(History, charges_that_each_stayed_within_the_limit_are_serializable) {
  History history{charger("A", 1, {.amount = 6, .limit = 10, .is_made = true}),
                  charger("B", 2, {.amount = 4, .limit = 10, .is_made = true}),
                  charger("C", 2, {.amount = 1, .limit = 10, .is_made = false}),
                  charger("D", 3, {.amount = -3, .limit = 0, .is_made = true}),
                  charger("E", 3, {.amount = 0, .limit = 7, .is_made = true}),
                  record("F", 4)};
  history[5].counters["c"] = {.seen = 7, .is_erased = true};
  EXPECT_THAT(find_anomaly(history), IsEmpty());
}

TEST(History, charge_beyond_the_limit_is_found) {
  const History history{charger("A", 1, {.amount = 6, .limit = 10, .is_made = true}),
                        charger("B", 2, {.amount = 6, .limit = 10, .is_made = true})};
  EXPECT_THAT(find_anomaly(history), AllOf(HasSubstr("not right"), HasSubstr("B at")));
}

TEST(History, charge_that_was_refused_where_it_fitted_is_found) {
  const History history{charger("A", 1, {.amount = 6, .limit = 10, .is_made = true}),
                        charger("B", 1, {.amount = 4, .limit = 10, .is_made = false})};
  EXPECT_THAT(find_anomaly(history), AllOf(HasSubstr("not right"), HasSubstr("B at")));
}

TEST(History, lost_charge_is_found_by_who_reads_the_counter) {
  History history{charger("A", 1, {.amount = 6, .limit = 10, .is_made = true}), record("B", 1)};
  history[1].counters["c"].seen = 0;
  EXPECT_THAT(find_anomaly(history), AllOf(HasSubstr("not right"), HasSubstr("B at")));
}

// B saw x as it was before A, and was told that there was no room, which A took.
TEST(History, charge_that_is_refused_at_another_moment_than_that_of_the_reads_is_found) {
  History history{charger("A", 1, {.amount = 6, .limit = 10, .is_made = true}),
                  charger("B", 1, {.amount = 6, .limit = 10, .is_made = false})};
  history[0].writes = {{"x", "1"}};
  history[1].reads = {{"x", "1"}};
  EXPECT_THAT(find_anomaly(history), IsEmpty());
  history[1].reads = {{"x", kAbsent}};
  EXPECT_THAT(find_anomaly(history), is_cycle_of("A", "B"));
}

TEST(History, version_that_is_used_twice_is_found) {
  const History history{writer("A", 1, {}, {{"x", "1"}}), writer("B", 1, {}, {{"y", "2"}})};
  EXPECT_THAT(find_anomaly(history), HasSubstr("version"));
}

TEST(History, wrong_hint_never_hides_a_fault) {
  History history{writer("A", 1, {{"x", kAbsent}}, {{"x", "1"}}),
                  writer("B", 2, {{"x", "1"}}, {{"x", "2"}}),
                  writer("C", 3, {{"x", "1"}}, {{"x", "3"}})};
  for (std::uint64_t a = 1; a <= 9; a += 4)
    for (std::uint64_t b = 2; b <= 10; b += 4)
      for (std::uint64_t c = 3; c <= 11; c += 4) {
        history[0].version = a;
        history[1].version = b;
        history[2].version = c;
        EXPECT_THAT(find_anomaly(history), HasSubstr("no order"));
      }
}

// Transactions that did run one after the other, recorded in any order and each overlapping a few.
History made_one_after_the_other(unsigned seed, int count) {
  std::mt19937 random(seed);
  const auto below = [&](int limit) {
    return static_cast<int>(random() % static_cast<unsigned>(limit));
  };
  std::map<std::string, std::string> state;
  History history;
  for (int i = 1; i <= count; ++i) {
    HistoryRecord made = record("T" + std::to_string(i), static_cast<std::uint64_t>(i));
    made.began = static_cast<std::uint64_t>(10 * i - below(30) + 30);
    made.ended = static_cast<std::uint64_t>(10 * i + 1 + below(30) + 30);
    for (int step = 0; step < 3; ++step) {
      const std::string key = "k" + std::to_string(below(4));
      if (made.writes.contains(key)) continue;
      const auto found = state.find(key);
      made.reads[key] = found == state.end() ? kAbsent : std::optional(found->second);
      if (below(2) == 0) continue;
      made.writes[key] = below(3) == 0 ? kAbsent : std::optional(made.name);
    }
    for (const auto& [key, value] : made.writes) {
      value ? static_cast<void>(state[key] = *value) : static_cast<void>(state.erase(key));
    }
    history.push_back(made);
  }
  std::ranges::shuffle(history, random);
  return history;
}

TEST(History, random_good_ones_are_serializable_and_each_older_value_in_them_is_found) {
  int broken = 0;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    History history = made_one_after_the_other(seed, 200);
    ASSERT_THAT(find_anomaly(history), IsEmpty()) << "seed " << seed;
    // Somebody who overwrites a value has read the one before it instead.
    for (HistoryRecord& made : history) {
      const auto write = made.writes.begin();
      if (write == made.writes.end() || !made.reads[write->first]) continue;
      const std::string& key = write->first;
      const auto before = std::ranges::find(history, *made.reads[key], &HistoryRecord::name);
      if (before->reads.contains(key) && before->reads[key]) {
        made.reads[key] = before->reads[key];
        EXPECT_THAT(find_anomaly(history), is_cycle_of(before->name, made.name)) << "seed " << seed;
        ++broken;
        break;
      }
    }
  }
  EXPECT_GT(broken, 10);
}

}  // namespace
}  // namespace helios::test
