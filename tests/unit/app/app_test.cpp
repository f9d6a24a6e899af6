// SPDX-License-Identifier: Apache-2.0
//
// The whole process in miniature: it starts, is told to end by signals, and says what is wrong with
// its configuration before it serves anybody.

#include "app/app.hpp"

#include "support/capture_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <unistd.h>

namespace helios::app {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

config::Config free_ports() {
  config::Config config = config::default_config();
  config.listen.addresses = {{"127.0.0.1", 0}};
  config.listen.workers = 2;
  config.admin.addresses = {{"127.0.0.1", 0}};
  return config;
}

// The signals go to the process, but every thread of it, the test's included, has them blocked while
// an App exists.
TEST(App, sigterm_ends_an_idle_process) {
  test::CaptureLog log;
  App app(free_ports(), log);
  const auto started = app.start();
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_EQ(log.count("listening on 127.0.0.1:"), 2U);
  EXPECT_EQ(log.count("ready"), 1U);
  ::kill(::getpid(), SIGTERM);
  app.run();
  EXPECT_EQ(log.count("stopped"), 1U);
}

TEST(App, signal_that_came_during_the_start_counts) {
  test::CaptureLog log;
  App app(free_ports(), log);
  ::kill(::getpid(), SIGINT);
  ASSERT_TRUE(app.start());
  app.run();
  EXPECT_EQ(log.count("stopped"), 1U);
}

TEST(App, sighup_reloads) {
  test::CaptureLog log;
  App app(free_ports(), log);
  ASSERT_TRUE(app.start());
  ::kill(::getpid(), SIGHUP);
  std::jthread end([&] {
    while (log.count("reloaded: 0 plugins in force") == 0) {
      std::this_thread::yield();
    }
    ::kill(::getpid(), SIGTERM);
  });
  app.run();
  EXPECT_EQ(log.count("reloaded: "), 1U);
}

// Runs `app`, and sends signals once the log shows what was awaited, one after the other.
void run_with_signals(App& app, test::CaptureLog& log,
                      const std::vector<std::pair<std::string, int>>& steps) {
  std::jthread sender([&] {
    for (const auto& [line, signal] : steps) {
      while (log.count(line) == 0) {
        std::this_thread::yield();
      }
      ::kill(::getpid(), signal);
    }
  });
  app.run();
}

TEST(App, sighup_reads_the_configuration_again) {
  test::CaptureLog log;
  auto next = free_ports();
  next.listen.workers = 3;
  next.log.level = config::LogLevel::error;
  next.shutdown.drain_timeout_ms = 1234;
  std::vector<config::LogLevel> levels;
  App app(free_ports(), log,
          {[&] { return next; }, [&](config::LogLevel level) { levels.push_back(level); }});
  ASSERT_TRUE(app.start());
  run_with_signals(app, log, {{"ready", SIGHUP}, {"reloaded: 0 plugins in force", SIGTERM}});
  EXPECT_EQ(levels, std::vector{config::LogLevel::error});
  EXPECT_EQ(log.count("reload: listen.workers has changed: that takes a restart"), 1U);
  EXPECT_EQ(log.count("within 1234 ms"), 1U);
}

TEST(App, wrong_configuration_at_sighup_changes_nothing) {
  test::CaptureLog log;
  App app(free_ports(), log,
          {[] {
             return base::Result<config::Config>(
                 base::fail(base::Errc::invalid, "h.toml:3: kv.max_keys: no such key"));
           },
           [](config::LogLevel) {}});
  ASSERT_TRUE(app.start());
  run_with_signals(app, log, {{"ready", SIGHUP}, {"reloaded: ", SIGTERM}});
  EXPECT_EQ(log.count("reload: h.toml:3: kv.max_keys: no such key; nothing changed"), 1U);
  EXPECT_EQ(log.count("within 30000 ms"), 1U);
}

TEST(App, busy_port_is_an_error_that_names_its_origin) {
  test::CaptureLog log;
  App first(free_ports(), log);
  ASSERT_TRUE(first.start());
  auto config = free_ports();
  config.listen.addresses = first.addresses();
  config.listen.origin = "h.toml:2: listen.addresses";
  App second(config, log);
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message,
              StartsWith("h.toml:2: listen.addresses: cannot listen on 127.0.0.1:"));
  EXPECT_THAT(started.error().message, HasSubstr("Address already in use"));
}

TEST(App, busy_admin_port_is_an_error_that_names_its_origin) {
  test::CaptureLog log;
  App first(free_ports(), log);
  ASSERT_TRUE(first.start());
  auto config = free_ports();
  config.admin.addresses = first.addresses();
  config.admin.origin = "h.toml:5: admin.addresses";
  App second(config, log);
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, StartsWith("h.toml:5: admin.addresses: "));
  EXPECT_EQ(log.count("ready"), 1U);
}

TEST(App, missing_plugin_folder_is_an_error_that_names_its_origin) {
  test::CaptureLog log;
  auto config = free_ports();
  config.plugins.directory = "/nowhere/plugins";
  config.plugins.origin = "h.toml:9: plugins.directory";
  for (const bool check_only : {true, false}) {
    App app(config, log);
    const auto result = check_only ? app.check() : app.start();
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, StartsWith("h.toml:9: plugins.directory: "));
  }
  EXPECT_TRUE(log.lines().empty());
}

TEST(App, process_without_admin_addresses_has_no_admin_server) {
  test::CaptureLog log;
  auto config = free_ports();
  config.admin.addresses.clear();
  App app(config, log);
  ASSERT_TRUE(app.start());
  EXPECT_EQ(log.count("listening on"), 1U);
}

}  // namespace
}  // namespace helios::app
