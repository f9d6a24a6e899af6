// SPDX-License-Identifier: Apache-2.0
//
// Goal: what workers and the proxy do with their sessions, from the first connection to the last: who comes in, whom a
// cancel request meets, what a reload changes, how all of it ends, and that no session has anything to do with another.

#include "unit/net/simulated_proxy.hpp"

#include "net/cancel_sender.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::net {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const std::string kAnswer = message('C', std::string_view("SELECT 1\0", 9)) + message('Z', "I");

std::string row(std::size_t number, std::size_t size) {
  return message('D', std::to_string(number) + std::string(size, 'x'));
}

// Queries and answers of many sessions at once, each with its own number in it.
void expect_served_side_by_side(SimulatedProxy& proxy,
                                std::vector<SimulatedProxy::Session>& sessions) {
  std::vector<std::size_t> heard;
  std::vector<std::size_t> asked;
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    heard.push_back(sessions[i].client->got().size());
    asked.push_back(sessions[i].server->got().size());
    sessions[i].client->says(query("SELECT " + std::to_string(i)));
  }
  proxy.settle();
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    EXPECT_EQ(sessions[i].server->got().substr(asked[i]), query("SELECT " + std::to_string(i)));
    sessions[i].server->says(row(i, 300) + kAnswer);
  }
  proxy.settle();
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    EXPECT_EQ(sessions[i].client->got().substr(heard[i]), row(i, 300) + kAnswer) << i;
  }
}

std::vector<SimulatedProxy::Session> open_sessions(SimulatedProxy& proxy, std::int32_t count) {
  std::vector<SimulatedProxy::Session> sessions;
  for (std::int32_t i = 0; i < count; ++i) sessions.push_back(proxy.open_session(i));
  return sessions;
}

// ---- Sessions side by side

TEST(SimulatedProxy, many_sessions_of_one_worker_get_what_is_theirs_however_it_is_cut) {
  for (const std::size_t cut : {1, 2, 3, 5, 7, 64, 1000, 65536}) {
    SCOPED_TRACE(cut);
    SimulatedProxy proxy(1);
    proxy.cut_into(cut);
    auto sessions = open_sessions(proxy, 40);
    expect_served_side_by_side(proxy, sessions);
    EXPECT_EQ(proxy.sessions(), 40U);
  }
}

TEST(SimulatedProxy, deals_connections_to_workers_in_turn) {
  SimulatedProxy proxy(3);
  open_sessions(proxy, 6);
  for (const auto& worker : proxy.proxy->workers()) {
    EXPECT_EQ(worker->stats().sessions_opened.value(), 2U);
  }
}

