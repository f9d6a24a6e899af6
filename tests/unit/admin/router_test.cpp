// SPDX-License-Identifier: Apache-2.0
// The routes beside /admin/kv: what they answer for each state of the process.

#include "kv/memory_store.hpp"
#include "support/append_record.hpp"
#include "unit/admin/router_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace helios::admin {
namespace {

using ::testing::HasSubstr;

class RouterTest : public ::testing::Test {
 protected:
  test::FakeClock clock;
  kv::MemoryStore store{kv::Limits{}, clock};
  RouterDriver admin{store};
};

PluginStatus example_plugin() {
  PluginStatus plugin;
  plugin.name = "helios-plugin-cost-governor";
  plugin.namespace_name = "cost-governor";
  plugin.version = "1.2.0";
  plugin.sha256 = "ab12";
  plugin.manifest_sha256 = "34cd";
  plugin.file = "plugins/cost-governor.wasm";
  plugin.abi = 2;
  plugin.hooks = {"pre_query", "post_query"};
  plugin.order = -5;
  plugin.durability = "strict";
  plugin.calls = 18'446'744'073'709'551'615U;
  plugin.failures = 2;
  plugin.refusals = 3;
  plugin.retries = 4;
  plugin.overruns = 5;
  plugin.exclusive_runs = 6;
  plugin.backed_off = 7;
  plugin.is_slow = true;
  plugin.backing_off_callers = 8;
  plugin.backing_off_left_ms = 9;
  plugin.metrics = {{"limited", 10}, {"repeats", 11}};
  plugin.warnings = {"exports route, which is never called"};
  plugin.last_error = "trap: \"unreachable\"\n\xFF";
  return plugin;
}

constexpr const char* kExampleJson =
    R"([{"name":"helios-plugin-cost-governor","namespace":"cost-governor","version":"1.2.0",)"
    R"("sha256":"ab12","manifest_sha256":"34cd","file":"plugins/cost-governor.wasm","abi":2,)"
    R"("hooks":["pre_query","post_query"],"state":"loaded",)"
    R"("order":-5,"on_error":"deny","durability":"strict","calls":18446744073709551615,"failures":2,"refusals":3,)"
    R"("retries":4,"overruns":5,"exclusive_runs":6,"lane":"slow","backed_off":7,)"
    R"("backing_off":{"callers":8,"longest_left_ms":9},"metrics":{"limited":10,"repeats":11},)"
    R"("warnings":["exports route, which is never called"],)"
    R"("last_error":"trap: \"unreachable\"\\x0A\\xFF"}])";

TEST_F(RouterTest, plugins_are_listed) {
  EXPECT_EQ(admin.get("/plugins").body, "[]");
  admin.control.plugin_list.push_back(example_plugin());
  const Response list = admin.get("/plugins");
  EXPECT_EQ(list.status, 200);
  EXPECT_EQ(list.content_type, "application/json");
  EXPECT_THAT(list.body, ::testing::StrCaseEq(kExampleJson));  // hex digits in either case
}

TEST_F(RouterTest, plugin_without_version_abi_or_error_shows_null) {
  admin.control.plugin_list.emplace_back().name = "p";
  const Response list = admin.get("/plugins");
  EXPECT_THAT(list.body, HasSubstr(R"("version":null)"));
  EXPECT_THAT(list.body, HasSubstr(R"("sha256":null)"));
  EXPECT_THAT(list.body, HasSubstr(R"("abi":null)"));
  EXPECT_THAT(list.body, HasSubstr(R"("metrics":{})"));
  EXPECT_THAT(list.body, HasSubstr(R"("last_error":null)"));
}

PluginChange example_change(std::string_view kind) {
  return {.kind = kind,
          .name = "p",
          .version = "2",
          .sha256 = "cd",
          .old_version = "1",
          .old_sha256 = "ab"};
}

TEST_F(RouterTest, reload_tells_what_has_changed_and_what_runs_now) {
  const auto reload = admin.start(request(Method::post, "/plugins/reload"));
  ASSERT_EQ(admin.control.reloads.size(), 1U);
  EXPECT_EQ(reload->answers, 0);
  EXPECT_EQ(admin.get("/healthz").status, 200);  // nothing is held up meanwhile

  admin.control.plugin_list.push_back(example_plugin());
  admin.control.reloads[0](ReloadReport{
      .changes = {example_change("changed"), example_change("removed")}, .errors = {}});
  EXPECT_EQ(reload->answers, 0) << "answered on the thread of the reload";
  admin.home->run_all();
  ASSERT_EQ(reload->answers, 1);
  EXPECT_EQ(reload->response->status, 200);
  EXPECT_THAT(
      reload->response->body,
      ::testing::StrCaseEq(
          R"({"changes":[{"change":"changed","name":"p","version":"2","sha256":"cd","old_version":"1",)"
          R"("old_sha256":"ab"},{"change":"removed","name":"p","version":"2","sha256":"cd"}],"plugins":)" +
          std::string(kExampleJson) + "}"));
}

