// SPDX-License-Identifier: Apache-2.0
//
// A reader that stops stops the writer at the other end: what the proxy holds for it stays bounded,
// and when it goes on, every byte arrives in its order.

#include "unit/net/proxy_fixture.hpp"

#include <gtest/gtest.h>

namespace helios::net {
namespace {

// What kernels may hold for one connection on each leg, generously; buffers grow to some megabytes.
constexpr std::size_t kKernelBytes = 64U << 20;
constexpr std::size_t kFlood = 256U << 20;

// Sends copies of `unit` until the kernel takes nothing for a while, or `limit` bytes are gone.
// Returns how many bytes went.
std::size_t flood(int fd, const std::string& unit, std::size_t limit) {
  std::size_t sent = 0;
  timeval patience{0, 300'000};
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  while (sent < limit) {
    const auto offset = sent % unit.size();
    const auto part = ::send(fd, unit.data() + offset, unit.size() - offset, MSG_NOSIGNAL);
    if (part <= 0) {
      break;
    }
    sent += static_cast<std::size_t>(part);
  }
  return sent;
}

// Reads `count` bytes and checks that they are copies of `unit`.
void expect_copies(int fd, const std::string& unit, std::size_t count) {
  std::size_t got = 0;
  std::string chunk(1U << 20, '\0');
  while (got < count) {
    const auto part = ::recv(fd, chunk.data(), std::min(chunk.size(), count - got), 0);
    ASSERT_GT(part, 0);
    for (std::size_t i = 0; i < static_cast<std::size_t>(part);) {
      const auto offset = (got + i) % unit.size();
      const auto length = std::min(unit.size() - offset, static_cast<std::size_t>(part) - i);
      ASSERT_EQ(std::string_view(chunk).substr(i, length),
                std::string_view(unit).substr(offset, length));
      i += length;
    }
    got += static_cast<std::size_t>(part);
  }
}

std::string data_row() {
  std::string value;
  for (int i = 0; i < 10'000; ++i) {
    value += std::to_string(i);
  }
  return message('d', value);
}

TEST_P(ProxyFixture, client_that_stops_reading_stops_the_server) {
  start_proxy();
  const auto session = open_session(1);
  send_all(session.client.get(), query("COPY t TO STDOUT"));
  receive_message(session.server.get());
  const auto unit = data_row();
  const auto sent = flood(session.server.get(), unit, kFlood);
  EXPECT_LT(sent, kKernelBytes);
  const auto inside = total(&WorkerStats::bytes_from_servers);
  EXPECT_LE(total(&WorkerStats::bytes_to_clients), inside);
  expect_copies(session.client.get(), unit, sent);
}

TEST_P(ProxyFixture, server_that_stops_reading_stops_the_client) {
  start_proxy();
  const auto session = open_session(1);
  const auto unit = query(std::string(100'000, 'x'));
  const auto sent = flood(session.client.get(), unit, kFlood);
  EXPECT_LT(sent, kKernelBytes);
  // Messages that are cut at this point wait in the proxy for their rest.
  expect_copies(session.server.get(), unit, sent / unit.size() * unit.size());
}

TEST_P(ProxyFixture, client_that_sends_without_reading_is_stopped_too) {
  // Every wrong message would be an answer; here the server answers, and the client reads nothing.
  start_proxy();
  const auto session = open_session(1);
  const auto notice = message('N', std::string_view("SNOTICE\0VNOTICE\0C00000\0Mm\0\0", 27));
  const auto sent = flood(session.server.get(), notice, kFlood);
  EXPECT_LT(sent, kKernelBytes);
  const auto asked = flood(session.client.get(), query(std::string(100'000, 'x')), kFlood);
  EXPECT_LT(asked, kKernelBytes);
  expect_copies(session.client.get(), notice, sent / notice.size() * notice.size());
}

TEST_P(ProxyFixture, stopped_session_does_not_hold_up_its_neighbour) {
  worker_count_ = 1;
  start_proxy();
  const auto stopped = open_session(1);
  const auto lively = open_session(2);
  flood(stopped.server.get(), data_row(), kFlood);
  for (int i = 0; i < 100; ++i) {
    send_all(lively.client.get(), query("SELECT 1"));
    EXPECT_EQ(receive_message(lively.server.get()), query("SELECT 1"));
    send_all(lively.server.get(), message('Z', "I"));
    EXPECT_EQ(receive_message(lively.client.get()), message('Z', "I"));
  }
}

}  // namespace
}  // namespace helios::net
