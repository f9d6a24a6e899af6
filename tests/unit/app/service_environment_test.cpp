// SPDX-License-Identifier: Apache-2.0
//
// What a service manager says by variables: taken where it is meant for this process, refused where it is nonsense.

#include "app/service_environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace helios::app {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kOurs = 77;

base::Result<ServiceEnvironment> read(const std::map<std::string, std::string>& variables) {
  return read_service_environment(
      [&](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second.c_str();
      },
      kOurs);
}

TEST(ServiceEnvironment, without_variables_there_is_no_service_manager) {
  const auto found = read({});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->notify_socket, "");
  EXPECT_EQ(found->watchdog_us, 0);
  EXPECT_TRUE(found->descriptors.empty());
}

TEST(ServiceEnvironment, everything_that_is_meant_for_us_is_taken) {
  const auto found = read({{"NOTIFY_SOCKET", "/run/notify"},
                           {"WATCHDOG_PID", "77"},
                           {"WATCHDOG_USEC", "30000000"},
                           {"LISTEN_PID", "77"},
                           {"LISTEN_FDS", "3"},
                           {"LISTEN_FDNAMES", "one::three"}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->notify_socket, "/run/notify");
  EXPECT_EQ(found->watchdog_us, 30'000'000);
  ASSERT_EQ(found->descriptors.size(), 3U);
  EXPECT_EQ(found->descriptors[0].number, 3);
  EXPECT_EQ(found->descriptors[0].name, "one");
  EXPECT_EQ(found->descriptors[1].name, "unknown");
  EXPECT_EQ(found->descriptors[2].number, 5);
  EXPECT_EQ(found->descriptors[2].name, "three");
}

TEST(ServiceEnvironment, what_another_process_was_told_is_left_alone) {
  const auto found = read({{"WATCHDOG_PID", "76"},
                           {"WATCHDOG_USEC", "nonsense"},
                           {"LISTEN_PID", "76"},
                           {"LISTEN_FDS", "nonsense"}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->watchdog_us, 0);
  EXPECT_TRUE(found->descriptors.empty());
}

TEST(ServiceEnvironment, watchdog_without_a_process_is_ours_and_descriptors_without_one_are_not) {
  const auto found = read({{"WATCHDOG_USEC", "5"}, {"LISTEN_FDS", "1"}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->watchdog_us, 5);
  EXPECT_TRUE(found->descriptors.empty());
}

TEST(ServiceEnvironment, nonsense_is_an_error_that_names_the_variable) {
  for (const auto& [name, value] : std::map<std::string, std::string>{{"LISTEN_FDS", "257"},
                                                                      {"LISTEN_FDS ", "-1"},
                                                                      {"WATCHDOG_USEC", "1s"},
                                                                      {"LISTEN_PID", "77x"}}) {
    const auto trimmed = name.substr(0, name.find(' '));
    std::map<std::string, std::string> variables{{"LISTEN_PID", "77"}};
    variables[trimmed] = value;
    const auto found = read(variables);
    ASSERT_FALSE(found) << name;
    EXPECT_THAT(found.error().message, HasSubstr(trimmed + "=" + value + ": must be a number"));
  }
}

}  // namespace
}  // namespace helios::app