TEST_F(RouterTest, reload_that_leaves_something_as_it_was_is_422_and_tells_the_rest) {
  const auto reload = admin.start(request(Method::post, "/plugins/reload"));
  admin.control.reloads.at(0)(ReloadReport{.changes = {example_change("kept")},
                                           .errors = {"plugin a: broken", "plugin b: worse"}});
  admin.home->run_all();
  ASSERT_EQ(reload->answers, 1);
  EXPECT_EQ(reload->response->status, 422);
  EXPECT_EQ(reload->response->body,
            R"({"error":"plugin a: broken; plugin b: worse","errors":["plugin a: broken",)"
            R"("plugin b: worse"],"changes":[{"change":"kept","name":"p","version":"2",)"
            R"("sha256":"cd"}],"plugins":[]})");
}

TEST_F(RouterTest, refused_reload_has_one_line_for_all_reasons) {
  const auto reload = admin.start(request(Method::post, "/plugins/reload"));
  admin.control.reloads.at(0)(base::fail(base::Errc::invalid, "one\ntwo"));
  admin.home->run_all();
  ASSERT_EQ(reload->answers, 1);
  EXPECT_EQ(reload->response->status, 422);
  EXPECT_EQ(reload->response->body, R"({"error":"one; two"})");
}

TEST_F(RouterTest, what_changes_something_is_told_first_and_left_alone_where_that_fails) {
  admin.control.untold = "plugin \"a\" failed (trap)";
  for (const auto& [method, target] :
       {std::pair(Method::put, "/admin/kv/x/k"), std::pair(Method::post, "/plugins/reload"),
        std::pair(Method::del, "/admin/kv/x/?prefix=")}) {
    const Response response = admin.send(request(method, target, "v"));
    EXPECT_EQ(response.status, 503) << target;
    EXPECT_THAT(response.body,
                testing::HasSubstr("could not be recorded: plugin \\\"a\\\" failed"));
  }
  EXPECT_TRUE(admin.control.reloads.empty());
  Request forced = request(Method::put, "/admin/kv/x/k", "v");
  forced.force = "true";
  forced.peer = "127.0.0.1:1";
  EXPECT_EQ(admin.send(std::move(forced)).status, 200);
  ASSERT_EQ(admin.control.actions.size(), 4U);
  EXPECT_EQ(admin.control.actions.front(), "PUT /admin/kv/x/k by \"\" from : v");
  EXPECT_EQ(admin.control.actions.back(), "PUT /admin/kv/x/k by \"\" from 127.0.0.1:1: v, forced");
  admin.send(request(Method::get, "/admin/kv/x/k"));
  admin.send(request(Method::put, "/no/such/route"));
  admin.send(request(Method::put, "/metrics"));
  admin.send(request(Method::del, "/admin/streams/x/trail"));
  EXPECT_EQ(admin.control.actions.size(), 4U) << "nothing is changed by these";
}

TEST_F(RouterTest, refusals_are_listed_as_asked_for) {
  RefusalStatus refusal;
  refusal.number = 7;
  refusal.time_ms = 1'704'067'200'123;
  refusal.request_id = "id";
  refusal.plugin = "guard";
  refusal.reason = "no\xFF";
  refusal.sqlstate = "42000";
  refusal.user = "ann";
  refusal.database = "shop";
  refusal.decided_by = "verdict";
  refusal.fingerprint = 0xAB;
  admin.control.refusal_page = {.refusals = {refusal}, .last_number = 7, .forgotten = 2};
  EXPECT_EQ(
      admin
          .get("/refusals?tenant=a%20b&user=u&plugin=p&since=1970-01-01T00:00:00.005Z&after=6&"
               "limit=3")
          .body,
      R"({"refusals":[{"number":7,"time":"2024-01-01T00:00:00.123Z","request_id":"id","plugin":"guard",)"
      R"("decided_by":"verdict","sqlstate":"42000","reason":"no\\xff","detail":null,"hint":null,)"
      R"("fault":null,"user":"ann","database":"shop","tenant":null,"client":null,)"
      R"("application_name":null,"statement_kind":null,"fingerprint":"00000000000000ab"}],)"
      R"("last":7,"forgotten":2})");
  const RefusalQuery& query = admin.control.refusal_query;
  EXPECT_EQ(query.tenant, "a b");
  EXPECT_EQ(query.user, "u");
  EXPECT_EQ(query.plugin, "p");
  EXPECT_EQ(query.since_ms, 5);
  EXPECT_EQ(query.after, 6U);
  EXPECT_EQ(query.limit, 3U);
}

