// SPDX-License-Identifier: Apache-2.0
// Conditional writes, expiry, counters, purges and listings with values, on a store that answers at
// once and on one that never does.

#include "kv/memory_store.hpp"
#include "support/pending_store.hpp"
#include "unit/admin/router_fixture.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace helios::admin {
namespace {

using namespace std::string_literals;

struct OnMemory {
  test::FakeClock clock;
  kv::MemoryStore store{kv::Limits{}, clock};
  RouterDriver admin{store};
};

struct OnPending {
  test::FakeClock clock;
  std::shared_ptr<test::ManualExecutor> later = std::make_shared<test::ManualExecutor>();
  test::PendingStore store{kv::Limits{}, clock, *later};
  RouterDriver admin{store, {}};
};

template <typename Environment>
class KvEditsTest : public ::testing::Test {
 protected:
  Response send(Method method, std::string target, std::string body = {},
                std::optional<std::string> if_match = {},
                std::optional<std::string> if_none_match = {}) {
    Request sent = request(method, std::move(target), std::move(body));
    sent.if_match = std::move(if_match);
    sent.if_none_match = std::move(if_none_match);
    return send(std::move(sent));
  }

  Response send(Request sent) {
    const auto exchange = setup.admin.start(std::move(sent));
    if constexpr (requires { setup.later; }) {
      while (setup.later->run_all() + setup.admin.home->run_all() != 0) {
      }
    } else {
      setup.admin.home->run_all();
    }
    EXPECT_EQ(exchange->answers, 1);
    return exchange->response.value_or(Response());
  }

  Response put(std::string target, std::string body) {
    return send(Method::put, std::move(target), std::move(body));
  }
  Response get(std::string target) { return send(Method::get, std::move(target)); }
  Response add(std::string target, std::string by) {
    return send(Method::post, std::move(target), "{\"increment\":" + by + "}");
  }

