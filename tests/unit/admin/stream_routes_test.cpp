// SPDX-License-Identifier: Apache-2.0
//
// /admin/streams: lists, pages of records in both forms, and what is refused.

#include "base/base64.hpp"
#include "base/rfc3339.hpp"
#include "kv/memory_store.hpp"
#include "support/append_record.hpp"
#include "support/stream_chain.hpp"
#include "unit/admin/router_fixture.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace helios::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

class StreamRoutesTest : public ::testing::Test {
 protected:
  void append(std::string_view bytes, std::string_view stream = "trail") {
    test::append_record(store, "p", stream, bytes);
  }

  std::string page(const std::string& query = {}) {
    return admin.get("/admin/streams/p/trail" + query).body;
  }

  std::string lines(const std::string& query = {}) {
    Request wanted = request(Method::get, "/admin/streams/p/trail" + query);
    wanted.accept = "application/x-ndjson";
    return admin.send(std::move(wanted)).body;
  }

  std::string digest(std::size_t record) {
    const auto all = store.read_stream(**store.open("p"), "trail", {});
    return base::to_hex(all->records.at(record - 1).digest);
  }

  test::FakeClock clock;
  kv::MemoryStore store{kv::Limits{}, clock};
  RouterDriver admin{store};
};

TEST_F(StreamRoutesTest, list_shows_how_far_each_stream_has_come) {
  append("hello");
  clock.advance_ms(7);
  append("x", "b");
  append("y", "b");
  const Response list = admin.get("/admin/streams/p");
  EXPECT_EQ(list.status, 200);
  EXPECT_EQ(
      list.body,
      R"({"plugin":"p","streams":[)"
      R"({"stream":"b","first":1,"next":3,"bytes":194,"last_time":"2024-01-01T00:00:00.007Z"},)"
      R"({"stream":"trail","first":1,"next":2,"bytes":101,"last_time":"2024-01-01T00:00:00.000Z"}]})");
  EXPECT_EQ(admin.get("/admin/streams/p/").body, list.body);
  EXPECT_EQ(admin.get("/admin/streams/helios_plugin_p").body, list.body);
  store.open("bare").value();
  EXPECT_EQ(admin.get("/admin/streams/bare").body, R"({"plugin":"bare","streams":[]})");
}

TEST_F(StreamRoutesTest, page_has_the_records_and_what_the_first_of_them_follows) {
  append("hello");
  clock.advance_ms(1);
  append("\xFF\x01");
  EXPECT_EQ(page(),
            R"({"plugin":"p","stream":"trail","first":1,"next":3,"bytes":199,)"
            R"("last_time":"2024-01-01T00:00:00.001Z","before":")" +
                base::to_hex(kv::first_digest("p", "trail")) +
                R"(","records":[{"number":1,"time":"2024-01-01T00:00:00.000Z","digest":")" +
                digest(1) +
                R"(","value":"hello"},{"number":2,"time":"2024-01-01T00:00:00.001Z","digest":")" +
                digest(2) + R"(","value_base64":"/wE="}],"next_from":3})");
  EXPECT_THAT(page("?from=2"),
              HasSubstr(R"("before":")" + digest(1) + R"(","records":[{"number":2)"));
}

TEST_F(StreamRoutesTest, lines_have_one_record_each_and_nothing_else) {
  EXPECT_EQ(admin.get("/admin/streams/p").status, 404);
  append("one\ntwo");
  append("");
  EXPECT_EQ(lines(), R"({"number":1,"time":"2024-01-01T00:00:00.000Z","digest":")" + digest(1) +
                         R"(","value":"one\ntwo"})" +
                         "\n"
                         R"({"number":2,"time":"2024-01-01T00:00:00.000Z","digest":")" +
                         digest(2) + R"(","value":""})" + "\n");
  EXPECT_EQ(lines("?from=3"), "");
}

TEST_F(StreamRoutesTest, range_is_as_it_was_asked_for) {
  for (int n = 0; n < 150; ++n) {
    append(std::to_string(n));
    clock.advance_ms(1000);
  }
  EXPECT_EQ(std::ranges::count(lines(), '\n'), 100) << "the default";
  EXPECT_EQ(std::ranges::count(lines("?limit=10000"), '\n'), 150);
  EXPECT_THAT(page("?from=149&limit=1"), HasSubstr(R"("value":"148"}],"next_from":150})"));
  EXPECT_THAT(page("?since=2024-01-01T00:02:28.5Z"), HasSubstr(R"("records":[{"number":150)"));
  EXPECT_THAT(page("?from=150&since=2024-01-01T00:00:00Z"), HasSubstr(R"([{"number":150)"));
  EXPECT_EQ(std::ranges::count(lines("?max_bytes=3"), '\n'), 3);
  EXPECT_EQ(std::ranges::count(lines("?from=100&max_bytes=1"), '\n'), 1) << "the first one always";
}

TEST_F(StreamRoutesTest, page_behind_the_end_says_where_to_go_on) {
  append("x");
  EXPECT_THAT(page("?from=2"), HasSubstr(R"("records":[],"next_from":2})"));
  EXPECT_THAT(page("?from=9"), HasSubstr(R"("records":[],"next_from":9})"));
  EXPECT_THAT(page("?since=2030-01-01T00:00:00Z"), HasSubstr(R"("records":[],"next_from":2})"));
  EXPECT_THAT(page("?from=2"), Not(HasSubstr("before")));
}

