// SPDX-License-Identifier: Apache-2.0

// Goal: what operators write is judged by the plugin whose namespace it is, and by nobody else; whatever the plugin does, there
// is one answer. Method: small plugins of ABI 2 on the real engine, asked as the admin interface asks.

#include "plugins/write_judge.hpp"

#include "abi2_fixture.hpp"

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace helios::plugins {
namespace {

using Kind = WriteOpinion::Kind;
using testing::HasSubstr;

const std::string kBlock =
    "(drop (call $block (i32.const 48) (i32.const 8) (i32.const 0) (i32.const 0)))";

class WriteJudgeTest : public Abi2Test {
 protected:
  // What the plugin "p" with this check_write says.
  WriteOpinion judge(const std::string& body, const std::string& value = "value",
                     const std::string& manifest = "") {
    add(hook("check_write", body), manifest);
    return ask("p", value);
  }

  WriteOpinion ask(std::string_view space, std::string value = "value") {
    judge_ = std::make_unique<WriteJudge>(*host_, log_);
    std::optional<WriteOpinion> opinion;
    judge_->judge(space, {"tenant:acme:budget", std::move(value)}, executor_,
                  [&](WriteOpinion given) { opinion = std::move(given); });
    executor_->run_until([&] { return opinion.has_value(); });
    return *std::move(opinion);
  }

  std::shared_ptr<WaitingExecutor> executor_ = std::make_shared<WaitingExecutor>();
  std::unique_ptr<WriteJudge> judge_;
};

TEST_F(WriteJudgeTest, hook_that_says_nothing_allows) {
  const auto opinion = judge("");
  EXPECT_EQ(opinion.kind, Kind::allowed) << opinion.reason;
  EXPECT_EQ(opinion.plugin, "p");
  EXPECT_EQ(info("p").write_checks.allowed, 1U);
  EXPECT_EQ(info("p").hooks, std::vector<std::string>{"check_write"});
}

TEST_F(WriteJudgeTest, block_refuses_with_its_reason) {
  const auto opinion = judge(kBlock, "secret");
  EXPECT_EQ(opinion.kind, Kind::refused);
  EXPECT_EQ(opinion.plugin, "p");
  EXPECT_EQ(opinion.reason, "no entry");
  EXPECT_EQ(info("p").write_checks.refused, 1U);
  EXPECT_EQ(info("p").refusals, 0U) << "that counts statements";
  EXPECT_EQ(log_.count("plugin p: refuses the write of \"tenant:acme:budget\", which does not "
                       "happen: no entry"),
            1U);
  EXPECT_EQ(log_.count("secret"), 0U);
}

TEST_F(WriteJudgeTest, key_and_value_are_what_the_hook_is_told) {
  const auto told = [this](int field) {
    return judge("(local.set $code (call $field (i32.const " + std::to_string(field) +
                     ") (i32.const 1024) (i32.const 4096)))"
                     "(drop (call $block (i32.const 1024) (local.get $code) (i32.const 0) "
                     "(i32.const 0))) (local.set $code (i32.const 0))",
                 "{\"minute\":1}")
        .reason;
  };
  EXPECT_EQ(told(16), "tenant:acme:budget");
  EXPECT_EQ(told(17), "{\"minute\":1}");
}

TEST_F(WriteJudgeTest, there_is_no_statement_to_ask_about) {
  std::string body;
  for (const int field : {1, 3, 7, 10, 15})
    body += expecting(-1, "(call $field_length (i32.const " + std::to_string(field) + "))");
  body += expecting(-5, "(call $field_length (i32.const 20))");
  body += expecting(-1, "(call $field_number (i32.const 101) (i32.const 1024))");
  body += expecting(5, "(call $field_length (i32.const 17))");
  body += expecting(-5, "(call $explain (i32.const 1) (i32.const 16) (i32.const 3))");
  body += expecting(-5, "(call $rewrite (i32.const 80) (i32.const 8))");
  body += expecting(-5, "(call $answer_begin)");
  body += expecting(-5, "(call $scratch_set (i32.const 16) (i32.const 3))");
  body += expecting(
      1, "(call $attribute (i32.const 32) (i32.const 13) (i32.const 1024) (i32.const 64))");
  const auto opinion = judge(body, "value", "[config]\nregion = \"x\"\n");
  EXPECT_EQ(opinion.kind, Kind::allowed) << opinion.reason;
}

TEST_F(WriteJudgeTest, statements_have_no_write_to_ask_about) {
  EXPECT_EQ(field(16, hooks::HookPoint::pre_query), "-1");
  EXPECT_EQ(field(17, hooks::HookPoint::settled), "-1");
}

TEST_F(WriteJudgeTest, state_is_read_and_not_changed) {
  const std::string key = "(i32.const 16) (i32.const 3) ";
  const std::string all =
      expecting(3, "(call $kv_get " + key + "(i32.const 1024) (i32.const 64))") +
      expecting(-5, "(call $kv_set " + key + key + ")") +
      expecting(-5, "(call $kv_delete " + key + ")") +
      expecting(-5, "(call $kv_incr " + key +
                        "(i64.const 1) (i64.const 9) (i64.const 0) (i32.const 1024))") +
      expecting(-5, "(call $kv_take " + key +
                        "(i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1000) "
                        "(i32.const 1024))") +
      expecting(-5, "(call $kv_charge " + key + "(i64.const 1) (i64.const 9) (i64.const 0))") +
      expecting(-5, "(call $kv_draw " + key +
                        "(i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1000))") +
      expecting(-5, "(call $kv_set_ex " + key + key + "(i64.const 0) (i32.const 0))") +
      expecting(-5, "(call $kv_cas " + key + "(i64.const 0) " + key +
                        "(i64.const 0) (i32.const 0) (i32.const 1024))") +
      expecting(-5, "(call $stream_append " + key + key + ")");
  add(hook("check_write", all));
  put("p", "key", "old");
  const auto opinion = ask("p");
  EXPECT_EQ(opinion.kind, Kind::allowed) << opinion.reason;
  EXPECT_EQ(value("p", "key"), "old");
  EXPECT_EQ(key_count(), 1U);
}

TEST_F(WriteJudgeTest, range_outside_the_memory_traps_where_writes_are_refused_too) {
  const auto opinion =
      judge("(drop (call $kv_set (i32.const 16) (i32.const 3) (i32.const -1) (i32.const 9)))");
  EXPECT_EQ(opinion.kind, Kind::failed);
  EXPECT_THAT(opinion.reason, HasSubstr("outside the plugin's memory"));
}

TEST_F(WriteJudgeTest, hook_that_fails_allows_nothing_whatever_on_error_says) {
  for (const char* const policy : {"on_error = \"allow\"\n", "on_error = \"deny\"\n"}) {
    const auto trapped = judge("(unreachable)", "value", policy);
    EXPECT_EQ(trapped.kind, Kind::failed);
    EXPECT_THAT(trapped.reason, HasSubstr("trap: "));
    const auto returned = judge("(return (i32.const 7))", "value", policy);
    EXPECT_EQ(returned.kind, Kind::failed);
    EXPECT_EQ(returned.reason, "returned 7");
  }
  EXPECT_EQ(info("p").write_checks.failed, 1U);
  EXPECT_EQ(log_.count("cannot judge the write of \"tenant:acme:budget\", which does not happen: "),
            4U);
}

TEST_F(WriteJudgeTest, hook_that_does_not_end_is_ended) {
  const auto opinion = judge("(loop (br 0))", "value", "[limits]\ntimeout_ms = 20\n");
  EXPECT_EQ(opinion.kind, Kind::failed);
  EXPECT_EQ(opinion.reason, "timeout after 20 ms");
}

TEST_F(WriteJudgeTest, faults_of_others_do_not_silence_it_nor_its_own_them) {
  config_.limits.backoff_after_faults = 2;
  add(hook("pre_query", "") + hook("check_write", "(unreachable)"));
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(ask("p").reason, HasSubstr("trap: "));
    EXPECT_EQ(run(hooks::HookPoint::pre_query).status, hooks::CallResult::Status::ok);
  }
  EXPECT_EQ(info("p").backed_off, 0U);
}

TEST_F(WriteJudgeTest, reason_is_bounded_text) {
  const auto opinion =
      judge("(drop (call $block (i32.const 0) (i32.const 60000) (i32.const 0) (i32.const 0)))");
  EXPECT_EQ(opinion.kind, Kind::refused);
  EXPECT_LE(opinion.reason.size(), 4096U + 3);
  EXPECT_EQ(opinion.reason.find('\0'), std::string::npos);
}

TEST_F(WriteJudgeTest, nobody_else_is_asked) {
  add(hook("check_write", "(unreachable)"));
  const auto opinion = ask("q");
  EXPECT_EQ(opinion.kind, Kind::allowed);
  EXPECT_EQ(opinion.plugin, "");
  EXPECT_EQ(info("p").calls, 0U);
}

TEST_F(WriteJudgeTest, hook_that_the_manifest_does_not_name_is_not_called) {
  add(hook("pre_query", "") + hook("check_write", kBlock), "hooks = [\"pre_query\"]\n");
  EXPECT_EQ(ask("p").kind, Kind::allowed);
  EXPECT_EQ(info("p").warnings,
            std::vector<std::string>{
                "exports \"check_write\", which its manifest does not name: it is not called"});
}

TEST_F(WriteJudgeTest, forced_write_is_counted_where_somebody_would_have_been_asked) {
  add(hook("check_write", kBlock));
  WriteJudge judge(*host_, log_);
  judge.note_forced("p", "the key");
  judge.note_forced("q", "another");
  EXPECT_EQ(info("p").write_checks.forced, 1U);
  EXPECT_EQ(info("p").calls, 0U);
  EXPECT_EQ(log_.count("plugin p: was not asked about the write of \"the key\", which was forced"),
            1U);
  EXPECT_EQ(log_.count("another"), 0U);
}

TEST_F(WriteJudgeTest, plugin_that_goes_meanwhile_still_answers) {
  add(hook("check_write", kBlock));
  WriteJudge judge(*host_, log_);
  std::optional<WriteOpinion> opinion;
  judge.judge("p", {"key", "value"}, executor_,
              [&](WriteOpinion given) { opinion = std::move(given); });
  chain_.reset();
  statement_.reset();
  remove_file("p.wat");
  const auto reloaded = host_->reload(config_);
  EXPECT_TRUE(reloaded.chain->plugins().empty());
  executor_->run_until([&] { return opinion.has_value(); });
  EXPECT_EQ(opinion->reason, "no entry");
}

TEST_F(WriteJudgeTest, what_waits_at_the_end_is_dropped) {
  add(hook("check_write", kBlock));
  WriteJudge judge(*host_, log_);
  const auto witness = std::make_shared<int>();
  bool called = false;
  judge.judge("p", {"key", "value"}, executor_,
              [&called, witness](WriteOpinion) { called = true; });
  lane_.stop();
  judge.stop();
  EXPECT_EQ(witness.use_count(), 1);
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace helios::plugins
