// SPDX-License-Identifier: Apache-2.0

// The JSON that guests of ABI 1 are given, field by field.

#include "plugins/abi/abi1_input.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace helios::plugins {
namespace {

hooks::StatementExecution make_statement() {
  auto context = std::make_shared<hooks::Context>();
  context->session_id = "0b5c5b9e-52f5-4d0a-9d6a-0d6f3c1e7a11";
  context->user = "alice";
  context->database = "demo";
  context->attributes = {{"tenant_id", "ac\"me"}, {"application_name", "psql"}};
  hooks::StatementExecution statement;
  statement.id = 7;
  statement.text = "SELECT 'a\n'";
  statement.is_read_only = true;
  statement.context = std::move(context);
  return statement;
}

boost::json::value parse(hooks::HookPoint point, const hooks::StatementExecution& statement,
                         std::string_view config = "") {
  return boost::json::parse(abi1_input(point, statement, config));
}

TEST(Abi1Input, pre_query_has_every_field_of_the_query_context) {
  const auto statement = make_statement();
  const auto root = parse(hooks::HookPoint::pre_query, statement);
  EXPECT_EQ(root.at("query"), "SELECT 'a\n'");
  EXPECT_EQ(root.at("normalized"), "SELECT 'a\n'");
  EXPECT_TRUE(root.at("tables").as_array().empty());
  EXPECT_EQ(root.at("is_read_only"), true);
  const auto& hook = root.at("hook_context");
  EXPECT_EQ(hook.at("client_id"), "0b5c5b9e-52f5-4d0a-9d6a-0d6f3c1e7a11");
  EXPECT_EQ(hook.at("identity"), "alice");
  EXPECT_EQ(hook.at("database"), "demo");
  EXPECT_TRUE(hook.at("branch").is_null());
  EXPECT_EQ(hook.at("attributes").at("tenant_id"), "ac\"me");
  EXPECT_EQ(hook.at("attributes").at("application_name"), "psql");
  EXPECT_EQ(root.as_object().size(), 5U);
  EXPECT_EQ(hook.as_object().size(), 6U);
}

TEST(Abi1Input, normalized_can_be_left_out) {
  const auto statement = make_statement();
  const auto root =
      boost::json::parse(abi1_input(hooks::HookPoint::post_query, statement, "", {}, false)).at(0);
  EXPECT_EQ(root.at("query"), "SELECT 'a\n'");
  EXPECT_EQ(root.as_object().size(), 4U);
}

TEST(Abi1Input, request_id_is_a_uuid_per_statement_and_the_same_in_both_hooks) {
  auto statement = make_statement();
  const auto id_of = [](const boost::json::value& context) {
    return std::string(context.at("hook_context").at("request_id").as_string());
  };
  const std::string first = id_of(parse(hooks::HookPoint::pre_query, statement));
  EXPECT_EQ(first.size(), 36U);
  EXPECT_EQ(first[14], '4');
  EXPECT_NE(std::string("89ab").find(first[19]), std::string::npos);
  EXPECT_EQ(id_of(parse(hooks::HookPoint::post_query, statement).at(0)), first);
  statement.id = 8;
  EXPECT_NE(id_of(parse(hooks::HookPoint::pre_query, statement)), first);
}

TEST(Abi1Input, rewritten_statement_is_what_the_next_plugin_sees) {
  auto statement = make_statement();
  statement.rewritten = "SELECT 2";
  EXPECT_EQ(parse(hooks::HookPoint::pre_query, statement).at("query"), "SELECT 2");
}

TEST(Abi1Input, post_query_is_an_array_of_context_and_outcome) {
  auto statement = make_statement();
  statement.outcome = hooks::Outcome::executed;
  statement.duration_ns = 1'234'567;
  statement.response_bytes = 640;
  statement.rows = 3;
  const auto root = parse(hooks::HookPoint::post_query, statement);
  ASSERT_EQ(root.as_array().size(), 2U);
  EXPECT_EQ(root.at(0).at("query"), "SELECT 'a\n'");
  const auto& outcome = root.at(1);
  EXPECT_EQ(outcome.at("success"), true);
  EXPECT_EQ(outcome.at("target_node"), "primary");
  EXPECT_EQ(outcome.at("elapsed_us"), 1234);
  EXPECT_EQ(outcome.at("response_bytes"), 640);
  EXPECT_TRUE(outcome.at("error").is_null());
  EXPECT_EQ(outcome.at("outcome"), "executed");
  EXPECT_EQ(outcome.at("rows"), 3);
  EXPECT_TRUE(outcome.at("sqlstate").is_null());
}

TEST(Abi1Input, failed_statement_says_why) {
  auto statement = make_statement();
  statement.outcome = hooks::Outcome::failed;
  statement.sqlstate = "22012";
  statement.error_message = "division by zero";
  const auto outcome = parse(hooks::HookPoint::post_query, statement).at(1);
  EXPECT_EQ(outcome.at("success"), false);
  EXPECT_EQ(outcome.at("error"), "division by zero");
  EXPECT_EQ(outcome.at("sqlstate"), "22012");
  EXPECT_EQ(outcome.at("outcome"), "failed");
  EXPECT_TRUE(outcome.at("rows").is_null());
}

TEST(Abi1Input, configured_values_are_attributes) {
  auto statement = make_statement();
  const std::string config = config_attributes({{"region", "eu"}, {"limit", "5"}});
  const auto with = parse(hooks::HookPoint::pre_query, statement, config);
  const auto& attributes = with.at("hook_context").at("attributes");
  EXPECT_EQ(attributes.at("config.region"), "eu");
  EXPECT_EQ(attributes.at("config.limit"), "5");
  EXPECT_EQ(attributes.as_object().size(), 4U);

  statement.context = std::make_shared<hooks::Context>();
  const auto alone = parse(hooks::HookPoint::pre_query, statement, config);
  EXPECT_EQ(alone.at("hook_context").at("attributes").as_object().size(), 2U);
  EXPECT_TRUE(alone.at("hook_context").at("identity").is_null());
}

}  // namespace
}  // namespace helios::plugins
