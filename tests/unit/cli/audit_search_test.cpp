// SPDX-License-Identifier: Apache-2.0
// `heliosproxy audit search`, `follow` and `export`: which statements they print, in which order, and how much they read.

#include "unit/cli/audit_fixture.hpp"

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

namespace helios::cli {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class AuditSearch : public AuditCommand {
 protected:
  // The last digit of each request that is printed.
  std::string found(std::vector<std::string> words) {
    if (words.empty() || !words[0].starts_with("follow")) words.insert(words.begin(), "search");
    printed_ = audit(std::move(words));
    std::string digits;
    for (std::size_t at = printed_.find("00000000-"); at != std::string::npos;
         at = printed_.find("00000000-", at + 36))
      digits += printed_[at + 35];
    return digits;
  }

  std::string printed_;
};

TEST_F(AuditSearch, statement_is_a_line_that_nothing_in_it_can_break) {
  intend(1, "SELECT 'a\nb' /* \x1b[2J \xc2\x9b \xe2\x80\xae \\ ü */");
  end(1, "failed", "22012");
  settle(1, "rolled back");
  EXPECT_EQ(audit({"search"}),
            "2024-01-01T00:00:00.000Z [" + id(1) +
                "] user app database shop tenant acme agent -: failed (22012), 1 rows, 1.204 ms, "
                "rolled back: SELECT 'a\\nb' /* \\x1b[2J \\u{009b} \\u{202e} \\\\ ü */\n");
}

TEST_F(AuditSearch, json_has_every_field_and_null_for_what_is_not_known) {
  intend(1, "SELECT 1");
  const auto object = boost::json::parse(audit({"search", "--json"})).as_object();
  EXPECT_EQ(object.at("number"), 1);
  EXPECT_EQ(object.at("request").as_string(), id(1));
  EXPECT_EQ(object.at("parameters").at(0).at("start"), "42");
  EXPECT_TRUE(object.at("outcome").is_null());
  EXPECT_TRUE(object.at("settled").is_null());
  EXPECT_TRUE(object.at("ran").is_null());
  end(1, "executed", "", R"(,"text_bytes":8,"text_sha256":"cc","text":"SELECT 2")");
  settle(1);
  const auto ended = boost::json::parse(audit({"search", "--json"})).as_object();
  EXPECT_EQ(ended.at("ran"), "SELECT 2");
  EXPECT_EQ(ended.at("rows"), 1);
  EXPECT_EQ(ended.at("settled"), "2024-01-01T00:00:00.000Z");
}

TEST_F(AuditSearch, statements_come_in_the_order_in_which_they_began) {
  for (const int number : {1, 2, 3}) intend(number);
  end(3), settle(3), end(2), end(1), settle(1), settle(2);
  intend(4);
  EXPECT_EQ(found({}), "1234");
  EXPECT_THAT(printed_, EndsWith(": not known yet: SELECT 1\n"));
}

TEST_F(AuditSearch, filters_pick_and_are_all_to_fit) {
  run(1, "SELECT secret");
  run(2, "select 2", "globex");
  intend(3), end(3, "refused", "42501"), settle(3, "rolled back");
  intend(4);
  intend(5, "SELECT 5"), end(5, "executed", "", R"(,"text":"SELECT Secret")"), settle(5);
  EXPECT_EQ(found({"--tenant", "globex"}), "2");
  EXPECT_EQ(found({"--user", "app", "--database", "shop", "--client", "127.0.0.1", "--session",
                   "s1", "--application", "psql", "--fingerprint", "00000000000000ff"}),
            "12345");
  EXPECT_EQ(found({"--agent", "x"}), "");
  EXPECT_EQ(found({"--outcome", "refused"}), "3");
  EXPECT_EQ(found({"--outcome", "open", "--outcome", "refused"}), "34");
  EXPECT_EQ(found({"--sqlstate", "42501", "--tenant", "acme"}), "3");
  EXPECT_EQ(found({"--contains", "SECRET"}), "15");
  EXPECT_EQ(found({"--limit", "2"}), "12");
  EXPECT_THAT(audit({"search", "--outcome", "fine"}), StartsWith("usage: "));
}

TEST_F(AuditSearch, stretch_of_time_is_half_open_and_whole_statements_are_shown) {
  intend(1);
  advance_ms(60'000);
  end(1), settle(1), intend(2);
  advance_ms(60'000);
  run(3);
  end(2), settle(2);
  advance_ms(60'000);
  run(4);
  EXPECT_EQ(found({"--since", "2024-01-01T00:01:00Z", "--until", "2024-01-01T00:02:00Z"}), "2");
  EXPECT_THAT(printed_, HasSubstr("committed"));
  EXPECT_EQ(found({"--until", "2m"}), "1");
  EXPECT_EQ(found({"--since", "1m"}), "34");
  EXPECT_THAT(audit({"search", "--until", "soon"}), StartsWith("error: --until: expected"));
  EXPECT_THAT(audit({"search", "--since", "1m", "--until", "2m"}),
              StartsWith("error: --until must"));
}

// A page has 10,000 records.
TEST_F(AuditSearch, minute_among_many_records_takes_few_pages) {
  for (int minute = 0; minute < 40; ++minute) {
    for (int n = 0; n < 100; ++n) run(minute * 100 + n);
    advance_ms(60'000);
  }
  asked = 0;
  const std::string minute =
      audit({"search", "--since", "2024-01-01T00:10:00Z", "--until", "2024-01-01T00:11:00Z"});
  EXPECT_EQ(std::ranges::count(minute, '\n'), 100);
  EXPECT_EQ(asked, 1);
}

TEST_F(AuditSearch, statements_that_never_end_are_given_up_beyond_the_bound_and_that_is_said) {
  for (int number = 0; number <= 10'000; ++number) intend(number);
  const std::string printed = audit({"search"});
  EXPECT_EQ(std::ranges::count(printed, '\n'), 10'001);
  EXPECT_THAT(printed, EndsWith("not known yet: SELECT 1\n"));
  EXPECT_THAT(said, HasSubstr("1 statements stand there as far as they were known"));
}

TEST_F(AuditSearch, what_audit_chain_did_not_write_is_passed_over_and_said) {
  append("hello");
  append("[1]");
  run(1);
  append(R"({"type":"weather","version":9})");
  append(R"({"type":"intent","request":")" + std::string(300, 'x') + "\"}");
  EXPECT_EQ(found({}), "1");
  EXPECT_THAT(said, HasSubstr("3 records were passed over"));
}

TEST_F(AuditSearch, follower_prints_what_comes_and_waits_for_no_long_statement) {
  run(1);
  intend(2);
  int pauses = 0;
  on_pause = [&] {
    ++pauses;
    if (pauses == 1) run(3);
    if (pauses == 2) end(2);
    if (pauses == 3) settle(2);
    if (pauses == 4) run(4);
  };
  EXPECT_EQ(found({"follow", "--limit", "6"}), "123224");
  EXPECT_THAT(printed_,
              HasSubstr(id(2) + "] user app database shop tenant acme agent -: not known yet"));
  EXPECT_THAT(printed_, HasSubstr("1.204 ms, settlement not known yet: "));
  EXPECT_THAT(audit({"follow", "--state", "/s"}),
              StartsWith("error: follow needs a running proxy"));
}

TEST_F(AuditSearch, export_has_statements_or_the_records_themselves) {
  run(1, "SELECT 'é'");
  EXPECT_THAT(audit({"export"}), StartsWith(R"({"number":1,"time":"2024-)"));
  const std::string records = audit({"export", "--records"});
  EXPECT_EQ(std::ranges::count(records, '\n'), 3);
  EXPECT_THAT(records, HasSubstr(R"("digest":")"));
  EXPECT_THAT(audit({"export", "--records", "--format", "sql"}),
              StartsWith("error: --records goes"));
  EXPECT_THAT(audit({"export", "--records", "--user", "x"}), StartsWith("error: --records prints"));
  EXPECT_THAT(audit({"export", "--format", "xml"}), StartsWith("usage: "));
}

TEST_F(AuditSearch, what_no_json_and_no_table_can_hold_is_escaped) {
  append(R"({"type":"intent","request":")" + id(1) + "\",\"user\":\"\xFF\",\"text\":\"a\\u0000\"}");
  const auto object = boost::json::parse(audit({"export"})).as_object();
  EXPECT_EQ(object.at("user"), "\\xff");
  EXPECT_EQ(object.at("text"), "a\\x00");
}

TEST_F(AuditSearch, without_a_trail_it_says_so) {
  EXPECT_THAT(audit({"search"}), HasSubstr("error: audit-chain has no trail here: "));
  is_down = true;
  EXPECT_THAT(audit({"search"}), EndsWith("Connection refused"));
}

}  // namespace
}  // namespace helios::cli
