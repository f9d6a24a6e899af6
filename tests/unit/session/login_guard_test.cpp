// SPDX-License-Identifier: Apache-2.0
// Goal: logins are kept in bounds, and what a load balancer says of a client is what everything behind it sees.
#include "pgwire/cancel_request.hpp"
#include "pgwire/startup_packet.hpp"
#include "session_harness.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace helios::session::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::string_literals;

// Notes what it is asked, and says what it is told to.
class FakeAdmission final : public Admission {
 public:
  Arrival arrival = Arrival::welcome;
  std::optional<std::uint32_t> wait_ms = 0;
  FailureAlarm alarm = FailureAlarm::none;

  std::vector<std::string> present;  // origins
  int asked = 0;
  int failures = 0;
  int successes = 0;

  Arrival arrive(const std::string& origin) override {
    present.push_back(origin);
    return arrival;
  }
  void depart(const std::string& origin, Arrival) override {
    present.erase(std::ranges::find(present, origin));
  }
  std::optional<std::uint32_t> hold_up(const LoginClaim&) override {
    ++asked;
    return wait_ms;
  }
  FailureAlarm note_failure(const LoginClaim& claim) override {
    EXPECT_EQ(claim.user, "ann");
    ++failures;
    return alarm;
  }
  void note_success(const LoginClaim&) override { ++successes; }
  std::string enter(const std::string&, const std::string&) override { return {}; }
  void leave(const std::string&, const std::string&) override {}
};

const std::string kStart = startup_packet({{"user", "ann"}, {"database", "shop"}});
constexpr std::string_view kOrigin("\x0a\x01\x02\x03", 4);  // of 10.1.2.3

std::string cancel_request() {
  return pgwire::serialize_cancel_request({.process_id = 7, .secret = "abcd"});
}

// Rules of one line that ask by method `password`, with TLS or without.
auth::SharedLoginRules password_rules() {
  const helios::test::TemporaryFolder folder;
  config::Auth settings;
  settings.hba_file = folder.path() + "/hba";
  settings.user_file = folder.path() + "/users";
  settings.allow_cleartext_passwords = true;
  std::ofstream(settings.hba_file) << "host all all all password\n";
  std::ofstream(settings.user_file) << "\"ann\" \"secret\"\n";
  std::filesystem::permissions(settings.user_file, std::filesystem::perms::owner_read);
  return *auth::LoginRules::load(settings, "secret of the proxy");
}

Options asking(FakeAdmission& admission) {
  Options options;
  options.config.auth.allow_cleartext_passwords = true;
  options.admission = &admission;
  options.login_rules = password_rules();
  return options;
}

std::string password(std::string text) { return message('p', text + '\0'); }

// ---- How many are under way

TEST(LoginsUnderWay, place_is_held_until_the_client_is_in) {
  FakeAdmission admission;
  Options options;
  options.admission = &admission;
  SessionHarness harness(options);
  EXPECT_THAT(admission.present, ElementsAre(kOrigin));
  harness.connect();
  EXPECT_THAT(admission.present, IsEmpty());
  EXPECT_EQ(admission.successes, 1);
}

TEST(LoginsUnderWay, place_is_given_back_by_who_does_not_get_in) {
  FakeAdmission admission;
  Options options;
  options.admission = &admission;
  {
    SessionHarness harness(options);
    harness.client_sends(kStart.substr(0, 9));
    harness.client_lost();
  }
  EXPECT_THAT(admission.present, IsEmpty());
  EXPECT_EQ(admission.successes + admission.failures, 0);
}

