// SPDX-License-Identifier: Apache-2.0
#include "session/name_log.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace helios::session {
namespace {

struct Thing {
  std::string name;
  [[nodiscard]] std::size_t held_bytes() const { return name.size(); }
};

struct NameLogTest : testing::Test {
  std::vector<std::string> dropped;
  NameLog<Thing> log{false, [this](const auto& thing) { dropped.push_back(thing->name); }};

  static std::shared_ptr<Thing> thing(std::string name) {
    return std::make_shared<Thing>(Thing{std::move(name)});
  }
  // "?" = not certain, "" = nothing
  [[nodiscard]] std::string find(std::string_view name, std::uint64_t unit) const {
    const auto found = log.find(name, unit);
    if (!found.is_certain) return "?";
    return found.value ? found.value->name : "";
  }
};

TEST_F(NameLogTest, change_counts_at_once_inside_its_unit_and_later_outside) {
  const auto ticket = log.define("s", thing("one"), 1);
  EXPECT_EQ(find("s", 1), "one");
  EXPECT_EQ(find("s", 2), "?");
  EXPECT_EQ(find("other", 2), "");
  log.settle(ticket, true);
  EXPECT_EQ(find("s", 2), "one");
}

TEST_F(NameLogTest, change_that_was_not_done_leaves_what_was) {
  log.settle(log.define("s", thing("one"), 1), true);
  const auto ticket = log.define("s", thing("two"), 2);
  EXPECT_EQ(find("s", 2), "two");
  log.settle(ticket, false);
  EXPECT_EQ(find("s", 3), "one");
  EXPECT_TRUE(dropped.empty());
}

TEST_F(NameLogTest, newest_change_decides) {
  const auto first = log.define("s", thing("one"), 1);
  const auto second = log.define("s", nullptr, 1);
  EXPECT_EQ(find("s", 1), "");
  log.settle(first, true);
  EXPECT_EQ(find("s", 1), "");
  log.settle(second, true);
  EXPECT_EQ(find("s", 9), "");
  EXPECT_EQ(dropped, std::vector<std::string>{"one"});
  EXPECT_EQ(log.size(), 0U);
}

TEST_F(NameLogTest, end_of_all_names_is_a_change_like_others) {
  log.settle(log.define("a", thing("one"), 1), true);
  const auto ticket = log.end_all(2);
  EXPECT_EQ(find("a", 2), "");
  EXPECT_EQ(find("a", 3), "?");
  log.settle(ticket, false);
  EXPECT_EQ(find("a", 3), "one");
  log.settle(log.end_all(3), true);
  EXPECT_EQ(find("a", 4), "");
  EXPECT_EQ(dropped, std::vector<std::string>{"one"});
}

TEST_F(NameLogTest, ticket_is_settled_once) {
  const auto ticket = log.define("s", thing("one"), 1);
  log.settle(ticket, true);
  log.settle(ticket, false);
  log.settle(0, true);
  EXPECT_EQ(find("s", 2), "one");
}

TEST_F(NameLogTest, bytes_come_back) {
  log.settle(log.define("a", thing("one"), 1), true);
  log.define("b", thing("two"), 1);
  log.settle(log.define("a", thing("three"), 1), true);
  EXPECT_GT(log.held_bytes(), 0U);
  log.forget();
  EXPECT_EQ(log.held_bytes(), 0U);
  EXPECT_EQ(dropped, (std::vector<std::string>{"one", "three"}));
}

TEST(AllNames, that_end_leave_the_empty_one_where_it_is_none_of_them) {
  for (const bool all_are_named : {true, false}) {
    NameLog<Thing> log(all_are_named);
    const auto thing = std::make_shared<Thing>();
    log.settle(log.define("", thing, 1), true);
    log.settle(log.define("a", thing, 1), true);
    const NameTicket end = log.end_all(1);
    EXPECT_EQ(log.find("", 1).value != nullptr, all_are_named);
    EXPECT_EQ(log.find("a", 1).value, nullptr);
    log.settle(end, true);
    EXPECT_EQ(log.find("", 2).value != nullptr, all_are_named);
    EXPECT_EQ(log.find("a", 2).value, nullptr);
  }
}

}  // namespace
}  // namespace helios::session
