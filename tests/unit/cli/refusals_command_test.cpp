// SPDX-License-Identifier: Apache-2.0
//
// `heliosproxy refusals`: what it asks, and what it prints.

#include "cli/refusals_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <vector>

namespace helios::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Refusals : public testing::Test {
 protected:
  AskAdmin ask() {
    return [this](const admin::Request& request) -> base::Result<admin::Response> {
      asked_.push_back(request.target);
      admin::Response response;
      response.body = answers_.at(asked_.size() - 1);
      return response;
    };
  }

  base::Result<void> run(int rounds = 0) {
    return run_refusals(options_, ask(), out_, [&rounds] { return rounds-- > 0; }, 1'001'000);
  }

  static std::string page(const std::string& reason, int last) {
    return R"({"refusals":[{"time":"2024-01-01T00:00:00.000Z","sqlstate":"42000","plugin":"guard",)"
           R"("decided_by":"verdict","user":"ann","tenant":null,"request_id":"id","reason":")" +
           reason + R"("}],"last":)" + std::to_string(last) + "}";
  }

  RefusalsOptions options_;
  std::vector<std::string> answers_;
  std::vector<std::string> asked_;
  std::ostringstream out_;
};

TEST_F(Refusals, each_is_a_line) {
  answers_ = {page("no\\nentry", 3)};
  ASSERT_TRUE(run());
  EXPECT_EQ(
      out_.str(),
      "2024-01-01T00:00:00.000Z 42000 guard (verdict) user ann tenant -: no\\x0aentry [id]\n");
  EXPECT_THAT(asked_, ElementsAre("/refusals?limit=100"));
}

TEST_F(Refusals, filters_are_passed_on) {
  options_.tenant = "a b";
  options_.plugin = "proxy";
  options_.since = "1s";
  options_.limit = 5;
  answers_ = {page("no", 3)};
  ASSERT_TRUE(run());
  EXPECT_THAT(
      asked_,
      ElementsAre("/refusals?limit=5&tenant=a%20b&plugin=proxy&since=1970-01-01T00:16:40.000Z"));
}

TEST_F(Refusals, follow_goes_on_behind_the_last) {
  options_.follow = true;
  options_.as_json = true;
  answers_ = {page("one", 3), page("two", 9), page("three", 9)};
  ASSERT_TRUE(run(2));
  EXPECT_THAT(asked_, ElementsAre("/refusals?limit=100", "/refusals?limit=100&after=3",
                                  "/refusals?limit=100&after=9"));
  EXPECT_THAT(out_.str(), HasSubstr("\"reason\":\"two\""));
}

TEST_F(Refusals, answer_that_is_none_is_an_error) {
  answers_ = {"[]"};
  const auto result = run();
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("the answer"));
}

}  // namespace
}  // namespace helios::cli
