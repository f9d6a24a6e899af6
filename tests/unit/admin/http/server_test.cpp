// SPDX-License-Identifier: Apache-2.0
// The whole admin interface on a real socket: framing, limits, pipelining, and clients that go away.
// Requests are written as plain text.

#include "admin/replies.hpp"
#include "unit/admin/http/admin_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace helios::admin::http {
namespace {

using ::testing::HasSubstr;
using namespace std::string_literals;

TEST_F(AdminServerTest, value_is_put_and_read_over_one_connection) {
  RawClient client(port);
  const auto put =
      client.ask(request("PUT /admin/kv/cost-governor/tenant:acme:budget", R"({"minute":1.0})"));
  ASSERT_TRUE(put);
  EXPECT_EQ(put->status, 200);
  EXPECT_EQ(put->body, R"({"ok":true})");
  EXPECT_EQ(put->header("Content-Type"), "application/json");
  EXPECT_EQ(put->header("Cache-Control"), "no-store");
  EXPECT_EQ(put->header("X-Content-Type-Options"), "nosniff");

  const auto get = client.ask(request("GET /admin/kv/cost-governor/tenant:acme:budget"));
  ASSERT_TRUE(get);
  EXPECT_EQ(get->body, R"({"plugin":"cost-governor","key":"tenant:acme:budget",)"
                       R"("value":"{\"minute\":1.0}"})");
}

TEST_F(AdminServerTest, binary_value_survives_the_round_trip) {
  std::string value;
  for (int i = 0; i < 60'000; ++i) value += static_cast<char>(i * 31 % 256);
  RawClient client(port);
  ASSERT_EQ(client.ask(request("PUT /admin/kv/p/binary", value))->status, 200);
  const auto get =
      client.ask(request("GET /admin/kv/p/binary", "", "Accept: application/octet-stream\r\n"));
  ASSERT_TRUE(get);
  EXPECT_EQ(get->header("Content-Type"), "application/octet-stream");
  EXPECT_EQ(get->body, value);
}

TEST_F(AdminServerTest, chunked_put_stores_the_whole_value) {
  RawClient client(port);
  const auto put = client.ask(
      "PUT /admin/kv/p/key HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n1;ext=1\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n");
  ASSERT_TRUE(put);
  EXPECT_EQ(put->body, R"({"ok":true})");
  EXPECT_EQ(client.ask(request("GET /admin/kv/p/key"))->body,
            R"({"plugin":"p","key":"key","value":"hello 0123456789"})");
}

TEST_F(AdminServerTest, request_cut_at_every_byte_is_the_same_request) {
  const std::string whole = request("PUT /admin/kv/p/cut", "value");
  for (std::size_t at = 1; at < whole.size(); at += 7) {
    RawClient client(port);
    ASSERT_TRUE(client.send(whole.substr(0, at)));
    const auto put = client.ask(whole.substr(at));
    ASSERT_TRUE(put) << at;
    EXPECT_EQ(put->status, 200) << at;
  }
}

TEST_F(AdminServerTest, head_has_the_length_and_no_body) {
  RawClient client(port);
  client.ask(request("PUT /admin/kv/p/key", "x"));
  ASSERT_TRUE(client.send(request("HEAD /admin/kv/p/key")));
  const auto head = client.read_response(true);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200);
  const auto get = client.ask(request("GET /admin/kv/p/key"));
  ASSERT_TRUE(get) << "a body came after HEAD";
  EXPECT_EQ(head->header("Content-Length"), std::to_string(get->body.size()));
}

TEST_F(AdminServerTest, method_without_a_route_is_405_with_allow) {
  RawClient client(port);
  const auto answer = client.ask(request("PATCH /admin/kv/p/key", "x"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 405);
  EXPECT_EQ(answer->header("Allow"), "GET, HEAD, PUT, POST, DELETE");
  EXPECT_EQ(client.ask(request("NONSENSE /metrics"))->status, 405);
}

TEST_F(AdminServerTest, browser_headers_reach_the_guard) {
  RawClient client(port);
  const std::string foreign = "Origin: https://attacker.example\r\n";
  EXPECT_EQ(client.ask(request("PUT /admin/kv/p/key", "x", foreign))->status, 403);
  EXPECT_EQ(
      client.ask(request("DELETE /admin/kv/p/key", "", "Sec-Fetch-Site: cross-site\r\n"))->status,
      403);
  EXPECT_EQ(client.ask("GET /metrics HTTP/1.1\r\nHost: attacker.example\r\n\r\n")->status, 403);
}

TEST_F(AdminServerTest, expect_continue_is_answered_before_the_body) {
  RawClient client(port);
  ASSERT_TRUE(
      client.send("PUT /admin/kv/p/key HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
                  "Expect: 100-continue\r\n\r\n"));
  const auto interim = client.read_response();
  ASSERT_TRUE(interim);
  EXPECT_EQ(interim->status, 100);
  EXPECT_EQ(client.ask("value")->status, 200);
  EXPECT_EQ(client.ask(request("GET /admin/kv/p/key"))->status, 200);
}

TEST_F(AdminServerTest, body_of_the_limit_reaches_the_handler) {
  RawClient client(port);
  const auto put = client.ask(request("PUT /admin/kv/p/key", std::string(8U << 20, 'x')));
  ASSERT_TRUE(put);
  EXPECT_EQ(put->status, 413);
  EXPECT_EQ(put->body, R"({"error":"kv_max_value_bytes exceeded"})");
  EXPECT_EQ(client.ask(request("GET /healthz"))->status, 200);
}

TEST_F(AdminServerTest, body_one_byte_over_the_limit_is_413_and_the_end) {
  RawClient client(port);
  const auto put = client.ask(request("PUT /admin/kv/p/key", std::string((8U << 20) + 1, 'x')));
  ASSERT_TRUE(put);
  EXPECT_EQ(put->status, 413);
  EXPECT_EQ(put->body, R"({"error":"request body exceeds 8388608 bytes"})");
  EXPECT_EQ(put->header("Connection"), "close");
  client.finish_sending();
  EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(AdminServerTest, announced_body_over_the_limit_is_refused_before_it_is_sent) {
  RawClient client(port);
  const auto put = client.ask(
      "PUT /admin/kv/p/key HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9223372036854775807\r\n"
      "Expect: 100-continue\r\n\r\n");
  ASSERT_TRUE(put);
  EXPECT_EQ(put->status, 413);
}

TEST_F(AdminServerTest, chunked_body_over_the_limit_is_413) {
  RawClient client(port);
  ASSERT_TRUE(client.send(
      "PUT /admin/kv/p/key HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"));
  const std::string chunk = "100000\r\n" + std::string(1U << 20, 'x') + "\r\n";
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(client.send(chunk));
  const auto put = client.read_response();
  ASSERT_TRUE(put);
  EXPECT_EQ(put->status, 413);
}

TEST_F(AdminServerTest, header_bomb_is_431) {
  for (const std::string& bomb : {"X: " + std::string(70'000, 'x'), "X: y\r\n" + [] {
                                    std::string many;
                                    for (int i = 0; i < 10'000; ++i)
                                      many += "A" + std::to_string(i) + ": b\r\n";
                                    return many;
                                  }()}) {
    RawClient client(port);
    const auto answer = client.ask("GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + bomb);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 431);
    EXPECT_EQ(answer->body, R"({"error":"request headers exceed 65536 bytes"})");
  }
  RawClient client(port);
  const auto answer = client.ask("GET /" + std::string(70'000, 'a'));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 431);
}

TEST_F(AdminServerTest, key_as_long_as_the_store_allows_fits_the_request_line) {
  RawClient client(port);
  const std::string key(60 * 1024, 'k');
  EXPECT_EQ(client.ask(request("PUT /admin/kv/p/" + key, "x"))->status, 200);
  EXPECT_EQ(client.ask(request("GET /admin/kv/p/" + key))->status, 200);
}

TEST_F(AdminServerTest, malformed_requests_are_400_and_the_end) {
  for (const char* bytes :
       {"nonsense\r\n\r\n", "GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost localhost\r\n\r\n", "GET /healthz\r\n\r\n",
        "\x16\x03\x01\x02\x01\x01\x01\xfc\x03\x03\r\n\r\n",
        "PUT /admin/kv/p/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1x\r\n\r\nx",
        "PUT /admin/kv/p/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
        "Content-Length: 2\r\n\r\nxx",
        "PUT /admin/kv/p/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "PUT /admin/kv/p/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "PUT /admin/kv/p/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        "Content-Length: 3\r\n\r\n0\r\n\r\n",
        "GET /healthz HTTP/1.1\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: attacker.example\r\n\r\n"}) {
    RawClient client(port);
    const auto answer = client.ask(bytes);
    ASSERT_TRUE(answer) << bytes;
    EXPECT_EQ(answer->status, 400) << bytes;
    EXPECT_THAT(answer->body, HasSubstr("{\"error\":")) << bytes;
    client.finish_sending();
    EXPECT_TRUE(client.is_closed_by_server()) << bytes;
  }
}

TEST_F(AdminServerTest, http_1_0_client_is_served_and_closed) {
  RawClient client(port);
  const auto answer = client.ask("GET /healthz HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->head, HasSubstr("HTTP/1.0 200 OK"));
  client.finish_sending();
  EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(AdminServerTest, connection_close_is_honoured) {
  RawClient client(port);
  EXPECT_EQ(client.ask(request("GET /healthz", "", "Connection: close\r\n"))->status, 200);
  client.finish_sending();
  EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(AdminServerTest, client_that_leaves_in_the_middle_harms_nobody) {
  for (const std::string& half :
       {""s, "GET /hea"s,
        "PUT /admin/kv/p/key HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf"s,
        request("GET /metrics")}) {
    RawClient client(port);
    ASSERT_TRUE(client.send(half));
  }
  RawClient half_closed(port);
  ASSERT_TRUE(half_closed.send("PUT /admin/kv/p/key HTTP/1.1\r\nHost: localhost\r\nContent-Le"));
  half_closed.finish_sending();
  EXPECT_TRUE(half_closed.is_closed_by_server());

  RawClient client(port);
  EXPECT_EQ(client.ask(request("GET /admin/kv/p/key"))->status, 404);
}

TEST_F(AdminServerTest, half_closed_client_still_gets_its_answer) {
  RawClient client(port);
  ASSERT_TRUE(client.send(request("GET /version")));
  client.finish_sending();
  const auto answer = client.read_response();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(AdminServerTest, pipelined_requests_are_answered_in_order) {
  RawClient client(port);
  std::string burst;
  for (int i = 0; i < 200; ++i)
    burst += request("PUT /admin/kv/p/key" + std::to_string(i), std::to_string(i)) +
             request("GET /admin/kv/p/key" + std::to_string(i));
  ASSERT_TRUE(client.send(burst));
  for (int i = 0; i < 200; ++i) {
    const auto put = client.read_response();
    ASSERT_TRUE(put);
    EXPECT_EQ(put->body, R"({"ok":true})");
    const auto get = client.read_response();
    ASSERT_TRUE(get);
    EXPECT_THAT(get->body, HasSubstr("\"value\":\"" + std::to_string(i) + '"'));
  }
}

TEST_F(AdminServerTest, commit_that_waits_holds_up_its_own_connection_only) {
  kv::Namespace* space = store.open("p").value();
  std::unique_ptr<kv::Exclusivity> held;
  store.request_exclusive(*space, [&](auto granted) { held = std::move(granted); });
  ASSERT_TRUE(held);

  RawClient writer(port);
  ASSERT_TRUE(writer.send(request("PUT /admin/kv/p/key", "x") + request("GET /version")));
  RawClient reader(port);
  EXPECT_EQ(reader.ask(request("GET /admin/kv/p/key"))->status, 404);
  held.reset();
  EXPECT_EQ(writer.read_response()->body, R"({"ok":true})");
  EXPECT_THAT(writer.read_response()->body, HasSubstr("version"));
}

}  // namespace
}  // namespace helios::admin::http
