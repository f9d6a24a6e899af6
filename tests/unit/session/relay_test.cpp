// SPDX-License-Identifier: Apache-2.0
// Goal: what the two sides say to each other passes as it is, and the ends of a session are clean.
#include "session_harness.hpp"

#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using namespace std::string_literals;

const std::string kSslRequest = "\0\0\0\x08\x04\xd2\x16\x2f"s;

TEST(Startup, ssl_request_answered_no_then_startup_passes) {
  SessionHarness harness({});
  harness.client_sends(kSslRequest);
  EXPECT_EQ(harness.take_to_client(), "N");
  harness.client_sends(startup_packet({{"user", "ann"}}));
  EXPECT_TRUE(harness.asked_to_connect);
  EXPECT_EQ(harness.to_server, "");
}

TEST(Startup, bytes_stuffed_behind_ssl_request_end_the_session) {
  SessionHarness harness({});
  harness.client_sends(kSslRequest + startup_packet({{"user", "ann"}}));
  EXPECT_TRUE(harness.to_client.starts_with("NE"));
  EXPECT_NE(harness.to_client.find("received unencrypted data after SSL request"),
            std::string::npos);
  EXPECT_TRUE(harness.client_closed);
  EXPECT_FALSE(harness.asked_to_connect);
}

TEST(Startup, what_is_no_packet_is_closed_without_a_word) {
  for (const std::string& bytes : {"\0\0\0\7\0\3\0\0"s, "\0\0\x27\x15"s, message('X', ""),
                                   query("select 1"), "GET / HTTP/1.1\r\n"s}) {
    SessionHarness harness({});
    harness.client_sends(bytes);
    EXPECT_EQ(harness.to_client, "");
    EXPECT_TRUE(harness.client_closed);
    EXPECT_TRUE(harness.session->finished());
    EXPECT_EQ(harness.counters.protocol_errors, 1U);
  }
}

TEST(Startup, longest_packet_is_the_servers) {
  SessionHarness harness({});
  harness.client_sends("\0\0\x27\x14\0\3\0\0"s);  // 10,000 bytes behind the length
  EXPECT_FALSE(harness.client_closed);
}

TEST(Startup, packet_in_single_bytes_is_waited_for_to_its_end) {
  SessionHarness harness({});
  for (const char byte : startup_packet({{"user", "ann"}})) {
    ASSERT_TRUE(harness.session->wants_client_bytes());
    harness.client_sends({&byte, 1});
  }
  EXPECT_TRUE(harness.asked_to_connect);
  EXPECT_FALSE(harness.session->wants_client_bytes());
}

TEST(Startup, client_that_leaves_inside_a_packet_is_noticed) {
  SessionHarness harness({});
  harness.client_sends(startup_packet({{"user", "ann"}}).substr(0, 10));
  ASSERT_TRUE(harness.session->wants_client_bytes());
  harness.client_eof();
  EXPECT_TRUE(harness.session->finished());
}

TEST(Startup, other_protocol_version_is_fatal) {
  SessionHarness harness({});
  harness.client_sends("\0\0\0\x09\0\2\0\0\0"s);
  EXPECT_NE(harness.to_client.find("unsupported frontend protocol 2.0"), std::string::npos);
}

TEST(Startup, server_refused_connection_is_an_error_at_once) {
  SessionHarness harness({});
  harness.client_sends(startup_packet({{"user", "ann"}}));
  Actions actions;
  harness.session->on_refused("Connection refused", actions);
  const std::string answer = actions.to_client.flatten();
  EXPECT_NE(answer.find("could not connect to the server: Connection refused"), std::string::npos);
  EXPECT_NE(answer.find("57P03"), std::string::npos);
  EXPECT_TRUE(actions.close_client);
}

TEST(Startup, cancel_request_is_delivered) {
  SessionHarness harness({});
  harness.client_sends("\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\7abcd"s);
  ASSERT_TRUE(harness.delivered_cancel.has_value());
  EXPECT_EQ(harness.delivered_cancel->process_id, 7);
  EXPECT_EQ(harness.delivered_cancel->secret, "abcd");
  EXPECT_TRUE(harness.session->finished());
}

TEST(Startup, greeting_passes_byte_for_byte_and_registers_the_key) {
  SessionHarness harness({});
  const std::string packet = startup_packet({{"user", "ann"}});
  harness.client_sends(packet);
  Actions actions;
  harness.session->on_granted(harness.upstream.link, actions);
  EXPECT_EQ(actions.to_server.flatten(), packet);
  harness.server_sends(server_greeting());
  EXPECT_EQ(harness.to_client, server_greeting());
  ASSERT_TRUE(harness.registered_key.has_value());
  EXPECT_EQ(harness.registered_key->secret, "abcd");
}

