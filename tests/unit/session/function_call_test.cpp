// SPDX-License-Identifier: Apache-2.0
// Goal: a FunctionCall runs nothing that hooks have not been asked about: by a text that does the same where there is one,
// and not at all where there is none and somebody could object.
#include "extended_messages.hpp"
#include "session/large_objects.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(FunctionCall, is_refused_while_somebody_could_object) {
  Witness witness;
  const Trace trace = run_every_way(
      witness.options(), {client(message('F', "\0\0\0\1\0\0\0\0\0\0"s) + query("select 1"))});
  EXPECT_THAT(trace.to_client, HasSubstr("0A000"));
  EXPECT_EQ(trace.to_server, query("select 1"));
}

TEST(FunctionCall, that_is_refused_leaves_the_unnamed_statement) {
  Witness witness;
  SessionHarness harness(witness.options());
  harness.connect();
  harness.client_sends(parse("", "select 1") + sync());
  harness.server_sends(parsed() + ready('I'));
  harness.to_server.clear();
  harness.to_client.clear();
  const std::string call = message('F', "\0\0\0\1\0\0\0\0\0\0"s);
  harness.client_sends(call);
  EXPECT_THAT(harness.to_client, HasSubstr("0A000"));
  EXPECT_EQ(harness.to_server, "") << "idle: nobody else needs to know";

  harness.client_sends(bind_to("", "") + call);
  const std::string impossible = message('F', "\0\0\0\0\0\0\0\0\0\0"s);
  EXPECT_THAT(harness.to_server, testing::EndsWith(impossible))
      << "not a Query, which would end it";
  harness.to_client.clear();
  harness.server_sends(bound() + error("42883", "function with OID 0 does not exist") + ready('I'));
  EXPECT_THAT(harness.to_client, HasSubstr("0A000"));
  EXPECT_THAT(harness.to_client, testing::Not(HasSubstr("OID 0")));
}

TEST(FunctionCall, meets_its_hooks_where_it_may_pass) {
  Witness witness;
  Options options = witness.options();
  options.config.protocol.function_call = config::Policy::allow;
  const std::string call = message('F', "\0\0\0\1\0\0\0\0\0\0"s);
  const std::string answer = message('V', "\xff\xff\xff\xff") + ready('I');
  const Trace trace = run_every_way(options, {client(call), server(answer)});
  EXPECT_EQ(trace.to_server, call);
  EXPECT_EQ(trace.to_client, answer);
  witness.events.clear();
  run_scenario(options, {client(call), server(answer)});
  EXPECT_THAT(witness.events, ElementsAre("pre ", "post  executed"));
}

// lo_open(7, 131072), as libpq sends it.
const std::string kOpen =
    message('F', "\0\0\x03\xb8\0\1\0\1\0\2\0\0\0\4\0\0\0\7\0\0\0\4\0\2\0\0\0\1"s);
const std::string kOpened = message('V', "\0\0\0\4\0\0\0\0"s) + ready('I');

TEST(LargeObject, is_shown_as_the_statement_that_does_the_same) {
  std::vector<std::string> shown;
  auto plugin =
      std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "p", .has_pre_query = true});
  plugin->pre_query = [&](hooks::Call& call) {
    const hooks::StatementExecution& statement = *call.statement;
    shown.emplace_back(statement.text);
    EXPECT_EQ(statement.origin, hooks::Origin::function_call);
    for (const hooks::Parameter& parameter : statement.parameters) {
      shown.emplace_back(parameter.value.value_or("NULL"));
      EXPECT_TRUE(parameter.is_binary);
    }
    return hooks::CallResult{};
  };
  Options options;
  options.plugins = {plugin};
  const Trace trace = run_every_way(options, {client(kOpen), server(kOpened)});
  EXPECT_EQ(trace.to_server, kOpen);
  EXPECT_EQ(trace.to_client, kOpened);
  shown.clear();
  run_scenario(options, {client(kOpen), server(kOpened)});
  EXPECT_THAT(shown, ElementsAre("SELECT pg_catalog.lo_open($1, $2)", "\0\0\0\7"s, "\0\2\0\0"s));
}

TEST(LargeObject, is_refused_by_its_hooks) {
  auto plugin =
      std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "p", .has_pre_query = true});
  plugin->pre_query = [&](hooks::Call&) { return block("no large objects"); };
  Options options;
  options.plugins = {plugin};
  const Trace trace = run_every_way(options, {client(kOpen)});
  EXPECT_THAT(trace.to_client, HasSubstr("no large objects"));
  EXPECT_EQ(trace.to_server, "");
}

TEST(LargeObject, nothing_can_take_its_place) {
  auto plugin =
      std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "p", .has_pre_query = true});
  plugin->pre_query = [&](hooks::Call&) { return rewrite("select 1"); };
  Options options;
  options.plugins = {plugin};
  const Trace trace = run_every_way(options, {client(kOpen)});
  EXPECT_THAT(trace.to_client, HasSubstr("0A000"));
  EXPECT_EQ(trace.to_server, "");
}

TEST(LargeObject, whose_arguments_cannot_be_read_is_like_any_function) {
  Witness witness;
  const std::string cut = message('F', "\0\0\x03\xb8\0\1\0\1\0\2\0\0\0\4\0\0"s);
  const Trace trace = run_every_way(witness.options(), {client(cut)});
  EXPECT_THAT(trace.to_client, HasSubstr("0A000"));
  EXPECT_EQ(trace.to_server, "");
}

TEST(LargeObject, functions_that_read_the_servers_files_are_none) {
  for (const std::uint32_t function : {764U, 765U, 767U, 2078U, 0U}) {
    EXPECT_EQ(large_object_statement(function), "") << function;
  }
}

}  // namespace
}  // namespace helios::session::test
