// SPDX-License-Identifier: Apache-2.0

// Goal: a plugin sees what the proxy sends, and the proxy what it answers. Method: a small plugin in
// this file, compiled natively, behind the fake host.

#include "helios/fake_host.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using namespace helios::plugin;

std::vector<std::string> seen;  // what the hooks below were told

Verdict note_and_judge(const QueryContext& context) {
  seen = {to_std(context.query()),
          to_std(context.user()),
          to_std(context.database()),
          to_std(context.request_id()),
          to_std(context.client_id()),
          context.is_read_only() ? "read-only" : "writing",
          to_std(context.attribute("tenant_id").value_or("(none)"))};
  if (context.query() == "block") return block("a \"reason\"");
  if (context.query() == "block with a code") return block("no", "HE001");
  if (context.query() == "rewrite") return rewrite("SELECT 'new'");
  if (context.query() == "count") {
    const int64_t count = parse_int(kv_read("count").value_or("0")).value_or(0);
    if (!kv_write("count", format_int(count + 1))) return block("full");
  }
  return proceed();
}

void note_outcome(const QueryContext& context, const Outcome& outcome) {
  seen = {to_std(context.query()),
          outcome.ran() ? "ran" : "did not run",
          outcome.success ? "success" : "failure",
          to_std(format_int(outcome.elapsed_us)),
          to_std(format_int(outcome.response_bytes)),
          outcome.rows ? to_std(format_int(*outcome.rows)) : "(unknown)",
          to_std(outcome.error)};
}

}  // namespace

HELIOS_PRE_QUERY(note_and_judge)
HELIOS_POST_QUERY(note_outcome)

namespace {

TEST(PreQuery, Context_ReachesTheHook) {
  FakeHost host;
  EXPECT_EQ(
      host.pre_query(FakeQuery("SELECT '\n\"'").tenant("ac\"me").user("anna").database("demo")),
      "");
  EXPECT_EQ(seen, (std::vector<std::string>{
                      "SELECT '\n\"'", "anna", "demo", "00000000-0000-4000-8000-000000000001",
                      "00000000-0000-4000-8000-000000000002", "writing", "ac\"me"}));
}

TEST(PreQuery, IdentityAsAnObject_GivesItsName) {
  FakeHost host;
  host.pre_query_json(R"({"query":"","hook_context":{"identity":{"username":"anna","roles":[]}}})");
  EXPECT_EQ(seen[1], "anna");
}

TEST(PreQuery, UnknownFields_AreEmpty) {
  FakeHost host;
  EXPECT_EQ(host.pre_query_json(R"({"query":"SELECT 1"})"), "");
  EXPECT_EQ(seen, (std::vector<std::string>{"SELECT 1", "", "", "", "", "writing", "(none)"}));
}

TEST(PreQuery, Verdicts_BecomeTheirJson) {
  FakeHost host;
  EXPECT_EQ(host.pre_query(FakeQuery("block")), R"({"action":"block","value":"a \"reason\""})");
  EXPECT_EQ(host.pre_query(FakeQuery("block with a code")),
            R"({"action":"block","value":"no","sqlstate":"HE001"})");
  EXPECT_EQ(host.pre_query(FakeQuery("rewrite")), R"({"action":"rewrite","value":"SELECT 'new'"})");
}

TEST(PreQuery, UnreadableContext_IsBlocked) {
  FakeHost host;
  for (const char* input : {"", "{", "[]", "null", "\"text\""})
    EXPECT_EQ(host.pre_query_json(input), R"({"action":"block","value":"invalid query context"})");
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
  host.post_query(FakeQuery("SELECT 1"), {.outcome = "refused", .success = false});
  EXPECT_EQ(seen[1], "did not run");
}

TEST(PostQuery, OutcomeOfAnotherHost_IsReadToo) {
  FakeHost host;
  host.post_query_json(
      R"({"query_context":{"query":"SELECT 2"},"outcome":{"success":false,"error":"gone"}})");
  EXPECT_EQ(seen, (std::vector<std::string>{"SELECT 2", "ran", "failure", "0", "0", "(unknown)",
                                            "gone"}));
}

TEST(PostQuery, UnreadableInput_EndsTheCall) {
  FakeHost host;
  EXPECT_DEATH(host.post_query_json("[{}]"), "");
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