TEST(Startup, query_before_authentication_is_fatal) {
  SessionHarness harness({});
  harness.client_sends(startup_packet({{"user", "ann"}}));
  Actions actions;
  harness.session->on_granted(harness.upstream.link, actions);
  harness.client_sends(query("select 1"));
  EXPECT_EQ(harness.to_client, "");  // the server may have nothing to ask
  harness.server_sends(message('R', "\0\0\0\3"s));
  EXPECT_NE(harness.to_client.find("expected password response, got message type 81"),
            std::string::npos);
  EXPECT_TRUE(harness.client_closed);
}

TEST(Startup, query_that_came_early_is_served_when_the_server_is_ready) {
  for (const std::string& rest : {query("select 1"), query("select 1") + message('X', "")}) {
    SessionHarness harness({});
    harness.client_sends(startup_packet({{"user", "ann"}}) + rest);
    harness.server_connected();
    harness.take_to_server();
    EXPECT_FALSE(harness.session->wants_client_bytes());
    harness.server_sends(server_greeting());
    EXPECT_EQ(harness.to_client, server_greeting());
    EXPECT_EQ(harness.to_server, rest);
  }
}

TEST(Startup, nothing_but_a_password_answers_the_question_for_one) {
  SessionHarness harness({});
  harness.client_sends(startup_packet({{"user", "ann"}}));
  harness.server_connected();
  harness.take_to_server();
  const std::string first = message('R', "\0\0\0\x0aSCRAM-SHA-256\0\0"s);
  const std::string last = message('R', "\0\0\0\x0cv=x"s) + server_greeting();
  harness.server_sends(first);
  const std::string answer = message('p', "SCRAM-SHA-256");
  harness.client_sends(answer + query("select 1"));
  EXPECT_EQ(harness.to_server, answer);
  harness.server_sends(last);
  EXPECT_EQ(harness.to_client, first + last);
  EXPECT_EQ(harness.to_server, answer + query("select 1"));
}

TEST(Relay, everything_passes_unchanged_without_plugins) {
  const std::string rows = message('T', "columns") + message('D', std::string(300, 'x')) +
                           complete("SELECT 1") + ready('I');
  const Trace trace = run_every_way({}, {client(query("select 1")), server(rows)});
  EXPECT_EQ(trace.to_server, query("select 1"));
  EXPECT_EQ(trace.to_client, rows);
}

TEST(Relay, everything_passes_unchanged_with_a_plugin_that_says_nothing) {
  Options options;
  options.plugins = {std::make_shared<NativePlugin>(
      hooks::PluginTraits{.name = "p", .has_pre_query = true, .has_post_query = true})};
  const std::string rows = message('T', "columns") + message('D', std::string(300, 'x')) +
                           complete("SELECT 1") + ready('I');
  const Trace trace = run_every_way(options, {client(query("select 1")), server(rows)});
  EXPECT_EQ(trace.to_server, query("select 1"));
  EXPECT_EQ(trace.to_client, rows);
}

TEST(Relay, extended_protocol_passes_without_plugins) {
  const std::string batch = message('P', "\0select 1\0\0\0"s) + message('B', "\0\0\0\0\0\0\0\0"s) +
                            message('E', "\0\0\0\0\0"s) + message('S', "");
  const std::string answer =
      message('1', "") + message('2', "") + message('D', "row") + complete("SELECT 1") + ready('I');
  const Trace trace = run_every_way({}, {client(batch), server(answer)});
  EXPECT_EQ(trace.to_server, batch);
  EXPECT_EQ(trace.to_client, answer);
}

TEST(Relay, copy_in_passes_unchanged) {
  const std::string data = message('d', "1\n") + message('d', "2\n") + message('c', "");
  const Trace trace =
      run_every_way({}, {client(query("copy t from stdin")), server(message('G', "\0\0\0"s)),
                         client(data), server(complete("COPY 2") + ready('I'))});
  EXPECT_EQ(trace.to_server, query("copy t from stdin") + data);
}

TEST(Relay, terminate_behind_a_query_leaves_the_answer_whole) {
  SessionHarness harness({});
  harness.connect();
  harness.client_sends(query("select 1") + message('X', ""));
  EXPECT_EQ(harness.to_server, query("select 1") + message('X', ""));
  harness.server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_EQ(harness.to_client, complete("SELECT 1") + ready('I'));
  EXPECT_TRUE(harness.client_closed);
  EXPECT_TRUE(harness.session->finished());
}

TEST(Relay, terminate_ends_an_idle_session_whatever_the_server_does) {
  SessionHarness harness({});
  harness.connect();
  harness.client_sends(message('X', ""));
  EXPECT_EQ(harness.to_server, message('X', ""));
  EXPECT_TRUE(harness.server_closed);
  EXPECT_TRUE(harness.client_closed);
  EXPECT_TRUE(harness.session->finished());
}