TEST(SimulatedProxy, slow_client_does_not_hold_up_its_neighbour) {
  SimulatedProxy proxy(1);
  auto sessions = open_sessions(proxy, 2);
  sessions[0].client->reads(0);
  proxy.say(*sessions[0].client, query("SELECT 1"));
  for (std::size_t i = 0; i < 100; ++i) proxy.say(*sessions[0].server, row(i, 100'000));
  EXPECT_LT(sessions[0].client->pending_bytes(), 2 * kHighWaterBytes);
  std::vector<SimulatedProxy::Session> neighbour{sessions[1]};
  expect_served_side_by_side(proxy, neighbour);
}

TEST(SimulatedProxy, session_that_cannot_go_on_ends_and_touches_no_other) {
  SimulatedProxy proxy(1);
  auto sessions = open_sessions(proxy, 3);
  sessions[1].server->starves();
  proxy.say(*sessions[1].client, query("SELECT 1"));
  EXPECT_THAT(sessions[1].client->got(), HasSubstr("internal error of the proxy"));
  EXPECT_TRUE(sessions[1].client->is_closed());
  EXPECT_TRUE(sessions[1].server->is_closed());
  EXPECT_EQ(proxy.sessions(), 2U);
  EXPECT_EQ(proxy.total(&WorkerStats::session_faults), 1U);
  sessions.erase(sessions.begin() + 1);
  expect_served_side_by_side(proxy, sessions);
}

TEST(SimulatedProxy, one_that_leaves_takes_nothing_of_its_neighbours_along) {
  for (const bool is_client : {true, false}) {
    SimulatedProxy proxy(1);
    auto sessions = open_sessions(proxy, 3);
    (is_client ? sessions[1].client : sessions[1].server)->breaks();
    proxy.settle();
    EXPECT_TRUE(sessions[1].client->is_closed());
    EXPECT_TRUE(sessions[1].server->is_closed());
    EXPECT_EQ(proxy.sessions(), 2U);
    sessions.erase(sessions.begin() + 1);
    expect_served_side_by_side(proxy, sessions);
  }
}

// ---- Admission

config::Config with_limit(std::uint32_t connections) {
  auto config = config::default_config();
  config.limits.max_connections = connections;
  return config;
}

TEST(SimulatedProxy, client_over_the_limit_is_told_so_and_the_next_one_has_its_place) {
  SimulatedProxy proxy(2, with_limit(2));
  auto sessions = open_sessions(proxy, 2);
  auto third = proxy.connect_client();
  proxy.say(*third.client, startup_packet());
  EXPECT_THAT(third.client->got(), HasSubstr("53300"));
  EXPECT_TRUE(third.client->is_closed());
  EXPECT_FALSE(third.worker->is_dialling());
  sessions[0].client->breaks();
  proxy.settle();
  EXPECT_EQ(proxy.sessions(), 1U);
  proxy.open_session(4);
}

TEST(SimulatedProxy, cancel_request_is_served_over_the_limit_too) {
  SimulatedProxy proxy(1, with_limit(1));
  const auto session = proxy.open_session(7);
  proxy.say(*session.client, query("SELECT pg_sleep(10)"));
  auto canceller = proxy.connect_client();
  proxy.say(*canceller.client, cancel_request(7, "key!"));
  proxy.connect_server(canceller);
  EXPECT_EQ(canceller.server->got(), cancel_request(7, "key!"));
}

TEST(SimulatedProxy, reload_changes_the_limit_for_those_who_come_later) {
  SimulatedProxy proxy(1, with_limit(1));
  proxy.open_session(1);
  proxy.reload([](auto& config) { config.limits.max_connections = 2; });
  proxy.open_session(2);
  EXPECT_EQ(proxy.sessions(), 2U);
}

// ---- Cancel requests

TEST(SimulatedProxy, cancel_request_meets_its_session_on_whichever_worker_and_however_it_is_cut) {
  for (std::size_t cut = 1; cut <= 17; ++cut) {
    SCOPED_TRACE(cut);
    SimulatedProxy proxy(2);
    auto sessions = open_sessions(proxy, 5);
    for (auto& session : sessions) proxy.say(*session.client, query("SELECT pg_sleep(10)"));
    proxy.cut_into(cut);
    // It lands on the second worker, and is for one of the first.
    const auto canceller = proxy.connect_client();
    EXPECT_NE(canceller.worker, sessions[2].worker);
    proxy.say(*canceller.client, cancel_request(2, "key!"));
    EXPECT_FALSE(canceller.worker->is_dialling());
    auto dialled = sessions[2];
    proxy.connect_server(dialled);
    EXPECT_EQ(dialled.server->got(), cancel_request(2, "key!"));
    // Its client waits until the server has acted.
    EXPECT_FALSE(canceller.client->is_closed());
    dialled.server->ends();
    proxy.settle();
    EXPECT_TRUE(canceller.client->is_closed());
    EXPECT_EQ(proxy.sessions(), 5U);
  }
}

TEST(SimulatedProxy, cancel_request_that_fits_nobody_is_dropped) {
  SimulatedProxy proxy(2);
  auto sessions = open_sessions(proxy, 2);
  for (const auto& request : {cancel_request(0, "yek!"), cancel_request(9, "key!")}) {
    const auto canceller = proxy.connect_client();
    proxy.say(*canceller.client, request);
    EXPECT_TRUE(canceller.client->is_closed());
    for (const auto* engine : proxy.engines) EXPECT_FALSE(engine->is_dialling());
  }
  expect_served_side_by_side(proxy, sessions);
}

TEST(SimulatedProxy, client_of_a_cancel_request_does_not_wait_for_a_server_for_ever) {
  SimulatedProxy proxy(1);
  const auto session = proxy.open_session(7);
  proxy.say(*session.client, query("SELECT pg_sleep(10)"));
  auto canceller = proxy.connect_client();
  proxy.say(*canceller.client, cancel_request(7, "key!"));
  proxy.connect_server(canceller);
  proxy.pass_ms(kCancelTimeoutMs - 1);
  EXPECT_FALSE(canceller.client->is_closed());
  proxy.pass_ms(1);
  EXPECT_TRUE(canceller.client->is_closed());
  EXPECT_TRUE(canceller.server->is_closed());
  EXPECT_EQ(proxy.sessions(), 1U);
}

TEST(SimulatedProxy, key_of_a_session_that_ended_belongs_to_nobody) {
  SimulatedProxy proxy(2);
  const auto session = proxy.open_session(7);
  session.client->breaks();
  proxy.settle();
  const auto canceller = proxy.connect_client();
  proxy.say(*canceller.client, cancel_request(7, "key!"));
  EXPECT_TRUE(canceller.client->is_closed());
  EXPECT_FALSE(session.worker->is_dialling());
}

// ---- Reload

TEST(SimulatedProxy,
     reload_sends_new_sessions_to_the_new_server_and_leaves_the_others_where_they_are) {
  SimulatedProxy proxy(2);
  auto sessions = open_sessions(proxy, 2);
  auto dialling = proxy.connect_client();
  proxy.say(*dialling.client, startup_packet());
  EXPECT_EQ(dialling.worker->dialled(), "127.0.0.1:5432");
  proxy.reload([](auto& config) { config.server.port = 5433; });
  EXPECT_EQ(proxy.reloads, 1);
  // One that was on its way arrives.
  proxy.connect_server(dialling);
  proxy.say(*dialling.server, SimulatedProxy::greeting(8));
  sessions.push_back(dialling);
  const auto late = proxy.connect_client();
  proxy.say(*late.client, startup_packet());
  EXPECT_EQ(late.worker->dialled(), "127.0.0.1:5433");
  expect_served_side_by_side(proxy, sessions);
  // A cancel request goes to where its session is.
  proxy.say(*sessions[0].client, query("SELECT pg_sleep(10)"));
  const auto canceller = proxy.connect_client();
  proxy.say(*canceller.client, cancel_request(0, "key!"));
  EXPECT_EQ(sessions[0].worker->dialled(), "127.0.0.1:5432");
}

// ---- Time

TEST(SimulatedProxy, clients_that_say_nothing_are_cut_in_time_and_others_are_not) {
  auto config = config::default_config();
  config.limits.login_timeout_ms = 60'000;
  SimulatedProxy proxy(1, config);
  auto sessions = open_sessions(proxy, 2);
  const auto early = proxy.connect_client();
  proxy.pass_ms(30'000);
  const auto late = proxy.connect_client();
  proxy.pass_ms(30'001);
  EXPECT_THAT(early.client->got(), HasSubstr("canceling authentication due to timeout"));
  EXPECT_TRUE(early.client->is_closed());
  EXPECT_FALSE(late.client->is_closed());
  proxy.pass_ms(30'000);
  EXPECT_TRUE(late.client->is_closed());
  expect_served_side_by_side(proxy, sessions);
}

TEST(SimulatedProxy, server_that_cannot_be_reached_in_time_is_given_up) {
  auto config = config::default_config();
  config.server.connect_timeout_ms = 5000;
  SimulatedProxy proxy(1, config);
  auto session = proxy.connect_client();
  proxy.say(*session.client, startup_packet());
  proxy.pass_ms(4999);
  EXPECT_EQ(session.client->got(), "");
  proxy.pass_ms(1);
  EXPECT_THAT(session.client->got(), HasSubstr("timed out"));
  EXPECT_TRUE(session.client->is_closed());
  EXPECT_EQ(proxy.sessions(), 0U);
  EXPECT_EQ(proxy.engines[0]->timers(), 0U);
}

// ---- Draining

TEST(SimulatedProxy, drain_lets_nobody_in_ends_the_idle_and_waits_for_the_busy) {
  SimulatedProxy proxy(2);
  auto sessions = open_sessions(proxy, 4);
  proxy.say(*sessions[0].client, query("SELECT 1"));
  proxy.proxy->drain(false);
  EXPECT_FALSE(proxy.control.is_listening());
  proxy.settle();
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_THAT(sessions[i].client->got(), HasSubstr("57P01"));
    EXPECT_TRUE(sessions[i].client->is_closed());
    EXPECT_TRUE(sessions[i].server->is_closed());
  }
  EXPECT_EQ(proxy.sessions(), 1U);
  proxy.pass_ms(3'600'000);
  EXPECT_EQ(proxy.drained, 0);
  proxy.say(*sessions[0].server, kAnswer);
  EXPECT_THAT(sessions[0].client->got(), HasSubstr("57P01"));
  EXPECT_EQ(proxy.drained, 1);
}

TEST(SimulatedProxy, deadline_of_a_drain_ends_the_busy_and_those_who_read_nothing) {
  SimulatedProxy proxy(2);
  auto sessions = open_sessions(proxy, 2);
  proxy.say(*sessions[0].client, query("SELECT pg_sleep(100)"));
  sessions[1].client->reads(0);
  proxy.proxy->drain(false);
  proxy.control.start_timer(30'000, [&] { proxy.proxy->drain(true); });
  proxy.pass_ms(29'999);
  EXPECT_FALSE(sessions[0].client->is_closed());
  EXPECT_EQ(proxy.engines[1]->lingering(), 1U);
  EXPECT_EQ(proxy.drained, 0);
  proxy.pass_ms(1);
  EXPECT_THAT(sessions[0].client->got(), HasSubstr("57P01"));
  EXPECT_TRUE(sessions[0].server->is_closed());
  EXPECT_EQ(proxy.drained, 1);
}

TEST(SimulatedProxy, connection_that_was_accepted_before_a_drain_and_not_dealt_yet_is_closed) {
  SimulatedProxy proxy(1);
  proxy.control.accept_from(*tcp_endpoint({"10.1.2.3", 40000}));
  proxy.proxy->drain(false);
  proxy.settle();
  EXPECT_EQ(proxy.drained, 1);
  EXPECT_EQ(proxy.sessions(), 0U);
}

TEST(SimulatedProxy, client_that_waits_for_its_cancel_request_does_not_hold_up_a_forced_drain) {
  SimulatedProxy proxy(1);
  const auto session = proxy.open_session(7);
  proxy.say(*session.client, query("SELECT pg_sleep(10)"));
  auto canceller = proxy.connect_client();
  proxy.say(*canceller.client, cancel_request(7, "key!"));
  proxy.connect_server(canceller);
  proxy.proxy->drain(true);
  proxy.settle();
  EXPECT_TRUE(canceller.client->is_closed());
  EXPECT_EQ(proxy.drained, 1);
  EXPECT_THAT(proxy.faults.lines(), IsEmpty());
}

}  // namespace
}  // namespace helios::net
