// SPDX-License-Identifier: Apache-2.0
// Where a body ends, and what is not part of the header: nothing that two readers could read differently
// is taken.

#include "unit/admin/http/admin_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace helios::admin::http {
namespace {

using ::testing::HasSubstr;

TEST_F(AdminServerTest, body_whose_end_is_not_clear_is_refused_and_nothing_is_stored) {
  const std::string put = "PUT /admin/kv/p/framed HTTP/1.1\r\nHost: localhost\r\n";
  const std::string old = "PUT /admin/kv/p/framed HTTP/1.0\r\n";
  const std::string chunks = "1\r\nx\r\n0\r\n\r\n";
  const std::string next = request("PUT /admin/kv/p/framed", "smuggled");
  const std::vector<std::pair<int, std::string>> cases = {
      {501, put + "Transfer-Encoding: gzip\r\n\r\n" + next},
      {501, put + "Transfer-Encoding: identity\r\n\r\n" + next},
      {501, put + "Transfer-Encoding: \r\n\r\n" + next},
      {501, put + "Transfer-Encoding: gzip, chunked\r\n\r\n" + chunks},
      {501, put + "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks},
      {501, put + "Transfer-Encoding: chunked, identity\r\n\r\n" + next},
      {501, put + "Transfer-Encoding: xchunked\r\n\r\n" + next},
      {501, put + "Transfer-Encoding: chunked;a=b\r\n\r\n" + chunks},
      {400, put + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks},
      {400, put + "Transfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"},
      {400, put + "Content-Length: 1\r\nTransfer-Encoding: gzip\r\n\r\nx"},
      {400, old + "Transfer-Encoding: chunked\r\n\r\n" + chunks},
      {400, put + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx"},
      {400, put + "Content-Length: 1, 1\r\n\r\nx"},
      {400, put + "Content-Length: +1\r\n\r\nx"},
      {400, put + "Content-Length:\r\n\r\nx"},
      {400, put + "Content-Length: 1\r\n 1\r\n\r\nx"},
      {400, put + "Content-Length : 1\r\n\r\nx"},
      {400, put + "Transfer-Encoding : chunked\r\n\r\n" + chunks},
      {501, put + "Transfer-Encoding: chunked\r\n gzip\r\n\r\n" + chunks},
  };
  for (const auto& [status, bytes] : cases) {
    RawClient client(port);
    const auto answer = client.ask(bytes);
    ASSERT_TRUE(answer) << bytes;
    EXPECT_EQ(answer->status, status) << bytes;
    client.finish_sending();
    EXPECT_TRUE(client.is_closed_by_server()) << bytes;
    EXPECT_EQ(RawClient(port).ask(request("GET /admin/kv/p/framed"))->status, 404) << bytes;
  }
}

TEST_F(AdminServerTest, coding_is_read_in_any_case) {
  RawClient client(port);
  EXPECT_EQ(client
                .ask("PUT /admin/kv/p/key HTTP/1.1\r\nHost: localhost\r\n"
                     "transfer-encoding: CHUNKED\r\n\r\n1\r\nx\r\n0\r\n\r\n")
                ->status,
            200);
  EXPECT_THAT(client.ask(request("GET /admin/kv/p/key"))->body, HasSubstr("\"value\":\"x\""));
}

TEST_F(AdminServerTest, fields_of_a_trailer_are_no_headers) {
  RawClient client(port);
  ASSERT_EQ(client.ask(request("PUT /admin/kv/p/key", "old"))->status, 200);
  const auto put = [&client](const std::string& headers, const std::string& trailer) {
    return client
        .ask("PUT /admin/kv/p/key HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n" +
             headers + "\r\n3\r\nnew\r\n0\r\n" + trailer + "\r\n")
        ->status;
  };
  EXPECT_EQ(put("If-None-Match: *\r\n", "If-Match: *\r\n"), 412);
  EXPECT_EQ(put("", "If-None-Match: *\r\n"), 200);
  EXPECT_EQ(put("", "Origin: http://attacker.example\r\nHost: attacker.example\r\n"), 200);
  EXPECT_EQ(put("", "Helios-TTL-Ms: not a number\r\n"), 200);
  EXPECT_EQ(put("", "Connection: close\r\n"), 200);
  EXPECT_EQ(client.ask(request("GET /healthz"))->status, 200);
}

}  // namespace
}  // namespace helios::admin::http
