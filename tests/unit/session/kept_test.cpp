// SPDX-License-Identifier: Apache-2.0

// What a client gets to see waits until what the hooks before it stored outlives the process.

#include "session_harness.hpp"
#include "support/manual_journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

class Kept : public testing::Test {
 protected:
  void connect(hooks::OnError on_error = hooks::OnError::deny) {
    plugin_ = std::make_shared<NativePlugin>(hooks::PluginTraits{
        .name = "p", .has_pre_query = true, .has_post_query = true, .on_error = on_error});
    Options options;
    options.plugins = {plugin_};
    session_ = std::make_unique<SessionHarness>(std::move(options));
    session_->store.attach(journal_, {});
    session_->connect();
  }
  void TearDown() override { journal_.reach(kv::kEveryTicket - 1); }

  hooks::CallResult with_ticket(kv::Ticket ticket, hooks::CallResult result = {}) {
    result.receipt = {session_->store, ticket};
    return result;
  }

  helios::test::ManualJournal journal_;  // outlives the store
  std::shared_ptr<NativePlugin> plugin_;
  std::unique_ptr<SessionHarness> session_;
};

TEST_F(Kept, answer_is_released_when_the_ticket_of_pre_query_is_kept) {
  connect();
  plugin_->pre_query = [this](hooks::Call&) { return with_ticket(5); };
  session_->client_sends(query("SELECT 1"));
  EXPECT_EQ(session_->take_to_server(), query("SELECT 1")) << "forwarding does not wait";
  session_->server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_EQ(session_->take_to_client(), "");
  journal_.reach(4);
  session_->run_executors();
  EXPECT_EQ(session_->take_to_client(), "");
  journal_.reach(5);
  session_->run_executors();
  EXPECT_EQ(session_->take_to_client(), complete("SELECT 1") + ready('I'));
}