TEST_F(RouterTest, wrong_questions_about_refusals_are_400) {
  for (const char* query : {"limit=0", "limit=1001", "limit=x", "since=-1", "since=5",
                            "since=tomorrow", "after=", "who=me", "user=a&user=b", "tenant=%zz"}) {
    EXPECT_EQ(admin.get(std::string("/refusals?") + query).status, 400) << query;
  }
}

TEST_F(RouterTest, identity_rules_are_listed_with_their_matches) {
  EXPECT_EQ(admin.get("/identity-rules").body, "[]");
  admin.control.rules.push_back({.user = "app_*",
                                 .database = "*",
                                 .client = "local",
                                 .os_user = "ann",
                                 .settings = {{"helios.agent_id", "{user*}"}, {"helios.team", "a"}},
                                 .is_pinned = true,
                                 .is_tenant_rule = false,
                                 .matches = 3});
  EXPECT_EQ(
      admin.get("/identity-rules").body,
      R"([{"user":"app_*","database":"*","client":"local","os_user":"ann",)"
      R"("sets":{"helios.agent_id":"{user*}","helios.team":"a"},"pinned":true,"matches":3}])");
  EXPECT_EQ(admin.get("/tenant-rules").body, "[]");
}

TEST_F(RouterTest, tenant_rules_are_listed_with_their_matches) {
  EXPECT_EQ(admin.get("/tenant-rules").body, "[]");
  admin.control.rules.push_back({.user = "app_*",
                                 .database = "*",
                                 .client = "*",
                                 .os_user = {},
                                 .settings = {{"helios.tenant_id", "{*}"}},
                                 .is_pinned = true,
                                 .is_tenant_rule = true,
                                 .matches = 0});
  EXPECT_EQ(admin.get("/tenant-rules").body,
            R"([{"user":"app_*","database":"*","tenant":"{*}","pinned":true,"matches":0}])");
  EXPECT_EQ(admin.get("/identity-rules").body,
            R"([{"user":"app_*","database":"*","client":"*","os_user":null,)"
            R"("sets":{"helios.tenant_id":"{*}"},"pinned":true,"matches":0}])");
}

TEST_F(RouterTest, reload_of_unfit_plugins_is_422) {
  const auto reload = admin.start(request(Method::post, "/plugins/reload"));
  admin.control.reloads.at(0)(base::fail(base::Errc::invalid, "broken.wasm: no export \"memory\""));
  admin.home->run_all();
  ASSERT_EQ(reload->answers, 1);
  EXPECT_EQ(reload->response->status, 422);
  EXPECT_EQ(reload->response->body, R"({"error":"broken.wasm: no export \"memory\""})");
}

TEST_F(RouterTest, reload_during_another_is_409) {
  const auto reload = admin.start(request(Method::post, "/plugins/reload"));
  admin.control.reloads.at(0)(base::fail(base::Errc::unavailable, "a reload is under way"));
  admin.home->run_all();
  ASSERT_EQ(reload->answers, 1);
  EXPECT_EQ(reload->response->status, 409);
}

TEST_F(RouterTest, reload_wants_post) {
  const Response get = admin.get("/plugins/reload");
  EXPECT_EQ(get.status, 405);
  EXPECT_EQ(header_of(get, "Allow"), "POST");
  EXPECT_TRUE(admin.control.reloads.empty());
}

