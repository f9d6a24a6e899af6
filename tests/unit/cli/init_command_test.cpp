// SPDX-License-Identifier: Apache-2.0
//
// `heliosproxy init` writes a configuration that is accepted, and touches nothing that is there already.

#include "cli/init_command.hpp"

#include "config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace helios::cli {
namespace {

using testing::HasSubstr;

class Init : public testing::Test {
 protected:
  Init()
      : folder_(std::filesystem::temp_directory_path() /
                ("helios_init_" + std::to_string(::getpid()))) {}
  ~Init() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
};

TEST_F(Init, file_is_written_into_a_new_folder_and_accepted) {
  const auto written = run_init({.is_asked_for = true, .folder = folder_ / "new"});
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(*written, (folder_ / "new" / "heliosproxy.toml").string());
  const auto config = config::load_config(*written);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->listen.addresses.front().host, "127.0.0.1");
  EXPECT_EQ(config->plugins.directory, "");
  EXPECT_EQ(config->state.directory, "");
}

TEST_F(Init, file_that_is_there_stays_as_it_is) {
  std::filesystem::create_directories(folder_);
  std::ofstream(folder_ / "heliosproxy.toml") << "# mine\n";
  const auto written = run_init({.is_asked_for = true, .folder = folder_});
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("is there already and stays as it is"));
  std::string line;
  std::ifstream file(folder_ / "heliosproxy.toml");
  std::getline(file, line);
  EXPECT_EQ(line, "# mine");
}

TEST_F(Init, folder_that_cannot_be_is_an_error) {
  std::ofstream file(folder_);
  const auto written = run_init({.is_asked_for = true, .folder = folder_ / "below"});
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("cannot write "));
}

}  // namespace
}  // namespace helios::cli
