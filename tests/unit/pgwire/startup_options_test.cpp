// SPDX-License-Identifier: Apache-2.0

// The switches inside the `options` key: they must be read as process_postgres_switches() of the
// server reads them, or the proxy and the server disagree about the tenant.

#include "pgwire/startup_packet.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace helios::pgwire {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs settings_of(std::string options) {
  StartupMessage message;
  message.parameters.emplace_back("options", std::move(options));
  return startup_settings(message, "helios.");
}

const Pairs kTenantIsAcme = {{"helios.tenant_id", "acme"}};

TEST(StartupOptions, every_spelling_of_a_switch_is_read) {
  for (const char* options : {
           "-c helios.tenant_id=acme",
           "-chelios.tenant_id=acme",
           "--helios.tenant_id=acme",
           "--helios.tenant-id=acme",
           "-c helios.tenant-id=acme",
           "-c HELIOS.Tenant_Id=acme",
           "  -c\t\n helios.tenant_id=acme \v\f\r",
           "-c helios.ten\\ant_id=acme",
           "\\-c helios.tenant_id=acme",
       }) {
    EXPECT_EQ(settings_of(options), kTenantIsAcme) << options;
  }
}

TEST(StartupOptions, switches_stand_in_clusters) {
  EXPECT_EQ(settings_of("-ec helios.tenant_id=acme"), kTenantIsAcme);
  EXPECT_EQ(settings_of("-eEFchelios.tenant_id=acme"), kTenantIsAcme);
  EXPECT_EQ(settings_of("-e-helios.tenant_id=acme"), kTenantIsAcme);
  EXPECT_EQ(settings_of("-e -F -c helios.tenant_id=acme"), kTenantIsAcme);
}

TEST(StartupOptions, argument_of_another_switch_is_not_a_setting) {
  for (const char option : std::string("BCDdfhkNprStvW")) {
    const std::string dash = std::string("-") + option;
    EXPECT_TRUE(settings_of(dash + "chelios.tenant_id=acme").empty()) << option;
    EXPECT_TRUE(settings_of(dash + " -chelios.tenant_id=acme").empty()) << option;
    EXPECT_EQ(settings_of(dash + " x -chelios.tenant_id=acme"), kTenantIsAcme) << option;
    EXPECT_EQ(settings_of(dash + "x -chelios.tenant_id=acme"), kTenantIsAcme) << option;
  }
}

TEST(StartupOptions, switch_without_an_argument_does_not_take_the_next_word) {
  for (const char option : std::string("beEFijlnOPsT")) {
    const std::string options = std::string("-") + option + " -c helios.tenant_id=acme";
    EXPECT_EQ(settings_of(options), kTenantIsAcme) << option;
  }
}

TEST(StartupOptions, reading_stops_at_the_first_word_that_is_no_switch) {
  const Pairs first_only = {{"helios.a", "1"}};
  EXPECT_EQ(settings_of("-c helios.a=1 shop -c helios.b=2"), first_only);
  EXPECT_EQ(settings_of("-c helios.a=1 - -c helios.b=2"), first_only);
  EXPECT_EQ(settings_of("-c helios.a=1 -- -c helios.b=2"), first_only);
  EXPECT_EQ(settings_of("-c helios.a=1 -- helios.b=2"), first_only)
      << "two dashes alone end the switches, they do not begin one";
  EXPECT_TRUE(settings_of("helios.a=1").empty());
}

TEST(StartupOptions, two_dashes_as_an_argument_end_nothing) {
  EXPECT_EQ(settings_of("-c -- -c helios.tenant_id=acme"), kTenantIsAcme);
}

TEST(StartupOptions, last_of_equal_names_wins) {
  EXPECT_EQ(settings_of("-c helios.tenant_id=globex --helios.Tenant-ID=acme"), kTenantIsAcme);
  EXPECT_EQ(settings_of("-c helios.a=1 -c helios.b=2 -c helios.a=3"),
            (Pairs{{"helios.a", "3"}, {"helios.b", "2"}}));
}

TEST(StartupOptions, value_begins_after_the_first_equals_sign) {
  EXPECT_EQ(settings_of("-c helios.a=b=c-d"), (Pairs{{"helios.a", "b=c-d"}}));
  EXPECT_EQ(settings_of("-c helios.a="), (Pairs{{"helios.a", ""}}));
}

TEST(StartupOptions, backslash_takes_the_next_byte_as_it_is) {
  EXPECT_EQ(settings_of("-c helios.a=x\\ y\\\\z"), (Pairs{{"helios.a", "x y\\z"}}));
  EXPECT_EQ(settings_of("-c helios.a=x\\\ty"), (Pairs{{"helios.a", "x\ty"}}));
  EXPECT_EQ(settings_of("-c helios.a=x\\"), (Pairs{{"helios.a", "x"}})) << "nothing follows it";
  EXPECT_TRUE(settings_of("\\").empty());
}

TEST(StartupOptions, switch_that_says_nothing_is_skipped) {
  for (const char* options : {"", "   ", "-c", "-c helios.a", "--helios.a", "-", "--", "-c =x",
                              "-e", "-c other.name=1"}) {
    EXPECT_TRUE(settings_of(options).empty()) << options;
  }
}

TEST(StartupOptions, missing_value_does_not_hide_the_next_switch) {
  EXPECT_EQ(settings_of("-c helios.a -c helios.tenant_id=acme"), kTenantIsAcme);
}

TEST(StartupOptions, names_outside_the_prefix_are_left_out) {
  EXPECT_EQ(settings_of("-c work_mem=1MB -c helios.tenant_id=acme -c heliosx=1"), kTenantIsAcme);
}

}  // namespace
}  // namespace helios::pgwire
