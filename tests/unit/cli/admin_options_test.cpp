// SPDX-License-Identifier: Apache-2.0
// Which proxy is asked, and with which token, where the command line leaves it to the environment and the client file.

#include "cli/admin_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <unistd.h>

namespace helios::cli {
namespace {

class Complete : public testing::Test {
 protected:
  Complete() { std::filesystem::create_directories(folder_ / ".config/heliosproxy"); }
  ~Complete() override {
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
  }

  void write_file(const std::string& text) {
    std::ofstream(folder_ / ".config/heliosproxy/client.toml") << text;
  }
  base::Result<AdminOptions> completed(AdminOptions options = {}) {
    return complete(std::move(options), [this](const char* name) {
      const auto found = variables_.find(name);
      return found == variables_.end() ? nullptr : found->second.c_str();
    });
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("admin-options-" + std::to_string(::getpid()));
  std::map<std::string, std::string> variables_ = {{"HOME", folder_.string()}};
};

constexpr const char* kFile = "url = \"https://a:1\"\ntoken_file = \"/t\"\nca = \"/c\"\n";

TEST_F(Complete, without_anything_it_is_the_proxy_of_this_machine) {
  EXPECT_EQ(completed()->url, "http://127.0.0.1:9090");
  variables_.clear();
  EXPECT_EQ(completed()->url, "http://127.0.0.1:9090");
}

TEST_F(Complete, client_file_says_all_of_it) {
  write_file(kFile);
  const auto options = completed();
  ASSERT_TRUE(options);
  EXPECT_EQ(options->url, "https://a:1");
  EXPECT_EQ(options->token_file, "/t");
  EXPECT_EQ(options->ca_file, "/c");
}

TEST_F(Complete, token_of_the_file_goes_to_its_address_alone) {
  write_file(kFile);
  EXPECT_EQ(completed({.url = "https://b"})->token_file, "");
  EXPECT_EQ(completed({.url = "https://b"})->ca_file, "");
  EXPECT_EQ(completed({.url = "https://a:1"})->token_file, "/t");
  variables_["HELIOS_ADMIN_URL"] = "https://c";
  EXPECT_EQ(completed()->url, "https://c");
  EXPECT_EQ(completed()->token_file, "");
}

TEST_F(Complete, command_line_wins_over_variables_and_these_over_the_file) {
  write_file(kFile);
  EXPECT_EQ(completed({.token_file = "/mine"})->token_file, "/mine");
  variables_["HELIOS_ADMIN_TOKEN"] = "secret";
  EXPECT_EQ(completed()->token_file, "");
  EXPECT_EQ(completed()->ca_file, "/c");
  variables_["HELIOS_ADMIN_URL"] = "https://c";
  EXPECT_EQ(completed({.url = "https://b"})->url, "https://b");
}

TEST_F(Complete, file_that_is_named_must_be_there_and_right) {
  variables_["HELIOS_CLIENT_FILE"] = (folder_ / "other.toml").string();
  EXPECT_THAT(completed().error().message, testing::HasSubstr("other.toml: cannot be opened"));
  std::ofstream(folder_ / "other.toml") << "urll = \"http://a\"\n";
  EXPECT_THAT(completed().error().message, testing::HasSubstr("other.toml:1: urll"));
}

}  // namespace
}  // namespace helios::cli
