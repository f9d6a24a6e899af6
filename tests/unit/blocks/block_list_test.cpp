// SPDX-License-Identifier: Apache-2.0
//
// Goal: the list holds what was put into it, and nothing else, whatever the order; its limits hold; a set that was given
// away does not change; looking something up allocates nothing.

#include "blocks/block_list.hpp"

#include "support/allocation_counter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace helios::blocks {
namespace {

using testing::HasSubstr;

Block block(Kind kind, std::string name, std::int64_t expires_at_ms = kNeverOver) {
  return {.kind = kind,
          .name = std::move(name),
          .reason = "runs wild",
          .since_ms = 1,
          .expires_at_ms = expires_at_ms};
}

TEST(Block, kinds_have_words) {
  for (const Kind kind : kKinds) EXPECT_EQ(parse_kind(to_word(kind)), kind);
  EXPECT_EQ(parse_kind("users"), std::nullopt);
  EXPECT_EQ(parse_kind(""), std::nullopt);
}

TEST(Block, what_a_client_is_told_says_who_why_and_whom_to_ask) {
  EXPECT_EQ(explanation(block(Kind::agent, "bot")),
            "agent \"bot\" is blocked: runs wild. Ask the administrator of this proxy.");
}

TEST(Block, names_and_reasons_have_limits) {
  const auto message_of = [](const Block& wrong) {
    const auto checked = check(wrong);
    return checked ? std::string("fine") : checked.error().message;
  };
  Block one = block(Kind::user, std::string(kMaxNameBytes, 'n'));
  one.reason = std::string(kMaxReasonBytes, 'r');
  EXPECT_EQ(message_of(one), "fine");
  one.name += 'n';
  EXPECT_THAT(message_of(one), HasSubstr("the name has 257 bytes, more than 256"));
  one.name = "";
  EXPECT_THAT(message_of(one), HasSubstr("needs the name"));
  one.name = std::string("a\0b", 3);
  EXPECT_THAT(message_of(one), HasSubstr("NUL"));
  one.name = "\xff\x01 any other bytes";
  EXPECT_EQ(message_of(one), "fine");
  one.reason += 'r';
  EXPECT_THAT(message_of(one), HasSubstr("the reason has 501 bytes, more than 500"));
  EXPECT_EQ(check(one).error().code, base::Errc::invalid);  // the list itself is not full
  for (const char* reason : {"", "two\nlines", "\x7f", "\xff"}) {
    one.reason = reason;
    EXPECT_FALSE(check(one)) << reason;
  }
}

TEST(BlockList, is_full_at_its_limit_and_takes_changes_of_what_is_there) {
  BlockList list;
  for (std::size_t i = 0; i < kMaxBlocks; ++i) {
    ASSERT_TRUE(list.put(block(kKinds[i % kKinds.size()], std::to_string(i))));
  }
  const auto refused = list.put(block(Kind::user, "one more"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::Errc::limit_exceeded);
  EXPECT_TRUE(list.put(block(Kind::user, "0", 77)));
  EXPECT_EQ(list.next_expiry_ms(), 77);
  EXPECT_TRUE(list.remove(Kind::user, "4"));
  EXPECT_TRUE(list.put(block(Kind::user, "one more")));
  EXPECT_EQ(list.now().size(), kMaxBlocks);
}

TEST(BlockList, set_that_was_given_away_stays_as_it_was) {
  BlockList list;
  EXPECT_EQ(list.snapshot(), nullptr);
  ASSERT_TRUE(list.put(block(Kind::tenant, "acme")));
  const SharedBlockSet before = list.snapshot();
  EXPECT_TRUE(list.remove(Kind::tenant, "acme"));
  EXPECT_FALSE(list.remove(Kind::tenant, "acme"));
  EXPECT_NE(before->find(Kind::tenant, "acme"), nullptr);
  EXPECT_TRUE(before->concerns_statements());
  EXPECT_EQ(list.snapshot(), nullptr);
}

TEST(BlockSet, looks_up_every_name_and_none_that_is_empty) {
  BlockList list;
  ASSERT_TRUE(list.put(block(Kind::tenant, "acme")));
  ASSERT_TRUE(list.put(block(Kind::user, "ann")));
  const auto set = list.snapshot();
  EXPECT_EQ(set->find(Names{.user = "bob", .database = "acme"}), nullptr);
  EXPECT_EQ(set->find(Names{}), nullptr);
  EXPECT_EQ(set->find(Names{.user = "bob", .tenant = "acme"})->kind, Kind::tenant);
  EXPECT_EQ(set->find(Names{.user = "ann", .tenant = "acme"})->kind, Kind::user);
}

TEST(BlockSet, looking_up_allocates_nothing) {
  BlockList list;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(list.put(block(Kind::agent, std::string(100, 'a') + std::to_string(i))));
  }
  const auto set = list.snapshot();
  const std::string there = std::string(100, 'a') + "77";
  const std::string absent = std::string(100, 'b');
  const std::size_t before = test::allocation_count();
  EXPECT_NE(set->find(Names{.user = absent, .agent = there}), nullptr);
  EXPECT_EQ(set->find(Names{.tenant = absent, .agent = absent}), nullptr);
  EXPECT_EQ(test::allocation_count(), before);
}

// Beside a model that knows no better than to search.
TEST(BlockList, holds_what_a_model_holds) {
  std::mt19937 random(20261129);
  const auto pick = [&](std::size_t count) { return random() % count; };
  BlockList list;
  std::vector<Block> model;
  std::int64_t now_ms = 1'000;
  const auto forget = [&](Kind kind, const std::string& name) {
    return std::erase_if(model,
                         [&](const Block& each) { return each.kind == kind && each.name == name; });
  };
  for (int step = 0; step < 2'000; ++step) {
    const Kind kind = kKinds[pick(kKinds.size())];
    const std::string name(1, static_cast<char>('a' + pick(12)));
    if (pick(3) == 0) {
      ASSERT_EQ(list.remove(kind, name), forget(kind, name) == 1);
    } else if (pick(3) != 0) {
      const Block next =
          block(kind, name, pick(2) == 0 ? kNeverOver : now_ms + static_cast<int>(pick(50)));
      ASSERT_TRUE(list.put(next));
      forget(kind, name);
      model.push_back(next);
    } else {
      now_ms += static_cast<std::int64_t>(pick(20));
      const auto over = list.remove_expired(now_ms);
      const auto gone =
          std::erase_if(model, [&](const Block& each) { return each.is_over(now_ms); });
      ASSERT_EQ(over.size(), gone);
    }
    ASSERT_THAT(list.now().all(), testing::UnorderedElementsAreArray(model));
    std::optional<std::int64_t> next;
    for (const Block& each : model) {
      if (each.expires_at_ms != kNeverOver && each.expires_at_ms < next.value_or(INT64_MAX))
        next = each.expires_at_ms;
    }
    ASSERT_EQ(list.next_expiry_ms(), next);
  }
}

}  // namespace
}  // namespace helios::blocks
