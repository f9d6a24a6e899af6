// SPDX-License-Identifier: Apache-2.0
// Goal: a statement is charged to the tenant that the server would see in its turn, and to no other.
#include "pgwire/extended.hpp"
#include "session_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A session with a plugin that notes "<tenant>: <statement>".
struct TenantSession {
  std::vector<std::string> seen;
  std::vector<std::pair<std::string, std::string>> attributes;  // of the last statement
  std::unique_ptr<SessionHarness> harness;

  explicit TenantSession(Options options = {}) {
    auto plugin =
        std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "p", .has_pre_query = true});
    plugin->pre_query = [this](hooks::Call& call) {
      const hooks::Context& context = *call.statement->context;
      seen.push_back(context.tenant_id.value_or("-") + ": " + std::string(call.statement->text));
      attributes = context.attributes;
      return call.statement->text.find("forbidden") == std::string_view::npos ? hooks::CallResult{}
                                                                              : block("no");
    };
    options.plugins.push_back(plugin);
    harness = std::make_unique<SessionHarness>(options);
    harness->connect();
  }

  void run(std::string_view text, const std::string& answer) {
    harness->client_sends(query(text));
    harness->server_sends(answer);
  }
  // The tenant as the next statement sees it.
  std::string tenant() {
    run("select 'probe'", complete("SELECT 1") + ready('I'));
    const std::string last = seen.back();
    seen.pop_back();
    return last.substr(0, last.find(':'));
  }
};

TEST(Tenant, set_in_front_counts_for_the_rest_of_the_message) {
  TenantSession session;
  session.run("SET helios.tenant_id = 'acme'; SELECT 1",
              complete("SET") + complete("SELECT 1") + ready('I'));
  EXPECT_THAT(session.seen, ElementsAre("acme: SELECT 1"));
  EXPECT_EQ(session.tenant(), "acme");
}

TEST(Tenant, set_behind_does_not_count_for_what_came_before) {
  TenantSession session;
  session.run("select 1; set helios.tenant_id to acme; select 2",
              complete("SELECT 1") + complete("SET") + complete("SELECT 1") + ready('I'));
  EXPECT_THAT(session.seen, ElementsAre("-: select 1", "acme: select 2"));
}

TEST(Tenant, set_config_is_charged_to_the_old_tenant) {
  TenantSession session;
  session.run("set helios.tenant_id = 'old'", complete("SET") + ready('I'));
  session.run("select set_config('helios.tenant_id', 'new', false)",
              complete("SELECT 1") + ready('I'));
  EXPECT_THAT(session.seen,
              ElementsAre("old: select set_config('helios.tenant_id', 'new', false)"));
  EXPECT_EQ(session.tenant(), "new");
}

TEST(Tenant, error_in_the_message_undoes_its_set) {
  TenantSession session;
  session.run("set helios.tenant_id = 'acme'; select 1/0",
              complete("SET") + error("22012", "x") + ready('I'));
  EXPECT_EQ(session.tenant(), "-");
}

TEST(Tenant, error_in_the_message_undoes_the_set_of_a_plugin) {
  Options options;
  auto rewriter =
      std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "a", .has_pre_query = true});
  rewriter->pre_query = [](hooks::Call& call) {
    return call.statement->text == "select 'set'" ? rewrite("set helios.tenant_id = 'acme'")
                                                  : hooks::CallResult{};
  };
  options.plugins = {rewriter};
  TenantSession session(options);
  session.run("select 'set'; select 1/0", complete("SET") + error("22012", "x") + ready('I'));
  EXPECT_EQ(session.tenant(), "-");
  session.run("select 'set'; select 2", complete("SET") + complete("SELECT 1") + ready('I'));
  EXPECT_EQ(session.tenant(), "acme");
}

TEST(Tenant, rollback_undoes_and_commit_keeps) {
  TenantSession session;
  session.run("begin", complete("BEGIN") + ready('T'));
  session.run("set helios.tenant_id = 'acme'", complete("SET") + ready('T'));
  session.run("rollback", complete("ROLLBACK") + ready('I'));
  EXPECT_EQ(session.tenant(), "-");
  session.run("begin; set helios.tenant_id = 'acme'; commit",
              complete("BEGIN") + complete("SET") + complete("COMMIT") + ready('I'));
  EXPECT_EQ(session.tenant(), "acme");
}

TEST(Tenant, commit_of_a_failed_transaction_is_a_rollback) {
  TenantSession session;
  session.run("begin", complete("BEGIN") + ready('T'));
  session.run("set helios.tenant_id = 'acme'", complete("SET") + ready('T'));
  session.run("select 1/0", error("22012", "x") + ready('E'));
  session.run("commit", complete("ROLLBACK") + ready('I'));
  EXPECT_EQ(session.tenant(), "-");
}

