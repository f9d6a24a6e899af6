// SPDX-License-Identifier: Apache-2.0

// Goal: whose bucket is charged by which limit, and what a client is told. Method: the plugin itself
// behind the fake host.

#include "helios/fake_host.hpp"
#include "rate-limit/policy.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace helios::rate_limit {
namespace {

using plugin::FakeHost;
using plugin::FakeQuery;

class RateLimit : public testing::Test {
 protected:
  std::string ask(const std::string& text = "SELECT 1", const std::string& tenant = "acme",
                  const std::string& user = "alice") {
    return host_.pre_query(FakeQuery(text).tenant(tenant).user(user));
  }
  FakeHost host_;
};

TEST_F(RateLimit, without_configuration_nothing_is_limited) {
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ask(), "");
  EXPECT_TRUE(host_.state.empty());
}

TEST_F(RateLimit, tenant_gets_its_burst_and_then_what_comes_back) {
  host_.state["config"] = R"({"burst":3,"tokens":2,"period_ms":1000})";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(), "");
  EXPECT_EQ(ask(), "rate limit of the tenant reached (retry in 0.500s)");
  EXPECT_EQ(host_.verdict.sqlstate, "53400");
  EXPECT_EQ(host_.metrics["limited"], 1);
  EXPECT_EQ(ask("SELECT 1", "globex"), "");
  host_.now_ms += 500;
  EXPECT_EQ(ask(), "");
  EXPECT_EQ(ask(), "rate limit of the tenant reached (retry in 0.500s)");
}

TEST_F(RateLimit, user_or_statement_can_be_what_is_limited) {
  host_.state["config"] = R"({"per":"user","burst":1,"tokens":1,"period_ms":1000})";
  EXPECT_EQ(ask("SELECT 1", "acme", "alice"), "");
  EXPECT_NE(ask("SELECT 1", "globex", "alice"), "");
  EXPECT_EQ(ask("SELECT 1", "acme", "bob"), "");
  host_.state["config"] = R"({"per":"statement","burst":1,"tokens":1,"period_ms":1000})";
  const auto with = [this](uint64_t bits) {
    return host_.pre_query(FakeQuery("SELECT 1").tenant("acme").fingerprint(bits));
  };
  EXPECT_EQ(with(0xABCDEF0123456789), "");
  EXPECT_EQ(with(0xABCDEF0123456789), "rate limit of the statement reached (retry in 1.000s)");
  EXPECT_EQ(with(0xABCDEF0123456788), "");
  EXPECT_EQ(host_.state.count("bucket:abcdef0123456789"), 1U);
}

TEST_F(RateLimit, one_subject_can_have_a_limit_of_its_own) {
  host_.state["config"] = R"({"burst":1,"tokens":1,"period_ms":1000})";
  host_.state["config:acme"] = R"({"burst":2,"tokens":1,"period_ms":1000})";
  host_.state["config:closed"] = R"({"burst":0,"tokens":1,"period_ms":1000})";
  EXPECT_EQ(ask(), "");
  EXPECT_EQ(ask(), "");
  EXPECT_NE(ask(), "");
  EXPECT_EQ(ask("SELECT 1", "closed"), "rate limit of the tenant lets nothing through");
}

TEST_F(RateLimit, statement_without_a_tenant_is_not_limited) {
  host_.state["config"] = R"({"burst":0,"tokens":1,"period_ms":1000})";
  EXPECT_EQ(host_.pre_query(FakeQuery("SELECT 1")), "");
}

TEST_F(RateLimit, limit_that_is_none_refuses_everything) {
  for (const char* const text :
       {"", "{}", "no", R"({"burst":1})", R"({"burst":-1,"tokens":1,"period_ms":1})",
        R"({"burst":1,"tokens":0,"period_ms":1})", R"({"burst":1,"tokens":1,"period_ms":0})",
        R"({"burst":1.5,"tokens":1,"period_ms":1})",
        R"({"per":"planet","burst":1,"tokens":1,"period_ms":1})"}) {
    host_.state["config"] = text;
    EXPECT_EQ(ask(), "rate-limit: \"config\" is not a limit") << text;
    EXPECT_EQ(host_.verdict.sqlstate, "F0000");
  }
}

