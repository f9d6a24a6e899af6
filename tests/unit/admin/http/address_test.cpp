// SPDX-License-Identifier: Apache-2.0
// Where the server listens: reported ports, busy and missing addresses, loopback only.

#include "admin/http/server.hpp"
#include "admin/replies.hpp"
#include "support/capture_log.hpp"
#include "unit/admin/http/raw_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <sched.h>

namespace helios::admin::http {
namespace {

using ::testing::HasSubstr;

void answer_ok(Request, Responder respond) { respond(ok_reply()); }

config::Admin configured(std::vector<config::Address> addresses) {
  config::Admin admin;
  admin.addresses = std::move(addresses);
  admin.is_default = false;
  return admin;
}

config::Admin by_default(std::vector<config::Address> addresses) {
  config::Admin admin = configured(std::move(addresses));
  admin.is_default = true;
  return admin;
}

constexpr std::string_view kHealth = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

TEST(ServerAddress, every_address_is_served_and_reported_with_its_port) {
  test::CaptureLog log;
  Server server(log, Limits{});
  const auto started = server.start(configured({{"127.0.0.1", 0}, {"127.0.0.1", 0}, {"::1", 0}}),
                                    nullptr, answer_ok);
  if (!started) GTEST_SKIP() << "needs ::1: " << started.error().message;
  const auto& addresses = server.addresses();
  ASSERT_EQ(addresses.size(), 3U);
  EXPECT_NE(addresses[0].port, addresses[1].port);
  for (const auto& address : addresses) {
    EXPECT_NE(address.port, 0);
    RawClient client(address.port, address.host == "::1");
    const auto response = client.ask(kHealth);
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 200);
  }
  EXPECT_EQ(log.count("admin: listening on [::1]:" + std::to_string(addresses[2].port)), 1U);
}

TEST(ServerAddress, busy_port_is_one_clear_error_and_nothing_stays_open) {
  test::CaptureLog log;
  Server first(log, Limits{});
  ASSERT_TRUE(first.start(configured({{"127.0.0.1", 0}}), nullptr, answer_ok));
  const std::uint16_t port = first.addresses().at(0).port;

  Server second(log, Limits{});
  const auto started =
      second.start(by_default({{"127.0.0.2", port}, {"127.0.0.1", port}}), nullptr, answer_ok);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, base::Errc::unavailable);
  EXPECT_EQ(started.error().message, "admin: cannot listen on 127.0.0.1:" + std::to_string(port) +
                                         ": Address already in use");
  EXPECT_TRUE(second.addresses().empty());
  Server third(log, Limits{});
  EXPECT_TRUE(third.start(configured({{"127.0.0.2", port}}), nullptr, answer_ok))
      << "was left open";
}

TEST(ServerAddress, port_is_free_again_after_stop) {
  test::CaptureLog log;
  Server first(log, Limits{});
  ASSERT_TRUE(first.start(configured({{"127.0.0.1", 0}}), nullptr, answer_ok));
  const std::uint16_t port = first.addresses().at(0).port;
  RawClient client(port);
  ASSERT_TRUE(client.ask(kHealth));
  first.stop();
  EXPECT_TRUE(client.is_closed_by_server());
  Server second(log, Limits{});
  EXPECT_TRUE(second.start(configured({{"127.0.0.1", port}}), nullptr, answer_ok));
}

TEST(ServerAddress, anything_but_loopback_is_refused_without_tokens) {
  test::CaptureLog log;
  for (const char* host : {"0.0.0.0", "::", "192.0.2.1", "example.com", ""}) {
    Server server(log, Limits{});
    const auto started = server.start(by_default({{host, 0}}), nullptr, answer_ok);
    ASSERT_FALSE(started) << host;
    EXPECT_EQ(started.error().code, base::Errc::invalid) << host;
    EXPECT_THAT(started.error().message, HasSubstr("admin: cannot listen on ")) << host;
  }
}

TEST(ServerAddress, nothing_to_listen_on_is_an_error) {
  test::CaptureLog log;
  Server server(log, Limits{});
  EXPECT_FALSE(server.start(by_default({}), nullptr, answer_ok));
}

// Runs `body` on a thread in a new network, whose loopback is down: 127.0.0.1 can be bound, ::1 is
// missing. Returns false where that is not allowed.
bool run_without_ipv6(const std::function<void()>& body) {
  bool is_possible = false;
  std::thread([&] {
    is_possible = unshare(CLONE_NEWNET) == 0;
    if (is_possible) body();
  }).join();
  return is_possible;
}

TEST(ServerAddress, missing_default_address_is_skipped_with_a_log_line) {
  const bool is_possible = run_without_ipv6([] {
    test::CaptureLog log;
    Server server(log, Limits{});
    ASSERT_TRUE(server.start(by_default({{"127.0.0.1", 0}, {"::1", 9090}}), nullptr, answer_ok));
    ASSERT_EQ(server.addresses().size(), 1U);
    EXPECT_EQ(server.addresses()[0].host, "127.0.0.1");
    EXPECT_EQ(log.count(base::LogLevel::info, "admin: skipping [::1]:9090: "), 1U);

    Server lonely(log, Limits{});
    EXPECT_FALSE(lonely.start(by_default({{"::1", 9090}}), nullptr, answer_ok));
  });
  if (!is_possible) GTEST_SKIP() << "needs the right to make a network namespace";
}

TEST(ServerAddress, missing_configured_address_is_an_error) {
  const bool is_possible = run_without_ipv6([] {
    test::CaptureLog log;
    Server server(log, Limits{});
    const auto started =
        server.start(configured({{"127.0.0.1", 0}, {"::1", 9090}}), nullptr, answer_ok);
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message, HasSubstr("admin: cannot listen on [::1]:9090: "));
  });
  if (!is_possible) GTEST_SKIP() << "needs the right to make a network namespace";
}

TEST(ServerAddress, address_beyond_loopback_is_served_with_tokens_and_permission) {
  const bool is_possible = run_without_ipv6([] {
    test::CaptureLog log;
    config::Admin admin = configured({{"0.0.0.0", 0}});
    admin.tokens.resize(1);
    EXPECT_FALSE(Server(log, Limits{}).start(admin, nullptr, answer_ok)) << "plaintext unasked";
    admin.allow_plaintext = true;
    Server server(log, Limits{});
    const auto started = server.start(admin, nullptr, answer_ok);
    ASSERT_TRUE(started) << started.error().message;
    EXPECT_EQ(server.addresses().at(0).host, "0.0.0.0");
  });
  if (!is_possible) GTEST_SKIP() << "needs the right to make a network namespace";
}

}  // namespace
}  // namespace helios::admin::http
