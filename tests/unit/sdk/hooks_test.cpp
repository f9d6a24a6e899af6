// SPDX-License-Identifier: Apache-2.0

// Goal: a plugin sees what the proxy sends, and the proxy what it answers. Method: a small plugin in
// this file, compiled natively, behind the fake host.

#include "helios/fake_host.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace {

using namespace helios::plugin;

std::vector<std::string> seen;  // what the hooks below were told

void note_parameters(const QueryContext& context) {
  const auto first = context.parameter(0);
  const auto second = context.parameter(1);
  const String line = concat(format_int(context.parameter_count()), ": ",
                             format_int(first->type_oid), first->is_binary ? " binary " : " text ",
                             *first->value, ", ", second->value ? *second->value : String("NULL"),
                             ", ", context.parameter(2) ? "more" : "none");
  if (!kv_write("parameters", line)) fail();
}

Verdict note_and_judge(const QueryContext& context) {
  seen = {to_std(context.query()),
          to_std(context.user()),
          to_std(context.database()),
          to_std(context.request_id()),
          to_std(context.client_id()),
          context.is_read_only() ? "read-only" : "writing",
          to_std(context.attribute("tenant_id").value_or("(none)"))};
  if (context.query() == "block") return block("a \"reason\"");
  if (context.query() == "block and explain") {
    explain("why", "what to do");
    return block("no");
  }
  if (context.query() == "limit") {
    limit_rows(7);
    limit_bytes(0, "ask for less");
  }
  if (context.query() == "block with a code") return block("no", "HE001");
  if (context.query() == "rewrite") return rewrite("SELECT 'new'");
  if (context.query() == "count") {
    const int64_t count = parse_int(kv_read("count").value_or("0")).value_or(0);
    if (!kv_write("count", format_int(count + 1))) return block("full");
  }
  if (context.query() == "answer") {
    Answer answer;
    answer.column("name").column("number", 23).value("one").null();
    return answer.done();
  }
  if (context.query() == "parameters") note_parameters(context);
  if (context.query() == "keep") context.keep("a note");
  return proceed();
}

void note_outcome(const QueryContext& context, const Outcome& outcome) {
  if (context.query() == "keep" && !kv_write("kept", context.kept())) fail();
  seen = {to_std(context.query()),
          outcome.ran() ? "ran" : "did not run",
          outcome.success ? "success" : "failure",
          to_std(format_int(outcome.elapsed_us)),
          to_std(format_int(outcome.response_bytes)),
          outcome.rows ? to_std(format_int(*outcome.rows)) : "(unknown)",
          to_std(outcome.error)};
}

void note_settlement(const QueryContext&, Settlement settlement) {
  switch (settlement) {
    case Settlement::committed:
      if (!kv_increment("committed")) fail();
      break;
    case Settlement::rolled_back: metric_add("rolled_back"); break;
    case Settlement::unknown: log_info("unknown"); break;
  }
}

Verdict judge_write(const WriteContext& write) {
  if (write.key() == "free") return proceed();
  if (write.key() == "size") return block(format_int(static_cast<int64_t>(write.value_size())));
  const bool wrote = kv_write("key", "value") || kv_increment("count") ||
                     kv_create("key", "value") != Written::refused ||
                     kv_write_if("key", HELIOS_VERSION_ABSENT, "value") != Written::refused ||
                     kv_take("bucket", {1, 1, 1}) || stream_append("trail", "record");
  kv_remove("old");
  return block(concat(write.key(), "=", write.value(), " beside ",
                      kv_read("old").value_or("nothing"), wrote ? ", wrote" : ""));
}

}  // namespace

HELIOS_CHECK_WRITE(judge_write)
HELIOS_PRE_QUERY(note_and_judge)
HELIOS_POST_QUERY(note_outcome)
HELIOS_SETTLED(note_settlement)

