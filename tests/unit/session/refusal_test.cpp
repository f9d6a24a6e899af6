// SPDX-License-Identifier: Apache-2.0
// Goal: a refusal leaves client and server in step, wherever it happens. Every scenario is replayed
// cut at every byte and with every hook pending.
#include "session/refusal.hpp"

#include "pgwire/extended.hpp"
#include "session_harness.hpp"

#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using namespace std::string_literals;

// Refuses statements that contain "forbidden".
Options with_gatekeeper() {
  auto plugin = std::make_shared<NativePlugin>(
      hooks::PluginTraits{.name = "gate", .has_pre_query = true, .has_post_query = true});
  plugin->pre_query = [](hooks::Call& call) {
    const bool is_bad = call.statement->text.find("forbidden") != std::string_view::npos;
    return is_bad ? block("no") : hooks::CallResult{};
  };
  Options options;
  options.plugins = {plugin};
  return options;
}

const std::string kRefused = error("42000", "no");
const std::string kPoison = query(kRefusedText);

TEST(Refusal, idle_is_answered_by_the_proxy_alone) {
  const Trace trace = run_every_way(with_gatekeeper(), {client(query("select forbidden"))});
  EXPECT_EQ(trace.to_client, kRefused + ready('I'));
  EXPECT_EQ(trace.to_server, "");
}

TEST(Refusal, second_statement_refuses_the_whole_message) {
  const Trace trace = run_every_way(
      with_gatekeeper(), {client(query("insert into t values (1); select forbidden; select 3"))});
  EXPECT_EQ(trace.to_client, kRefused + ready('I'));
  EXPECT_EQ(trace.to_server, "");
}

TEST(Refusal, in_a_transaction_the_server_fails_too) {
  const Trace trace = run_every_way(
      with_gatekeeper(), {client(query("begin")), server(complete("BEGIN") + ready('T')),
                          client(query("select forbidden")), server(syntax_error() + ready('E')),
                          client(query("commit")), server(complete("ROLLBACK") + ready('I'))});
  EXPECT_EQ(trace.to_server, query("begin") + kPoison + query("commit"));
  EXPECT_EQ(trace.to_client, complete("BEGIN") + ready('T') + kRefused + ready('E') +
                                 complete("ROLLBACK") + ready('I'));
}

TEST(Refusal, in_a_failed_transaction_stays_failed_and_rollback_passes) {
  const Trace trace = run_every_way(
      with_gatekeeper(),
      {client(query("begin")), server(complete("BEGIN") + ready('T')), client(query("select 1/0")),
       server(error("22012", "division by zero") + ready('E')), client(query("select forbidden")),
       server(syntax_error() + ready('E')), client(query("rollback")),
       server(complete("ROLLBACK") + ready('I'))});
  EXPECT_EQ(trace.to_server, query("begin") + query("select 1/0") + kPoison + query("rollback"));
  EXPECT_TRUE(trace.to_client.ends_with(kRefused + ready('E') + complete("ROLLBACK") + ready('I')));
}

TEST(Refusal, behind_a_pipelined_query_comes_after_its_answer) {
  const Trace trace = run_every_way(
      with_gatekeeper(), {client(query("select 1") + query("select forbidden") + query("select 3")),
                          server(complete("SELECT 1") + ready('I') + syntax_error() + ready('I') +
                                 complete("SELECT 3") + ready('I'))});
  EXPECT_EQ(trace.to_server, query("select 1") + kPoison + query("select 3"));
  EXPECT_EQ(trace.to_client, complete("SELECT 1") + ready('I') + kRefused + ready('I') +
                                 complete("SELECT 3") + ready('I'));
}

TEST(Refusal, another_error_in_its_place_passes_unchanged) {
  const std::string cancelled = error("57014", "canceling statement due to user request");
  const Trace trace = run_every_way(
      with_gatekeeper(), {client(query("begin")), server(complete("BEGIN") + ready('T')),
                          client(query("select forbidden")), server(cancelled + ready('E'))});
  EXPECT_TRUE(trace.to_client.ends_with(cancelled + ready('E')));
}

