// SPDX-License-Identifier: Apache-2.0
//
// Goal: whoever guesses waits longer and longer, up to a bound; nobody is kept out for good, and nobody from another address.

#include "auth/failed_logins.hpp"

#include <gtest/gtest.h>

#include <string>

namespace helios::auth {
namespace {

using Alarm = FailedLogins::Alarm;

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr LoginOrigin kGuesser{.user = "ann", .origin = "there"};

struct Table : FailedLogins {
  config::Limits limits;  // 10 within 600 s, 500 to 4000 ms
  std::int64_t now_ns = 5 * kSecondNs;

  Alarm fail(const LoginOrigin& login) { return note_failure(login, limits, now_ns); }
  void fail_often(const LoginOrigin& login, int times) {
    for (int i = 0; i < times; ++i) fail(login);
  }
  std::uint32_t delay(const LoginOrigin& login) { return delay_ms(login, limits, now_ns); }
  void succeed(const LoginOrigin& login) { note_success(login, limits, now_ns); }
};

TEST(FailedLogins, delay_begins_behind_those_that_are_free_and_doubles_up_to_its_bound) {
  Table table;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(table.delay(kGuesser), 0U) << i;
    table.fail(kGuesser);
  }
  for (const std::uint32_t expected : {500U, 1000U, 2000U, 4000U, 4000U, 4000U}) {
    EXPECT_EQ(table.delay(kGuesser), expected);
    table.fail(kGuesser);
  }
}

TEST(FailedLogins, user_is_not_held_up_from_elsewhere_nor_another_one_from_there) {
  Table table;
  table.fail_often(kGuesser, 50);
  EXPECT_GT(table.delay(kGuesser), 0U);
  EXPECT_EQ(table.delay({.user = "ann", .origin = "elsewhere"}), 0U);
  EXPECT_EQ(table.delay({.user = "bob", .origin = "there"}), 0U);
}

TEST(FailedLogins, many_users_from_one_address_are_held_up_together) {
  Table table;
  for (int i = 0; i < 100; ++i) table.fail({.user = "user" + std::to_string(i), .origin = "there"});
  EXPECT_EQ(table.delay({.user = "another", .origin = "there"}), 500U);
  EXPECT_EQ(table.delay({.user = "user1", .origin = "elsewhere"}), 0U);
}

TEST(FailedLogins, many_addresses_do_not_hold_up_their_victim) {
  Table table;
  for (int i = 0; i < 500; ++i) table.fail({.user = "ann", .origin = "bot" + std::to_string(i)});
  EXPECT_EQ(table.delay({.user = "ann", .origin = "home"}), 0U);
  EXPECT_EQ(table.delay({.user = "ann", .origin = "bot1"}), 0U);
}

TEST(FailedLogins, failures_are_forgiven_however_many_they_were) {
  Table table;
  table.fail_often(kGuesser, 100'000);
  EXPECT_EQ(table.delay(kGuesser), 4000U);
  // One a minute: 13 count at most.
  table.now_ns += 239 * kSecondNs;
  EXPECT_EQ(table.delay(kGuesser), 500U);
  table.now_ns += 2 * kSecondNs;
  EXPECT_EQ(table.delay(kGuesser), 0U);
  table.fail(kGuesser);
  EXPECT_GT(table.delay(kGuesser), 0U);
  table.now_ns += 600 * kSecondNs;
  table.fail_often(kGuesser, 9);
  EXPECT_EQ(table.delay(kGuesser), 0U);
}

TEST(FailedLogins, few_failures_now_and_then_never_add_up) {
  Table table;
  for (int i = 0; i < 1000; ++i) {
    table.fail(kGuesser);
    table.now_ns += 60 * kSecondNs;
    EXPECT_EQ(table.delay(kGuesser), 0U);
  }
}

TEST(FailedLogins, who_gets_in_begins_anew) {
  Table table;
  table.fail_often(kGuesser, 50);
  table.now_ns += 120 * kSecondNs;  // those of the address are forgiven by now
  EXPECT_GT(table.delay(kGuesser), 0U);
  table.succeed(kGuesser);
  EXPECT_EQ(table.delay(kGuesser), 0U);
}

TEST(FailedLogins, who_has_got_in_does_not_wait_for_others_at_his_address) {
  Table table;
  const LoginOrigin regular{.user = "app", .origin = "there"};
  for (int i = 0; i < 300; ++i) table.fail({.user = "user" + std::to_string(i), .origin = "there"});
  EXPECT_GT(table.delay(regular), 0U);
  table.succeed(regular);
  EXPECT_EQ(table.delay(regular), 0U);
  table.fail_often(regular, 10);
  EXPECT_EQ(table.delay(regular), 500U);  // for his own he does
  table.succeed(regular);
  table.now_ns += 590 * kSecondNs;
  for (int i = 0; i < 300; ++i) table.fail({.user = "user" + std::to_string(i), .origin = "there"});
  EXPECT_EQ(table.delay(regular), 0U);
  table.now_ns += 11 * kSecondNs;
  EXPECT_GT(table.delay(regular), 0U);
}

TEST(FailedLogins, alarm_is_given_when_it_begins) {
  Table table;
  for (int i = 1; i <= 9; ++i) EXPECT_EQ(table.fail(kGuesser), Alarm::none) << i;
  EXPECT_EQ(table.fail(kGuesser), Alarm::login);
  EXPECT_EQ(table.fail(kGuesser), Alarm::none);
  Table of_user;
  Alarm last = Alarm::none;
  for (int i = 0; i < 100; ++i) last = of_user.fail({.user = "ann", .origin = std::to_string(i)});
  EXPECT_EQ(last, Alarm::user);
  Table of_origin;
  for (int i = 0; i < 100; ++i) last = of_origin.fail({.user = std::to_string(i), .origin = "x"});
  EXPECT_EQ(last, Alarm::origin);
}

TEST(FailedLogins, table_has_a_bound_and_forgets_the_oldest) {
  Table table;
  const LoginOrigin early{.user = "early", .origin = "early"};
  table.fail_often(early, 20);
  table.fail_often(kGuesser, 20);
  for (int i = 0; i < 20'000; ++i) {
    const std::string name = std::to_string(i);
    table.fail({.user = name, .origin = name});
    if (i % 1000 == 0) table.fail(kGuesser);
  }
  EXPECT_EQ(table.size(), FailedLogins::kMaxEntries);
  EXPECT_EQ(table.delay(early), 0U);
  EXPECT_EQ(table.delay(kGuesser), 4000U);
}

TEST(FailedLogins, zero_switches_it_off) {
  Table table;
  table.limits.failed_logins = 0;
  table.fail_often(kGuesser, 100);
  EXPECT_EQ(table.delay(kGuesser), 0U);
  EXPECT_EQ(table.size(), 0U);
}

TEST(FailedLogins, delay_that_does_not_grow) {
  Table table;
  table.limits.failed_login_delay_ms = 9000;
  table.limits.failed_login_max_delay_ms = 2000;
  table.fail_often(kGuesser, 30);
  EXPECT_EQ(table.delay(kGuesser), 2000U);
}

}  // namespace
}  // namespace helios::auth
