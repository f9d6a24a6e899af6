// SPDX-License-Identifier: Apache-2.0
// Goal: every Execute meets its hooks once, with its text and parameters; a refusal is its own and
// leaves client and server in step; nothing else on the wire changes.
#include "extended_messages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kRefusedByPlugin =
    pgwire::serialize_error_response(pgwire::Severity::error, "42000", "no");

TEST(Extended, batch_passes_unchanged_and_each_execute_is_hooked) {
  Witness witness;
  const std::string batch = parse("", "select $1") + bind_to("", "", {"a"}) + message('D', "P\0"s) +
                            execute() + bind_to("", "", {"b"}) + execute() + sync();
  const std::string answer = parsed() + bound() + message('n', "") + complete("SELECT 1") +
                             bound() + complete("SELECT 2") + ready('I');
  const Trace trace = run_every_way(witness.options(), {client(batch), server(answer)});
  EXPECT_EQ(trace.to_server, batch);
  EXPECT_EQ(trace.to_client, answer);
  witness.events.clear();
  run_scenario(witness.options(), {client(batch), server(answer)});
  EXPECT_THAT(witness.events,
              ElementsAre("pre select $1 [a]", "pre select $1 [b]", "post select $1 executed 1",
                          "post select $1 executed 2"));
}

TEST(Extended, statement_prepared_long_ago_is_hooked_at_every_execute) {
  Witness witness;
  SessionHarness harness(witness.options());
  harness.connect();
  harness.client_sends(parse("s1", "select 1") + sync());
  harness.server_sends(parsed() + ready('I'));
  EXPECT_THAT(witness.events, IsEmpty());
  for (int i = 0; i < 2; ++i) {
    harness.client_sends(bind_to("", "s1") + execute() + sync());
    harness.server_sends(bound() + complete("SELECT 1") + ready('I'));
  }
  EXPECT_THAT(witness.events, ElementsAre("pre select 1", "post select 1 executed 1",
                                          "pre select 1", "post select 1 executed 1"));
}

TEST(Extended, refused_bind_fails_at_the_server_and_the_rest_is_skipped) {
  Witness witness;
  const Trace trace = run_every_way(
      witness.options(),
      {client(parse("", "insert into t values (1)") + bind_to("", "") + execute() +
              parse("", "select forbidden") + bind_to("", "") + execute() + parse("", "select 3") +
              bind_to("", "") + execute() + query("select 4") + sync()),
       server(parsed() + bound() + complete("INSERT 0 1") + parsed() + syntax_error() + ready('I')),
       client(query("select 5"))});
  EXPECT_EQ(trace.to_server, parse("", "insert into t values (1)") + bind_to("", "") + execute() +
                                 parse("", "select forbidden") + refused_parse() + sync() +
                                 query("select 5"));
  EXPECT_EQ(trace.to_client,
            parsed() + bound() + complete("INSERT 0 1") + parsed() + kRefusedByPlugin + ready('I'));
}

TEST(Extended, refusal_stays_when_an_allowed_parse_follows) {
  Witness witness;
  SessionHarness harness(witness.options());
  harness.connect();
  harness.client_sends(parse("", "select forbidden") + bind_to("", "") + execute() +
                       parse("", "select 1") + bind_to("", "") + execute() + sync());
  EXPECT_THAT(witness.events, ElementsAre("pre select forbidden", "post select forbidden refused"));
}

TEST(Extended, other_error_than_the_expected_one_passes_unchanged) {
  Witness witness;
  const std::string cancelled = error("57014", "canceling statement due to user request");
  const Trace trace =
      run_every_way(witness.options(),
                    {client(parse("", "select forbidden") + bind_to("", "") + execute() + sync()),
                     server(parsed() + cancelled + ready('I'))});
  EXPECT_EQ(trace.to_client, parsed() + cancelled + ready('I'));
}

TEST(Extended, reload_in_a_pipeline_keeps_one_version_per_statement) {
  Witness old_version;
  Witness new_version;
  SessionHarness harness(old_version.options());
  harness.connect();
  harness.client_sends(parse("", "select 1") + bind_to("", "") + execute());
  harness.set_chain({new_version.plugin});
  harness.client_sends(parse("", "select 2") + bind_to("", "") + execute() + sync());
  harness.server_sends(parsed() + bound() + complete("SELECT 1") + parsed() + bound() +
                       complete("SELECT 1") + ready('I'));
  EXPECT_THAT(old_version.events, ElementsAre("pre select 1", "post select 1 executed 1"));
  EXPECT_THAT(new_version.events, ElementsAre("pre select 2", "post select 2 executed 1"));
}

TEST(Extended, message_that_is_too_long_is_refused_as_what_it_is_in_pieces_too) {
  Witness witness;
  Options options = witness.options();
  options.config.protocol.max_query_bytes = 64;
  const Trace trace =
      run_every_way(options, {client(parse("", "select " + std::string(100, 'E')) + sync()),
                              server(syntax_error() + ready('I'))});
  EXPECT_EQ(trace.to_server, refused_parse() + sync());
  EXPECT_THAT(trace.to_client, HasSubstr("longer than 64 bytes"));
}