TEST(Tenant, set_local_ends_with_the_transaction) {
  TenantSession session;
  session.run("set helios.tenant_id = 'base'", complete("SET") + ready('I'));
  session.run("begin; set local helios.tenant_id = 'inner'; select 1; commit; select 2",
              complete("BEGIN") + complete("SET") + complete("SELECT 1") + complete("COMMIT") +
                  complete("SELECT 1") + ready('I'));
  EXPECT_THAT(session.seen, ElementsAre("inner: select 1", "base: select 2"));
  EXPECT_EQ(session.tenant(), "base");
}

TEST(Tenant, set_local_counts_within_one_message_only) {
  TenantSession session;
  session.run("set local helios.tenant_id = 'acme'; select 1",
              complete("SET") + complete("SELECT 1") + ready('I'));
  EXPECT_THAT(session.seen, ElementsAre("acme: select 1"));
  EXPECT_EQ(session.tenant(), "-");
}

TEST(Tenant, rollback_to_goes_back_to_the_savepoint) {
  TenantSession session;
  session.run(
      "begin; set helios.tenant_id = 'one'; savepoint s; set helios.tenant_id = 'two'",
      complete("BEGIN") + complete("SET") + complete("SAVEPOINT") + complete("SET") + ready('T'));
  session.run("rollback to s", complete("ROLLBACK") + ready('T'));
  session.run("select 1", complete("SELECT 1") + ready('T'));
  session.run("commit", complete("COMMIT") + ready('I'));
  EXPECT_THAT(session.seen, ElementsAre("one: select 1"));
  EXPECT_EQ(session.tenant(), "one");
}

// It may roll back what stands in front of it in its pipeline.
TEST(Tenant, that_was_set_in_front_of_a_procedure_is_unknown) {
  TenantSession session;
  session.run("set helios.tenant_id = 'one'", complete("SET") + ready('I'));
  const auto executed = [](std::string_view text) {
    return pgwire::serialize_parse("", text) + pgwire::serialize_bind("", "", {}, {}) +
           pgwire::serialize_execute("", 0);
  };
  const std::string done = message('1', "") + message('2', "");
  session.harness->client_sends(executed("set helios.tenant_id = 'two'") +
                                executed("do $$ begin rollback; end $$") + message('S', ""));
  session.harness->server_sends(done + complete("SET"));
  session.harness->server_sends(done + complete("DO") + ready('I'));
  session.harness->client_sends(query("select 1"));
  session.harness->server_sends(syntax_error() + ready('I'));
  EXPECT_THAT(session.harness->to_client, HasSubstr("tenant of this session is unknown"));
  session.run("set helios.tenant_id = 'three'", complete("SET") + ready('I'));
  EXPECT_EQ(session.tenant(), "three");
}

TEST(Tenant, reset_goes_back_to_the_start_value) {
  Options options;
  options.startup = {{"user", "ann"}, {"options", "-c helios.tenant_id=start"}};
  for (const char* text :
       {"reset helios.tenant_id", "reset all", "discard all", "set helios.tenant_id to default"}) {
    TenantSession session(options);
    EXPECT_EQ(session.tenant(), "start");
    session.run("set helios.tenant_id = 'acme'", complete("SET") + ready('I'));
    EXPECT_EQ(session.tenant(), "acme");
    session.run(text, complete("RESET") + ready('I'));
    EXPECT_EQ(session.tenant(), "start") << text;
  }
}

TEST(Tenant, every_startup_spelling_counts) {
  const std::vector<std::pair<std::string, std::string>> spellings[] = {
      {{"options", "-c helios.tenant_id=acme"}},
      {{"options", "-chelios.tenant_id=acme"}},
      {{"options", "--helios.tenant-id=acme"}},
      {{"options", "-e -c HELIOS.Tenant_Id=acme"}},
      {{"options", "-c helios.tenant_id=x -c helios.tenant_id=acme"}},
      {{"options", "-c helios.tenant_id=x"}, {"options", "-c helios.tenant_id=acme"}},
      {{"helios.tenant_id", "acme"}},
      {{"Helios.Tenant_ID", "acme"}, {"options", "-c helios.tenant_id=x"}},
  };
  for (const auto& spelling : spellings) {
    Options options;
    options.startup = {{"user", "ann"}};
    options.startup.insert(options.startup.end(), spelling.begin(), spelling.end());
    TenantSession session(options);
    EXPECT_EQ(session.tenant(), "acme") << spelling[0].first << " " << spelling[0].second;
  }
}

