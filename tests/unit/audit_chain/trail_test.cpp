// SPDX-License-Identifier: Apache-2.0

// Goal: what the plugin writes is what the verifier reads, and whatever is wrong is named. Method: the records of the plugin
// behind the fake host, put into a stream of a store.

#include "cli/audit_trail.hpp"
#include "helios/fake_host.hpp"
#include "kv/memory_store.hpp"
#include "kv/transaction.hpp"
#include "support/fake_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <sstream>
#include <string>
#include <utility>

namespace helios::plugin {
namespace {

using testing::HasSubstr;
using testing::Not;

class Trail : public testing::Test {
 protected:
  static FakeQuery query(int number) {
    FakeQuery asked("SELECT " + std::to_string(number));
    asked.texts[HELIOS_REQUEST_ID] = "request-" + std::to_string(number);
    return asked;
  }
  void intend(int number) { EXPECT_EQ(host_.pre_query(query(number)), ""); }
  void end(int number) { host_.post_query(query(number), {}); }
  void run_many(int count) {
    for (int number = 1; number <= count; ++number) {
      intend(number);
      end(number);
      host_.settled(query(number), HELIOS_SETTLED_COMMITTED);
    }
  }

  kv::StreamPage page(kv::RecordNumber from = 1) {
    kv::MemoryStore store({}, clock_);
    kv::Namespace& space = **store.open("audit-chain");
    for (const std::string& record : host_.streams["trail"]) {
      kv::Transaction transaction(store, space);
      EXPECT_EQ(transaction.append("trail", record), kv::WriteStatus::ok);
      EXPECT_EQ(transaction.commit({}), kv::CommitStatus::done);
    }
    return *store.read_stream(space, "trail", {.from = from, .max_records = 100'000});
  }

  // What is wrong; empty when nothing is, and then there is a summary.
  std::string verify(const kv::StreamPage& page, const std::optional<cli::ChainLink>& before = {},
                     const std::optional<cli::ChainLink>& anchor = {}) {
    cli::TrailVerifier verifier("audit-chain", most_open_);
    cli::TrailAnchors anchors;
    if (anchor) static_cast<void>(anchors.expect(*anchor));
    verifier.hold_against(std::move(anchors));
    if (const auto added = verifier.add(page); !added) return added.error().message;
    if (const auto done = verifier.finish(page.extent, before); !done) return done.error().message;
    summary_ = verifier.summary();
    if (verifier.has_records()) newest_ = verifier.newest();
    return {};
  }

  FakeHost host_;
  test::FakeClock clock_;
  std::string summary_;
  cli::ChainLink newest_;
  std::size_t most_open_ = cli::TrailVerifier::kMostOpen;
};

TEST_F(Trail, whole_trail_is_said_to_be_whole) {
  run_many(3);
  EXPECT_EQ(verify(page()), "");
  EXPECT_THAT(summary_, HasSubstr("9 records, 1 to 9, none changed, missing or out of place"));
  EXPECT_THAT(summary_, HasSubstr("3 statements, each with its outcome\n"));
  EXPECT_EQ(newest_.seq, 9);
}

TEST_F(Trail, statements_without_an_outcome_are_named) {
  run_many(1);
  for (int number = 10; number < 20; ++number) intend(number);
  end(13);
  EXPECT_EQ(verify(page()), "");
  EXPECT_THAT(summary_, HasSubstr("11 statements, 9 of them without an outcome"));
  EXPECT_THAT(summary_, HasSubstr("  request-10\n"));
  EXPECT_THAT(summary_, HasSubstr("  ...\n"));
  EXPECT_THAT(summary_, testing::Not(HasSubstr("request-13")));
}

TEST_F(Trail, more_open_statements_than_fit_are_given_up_and_said_so) {
  most_open_ = 3;
  for (int number = 1; number <= 5; ++number) intend(number);
  for (int number = 1; number <= 4; ++number) end(number);
  EXPECT_EQ(verify(page()), "");
  EXPECT_THAT(summary_,
              HasSubstr("5 statements, 2 of them given up before their outcome: more than 3 were "
                        "open at a time, 1 of them without an outcome"));
  EXPECT_THAT(summary_, testing::HasSubstr("  request-5\n"));
  end(6);
  EXPECT_THAT(verify(page()),
              HasSubstr("record 10: an outcome of request request-6, which has no intent"));
}

TEST_F(Trail, request_that_no_plugin_writes_is_named) {
  host_.streams["trail"] = {R"({"type":"intent","request":")" + std::string(257, 'x') + "\"}"};
  EXPECT_THAT(verify(page()),
              HasSubstr("record 1: it is no record of audit-chain: its \"request\""));
  host_.streams["trail"] = {R"({"type":"intent","request":"\u001b[2J"})"};
  EXPECT_EQ(verify(page()), "");
  EXPECT_THAT(summary_, testing::HasSubstr("  \\x1b[2J\n"));
}

TEST_F(Trail, edit_of_any_record_is_named) {
  run_many(2);
  const kv::StreamPage good = page();
  for (std::size_t i = 0; i < good.records.size(); ++i) {
    kv::StreamPage bad = good;
    bad.records[i].bytes[5] = static_cast<char>(bad.records[i].bytes[5] ^ 1);
    EXPECT_THAT(verify(bad), HasSubstr("record " + std::to_string(i + 1) + ":"));
  }
}

TEST_F(Trail, record_taken_out_swapped_or_cut_off_is_named) {
  run_many(2);
  kv::StreamPage lost = page();
  lost.records.erase(lost.records.begin() + 2);
  EXPECT_THAT(verify(lost), HasSubstr("record 3: it is missing"));
  kv::StreamPage swapped = page();
  std::swap(swapped.records[1].bytes, swapped.records[4].bytes);
  EXPECT_THAT(verify(swapped), HasSubstr("record 2:"));
  kv::StreamPage cut = page();
  cut.records.pop_back();
  EXPECT_THAT(verify(cut), HasSubstr("record 6: it is missing"));
}

TEST_F(Trail, outcome_without_an_intent_is_named) {
  end(7);
  EXPECT_THAT(verify(page()),
              HasSubstr("record 1: an outcome of request request-7, which has no intent"));
}

TEST_F(Trail, part_of_a_trail_may_begin_with_an_outcome) {
  run_many(3);
  EXPECT_EQ(verify(page(2)), "");
  EXPECT_THAT(summary_, HasSubstr("8 records, 2 to 9"));
}

TEST(TrailAnchors, two_that_contradict_each_other_are_an_error) {
  cli::TrailAnchors anchors;
  const std::string hash(64, 'a');
  ASSERT_TRUE(anchors.expect({.seq = 7, .hash = hash}));
  ASSERT_TRUE(anchors.expect({.seq = 7, .hash = hash}));
  const auto other = anchors.expect({.seq = 7, .hash = std::string(64, 'b')});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().message, "record 7: two anchors contradict each other");
}

TEST(TrailAnchors, those_of_records_that_are_gone_are_counted) {
  cli::TrailAnchors anchors;
  kv::StreamRecord record;
  record.number = 9;
  ASSERT_TRUE(anchors.expect({.seq = 7, .hash = std::string(64, 'a')}));
  ASSERT_TRUE(anchors.expect({.seq = 9, .hash = std::string(64, '0')}));
  ASSERT_TRUE(anchors.check(record));
  ASSERT_TRUE(anchors.finish(9));
  EXPECT_EQ(anchors.summary(),
            "1 anchors, each as it says; 1 name records before the first that is there\n");
  EXPECT_FALSE(anchors.finish(8));
}

TEST(TrailAnchors, trail_without_any_of_them_is_an_error) {
  cli::TrailAnchors anchors;
  ASSERT_TRUE(anchors.expect({.seq = 7, .hash = std::string(64, 'a')}));
  const auto finished = anchors.finish(9);
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().message,
            "none of the records is there that anchors name: all of them, up to record 7, were "
            "removed");
}

TEST(TrailAnchors, lines_that_are_none_are_counted) {
  std::istringstream lines(
      "2024-01-01T00:00:00.007Z p/trail 9:" + std::string(64, '0') +
      "\r\n2024-01-01T00:0\n\n2024-01-01T00:00:00.007Z p/other 5:" + std::string(64, 'f') + "\n");
  cli::TrailAnchors anchors;
  ASSERT_TRUE(anchors.expect_lines(lines, "file", "p", "trail"));
  kv::StreamRecord record;
  record.number = 9;
  ASSERT_TRUE(anchors.check(record));
  EXPECT_EQ(anchors.summary(), "1 anchors, each as it says; 1 lines of the file are no anchors\n");
}

TEST_F(Trail, trail_made_anew_is_found_by_an_anchor_only) {
  run_many(3);
  EXPECT_EQ(verify(page()), "");
  const cli::ChainLink anchor = newest_;
  EXPECT_EQ(verify(page(), {}, anchor), "");
  host_.streams.clear();
  for (int number = 4; number <= 6; ++number) {
    intend(number);
    end(number);
    host_.settled(query(number), HELIOS_SETTLED_ROLLED_BACK);
  }
  EXPECT_EQ(verify(page()), "");
  EXPECT_THAT(verify(page(), {}, anchor),
              HasSubstr("record 9: it is not the one that the anchor names"));
  host_.streams["trail"].resize(4);
  EXPECT_THAT(verify(page(), {}, anchor), HasSubstr("record 9: it is missing: an anchor names it"));
}

TEST_F(Trail, trail_goes_on_from_the_chain_before_it) {
  const cli::ChainLink before{7, std::string(64, 'a')};
  host_.state["head"] = R"({"seq":7,"sha256":")" + before.hash + "\"}";
  run_many(1);
  EXPECT_EQ(verify(page(), before), "");
  EXPECT_THAT(verify(page(), cli::ChainLink{8, before.hash}),
              HasSubstr("does not go on from the chain before it"));
  host_.streams["trail"].erase(host_.streams["trail"].begin());
  EXPECT_THAT(verify(page(), before), HasSubstr("does not go on from the chain before it"));
}

TEST_F(Trail, what_is_no_record_of_the_plugin_is_named) {
  host_.streams["trail"] = {"hello"};
  EXPECT_THAT(verify(page()), HasSubstr("record 1: it is no record of audit-chain"));
}

TEST_F(Trail, records_of_an_older_version_are_verified_beside_newer_ones) {
  run_many(1);
  auto& records = host_.streams["trail"];
  const auto older = [](std::string record) {
    record.replace(record.find("request-1"), 9, "request-0");
    return record.replace(record.find("\"version\":4"), 11, "\"version\":3");
  };
  records.insert(records.begin(), {older(records[0]), older(records[1])});
  EXPECT_EQ(verify(page()), "");
  EXPECT_THAT(summary_, HasSubstr("2 statements, each with its outcome\n"));
}

TEST_F(Trail, records_of_a_later_version_are_counted) {
  host_.streams["trail"] = {R"({"type":"weather","version":5})"};
  EXPECT_EQ(verify(page()), "");
  EXPECT_THAT(summary_, HasSubstr("0 statements, 1 records of another kind"));
}

TEST_F(Trail, time_in_which_the_plugin_did_not_run_is_told) {
  run_many(1);
  EXPECT_EQ(verify(page()), "");
  EXPECT_THAT(summary_, HasSubstr("no record says when the plugin ran"));
  host_.event("start", R"({"cause":"added"})");
  EXPECT_EQ(verify(page()), "");
  EXPECT_THAT(summary_, HasSubstr("1 events\nbefore record 4 no record says when the plugin ran\n"
                                  "the plugin ran all the time since its start\n"));
  host_.event("stop", R"({"cause":"removed"})");
  intend(7);  // was under way
  EXPECT_EQ(verify(page()), "");
  EXPECT_THAT(summary_, HasSubstr("(record 6), stopped: removed\n"));
  host_.event("start", R"({"cause":"added"})");
  host_.event("reload", "{}");
  host_.event("start", R"({"cause":"start"})");
  EXPECT_EQ(verify(page()), "");
  EXPECT_THAT(summary_, HasSubstr("the plugin did not run 2 times:\n"));
  EXPECT_THAT(summary_, HasSubstr("(record 6) to "));
  EXPECT_THAT(summary_, HasSubstr("(record 7), stopped: removed\n"));
  EXPECT_THAT(summary_, HasSubstr("(record 8) to "));
  EXPECT_THAT(summary_, HasSubstr("(record 9), without a stop: killed, or a crash\n"));
}

TEST_F(Trail, reload_that_changed_the_plugin_itself_is_told) {
  const auto change = [](const char* name, const char* from, const char* to) {
    return R"({"changes":[{"change":"changed","name":")" + std::string(name) +
           R"(","old_sha256":")" + from + R"(","sha256":")" + to + R"("}]})";
  };
  host_.event("start", R"({"cause":"start"})");
  host_.event("reload", change("rate-limit", "aa", "bb").c_str());
  EXPECT_EQ(verify(page()), "");
  EXPECT_THAT(summary_, Not(HasSubstr("reloads changed the plugin itself")));
  host_.event("reload", change("audit_chain", "0123456789abcdef", "fedcba9876543210").c_str());
  host_.event("reload", change("audit-chain", "aa", "aa").c_str());
  host_.event("reload", R"({"changes":[7,{"change":"added","name":"audit-chain"}]})");
  host_.event("reload", R"({"changes":7})");
  EXPECT_EQ(verify(page()), "");
  EXPECT_THAT(summary_, HasSubstr("the plugin ran all the time since its start\n"
                                  "reloads changed the plugin itself 2 times; what ran before "
                                  "each need not have recorded everything:\n"));
  EXPECT_THAT(summary_, HasSubstr("(record 3), module 0123456789ab to fedcba987654\n"));
  EXPECT_THAT(summary_, HasSubstr("(record 4), its manifest, module aa\n"));
}

TEST_F(Trail, intervals_without_number_take_no_memory_without_bound) {
  for (int i = 0; i < 1'200; ++i) host_.event("start", "{}");
  EXPECT_EQ(verify(page()), "");
  EXPECT_THAT(summary_, HasSubstr("did not run 1199 times:\n  ... the last 1000 of them:\n"));
  EXPECT_THAT(summary_, HasSubstr("(record 200) to "));
  EXPECT_THAT(summary_, Not(HasSubstr("(record 199) to ")));
}

}  // namespace
}  // namespace helios::plugin
