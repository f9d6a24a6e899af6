// SPDX-License-Identifier: Apache-2.0
// The client file: what it says, and all that is wrong with it at once.

#include "config/client_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

namespace helios::config {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::string problem(std::string_view text) {
  const auto file = parse_client_file(text, "client.toml");
  return file ? "" : file.error().message;
}

TEST(ClientFile, says_address_token_and_authority) {
  const auto file =
      parse_client_file("url = \"http://a:1\"\ntoken_file = \"t\"\nca = \"c\"\n", "f");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->url, "http://a:1");
  EXPECT_EQ(file->token_file, "t");
  EXPECT_EQ(file->ca, "c");
}

TEST(ClientFile, everything_wrong_is_said_with_its_line) {
  EXPECT_THAT(problem("url = 1\ntoken = \"t\"\n"),
              AllOf(HasSubstr("client.toml:1: url: "), HasSubstr("client.toml:2: token: ")));
  EXPECT_THAT(problem("token_file = \"t\"\n"), StartsWith("client.toml:1: url: must say"));
  EXPECT_THAT(problem("url = \n"), StartsWith("client.toml:1: "));
}

TEST(ClientFile, paths_are_relative_to_its_folder) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("client-file-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  const auto path = folder / "client.toml";
  std::ofstream(path) << "url = \"http://a\"\ntoken_file = \"t\"\nca = \"/etc/ca.pem\"\n";
  const auto file = load_client_file(path.string());
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->token_file, (folder / "t").string());
  EXPECT_EQ(file->ca, "/etc/ca.pem");
  EXPECT_EQ(load_client_file(path.string()).error().code, base::Errc::not_found);
}

}  // namespace
}  // namespace helios::config