  Environment setup;
};

using Stores = ::testing::Types<OnMemory, OnPending>;
TYPED_TEST_SUITE(KvEditsTest, Stores);

TYPED_TEST(KvEditsTest, read_has_a_tag_that_changes_with_every_write) {
  this->put("/admin/kv/p/key", "a");
  const std::string first = header_of(this->get("/admin/kv/p/key"), "ETag");
  EXPECT_TRUE(first.starts_with('"') && first.ends_with('"')) << first;
  EXPECT_EQ(header_of(this->get("/admin/kv/p/key"), "ETag"), first);
  this->put("/admin/kv/p/key", "b");
  this->put("/admin/kv/p/key", "a");
  EXPECT_NE(header_of(this->get("/admin/kv/p/key"), "ETag"), first);
}

TYPED_TEST(KvEditsTest, write_with_the_present_tag_passes_and_with_an_old_one_does_not) {
  this->put("/admin/kv/p/key", "a");
  const std::string tag = header_of(this->get("/admin/kv/p/key"), "ETag");
  EXPECT_EQ(this->send(Method::put, "/admin/kv/p/key", "b", tag).status, 200);
  const Response late = this->send(Method::put, "/admin/kv/p/key", "c", tag);
  EXPECT_EQ(late.status, 412);
  EXPECT_EQ(late.body, R"({"error":"the key is not as the request wants it"})");
  EXPECT_EQ(this->send(Method::del, "/admin/kv/p/key", "", tag).status, 412);
  EXPECT_EQ(this->get("/admin/kv/p/key").body, R"({"plugin":"p","key":"key","value":"b"})");
}

TEST(KvEdits, tag_of_an_earlier_start_is_refused_though_the_version_is_the_same) {
  OnMemory before;
  before.admin.put("/admin/kv/p/key", "a");
  const std::string old = header_of(before.admin.get("/admin/kv/p/key"), "ETag");
  OnMemory other;
  RouterDriver after(other.store, {}, 2);
  after.put("/admin/kv/p/key", "b");
  Request late = request(Method::put, "/admin/kv/p/key", "c");
  late.if_match = old;
  EXPECT_EQ(after.send(std::move(late)).status, 412);
  EXPECT_EQ(after.get("/admin/kv/p/key").body, R"({"plugin":"p","key":"key","value":"b"})");
}

TYPED_TEST(KvEditsTest, key_is_made_only_once_with_if_none_match_star) {
  EXPECT_EQ(this->send(Method::put, "/admin/kv/p/key", "a", {}, "*").status, 200);
  EXPECT_EQ(this->send(Method::put, "/admin/kv/p/key", "b", {}, "*").status, 412);
  EXPECT_EQ(this->send(Method::put, "/admin/kv/p/none", "b", "*").status, 412);
  EXPECT_EQ(this->get("/admin/kv/p/none").status, 404);
}

TYPED_TEST(KvEditsTest, condition_on_an_unknown_namespace_makes_none) {
  EXPECT_EQ(this->send(Method::put, "/admin/kv/ghost/key", "a", "*").status, 412);
  EXPECT_EQ(this->send(Method::del, "/admin/kv/ghost/key", "", "\"0000000000000001-1\"").status,
            412);
  EXPECT_TRUE(this->setup.store.namespaces().empty());
}

TYPED_TEST(KvEditsTest, read_of_a_known_version_is_304_without_a_body) {
  this->put("/admin/kv/p/key", "a");
  const std::string tag = header_of(this->get("/admin/kv/p/key"), "ETag");
  const Response again = this->send(Method::get, "/admin/kv/p/key", "", {}, tag);
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(header_of(again, "ETag"), tag);
  EXPECT_EQ(this->send(Method::get, "/admin/kv/p/key", "", "\"0\"").status, 412);
}

TYPED_TEST(KvEditsTest, bad_condition_is_400_and_changes_nothing) {
  EXPECT_EQ(this->send(Method::put, "/admin/kv/p/key", "a", "42").status, 400);
  EXPECT_EQ(this->get("/admin/kv/p/key").status, 404);
}

TYPED_TEST(KvEditsTest, value_with_a_time_to_live_is_gone_after_it) {
  Request put = request(Method::put, "/admin/kv/p/key", "a");
  put.ttl_ms = "5000";
  EXPECT_EQ(this->send(put).status, 200);
  this->setup.clock.advance_ms(4999);
  EXPECT_EQ(this->get("/admin/kv/p/key").status, 200);
  this->setup.clock.advance_ms(1);
  EXPECT_EQ(this->get("/admin/kv/p/key").status, 404);
}

TYPED_TEST(KvEditsTest, time_to_live_that_is_none_is_400) {
  for (const char* ttl : {"0", "-1", "1s", "", "99999999999999999999"}) {
    Request put = request(Method::put, "/admin/kv/p/key", "a");
    put.ttl_ms = ttl;
    EXPECT_EQ(this->send(put).status, 400) << ttl;
  }
}

TYPED_TEST(KvEditsTest, increment_makes_a_counter_and_adds_to_it) {
  EXPECT_EQ(this->add("/admin/kv/p/n", "0").body, R"({"ok":true,"value":0})");
  EXPECT_EQ(this->get("/admin/kv/p/n").status, 404);
  EXPECT_EQ(this->add("/admin/kv/p/n", "5").body, R"({"ok":true,"value":5})");
  EXPECT_EQ(this->add("/admin/kv/p/n", "-7").body, R"({"ok":true,"value":-2})");
  EXPECT_EQ(this->add("/admin/kv/p/n", "0").body, R"({"ok":true,"value":-2})");
  EXPECT_EQ(this->get("/admin/kv/p/n").body,
            R"({"plugin":"p","key":"n","value_base64":"/v////////8=","counter":-2})");
}

TYPED_TEST(KvEditsTest, increment_of_something_else_or_beyond_64_bits_is_409) {
  this->put("/admin/kv/p/text", "seven");
  EXPECT_EQ(this->add("/admin/kv/p/text", "1").status, 409);
  EXPECT_EQ(this->get("/admin/kv/p/text").body, R"({"plugin":"p","key":"text","value":"seven"})");
  this->add("/admin/kv/p/n", "9223372036854775807");
  EXPECT_EQ(this->add("/admin/kv/p/n", "1").status, 409);
}

TYPED_TEST(KvEditsTest, increment_without_a_number_is_400) {
  for (const char* body : {"", "5", "{}", R"({"increment":1.5})", R"({"increment":"1"})",
                           R"({"increment":1,"x":2})", R"({"increment":9223372036854775808})"})
    EXPECT_EQ(this->send(Method::post, "/admin/kv/p/n", body).status, 400) << body;
  EXPECT_EQ(this->get("/admin/kv/p/n").status, 404);
}

TYPED_TEST(KvEditsTest, purge_removes_what_begins_with_the_prefix_in_several_steps) {
  for (int i = 0; i < 1203; ++i) this->put("/admin/kv/p/a:" + std::to_string(i), "x");
  this->put("/admin/kv/p/b", "x");
  EXPECT_EQ(this->send(Method::del, "/admin/kv/p/?prefix=a:").body,
            R"({"ok":true,"deleted":1203})");
  EXPECT_EQ(this->get("/admin/kv/p/").body, R"({"plugin":"p","keys":["b"]})");
  EXPECT_EQ(this->send(Method::del, "/admin/kv/p/?prefix=").body, R"({"ok":true,"deleted":1})");
  EXPECT_EQ(this->send(Method::del, "/admin/kv/ghost/?prefix=").body, R"({"ok":true,"deleted":0})");
}

TYPED_TEST(KvEditsTest, purge_without_a_prefix_is_400) {
  this->put("/admin/kv/p/key", "x");
  for (const char* query : {"", "?limit=5", "?prefix=a&prefix=b", "?prefix=%"})
    EXPECT_EQ(this->send(Method::del, "/admin/kv/p/"s + query).status, 400) << query;
  EXPECT_EQ(this->get("/admin/kv/p/key").status, 200);
}

TYPED_TEST(KvEditsTest, listing_with_values_shows_entries) {
  this->put("/admin/kv/p/a", "1");
  this->put("/admin/kv/p/%FF", "\xFE");
  EXPECT_EQ(this->get("/admin/kv/p/?values=true").body,
            R"({"plugin":"p","entries":[{"key":"a","value":"1","version":1,)"
            R"("etag":"\"0000000000000001-1\""},)"
            R"({"key_percent_encoded":"%FF","value_base64":"/g==","version":2,)"
            R"("etag":"\"0000000000000001-2\""}]})");
  EXPECT_TRUE(this->get("/admin/kv/p/?values=true&limit=1").body.contains("&values=true"));
  EXPECT_EQ(this->get("/admin/kv/p/?values=yes").status, 400);
}

TYPED_TEST(KvEditsTest, state_adds_up) {
  this->put("/admin/kv/p/a", "1");
  this->put("/admin/kv/q/b", "22");
  const std::string body = this->get("/admin/state").body;
  EXPECT_TRUE(body.starts_with(
      R"({"healthy":true,"namespaces":[{"plugin":"p","keys":1,"bytes":130,"stream_bytes":0},)"
      R"({"plugin":"q","keys":1,"bytes":131,"stream_bytes":0}],)"
      R"("total":{"keys":2,"bytes":261,"stream_bytes":0},"limits":{)"))
      << body;
}

}  // namespace
}  // namespace helios::admin
