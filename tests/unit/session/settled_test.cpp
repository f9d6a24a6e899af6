// SPDX-License-Identifier: Apache-2.0
// Goal: settled runs once for each statement, after its post_query, before the client hears that its
// transaction has ended; in every protocol and at every end of a session.
#include "extended_messages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string_view name_of(hooks::Settlement settlement) {
  switch (settlement) {
    case hooks::Settlement::committed: return "committed";
    case hooks::Settlement::rolled_back: return "rolled back";
    case hooks::Settlement::unknown: return "unknown";
  }
  return "?";
}

// Writes down post_query as "post TEXT", settled as "TAG SETTLEMENT", with the text from scratch.
struct Settled : testing::Test {
  std::vector<std::string> events;
  std::shared_ptr<NativePlugin> plugin = std::make_shared<NativePlugin>(hooks::PluginTraits{
      .name = "p", .has_pre_query = true, .has_post_query = true, .has_settled = true});
  std::unique_ptr<SessionHarness> harness;

  Settled() {
    plugin->pre_query = [](hooks::Call& call) {
      const std::string_view text = call.statement->text;
      call.statement->plugins[call.slot].scratch.assign(text.begin(), text.end());
      return text.find("forbidden") == std::string_view::npos ? hooks::CallResult{} : block("no");
    };
    plugin->post_query = [this](hooks::Call& call) {
      events.push_back("post " + std::string(call.statement->text));
      return hooks::CallResult{};
    };
    plugin->settled = [this](hooks::Call& call) {
      const auto& scratch = call.statement->plugins[call.slot].scratch;
      events.push_back(std::string(scratch.begin(), scratch.end()) + ": " +
                       std::string(name_of(call.statement->settlement.value())));
      return hooks::CallResult{};
    };
    connect({});
  }

  void connect(Options options) {
    options.plugins = {plugin};
    harness = std::make_unique<SessionHarness>(std::move(options));
    harness->connect();
  }
  void run(std::string_view text, std::string_view tag, char status) {
    harness->client_sends(query(text));
    harness->server_sends(complete(tag) + ready(status));
  }
};

TEST_F(Settled, statement_alone_settles_before_its_ready_is_released) {
  harness->auto_run = false;
  plugin->elsewhere = &harness->elsewhere;
  harness->client_sends(query("select 1"));
  harness->run_executors();
  harness->server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_EQ(harness->take_to_client(), "");
  harness->run_executors();
  EXPECT_EQ(harness->take_to_client(), complete("SELECT 1") + ready('I'));
  EXPECT_THAT(events, ElementsAre("post select 1", "select 1: committed"));
}

TEST_F(Settled, statements_of_a_block_settle_when_it_ends) {
  run("begin", "BEGIN", 'T');
  run("select 1", "SELECT 1", 'T');
  run("select 2", "SELECT 1", 'T');
  EXPECT_THAT(events, ElementsAre("post select 1", "post select 2"));
  events.clear();
  run("commit", "COMMIT", 'I');
  EXPECT_THAT(events, ElementsAre("select 1: committed", "select 2: committed"));
}

TEST_F(Settled, block_that_failed_settles_with_its_end) {
  run("begin", "BEGIN", 'T');
  run("select 1", "SELECT 1", 'T');
  harness->client_sends(query("select 2"));
  harness->server_sends(error("22012", "division by zero") + ready('E'));
  run("commit", "ROLLBACK", 'I');
  EXPECT_THAT(events, ElementsAre("post select 1", "post select 2", "select 2: rolled back",
                                  "select 1: rolled back"));
}

TEST_F(Settled, pipeline_settles_at_sync_as_one_transaction) {
  const std::string pipeline = parse("", "select 1") + bind_to("", "") + execute() +
                               parse("", "select 2") + bind_to("", "") + execute() +
                               parse("", "select 3") + bind_to("", "") + execute() + sync();
  harness->client_sends(pipeline);
  harness->server_sends(parsed() + bound() + complete("SELECT 1") + parsed() + bound() +
                        error("22012", "division by zero") + ready('I'));
  EXPECT_THAT(events, ElementsAre("post select 1", "post select 2", "post select 3",
                                  "select 1: rolled back", "select 2: rolled back",
                                  "select 3: rolled back"));
}

TEST_F(Settled, batch_is_undone_by_an_error_that_answers_no_message) {
  harness->client_sends(parse("", "select 1") + bind_to("", "") + execute() + flush());
  harness->server_sends(parsed() + bound() + complete("SELECT 1"));
  harness->client_sends(flush());
  harness->server_sends(error("57014", "late"));
  harness->client_sends(sync());
  harness->server_sends(ready('I'));
  EXPECT_THAT(events, ElementsAre("post select 1", "select 1: rolled back"));
}

TEST_F(Settled, portal_that_is_left_open_settles_with_its_transaction) {
  harness->client_sends(parse("", "select 1") + bind_to("", "") + execute("", 1) + sync());
  harness->server_sends(parsed() + bound() + suspended() + ready('I'));
  EXPECT_THAT(events, ElementsAre("post select 1", "select 1: committed"));
}

