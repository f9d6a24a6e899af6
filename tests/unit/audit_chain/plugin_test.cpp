// SPDX-License-Identifier: Apache-2.0

// Goal: the plugin's records are the documented ones, and nothing runs that it could not record. Method: the plugin behind
// the fake host.

#include "helios/fake_host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace helios::plugin {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kRequest = R"("request":"00000000-0000-4000-8000-000000000001")";

class AuditChain : public testing::Test {
 protected:
  static FakeQuery query(const std::string& text) {
    return FakeQuery(text).tenant("acme").user("u").database("d");
  }
  // All three hooks.
  void run(const FakeQuery& asked, const FakeOutcome& outcome = {}) {
    EXPECT_EQ(host_.pre_query(asked), "");
    host_.post_query(asked, outcome);
    host_.settled(asked, HELIOS_SETTLED_COMMITTED);
  }
  const std::string& record(std::size_t number) { return host_.streams["trail"].at(number - 1); }

  FakeHost host_;
};

// The format is for ever: trails of today must verify tomorrow.
TEST_F(AuditChain, Records_HaveTheDocumentedFormat) {
  FakeQuery asked = query("SELECT $1, '\"\n'").parameter("one").parameter(std::nullopt);
  asked.attribute("client_ip", "192.0.2.7")
      .attribute("application_name", "psql")
      .fingerprint(0xabc);
  run(asked, {.rows = 1});
  ASSERT_EQ(host_.streams["trail"].size(), 3U);
  EXPECT_EQ(record(1),
            R"({"type":"intent","version":4,"time_ms":1700000000000,)" + std::string(kRequest) +
                R"(,"session":"00000000-0000-4000-8000-000000000002","user":"u",)"
                R"("database":"d","tenant":"acme","agent":null,"client":"192.0.2.7",)"
                R"("application":"psql","fingerprint":"0000000000000abc",)"
                R"("parameters":[{"type":25,"format":"text","bytes":3,"hmac":")" +
                to_std(sha256_hex("hmac of one")) +
                R"("},null],"more_parameters":null,"text_bytes":15,)"
                R"("text_sha256":")" +
                to_std(sha256_hex("SELECT $1, '\"\n'")) + R"(","text":"SELECT $1, '\"\u000a'"})");
  EXPECT_EQ(record(2),
            R"({"type":"outcome","version":4,"time_ms":1700000000000,)" + std::string(kRequest) +
                R"(,"outcome":"executed","tag":"","rows":1,"duration_us":1000,"answer_bytes":64,)"
                R"("sqlstate":""})");
  EXPECT_EQ(record(3), R"({"type":"settlement","version":4,"time_ms":1700000000000,)" +
                           std::string(kRequest) + R"(,"settlement":"committed"})");
}

TEST_F(AuditChain, EventIsRecordedAsItIs) {
  host_.event("login_denied", R"({"user":"ann","reason":"\"no\""})");
  EXPECT_EQ(record(1),
            R"({"type":"event","version":4,"time_ms":1700000000000,"event":"login_denied",)"
            R"("detail":{"user":"ann","reason":"\"no\""}})");
  host_.max_record_bytes = 10;
  EXPECT_DEATH(host_.event("stop", "{}"), "");
}

TEST_F(AuditChain, SettlementThatIsKnownStandsInTheOutcome) {
  const FakeQuery asked = query("SELECT 1");
  EXPECT_EQ(host_.pre_query(asked), "");
  host_.post_query(asked, {.rows = 1, .settlement = HELIOS_SETTLED_COMMITTED});
  EXPECT_TRUE(host_.skips_settled);
  ASSERT_EQ(host_.streams["trail"].size(), 2U);
  EXPECT_THAT(record(2), EndsWith(R"("answer_bytes":64,"sqlstate":"","settlement":"committed"})"));
}

TEST_F(AuditChain, TextThatWasRewrittenSinceStandsInTheOutcome) {
  FakeQuery asked = query("SELECT 0");
  asked.rewrite("SELECT 1");  // by a plugin before this one
  EXPECT_EQ(host_.pre_query(asked), "");
  host_.post_query(asked, {});
  EXPECT_THAT(record(2), Not(HasSubstr("text")));
  EXPECT_EQ(host_.pre_query(asked), "");
  asked.rewrite("SELECT 2");
  host_.post_query(asked, {});
  EXPECT_THAT(record(4), HasSubstr(R"("text_bytes":8,"text_sha256":")" +
                                   to_std(sha256_hex("SELECT 2")) + R"(","text":"SELECT 2")"));
}

