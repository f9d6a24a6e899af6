// SPDX-License-Identifier: Apache-2.0
// Which request passes with which token: every route with every kind of token, what the refusals say,
// and what is left in log and counters.

#include "admin/routes.hpp"
#include "base/text.hpp"
#include "kv/memory_store.hpp"
#include "unit/admin/router_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace helios::admin {
namespace {

using ::testing::HasSubstr;

config::AdminToken token(const std::string& name, bool may_read, bool may_write,
                         std::vector<std::string> namespaces = {}) {
  std::array<unsigned char, 32> digest;
  SHA256(reinterpret_cast<const unsigned char*>(name.data()), name.size(), digest.data());
  config::AdminToken result;
  result.name = name;  // its name is its secret
  result.sha256 = base::to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
  result.may_read = may_read;
  result.may_write = may_write;
  result.namespaces = std::move(namespaces);
  return result;
}

config::Admin with_tokens() {
  config::Admin admin;
  admin.tokens = {token("all", true, true), token("reader", true, false),
                  token("writer", false, true), token("p-only", true, true, {"p"})};
  return admin;
}

Request with(const std::string& secret, Method method, std::string target, std::string body = {}) {
  Request result = request(method, std::move(target), std::move(body));
  if (!secret.empty()) result.authorization = "Bearer " + secret;
  result.peer = "192.0.2.7:4711";
  return result;
}

class AccessTest : public ::testing::Test {
 protected:
  int status(const std::string& secret, Method method, std::string target) {
    return admin.send(with(secret, method, std::move(target), "x")).status;
  }

  test::FakeClock clock;
  kv::MemoryStore store{kv::Limits{}, clock};
  RouterDriver admin{store, with_tokens()};
};

struct Case {
  Method method;
  const char* target;
  // Without a token, and with each of those above.
  int nobody, all, reader, writer, p_only;
};

TEST_F(AccessTest, every_route_asks_for_what_it_needs) {
  const Case cases[] = {
      {Method::get, "/", 200, 200, 200, 200, 200},
      {Method::get, "/healthz", 200, 200, 200, 200, 200},
      {Method::head, "/readyz", 200, 200, 200, 200, 200},
      {Method::get, "/version", 401, 200, 200, 200, 200},
      {Method::get, "/openapi.yaml", 401, 200, 200, 200, 200},
      {Method::get, "/metrics", 401, 200, 200, 403, 403},
      {Method::get, "/plugins", 401, 200, 200, 403, 403},
      {Method::put, "/admin/kv/p/k", 401, 200, 403, 200, 200},
      {Method::put, "/admin/kv/q/k", 401, 200, 403, 200, 403},
      {Method::get, "/admin/kv/p/k", 401, 200, 200, 403, 200},
      {Method::head, "/admin/kv/q/k", 401, 200, 200, 403, 403},
      {Method::get, "/admin/kv/p/", 401, 200, 200, 403, 200},
      {Method::get, "/admin/kv/q/?prefix=a", 401, 200, 200, 403, 403},
      {Method::get, "/admin/kv/nowhere/k", 401, 404, 404, 403, 403},
      {Method::del, "/admin/kv/q/k", 401, 200, 403, 200, 403},
      {Method::get, "/admin/streams/nowhere", 401, 404, 404, 403, 403},
      {Method::get, "/admin/streams/p", 401, 200, 200, 403, 200},
      {Method::head, "/admin/streams/q/trail", 401, 404, 404, 403, 403},
      {Method::del, "/admin/streams/p/trail", 401, 405, 405, 405, 405},
      {Method::other, "/admin/kv/p/k", 401, 405, 405, 405, 405},
      {Method::put, "/admin/kv/p/", 401, 405, 403, 405, 405},
      {Method::get, "/admin/kv/p", 401, 400, 400, 400, 400},
      {Method::put, "/metrics", 401, 405, 405, 405, 405},
      {Method::post, "/healthz", 405, 405, 405, 405, 405},
      {Method::get, "/plugins/reload", 401, 405, 405, 405, 405},
      {Method::get, "/nope", 401, 404, 404, 404, 404},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(status("", each.method, each.target), each.nobody) << each.target;
    EXPECT_EQ(status("all", each.method, each.target), each.all) << each.target;
    EXPECT_EQ(status("reader", each.method, each.target), each.reader) << each.target;
    EXPECT_EQ(status("writer", each.method, each.target), each.writer) << each.target;
    EXPECT_EQ(status("p-only", each.method, each.target), each.p_only) << each.target;
  }
}

TEST_F(AccessTest, reload_needs_write_for_everything) {
  EXPECT_EQ(status("", Method::post, "/plugins/reload"), 401);
  EXPECT_EQ(status("reader", Method::post, "/plugins/reload"), 403);
  EXPECT_EQ(status("p-only", Method::post, "/plugins/reload"), 403);
  EXPECT_TRUE(admin.control.reloads.empty());
  const auto reload = admin.start(with("writer", Method::post, "/plugins/reload"));
  ASSERT_EQ(admin.control.reloads.size(), 1U);
  admin.control.reloads[0]({});
  admin.home->run_all();
  EXPECT_EQ(reload->response->status, 200);
  EXPECT_EQ(admin.log.count("admin: audit: token writer from 192.0.2.7:4711: POST /plugins/reload: "
                            "200"),
            1U);
}

TEST_F(AccessTest, every_way_to_spell_a_namespace_is_the_same_namespace) {
  EXPECT_EQ(status("p-only", Method::put, "/admin/kv/helios_plugin_p/k"), 200);
  EXPECT_EQ(status("p-only", Method::put, "/admin/kv/%70/k"), 200);
  EXPECT_EQ(status("p-only", Method::put, "/admin/kv/P/k"), 403);
  EXPECT_EQ(status("p-only", Method::put, "/admin/kv/q/../p/k"), 403) << "dots mean nothing";
}

TEST_F(AccessTest, missing_token_is_401_with_a_challenge) {
  const Response response = admin.send(with("", Method::get, "/metrics"));
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.body, R"({"error":"missing or invalid admin bearer token"})");
  EXPECT_EQ(header_of(response, "WWW-Authenticate"), "Bearer realm=\"heliosproxy\"");
  EXPECT_EQ(admin.access.stats().missing_tokens.value(), 1U);
}

