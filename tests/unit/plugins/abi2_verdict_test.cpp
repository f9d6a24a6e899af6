// SPDX-License-Identifier: Apache-2.0

// What a hook of ABI 2 can decide, and when it counts.

#include "abi2_fixture.hpp"

namespace helios::plugins {
namespace {

using hooks::HookPoint;
using Action = hooks::Verdict::Action;
using Status = hooks::CallResult::Status;

TEST_F(Abi2Test, block_has_its_reason_and_state) {
  const auto result = pre_query(
      expecting(0, "(call $block (i32.const 48) (i32.const 8) (i32.const 64) (i32.const 5))"));
  EXPECT_EQ(result.verdict.action, Action::block);
  EXPECT_EQ(result.verdict.text, "no entry");
  EXPECT_EQ(result.verdict.sqlstate, "HE001");
  EXPECT_EQ(info("p").refusals, 1U);
}

TEST_F(Abi2Test, block_with_a_bad_state_blocks_all_the_same) {
  const auto result = pre_query(
      expecting(-5, "(call $block (i32.const 48) (i32.const 8) (i32.const 64) (i32.const 4))"));
  EXPECT_EQ(result.verdict.action, Action::block);
  EXPECT_EQ(result.verdict.sqlstate, "");
}

TEST_F(Abi2Test, block_is_explained_before_or_behind_it) {
  const std::string block =
      expecting(0, "(call $block (i32.const 48) (i32.const 8) (i32.const 64) (i32.const 5))");
  const auto result =
      pre_query(expecting(0, "(call $explain (i32.const 1) (i32.const 16) (i32.const 3))") + block +
                expecting(0, "(call $explain (i32.const 2) (i32.const 32) (i32.const 13))") +
                expecting(-5, "(call $explain (i32.const 3) (i32.const 16) (i32.const 3))") +
                expecting(-5, "(call $explain (i32.const 0) (i32.const 16) (i32.const 3))"));
  EXPECT_EQ(result.verdict.action, Action::block) << result.failure;
  EXPECT_EQ(result.verdict.text, "no entry");
  EXPECT_EQ(result.verdict.detail, "key");
  EXPECT_EQ(result.verdict.hint, "config.region");
}

TEST_F(Abi2Test, explanation_is_cut_and_made_safe) {
  const auto result = pre_query(
      expecting(0, "(call $block (i32.const 48) (i32.const 8) (i32.const 0) (i32.const 0))") +
      expecting(0, "(call $explain (i32.const 1) (i32.const 0) (i32.const 60000))"));
  EXPECT_EQ(result.verdict.action, Action::block) << result.failure;
  EXPECT_LE(result.verdict.detail.size(), 4096U + 3);
  EXPECT_EQ(result.verdict.detail.find('\0'), std::string::npos);
}

TEST_F(Abi2Test, explanation_alone_refuses_nothing) {
  const auto result =
      pre_query(expecting(0, "(call $explain (i32.const 1) (i32.const 16) (i32.const 3))"));
  EXPECT_EQ(result.status, Status::ok);
  EXPECT_EQ(result.verdict.action, Action::proceed);
}

TEST_F(Abi2Test, limits_leave_the_verdict_as_it_is) {
  const auto result =
      pre_query(expecting(0, "(call $limit_rows (i64.const 7))") +
                expecting(0, "(call $rewrite (i32.const 80) (i32.const 8))") +
                expecting(0, "(call $limit_bytes (i64.const 0))") +
                expecting(0, "(call $explain (i32.const 2) (i32.const 32) (i32.const 13))"));
  EXPECT_EQ(result.verdict.action, Action::rewrite) << result.failure;
  EXPECT_EQ(result.verdict.max_rows, 7U);
  EXPECT_EQ(result.verdict.max_bytes, 0U);
  EXPECT_EQ(result.verdict.hint, "config.region");
}

TEST_F(Abi2Test, negative_limit_is_none) {
  const auto result = pre_query(expecting(0, "(call $limit_rows (i64.const 7))") +
                                expecting(0, "(call $limit_rows (i64.const -1))"));
  EXPECT_EQ(result.verdict.action, Action::proceed) << result.failure;
  EXPECT_FALSE(result.verdict.has_limits());
}

TEST_F(Abi2Test, limits_of_one_call_are_not_those_of_the_next) {
  add(hook("pre_query", expecting(0, "(call $limit_rows (i64.const 7))")));
  EXPECT_EQ(run(HookPoint::pre_query).verdict.max_rows, 7U);
  hooks::CallResult result;
  result.verdict.max_rows = 7;
  result.reset();
  EXPECT_FALSE(result.verdict.has_limits());
}

TEST_F(Abi2Test, what_a_failed_attempt_said_is_kept_and_marked) {
  const auto result = pre_query(
      expecting(0, "(call $log (i32.const 3) (i32.const 48) (i32.const 8))") + "(unreachable)");
  EXPECT_EQ(result.status, Status::failed);
  EXPECT_EQ(log_.count(base::LogLevel::error, "plugin p (attempt that failed): no entry"), 1U);
}

TEST_F(Abi2Test, trap_says_where_it_was) {
  add("(func $check (param i32) (if (i32.eqz (local.get 0)) (then (unreachable))))" +
      hook("pre_query", "(call $check (i32.const 0))"));
  const auto result = run(HookPoint::pre_query);
  EXPECT_TRUE(result.failure.starts_with("trap: unreachable [in check at 0x")) << result.failure;
  EXPECT_NE(result.failure.find(", called by "), std::string::npos) << result.failure;
}

TEST_F(Abi2Test, last_verdict_counts) {
  const auto result = pre_query(
      expecting(0, "(call $block (i32.const 48) (i32.const 8) (i32.const 0) (i32.const 0))") +
      expecting(0, "(call $answer_begin)") +
      expecting(0, "(call $rewrite (i32.const 80) (i32.const 8))"));
  EXPECT_EQ(result.verdict.action, Action::rewrite);
  EXPECT_EQ(result.verdict.text, "SELECT 2");
}

TEST_F(Abi2Test, rewrite_that_cannot_be_carried_out_fails_the_call) {
  EXPECT_EQ(pre_query(expecting(0, "(call $rewrite (i32.const 80) (i32.const 0))")).failure,
            "rewrote the statement to an empty text, or one with a NUL byte");
  EXPECT_EQ(pre_query(expecting(0, "(call $rewrite (i32.const 80) (i32.const 9))")).status,
            Status::failed);
}

TEST_F(Abi2Test, answer_is_made_of_columns_and_values) {
  const auto result =
      pre_query(expecting(0, "(call $answer_begin)") +
                expecting(0, "(call $answer_column (i32.const 16) (i32.const 3) (i32.const 25))") +
                expecting(0, "(call $answer_column (i32.const 16) (i32.const 1) (i32.const 23))") +
                expecting(0, "(call $answer_value (i32.const 48) (i32.const 8))") +
                expecting(0, "(call $answer_null)") +
                expecting(-5, "(call $answer_column (i32.const 16) (i32.const 1) (i32.const 23))") +
                expecting(0, "(call $answer_null)") +
                expecting(0, "(call $answer_value (i32.const 48) (i32.const 0))"));
  ASSERT_EQ(result.verdict.action, Action::answer) << result.failure;
  const hooks::Answer& answer = *result.verdict.answer;
  ASSERT_EQ(answer.columns.size(), 2U);
  EXPECT_EQ(answer.columns[0].name, "key");
  EXPECT_EQ(answer.columns[1].type_oid, 23U);
  ASSERT_EQ(answer.rows.size(), 2U);
  EXPECT_EQ(answer.rows[0][0], "no entry");
  EXPECT_EQ(answer.rows[0][1], std::nullopt);
  EXPECT_EQ(answer.rows[1][1], "");
}

TEST_F(Abi2Test, answer_that_ends_within_a_row_fails_the_call) {
  const auto result =
      pre_query(expecting(0, "(call $answer_begin)") +
                expecting(0, "(call $answer_column (i32.const 16) (i32.const 3) (i32.const 25))") +
                expecting(0, "(call $answer_column (i32.const 16) (i32.const 3) (i32.const 25))") +
                expecting(0, "(call $answer_null)"));
  EXPECT_EQ(result.failure, "its answer ends within a row");
}

TEST_F(Abi2Test, answer_bomb_fails_the_call_within_its_limit) {
  const auto result =
      pre_query(expecting(0, "(call $answer_begin)") +
                expecting(0, "(call $answer_column (i32.const 16) (i32.const 3) (i32.const 25))") +
                "(loop $more (drop (call $answer_value (i32.const 0) (i32.const 0))) (br $more))");
  EXPECT_EQ(result.failure, "answered more than 1048576 bytes");
}

TEST_F(Abi2Test, verdict_outside_pre_query_is_refused) {
  add(hook("post_query",
           expecting(-5, "(call $block (i32.const 48) (i32.const 8) (i32.const 0) (i32.const 0))") +
               expecting(-5, "(call $rewrite (i32.const 80) (i32.const 8))") +
               expecting(-5, "(call $limit_rows (i64.const 1))") +
               expecting(-5, "(call $limit_bytes (i64.const 1))") +
               expecting(-5, "(call $answer_begin)") +
               expecting(-5, "(call $answer_value (i32.const 0) (i32.const 0))") +
               expecting(-5, "(call $identify (i32.const 1) (i32.const 48) (i32.const 8))")));
  const auto result = run(HookPoint::post_query);
  EXPECT_EQ(result.status, Status::ok) << result.failure;
}

TEST_F(Abi2Test, authenticate_identifies_or_denies) {
  add(hook("authenticate",
           expecting(5, "(call $field (i32.const 3) (i32.const 1024) (i32.const 16))") +
               expecting(0, "(call $identify (i32.const 3) (i32.const 1024) (i32.const 5))") +
               expecting(0, "(call $identify (i32.const 4) (i32.const 48) (i32.const 2))") +
               expecting(-5, "(call $identify (i32.const 5) (i32.const 48) (i32.const 2))")));
  const hooks::AuthenticationRequest request{.session_id = "s",
                                             .user = "alice",
                                             .database = "d",
                                             .client_ip = "",
                                             .attributes = {},
                                             .chain = chain_};
  hooks::Call call;
  call.point = HookPoint::authenticate;
  call.authentication = &request;
  call.home = &home_;
  ASSERT_EQ(plugin(chain_, "p").run(call), hooks::RunStatus::done);
  ASSERT_EQ(call.result.status, Status::ok) << call.result.failure;
  EXPECT_EQ(call.result.authentication.identity.tenant_id, "alice");
  EXPECT_EQ(call.result.authentication.identity.roles, std::vector<std::string>{"no"});
}

}  // namespace
}  // namespace helios::plugins