TEST_F(AuditChain, SettlementThatIsNotKnownYetIsWaitedFor) {
  const FakeQuery asked = query("SELECT 1");
  EXPECT_EQ(host_.pre_query(asked), "");
  host_.post_query(asked, {.rows = 1});
  EXPECT_FALSE(host_.skips_settled);
  EXPECT_THAT(record(2), Not(HasSubstr("settlement")));
}

TEST_F(AuditChain, Refusal_IsRecordedWithItsReason) {
  const FakeQuery asked = query("DROP TABLE t");
  EXPECT_EQ(host_.pre_query(asked), "");
  host_.post_query(
      asked,
      {.outcome = "refused", .success = false, .error = "not at night", .sqlstate = "42501"});
  EXPECT_THAT(record(2), HasSubstr(R"("outcome":"refused","tag":"","rows":null)"));
  EXPECT_THAT(record(2), HasSubstr(R"("sqlstate":"42501","error":"not at night"})"));
}

TEST_F(AuditChain, TextThatAnotherPluginRewrote_IsRecordedAsItRan) {
  FakeQuery asked = query("SELECT 1");
  EXPECT_EQ(host_.pre_query(asked), "");
  asked.rewrite("SELECT 2");
  host_.post_query(asked, {});
  EXPECT_THAT(record(1), HasSubstr(R"("text":"SELECT 1"})"));
  EXPECT_THAT(record(2), HasSubstr(R"("text":"SELECT 2"})"));
  EXPECT_THAT(record(2), HasSubstr(to_std(sha256_hex("SELECT 2"))));
}

