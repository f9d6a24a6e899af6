// SPDX-License-Identifier: Apache-2.0
//
// /blocks: what is asked of the process, and how its answers, and bad requests, look from outside.

#include "kv/memory_store.hpp"
#include "kv/namespace_name.hpp"
#include "unit/admin/router_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

class Blocks : public testing::Test {
 protected:
  // The answer, when the process has said `outcome`.
  Response answer(const std::shared_ptr<Exchange>& exchange,
                  base::Result<BlockOutcome> outcome = BlockOutcome{}) {
    EXPECT_EQ(admin_.control.on_blocked.size(), 1U);
    EXPECT_EQ(exchange->answers, 0);
    admin_.control.on_blocked.at(0)(std::move(outcome));
    admin_.control.on_blocked.clear();
    admin_.home->run_all();
    return exchange->response.value_or(Response());
  }

  test::FakeClock clock_;
  kv::MemoryStore store_{kv::Limits{}, clock_};
  RouterDriver admin_{store_};
};

TEST_F(Blocks, put_blocks_and_says_what_came_of_it) {
  const auto exchange = admin_.start(request(Method::put, "/blocks/agent/a%2Fb%3F/c%00%ff",
                                             R"({"reason":"runs wild","for_seconds":60})"));
  ASSERT_EQ(admin_.control.blocked.size(), 1U);
  const BlockRequest& asked = admin_.control.blocked[0];
  EXPECT_EQ(asked.kind, blocks::Kind::agent);
  EXPECT_EQ(asked.name, std::string("a/b?/c\0\xff", 8));
  EXPECT_EQ(asked.reason, "runs wild");
  EXPECT_EQ(asked.for_ms, 60'000);
  const Response response =
      answer(exchange, BlockOutcome{.sessions_ended = 3, .is_kept = true, .warning = {}});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"ok":true,"sessions_ended":3,"kept":true})");
}

TEST_F(Blocks, without_a_time_it_stays) {
  for (const char* body : {R"({"reason":"x"})", R"({"reason":"x","for_seconds":null})"}) {
    const auto exchange = admin_.start(request(Method::put, "/blocks/user/ann", body));
    ASSERT_FALSE(admin_.control.blocked.empty());
    EXPECT_EQ(admin_.control.blocked.back().for_ms, std::nullopt);
    EXPECT_THAT(answer(exchange).body, HasSubstr(R"("kept":false)"));
  }
}

TEST_F(Blocks, delete_takes_a_block_away) {
  const auto exchange = admin_.start(request(Method::del, "/blocks/tenant/acme"));
  EXPECT_EQ(admin_.control.unblocked.at(0), std::pair(blocks::Kind::tenant, std::string("acme")));
  EXPECT_EQ(answer(exchange).status, 200);
  const auto again = admin_.start(request(Method::del, "/blocks/tenant/acme"));
  EXPECT_EQ(answer(again, base::fail(base::Errc::not_found, "not blocked")).status, 404);
}

TEST_F(Blocks, errors_say_whose_fault_it_is) {
  for (const auto& [code, status] :
       {std::pair(base::Errc::invalid, 400), std::pair(base::Errc::limit_exceeded, 507),
        std::pair(base::Errc::unavailable, 503)}) {
    const auto exchange = admin_.start(request(Method::put, "/blocks/user/a", R"({"reason":"x"})"));
    EXPECT_EQ(answer(exchange, base::fail(code, "why")).status, status);
  }
}

TEST_F(Blocks, bad_requests_reach_nobody) {
  const std::string fine = R"({"reason":"x"})";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"/blocks/users/ann", fine},
      {"/blocks/user", fine},
      {"/blocks/user/a%zz", fine},
      {"/blocks/user/a?b", fine},
      {"/blocks/user/ann", ""},
      {"/blocks/user/ann", "[]"},
      {"/blocks/user/ann", R"({"reason":7})"},
      {"/blocks/user/ann", R"({"reason":"x","for":"2h"})"},
      {"/blocks/user/ann", R"({"reason":"x","for_seconds":0})"},
      {"/blocks/user/ann", R"({"reason":"x","for_seconds":"7"})"},
      {"/blocks/user/ann", R"({"reason":"x","for_seconds":315360001})"}};
  for (const auto& [target, body] : cases) {
    const Response response = admin_.put(target, body);
    EXPECT_EQ(response.status, 400) << target << ' ' << body;
    EXPECT_THAT(response.body, HasSubstr("\"error\""));
  }
  EXPECT_TRUE(admin_.control.blocked.empty());
  EXPECT_EQ(admin_.send(Method::post, "/blocks/user/ann", fine).status, 405);
  EXPECT_EQ(header_of(admin_.get("/blocks/user/ann"), "Allow"), "PUT, DELETE");
}

TEST_F(Blocks, list_has_every_name_in_a_form_that_json_can_hold) {
  admin_.control.block_list = {
      {.kind = blocks::Kind::user, .name = "ann", .reason = "why", .since_ms = 0, .is_kept = true},
      {.kind = blocks::Kind::agent,
       .name = "\xff",
       .reason = "why",
       .since_ms = 0,
       .expires_at_ms = 1000}};
  EXPECT_EQ(
      admin_.get("/blocks").body,
      R"({"blocks":[{"kind":"user","name":"ann","reason":"why","since":"1970-01-01T00:00:00.000Z",)"
      R"("expires_at":null,"kept":true},{"kind":"agent","name_percent_encoded":"%FF","reason":"why",)"
      R"("since":"1970-01-01T00:00:00.000Z","expires_at":"1970-01-01T00:00:01.000Z","kept":false}]})");
}

// Names of namespaces are those of plugins; the proxy's own is none.
TEST_F(Blocks, namespace_of_the_proxy_is_out_of_reach) {
  ASSERT_TRUE(store_.open(kv::kProxyNamespace));
  EXPECT_THAT(admin_.get("/admin/state").body, Not(HasSubstr(".proxy")));
  EXPECT_EQ(admin_.get("/admin/kv/.proxy/").status, 400);
  EXPECT_EQ(admin_.put("/admin/kv/.proxy/block:user:ann", "1 x").status, 400);
  EXPECT_EQ(admin_.get("/admin/streams/.proxy").status, 400);
}

}  // namespace
}  // namespace helios::admin