TEST(LoginsUnderWay, who_is_turned_away_is_told_so_before_any_handshake) {
  FakeAdmission admission;
  admission.arrival = Arrival::too_many_of_origin;
  Options options;
  options.admission = &admission;
  options.config.tls.mode = config::TlsMode::prefer;
  for (const std::string& packet : {kStart, pgwire::ssl_request()}) {
    SessionHarness harness(options);
    harness.client_sends(packet);
    EXPECT_THAT(harness.to_client, HasSubstr("53300"));
    EXPECT_THAT(harness.to_client, HasSubstr("too many logins under way from this address"));
    EXPECT_THAT(harness.to_client, HasSubstr("max_address_logins_under_way"));
    EXPECT_TRUE(harness.client_closed);
    EXPECT_FALSE(harness.asked_to_connect);
    EXPECT_EQ(harness.counters.refused_logins, 1U);
  }
  SessionHarness direct(options);
  direct.client_sends("\x16\x03\x01");
  EXPECT_EQ(direct.to_client, "");
  EXPECT_TRUE(direct.client_closed);
  EXPECT_EQ(direct.counters.refused_logins, 1U);
  admission.arrival = Arrival::too_many;
  SessionHarness other(options);
  other.client_sends(kStart);
  EXPECT_THAT(other.to_client, HasSubstr("[limits] max_logins_under_way."));
}

TEST(LoginsUnderWay, cancel_requests_pass) {
  FakeAdmission admission;
  admission.arrival = Arrival::too_many;
  Options options;
  options.admission = &admission;
  SessionHarness harness(options);
  harness.client_sends(cancel_request());
  ASSERT_TRUE(harness.delivered_cancel);
  EXPECT_EQ(harness.delivered_cancel->secret, "abcd");
}

TEST(LoginsUnderWay, who_is_turned_away_and_silent_is_told_soon) {
  FakeAdmission admission;
  admission.arrival = Arrival::too_many;
  Options options;
  options.admission = &admission;
  SessionHarness harness(options);
  harness.pass_ms(LoginGuard::kFarewellMs - 1);
  EXPECT_FALSE(harness.client_closed);
  harness.pass_ms(2);
  EXPECT_THAT(harness.to_client, HasSubstr("53300"));
  EXPECT_TRUE(harness.session->finished());
}

TEST(LoginsUnderWay, crowd_is_dropped_without_a_word) {
  FakeAdmission admission;
  admission.arrival = Arrival::dropped;
  Options options;
  options.admission = &admission;
  SessionHarness harness(options);
  EXPECT_EQ(harness.counters.refused_logins, 1U);
  harness.pass_ms(2);
  EXPECT_EQ(harness.to_client, "");
  EXPECT_TRUE(harness.session->finished());
  SessionHarness talking(options);
  talking.client_sends(kStart);
  EXPECT_EQ(talking.to_client, "");
  EXPECT_TRUE(talking.session->finished());
}

TEST(LoginsUnderWay, os_user_is_an_origin_too) {
  FakeAdmission admission;
  Options options;
  options.admission = &admission;
  options.os_user = OsUser{.uid = 1001, .pid = 42, .name = "ann"};
  SessionHarness harness(options);
  EXPECT_THAT(admission.present, ElementsAre("uid 1001"));
}

// ---- Who waits

TEST(SlowedLogin, waits_before_the_server_hears_of_it) {
  FakeAdmission admission;
  admission.wait_ms = 500;
  Options options;
  options.admission = &admission;
  SessionHarness harness(options);
  harness.client_sends(kStart);
  EXPECT_FALSE(harness.asked_to_connect);
  EXPECT_FALSE(harness.session->wants_client_bytes());
  harness.pass_ms(499);
  EXPECT_FALSE(harness.asked_to_connect);
  harness.pass_ms(2);
  EXPECT_TRUE(harness.asked_to_connect);
  EXPECT_EQ(harness.counters.slowed_logins, 1U);
  harness.server_connected();
  harness.server_sends(server_greeting());
  EXPECT_EQ(admission.successes, 1);
  EXPECT_FALSE(harness.session->deadline_ns());
}

TEST(SlowedLogin, waits_before_its_password_is_looked_at) {
  FakeAdmission admission;
  SessionHarness harness(asking(admission));
  harness.client_sends(kStart);
  EXPECT_EQ(harness.take_to_client()[0], 'R');
  admission.wait_ms = 1000;  // others have failed meanwhile
  harness.client_sends(password("secret").substr(0, 3));
  EXPECT_FALSE(harness.session->wants_client_bytes());
  harness.client_sends(password("secret").substr(3));
  harness.pass_ms(999);
  EXPECT_FALSE(harness.asked_to_connect);
  harness.pass_ms(2);
  EXPECT_TRUE(harness.asked_to_connect);
  EXPECT_EQ(harness.counters.slowed_logins, 1U);
}