TEST_F(RouterTest, metrics_are_prometheus_text) {
  const Response metrics = admin.get("/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_EQ(metrics.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(metrics.body, "helios_queries_total 7\n");
}

TEST_F(RouterTest, ready_follows_the_process_and_health_does_not) {
  EXPECT_EQ(admin.get("/readyz").status, 200);
  admin.control.ready_result = base::fail(base::Errc::unavailable, "shutting down");
  const Response ready = admin.get("/readyz");
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(ready.body, R"({"error":"shutting down"})");
  EXPECT_EQ(admin.get("/healthz").status, 200);
  EXPECT_EQ(admin.get("/healthz").body, R"({"ok":true})");
}

TEST_F(RouterTest, ready_tells_what_will_stand_in_the_way_soon) {
  admin.control.warning_list = {"the namespace p holds 80 % of it", "q too"};
  const Response ready = admin.get("/readyz");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(
      ready.body,
      R"({"ok":true,"server":"unknown","warnings":["the namespace p holds 80 % of it","q too"]})");
}

TEST_F(RouterTest, ready_tells_of_the_server_and_stays_ready) {
  admin.control.server_status = {.state = "up", .seconds_ago = 3, .reason = {}};
  EXPECT_EQ(admin.get("/readyz").body, R"({"ok":true,"server":"up"})");
  admin.control.server_status = {.state = "down", .seconds_ago = 3, .reason = "no \xff route"};
  admin.control.warning_list = {"q too"};
  const Response ready = admin.get("/readyz");
  EXPECT_EQ(ready.status, 200);
  EXPECT_THAT(ready.body, HasSubstr(R"("server":"down")"));
  EXPECT_THAT(ready.body, HasSubstr(R"(["the server could not be reached 3 s ago: no )"));
  EXPECT_THAT(ready.body, HasSubstr(R"(","q too"])"));
}

TEST_F(RouterTest, state_shows_streams) {
  test::append_record(store, "p", "trail", "x");
  const Response state = admin.get("/admin/state");
  EXPECT_THAT(state.body, HasSubstr(R"({"plugin":"p","keys":0,"bytes":0,"stream_bytes":97})"));
  EXPECT_THAT(state.body, HasSubstr(R"("total":{"keys":0,"bytes":0,"stream_bytes":97})"));
  EXPECT_THAT(state.body, HasSubstr(R"("stream_bytes":17179869184,"ring_bytes":16777216)"));
}

TEST_F(RouterTest, version_is_told) {
  EXPECT_EQ(admin.get("/version").body,
            R"({"name":"heliosproxy","version":"0.4.0","engine":"epoll"})");
}

TEST_F(RouterTest, index_is_a_page_that_loads_nothing) {
  const Response index = admin.get("/");
  EXPECT_EQ(index.status, 200);
  EXPECT_EQ(index.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(index.body, HasSubstr("/plugins"));
  EXPECT_THAT(header_of(index, "Content-Security-Policy"), HasSubstr("default-src 'none'"));
}

TEST_F(RouterTest, query_of_a_page_is_ignored) {
  EXPECT_EQ(admin.get("/metrics?name[]=helios").status, 200);
}

TEST_F(RouterTest, page_is_read_only) {
  for (const char* path :
       {"/", "/plugins", "/metrics", "/healthz", "/readyz", "/version", "/openapi.yaml"}) {
    for (const Method method : {Method::put, Method::post, Method::del, Method::other}) {
      const Response response = admin.send(method, path);
      EXPECT_EQ(response.status, 405) << path;
      EXPECT_EQ(header_of(response, "Allow"), "GET, HEAD") << path;
    }
    EXPECT_EQ(admin.send(Method::head, path).status, 200) << path;
  }
}

TEST_F(RouterTest, unknown_path_is_404) {
  for (const char* path : {"/nope", "/plugins/", "/plugins/x", "", "*", "admin/kv/p/k",
                           "http://localhost/metrics", "/admin", "//metrics"}) {
    const Response response = admin.get(path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(response.body, R"({"error":"not found"})") << path;
  }
}

TEST_F(RouterTest, foreign_pages_reach_no_route) {
  Request rebound = request(Method::get, "/admin/kv/p/key");
  rebound.host = "attacker.example:9090";
  EXPECT_EQ(admin.send(std::move(rebound)).status, 403);
  Request cross = request(Method::put, "/admin/kv/p/key", "x");
  cross.host = "localhost:9090";
  cross.origin = "https://attacker.example";
  EXPECT_EQ(admin.send(std::move(cross)).status, 403);
  EXPECT_TRUE(store.namespaces().empty());
}

TEST_F(RouterTest, backup_answers_with_the_folder_when_it_is_complete) {
  const auto exchange =
      admin.start(request(Method::post, "/admin/state/backup", R"({"name":"monday"})"));
  EXPECT_EQ(exchange->answers, 0);
  ASSERT_EQ(admin.control.backups.size(), 1U);
  EXPECT_EQ(admin.control.backups[0].first, "monday");
  admin.control.backups[0].second("/backups/monday");
  admin.home->run_all();
  EXPECT_EQ(exchange->response->body, R"({"ok":true,"directory":"/backups/monday"})");
}

TEST_F(RouterTest, backup_that_is_not_possible_is_409_or_503) {
  for (const auto& [code, status] :
       {std::pair(base::Errc::invalid, 409), std::pair(base::Errc::unavailable, 503)}) {
    const auto exchange =
        admin.start(request(Method::post, "/admin/state/backup", R"({"name":"monday"})"));
    admin.control.backups.back().second(base::fail(code, "why"));
    admin.home->run_all();
    EXPECT_EQ(exchange->response->status, status);
    EXPECT_EQ(exchange->response->body, R"({"error":"why"})");
  }
}

TEST_F(RouterTest, backup_under_a_name_that_is_no_folder_is_400) {
  for (const char* body :
       {"", "monday", "{}", R"({"name":""})", R"({"name":"../up"})", R"({"name":".hidden"})",
        R"({"name":"a/b"})", R"({"name":5})", R"({"name":"a","more":1})"})
    EXPECT_EQ(admin.send(Method::post, "/admin/state/backup", body).status, 400) << body;
  EXPECT_TRUE(admin.control.backups.empty());
}

}  // namespace
}  // namespace helios::admin