TEST(Tenant, escaped_space_in_options) {
  Options options;
  options.startup = {{"user", "ann"}, {"options", "-c helios.tenant_id=a\\ b"}};
  TenantSession session(options);
  EXPECT_EQ(session.tenant(), "a b");
}

TEST(Tenant, empty_value_is_no_tenant) {
  TenantSession session;
  session.run("set helios.tenant_id = ''", complete("SET") + ready('I'));
  EXPECT_EQ(session.tenant(), "-");
}

TEST(Tenant, refused_message_leaves_it_as_it_was) {
  TenantSession session;
  session.run("set helios.tenant_id = 'acme'", complete("SET") + ready('I'));
  session.harness->client_sends(query("set helios.tenant_id = 'other'; select forbidden"));
  session.seen.clear();
  EXPECT_EQ(session.tenant(), "acme");
}

TEST(Tenant, message_behind_a_pipelined_set_waits_for_its_outcome) {
  TenantSession session;
  session.harness->client_sends(query("set helios.tenant_id = 'acme'") + query("select 1"));
  EXPECT_TRUE(session.seen.empty());
  EXPECT_EQ(session.harness->take_to_server(), query("set helios.tenant_id = 'acme'"));
  session.harness->server_sends(complete("SET") + ready('I'));
  EXPECT_THAT(session.seen, ElementsAre("acme: select 1"));
  EXPECT_EQ(session.harness->take_to_server(), query("select 1"));
}

TEST(Tenant, message_behind_a_pipeline_waits_for_its_end) {
  TenantSession session;
  const std::string set = pgwire::serialize_parse("", "set helios.tenant_id = 'acme'") +
                          pgwire::serialize_bind("", "", {}, {}) + pgwire::serialize_execute("", 0);
  session.harness->client_sends(set + pgwire::serialize_execute("missing", 0) + message('S', "") +
                                query("select 1"));
  session.harness->server_sends(message('1', "") + message('2', "") + complete("SET"));
  EXPECT_TRUE(session.seen.empty()) << "an error may still undo it";
  session.harness->server_sends(error("34000", "portal does not exist") + ready('I'));
  EXPECT_THAT(session.seen, ElementsAre("-: select 1"));
}

TEST(Tenant, change_that_may_have_been_committed_before_an_error_is_unknown) {
  for (const std::string_view text :
       {"discard all", "do $$ begin set helios.tenant_id = 'a'; commit; raise 'x'; end $$"}) {
    TenantSession session;
    session.run("set helios.tenant_id = 'acme'", complete("SET") + ready('I'));
    const bool fails = text.starts_with("do");
    session.harness->client_sends(pgwire::serialize_parse("", text) +
                                  pgwire::serialize_bind("", "", {}, {}) +
                                  pgwire::serialize_execute("", 0) +
                                  pgwire::serialize_parse("", "select missing") + message('S', ""));
    session.harness->server_sends(
        message('1', "") + message('2', "") +
        (fails ? error("P0001", "x") : complete("DISCARD ALL") + error("42703", "missing")) +
        ready('I'));
    session.harness->client_sends(query("select 1"));
    session.harness->server_sends(syntax_error() + ready('I'));
    EXPECT_NE(session.harness->to_client.find("the tenant of this session is unknown"),
              std::string::npos)
        << text;
  }
}

TEST(Tenant, prepare_of_a_failed_transaction_is_not_its_commit) {
  TenantSession session;
  session.run("begin", complete("BEGIN") + ready('T'));
  session.run("set helios.tenant_id = 'acme'", complete("SET") + ready('T'));
  session.run("select 1/0", error("22012", "x") + ready('E'));
  session.run("prepare transaction 'x'", complete("ROLLBACK") + ready('I'));
  EXPECT_EQ(session.tenant(), "-");
}

TEST(Tenant, reset_all_under_a_local_one_is_unknown) {
  TenantSession session;
  session.run("set helios.tenant_id = 'acme'", complete("SET") + ready('I'));
  session.run(
      "begin; set local helios.tenant_id = 'b'; reset all; commit",
      complete("BEGIN") + complete("SET") + complete("RESET") + complete("COMMIT") + ready('I'));
  session.harness->client_sends(query("select 1"));
  EXPECT_NE(session.harness->to_client.find("the tenant of this session is unknown"),
            std::string::npos);
}

TEST(Tenant, failed_pipelined_set_does_not_count) {
  TenantSession session;
  session.harness->client_sends(query("set helios.tenant_id = 'acme'; select 1/0") +
                                query("select 1"));
  session.seen.clear();
  session.harness->server_sends(complete("SET") + error("22012", "x") + ready('I'));
  EXPECT_THAT(session.seen, ElementsAre("-: select 1"));
}