TEST_F(StreamRoutesTest, ring_tells_what_has_made_room) {
  store.set_limits({.max_ring_bytes = 2 * kv::record_bytes(1)});
  for (const char* bytes : {"a", "b", "c"}) append(bytes);
  EXPECT_THAT(page(), HasSubstr(R"("first":2,"next":4,)"));
  EXPECT_THAT(page(), HasSubstr(R"("records":[{"number":2,)"));
}

TEST_F(StreamRoutesTest, what_is_not_there_is_404) {
  EXPECT_EQ(admin.get("/admin/streams/p").body, R"({"error":"namespace not found"})");
  EXPECT_EQ(admin.get("/admin/streams/p/trail").status, 404);
  EXPECT_EQ(store.find("p"), nullptr) << "asking makes none";
  append("x", "other");
  const Response none = admin.get("/admin/streams/p/trail");
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.body, R"({"error":"stream not found"})");
}

TEST_F(StreamRoutesTest, nobody_changes_or_removes_a_record) {
  append("x");
  for (const Method method : {Method::put, Method::post, Method::del, Method::other}) {
    for (const char* target : {"/admin/streams/p/trail", "/admin/streams/p"}) {
      const Response refused = admin.send(method, target, "y");
      EXPECT_EQ(refused.status, 405);
      EXPECT_EQ(header_of(refused, "Allow"), "GET, HEAD");
      EXPECT_THAT(refused.body, HasSubstr("nothing changes or removes them"));
    }
  }
  EXPECT_THAT(page(), HasSubstr(R"("first":1,"next":2,)"));
}

TEST_F(StreamRoutesTest, wrong_requests_are_explained) {
  append("x");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"/admin/streams", "expected /admin/streams/<plugin>/<stream>"},
      {"/admin/streams/", "expected /admin/streams/<plugin>/<stream>"},
      {"/admin/streams/p/.x", "no stream can have that name"},
      {"/admin/streams/p/trail/x", "no stream can have that name"},
      {"/admin/streams/p/%2", "percent"},
      {"/admin/streams/p?limit=1", "a list of streams takes no query parameters"},
      {"/admin/streams/p/trail?limit=0", "limit must be a whole number from 1 to 10000"},
      {"/admin/streams/p/trail?limit=10001", "limit must be a whole number from 1 to 10000"},
      {"/admin/streams/p/trail?max_bytes=16777217", "from 1 to 16777216"},
      {"/admin/streams/p/trail?from=0", "from must be a whole number from 1 to"},
      {"/admin/streams/p/trail?from=-1", "from must be"},
      {"/admin/streams/p/trail?from=1x", "from must be"},
      {"/admin/streams/p/trail?since=yesterday", "since: expected a time such as"},
      {"/admin/streams/p/trail?after=1", "unknown query parameter: after"},
      {"/admin/streams/p/trail?from=1&from=2", "repeated query parameter: from"},
  };
  for (const auto& [target, text] : cases) {
    const Response refused = admin.get(target);
    EXPECT_EQ(refused.status, 400) << target;
    EXPECT_THAT(refused.body, HasSubstr(text)) << target;
  }
  EXPECT_EQ(admin.get("/admin/streamsp").status, 404);
}

TEST_F(StreamRoutesTest, reading_never_runs_where_the_request_came) {
  append("x");
  const auto exchange = admin.start(request(Method::get, "/admin/streams/p/trail"));
  EXPECT_EQ(exchange->answers, 0);
  EXPECT_EQ(admin.control.reads.run_all(), 1U);
  EXPECT_EQ(exchange->answers, 0) << "the answer is given at home";
  admin.home->run_all();
  ASSERT_EQ(exchange->answers, 1);
  EXPECT_EQ(exchange->response->status, 200);
}

// Whatever the bounds of its pages, a reader gets every record once, and each page says what it follows.
TEST_F(StreamRoutesTest, pages_of_any_size_are_the_whole_chain) {
  std::mt19937 random(11);
  const auto any = [&](unsigned max) { return std::uniform_int_distribution(1U, max)(random); };
  for (unsigned n = 0; n < 300; ++n) {
    std::string bytes(any(400) - 1, '\0');
    for (char& c : bytes) c = static_cast<char>(any(256) - 1);
    append(bytes);
    clock.advance_ms(any(3) - 1);
  }
  const auto all = store.read_stream(**store.open("p"), "trail", {});
  for (int round = 0; round < 5; ++round) {
    std::size_t read = 0;
    std::string last = base::to_hex(kv::first_digest("p", "trail"));
    while (read < all->records.size()) {
      const auto body = boost::json::parse(page("?from=" + std::to_string(read + 1) +
                                                "&limit=" + std::to_string(any(20)) +
                                                "&max_bytes=" + std::to_string(any(3000))))
                            .as_object();
      EXPECT_EQ(body.at("before").as_string(), last);
      for (const auto& item : body.at("records").as_array()) {
        const auto& object = item.as_object();
        const kv::StreamRecord& record = all->records.at(read++);
        const boost::json::value* text = object.if_contains("value");
        const std::string bytes =
            text != nullptr ? std::string(text->as_string())
                            : base::base64_decode(object.at("value_base64").as_string()).value();
        ASSERT_EQ(bytes, record.bytes);
        ASSERT_EQ(object.at("time").as_string(), base::to_rfc3339(record.time_ms));
        last = object.at("digest").as_string();
      }
      ASSERT_EQ(body.at("next_from").to_number<std::size_t>(), read + 1);
    }
  }
}

}  // namespace
}  // namespace helios::admin
