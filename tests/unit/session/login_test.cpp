// SPDX-License-Identifier: Apache-2.0
// Goal: who may in, and as whom: authenticate hooks, limits, timeouts. What rules say: identity_test.cpp.
#include "session_harness.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helios::session::test {
namespace {

using testing::Contains;
using testing::Pair;

struct Gatekeeper {
  hooks::AuthenticationVerdict verdict;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::optional<std::string> tenant;
  std::string asked_for;
  std::shared_ptr<NativePlugin> plugin = std::make_shared<NativePlugin>(
      hooks::PluginTraits{.name = "p", .has_authenticate = true, .has_pre_query = true});
  Options options;

  Gatekeeper() {
    plugin->authenticate = [this](hooks::Call& call) {
      asked_for = call.authentication->user + "@" + call.authentication->database + " from " +
                  call.authentication->client_ip;
      hooks::CallResult result;
      result.authentication = verdict;
      return result;
    };
    plugin->pre_query = [this](hooks::Call& call) {
      attributes = call.statement->context->attributes;
      tenant = call.statement->context->tenant_id;
      return hooks::CallResult{};
    };
    options.plugins = {plugin};
  }
};

TEST(Authenticate, denied_is_fatal_before_the_server_is_dialled) {
  for (const bool pending : {false, true}) {
    Gatekeeper keeper;
    keeper.verdict = {.action = hooks::AuthenticationVerdict::Action::denied,
                      .identity = {},
                      .message = "not you",
                      .detail = {},
                      .hint = {}};
    keeper.options.pending = pending;
    SessionHarness harness(keeper.options);
    harness.client_sends(startup_packet({{"user", "ann"}, {"database", "shop"}}));
    EXPECT_EQ(keeper.asked_for, "ann@shop from 10.1.2.3");
    EXPECT_FALSE(harness.asked_to_connect);
    EXPECT_NE(harness.to_client.find("28000"), std::string::npos);
    EXPECT_NE(harness.to_client.find("not you"), std::string::npos);
    EXPECT_TRUE(harness.session->finished());
  }
}

TEST(Authenticate, success_supplies_identity_and_pins_the_tenant) {
  for (const bool pending : {false, true}) {
    Gatekeeper keeper;
    keeper.verdict.action = hooks::AuthenticationVerdict::Action::success;
    keeper.verdict.identity = {
        .user_id = "7", .username = "ann", .roles = {"admin", "audit"}, .tenant_id = "acme"};
    keeper.options.pending = pending;
    SessionHarness harness(keeper.options);
    harness.connect();
    harness.client_sends(query("select 1"));
    EXPECT_EQ(keeper.tenant, "acme");
    EXPECT_THAT(keeper.attributes, Contains(Pair("identity.roles", "admin,audit")));
    harness.server_sends(complete("SELECT 1") + ready('I'));
    harness.take_to_server();
    harness.client_sends(query("set helios.tenant_id = 'other'"));
    EXPECT_EQ(harness.take_to_server(), "");
    EXPECT_NE(harness.to_client.find("is fixed to \"acme\""), std::string::npos);
  }
}

TEST(Authenticate, failing_hook_refuses_under_deny) {
  Gatekeeper keeper;
  keeper.plugin->authenticate = [](hooks::Call&) { return failure("trap"); };
  SessionHarness harness(keeper.options);
  harness.client_sends(startup_packet({{"user", "ann"}}));
  EXPECT_NE(harness.to_client.find("58000"), std::string::npos);
  EXPECT_FALSE(harness.asked_to_connect);
}

TEST(Authenticate, client_that_leaves_while_it_is_pending) {
  Gatekeeper keeper;
  keeper.options.pending = true;
  SessionHarness harness(keeper.options);
  harness.auto_run = false;
  harness.client_sends(startup_packet({{"user", "ann"}}));
  harness.client_lost();
  EXPECT_FALSE(harness.session->finished());
  harness.run_executors();
  EXPECT_TRUE(harness.session->finished());
  EXPECT_FALSE(harness.asked_to_connect);
}

class CountingAdmission final : public Admission {
 public:
  int present = 0;
  Arrival arrive(const std::string&) override { return Arrival::welcome; }
  void depart(const std::string&, Arrival) override {}
  std::optional<std::uint32_t> hold_up(const LoginClaim&) override { return 0; }
  FailureAlarm note_failure(const LoginClaim&) override { return FailureAlarm::none; }
  void note_success(const LoginClaim&) override {}
  std::string enter(const std::string& user, const std::string&) override {
    if (user == "eve") return "too many connections for user \"eve\"";
    ++present;
    return {};
  }
  void leave(const std::string&, const std::string&) override { --present; }
};

TEST(Limits, refused_admission_is_fatal_and_takes_no_place) {
  CountingAdmission admission;
  {
    SessionHarness harness({});
    harness.environment.admission = &admission;
    harness.client_sends(startup_packet({{"user", "eve"}}));
    EXPECT_NE(harness.to_client.find("53300"), std::string::npos);
    EXPECT_FALSE(harness.asked_to_connect);
  }
  {
    SessionHarness harness({});
    harness.environment.admission = &admission;
    harness.connect();
    EXPECT_EQ(admission.present, 1);
  }
  EXPECT_EQ(admission.present, 0);
}

struct TimeoutCase {
  const char* name;
  void (*configure)(config::Limits&);
  void (*prepare)(SessionHarness&);
  const char* sqlstate;
};

TEST(Timeouts, each_ends_the_session_with_its_own_code) {
  const TimeoutCase cases[] = {
      {"login", [](config::Limits& limits) { limits.login_timeout_ms = 1000; },
       [](SessionHarness&) {}, "57014"},
      {"connecting", [](config::Limits& limits) { limits.login_timeout_ms = 1000; },
       [](SessionHarness& harness) { harness.client_sends(startup_packet({{"user", "ann"}})); },
       "57P03"},
      {"idle", [](config::Limits& limits) { limits.idle_timeout_ms = 1000; },
       [](SessionHarness& harness) { harness.connect(); }, "57P05"},
      {"in transaction",
       [](config::Limits& limits) { limits.idle_in_transaction_timeout_ms = 1000; },
       [](SessionHarness& harness) {
         harness.connect();
         harness.client_sends(query("begin"));
         harness.server_sends(complete("BEGIN") + ready('T'));
       },
       "25P03"},
      {"query", [](config::Limits& limits) { limits.query_timeout_ms = 1000; },
       [](SessionHarness& harness) {
         harness.connect();
         harness.client_sends(query("select pg_sleep(10)"));
       },
       "57014"},
  };
  for (const TimeoutCase& each : cases) {
    Options options;
    options.config.limits.login_timeout_ms = 0;
    each.configure(options.config.limits);
    SessionHarness harness(options);
    harness.client_sends("");
    each.prepare(harness);
    harness.take_to_client();
    harness.pass_ms(999);
    EXPECT_EQ(harness.to_client, "") << each.name;
    harness.pass_ms(2);
    EXPECT_NE(harness.to_client.find(each.sqlstate), std::string::npos) << each.name;
    EXPECT_TRUE(harness.client_closed) << each.name;
  }
}

TEST(Timeouts, activity_starts_the_time_anew) {
  Options options;
  options.config.limits.idle_timeout_ms = 1000;
  SessionHarness harness(options);
  harness.connect();
  harness.pass_ms(900);
  harness.client_sends(query("select 1"));
  harness.pass_ms(900);
  harness.server_sends(complete("SELECT 1") + ready('I'));
  harness.pass_ms(900);
  EXPECT_FALSE(harness.client_closed);
  harness.pass_ms(200);
  EXPECT_TRUE(harness.client_closed);
}

TEST(Timeouts, none_is_set_by_default_once_connected) {
  SessionHarness harness({});
  harness.connect();
  EXPECT_FALSE(harness.session->deadline_ns().has_value());
}

}  // namespace
}  // namespace helios::session::test