TEST(Relay, terminate_ends_an_idle_session_within_a_transaction_too) {
  SessionHarness harness({});
  harness.connect();
  harness.client_sends(query("begin"));
  harness.server_sends(complete("BEGIN") + ready('T'));
  harness.client_sends(message('X', ""));
  EXPECT_EQ(harness.to_server, query("begin") + message('X', ""));
  EXPECT_TRUE(harness.server_closed);
  EXPECT_TRUE(harness.session->finished());
}

TEST(Relay, unknown_message_type_is_fatal) {
  SessionHarness harness({});
  harness.connect();
  harness.client_sends(message('y', ""));
  EXPECT_NE(harness.to_client.find("invalid frontend message type 121"), std::string::npos);
  EXPECT_TRUE(harness.server_closed);
}

TEST(Relay, bad_lengths_are_fatal) {
  for (const std::string& bytes :
       {"Q\0\0\0\3"s, "Q\xff\xff\xff\xff"s, "Q\x7f\xff\xff\xff"s, "S\0\1\0\0"s}) {
    SessionHarness harness({});
    harness.connect();
    harness.client_sends(bytes);
    EXPECT_NE(harness.to_client.find("invalid message length"), std::string::npos);
    EXPECT_TRUE(harness.session->finished());
  }
}

TEST(Relay, malformed_server_message_ends_the_session) {
  for (const std::string& bytes :
       {message('y', ""), "D\0\0\0\1"s, message('Z', "II"), message('Z', "x")}) {
    SessionHarness harness({});
    harness.connect();
    harness.client_sends(query("select 1"));
    harness.server_sends(bytes);
    EXPECT_NE(harness.to_client.find("the server sent a malformed message"), std::string::npos);
    EXPECT_TRUE(harness.server_closed);
  }
}

TEST(Ends, client_eof_half_closes_the_server_and_answers_still_pass) {
  SessionHarness harness({});
  harness.connect();
  harness.client_sends(query("select 1"));
  harness.client_eof();
  EXPECT_TRUE(harness.server_finished);
  EXPECT_FALSE(harness.client_closed);
  harness.server_sends(complete("SELECT 1") + ready('I'));
  harness.server_eof();
  EXPECT_EQ(harness.to_client, complete("SELECT 1") + ready('I'));
  EXPECT_TRUE(harness.session->finished());
}

TEST(Ends, server_eof_between_messages_is_told_to_the_client) {
  SessionHarness harness({});
  harness.connect();
  harness.server_eof();
  EXPECT_NE(harness.to_client.find("the server closed the connection unexpectedly"),
            std::string::npos);
  EXPECT_TRUE(harness.session->finished());
}

TEST(Ends, server_eof_inside_a_message_adds_nothing_to_it) {
  SessionHarness harness({});
  harness.connect();
  harness.client_sends(query("select 1"));
  harness.server_sends("D\0\0\1\0abc"s);
  harness.server_eof();
  EXPECT_EQ(harness.to_client, "D\0\0\1\0abc"s);
  EXPECT_TRUE(harness.client_closed);
}

TEST(Ends, server_fatal_passes_and_closes) {
  SessionHarness harness({});
  harness.connect();
  const std::string fatal = error("57P01", "terminating connection", "FATAL");
  harness.server_sends(fatal);
  harness.server_eof();
  EXPECT_EQ(harness.to_client, fatal);
  EXPECT_TRUE(harness.session->finished());
}

TEST(Drain, idle_session_ends_at_once) {
  SessionHarness harness({});
  harness.connect();
  harness.drain(false);
  EXPECT_NE(harness.to_client.find("57P01"), std::string::npos);
  EXPECT_EQ(harness.to_server, message('X', ""));
  EXPECT_TRUE(harness.session->finished());
}

TEST(Drain, busy_session_ends_after_its_answer) {
  SessionHarness harness({});
  harness.connect();
  harness.client_sends(query("select 1"));
  harness.drain(false);
  EXPECT_FALSE(harness.client_closed);
  harness.server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_TRUE(harness.to_client.starts_with(complete("SELECT 1") + ready('I')));
  EXPECT_NE(harness.to_client.find("57P01"), std::string::npos);
  EXPECT_TRUE(harness.session->finished());
}

TEST(Drain, forced_ends_a_transaction) {
  SessionHarness harness({});
  harness.connect();
  harness.client_sends(query("begin"));
  harness.server_sends(complete("BEGIN") + ready('T'));
  harness.drain(false);
  EXPECT_FALSE(harness.client_closed);
  harness.drain(true);
  EXPECT_TRUE(harness.client_closed);
}

TEST(Cancel, reaches_the_server) {
  SessionHarness harness({});
  harness.connect();
  harness.client_sends(query("select pg_sleep(10)"));
  harness.cancel();
  EXPECT_EQ(harness.cancels_sent, 1);
}

}  // namespace
}  // namespace helios::session::test
