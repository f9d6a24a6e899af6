// SPDX-License-Identifier: Apache-2.0
// What happens over time on a real socket: late answers, time limits, the limit of connections, and
// stopping while something is under way.

#include "admin/http/server.hpp"
#include "admin/replies.hpp"
#include "support/capture_log.hpp"
#include "support/fault_log.hpp"
#include "unit/admin/http/raw_client.hpp"
#include "unit/admin/http/requests.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace helios::admin::http {
namespace {

// A server whose handler only keeps what it gets; the test answers.
class ConnectionTest : public ::testing::Test {
 protected:
  void start(Limits limits = {}) {
    server = std::make_unique<Server>(log, limits);
    ASSERT_TRUE(server->start(any_port(), nullptr, [this](Request message, Responder respond) {
      if (message.target == "/now") return respond(ok_reply());
      if (message.target == "/throw") throw std::runtime_error("planted");
      if (message.target == "/throw/int") throw 42;
      if (message.target == "/forget") return;
      const std::lock_guard lock(mutex);
      waiting.push_back(std::move(respond));
      changed.notify_all();
    }));
    port = server->addresses().at(0).port;
  }

  // Before what the handler uses goes.
  void TearDown() override { server.reset(); }

  // The next request that is not answered by the handler itself.
  Responder take() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !waiting.empty(); });
    Responder respond = std::move(waiting.front());
    waiting.pop_front();
    return respond;
  }

  test::CaptureLog log;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Responder> waiting;
  std::unique_ptr<Server> server;
  std::uint16_t port = 0;
};

TEST_F(ConnectionTest, answer_may_come_later_from_another_thread) {
  start();
  RawClient client(port);
  ASSERT_TRUE(client.send(request("GET /later") + request("GET /now")));
  Responder respond = take();
  RawClient other(port);
  EXPECT_EQ(other.ask(request("GET /now"))->status, 200);
  respond(error_reply(418, "late"));
  EXPECT_EQ(client.read_response()->status, 418);
  EXPECT_EQ(client.read_response()->status, 200);
}

TEST_F(ConnectionTest, handler_that_throws_or_forgets_gives_500) {
  start();
  RawClient client(port);
  EXPECT_EQ(client.ask(request("GET /throw"))->status, 500);
  EXPECT_EQ(log.count("internal fault: planted"), 1U);
  EXPECT_EQ(client.ask(request("GET /throw/int"))->status, 500);
  EXPECT_EQ(log.count("internal fault: not a std::exception"), 1U);
  const auto forgotten = client.ask(request("GET /forget"));
  ASSERT_TRUE(forgotten);
  EXPECT_EQ(forgotten->status, 500);
  EXPECT_EQ(forgotten->body, R"({"error":"internal error"})");
  EXPECT_EQ(client.ask(request("GET /now"))->status, 200);
}

TEST_F(ConnectionTest, task_that_throws_takes_no_other_with_it) {
  test::FaultLog faults;
  server = std::make_unique<Server>(log, Limits{}, &faults);
  ASSERT_TRUE(server->start(any_port(), nullptr, [this](Request message, Responder respond) {
    if (message.target == "/throw") throw std::runtime_error("of a request");
    // Both wait in the mailbox at once: the server's thread is here.
    server->executor()->post([] { throw std::runtime_error("of a task"); });
    respond(ok_reply());
  }));
  RawClient client(server->addresses().at(0).port);
  EXPECT_EQ(client.ask(request("GET /now"))->status, 200);
  EXPECT_EQ(client.ask(request("GET /throw"))->status, 500);
  EXPECT_EQ(client.ask(request("GET /now"))->status, 200);
  EXPECT_EQ(faults.lines(), (std::vector<std::string>{"admin: of a task", "admin: of a request",
                                                      "admin: of a task"}));
}

TEST_F(ConnectionTest, answer_to_a_client_that_left_is_dropped) {
  start();
  Responder respond;
  {
    RawClient client(port);
    ASSERT_TRUE(client.send(request("GET /later")));
    respond = take();
  }
  respond(ok_reply());
  RawClient client(port);
  EXPECT_EQ(client.ask(request("GET /now"))->status, 200);
}

TEST_F(ConnectionTest, stop_while_an_answer_is_due_drops_it) {
  start();
  RawClient client(port);
  ASSERT_TRUE(client.send(request("GET /later")));
  Responder respond = take();
  const auto executor = server->executor();
  server->stop();
  EXPECT_TRUE(client.is_closed_by_server());
  server->stop();
  respond(ok_reply());
  server.reset();
  executor->post([] { FAIL() << "ran after stop"; });
}

TEST_F(ConnectionTest, unanswered_reply_outlives_the_server) {
  start();
  RawClient client(port);
  ASSERT_TRUE(client.send(request("GET /later")));
  const Responder respond = take();
  server.reset();
}