TEST(Extended, errors_give_failed_and_skipped) {
  Witness witness;
  SessionHarness harness(witness.options());
  harness.connect();
  harness.client_sends(parse("", "select 1/0") + bind_to("", "") + execute() +
                       parse("", "select 2") + bind_to("", "") + execute() + sync());
  harness.server_sends(parsed() + bound() + error("22012", "division by zero") + ready('I'));
  EXPECT_THAT(witness.events, ElementsAre("pre select 1/0", "pre select 2",
                                          "post select 1/0 failed", "post select 2 skipped"));
}

TEST(Extended, what_the_server_skips_meets_no_hook) {
  Witness witness;
  SessionHarness harness(witness.options());
  harness.connect();
  harness.client_sends(parse("", "select * from missing") + flush());
  harness.server_sends(error("42P01", "no such table"));
  harness.client_sends(parse("", "select 2") + bind_to("", "") + execute() + query("select 3") +
                       sync());
  harness.server_sends(ready('I'));
  EXPECT_THAT(witness.events, IsEmpty());
  EXPECT_TRUE(harness.to_client.ends_with(ready('I')));
}

TEST(Extended, resumed_portal_is_one_execution_with_all_its_rows) {
  Witness witness;
  SessionHarness harness(witness.options());
  harness.connect();
  harness.client_sends(query("begin"));
  harness.server_sends(complete("BEGIN") + ready('T'));
  harness.client_sends(parse("", "select * from t") + bind_to("p", "") + execute("p", 2) + sync());
  harness.server_sends(parsed() + bound() + suspended() + ready('T'));
  harness.client_sends(execute("p", 2) + execute("p", 2) + sync());
  harness.server_sends(suspended() + complete("SELECT 1") + ready('T'));
  EXPECT_THAT(witness.events,
              ElementsAre("pre select * from t", "post select * from t executed 5"));
}

TEST(Extended, suspended_portal_ends_with_its_transaction) {
  Witness witness;
  SessionHarness harness(witness.options());
  harness.connect();
  harness.client_sends(parse("", "select * from t") + bind_to("p", "") + execute("p", 2) + sync());
  harness.server_sends(parsed() + bound() + suspended() + ready('I'));
  EXPECT_THAT(witness.events,
              ElementsAre("pre select * from t", "post select * from t executed 2"));
}

TEST(Extended, lost_connection_gives_suspended_and_unanswered_executions_their_end) {
  Witness witness;
  SessionHarness harness(witness.options());
  harness.connect();
  harness.client_sends(query("begin"));
  harness.server_sends(complete("BEGIN") + ready('T'));
  harness.client_sends(parse("", "select * from t") + bind_to("p", "") + execute("p", 2) + sync());
  harness.server_sends(parsed() + bound() + suspended() + ready('T'));
  harness.client_sends(parse("", "select 2") + bind_to("", "") + execute() + sync());
  harness.client_lost();
  EXPECT_THAT(witness.events, ElementsAre("pre select * from t", "pre select 2",
                                          "post select * from t lost", "post select 2 lost"));
}

TEST(Extended, malformed_message_is_the_servers_to_refuse_and_nothing_runs_behind_it) {
  for (const std::string& bad : {message('P', "\0select 1\0"s), message('C', "Xname\0"s)}) {
    Witness witness;
    const std::string said = error("08P01", "insufficient data left in message");
    const Trace trace = run_every_way(
        witness.options(), {client(bad + execute() + sync()), server(said + ready('I'))});
    EXPECT_EQ(trace.to_server, bad + sync());
    EXPECT_EQ(trace.to_client, said + ready('I'));
  }
}

// The server would call the input functions of the values in front of what is wrong.
TEST(Extended, malformed_bind_is_refused_in_the_servers_words) {
  const std::pair<std::string, std::string> kCases[] = {
      {"\0\0\0\0\0\5\0\0"s, "insufficient data left in message"},
      {"\0\0\0\0\0\1\xff\xff\xff\xfe\0\0"s, "insufficient data left in message"},
      {"portal"s, "invalid string in message"},
      {"\0\0\0\0\0\0\0\0x"s, "invalid message format"}};
  for (const auto& [bad, fault] : kCases) {
    Witness witness;
    const std::string known = parse("", "select 1") + sync();
    const Trace trace =
        run_every_way(witness.options(), {client(known), server(parsed() + ready('I')),
                                          client(message('B', bad) + execute() + sync()),
                                          server(syntax_error() + ready('I'))});
    EXPECT_EQ(trace.to_server, known + refused_parse() + sync());
    EXPECT_THAT(trace.to_client, HasSubstr(fault));
  }
}

