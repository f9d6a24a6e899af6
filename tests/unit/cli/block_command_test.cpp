// SPDX-License-Identifier: Apache-2.0
//
// `heliosproxy block`, `unblock` and `blocked`: what they ask, and what they print.

#include "cli/block_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace helios::cli {
namespace {

using testing::HasSubstr;

class BlockCommand : public testing::Test {
 protected:
  base::Result<void> run(const std::string& answer, int status = 200) {
    return run_blocks(
        options_,
        [&](const admin::Request& request) -> base::Result<admin::Response> {
          asked_ = request;
          admin::Response response;
          response.status = status;
          response.body = answer;
          return response;
        },
        out_);
  }

  BlockOptions options_;
  admin::Request asked_;
  std::ostringstream out_;
};

TEST_F(BlockCommand, block_asks_and_says_what_came_of_it) {
  options_.verb = BlockVerb::block;
  options_.kind = "agent";
  options_.name = "a?b c";
  options_.reason = "runs \"wild\"";
  options_.duration = "2h";
  ASSERT_TRUE(run(R"({"ok":true,"sessions_ended":3,"kept":true})"));
  EXPECT_EQ(asked_.method, admin::Method::put);
  EXPECT_EQ(asked_.target, "/blocks/agent/a%3Fb%20c");
  EXPECT_EQ(asked_.body, R"({"reason":"runs \"wild\"","for_seconds":7200})");
  EXPECT_EQ(out_.str(), "blocked, 3 sessions ended\n");
}

TEST_F(BlockCommand, what_is_not_on_disk_is_said) {
  options_.verb = BlockVerb::block;
  ASSERT_TRUE(run(R"({"ok":true,"sessions_ended":0,"kept":false,"warning":"the disk is full"})"));
  EXPECT_EQ(out_.str(),
            "blocked, 0 sessions ended, kept until the proxy ends\nwarning: the disk is full\n");
}

TEST_F(BlockCommand, unblock_asks) {
  options_.verb = BlockVerb::unblock;
  options_.kind = "user";
  options_.name = "ann";
  ASSERT_TRUE(run(R"({"ok":true,"sessions_ended":0,"kept":true})"));
  EXPECT_EQ(asked_.method, admin::Method::del);
  EXPECT_EQ(asked_.target, "/blocks/user/ann");
  EXPECT_EQ(out_.str(), "not blocked any more\n");
  const auto refused = run(R"({"error":"user \"ann\" is not blocked"})", 404);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("is not blocked"));
}

TEST_F(BlockCommand, lengths_are_understood_or_refused) {
  options_.verb = BlockVerb::block;
  for (const char* wrong : {"2", "h", "2 h", "-1h", "500ms", "0s"}) {
    options_.duration = wrong;
    const auto refused = run("{}");
    ASSERT_FALSE(refused) << wrong;
    EXPECT_THAT(refused.error().message, HasSubstr("--for: ")) << wrong;
  }
  options_.duration = "7d";
  ASSERT_TRUE(run("{}"));
  EXPECT_THAT(asked_.body, HasSubstr("604800"));
}

TEST_F(BlockCommand, list_is_a_line_each) {
  options_.verb = BlockVerb::list;
  const std::string answer =
      R"({"blocks":[{"kind":"user","name":"a\u001bnn","reason":"why","since":"S","expires_at":null,)"
      R"("kept":true},{"kind":"agent","name_percent_encoded":"%FF","reason":"r","since":"S",)"
      R"("expires_at":"E","kept":false}]})";
  ASSERT_TRUE(run(answer));
  EXPECT_EQ(asked_.target, "/blocks");
  EXPECT_EQ(out_.str(),
            "user a\\x1bnn since S: why\n"
            "agent %FF since S until E (kept until the proxy ends): r\n");
  out_.str("");
  options_.as_json = true;
  ASSERT_TRUE(run(answer));
  EXPECT_THAT(out_.str(), HasSubstr(R"({"kind":"agent","name_percent_encoded":"%FF")"));
}

}  // namespace
}  // namespace helios::cli
