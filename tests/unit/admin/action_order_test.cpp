// SPDX-License-Identifier: Apache-2.0

// Goal: requests that change one thing take effect in the order in which they were recorded, and nobody else waits for them.

#include "admin/action_order.hpp"

#include "kv/memory_store.hpp"
#include "unit/admin/router_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace helios::admin {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(ActionOrder, one_subject_has_one_turn_at_a_time) {
  const auto home = std::make_shared<test::ManualExecutor>();
  ActionOrder order(home);
  std::vector<std::string> begun;
  std::vector<std::optional<ActionOrder::Turn>> turns;
  const auto begin = [&](const std::string& subject, const std::string& name) {
    order.run(subject, [&, name](ActionOrder::Turn turn) {
      begun.push_back(name);
      turns.emplace_back(std::move(turn));
    });
  };
  begin("a", "a1");
  begin("a", "a2");
  begin("b", "b1");
  EXPECT_THAT(begun, ElementsAre("a1", "b1"));
  turns[0].reset();
  EXPECT_THAT(begun, SizeIs(2)) << "whoever ends it is through first";
  home->run_all();
  EXPECT_THAT(begun, ElementsAre("a1", "b1", "a2"));
  turns[2].reset();
  home->run_all();
  begin("a", "a3");
  EXPECT_THAT(begun, ElementsAre("a1", "b1", "a2", "a3")) << "nothing is left over";
}

TEST(ActionOrder, what_waits_is_dropped_with_it_and_turns_may_outlive_it) {
  const auto home = std::make_shared<test::ManualExecutor>();
  std::optional<ActionOrder::Turn> turn;
  bool has_begun = false;
  {
    ActionOrder order(home);
    order.run("a", [&](ActionOrder::Turn mine) { turn.emplace(std::move(mine)); });
    order.run("a", [&](ActionOrder::Turn) { has_begun = true; });
  }
  turn.reset();
  home->run_all();
  EXPECT_FALSE(has_begun);
}

class RecordedActions : public ::testing::Test {
 protected:
  RecordedActions() {
    store.open("my-notes").value();
    store.open("others").value();
    admin.control.tells_later = true;
    admin.control.judges_later = true;
  }
  void tell_one() {
    auto tell = std::move(admin.control.telling.front());
    admin.control.telling.erase(admin.control.telling.begin());
    tell();
  }

  test::FakeClock clock;
  kv::MemoryStore store{kv::Limits{}, clock};
  RouterDriver admin{store};
};

TEST_F(RecordedActions, second_one_is_recorded_when_the_first_has_taken_effect) {
  const auto first = admin.start(request(Method::put, "/admin/kv/my-notes/k", "1"));
  const auto second = admin.start(request(Method::put, "/admin/kv/my_notes/k", "2"));
  const auto other = admin.start(request(Method::put, "/admin/kv/others/k", "3"));
  EXPECT_THAT(admin.control.actions, SizeIs(2)) << "one of each namespace, however it is spelled";
  EXPECT_THAT(admin.get("/admin/kv/my-notes/k").status, 404) << "readers wait for nobody";
  tell_one();
  EXPECT_THAT(admin.control.actions, SizeIs(2)) << "its plugin has not answered yet";
  admin.home->run_all();
  EXPECT_EQ(first->answers, 1);
  EXPECT_THAT(admin.control.actions, SizeIs(3));
  while (!admin.control.telling.empty()) {
    tell_one();
    admin.home->run_all();
  }
  EXPECT_EQ(second->answers, 1);
  EXPECT_EQ(other->answers, 1);
  EXPECT_NE(admin.get("/admin/kv/my-notes/k").body.find("\"value\":\"2\""), std::string::npos);
}

TEST_F(RecordedActions, purge_and_write_of_one_namespace_are_in_one_line) {
  const auto write = admin.start(request(Method::put, "/admin/kv/my-notes/k", "1"));
  const auto purge = admin.start(request(Method::del, "/admin/kv/my-notes/?prefix="));
  EXPECT_THAT(admin.control.actions, SizeIs(1));
  for (int each = 0; each < 2; ++each) {
    tell_one();
    admin.home->run_all();
  }
  EXPECT_EQ(write->response->status, 200);
  EXPECT_EQ(purge->response->body, R"({"ok":true,"deleted":1})");
}

TEST_F(RecordedActions, one_that_fails_holds_nobody_up) {
  admin.control.untold = "no room";
  const auto first = admin.start(request(Method::put, "/admin/kv/my-notes/k", "1"));
  const auto second = admin.start(request(Method::del, "/admin/kv/my-notes/k"));
  tell_one();
  admin.home->run_all();
  EXPECT_EQ(first->response->status, 503);
  ASSERT_THAT(admin.control.telling, SizeIs(1));
  tell_one();
  EXPECT_EQ(second->response->status, 503);
}

// Whatever is told and judged in which order: what was recorded last is what stands there.
TEST_F(RecordedActions, value_is_that_of_the_last_record) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::shared_ptr<Exchange>> exchanges;
    for (int i = 0; i < 5; ++i)
      exchanges.push_back(
          admin.start(request(Method::put, "/admin/kv/my-notes/k", std::to_string(round * 5 + i))));
    for (int steps = 0; steps < 100; ++steps) {
      if (random() % 2 == 0 && !admin.control.telling.empty()) {
        tell_one();
      } else {
        admin.home->run_all();
      }
    }
    for (const auto& exchange : exchanges) ASSERT_EQ(exchange->answers, 1);
    const std::string& last = admin.control.actions.back();
    const std::string value = last.substr(last.rfind(' ') + 1);
    EXPECT_NE(admin.get("/admin/kv/my-notes/k").body.find('"' + value + '"'), std::string::npos);
  }
}

}  // namespace
}  // namespace helios::admin
