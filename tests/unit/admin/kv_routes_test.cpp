// SPDX-License-Identifier: Apache-2.0
// /admin/kv on the in-memory store: every status code, exact bodies, keys and values of any bytes.

#include "admin/kv_listing.hpp"
#include "kv/memory_store.hpp"
#include "kv/transaction.hpp"
#include "unit/admin/router_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

namespace helios::admin {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

class KvRoutesTest : public ::testing::Test {
 protected:
  explicit KvRoutesTest(const kv::Limits& limits = {}) : store(limits, clock), admin(store) {}

  // GET /admin/kv/p/key with that Accept header.
  Response get_as(std::string accept) {
    Request get = request(Method::get, "/admin/kv/p/key");
    get.accept = std::move(accept);
    return admin.send(std::move(get));
  }

  test::FakeClock clock;
  kv::MemoryStore store;
  RouterDriver admin;
};

std::string every_byte() {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  return bytes;
}

TEST_F(KvRoutesTest, value_that_was_put_is_found) {
  const Response put = admin.put("/admin/kv/cost-governor/tenant:acme:budget",
                                 R"({"minute":1.0,"hour":10.0,"day":100.0})");
  EXPECT_EQ(put.status, 200);
  EXPECT_EQ(put.content_type, "application/json");
  EXPECT_EQ(put.body, R"({"ok":true})");

  const Response get = admin.get("/admin/kv/cost-governor/tenant:acme:budget");
  EXPECT_EQ(get.status, 200);
  EXPECT_EQ(get.content_type, "application/json");
  EXPECT_EQ(get.body, R"({"plugin":"cost-governor","key":"tenant:acme:budget",)"
                      R"("value":"{\"minute\":1.0,\"hour\":10.0,\"day\":100.0}"})");
}

TEST_F(KvRoutesTest, missing_key_or_namespace_is_404_and_makes_nothing) {
  const Response get = admin.get("/admin/kv/ghost/key");
  EXPECT_EQ(get.status, 404);
  EXPECT_EQ(get.body, R"({"error":"key not found"})");
  EXPECT_EQ(admin.del("/admin/kv/ghost/key").status, 200);
  EXPECT_EQ(admin.get("/admin/kv/ghost/").body, R"({"plugin":"ghost","keys":[]})");
  EXPECT_TRUE(store.namespaces().empty());

  admin.put("/admin/kv/ghost/other", "x");
  EXPECT_EQ(admin.get("/admin/kv/ghost/key").status, 404);
}

TEST_F(KvRoutesTest, every_spelling_of_a_plugin_is_one_namespace) {
  admin.put("/admin/kv/helios_plugin_cost_governor/a", "1");
  admin.put("/admin/kv/helios-plugin-cost-governor/b", "2");
  EXPECT_EQ(admin.get("/admin/kv/cost-governor/a").body,
            R"({"plugin":"cost-governor","key":"a","value":"1"})");
  EXPECT_EQ(admin.get("/admin/kv/helios_plugin_cost_governor/b").body,
            R"({"plugin":"cost-governor","key":"b","value":"2"})");
  EXPECT_EQ(store.namespaces().size(), 1U);
}

TEST_F(KvRoutesTest, delete_is_idempotent) {
  admin.put("/admin/kv/p/key", "x");
  EXPECT_EQ(admin.del("/admin/kv/p/key").body, R"({"ok":true})");
  EXPECT_EQ(admin.get("/admin/kv/p/key").status, 404);
  EXPECT_EQ(admin.del("/admin/kv/p/key").body, R"({"ok":true})");
}

TEST_F(KvRoutesTest, put_replaces) {
  admin.put("/admin/kv/p/key", "long value");
  admin.put("/admin/kv/p/key", "");
  EXPECT_EQ(admin.get("/admin/kv/p/key").body, R"({"plugin":"p","key":"key","value":""})");
}

TEST_F(KvRoutesTest, encoded_and_raw_key_are_the_same) {
  admin.put("/admin/kv/p/tenant%3Aacme%2Fx", "1");
  EXPECT_EQ(admin.get("/admin/kv/p/tenant:acme/x").body,
            R"({"plugin":"p","key":"tenant:acme/x","value":"1"})");
  admin.put("/admin/kv/p/what%3F", "2");
  EXPECT_EQ(admin.get("/admin/kv/p/what%3F").body, R"({"plugin":"p","key":"what?","value":"2"})");
  admin.put("/admin/kv/p//leading", "3");
  EXPECT_EQ(admin.get("/admin/kv/p/%2Fleading").body,
            R"({"plugin":"p","key":"/leading","value":"3"})");
}

TEST_F(KvRoutesTest, key_with_nul_or_utf8_is_kept) {
  admin.put("/admin/kv/p/a%00b", "nul");
  EXPECT_EQ(admin.get("/admin/kv/p/a%00b").body,
            R"({"plugin":"p","key":"a\u0000b","value":"nul"})");
  EXPECT_EQ(admin.get("/admin/kv/p/a").status, 404);
  admin.put("/admin/kv/p/%C3%A9", "e");
  EXPECT_EQ(admin.get("/admin/kv/p/é").body, R"({"plugin":"p","key":"é","value":"e"})");
}

TEST_F(KvRoutesTest, key_that_is_not_utf8_comes_back_encoded_under_another_name) {
  admin.put("/admin/kv/p/%FFx", "1");
  EXPECT_EQ(admin.get("/admin/kv/p/%FFx").body,
            R"({"plugin":"p","key_percent_encoded":"%FFx","value":"1"})");
}

TEST_F(KvRoutesTest, value_that_is_not_utf8_comes_back_as_base64) {
  admin.put("/admin/kv/p/key", "\xFF\x00\x80"s);
  EXPECT_EQ(admin.get("/admin/kv/p/key").body,
            R"({"plugin":"p","key":"key","value_base64":"/wCA"})");
  admin.put("/admin/kv/p/key", "\xFE"s);
  EXPECT_EQ(admin.get("/admin/kv/p/key").body,
            R"({"plugin":"p","key":"key","value_base64":"/g=="})");
  admin.put("/admin/kv/p/key", "\xFE\xFF"s);
  EXPECT_EQ(admin.get("/admin/kv/p/key").body,
            R"({"plugin":"p","key":"key","value_base64":"/v8="})");
}

TEST_F(KvRoutesTest, counter_is_shown_as_a_number_beside_its_bytes) {
  admin.put("/admin/kv/p/key", "\x05\0\0\0\0\0\0\0"s);
  EXPECT_EQ(
      admin.get("/admin/kv/p/key").body,
      R"({"plugin":"p","key":"key","value":"\u0005\u0000\u0000\u0000\u0000\u0000\u0000\u0000","counter":5})");
  admin.put("/admin/kv/p/key", "\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s);
  EXPECT_EQ(admin.get("/admin/kv/p/key").body,
            R"({"plugin":"p","key":"key","value_base64":"/v////////8=","counter":-2})");
  EXPECT_THAT(admin.get("/admin/kv/p/?values=true").body, HasSubstr(R"("counter":-2)"));
}

TEST_F(KvRoutesTest, eight_letters_are_no_counter_and_neither_are_seven_bytes) {
  admin.put("/admin/kv/p/key", "12345678"s);
  EXPECT_EQ(admin.get("/admin/kv/p/key").body, R"({"plugin":"p","key":"key","value":"12345678"})");
  admin.put("/admin/kv/p/key", "\x05\0\0\0\0\0\0"s);
  EXPECT_EQ(admin.get("/admin/kv/p/key").body.find("counter"), std::string::npos);
}

TEST_F(KvRoutesTest, raw_value_is_served_byte_for_byte) {
  admin.put("/admin/kv/p/key", every_byte());
  const Response get = get_as("application/octet-stream");
  EXPECT_EQ(get.status, 200);
  EXPECT_EQ(get.content_type, "application/octet-stream");
  EXPECT_EQ(get.body, every_byte());
}

TEST_F(KvRoutesTest, accept_header_decides_the_form) {
  admin.put("/admin/kv/p/key", "v");
  const auto type_for = [&](std::string accept) { return get_as(std::move(accept)).content_type; };
  EXPECT_EQ(type_for(""), "application/json");
  EXPECT_EQ(type_for("*/*"), "application/json");
  EXPECT_EQ(type_for("text/html, application/json;q=0.9"), "application/json");
  EXPECT_EQ(type_for("application/json, application/octet-stream"), "application/json");
  EXPECT_EQ(type_for("text/plain , Application/Octet-Stream;q=1"), "application/octet-stream");
}

TEST_F(KvRoutesTest, missing_key_is_json_even_when_bytes_are_wanted) {
  const Response get = get_as("application/octet-stream");
  EXPECT_EQ(get.status, 404);
  EXPECT_EQ(get.content_type, "application/json");
}

TEST_F(KvRoutesTest, bad_paths_are_400) {
  for (const char* target : {"/admin/kv", "/admin/kv/", "/admin/kv/p", "/admin/kv?x=1"}) {
    const Response response = admin.get(target);
    EXPECT_EQ(response.status, 400) << target;
    EXPECT_EQ(response.body, R"({"error":"expected /admin/kv/<plugin>/<key>"})") << target;
  }
  EXPECT_EQ(admin.get("/admin/kv//key").body, R"({"error":"empty plugin name"})");
  for (const char* target : {"/admin/kv/p/%", "/admin/kv/p/%zz", "/admin/kv/p%4/key"}) {
    EXPECT_EQ(admin.get(target).status, 400) << target;
    EXPECT_EQ(admin.put(target, "x").status, 400) << target;
  }
  for (const char* plugin : {"a%2Fb", "a%00b", "..", "%FF", "a%20b"})
    EXPECT_EQ(admin.put("/admin/kv/"s + plugin + "/key", "x").status, 400) << plugin;
  EXPECT_EQ(admin.get("/admin/kvx").status, 404);
  EXPECT_TRUE(store.namespaces().empty());
}

TEST_F(KvRoutesTest, query_on_a_key_is_refused_instead_of_cutting_the_key) {
  EXPECT_EQ(admin.put("/admin/kv/p/what?now", "x").status, 400);
  EXPECT_EQ(admin.put("/admin/kv/p/key?ttl=5", "x").status, 400);
  EXPECT_EQ(admin.get("/admin/kv/p/key").status, 404);
}

TEST_F(KvRoutesTest, other_methods_are_405_with_allow) {
  const Response key = admin.send(Method::other, "/admin/kv/p/key");
  EXPECT_EQ(key.status, 405);
  EXPECT_EQ(header_of(key, "Allow"), "GET, HEAD, PUT, POST, DELETE");
  for (const Method method : {Method::put, Method::post, Method::other}) {
    const Response list = admin.send(method, "/admin/kv/p/");
    EXPECT_EQ(list.status, 405);
    EXPECT_EQ(header_of(list, "Allow"), "GET, HEAD, DELETE");
  }
}

TEST_F(KvRoutesTest, head_is_answered_like_get) {
  admin.put("/admin/kv/p/key", "x");
  EXPECT_EQ(admin.send(Method::head, "/admin/kv/p/key").status, 200);
  EXPECT_EQ(admin.send(Method::head, "/admin/kv/p/none").status, 404);
  EXPECT_EQ(admin.send(Method::head, "/admin/kv/p/").status, 200);
}

TEST_F(KvRoutesTest, list_is_sorted_and_filtered_by_prefix) {
  for (const char* key : {"b", "a:2", "a:10", "a:1", "A", "c"})
    admin.put("/admin/kv/p/"s + key, "x");
  EXPECT_EQ(admin.get("/admin/kv/p/").body,
            R"({"plugin":"p","keys":["A","a:1","a:10","a:2","b","c"]})");
  EXPECT_EQ(admin.get("/admin/kv/p/?prefix=a:").body,
            R"({"plugin":"p","keys":["a:1","a:10","a:2"]})");
  EXPECT_EQ(admin.get("/admin/kv/p/?prefix=a%3A1").body, R"({"plugin":"p","keys":["a:1","a:10"]})");
  EXPECT_EQ(admin.get("/admin/kv/p/?prefix=zzz").body, R"({"plugin":"p","keys":[]})");
}

TEST_F(KvRoutesTest, list_follows_next_to_the_end) {
  std::set<std::string> expected;
  for (int i = 0; i < 25; ++i) {
    const std::string key = "k%26 "s + std::to_string(i);  // "k& 7" when decoded
    admin.put("/admin/kv/p/" + key, "x");
    expected.insert("\"k& " + std::to_string(i) + '"');
  }
  std::set<std::string> found;
  std::string target = "/admin/kv/p/?prefix=k%26&limit=10";
  int pages = 0;
  while (!target.empty()) {
    const std::string body = admin.get(target).body;
    ++pages;
    for (const std::string& key : expected) {
      if (body.find(key + ",") != std::string::npos || body.find(key + "]") != std::string::npos) {
        EXPECT_TRUE(found.insert(key).second) << key << " is on two pages";
      }
    }
    const auto next = body.find("\"next\":\"");
    target = next == std::string::npos ? "" : body.substr(next + 8, body.rfind('"') - next - 8);
  }
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(found, expected);
}

TEST_F(KvRoutesTest, list_that_just_fits_has_no_next) {
  for (const char* key : {"a", "b"}) admin.put("/admin/kv/p/"s + key, "x");
  EXPECT_EQ(admin.get("/admin/kv/p/?limit=2").body, R"({"plugin":"p","keys":["a","b"]})");
  EXPECT_EQ(admin.get("/admin/kv/p/?limit=1").body,
            R"({"plugin":"p","keys":["a"],"next":"/admin/kv/p/?prefix=&after=a&limit=1"})");
  EXPECT_EQ(admin.get("/admin/kv/p/?after=a").body, R"({"plugin":"p","keys":["b"]})");
}

TEST_F(KvRoutesTest, list_shows_keys_that_are_not_utf8_apart) {
  admin.put("/admin/kv/p/text", "x");
  admin.put("/admin/kv/p/%FE%00", "x");
  EXPECT_EQ(admin.get("/admin/kv/p/").body,
            R"({"plugin":"p","keys":["text"],"keys_percent_encoded":["%FE%00"]})");
}

TEST_F(KvRoutesTest, list_of_large_values_is_complete) {
  const std::string value(60 * 1024, 'v');
  for (int i = 100; i < 140; ++i) admin.put("/admin/kv/p/" + std::to_string(i), value);
  const std::string body = admin.get("/admin/kv/p/").body;
  EXPECT_NE(body.find("\"100\""), std::string::npos);
  EXPECT_NE(body.find("\"139\""), std::string::npos);
  EXPECT_EQ(body.find("next"), std::string::npos);
}

TEST_F(KvRoutesTest, page_of_large_keys_is_bounded) {
  for (int i = 100; i < 180; ++i)
    admin.put("/admin/kv/p/" + std::to_string(i) + std::string(60 * 1024, 'k'), "v");
  const Response list = admin.get("/admin/kv/p/");
  EXPECT_LT(list.body.size(), 2 * kMaxListedBytes);
  EXPECT_NE(list.body.find("\"next\":\"/admin/kv/p/?prefix=&after="), std::string::npos);
}

TEST_F(KvRoutesTest, bad_list_parameters_are_400) {
  for (const char* query : {"limit=0", "limit=10001", "limit=-1", "limit=1x", "limit=", "limit= 1",
                            "limit=99999999999999999999", "prefx=a", "prefix=%", "prefix=%G0",
                            "limit=1&limit=2", "prefix=a&prefix=a"})
    EXPECT_EQ(admin.get("/admin/kv/p/?"s + query).status, 400) << query;
}

TEST_F(KvRoutesTest, expired_key_is_absent) {
  kv::Namespace* space = store.open("p").value();
  kv::Transaction transaction(store, *space);
  ASSERT_EQ(transaction.set("key", "x", clock.wall_ms() + 10), kv::WriteStatus::ok);
  ASSERT_EQ(transaction.commit({}), kv::CommitStatus::done);
  EXPECT_EQ(admin.get("/admin/kv/p/key").status, 200);
  clock.advance_ms(10);
  EXPECT_EQ(admin.get("/admin/kv/p/key").status, 404);
}

kv::Limits small_limits() {
  kv::Limits limits;
  limits.max_key_bytes = 16;
  limits.max_value_bytes = 100;
  limits.max_keys_per_namespace = 2;
  limits.max_namespaces = 2;
  limits.max_total_bytes = 3 * (kv::kEntryOverheadBytes + 101);
  return limits;
}

class KvLimitsTest : public KvRoutesTest {
 protected:
  KvLimitsTest() : KvRoutesTest(small_limits()) {}
};

TEST_F(KvLimitsTest, value_over_the_limit_is_413_and_leaves_no_trace) {
  const Response put = admin.put("/admin/kv/p/key", std::string(101, 'x'));
  EXPECT_EQ(put.status, 413);
  EXPECT_EQ(put.body, R"({"error":"kv_max_value_bytes exceeded"})");
  EXPECT_TRUE(store.namespaces().empty());
  EXPECT_EQ(admin.put("/admin/kv/p/key", std::string(100, 'x')).status, 200);
}

TEST_F(KvLimitsTest, key_over_the_limit_is_413_and_leaves_no_trace) {
  EXPECT_EQ(admin.put("/admin/kv/p/" + std::string(17, 'k'), "x").body,
            R"({"error":"kv_max_key_bytes exceeded"})");
  EXPECT_TRUE(store.namespaces().empty());
  EXPECT_EQ(admin.put("/admin/kv/p/" + std::string(17, 'k'), "x").status, 413);
  EXPECT_EQ(admin.get("/admin/kv/p/" + std::string(17, 'k')).status, 404);
  EXPECT_EQ(admin.put("/admin/kv/p/" + std::string(16, 'k'), "x").status, 200);
}

TEST_F(KvLimitsTest, full_namespace_is_507_until_something_goes) {
  admin.put("/admin/kv/p/a", "x");
  admin.put("/admin/kv/p/b", "x");
  const Response put = admin.put("/admin/kv/p/c", "x");
  EXPECT_EQ(put.status, 507);
  EXPECT_EQ(put.body,
            R"({"error":"the namespace is full: its limit of keys or bytes is reached"})");
  EXPECT_EQ(admin.put("/admin/kv/p/a", "y").status, 200);
  admin.del("/admin/kv/p/b");
  EXPECT_EQ(admin.put("/admin/kv/p/c", "x").status, 200);
}

TEST_F(KvLimitsTest, full_store_is_507) {
  const std::string value(100, 'x');
  admin.put("/admin/kv/p/a", value);
  admin.put("/admin/kv/p/b", value);
  admin.put("/admin/kv/q/a", value);
  const Response put = admin.put("/admin/kv/q/b", value);
  EXPECT_EQ(put.status, 507);
  EXPECT_EQ(put.body, R"({"error":"the store is full: its limit of bytes in total is reached"})");
}

TEST_F(KvLimitsTest, one_namespace_too_many_is_507) {
  admin.put("/admin/kv/p/a", "x");
  admin.put("/admin/kv/q/a", "x");
  EXPECT_EQ(admin.put("/admin/kv/r/a", "x").status, 507);
}

}  // namespace
}  // namespace helios::admin