TEST_F(AuditChain, LongTexts_AreCutBetweenCharactersAndFitOneRecord) {
  std::string text = "SELECT '";
  while (text.size() < 20'000'000) text += "\xE2\x82\xAC\x01";
  FakeQuery asked(text);
  for (int i = 0; i < 100; ++i) asked.parameter(std::string(5000, '\x02'));
  const std::string name(1000, '\x03');
  asked.tenant(name).user(name).database(name).execute_text(name);
  run(asked, {.outcome = "unknown", .error = name});
  EXPECT_LE(record(1).size(), 60'000U);
  EXPECT_LE(record(2).size(), 60'000U);
  EXPECT_THAT(record(1), HasSubstr("\"text_bytes\":" + std::to_string(text.size())));
  EXPECT_THAT(record(1), HasSubstr(to_std(sha256_hex(from_std(text)))));
  EXPECT_TRUE(Json::parse(from_std(record(1))).has_value());
  EXPECT_TRUE(Json::parse(from_std(record(2))).has_value());
}

TEST_F(AuditChain, TextAndBinaryParameters_AreToldApart) {
  run(query("SELECT $1").parameter("\\x00"));
  run(query("SELECT $1").binary_parameter(std::string(1, '\0')));
  EXPECT_THAT(record(1), HasSubstr(R"("format":"text","bytes":4)"));
  EXPECT_THAT(record(4), HasSubstr(R"("format":"binary","bytes":1)"));
  for (const std::size_t intent : {1U, 4U}) {
    EXPECT_THAT(record(intent), testing::Not(HasSubstr("start")));
    EXPECT_THAT(record(intent), testing::Not(HasSubstr("x00")));
  }
}

TEST_F(AuditChain, EveryParameter_HasItsShareInTheRecord) {
  const auto record_of = [this](int changed, const std::optional<std::string>& value) {
    FakeQuery asked = query("SELECT");
    for (int i = 0; i < 40; ++i)
      asked.parameter(i == changed ? value : std::optional(std::string(500, 'x')));
    host_.streams.clear();
    run(asked);
    return record(1);
  };
  const std::string plain = record_of(-1, {});
  EXPECT_THAT(plain, HasSubstr(R"("more_parameters":{"count":24,"sha256":")"));
  for (const int changed : {0, 5, 15, 16, 39}) {
    EXPECT_NE(record_of(changed, std::string(499, 'x') + "y"), plain) << changed;
    EXPECT_NE(record_of(changed, std::nullopt), plain) << changed;
  }
}

TEST_F(AuditChain, ExecuteOfSql_IsRecordedWithItsArguments) {
  run(query("SELECT $1").execute_text("EXECUTE p(7)"));
  EXPECT_THAT(record(1), HasSubstr(R"x("execute":"EXECUTE p(7)")x"));
}

TEST_F(AuditChain, Secrets_StandInNoRecord) {
  FakeQuery asked = query("ALTER ROLE r PASSWORD 'hush'").execute_text("EXECUTE p('hush')");
  asked.redacted("ALTER ROLE r PASSWORD '***'")
      .redacted("EXECUTE p('***')", HELIOS_REDACTED_EXECUTE_TEXT);
  asked.redacted("no ***", HELIOS_REDACTED_ERROR_MESSAGE);
  EXPECT_EQ(host_.pre_query(asked), "");
  const std::string shown = "ALTER ROLE r PASSWORD '***'";
  EXPECT_THAT(record(1),
              HasSubstr(R"x("execute":"EXECUTE p('***')","redacted":true,"text_bytes":)x" +
                        std::to_string(shown.size()) + R"(,"text_sha256":")" +
                        to_std(sha256_hex(from_std(shown))) + R"(","text":")" + shown));
  asked.rewrite("ALTER ROLE s PASSWORD 'hush'");
  asked.redacted("ALTER ROLE s PASSWORD '***'");
  host_.post_query(
      asked, {.outcome = "failed", .success = false, .error = "no hush", .sqlstate = "42704"});
  EXPECT_THAT(record(2), HasSubstr(R"("error":"no ***","redacted":true,"text_bytes":)"));
  EXPECT_THAT(record(2), HasSubstr(R"("text":"ALTER ROLE s PASSWORD '***'")"));
  for (const std::string& written : host_.streams["trail"])
    EXPECT_THAT(written, testing::Not(HasSubstr("hush")));
}

// Nobody sees it in the texts that are recorded.
TEST_F(AuditChain, RewriteOfASecretAlone_IsRecorded) {
  FakeQuery asked = query("ALTER ROLE r PASSWORD 'a'");
  asked.redacted("ALTER ROLE r PASSWORD '***'");
  EXPECT_EQ(host_.pre_query(asked), "");
  asked.rewrite("ALTER ROLE r PASSWORD 'b'");
  host_.post_query(asked, {});
  EXPECT_THAT(record(2), HasSubstr(R"("redacted":true,"text_bytes":27)"));
}

TEST_F(AuditChain, RecordsInWhichNothingIsHidden_DoNotSaySo) {
  run(query("SELECT 1"), {.outcome = "failed", .success = false, .error = "why"});
  for (const std::string& written : host_.streams["trail"])
    EXPECT_THAT(written, testing::Not(HasSubstr("redacted")));
}

TEST_F(AuditChain, StatementThatCannotBeRecorded_IsRefusedBeforeItRuns) {
  host_.max_record_bytes = 100;
  const FakeQuery asked = query("INSERT 1");
  EXPECT_THAT(host_.pre_query(asked), HasSubstr("the statement cannot be recorded"));
  EXPECT_EQ(host_.verdict.sqlstate, "53100");
  host_.post_query(asked, {.outcome = "refused", .success = false});
  host_.settled(asked, HELIOS_SETTLED_COMMITTED);
  EXPECT_TRUE(host_.streams.empty());
}

TEST_F(AuditChain, OutcomeThatCannotBeRecorded_EndsTheCall) {
  const FakeQuery asked = query("SELECT 1");
  EXPECT_EQ(host_.pre_query(asked), "");
  host_.max_record_bytes = 10;
  EXPECT_DEATH(host_.post_query(asked, {}), "");
}

TEST_F(AuditChain, ChainOfAnOlderVersion_IsCarriedOverOnce) {
  host_.state["head"] = R"({"seq":7,"sha256":")" + std::string(64, 'a') + "\"}";
  run(query("SELECT 1"));
  run(query("SELECT 2"));
  EXPECT_EQ(record(1),
            R"({"type":"carried","version":4,"time_ms":1700000000000,"seq":7,"sha256":")" +
                std::string(64, 'a') + "\"}");
  EXPECT_EQ(host_.streams["trail"].size(), 7U);
  EXPECT_THAT(record(5), StartsWith(R"({"type":"intent")"));
}

TEST_F(AuditChain, BrokenHeadOfAnOlderVersion_EndsTheCall) {
  host_.state["head"] = "{}";
  EXPECT_DEATH(host_.pre_query(query("SELECT 2")), "");
}

}  // namespace
}  // namespace helios::plugin