TEST(Extended, malformed_bind_of_an_unknown_statement_says_that_first) {
  Witness witness;
  const Trace trace = run_every_way(
      witness.options(),
      {client(message('B', "\0\0\0\0\0\5\0\0"s) + sync()), server(syntax_error() + ready('I'))});
  EXPECT_THAT(trace.to_client, HasSubstr("C26000"));
}

TEST(Extended, malformed_execute_is_refused) {
  Witness witness;
  const Trace trace = run_every_way(witness.options(), {client(message('E', "\0\0"s) + sync()),
                                                        server(syntax_error() + ready('I'))});
  EXPECT_EQ(trace.to_server, refused_parse() + sync());
  EXPECT_THAT(trace.to_client, HasSubstr("insufficient data left in message"));
}

TEST(Extended, server_that_takes_a_malformed_message_makes_all_names_unknown) {
  Witness witness;
  SessionHarness harness(witness.options());
  harness.connect();
  harness.client_sends(parse("s", "select 1") + sync());
  harness.server_sends(parsed() + ready('I'));
  harness.client_sends(message('P', "s\0select forbidden\0"s) + sync());
  harness.server_sends(parsed() + ready('I'));
  harness.take_to_server();
  harness.client_sends(bind_to("", "s") + execute() + sync());
  EXPECT_EQ(harness.to_server, refused_parse() + sync());
}

TEST(Extended, no_client_may_bind_the_portal_that_must_not_exist) {
  Witness witness;
  SessionHarness harness(witness.options());
  harness.connect();
  harness.client_sends(parse("", "select 1") + bind_to(kPrivateName, "") + sync());
  EXPECT_EQ(harness.to_server, parse("", "select 1") + refused_parse() + sync());
}

TEST(Extended, text_that_cannot_be_read_is_refused_at_parse) {
  Witness witness;
  SessionHarness harness(witness.options());
  harness.connect();
  harness.client_sends(parse("", "selec 1") + bind_to("", "") + execute() + sync());
  EXPECT_EQ(harness.to_server, parse("", "selec 1") + refused_unnamed_parse() + sync());
  harness.server_sends(syntax_error() + ready('I'));
  EXPECT_EQ(harness.to_client, syntax_error() + ready('I'));
}

TEST(Extended, bind_behind_an_execute_that_changes_the_tenant_asks_for_its_answer) {
  Witness witness;
  std::vector<std::string> tenants;
  witness.plugin->pre_query = [&](hooks::Call& call) {
    tenants.push_back(call.statement->context->tenant_id.value_or("none"));
    return hooks::CallResult{};
  };
  SessionHarness harness(witness.options());
  harness.connect();
  const std::string first =
      parse("", "set helios.tenant_id = 'acme'") + bind_to("", "") + execute();
  const std::string second = parse("", "select 1");
  harness.client_sends(first + second + bind_to("", "") + execute() + sync());
  EXPECT_EQ(harness.take_to_server(), first + second + flush());
  EXPECT_THAT(tenants, IsEmpty());
  harness.server_sends(parsed() + bound() + complete("SET") + parsed());
  EXPECT_EQ(harness.take_to_server(), bind_to("", "") + execute() + sync());
  EXPECT_THAT(tenants, ElementsAre("acme"));
}

TEST(Extended, error_later_in_the_batch_undoes_a_set_before_it) {
  Witness witness;
  std::vector<std::string> tenants;
  witness.plugin->pre_query = [&](hooks::Call& call) {
    tenants.push_back(call.statement->context->tenant_id.value_or("none"));
    return hooks::CallResult{};
  };
  SessionHarness harness(witness.options());
  harness.connect();
  harness.client_sends(parse("", "set helios.tenant_id = 'acme'") + bind_to("", "") + execute() +
                       parse("", "select 1/0") + bind_to("", "") + execute() + sync());
  harness.server_sends(parsed() + bound() + complete("SET") + parsed());
  harness.server_sends(bound() + error("22012", "division by zero") + ready('I'));
  harness.client_sends(query("select 2"));
  EXPECT_THAT(tenants, ElementsAre("acme", "none"));
}

TEST(Extended, set_config_with_parameters_sets_the_tenant) {
  Witness witness;
  std::vector<std::string> tenants;
  witness.plugin->pre_query = [&](hooks::Call& call) {
    tenants.push_back(call.statement->context->tenant_id.value_or("none"));
    return hooks::CallResult{};
  };
  SessionHarness harness(witness.options());
  harness.connect();
  harness.client_sends(parse("", "select set_config('helios.tenant_id', $1, false)") +
                       bind_to("", "", {"acme"}) + execute() + sync());
  harness.server_sends(parsed() + bound() + complete("SELECT 1") + ready('I'));
  harness.client_sends(query("select 2"));
  EXPECT_THAT(tenants, ElementsAre("none", "acme"));
}

}  // namespace
}  // namespace helios::session::test