TEST_F(ConnectionTest, server_that_never_started_stops) {
  Server unused(log, Limits{});
  unused.executor()->post([] { FAIL() << "ran without a thread"; });
  unused.stop();
}

TEST_F(ConnectionTest, request_that_never_ends_is_closed) {
  start(Limits{.request_timeout_ms = 50});
  RawClient header(port);
  ASSERT_TRUE(header.send("GET /now HTTP/1.1\r\nHost: loc"));
  EXPECT_TRUE(header.is_closed_by_server());
  RawClient body(port);
  ASSERT_TRUE(body.send("PUT /now HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nx"));
  EXPECT_TRUE(body.is_closed_by_server());
}

TEST_F(ConnectionTest, trickle_of_bytes_does_not_extend_the_time_of_a_request) {
  start(Limits{.max_header_bytes = 64U << 20, .request_timeout_ms = 50});
  RawClient client(port);
  std::string sent = "GET /now HTTP/1.1\r\nHost: localhost\r\nX: ";
  bool is_open = client.send(sent);
  // Ends because the server closes: the kernel then refuses to send. Otherwise the test times out.
  while (is_open) is_open = client.send("x");
  EXPECT_FALSE(is_open);
}

TEST_F(ConnectionTest, idle_connection_is_closed) {
  start(Limits{.idle_timeout_ms = 300});
  RawClient silent(port);
  EXPECT_TRUE(silent.is_closed_by_server());
  RawClient served(port);
  EXPECT_EQ(served.ask(request("GET /now"))->status, 200);
  EXPECT_TRUE(served.is_closed_by_server());
}

TEST_F(ConnectionTest, pending_answer_has_no_timeout) {
  start(Limits{.request_timeout_ms = 300, .response_timeout_ms = 300, .idle_timeout_ms = 300});
  RawClient client(port);
  ASSERT_TRUE(client.send(request("GET /later")));
  Responder respond = take();
  RawClient clock(port);  // closed by the server after its idle time: so much time has passed
  EXPECT_TRUE(clock.is_closed_by_server());
  respond(ok_reply());
  EXPECT_EQ(client.read_response()->status, 200);
}

TEST_F(ConnectionTest, client_over_the_limit_waits_until_another_leaves) {
  start(Limits{.max_connections = 2});
  auto first = std::make_unique<RawClient>(port);
  RawClient second(port);
  ASSERT_TRUE(first->send(request("GET /later")));
  ASSERT_TRUE(second.send(request("GET /later")));
  Responder respond_first = take();
  Responder respond_second = take();

  RawClient third(port);
  ASSERT_TRUE(third.is_connected());
  ASSERT_TRUE(third.send(request("GET /later")));
  respond_first(ok_reply());
  const auto answer = first->read_response();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header("Connection"), "close") << "the place is wanted";
  {
    const std::lock_guard lock(mutex);
    EXPECT_TRUE(waiting.empty()) << "a third connection was served";
  }
  first.reset();
  Responder respond_third = take();
  respond_third(ok_reply());
  EXPECT_EQ(third.read_response()->status, 200);
  respond_second(ok_reply());
  EXPECT_EQ(second.read_response()->status, 200);
}

TEST_F(ConnectionTest, host_with_too_many_connections_is_closed_at_once) {
  start(Limits{.max_peer_connections = 2});
  auto first = std::make_unique<RawClient>(port);
  RawClient second(port);
  ASSERT_EQ(first->ask(request("GET /now"))->status, 200);
  ASSERT_EQ(second.ask(request("GET /now"))->status, 200);
  RawClient third(port);
  EXPECT_TRUE(third.is_closed_by_server());
  EXPECT_EQ(server->stats().peer_refusals.value(), 1U);
  EXPECT_EQ(server->stats().connections.value(), 2);
  EXPECT_EQ(log.count("admin: too many connections from 127.0.0.1:"), 1U);

  first->finish_sending();
  EXPECT_TRUE(first->is_closed_by_server());
  first.reset();
  // Its place is free once the server has seen the end, which no answer tells: until then, turned away.
  std::optional<RawResponse> answer;
  while (!answer) answer = RawClient(port).ask(request("GET /now"));
  EXPECT_EQ(answer->status, 200);
}

TEST_F(ConnectionTest, client_that_never_asked_gets_the_time_of_a_request_only) {
  start(Limits{.request_timeout_ms = 50});
  RawClient silent(port);
  EXPECT_TRUE(silent.is_closed_by_server());
}

TEST_F(ConnectionTest, refused_client_that_keeps_sending_is_cut) {
  start();
  RawClient client(port);
  ASSERT_TRUE(client.send("nonsense\r\n\r\n"));
  const std::string rubbish(1U << 20, 'x');
  bool is_open = true;
  while (is_open) is_open = client.send(rubbish);
  EXPECT_FALSE(is_open);
}

}  // namespace
}  // namespace helios::admin::http