TEST(Refusal, fatal_in_its_place_passes_unchanged) {
  SessionHarness harness(with_gatekeeper());
  harness.connect();
  harness.client_sends(query("select 1") + query("select forbidden"));
  const std::string fatal = error("42601", "odd", "FATAL");
  harness.server_sends(complete("SELECT 1") + ready('I') + fatal);
  harness.server_eof();
  EXPECT_EQ(harness.to_client, complete("SELECT 1") + ready('I') + fatal);
}

TEST(Refusal, syntax_error_of_another_query_is_not_rewritten) {
  Options options = with_gatekeeper();
  const std::string theirs = error("42601", "syntax error at or near \"x\"");
  const Trace trace =
      run_every_way(options, {client(query("select 1") + query("select forbidden")),
                              server(theirs + ready('I') + syntax_error() + ready('I'))});
  EXPECT_EQ(trace.to_client, theirs + ready('I') + kRefused + ready('I'));
}

const std::string kAsked = pgwire::serialize_parse("", "selec 1") +
                           pgwire::serialize_parse("", kRefusedText) + pgwire::serialize_sync();

TEST(Refusal, unreadable_text_is_refused_in_the_words_of_the_server) {
  const std::string theirs = error("0A000", "selec is not implemented");
  const Trace trace = run_every_way(
      with_gatekeeper(), {client(query("selec 1")), server(theirs + ready('I')),
                          client(query("select 1")), server(complete("SELECT 1") + ready('I'))});
  EXPECT_EQ(trace.to_server, kAsked + query("select 1"));
  EXPECT_EQ(trace.to_client, theirs + ready('I') + complete("SELECT 1") + ready('I'));
}

TEST(Refusal, unreadable_text_that_the_server_can_read_is_refused_in_the_words_of_the_grammar) {
  const Trace trace = run_every_way(
      with_gatekeeper(),
      {client(query("selec 1")), server(message('1', "") + syntax_error() + ready('T'))});
  EXPECT_EQ(trace.to_server, kAsked);
  EXPECT_NE(trace.to_client.find("syntax error at or near \"selec\""), std::string::npos);
  EXPECT_EQ(trace.to_client.find(message('1', "")), std::string::npos);
}

TEST(Refusal, unreadable_text_passes_where_nobody_could_object) {
  const Trace trace = run_every_way({}, {client(query("selec 1"))});
  EXPECT_EQ(trace.to_server, query("selec 1"));
}

TEST(Refusal, encoding_that_hides_backslashes_counts_as_unreadable) {
  const Trace trace =
      run_every_way(with_gatekeeper(),
                    {client(query("set client_encoding = 'SJIS'")),
                     server(parameter("client_encoding", "SJIS") + complete("SET") + ready('I')),
                     client(query("select 1"))});
  EXPECT_EQ(trace.to_server, query("set client_encoding = 'SJIS'"));
  EXPECT_NE(trace.to_client.find("0A000"), std::string::npos);
}

TEST(Refusal, query_longer_than_plugins_are_shown) {
  Options options = with_gatekeeper();
  options.config.protocol.max_query_bytes = 40;
  const std::string long_query = query("select '" + std::string(100, 'x') + "'");
  const Trace trace = run_every_way(options, {client(long_query + query("select 2"))});
  EXPECT_NE(trace.to_client.find("54000"), std::string::npos);
  EXPECT_EQ(trace.to_server, query("select 2"));
}

TEST(Refusal, query_without_terminator_is_an_error_and_the_session_goes_on) {
  const Trace trace =
      run_every_way(with_gatekeeper(), {client(message('Q', "select 1") + query("select 2"))});
  EXPECT_NE(trace.to_client.find("08P01"), std::string::npos);
  EXPECT_EQ(trace.to_server, query("select 2"));
}