TEST(SlowedLogin, waits_once) {
  FakeAdmission admission;
  admission.wait_ms = 1000;
  SessionHarness harness(asking(admission));
  harness.client_sends(kStart);
  EXPECT_EQ(harness.to_client, "");
  harness.pass_ms(1001);
  EXPECT_EQ(harness.take_to_client()[0], 'R');
  harness.client_sends(password("wrong"));
  EXPECT_THAT(harness.to_client, HasSubstr("28P01"));
  EXPECT_EQ(admission.asked, 1);
  EXPECT_EQ(admission.failures, 1);
  EXPECT_EQ(harness.counters.failed_logins, 1U);
}

TEST(SlowedLogin, is_refused_where_too_many_wait) {
  FakeAdmission admission;
  admission.wait_ms = std::nullopt;
  Options options;
  options.admission = &admission;
  SessionHarness harness(options);
  harness.client_sends(kStart);
  EXPECT_THAT(harness.to_client, HasSubstr("53300"));
  EXPECT_THAT(harness.to_client, HasSubstr("[limits] failed_logins"));
  EXPECT_EQ(harness.counters.refused_logins, 1U);
}

TEST(SlowedLogin, ends_with_its_client_and_with_the_proxy_and_with_its_time) {
  FakeAdmission admission;
  admission.wait_ms = 1000;
  Options options;
  options.admission = &admission;
  options.config.limits.login_timeout_ms = 300;
  const auto ends = [&](auto event, std::string_view told) {
    SessionHarness harness(options);
    harness.client_sends(kStart);
    event(harness);
    EXPECT_THAT(harness.to_client, HasSubstr(std::string(told)));
    EXPECT_TRUE(harness.session->finished());
    EXPECT_FALSE(harness.asked_to_connect);
  };
  ends([](SessionHarness& harness) { harness.client_lost(); }, "");
  ends([](SessionHarness& harness) { harness.client_eof(); }, "");
  ends([](SessionHarness& harness) { harness.drain(false); }, "57P01");
  ends([](SessionHarness& harness) { harness.pass_ms(301); }, "57014");
  EXPECT_THAT(admission.present, IsEmpty());
}

TEST(FailedLogin, of_the_servers_counts_where_it_is_about_who_he_is) {
  for (const auto& [state, count] : {std::pair("28P01", 1), {"28000", 1}, {"3D000", 0}}) {
    FakeAdmission admission;
    Options options;
    options.admission = &admission;
    SessionHarness harness(options);
    harness.client_sends(kStart);
    harness.server_connected();
    harness.server_sends(error(state, "no", "FATAL"));
    EXPECT_EQ(admission.failures, count) << state;
    EXPECT_EQ(admission.successes, 0);
  }
}

TEST(FailedLogin, alarm_is_one_line_of_the_log) {
  FakeAdmission admission;
  SessionHarness harness(asking(admission));
  admission.alarm = FailureAlarm::login;
  harness.client_sends(kStart);
  harness.client_sends(password("wrong"));
  EXPECT_EQ(
      harness.log.count("many logins of user \"ann\" from 10.1.2.3 fail: the next ones have to "
                        "wait ([limits] failed_logins)"),
      1U);
}

// ---- PROXY headers

const std::string kHeader = "PROXY TCP4 192.0.2.7 10.0.0.5 40000 6432\r\n";

Options behind_front(FakeAdmission& admission) {
  Options options;
  options.is_front = true;
  options.admission = &admission;
  return options;
}