TEST_F(AccessTest, wrong_token_is_401_and_said_to_be_wrong) {
  for (const char* header :
       {"Bearer nobody", "Bearer", "Bearer ", "Basic YWxsOmFsbA==", "all", "", "Bearer all all",
        "Bearer\tall", "Bearer all\n", "Bearer =", " Bearer all"}) {
    Request wrong = request(Method::get, "/metrics");
    wrong.authorization = header;
    const Response response = admin.send(std::move(wrong));
    EXPECT_EQ(response.status, 401) << header;
    EXPECT_THAT(header_of(response, "WWW-Authenticate"), HasSubstr("error=\"invalid_token\""));
  }
  EXPECT_EQ(admin.access.stats().bad_tokens.value(), 11U);
}

TEST_F(AccessTest, scheme_is_read_as_http_has_it) {
  for (const char* header : {"Bearer all", "bearer all", "BEARER   all", "Bearer all "}) {
    Request right = request(Method::get, "/metrics");
    right.authorization = header;
    EXPECT_EQ(admin.send(std::move(right)).status, 200) << header;
  }
}

TEST_F(AccessTest, refusal_names_the_scope_that_is_missing) {
  const Response write = admin.send(with("reader", Method::put, "/admin/kv/p/k", "x"));
  EXPECT_EQ(write.body, R"({"error":"the token \"reader\" lacks the scope \"write\"",)"
                        R"("scope":"write"})");
  EXPECT_THAT(header_of(write, "WWW-Authenticate"),
              HasSubstr("error=\"insufficient_scope\", scope=\"write\""));
  const Response elsewhere = admin.send(with("p-only", Method::get, "/admin/kv/q/k"));
  EXPECT_EQ(elsewhere.body, R"({"error":"the token \"p-only\" is not for the namespace \"q\"",)"
                            R"("scope":"read"})");
  EXPECT_THAT(admin.send(with("p-only", Method::get, "/metrics")).body,
              HasSubstr("is for single namespaces"));
  EXPECT_EQ(admin.access.stats().forbidden.value(), 3U);
}

TEST_F(AccessTest, write_is_recorded_with_who_and_what) {
  admin.send(with("writer", Method::put, "/admin/kv/p/tenant:a%0Ab", "four"));
  admin.send(with("all", Method::del, "/admin/kv/p/k"));
  admin.send(with("all", Method::get, "/admin/kv/p/k"));
  EXPECT_EQ(admin.log.count("admin: audit: token writer from 192.0.2.7:4711: "
                            "PUT /admin/kv/p/tenant:a%0Ab, 4 bytes: 200"),
            1U);
  EXPECT_EQ(admin.log.count("token all from 192.0.2.7:4711: DELETE /admin/kv/p/k: 200"), 1U);
  EXPECT_EQ(admin.log.count("admin: audit:"), 2U) << "a read is no write";
  EXPECT_EQ(admin.access.stats().writes.value(), 2U);
}

TEST_F(AccessTest, refusals_do_not_flood_the_log) {
  for (int i = 0; i < 100; ++i) status("", Method::get, "/metrics");
  EXPECT_EQ(admin.log.count("admin: no token: request from 192.0.2.7:4711 refused"), 1U);
  admin.clock.advance_ns(base::QuietLog::kIntervalNs);
  status("guess", Method::get, "/metrics");
  EXPECT_EQ(admin.log.count("unknown token: request from 192.0.2.7:4711 refused "
                            "(and 99 more since the last line)"),
            1U);
  EXPECT_EQ(admin.log.count("guess"), 0U) << "a token must not get into the log";
}

TEST_F(AccessTest, tokens_open_the_port_to_other_names) {
  Request named = with("all", Method::put, "/admin/kv/p/k", "x");
  named.host = "proxy.example:9090";
  named.origin = "https://console.example";
  EXPECT_EQ(admin.send(std::move(named)).status, 200);
}

TEST_F(AccessTest, replaced_tokens_count_from_the_next_request) {
  config::Admin next;
  next.tokens = {token("new", true, true)};
  admin.access.replace(TokenSet::load(next).value());
  EXPECT_EQ(status("all", Method::get, "/metrics"), 401);
  EXPECT_EQ(status("new", Method::get, "/metrics"), 200);
}

TEST(AccessWithoutTokens, everything_is_open_and_writes_are_recorded) {
  test::FakeClock clock;
  kv::MemoryStore store{kv::Limits{}, clock};
  RouterDriver admin{store};
  EXPECT_EQ(admin.send(with("anything", Method::put, "/admin/kv/p/k", "x")).status, 200);
  EXPECT_EQ(
      admin.log.count("admin: audit: anybody from 192.0.2.7:4711: PUT /admin/kv/p/k, 1 bytes: "
                      "200"),
      1U);
}

}  // namespace
}  // namespace helios::admin