TEST_F(RateLimit, what_operators_write_is_judged) {
  const struct {
    std::string key, value, problem;
  } kCases[] = {
      {"config", R"({"per":"user","burst":10.0,"tokens":1e0,"period_ms":1e3})", ""},
      {"config", R"({"burst":0,"tokens":1,"period_ms":1})", ""},
      {"config:acme", R"({"burst":1,"tokens":1,"period_ms":1})", ""},
      {"bucket:acme", "12345678", ""},
      {"config", R"({"burst":"ten","tokens":1,"period_ms":1})",
       "limit: field `burst` must be a whole number, and is a text"},
      {"config", R"({"burst":1.5,"tokens":1,"period_ms":1})",
       "limit: field `burst` must be a whole number of 0 or more"},
      {"config", R"({"burst":1,"token":1,"period_ms":1})",
       "limit: field `token` is not known; did you mean `tokens`?"},
      {"config", R"({"burst":1,"tokens":0,"period_ms":1})",
       "limit: field `tokens` must be a whole number of 1 or more"},
      {"config", R"({"burst":1,"tokens":1})", "limit: field `period_ms` is missing"},
      {"config", R"({"per":"planet","burst":1,"tokens":1,"period_ms":1})",
       R"(limit: field `per` must be one of "tenant", "user", "statement")"},
      {"config:acme", R"({"per":"user","burst":1,"tokens":1,"period_ms":1})",
       "limit: field `per` is not known; there are `burst`, `tokens`, `period_ms`"},
      {"config", R"({"burst":1,"tokens":1000001,"period_ms":1})",
       "limit: `tokens` are more than one per nanosecond"},
      {"config", R"({"burst":1e12,"tokens":1,"period_ms":3600000})",
       "limit: `burst` is more than comes back in 36 years"},
      {"bucket:acme", "7 bytes", "bucket: the value must have 8 bytes"},
      {"configuration", "{}",
       "there is no such key here; there are `config`, `config:<subject>` and `bucket:<subject>`"},
  };
  for (const auto& [key, value, problem] : kCases)
    EXPECT_EQ(host_.check_write(key, value), problem) << key << ' ' << value;
}

// Whatever is let in, a bucket can be made of it.
TEST_F(RateLimit, what_is_let_in_is_what_is_used) {
  const std::vector<std::string> numbers = {"0",    "1",       "2.0",     "1e3",  "1000000",
                                            "1e9",  "3600000", "1e12",    "1e15", "9223372036854",
                                            "9e15", "1.5",     "86400e3", "-1",   "9.3e12"};
  int let_in = 0;
  for (const auto& burst : numbers)
    for (const auto& tokens : numbers)
      for (const auto& period : numbers) {
        const std::string text =
            "{\"burst\":" + burst + ",\"tokens\":" + tokens + ",\"period_ms\":" + period + "}";
        if (!host_.check_write("config", text).empty()) continue;
        ++let_in;
        host_.state = {{"config", text}};
        const std::string answer = ask();
        const bool is_closed = burst == "0";
        EXPECT_EQ(answer, is_closed ? "rate limit of the tenant lets nothing through" : "") << text;
      }
  EXPECT_GT(let_in, 100);
}

TEST_F(RateLimit, what_stands_there_already_is_treated_as_ever_and_logged_once) {
  host_.state["config"] = R"({"burst":1,"tokens":1,"period_ms":1000,"comment":"ours"})";
  EXPECT_EQ(ask(), "");
  EXPECT_EQ(ask(), "rate limit of the tenant reached (retry in 1.000s)");
  EXPECT_EQ(host_.log, std::vector<std::string>{
                           "\"config\" would be refused today: field `comment` is not known; "
                           "there are `burst`, `tokens`, `period_ms`, `per`"});
}

TEST_F(RateLimit, token_of_a_statement_that_never_ran_is_given_back) {
  for (const char* const per : {"tenant", "user", "statement"}) {
    host_.state.clear();
    host_.state["config"] =
        std::string(R"({"burst":1,"tokens":1,"period_ms":1000,"per":")") + per + "\"}";
    const FakeQuery query = FakeQuery("SELECT 1").tenant("acme").user("alice").fingerprint(7);
    for (const char* const outcome : {"refused", "skipped"}) {
      host_.scratch.clear();
      EXPECT_EQ(host_.pre_query(query), "") << per;
      host_.post_query(query, {.outcome = outcome});
    }
    for (const char* const outcome : {"executed", "failed", "answered", "lost", "unknown"}) {
      host_.scratch.clear();
      EXPECT_EQ(host_.pre_query(query), "") << per;
      host_.post_query(query, {.outcome = outcome});
      EXPECT_NE(host_.pre_query(query), "") << outcome;
      host_.now_ms += 1000;
    }
  }
}

TEST_F(RateLimit, one_that_was_refused_here_gives_nothing_back) {
  host_.state["config"] = R"({"burst":1,"tokens":1,"period_ms":1000})";
  EXPECT_EQ(ask(), "");
  host_.scratch.clear();
  EXPECT_NE(ask(), "");
  host_.post_query(FakeQuery("SELECT 1").tenant("acme"), {.outcome = "refused"});
  EXPECT_NE(ask(), "");
}

TEST_F(RateLimit, statements_without_a_fingerprint_share_a_bucket) {
  host_.state["config"] = R"({"per":"statement","burst":1,"tokens":1,"period_ms":1000})";
  EXPECT_EQ(ask("SELEKT 1"), "");
  EXPECT_NE(ask("SELEKT 2"), "");
  EXPECT_EQ(host_.state.count("bucket:unread"), 1U);
}

TEST(Taken, is_read_as_it_was_written) {
  const auto read = parse_taken(format_taken({Per::statement, {3, 2, 1000}}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->per, Per::statement);
  EXPECT_EQ(read->rate.burst, 3);
  EXPECT_EQ(read->rate.period_ms, 1000);
  for (const char* const notes : {"", "0", "0 1 2", "9 1 2 3", "x 1 2 3"})
    EXPECT_FALSE(parse_taken(notes)) << notes;
}

}  // namespace
}  // namespace helios::rate_limit