// The beginning of a long one is on its way already, and its end is too long to be copied.
TEST_F(Kept, long_answer_does_not_wait_with_its_ready_for_query) {
  connect();
  plugin_->pre_query = [this](hooks::Call&) { return with_ticket(5); };
  session_->client_sends(query("SELECT 1"));
  const std::string answer = message('D', std::string(10'000, 'x')) + complete("SELECT 1");
  session_->server_sends(answer + ready('I'));
  EXPECT_EQ(session_->to_client, answer);
  journal_.reach(5);
  session_->run_executors();
  EXPECT_EQ(session_->to_client, answer + ready('I'));
}

TEST_F(Kept, session_that_ends_meanwhile_gives_what_waited_without_its_ready_for_query) {
  connect();
  plugin_->pre_query = [this](hooks::Call&) { return with_ticket(5); };
  session_->client_sends(query("SELECT 1"));
  session_->server_sends(complete("SELECT 1") + ready('I'));
  session_->drain(true);
  EXPECT_TRUE(session_->to_client.starts_with(complete("SELECT 1") + "E"));
  EXPECT_THAT(session_->to_client, HasSubstr("57P01"));
  EXPECT_EQ(session_->to_client.find(ready('I')), std::string::npos);
}

TEST_F(Kept, ticket_of_post_query_counts_as_well) {
  connect();
  plugin_->post_query = [this](hooks::Call&) { return with_ticket(7); };
  session_->client_sends(query("SELECT 1"));
  session_->server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_EQ(session_->take_to_client(), "");
  journal_.reach(7);
  session_->run_executors();
  EXPECT_EQ(session_->take_to_client(), complete("SELECT 1") + ready('I'));
}

TEST_F(Kept, nothing_waits_when_the_ticket_is_kept_already) {
  connect();
  journal_.reach(5);
  plugin_->pre_query = [this](hooks::Call&) { return with_ticket(5); };
  session_->client_sends(query("SELECT 1"));
  session_->server_sends(complete("SELECT 1") + ready('I'));
  EXPECT_EQ(session_->take_to_client(), complete("SELECT 1") + ready('I'));
}

TEST_F(Kept, refusal_rests_on_what_the_plugin_saw_and_waits_for_it) {
  connect();
  plugin_->pre_query = [this](hooks::Call&) { return with_ticket(5, block("no")); };
  session_->client_sends(query("SELECT 1"));
  EXPECT_EQ(session_->take_to_client(), "");
  journal_.reach(5);
  session_->run_executors();
  const std::string answer = session_->take_to_client();
  EXPECT_THAT(answer, HasSubstr(std::string("Mno\0", 4)));
  EXPECT_THAT(answer, EndsWith(ready('I')));
}

TEST_F(Kept, session_ends_when_the_ticket_cannot_be_kept) {
  connect();
  plugin_->pre_query = [this](hooks::Call&) { return with_ticket(5); };
  session_->client_sends(query("SELECT 1"));
  session_->server_sends(complete("SELECT 1") + ready('I'));
  journal_.break_down();
  session_->run_executors();
  EXPECT_THAT(session_->take_to_client(), HasSubstr("58030"));
  EXPECT_TRUE(session_->client_closed);
}

TEST_F(Kept, on_error_allow_releases_the_answer_all_the_same) {
  connect(hooks::OnError::allow);
  plugin_->pre_query = [this](hooks::Call&) { return with_ticket(5); };
  session_->client_sends(query("SELECT 1"));
  session_->server_sends(complete("SELECT 1") + ready('I'));
  journal_.break_down();
  session_->run_executors();
  EXPECT_EQ(session_->take_to_client(), complete("SELECT 1") + ready('I'));
}

TEST_F(Kept, client_that_leaves_meanwhile_is_no_harm) {
  connect();
  plugin_->pre_query = [this](hooks::Call&) { return with_ticket(5); };
  session_->client_sends(query("SELECT 1"));
  session_->server_sends(complete("SELECT 1") + ready('I'));
  session_->client_lost();
  journal_.reach(5);
  session_->run_executors();
  EXPECT_TRUE(session_->session->finished());
}

// With an authenticate hook that stored something, and a client that has introduced itself.
class KeptLogin : public Kept {
 protected:
  void introduce(hooks::AuthenticationVerdict verdict = {},
                 hooks::OnError on_error = hooks::OnError::deny) {
    plugin_ = std::make_shared<NativePlugin>(
        hooks::PluginTraits{.name = "p", .has_authenticate = true, .on_error = on_error});
    plugin_->authenticate = [this, verdict](hooks::Call&) {
      hooks::CallResult result;
      result.authentication = verdict;
      return with_ticket(5, std::move(result));
    };
    Options options;
    options.plugins = {plugin_};
    session_ = std::make_unique<SessionHarness>(std::move(options));
    session_->store.attach(journal_, {});
    session_->client_sends(startup_packet({{"user", "ann"}}));
  }
};

TEST_F(KeptLogin, server_is_dialled_when_the_ticket_is_kept) {
  introduce();
  EXPECT_FALSE(session_->asked_to_connect);
  journal_.reach(5);
  session_->run_executors();
  EXPECT_TRUE(session_->asked_to_connect);
}

TEST_F(KeptLogin, denial_rests_on_what_the_plugin_saw_and_waits_for_it) {
  introduce({.action = hooks::AuthenticationVerdict::Action::denied,
             .identity = {},
             .message = "third attempt",
             .detail = {},
             .hint = {}});
  EXPECT_EQ(session_->take_to_client(), "");
  journal_.reach(5);
  session_->run_executors();
  EXPECT_THAT(session_->take_to_client(), HasSubstr("third attempt"));
}

TEST_F(KeptLogin, is_refused_when_the_ticket_cannot_be_kept) {
  introduce();
  journal_.break_down();
  session_->run_executors();
  EXPECT_THAT(session_->take_to_client(), HasSubstr("58030"));
  EXPECT_FALSE(session_->asked_to_connect);
}

TEST_F(KeptLogin, on_error_allow_lets_in_all_the_same) {
  introduce({}, hooks::OnError::allow);
  journal_.break_down();
  session_->run_executors();
  EXPECT_TRUE(session_->asked_to_connect);
}

TEST_F(KeptLogin, client_that_leaves_meanwhile_is_no_harm) {
  introduce();
  session_->client_lost();
  EXPECT_FALSE(session_->session->finished());
  journal_.reach(5);
  session_->run_executors();
  EXPECT_TRUE(session_->session->finished());
  EXPECT_FALSE(session_->asked_to_connect);
}

}  // namespace
}  // namespace helios::session::test
