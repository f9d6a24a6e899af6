// SPDX-License-Identifier: Apache-2.0

// Goal: every plugin with the hook hears of every event, once and in order, whatever other plugins do with it. Method: small
// plugins of ABI 2 on the real engine, which keep what they heard under a key.

#include "plugins/event_announcer.hpp"

#include "abi2_fixture.hpp"

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace helios::plugins {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Code that stores a field of bytes under "key".
std::string keep(int field) {
  return "(local.set $code (call $field (i32.const " + std::to_string(field) +
         ") (i32.const 1024) (i32.const 4096)))" + store("(local.get $code)") +
         "(local.set $code (i32.const 0))";
}

class EventAnnouncerTest : public Abi2Test {
 protected:
  EventAnnouncer::Listeners listeners() const {
    return EventAnnouncer::listeners_among(host_->running());
  }
  // What becomes of an event that these are told.
  std::string tell(std::string kind, std::string detail = "{}") {
    std::optional<std::string> problem;
    announcer_.announce({std::move(kind), std::move(detail)}, listeners(),
                        [&](const EventOutcome& outcome) { problem = outcome.problem; });
    executor_.run_until([&] { return problem.has_value(); });
    return *std::move(problem);
  }

  WaitingExecutor executor_;
  EventAnnouncer announcer_{executor_};
};

TEST_F(EventAnnouncerTest, hook_is_told_the_kind_and_the_detail_and_writes_state) {
  add(hook("event", keep(18)));
  EXPECT_EQ(tell("reload", R"({"a":1})"), "");
  EXPECT_EQ(value("p", "key"), "reload");
  EXPECT_EQ(info("p").hooks, std::vector<std::string>{"event"});
  add(hook("event", keep(19)));
  EXPECT_EQ(tell("reload", R"({"a":1})"), "");
  EXPECT_EQ(value("p", "key"), R"({"a":1})");
}

TEST_F(EventAnnouncerTest, there_is_nothing_else_to_ask_about_and_nothing_to_refuse) {
  std::string body;
  for (const int field : {1, 3, 7, 10, 16})
    body += expecting(-1, "(call $field_length (i32.const " + std::to_string(field) + "))");
  body += expecting(-5, "(call $field_length (i32.const 20))");
  body += expecting(-1, "(call $field_number (i32.const 101) (i32.const 1024))");
  body += expecting(-5, "(call $block (i32.const 48) (i32.const 8) (i32.const 0) (i32.const 0))");
  body += expecting(-5, "(call $rewrite (i32.const 80) (i32.const 8))");
  body += expecting(-5, "(call $scratch_set (i32.const 16) (i32.const 3))");
  add(hook("event", body));
  EXPECT_EQ(tell("start"), "");
}

TEST_F(EventAnnouncerTest, plugin_that_fails_is_named_and_hears_of_the_next_one) {
  add(hook("event", "(unreachable)"));
  EXPECT_THAT(tell("start"), HasSubstr("plugin \"p\" failed (trap: unreachable"));
  EXPECT_THAT(tell("stop"), HasSubstr("plugin \"p\" failed"));
  EXPECT_EQ(info("p").failures, 2U);
}

TEST_F(EventAnnouncerTest, plugin_that_may_fail_is_no_problem) {
  add(hook("event", "(unreachable)"), "on_error = \"allow\"\n");
  EXPECT_EQ(tell("start"), "");
  EXPECT_EQ(info("p").failures, 1U);
}

TEST_F(EventAnnouncerTest, nobody_listens_and_it_is_told_at_once) {
  add(hook("pre_query", ""));
  EXPECT_TRUE(listeners().empty());
  bool is_told = false;
  announcer_.announce({"start", "{}"}, listeners(), [&](const EventOutcome&) { is_told = true; });
  EXPECT_TRUE(is_told);
  EXPECT_TRUE(announcer_.is_idle());
}

TEST_F(EventAnnouncerTest, events_are_told_in_their_order_also_those_that_come_of_one) {
  add(hook("event", keep(18)));
  std::vector<std::string> told;
  const auto note = [&](std::string kind) {
    return [this, &told, kind](const EventOutcome&) {
      told.push_back(kind + ":" + value("p", "key").value_or(""));
    };
  };
  announcer_.announce({"first", "{}"}, listeners(), [&](const EventOutcome& outcome) {
    note("first")(outcome);
    announcer_.announce({"third", "{}"}, listeners(), note("third"));
  });
  announcer_.announce({"second", "{}"}, listeners(), note("second"));
  executor_.run_until([&] { return announcer_.is_idle(); });
  EXPECT_THAT(told, ElementsAre("first:first", "second:second", "third:third"));
}

TEST_F(EventAnnouncerTest, plugin_that_is_gone_from_the_folder_is_still_told) {
  add(hook("event", keep(18)));
  auto gone = listeners();
  chain_.reset();
  statement_.reset();
  remove_file("p.wat");
  EXPECT_TRUE(host_->reload(config_).chain->plugins().empty());
  bool is_told = false;
  announcer_.announce({"stop", "{}"}, std::move(gone),
                      [&](const EventOutcome& outcome) { is_told = outcome.problem.empty(); });
  executor_.run_until([&] { return announcer_.is_idle(); });
  EXPECT_TRUE(is_told);
  EXPECT_EQ(value("p", "key"), "stop");
}

TEST_F(EventAnnouncerTest, what_waits_at_the_end_is_dropped) {
  add(hook("event", ""));
  const auto witness = std::make_shared<int>();
  for (int i = 0; i < 3; ++i)
    announcer_.announce({"start", "{}"}, listeners(), [witness](const EventOutcome&) {});
  lane_.stop();
  announcer_.stop();
  EXPECT_EQ(witness.use_count(), 1);
}

}  // namespace
}  // namespace helios::plugins
