// SPDX-License-Identifier: Apache-2.0
//
// [state]: what only works together.

#include "config/config.hpp"

#include <gtest/gtest.h>

namespace helios::config {
namespace {

std::string error_of(std::string_view text) {
  auto config = parse_config(text, "h.toml");
  return config ? "no error" : config.error().message;
}

TEST(StateSection, strict_needs_a_state_directory) {
  const std::string why =
      "\"strict\" needs a place on disk: set state.directory, or use \"memory\"";
  EXPECT_EQ(error_of("[state]\ndurability = \"strict\"\n"), "h.toml:2: state.durability: " + why);
  EXPECT_EQ(error_of("[state.namespaces]\nx = \"strict\"\ny = \"memory\"\n"),
            "h.toml:2: state.namespaces.x: " + why);
  EXPECT_EQ(error_of("[state]\ndirectory = \"s\"\ndurability = \"strict\"\n"), "no error");
}

TEST(StateSection, archive_arrives) {
  const auto config = parse_config(R"(
    [state]
    directory = "state"
    archive = "/srv/archive"
    archive_above_bytes = 4096
    archive_after_days = 30
    archive_keep_days = 3650)",
                                   "h.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->state.archive, "/srv/archive");
  EXPECT_EQ(config->state.archive_above_bytes, 4096U);
  EXPECT_EQ(config->state.archive_after_days, 30U);
  EXPECT_EQ(config->state.archive_keep_days, 3650U);
}

TEST(StateSection, archive_needs_a_state_directory) {
  EXPECT_EQ(error_of("[state]\narchive = \"a\"\n"),
            "h.toml:2: state.archive: needs a state directory, whose records move there: set "
            "state.directory");
}

TEST(StateSection, archive_that_would_come_too_late_is_refused) {
  const auto with = [](const char* above) {
    return error_of("[state]\ndirectory = \"s\"\narchive = \"a\"\nmax_stream_bytes = 1600\n" +
                    std::string("archive_above_bytes = ") + above + "\n");
  };
  EXPECT_EQ(with("1499"), "no error");
  EXPECT_EQ(with("1500"),
            "h.toml:5: state.archive_above_bytes: must be less than 15/16 of "
            "state.max_stream_bytes, or appends are refused before anything moves");
}

TEST(StateSection, anchors_arrive) {
  const auto config = parse_config(R"(
    [state]
    directory = "state"
    [[state.anchors]]
    stream = "audit-chain/trail"
    every_s = 60
    file = "/srv/anchors"
    [[state.anchors]]
    stream = "audit-chain/trail"
    url = "https://anchors.example/helios"
    token_file = "token"
    ca_file = "ca.pem")",
                                   "h.toml");
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->state.anchors.size(), 2U);
  const StateAnchor& first = config->state.anchors[0];
  EXPECT_EQ(first.stream, "audit-chain/trail");
  EXPECT_EQ(first.every_s, 60U);
  EXPECT_EQ(first.file, "/srv/anchors");
  EXPECT_EQ(first.origin, "h.toml:4: state.anchors");
  const StateAnchor& second = config->state.anchors[1];
  EXPECT_EQ(second.every_s, 3600U);
  EXPECT_EQ(second.url, "https://anchors.example/helios");
  EXPECT_EQ(second.token_file, "token");
  EXPECT_EQ(second.ca_file, "ca.pem");
}

TEST(StateSection, anchors_need_a_state_directory) {
  EXPECT_EQ(error_of("[[state.anchors]]\nstream = \"a/b\"\nfile = \"f\"\n"),
            "h.toml:1: state.anchors: need a state directory: what is in memory only is forgotten, "
            "and an anchor of it would accuse the next trail");
}

TEST(StateSection, anchor_needs_a_stream_and_one_place) {
  const auto with = [](const std::string& keys) {
    return error_of("[state]\ndirectory = \"s\"\n[[state.anchors]]\n" + keys);
  };
  EXPECT_EQ(with("file = \"f\"\n"),
            "h.toml:3: state.anchors: needs a stream, as in audit-chain/trail");
  EXPECT_EQ(with("stream = \"a/b\"\n"), "h.toml:3: state.anchors: needs either file or url");
  EXPECT_EQ(with("stream = \"a/b\"\nfile = \"f\"\nurl = \"https://h/\"\n"),
            "h.toml:3: state.anchors: needs either file or url");
  EXPECT_EQ(with("stream = \"a/b\"\nurl = \"http://h/\"\n"),
            "h.toml:5: state.anchors.url: must begin with https://");
  EXPECT_EQ(with("stream = \"a/b\"\nfile = \"f\"\ntoken_file = \"t\"\n"),
            "h.toml:6: state.anchors.token_file: is of no meaning without url");
  std::string many = "[state]\ndirectory = \"s\"\n";
  for (int i = 0; i < 17; ++i) many += "[[state.anchors]]\nstream = \"a/b\"\nfile = \"f\"\n";
  EXPECT_EQ(error_of(many), "h.toml:51: state.anchors: is one too many: there may be 16");
}

}  // namespace
}  // namespace helios::config
