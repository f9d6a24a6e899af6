// SPDX-License-Identifier: Apache-2.0
// Goal: who comes through a Unix socket is known to hooks, and held to his own name where that is asked for.
#include "session_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;

Options unix_client(std::string name) {
  Options options;
  options.config = config::default_config();
  options.os_user = OsUser{.uid = 1001, .pid = 42, .name = std::move(name)};
  return options;
}

TEST(OsUser, hooks_find_him_in_the_attributes) {
  std::vector<std::pair<std::string, std::string>> attributes;
  auto options = unix_client("ann");
  auto plugin =
      std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "p", .has_pre_query = true});
  plugin->pre_query = [&attributes](hooks::Call& call) {
    attributes = call.statement->context->attributes;
    return hooks::CallResult{};
  };
  options.plugins = {plugin};
  SessionHarness harness(options);
  harness.connect();
  harness.client_sends(query("SELECT 1"));
  EXPECT_THAT(attributes,
              AllOf(Contains(Pair("os_user", "ann")), Contains(Pair("client_uid", "1001")),
                    Contains(Pair("client_pid", "42")), Not(Contains(Key("client_ip")))));
}

TEST(OsUser, authenticate_hooks_find_him_too) {
  std::vector<std::pair<std::string, std::string>> attributes;
  auto options = unix_client("ann");
  auto plugin =
      std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "p", .has_authenticate = true});
  plugin->authenticate = [&attributes](hooks::Call& call) {
    attributes = call.authentication->attributes;
    return hooks::CallResult{};
  };
  options.plugins = {plugin};
  SessionHarness harness(options);
  harness.connect();
  EXPECT_THAT(attributes, ElementsAre(Pair("os_user", "ann"), Pair("client_uid", "1001"),
                                      Pair("client_pid", "42")));
}

TEST(OsUser, peer_rule_holds_him_to_his_own_name) {
  struct Case {
    const char* os_user;
    bool rule;
    bool admitted;
  };
  for (const Case& each : {Case{"ann", true, true}, Case{"bob", true, false}, Case{"", true, false},
                           Case{"bob", false, true}, Case{"ANN", true, false}}) {
    auto options = unix_client(each.os_user);
    options.config.listen.unix_socket_peer = each.rule;
    SessionHarness harness(options);
    harness.client_sends(startup_packet({{"user", "ann"}, {"database", "shop"}}));
    EXPECT_EQ(harness.asked_to_connect, each.admitted) << each.os_user;
    if (each.admitted) {
      EXPECT_THAT(harness.to_client, IsEmpty());
    } else {
      EXPECT_THAT(harness.to_client, AllOf(HasSubstr("FATAL"), HasSubstr("28000")));
      EXPECT_TRUE(harness.session->finished());
    }
  }
}

TEST(OsUser, peer_rule_says_nothing_about_tcp) {
  Options options;
  options.config = config::default_config();
  options.config.listen.unix_socket_peer = true;
  SessionHarness harness(options);
  harness.client_sends(startup_packet({{"user", "ann"}}));
  EXPECT_TRUE(harness.asked_to_connect);
}

TEST(OsUser, encryption_requests_and_cancels_are_answered_as_by_tcp) {
  auto options = unix_client("bob");
  options.config.listen.unix_socket_peer = true;
  using namespace std::string_literals;
  SessionHarness harness(options);
  harness.client_sends("\0\0\0\x08\x04\xd2\x16\x2f"s);
  EXPECT_EQ(harness.take_to_client(), "N");
  SessionHarness cancelling(options);
  cancelling.client_sends(pgwire::serialize_cancel_request({7, "abcd"}));
  EXPECT_TRUE(cancelling.delivered_cancel);
}

}  // namespace
}  // namespace helios::session::test
