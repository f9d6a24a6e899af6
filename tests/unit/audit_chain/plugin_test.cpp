// SPDX-License-Identifier: Apache-2.0

// Goal: what the plugin writes is what the verifier reads. Method: the plugin itself behind the fake host,
// its keys through ChainVerifier, and every kind of damage between the two.

#include "cli/audit_chain.hpp"
#include "helios/fake_host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace helios::plugin {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string key_of(int record) {
  char key[32];
  std::snprintf(key, sizeof(key), "rec:%016x", static_cast<unsigned>(record));
  return key;
}

class AuditChain : public testing::Test {
 protected:
  void run(const std::string& text, const FakeOutcome& outcome = {}) {
    host_.post_query(FakeQuery(text).tenant("acme").user("u").database("d"), outcome);
  }
  void run_many(int count) {
    for (int i = 1; i <= count; ++i) run("SELECT " + std::to_string(i));
  }

  // What is wrong with the chain; empty when nothing is.
  std::string verify(cli::ChainLink start = {}) {
    cli::ChainVerifier verifier(start);
    for (const auto& [key, value] : host_.state)
      if (const auto added = verifier.add(key, value); !added) return added.error().message;
    const auto last = verifier.finish();
    if (!last) return last.error().message;
    newest_ = *last;
    return {};
  }

  FakeHost host_;
  cli::ChainLink newest_;
};

TEST_F(AuditChain, EveryStatement_IsARecordWhateverBecameOfIt) {
  run("SELECT 1");
  run("SELECT 1/0", {.outcome = "failed", .success = false, .sqlstate = "22012"});
  run("DROP TABLE t", {.outcome = "refused", .success = false});
  EXPECT_EQ(verify(), "");
  EXPECT_EQ(newest_.seq, 3);
  EXPECT_THAT(host_.state[key_of(2)],
              HasSubstr(R"("outcome":"failed","tag":"","rows":null,"sqlstate":"22012")"));
  EXPECT_THAT(host_.state["head"], StartsWith("{\"seq\":3,\"sha256\":\"" + newest_.hash));
}

// The format is for ever: chains of today must verify tomorrow.
TEST_F(AuditChain, Record_HasTheDocumentedFormat) {
  host_.post_query(FakeQuery("SELECT $1, '\"\n'")
                       .tenant("acme")
                       .user("u")
                       .database("d")
                       .parameter("one")
                       .parameter(std::nullopt),
                   {.rows = 1});
  EXPECT_EQ(
      host_.state[key_of(1)],
      R"({"seq":1,"prev":")" + std::string(64, '0') +
          R"(","version":2,"time_ms":1700000000000,"session":"00000000-0000-4000-8000-000000000002",)"
          R"("request":"00000000-0000-4000-8000-000000000001","user":"u","database":"d",)"
          R"("tenant":"acme","outcome":"executed","tag":"","rows":1,"sqlstate":"",)"
          R"("parameters":[{"format":"text","bytes":3,"sha256":")" +
          to_std(sha256_hex("one")) +
          R"(","start":"one"},null],"more_parameters":null,"text_bytes":15,"text_sha256":")" +
          to_std(sha256_hex("SELECT $1, '\"\n'")) + R"(","text":"SELECT $1, '\"\u000a'"})");
}

