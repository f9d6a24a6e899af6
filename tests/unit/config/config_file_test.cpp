// SPDX-License-Identifier: Apache-2.0
//
// What is a matter of the file itself: where it is, and what lies beside it.

#include "config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace helios::config {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A folder of its own per test, gone afterwards.
class ConfigFile : public testing::Test {
 protected:
  ConfigFile() {
    const auto name = std::string("helios_config_") +
                      testing::UnitTest::GetInstance()->current_test_info()->name();
    folder_ = std::filesystem::temp_directory_path() / name;
    std::filesystem::create_directories(folder_);
  }
  ~ConfigFile() override { std::filesystem::remove_all(folder_); }

  std::string write(std::string_view text) {
    const auto path = folder_ / "h.toml";
    std::ofstream(path) << text;
    return path.string();
  }

  std::filesystem::path folder_;
};

TEST_F(ConfigFile, relative_plugin_folder_lies_beside_the_file) {
  const auto config = load_config(write("[plugins]\ndirectory = \"x/../plugins\"\n"));
  ASSERT_TRUE(config);
  EXPECT_EQ(config->plugins.directory, (folder_ / "plugins").string());
}

TEST_F(ConfigFile, absolute_plugin_folder_stays) {
  const auto config = load_config(write("[plugins]\ndirectory = \"/opt/plugins\"\n"));
  ASSERT_TRUE(config);
  EXPECT_EQ(config->plugins.directory, "/opt/plugins");
}

TEST_F(ConfigFile, messages_name_the_file) {
  const auto path = write("[server]\nport = 0\n");
  const auto config = load_config(path);
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, StartsWith(path + ":2: server.port: "));
}

TEST_F(ConfigFile, missing_file_and_folder_are_errors) {
  const auto missing = load_config((folder_ / "none.toml").string());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message,
            (folder_ / "none.toml").string() + ": cannot be opened: No such file or directory");
  const auto directory = load_config(folder_.string());
  ASSERT_FALSE(directory);
  EXPECT_THAT(directory.error().message, HasSubstr("is a folder"));
}

TEST_F(ConfigFile, huge_file_is_refused) {
  const auto config = load_config(write(std::string((1 << 20) + 1, '#')));
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, base::Errc::limit_exceeded);
}

}  // namespace
}  // namespace helios::config