TEST(ProxyHeader, client_is_where_it_says) {
  FakeAdmission admission;
  Options options = behind_front(admission);
  std::string seen;
  auto plugin =
      std::make_shared<NativePlugin>(hooks::PluginTraits{.name = "p", .has_authenticate = true});
  plugin->authenticate = [&seen](hooks::Call& call) {
    seen = call.authentication->client_ip;
    return hooks::CallResult{};
  };
  options.plugins = {plugin};
  const std::string all = kHeader + kStart;
  for (std::size_t cut = 1; cut < all.size(); ++cut) {
    SessionHarness harness(options);
    EXPECT_THAT(admission.present, IsEmpty());  // nobody knows yet
    harness.client_sends(all.substr(0, cut));
    harness.client_sends(all.substr(cut));
    EXPECT_EQ(seen, "192.0.2.7") << cut;
    EXPECT_THAT(admission.present, ElementsAre("\xc0\0\2\7"s));
    EXPECT_TRUE(harness.asked_to_connect);
    seen.clear();
  }
}

TEST(ProxyHeader, what_may_follow_it) {
  FakeAdmission admission;
  Options options = behind_front(admission);
  options.config.tls.mode = config::TlsMode::prefer;
  SessionHarness ssl(options);
  ssl.client_sends(kHeader + pgwire::ssl_request());
  EXPECT_EQ(ssl.to_client, "S");
  SessionHarness cancel(options);
  cancel.client_sends(kHeader + cancel_request());
  EXPECT_TRUE(cancel.delivered_cancel);
  SessionHarness direct(options);
  direct.client_sends(kHeader + "\x16\x03\x01");
  EXPECT_FALSE(direct.client_closed);
  EXPECT_EQ(direct.to_client, "");
}

TEST(ProxyHeader, client_may_be_turned_away_by_his_own_address) {
  FakeAdmission admission;
  admission.arrival = Arrival::too_many_of_origin;
  SessionHarness harness(behind_front(admission));
  harness.client_sends(kHeader + kStart);
  EXPECT_THAT(harness.to_client, HasSubstr("53300"));
}

TEST(ProxyHeader, front_that_speaks_for_itself_is_the_client) {
  FakeAdmission admission;
  SessionHarness harness(behind_front(admission));
  harness.client_sends("PROXY UNKNOWN\r\n" + kStart);
  EXPECT_THAT(admission.present, ElementsAre(kOrigin));
  EXPECT_TRUE(harness.asked_to_connect);
}

TEST(ProxyHeader, by_the_unix_socket_makes_a_client_of_the_network) {
  FakeAdmission admission;
  Options options = behind_front(admission);
  options.os_user = OsUser{.uid = 1001, .pid = 42, .name = "haproxy"};
  SessionHarness harness(options);
  harness.client_sends(kHeader + kStart);
  EXPECT_EQ(harness.session->client_ip(), "192.0.2.7");
  EXPECT_THAT(admission.present, ElementsAre("\xc0\0\2\7"s));
}

TEST(ProxyHeader, wrong_one_ends_the_connection_with_a_line_of_the_log) {
  for (const std::string& bytes : {kStart, "PROXY nonsense\r\n"s, "\x16\x03\x01"s}) {
    FakeAdmission admission;
    SessionHarness harness(behind_front(admission));
    harness.client_sends(bytes);
    EXPECT_EQ(harness.to_client, "");
    EXPECT_TRUE(harness.session->finished());
    EXPECT_EQ(harness.counters.bad_proxy_headers, 1U);
    EXPECT_EQ(harness.log.count("PROXY header from 10.1.2.3 is wrong: "), 1U);
  }
}

TEST(ProxyHeader, that_nobody_asked_for_is_not_believed) {
  SessionHarness harness({});
  harness.client_sends(kHeader + kStart);
  EXPECT_EQ(harness.to_client, "");
  EXPECT_FALSE(harness.asked_to_connect);
  EXPECT_TRUE(harness.session->finished());
  EXPECT_EQ(harness.session->client_ip(), "10.1.2.3");
}

TEST(ProxyHeader, has_the_time_of_the_login) {
  FakeAdmission admission;
  Options options = behind_front(admission);
  options.config.limits.login_timeout_ms = 1000;
  SessionHarness harness(options);
  harness.client_sends(kHeader.substr(0, 20));
  harness.pass_ms(600);
  EXPECT_FALSE(harness.client_closed);
  harness.client_sends(kHeader.substr(20));
  harness.pass_ms(401);
  EXPECT_TRUE(harness.client_closed);
}

}  // namespace
}  // namespace helios::session::test