TEST_F(AuditChain, LongTexts_AreCutBetweenCharactersAndFitOneValue) {
  std::string text = "SELECT '";
  while (text.size() < 100'000) text += "\xE2\x82\xAC\x01";
  FakeQuery query(text);
  for (int i = 0; i < 100; ++i) query.parameter(std::string(5000, '\x02'));
  const std::string name(1000, '\x03');
  query.tenant(name).user(name).database(name).execute_text(name);
  host_.post_query(query, {});
  const std::string& record = host_.state[key_of(1)];
  EXPECT_LE(record.size(), 60'000U);
  EXPECT_THAT(record, HasSubstr("\"text_bytes\":" + std::to_string(text.size())));
  EXPECT_THAT(record, HasSubstr(to_std(sha256_hex(from_std(text)))));
  EXPECT_TRUE(Json::parse(from_std(record)).has_value());
  EXPECT_EQ(verify(), "");
}

TEST_F(AuditChain, LargestRecord_FitsIntoTheRoomThatIsHeldReady) {
  const std::string name(10'000, '\x01');
  FakeQuery query(name);
  for (int i = 0; i < 40; ++i) query.parameter(i < 10 ? std::string(100, '\x02') : name);
  query.tenant(name).user(name).database(name).execute_text(name);
  host_.post_query(query, {.outcome = "unknown"});
  EXPECT_GT(host_.state[key_of(1)].size(), 50'000U);
  EXPECT_LE(host_.state[key_of(1)].size(), 60'000U);
}

TEST_F(AuditChain, TextAndBinaryParameters_AreToldApart) {
  host_.post_query(FakeQuery("SELECT $1").parameter("\\x00"), {});
  host_.post_query(FakeQuery("SELECT $1").binary_parameter(std::string(1, '\0')), {});
  EXPECT_THAT(host_.state[key_of(1)], HasSubstr(R"("format":"text","bytes":4)"));
  EXPECT_THAT(host_.state[key_of(2)], HasSubstr(R"("format":"binary","bytes":1)"));
  for (int record = 1; record <= 2; ++record)
    EXPECT_THAT(host_.state[key_of(record)], HasSubstr(R"("start":"\\x00")"));
}

TEST_F(AuditChain, EveryParameter_HasItsShareInTheRecord) {
  const auto record_of = [this](int changed, const std::optional<std::string>& value) {
    FakeQuery query("SELECT");
    for (int i = 0; i < 40; ++i)
      query.parameter(i == changed ? value : std::optional(std::string(500, 'x')));
    host_.state.clear();
    host_.post_query(query, {});
    return host_.state[key_of(1)];
  };
  const std::string plain = record_of(-1, {});
  EXPECT_THAT(plain, HasSubstr(R"("more_parameters":{"count":24,"sha256":")"));
  for (const int changed : {0, 5, 15, 16, 39}) {
    EXPECT_NE(record_of(changed, std::string(499, 'x') + "y"), plain) << changed;
    EXPECT_NE(record_of(changed, std::nullopt), plain) << changed;
  }
}

TEST_F(AuditChain, ExecuteOfSql_IsRecordedWithItsArguments) {
  host_.post_query(FakeQuery("SELECT $1").execute_text("EXECUTE p(7)"), {});
  EXPECT_THAT(host_.state[key_of(1)], HasSubstr(R"x("execute":"EXECUTE p(7)")x"));
}

TEST_F(AuditChain, StatementThatCannotBeHashed_IsRefusedBeforeItRuns) {
  FakeQuery query("INSERT $1");
  query.parameter(std::string((8 << 20) + 1, 'x'));
  EXPECT_THAT(host_.pre_query(query), HasSubstr("of which it can record 8388608"));
  EXPECT_EQ(host_.verdict.sqlstate, "54000");
  host_.post_query(query, {.outcome = "refused", .success = false});
  EXPECT_EQ(host_.state.size(), 0U);
  EXPECT_EQ(host_.pre_query(FakeQuery("INSERT 1")), "");
}

TEST_F(AuditChain, NamespaceWithoutRoom_RefusesBeforeItRuns) {
  host_.max_value_bytes = 1000;
  EXPECT_EQ(host_.pre_query(FakeQuery("INSERT 1")),
            "audit-chain: there is no room for another record in its namespace");
  EXPECT_EQ(host_.verdict.sqlstate, "53100");
  host_.post_query(FakeQuery("INSERT 1"), {.outcome = "refused", .success = false});
  EXPECT_EQ(host_.state.size(), 0U);
}

TEST_F(AuditChain, RoomThatIsHeldReady_IsNoPartOfTheChain) {
  EXPECT_EQ(host_.pre_query(FakeQuery("SELECT 1")), "");
  EXPECT_EQ(host_.state["reserve"].size(), 60'000U);
  run("SELECT 1");
  EXPECT_EQ(verify(), "");
  EXPECT_EQ(newest_.seq, 1);
}

// Chains are verified by their bytes: those of older versions go on.
TEST_F(AuditChain, RecordsOfTheFirstFormat_AreContinued) {
  const std::string old = R"({"seq":1,"prev":")" + std::string(64, '0') +
                          R"(","time_ms":1,"parameters":["a"],"text":"SELECT 1"})";
  host_.state[key_of(1)] = old;
  host_.state["head"] = R"({"seq":1,"sha256":")" + to_std(sha256_hex(from_std(old))) + "\"}";
  run("SELECT 2");
  EXPECT_EQ(verify(), "");
  EXPECT_EQ(newest_.seq, 2);
}

TEST_F(AuditChain, EmptyStore_IsAnEmptyChain) {
  EXPECT_EQ(verify(), "");
  EXPECT_EQ(newest_, cli::ChainLink());
}

TEST_F(AuditChain, EditOfAnyByteOfAnyRecord_IsFoundAndNamed) {
  run_many(3);
  for (int record = 1; record <= 3; ++record) {
    const std::string good = host_.state[key_of(record)];
    for (std::size_t at = 0; at < good.size(); ++at) {
      host_.state[key_of(record)][at] = static_cast<char>(good[at] ^ 1);
      EXPECT_THAT(verify(), HasSubstr("record " + std::to_string(record))) << at;
      host_.state[key_of(record)] = good;
    }
    host_.state[key_of(record)] = good + " ";
    EXPECT_THAT(verify(), HasSubstr("record " + std::to_string(record)));
    host_.state[key_of(record)] = good;
  }
  EXPECT_EQ(verify(), "");
}

TEST_F(AuditChain, MissingRecord_IsNamed) {
  run_many(4);
  const auto whole = host_.state;
  for (int record = 1; record <= 4; ++record) {
    host_.state.erase(key_of(record));
    EXPECT_THAT(verify(), StartsWith("record " + std::to_string(record) + " is missing"));
    host_.state = whole;
  }
}

TEST_F(AuditChain, ExchangedRecords_AreNamed) {
  run_many(4);
  std::swap(host_.state[key_of(2)], host_.state[key_of(3)]);
  EXPECT_EQ(verify(),
            "record 2 says that it is record 3: it was edited, or exchanged with another");
}

TEST_F(AuditChain, EndCutOff_IsFoundByTheHead) {
  run_many(4);
  host_.state.erase(key_of(4));
  host_.state.erase(key_of(3));
  EXPECT_EQ(verify(), "record 3 is missing: record 4 is known to have been there");
}

TEST_F(AuditChain, HeadThatWasEditedOrRemoved_IsFound) {
  run_many(2);
  const std::string good = host_.state["head"];
  for (std::size_t at = 0; at < good.size(); ++at) {
    host_.state["head"][at] = static_cast<char>(good[at] ^ 1);
    EXPECT_NE(verify(), "") << at;
    host_.state["head"] = good;
  }
  host_.state.erase("head");
  EXPECT_EQ(verify(), "there is no head");
}

TEST_F(AuditChain, ChainMadeAnew_IsFoundByAnAnchorOnly) {
  run_many(3);
  EXPECT_EQ(verify(), "");
  const cli::ChainLink anchor = newest_;
  host_.state.clear();
  for (int i = 1; i <= 3; ++i) run("SELECT 'forged'");
  EXPECT_EQ(verify(), "");
  cli::ChainVerifier verifier;
  ASSERT_TRUE(verifier.expect(anchor));
  std::string found;
  for (const auto& [key, value] : host_.state)
    if (const auto added = verifier.add(key, value); !added && found.empty())
      found = added.error().message;
  EXPECT_THAT(found, HasSubstr("record 3"));
}

TEST_F(AuditChain, RestOfAChain_VerifiesAfterTheLastRecordPutAway) {
  run_many(2);
  EXPECT_EQ(verify(), "");
  const cli::ChainLink kept = newest_;
  run_many(2);
  host_.state.erase(key_of(1));
  host_.state.erase(key_of(2));
  EXPECT_THAT(verify(), StartsWith("record 1 is missing"));
  EXPECT_EQ(verify(kept), "");
  EXPECT_EQ(newest_.seq, 4);
  EXPECT_THAT(verify({2, std::string(64, '1')}), HasSubstr("record 2"));
}

TEST_F(AuditChain, RecordsNewerThanTheHead_ArePartOfTheChain) {
  run_many(2);
  const std::string older_head = host_.state["head"];
  run_many(1);
  host_.state["head"] = older_head;
  EXPECT_EQ(verify(), "");
  EXPECT_EQ(newest_.seq, 3);
}

TEST_F(AuditChain, StrangeKeys_AreNamed) {
  run_many(1);
  for (const char* key : {"rec:2", "rec:000000000000000G", "zzz", "rec:000000000000000A"}) {
    host_.state[key] = host_.state[key_of(1)];
    EXPECT_THAT(verify(), HasSubstr(key));
    host_.state.erase(key);
  }
}

TEST_F(AuditChain, BrokenHead_EndsTheCall) {
  run_many(1);
  host_.state["head"] = "{}";
  EXPECT_DEATH(run("SELECT 2"), "");
}

TEST(ChainLink, text_is_read_back_and_nothing_else_is) {
  const cli::ChainLink link{7, std::string(64, 'a')};
  EXPECT_EQ(*cli::parse_link(cli::format_link(link)), link);
  for (const char* text : {"", "7", "7:", ":aa", "-1:aa", "7:zz", "x:y"})
    EXPECT_FALSE(cli::parse_link(text).has_value()) << text;
}

}  // namespace
}  // namespace helios::plugin
