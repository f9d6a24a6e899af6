// SPDX-License-Identifier: Apache-2.0
//
// Goal: for an answer that was cut, a cancel request with the session's key reaches its server, and nothing else does before
// the server has closed that connection.

#include "hooks/chain.hpp"
#include "net/cancel_sender.hpp"
#include "unit/net/simulated_proxy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::net {
namespace {

using testing::HasSubstr;
using testing::Not;

// One row of any answer.
class OneRow final : public hooks::Plugin {
 public:
  [[nodiscard]] const hooks::PluginTraits& traits() const override { return traits_; }
  hooks::RunStatus run(hooks::Call& call) override {
    call.result.verdict.max_rows = 1;
    return hooks::RunStatus::done;
  }

 private:
  hooks::PluginTraits traits_{.name = "one", .has_pre_query = true};
};

class AnswerCaps : public testing::Test {
 protected:
  AnswerCaps() {
    auto chain = std::make_shared<hooks::Chain>(
        std::vector<std::shared_ptr<hooks::Plugin>>{std::make_shared<OneRow>()});
    proxy.proxy->replace_snapshot(
        {std::make_shared<const config::Config>(config::default_config()), std::move(chain)}, {},
        [] {});
    proxy.settle();
    session = proxy.open_session(7);
    proxy.say(*session.client, query("SELECT 1"));
    answered = session.client->got().size();
  }
  // The second of two rows is one too many. Returns the connection of the cancel request.
  SimulatedStream& cut() {
    proxy.say(*session.server, kRow + kRow);
    EXPECT_TRUE(session.worker->is_dialling());
    session.worker->connect_dialled();
    proxy.settle();
    return *session.worker->streams.back();
  }
  std::string client_got() { return session.client->got().substr(answered); }

  const std::string kRow = message('D', std::string("\0\1\0\0\0\1x", 7));
  const std::string kCancelled = message('E', std::string("SERROR\0C57014\0Mno\0\0", 19));
  SimulatedProxy proxy{1};
  SimulatedProxy::Session session;
  std::size_t answered = 0;
};

TEST_F(AnswerCaps, nothing_is_sent_before_the_request_is_done) {
  SimulatedStream& request = cut();
  EXPECT_EQ(request.got(), cancel_request(7, "key!"));
  proxy.say(*session.server, kRow + kCancelled + message('Z', "I"));
  EXPECT_THAT(client_got(), HasSubstr("54000"));
  EXPECT_TRUE(client_got().starts_with(kRow + "E"));
  proxy.say(*session.client, query("SELECT 2"));
  EXPECT_THAT(session.server->got(), Not(HasSubstr("SELECT 2")));
  request.ends();
  proxy.settle();
  EXPECT_THAT(session.server->got(), HasSubstr("SELECT 2"));
}

TEST_F(AnswerCaps, request_that_nobody_takes_is_given_up) {
  proxy.say(*session.server, kRow + kRow + kCancelled + message('Z', "I"));
  proxy.say(*session.client, query("SELECT 2"));
  proxy.pass_ms(kCancelTimeoutMs + 1);
  EXPECT_THAT(session.server->got(), HasSubstr("SELECT 2"));
}

TEST_F(AnswerCaps, session_that_ends_meanwhile_is_not_looked_for) {
  SimulatedStream& request = cut();
  session.client->ends();
  proxy.settle();
  session.server->ends();
  proxy.settle();
  request.ends();
  proxy.pass_ms(kCancelTimeoutMs);
  EXPECT_EQ(proxy.sessions(), 0U);
  EXPECT_TRUE(proxy.faults.lines().empty());
}

}  // namespace
}  // namespace helios::net
