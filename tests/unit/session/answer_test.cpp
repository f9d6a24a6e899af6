// SPDX-License-Identifier: Apache-2.0
// Goal: rows of a plugin reach the client as an answer, alone or in the middle of something.
#include "pgwire/row_messages.hpp"
#include "session/answer_rows.hpp"
#include "session_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using namespace std::string_literals;

std::shared_ptr<hooks::Answer> two_rows() {
  auto answer = std::make_shared<hooks::Answer>();
  answer->columns = {{"n", 23}, {"it's", 25}};
  answer->rows = {{"1", "a"}, {"2", std::nullopt}};
  return answer;
}

// Answers statements that contain "cached".
struct Answering {
  std::vector<hooks::Outcome> outcomes;
  Options options;

  explicit Answering(std::shared_ptr<hooks::Answer> answer = two_rows()) {
    auto plugin = std::make_shared<NativePlugin>(
        hooks::PluginTraits{.name = "p", .has_pre_query = true, .has_post_query = true});
    plugin->pre_query = [answer](hooks::Call& call) {
      hooks::CallResult result;
      if (call.statement->text.find("cached") == std::string_view::npos) return result;
      result.verdict.action = hooks::Verdict::Action::answer;
      result.verdict.answer = answer;
      return result;
    };
    plugin->post_query = [this](hooks::Call& call) {
      outcomes.push_back(call.statement->outcome);
      return hooks::CallResult{};
    };
    options.plugins = {plugin};
  }
};

const std::string kStatement =
    "SELECT * FROM (VALUES ('1'::integer, 'a'::text), ('2'::integer, NULL::text)) AS "
    "helios_answer(\"n\", \"it's\")";

TEST(Answer, alone_and_idle_comes_from_the_proxy) {
  Answering plugin;
  const Trace trace = run_every_way(plugin.options, {client(query("select cached"))});
  EXPECT_EQ(trace.to_server, "");
  EXPECT_EQ(trace.to_client, answer_messages(*two_rows()) + ready('I'));
  EXPECT_THAT(plugin.outcomes, testing::Each(hooks::Outcome::answered));
}

TEST(Answer, in_a_transaction_comes_from_the_server) {
  Answering plugin;
  const Trace trace = run_every_way(
      plugin.options, {client(query("begin")), server(complete("BEGIN") + ready('T')),
                       client(query("select cached")), server(complete("SELECT 2") + ready('T'))});
  EXPECT_EQ(trace.to_server, query("begin") + query(kStatement));
  EXPECT_THAT(plugin.outcomes, testing::Each(hooks::Outcome::answered));
}

TEST(Answer, among_other_statements_comes_from_the_server) {
  Answering plugin;
  const Trace trace = run_every_way(
      plugin.options,
      {client(query("select 1; select cached; select 3")),
       server(complete("SELECT 1") + complete("SELECT 2") + complete("SELECT 1") + ready('I'))});
  EXPECT_EQ(trace.to_server, query("select 1; " + kStatement + "\n; select 3"));
}

TEST(Answer, behind_a_pipelined_query_comes_from_the_server) {
  Answering plugin;
  const Trace trace = run_every_way(
      plugin.options,
      {client(query("select 1") + query("select cached")),
       server(complete("SELECT 1") + ready('I') + complete("SELECT 2") + ready('I'))});
  EXPECT_EQ(trace.to_server, query("select 1") + query(kStatement));
}

TEST(Answer, without_rows_is_an_empty_result) {
  auto answer = two_rows();
  answer->rows.clear();
  EXPECT_EQ(answer_statement(*answer),
            "SELECT * FROM (VALUES (NULL::integer, NULL::text)) AS helios_answer(\"n\", \"it's\") "
            "WHERE false");
  EXPECT_TRUE(answer_messages(*answer).ends_with(pgwire::serialize_command_complete("SELECT 0")));
}

TEST(Answer, unusable_one_refuses_the_statement) {
  auto answer = two_rows();
  answer->rows.push_back({"only one"});
  Answering plugin(answer);
  const Trace trace = run_every_way(plugin.options, {client(query("select cached"))});
  EXPECT_NE(trace.to_client.find("unusable: a row has another width"), std::string::npos);
}

TEST(Answer, problems_are_named) {
  hooks::Answer answer;
  EXPECT_EQ(problem_of(answer, 1000), "it has no columns");
  answer.columns = {{"a\0b"s, 25}};
  EXPECT_EQ(problem_of(answer, 1000), "a column has no proper name");
  answer.columns = {{"a", 25}};
  answer.rows = {{"x\0"s}};
  EXPECT_EQ(problem_of(answer, 1000), "a value contains a NUL byte");
  answer.rows = {{std::string(2000, 'x')}};
  EXPECT_EQ(problem_of(answer, 1000), "it is too large");
  EXPECT_EQ(problem_of(answer, 10000), "");
}

}  // namespace
}  // namespace helios::session::test
