// SPDX-License-Identifier: Apache-2.0
//
// The command line: flags override the file, and whatever is wrong is one line that names the flag.

#include "cli/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <vector>

namespace helios::cli {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

ParsedCommandLine parse(std::initializer_list<const char*> words) {
  std::vector<const char*> argv = {"heliosproxy"};
  argv.insert(argv.end(), words);
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

base::Result<config::Config> config_of(std::initializer_list<const char*> words) {
  return make_config(*parse(words).options);
}

std::string error_of(std::initializer_list<const char*> words) {
  const auto config = config_of(words);
  return config ? "no error" : config.error().message;
}

TEST(CommandLine, nothing_gives_the_defaults) {
  const auto config = config_of({});
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->listen.is_default);
  EXPECT_EQ(config->server.port, 5432);
  EXPECT_FALSE(parse({}).options->check);
}

TEST(CommandLine, every_flag_arrives) {
  const auto config = config_of({"--listen", "127.0.0.1:7000", "--listen", "[::1]:7001", "--admin",
                                 "127.0.0.1:9000", "--server", "/tmp:5433", "--plugins",
                                 "/opt/plugins", "--log-level", "debug"});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->listen.addresses,
              ElementsAre(config::Address{"127.0.0.1", 7000}, config::Address{"::1", 7001}));
  EXPECT_FALSE(config->listen.is_default);
  EXPECT_EQ(config->listen.origin, "--listen");
  EXPECT_THAT(config->admin.addresses, ElementsAre(config::Address{"127.0.0.1", 9000}));
  EXPECT_FALSE(config->admin.is_default);
  EXPECT_EQ(config->server.host, "/tmp");
  EXPECT_EQ(config->server.port, 5433);
  EXPECT_EQ(config->plugins.directory, "/opt/plugins");
  EXPECT_EQ(config->plugins.origin, "--plugins");
  EXPECT_EQ(config->log.level, config::LogLevel::debug);
  EXPECT_TRUE(parse({"--check"}).options->check);
}

TEST(CommandLine, relative_plugin_folder_lies_where_the_command_was_given) {
  const auto config = config_of({"--plugins", "x/../plugins"});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->plugins.directory, (std::filesystem::current_path() / "plugins").string());
}

TEST(CommandLine, flags_override_the_file) {
  const auto path = std::filesystem::temp_directory_path() / "helios_options_test.toml";
  std::ofstream(path) << "[server]\nport = 1111\nconnect_timeout_ms = 7\n[listen]\nworkers = 5\n";
  const auto config = config_of({"--config", path.c_str(), "--server", "127.0.0.1:2222"});
  std::filesystem::remove(path);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server.port, 2222);
  EXPECT_EQ(config->server.connect_timeout_ms, 7U);
  EXPECT_EQ(config->listen.workers, 5U);
}

TEST(CommandLine, wrong_values_name_their_flag) {
  EXPECT_THAT(error_of({"--listen", "x"}), StartsWith("--listen x: must be an IP address"));
  EXPECT_THAT(error_of({"--admin", "x"}), StartsWith("--admin x: must be an IP address"));
  EXPECT_EQ(error_of({"--admin", "0.0.0.0:9090"}),
            "--admin: 0.0.0.0:9090: an address beyond loopback needs [[admin.tokens]]");
  EXPECT_THAT(error_of({"--server", "d b:1"}), StartsWith("--server d b:1: must be"));
  EXPECT_EQ(error_of({"--plugins", ""}), "--plugins: must be a folder");
  EXPECT_THAT(error_of({"--log-level", "loud"}),
              StartsWith("--log-level loud: must be one of \"debug\""));
  EXPECT_THAT(error_of({"--config", "/nowhere/h.toml"}), StartsWith("/nowhere/h.toml: "));
}

TEST(CommandLine, all_that_is_wrong_is_said_at_once) {
  const auto path = std::filesystem::temp_directory_path() / "helios_options_wrong_test.toml";
  std::ofstream(path) << "[server]\nport = 0\n";
  const auto message = error_of({"--config", path.c_str(), "--listen", "x", "--listen", "y",
                                 "--admin", "0.0.0.0:1", "--plugins", ""});
  std::filesystem::remove(path);
  // Without the file nobody knows what the admin address needs.
  EXPECT_THAT(message, testing::MatchesRegex(".*wrong_test.toml:2: server.port: [^\n]*\n"
                                             "--listen x: [^\n]*\n--listen y: [^\n]*\n"
                                             "--plugins: must be a folder"));
}

TEST(CommandLine, check_without_a_file_says_so) {
  EXPECT_THAT(error_of({"--check"}), StartsWith("--check: no configuration file is named"));
  EXPECT_EQ(error_of({"--check", "--config", "/dev/null"}), "no error");
}

TEST(CommandLine, unknown_flags_and_stray_words_are_refused_in_one_line) {
  for (const auto* word : {"--no-such-option", "stray", "--listen"}) {
    const auto parsed = parse({word});
    EXPECT_FALSE(parsed.options) << word;
    EXPECT_NE(parsed.exit_status, 0) << word;
    EXPECT_THAT(parsed.text, HasSubstr(word));
    EXPECT_EQ(std::ranges::count(parsed.text, '\n'), 1) << parsed.text;
  }
}

TEST(CommandLine, help_and_version_are_answered) {
  const auto help = parse({"--help"});
  EXPECT_FALSE(help.options);
  EXPECT_EQ(help.exit_status, 0);
  EXPECT_THAT(help.text, HasSubstr("--config"));
  const auto version = parse({"--version"});
  EXPECT_EQ(version.exit_status, 0);
  EXPECT_THAT(version.text, EndsWith(HELIOS_VERSION "\n"));
}

}  // namespace
}  // namespace helios::cli
