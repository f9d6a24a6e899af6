// SPDX-License-Identifier: Apache-2.0
// Goal: where a tenant is required, nothing works without one, and everybody can get one.
#include "extended_messages.hpp"
#include "pgwire/extended.hpp"
#include "session/objections.hpp"
#include "session_harness.hpp"
#include "sql/analyzer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using testing::HasSubstr;

Options required(bool has_plugin = false) {
  Options options;
  options.config.tenant.required = true;
  if (has_plugin) {
    options.plugins = {
        std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "p", .has_pre_query = true})};
  }
  return options;
}

// True: it was refused for want of a tenant, and the server has not seen it.
bool is_refused(SessionHarness& harness, std::string_view text) {
  harness.take_to_server();
  harness.take_to_client();
  harness.client_sends(query(text));
  const bool is_refused = harness.to_client.contains("has no tenant");
  EXPECT_EQ(is_refused, harness.to_client.contains("42501")) << text;
  EXPECT_EQ(is_refused, !harness.to_server.contains(text)) << text;
  return is_refused;
}

TEST(RequiredTenant, work_is_refused_with_and_without_plugins) {
  for (const bool has_plugin : {false, true}) {
    for (const char* text : {"SELECT 1", "INSERT INTO t VALUES (1)", "BEGIN; SELECT 1",
                             "FETCH ALL c", "EXPLAIN SELECT 1", "COPY t FROM STDIN", "CALL p()",
                             "SELECT set_config('helios.tenant_id', 'a', false) FROM t",
                             "SELECT set_config('helios.tenant_id', 'a', false), f()",
                             "SELECT set_config('work_mem', '1MB', false)"}) {
      SessionHarness harness(required(has_plugin));
      harness.connect();
      EXPECT_TRUE(is_refused(harness, text)) << text;
    }
  }
}

TEST(RequiredTenant, what_manages_the_session_passes) {
  for (const char* text :
       {"BEGIN", "ROLLBACK", "SHOW work_mem", "SET work_mem = '1MB'", "DISCARD ALL",
        "SET helios.tenant_id = 'acme'", "SELECT set_config('helios.tenant_id', 'acme', false)",
        "select pg_catalog.set_config('helios.tenant_id', 'acme', true)", "", "-- nothing",
        "SET helios.tenant_id = 'acme'; SELECT 1",
        "BEGIN; SET LOCAL helios.tenant_id = 'a'; SELECT 1"}) {
    SessionHarness harness(required());
    harness.connect();
    EXPECT_FALSE(is_refused(harness, text)) << text;
  }
}

TEST(RequiredTenant, it_has_to_be_there_and_known) {
  SessionHarness harness(required());
  harness.connect();
  const auto run = [&](std::string_view text, const std::string& answer) {
    EXPECT_FALSE(is_refused(harness, text)) << text;
    harness.server_sends(answer);
  };
  run("SET helios.tenant_id = 'acme'", complete("SET") + ready('I'));
  run("SELECT 1", complete("SELECT 1") + ready('I'));
  run("SELECT set_config('helios.tenant_id', f(), false)", complete("SELECT 1") + ready('I'));
  EXPECT_TRUE(is_refused(harness, "SELECT 2"));
  run("SET helios.tenant_id = ''", complete("SET") + ready('I'));
  EXPECT_TRUE(is_refused(harness, "SELECT 3"));
  run("BEGIN; SET LOCAL helios.tenant_id = 'acme'",
      complete("BEGIN") + complete("SET") + ready('T'));
  run("SELECT 4", complete("SELECT 1") + ready('T'));
  run("COMMIT", complete("COMMIT") + ready('I'));
  EXPECT_TRUE(is_refused(harness, "SELECT 5"));
}

// Deferred triggers and cursors WITH HOLD work in it. Who has had no tenant has left no work.
TEST(RequiredTenant, commit_without_one_is_refused_where_there_was_one) {
  SessionHarness harness(required());
  harness.connect();
  const auto run = [&](std::string_view text, const std::string& answer) {
    EXPECT_FALSE(is_refused(harness, text)) << text;
    harness.server_sends(answer);
  };
  run("BEGIN", complete("BEGIN") + ready('T'));
  run("COMMIT", complete("COMMIT") + ready('I'));
  run("SET helios.tenant_id = 'acme'", complete("SET") + ready('I'));
  run("BEGIN", complete("BEGIN") + ready('T'));
  run("SET helios.tenant_id = ''", complete("SET") + ready('T'));
  harness.to_client.clear();
  harness.client_sends(query("COMMIT"));
  EXPECT_FALSE(harness.to_server.ends_with(query("COMMIT"))) << "the block is made to fail";
  harness.server_sends(syntax_error() + ready('E'));
  EXPECT_TRUE(harness.to_client.contains("has no tenant")) << harness.to_client;
}