TEST_F(Settled, portal_that_is_not_executed_settles_with_its_transaction) {
  run("begin", "BEGIN", 'T');
  harness->client_sends(parse("", "select 1") + bind_to("", "") + sync());
  harness->server_sends(parsed() + bound() + ready('T'));
  EXPECT_THAT(events, IsEmpty());
  run("commit", "COMMIT", 'I');
  EXPECT_THAT(events, ElementsAre("post select 1", "select 1: committed"));
}

TEST_F(Settled, refused_statement_is_rolled_back_at_once) {
  harness->client_sends(query("select forbidden"));
  EXPECT_THAT(events, ElementsAre("post select forbidden", "select forbidden: rolled back"));
  EXPECT_THAT(harness->to_client, HasSubstr("C42000"));
}

TEST_F(Settled, refusal_in_a_block_rolls_it_back) {
  run("begin", "BEGIN", 'T');
  run("select 1", "SELECT 1", 'T');
  harness->client_sends(query("select forbidden"));
  harness->server_sends(syntax_error() + ready('E'));
  run("commit", "ROLLBACK", 'I');
  EXPECT_THAT(events, ElementsAre("post select 1", "post select forbidden",
                                  "select forbidden: rolled back", "select 1: rolled back"));
}

TEST_F(Settled, answered_statement_is_committed) {
  plugin->pre_query = [](hooks::Call& call) {
    call.statement->plugins[call.slot].scratch = {'a'};
    hooks::CallResult result;
    result.verdict.action = hooks::Verdict::Action::answer;
    result.verdict.answer =
        std::make_shared<hooks::Answer>(hooks::Answer{.columns = {{.name = "a"}}, .rows = {{"1"}}});
    return result;
  };
  harness->client_sends(query("select 1"));
  EXPECT_THAT(events, ElementsAre("post select 1", "a: committed"));
}

TEST_F(Settled, client_that_leaves_between_statements_rolls_back) {
  run("begin", "BEGIN", 'T');
  run("select 1", "SELECT 1", 'T');
  harness->client_lost();
  EXPECT_THAT(events, ElementsAre("post select 1", "select 1: rolled back"));
}

TEST_F(Settled, lost_answer_leaves_everything_unknown) {
  run("begin", "BEGIN", 'T');
  run("select 1", "SELECT 1", 'T');
  harness->client_sends(query("commit"));
  harness->server_eof();
  EXPECT_THAT(events, ElementsAre("post select 1", "select 1: unknown"));
}

TEST_F(Settled, commit_that_was_answered_counts_although_the_connection_ends) {
  run("begin", "BEGIN", 'T');
  run("select 1", "SELECT 1", 'T');
  harness->client_sends(query("commit"));
  harness->server_sends(complete("COMMIT"));
  harness->client_lost();
  EXPECT_THAT(events, ElementsAre("post select 1", "select 1: committed"));
}

TEST_F(Settled, failing_hook_ends_the_session) {
  plugin->settled = [](hooks::Call&) { return failure("trap"); };
  harness->client_sends(query("select 1"));
  harness->take_to_client();
  harness->server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_THAT(harness->to_client, HasSubstr("failed in settled"));
  EXPECT_TRUE(harness->client_closed);
}

TEST_F(Settled, more_statements_than_fit_are_unknown) {
  Options options;
  options.config.limits.max_unsettled_statements = 16;
  connect(std::move(options));
  run("begin", "BEGIN", 'T');
  for (int i = 0; i < 17; ++i) run("select 1", "SELECT 1", 'T');
  EXPECT_EQ(events.size(), 18U);
  EXPECT_EQ(events.back(), "select 1: unknown");
}

TEST_F(Settled, thousands_of_statements_let_others_have_their_turn) {
  run("begin", "BEGIN", 'T');
  for (int i = 0; i < 200; ++i) run("select 1", "SELECT 1", 'T');
  harness->auto_run = false;
  harness->client_sends(query("commit"));
  harness->server_sends(complete("COMMIT") + ready('I'));
  EXPECT_LT(events.size(), 400U);
  EXPECT_EQ(harness->to_client.find(ready('I')), std::string::npos);
  harness->run_executors();
  EXPECT_EQ(events.size(), 400U);
}

TEST_F(Settled, plugin_with_nothing_but_settled_is_told_too) {
  const auto only =
      std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "q", .has_settled = true});
  only->settled = [this](hooks::Call& call) {
    events.emplace_back(name_of(call.statement->settlement.value()));
    return hooks::CallResult{};
  };
  harness->set_chain({only});
  run("select 1", "SELECT 1", 'I');
  EXPECT_THAT(events, ElementsAre("committed"));
}

TEST_F(Settled, plugin_that_goes_amid_a_transaction_is_told_its_end) {
  run("begin", "BEGIN", 'T');
  run("select 1", "SELECT 1", 'T');
  harness->set_chain({});
  run("select 2", "SELECT 1", 'T');
  run("commit", "COMMIT", 'I');
  EXPECT_THAT(events, ElementsAre("post select 1", "select 1: committed"));
}

}  // namespace
}  // namespace helios::session::test