TEST(ExtendedBatch, refused_query_in_an_open_batch_fails_at_the_server) {
  const Options options = with_gatekeeper();
  // No Sync: what the batch did is not committed yet, and an error must undo it.
  const std::string batch = message('P', "\0insert into t values (1)\0\0\0"s) +
                            message('B', "\0\0\0\0\0\0\0\0"s) + message('E', "\0\0\0\0\0"s);
  const std::string answer = message('1', "") + message('2', "") + complete("INSERT 0 1");
  const Trace trace =
      run_every_way(options, {client(batch), server(answer), client(query("select forbidden")),
                              server(syntax_error() + ready('I'))});
  EXPECT_EQ(trace.to_server, batch + kPoison);
  EXPECT_EQ(trace.to_client, answer + kRefused + ready('I'));
}

TEST(ExtendedBatch, query_skipped_by_an_error_before_it_keeps_the_answers_in_step) {
  const Options options = with_gatekeeper();
  // The failing Parse makes the server skip the query and everything else up to Sync.
  const std::string batch = message('P', "\0select * from missing\0\0\0"s) + message('S', "");
  const Trace trace =
      run_every_way(options, {client(batch), server(error("42P01", "no such table") + ready('I')),
                              client(query("select forbidden"))});
  EXPECT_EQ(trace.to_server, batch);
  EXPECT_TRUE(trace.to_client.ends_with(ready('I') + kRefused + ready('I')));
}

TEST(CopyIn, query_in_the_middle_of_copy_data_ends_the_session) {
  SessionHarness harness(with_gatekeeper());
  harness.connect();
  harness.client_sends(query("copy t from stdin"));
  harness.server_sends(message('G', "\0\0\0"s));
  harness.take_to_client();
  harness.take_to_server();
  harness.client_sends(message('d', "1\n") + query("select 1") + message('X', ""));
  const std::string reason = "heliosproxy session-1: the client has sent something else than data";
  EXPECT_EQ(harness.to_server, message('d', "1\n") + message('f', reason + '\0'));
  harness.server_sends(error("57014", "COPY from stdin failed: " + reason) + ready('I'));
  EXPECT_EQ(harness.to_client,
            error("08P01", "unexpected message type 0x51 during COPY from stdin") +
                error("08P01", "terminating connection because protocol synchronization was lost",
                      "FATAL"));
  EXPECT_TRUE(harness.client_closed);
}

TEST(CopyIn, query_in_the_middle_of_copy_data_is_one_like_others_where_the_copy_had_failed) {
  SessionHarness harness(with_gatekeeper());
  harness.connect();
  harness.client_sends(query("copy t from stdin"));
  harness.server_sends(message('G', "\0\0\0"s));
  harness.client_sends(message('d', "bad\n") + query("select 1"));
  harness.take_to_client();
  const std::string failed = error("22P02", "invalid input syntax");
  harness.server_sends(failed + ready('I'));
  EXPECT_EQ(harness.to_client, failed + ready('I'));
  EXPECT_TRUE(harness.to_server.ends_with(query("select 1")));
  harness.server_sends(complete("SELECT 1") + ready('I'));
  harness.client_sends(query("select forbidden"));
  EXPECT_TRUE(harness.to_client.ends_with(kRefused + ready('I')));
}

TEST(CopyIn, error_while_data_is_still_coming_keeps_the_answers_in_step) {
  const std::string failed = error("22P02", "invalid input syntax");
  const Trace trace =
      run_every_way(with_gatekeeper(),
                    {client(query("copy t from stdin")), server(message('G', "\0\0\0"s)),
                     client(message('d', "x\n")), server(failed + ready('I')),
                     client(message('d', "y\n") + message('c', "") + query("select forbidden"))});
  EXPECT_TRUE(trace.to_client.ends_with(failed + ready('I') + kRefused + ready('I')));
}

}  // namespace
}  // namespace helios::session::test