TEST(RequiredTenant, fixed_and_given_tenants_count) {
  Options pinned = required();
  pinned.config.identity.rules = {tenant_rule("*", "acme")};
  Options given = required();
  given.config.identity.rules = {tenant_rule("*", "acme", false)};
  for (const Options& options : {pinned, given}) {
    SessionHarness harness(options);
    harness.connect();
    EXPECT_FALSE(is_refused(harness, "SELECT 1"));
  }
}

TEST(RequiredTenant, rule_whose_tenant_comes_out_empty_gives_none) {
  Options options = required();
  options.config.identity.rules = {tenant_rule("ann*", "{user*}")};
  SessionHarness harness(options);
  harness.connect();
  EXPECT_TRUE(is_refused(harness, "SELECT 1"));
  harness.take_to_client();
  harness.client_sends(query("SET helios.tenant_id = 'acme'"));
  EXPECT_THAT(harness.to_client, HasSubstr("is fixed to \"\""));
}

TEST(RequiredTenant, who_may_not_set_one_is_told_so) {
  Options options = required();
  options.config.tenant.setters = {};
  SessionHarness harness(options);
  harness.connect();
  harness.client_sends(query("SELECT 1"));
  EXPECT_THAT(harness.to_client,
              HasSubstr("has no tenant ([tenant] required), and may not set one"));
}

TEST(RequiredTenant, portal_is_held_against_it_when_it_is_bound) {
  SessionHarness harness(required());
  harness.connect();
  harness.client_sends(parse("s", "SELECT 1") + sync());
  harness.server_sends(parsed() + ready('I'));
  harness.take_to_client();
  harness.take_to_server();
  harness.client_sends(bind_to("a", "s") + sync());
  EXPECT_EQ(harness.take_to_server(), refused_parse() + sync());
  harness.server_sends(syntax_error() + ready('I'));
  EXPECT_THAT(harness.take_to_client(), HasSubstr("has no tenant"));
}

TEST(RequiredTenant, portal_is_held_against_it_when_it_is_run) {
  SessionHarness harness(required());
  harness.connect();
  harness.client_sends(query("BEGIN; SET helios.tenant_id = 'acme'"));
  harness.server_sends(complete("BEGIN") + complete("SET") + ready('T'));
  harness.client_sends(parse("s", "SELECT 1") + bind_to("a", "s") + sync());
  harness.server_sends(parsed() + bound() + ready('T'));
  harness.client_sends(execute("a", 1) + sync());
  harness.server_sends(suspended() + ready('T'));
  harness.client_sends(query("RESET helios.tenant_id"));
  harness.server_sends(complete("RESET") + ready('T'));
  harness.take_to_client();
  harness.take_to_server();
  harness.client_sends(execute("a") + sync());
  EXPECT_EQ(harness.take_to_server(), refused_parse() + sync());
  harness.server_sends(syntax_error() + ready('E'));
  EXPECT_THAT(harness.take_to_client(), HasSubstr("has no tenant"));
}

TEST(RequiredTenant, it_can_be_set_by_a_parameter) {
  SessionHarness harness(required());
  harness.connect();
  const std::string body = std::string("\0s\0", 3) + std::string("\0\0\0\1\0\0\0\4acme\0\0", 14);
  harness.client_sends(parse("s", "SELECT set_config('helios.tenant_id', $1, false)") +
                       message('B', body) + execute() + sync());
  harness.server_sends(parsed() + bound() + complete("SELECT 1") + ready('I'));
  harness.take_to_client();
  EXPECT_FALSE(is_refused(harness, "SELECT 1"));
}

TEST(RequiredTenant, function_calls_are_work) {
  SessionHarness harness(required());
  harness.connect();
  harness.take_to_client();
  harness.client_sends(pgwire::serialize_function_call(1598));
  EXPECT_THAT(harness.to_client, HasSubstr("has no tenant"));
}

TEST(RequiredTenant, only_a_bare_set_config_of_the_tenant_is_exempt) {
  sql::Analyzer analyzer{sql::Analyzer::Options{}};
  const auto may = [&](std::string_view text) {
    const auto analysis = analyzer.analyze_with_facts(text, {});
    return may_run_without_tenant(analysis->statements.at(0));
  };
  EXPECT_TRUE(may("select set_config('helios.tenant_id', 'a', false)"));
  EXPECT_FALSE(may("select set_config('helios.agent_id', 'a', false)"));
  EXPECT_FALSE(
      may("select set_config('helios.tenant_id', 'a', false), set_config('x', 'y', true) from t"));
  EXPECT_FALSE(may("select set_config('helios.tenant_id', $1, false)"));  // before its Bind
  EXPECT_FALSE(may("values (1)"));
  EXPECT_FALSE(may("explain select 1"));
}

}  // namespace
}  // namespace helios::session::test