namespace {

TEST(PreQuery, Context_ReachesTheHook) {
  FakeHost host;
  EXPECT_EQ(
      host.pre_query(FakeQuery("SELECT '\n\"'").tenant("ac\"me").user("anna").database("demo")),
      "");
  EXPECT_EQ(host.verdict.action, Verdict::Action::proceed);
  EXPECT_EQ(seen, (std::vector<std::string>{
                      "SELECT '\n\"'", "anna", "demo", "00000000-0000-4000-8000-000000000001",
                      "00000000-0000-4000-8000-000000000002", "writing", "ac\"me"}));
}

TEST(PreQuery, WhatIsNotThere_IsEmpty) {
  FakeHost host;
  FakeQuery query("");
  query.texts.clear();
  EXPECT_EQ(host.pre_query(query), "");
  EXPECT_EQ(seen, (std::vector<std::string>{"", "", "", "", "", "writing", "(none)"}));
}

TEST(PreQuery, TextsOfAnyLength_AreReadWhole) {
  FakeHost host;
  for (const std::size_t length : {1, 2, 8, 127, 128, 129, 1000}) {
    host.pre_query(FakeQuery(std::string(length, 'x')).user(std::string(length + 1, 'u')));
    EXPECT_EQ(seen[0], std::string(length, 'x'));
    EXPECT_EQ(seen[1], std::string(length + 1, 'u'));
  }
}

TEST(PreQuery, LongTextsAndAttributes_AreReadWhole) {
  FakeHost host;
  const std::string text = "SELECT '" + std::string(100'000, 'x') + "'";
  host.pre_query(FakeQuery(text).tenant(std::string(5000, 't')));
  EXPECT_EQ(seen[0], text);
  EXPECT_EQ(seen[6], std::string(5000, 't'));
}

TEST(PreQuery, Verdicts_ReachTheHost) {
  FakeHost host;
  EXPECT_EQ(host.pre_query(FakeQuery("block")), "a \"reason\"");
  EXPECT_EQ(host.verdict.action, Verdict::Action::block);
  EXPECT_EQ(host.verdict.sqlstate, "");
  EXPECT_EQ(host.pre_query(FakeQuery("block with a code")), "no");
  EXPECT_EQ(host.verdict.sqlstate, "HE001");
  EXPECT_EQ(host.detail, "");
  EXPECT_EQ(host.pre_query(FakeQuery("block and explain")), "no");
  EXPECT_EQ(host.detail, "why");
  EXPECT_EQ(host.hint, "what to do");
  EXPECT_EQ(host.pre_query(FakeQuery("limit")), "");
  EXPECT_EQ(host.max_rows, 7);
  EXPECT_EQ(host.max_bytes, 0);
  EXPECT_EQ(host.hint, "ask for less");
  EXPECT_EQ(host.pre_query(FakeQuery("rewrite")), "SELECT 'new'");
  EXPECT_EQ(host.max_rows, std::nullopt) << "of the statement before";
  EXPECT_EQ(host.verdict.action, Verdict::Action::rewrite);
  host.pre_query(FakeQuery("answer"));
  EXPECT_EQ(host.verdict.action, Verdict::Action::answer);
  EXPECT_EQ(host.verdict.columns, (std::vector<std::string>{"name", "number"}));
  EXPECT_EQ(host.verdict.values, (std::vector<std::optional<std::string>>{"one", std::nullopt}));
}

TEST(PreQuery, Parameters_ComeWithTheirKind) {
  FakeHost host;
  host.pre_query(FakeQuery("parameters").parameter("5", 23).parameter(std::nullopt));
  EXPECT_EQ(host.state["parameters"], "2: 23 text 5, NULL, none");
}

TEST(PreQuery, Notes_ReachPostQuery) {
  FakeHost host;
  host.pre_query(FakeQuery("keep"));
  host.post_query(FakeQuery("keep"), {});
  EXPECT_EQ(host.state["kept"], "a note");
}

TEST(PreQuery, State_SurvivesBetweenCalls) {
  FakeHost host;
  for (int i = 0; i < 100; ++i) host.pre_query(FakeQuery("count"));
  EXPECT_EQ(host.state["count"], "100");
}

TEST(PostQuery, Outcome_ReachesTheHook) {
  FakeHost host;
  host.post_query(FakeQuery("SELECT 1"), {.outcome = "executed",
                                          .success = true,
                                          .elapsed_us = 1500,
                                          .response_bytes = 70,
                                          .rows = 1});
  EXPECT_EQ(seen, (std::vector<std::string>{"SELECT 1", "ran", "success", "1500", "70", "1", ""}));
  host.post_query(FakeQuery("SELECT 1"),
                  {.outcome = "refused", .success = false, .error = "not today"});
  EXPECT_EQ(seen, (std::vector<std::string>{"SELECT 1", "did not run", "failure", "1000", "64",
                                            "(unknown)", "not today"}));
}

TEST(Settled, Settlement_ReachesTheHook) {
  FakeHost host;
  for (const int64_t settlement :
       {HELIOS_SETTLED_COMMITTED, HELIOS_SETTLED_ROLLED_BACK, HELIOS_SETTLED_UNKNOWN})
    host.settled(FakeQuery(""), settlement);
  EXPECT_EQ(kv_increment("committed", 0).value_or(0), 1);
  EXPECT_EQ(host.metrics["rolled_back"], 1);
  EXPECT_EQ(host.log, std::vector<std::string>{"unknown"});
}

TEST(CheckWrite, KeyAndValue_ReachTheHook_WhichChangesNothing) {
  FakeHost host;
  host.state["old"] = "old value";
  EXPECT_EQ(host.check_write("k\nx", std::string("v\0", 2)),
            "k\nx=" + std::string("v\0", 2) + " beside old value");
  EXPECT_EQ(host.verdict.action, Verdict::Action::block);
  EXPECT_EQ(host.check_write("free", "x"), "");
  EXPECT_EQ(host.check_write("size", std::string(60'000, 'x')), "60000");
  EXPECT_EQ(host.state.size(), 1U);
  EXPECT_TRUE(kv_write("key", "value")) << "behind it, everything may be written";
}

TEST(KvRead, LargeValue_IsReadWhole) {
  FakeHost host;
  host.state["large"] = std::string(60000, 'x');
  host.state["empty"] = "";
  EXPECT_EQ(kv_read("large")->size(), 60000U);
  EXPECT_TRUE(kv_read("empty").has_value());
  EXPECT_EQ(kv_read("empty")->size(), 0U);
  EXPECT_FALSE(kv_read("absent"));
}

TEST(KvWrite, ValueTooLarge_IsRefusedAndKeepsTheOldOne) {
  FakeHost host;
  EXPECT_TRUE(kv_write("key", "old"));
  EXPECT_FALSE(kv_write("key", from_std(std::string(70000, 'x'))));
  EXPECT_EQ(host.state["key"], "old");
  kv_remove("key");
  kv_remove("key");
  EXPECT_TRUE(host.state.empty());
}

TEST(Sha256Hex, KnownInputs_GiveTheirDigests) {
  FakeHost host;
  EXPECT_EQ(to_std(sha256_hex("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_std(sha256_hex("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_std(sha256_hex(from_std(std::string(1000, 'a')))),
            "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3");
}

TEST(NowMs, Clock_IsTheHosts) {
  FakeHost host;
  host.now_ms = 42;
  EXPECT_EQ(now_ms(), 42);
}

}  // namespace
