// SPDX-License-Identifier: Apache-2.0

// Goal: a chain in keys, as versions up to 0.4.0 of the plugin wrote it, verifies for ever. Method: chains made by hand, and
// every kind of damage.

#include "cli/audit_chain.hpp"
#include "helios/fake_host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
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

class OldChain : public testing::Test {
 protected:
  // Appends a record as the plugin did.
  void run(const std::string& text) {
    const std::string record = R"({"seq":)" + std::to_string(++seq_) + R"(,"prev":")" + hash_ +
                               R"(","version":2,"time_ms":1,"text":")" + text + "\"}";
    hash_ = to_std(sha256_hex(from_std(record)));
    keys_[key_of(seq_)] = record;
    keys_["head"] = R"({"seq":)" + std::to_string(seq_) + R"(,"sha256":")" + hash_ + "\"}";
  }
  void run_many(int count) {
    for (int i = 1; i <= count; ++i) run("SELECT " + std::to_string(i));
  }
  void start_anew() {
    keys_.clear();
    seq_ = 0;
    hash_ = std::string(64, '0');
  }

  // What is wrong with the chain; empty when nothing is.
  std::string verify(cli::ChainLink start = {}) {
    cli::ChainVerifier verifier(start);
    for (const auto& [key, value] : keys_)
      if (const auto added = verifier.add(key, value); !added) return added.error().message;
    const auto last = verifier.finish();
    if (!last) return last.error().message;
    newest_ = *last;
    return {};
  }

  FakeHost host_;  // for sha256_hex()
  std::map<std::string, std::string> keys_;
  int seq_ = 0;
  std::string hash_ = std::string(64, '0');
  cli::ChainLink newest_;
};

// Chains are verified by their bytes: those of older versions go on.
TEST_F(OldChain, RecordsOfTheFirstFormat_AreContinued) {
  const std::string old = R"({"seq":1,"prev":")" + std::string(64, '0') +
                          R"(","time_ms":1,"parameters":["a"],"text":"SELECT 1"})";
  keys_[key_of(1)] = old;
  seq_ = 1;
  hash_ = to_std(sha256_hex(from_std(old)));
  run("SELECT 2");
  EXPECT_EQ(verify(), "");
  EXPECT_EQ(newest_.seq, 2);
}

TEST_F(OldChain, EmptyStore_IsAnEmptyChain) {
  EXPECT_EQ(verify(), "");
  EXPECT_EQ(newest_, cli::ChainLink());
}

TEST_F(OldChain, EditOfAnyByteOfAnyRecord_IsFoundAndNamed) {
  run_many(3);
  for (int record = 1; record <= 3; ++record) {
    const std::string good = keys_[key_of(record)];
    for (std::size_t at = 0; at < good.size(); ++at) {
      keys_[key_of(record)][at] = static_cast<char>(good[at] ^ 1);
      EXPECT_THAT(verify(), HasSubstr("record " + std::to_string(record))) << at;
      keys_[key_of(record)] = good;
    }
    keys_[key_of(record)] = good + " ";
    EXPECT_THAT(verify(), HasSubstr("record " + std::to_string(record)));
    keys_[key_of(record)] = good;
  }
  EXPECT_EQ(verify(), "");
}

TEST_F(OldChain, MissingRecord_IsNamed) {
  run_many(4);
  const auto whole = keys_;
  for (int record = 1; record <= 4; ++record) {
    keys_.erase(key_of(record));
    EXPECT_THAT(verify(), StartsWith("record " + std::to_string(record) + " is missing"));
    keys_ = whole;
  }
}

TEST_F(OldChain, ExchangedRecords_AreNamed) {
  run_many(4);
  std::swap(keys_[key_of(2)], keys_[key_of(3)]);
  EXPECT_EQ(verify(),
            "record 2 says that it is record 3: it was edited, or exchanged with another");
}

TEST_F(OldChain, EndCutOff_IsFoundByTheHead) {
  run_many(4);
  keys_.erase(key_of(4));
  keys_.erase(key_of(3));
  EXPECT_EQ(verify(), "record 3 is missing: record 4 is known to have been there");
}

TEST_F(OldChain, HeadThatWasEditedOrRemoved_IsFound) {
  run_many(2);
  const std::string good = keys_["head"];
  for (std::size_t at = 0; at < good.size(); ++at) {
    keys_["head"][at] = static_cast<char>(good[at] ^ 1);
    EXPECT_NE(verify(), "") << at;
    keys_["head"] = good;
  }
  keys_.erase("head");
  EXPECT_EQ(verify(), "there is no head");
}

TEST_F(OldChain, ChainMadeAnew_IsFoundByAnAnchorOnly) {
  run_many(3);
  EXPECT_EQ(verify(), "");
  const cli::ChainLink anchor = newest_;
  start_anew();
  for (int i = 1; i <= 3; ++i) run("SELECT 'forged'");
  EXPECT_EQ(verify(), "");
  cli::ChainVerifier verifier;
  ASSERT_TRUE(verifier.expect(anchor));
  std::string found;
  for (const auto& [key, value] : keys_)
    if (const auto added = verifier.add(key, value); !added && found.empty())
      found = added.error().message;
  EXPECT_THAT(found, HasSubstr("record 3"));
}

TEST_F(OldChain, RestOfAChain_VerifiesAfterTheLastRecordPutAway) {
  run_many(2);
  EXPECT_EQ(verify(), "");
  const cli::ChainLink kept = newest_;
  run_many(2);
  keys_.erase(key_of(1));
  keys_.erase(key_of(2));
  EXPECT_THAT(verify(), StartsWith("record 1 is missing"));
  EXPECT_EQ(verify(kept), "");
  EXPECT_EQ(newest_.seq, 4);
  EXPECT_THAT(verify({2, std::string(64, '1')}), HasSubstr("record 2"));
}

TEST_F(OldChain, RecordsNewerThanTheHead_ArePartOfTheChain) {
  run_many(2);
  const std::string older_head = keys_["head"];
  run_many(1);
  keys_["head"] = older_head;
  EXPECT_EQ(verify(), "");
  EXPECT_EQ(newest_.seq, 3);
}

TEST_F(OldChain, StrangeKeys_AreNamed) {
  run_many(1);
  for (const char* key : {"rec:2", "rec:000000000000000G", "zzz", "rec:000000000000000A"}) {
    keys_[key] = keys_[key_of(1)];
    EXPECT_THAT(verify(), HasSubstr(key));
    keys_.erase(key);
  }
}

TEST(ChainLink, text_is_read_back_and_nothing_else_is) {
  const cli::ChainLink link{7, std::string(64, 'a')};
  EXPECT_EQ(*cli::parse_link(cli::format_link(link)), link);
  for (const char* text : {"", "7", "7:", ":aa", "-1:aa", "7:zz", "x:y"})
    EXPECT_FALSE(cli::parse_link(text).has_value()) << text;
}

}  // namespace
}  // namespace helios::plugin