TEST(Tenant, set_config_with_unknowable_arguments_makes_it_unknown) {
  TenantSession session;
  session.run("set helios.tenant_id = 'acme'", complete("SET") + ready('I'));
  session.run("select set_config(n, v, false) from t", complete("SELECT 1") + ready('I'));
  session.seen.clear();
  session.harness->client_sends(query("select 1"));
  EXPECT_TRUE(session.seen.empty());
  EXPECT_NE(session.harness->to_client.find("the tenant of this session is unknown"),
            std::string::npos);
  session.run("set helios.tenant_id = 'acme'", complete("SET") + ready('I'));
  EXPECT_EQ(session.tenant(), "acme");
}

// Whose statements may not be refused for the sake of a tenant that nobody uses.
TEST(Tenant, unknown_one_matters_where_a_tenant_is_used_or_asked_for) {
  for (const bool is_asked : {false, true}) {
    for (const bool is_used : {false, true}) {
      Options options;
      auto plugin =
          std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "p", .has_pre_query = true});
      plugin->asks_for_tenant = is_asked;
      bool is_hidden = false;
      plugin->pre_query = [&is_hidden](hooks::Call& call) {
        is_hidden = call.statement->is_tenant_unknown;
        return hooks::CallResult{};
      };
      options.plugins = {plugin};
      SessionHarness harness(options);
      harness.connect();
      if (is_used) {
        harness.client_sends(query("set helios.tenant_id = 'x'; rollback"));
        harness.server_sends(complete("SET") + complete("ROLLBACK") + ready('I'));
      }
      harness.client_sends(query("select set_config(n, v, false) from t"));
      harness.server_sends(complete("SELECT 1") + ready('I'));
      harness.take_to_server();
      harness.client_sends(query("select 1"));
      const bool is_refused = is_asked || is_used;
      EXPECT_EQ(harness.to_server, is_refused ? "" : query("select 1")) << is_asked << is_used;
      EXPECT_EQ(is_hidden, !is_refused);
    }
  }
}

TEST(Tenant, unknown_one_is_none_where_allowed) {
  Options options;
  options.config.tenant.unknown = config::Policy::allow;
  TenantSession session(options);
  session.run("set helios.tenant_id = 'acme'", complete("SET") + ready('I'));
  session.run("select set_config(n, v, false) from t", complete("SELECT 1") + ready('I'));
  EXPECT_EQ(session.tenant(), "-");
}

TEST(Tenant, text_that_only_looks_like_set_changes_nothing) {
  TenantSession session;
  session.run(
      "select 'set helios.tenant_id = ''x''', $$;set helios.tenant_id='x';$$ /* set "
      "helios.tenant_id='x' */",
      complete("SELECT 1") + ready('I'));
  EXPECT_EQ(session.tenant(), "-");
}

TEST(Attributes, carry_names_that_plugins_know) {
  Options options;
  options.startup = {{"user", "ann"}, {"database", "shop"}, {"application_name", "till"}};
  TenantSession session(options);
  session.run(
      "set helios.tenant_id = 'acme'; set helios.agent_id = 'bot'; set helios.region = 'eu'",
      complete("SET") + complete("SET") + complete("SET") + ready('I'));
  session.tenant();
  using testing::Pair;
  EXPECT_THAT(
      session.attributes,
      testing::UnorderedElementsAre(Pair("tenant_id", "acme"), Pair("agent_id", "bot"),
                                    Pair("application_name", "till"), Pair("client_ip", "10.1.2.3"),
                                    Pair("helios.tenant_id", "acme"),
                                    Pair("helios.agent_id", "bot"), Pair("helios.region", "eu")));
}

TEST(Attributes, application_name_follows_the_server) {
  TenantSession session;
  session.run("set application_name = 'desk'",
              parameter("application_name", "desk") + complete("SET") + ready('I'));
  session.tenant();
  EXPECT_THAT(session.attributes, testing::Contains(testing::Pair("application_name", "desk")));
}

TEST(Unwatched, settings_are_followed_before_any_plugin_is_loaded) {
  Options options;
  options.config.plugins.directory = "plugins";
  SessionHarness harness(options);
  harness.connect();
  harness.client_sends(query("set helios.tenant_id = 'acme'"));
  harness.server_sends(complete("SET") + ready('I'));
  std::optional<std::string> tenant;
  auto plugin =
      std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "p", .has_pre_query = true});
  plugin->pre_query = [&tenant](hooks::Call& call) {
    tenant = call.statement->context->tenant_id;
    return hooks::CallResult{};
  };
  harness.set_chain({plugin});
  harness.client_sends(query("select 1"));
  EXPECT_EQ(tenant, "acme");
}

}  // namespace
}  // namespace helios::session::test
