// SPDX-License-Identifier: Apache-2.0
#include "admin/preconditions.hpp"

#include <gtest/gtest.h>

#include <string>

namespace helios::admin {
namespace {

constexpr StartId kStart = 0x2a;

bool matches(std::string_view header, kv::Version version, StartId start = kStart) {
  const auto tags = EntityTags::parse(header);
  EXPECT_TRUE(tags.has_value()) << header;
  return tags && tags->match(entity_tag(start, version));
}

TEST(EntityTags, star_matches_whatever_is_there) {
  EXPECT_TRUE(matches("*", 1));
  EXPECT_TRUE(matches(" * ", 7));
  EXPECT_FALSE(matches("*", kv::kAbsent));
}

TEST(EntityTags, list_matches_each_of_its_tags) {
  EXPECT_TRUE(matches(R"("000000000000002a-42")", 42));
  EXPECT_TRUE(matches(R"("1" ,	"000000000000002a-42")", 42));
  EXPECT_TRUE(matches(R"(W/"000000000000002a-42")", 42));
  EXPECT_FALSE(matches(R"("000000000000002a-1", "000000000000002a-4", "42")", 42));
  EXPECT_FALSE(matches(R"("000000000000002a-0")", kv::kAbsent));
  EXPECT_FALSE(matches(R"("someone else's")", 42));
}

TEST(EntityTags, tag_of_another_start_does_not_match) {
  EXPECT_TRUE(matches(entity_tag(7, 42), 42, 7));
  EXPECT_FALSE(matches(entity_tag(7, 42), 42, 8));
  EXPECT_NE(entity_tag(1, 11), entity_tag(11, 1));
}

TEST(EntityTags, anything_else_is_refused) {
  for (const char* header : {"", "42", "\"42", "* , \"1\"", "\"1\" \"2\"", "\"1\",", "W/42", "**"})
    EXPECT_FALSE(EntityTags::parse(header).has_value()) << header;
}

TEST(EntityTags, number_of_tags_is_limited) {
  std::string header = "\"1\"";
  for (int i = 0; i < 200; ++i) header += ",\"1\"";
  EXPECT_FALSE(EntityTags::parse(header).has_value());
}

TEST(Preconditions, both_have_to_hold) {
  Request request;
  request.if_match = "*";
  request.if_none_match = entity_tag(kStart, 3);
  const auto preconditions = parse_preconditions(request).value();
  EXPECT_FALSE(preconditions.hold(""));
  EXPECT_FALSE(preconditions.hold(entity_tag(kStart, 3)));
  EXPECT_TRUE(preconditions.hold(entity_tag(kStart, 4)));
}

TEST(Preconditions, error_names_the_header) {
  Request request;
  request.if_none_match = "3";
  EXPECT_TRUE(parse_preconditions(request).error().message.starts_with("If-None-Match: "));
}

}  // namespace
}  // namespace helios::admin
