// SPDX-License-Identifier: Apache-2.0
#include "anchors/anchor.hpp"

#include <gtest/gtest.h>

namespace helios::anchors {
namespace {

const std::string kDigest = "00ff" + std::string(60, 'a');

Anchor some_anchor() {
  return {.time_ms = 1'704'067'200'007,
          .stream = {.space = "audit-chain", .stream = "trail"},
          .number = 10,
          .sha256 = kDigest};
}

TEST(Anchor, line_is_read_as_it_was_written) {
  const std::string line = to_line(some_anchor());
  EXPECT_EQ(line, "2024-01-01T00:00:00.007Z audit-chain/trail 10:" + kDigest);
  const auto read = parse_line(line);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_line(*read), line);
}

TEST(Anchor, json_has_the_same) {
  EXPECT_EQ(to_json(some_anchor()),
            R"({"time":"2024-01-01T00:00:00.007Z","stream":"audit-chain/trail","number":10,)"
            R"("sha256":")" +
                kDigest + "\"}");
}

TEST(Anchor, what_is_no_anchor_is_refused) {
  const std::string time = "2024-01-01T00:00:00.007Z";
  for (const std::string& line : {
           std::string(),
           std::string(" "),
           time,
           time + " audit-chain/trail",
           time + " audit-chain/trail 10",
           time + " audit-chain/trail 0:" + kDigest,
           time + " audit-chain/trail -1:" + kDigest,
           time + " audit-chain/trail +1:" + kDigest,
           time + " audit-chain/trail 99999999999999999999:" + kDigest,
           time + " audit-chain/trail 10:" + kDigest.substr(1),
           time + " audit-chain/trail 10:" + kDigest + " ",
           time + " audit-chain/trail 10:" + kDigest + "0",
           time + " audit-chain/trail 10:A" + kDigest.substr(1),
           time + " audit-chain 10:" + kDigest,
           time + " /trail 10:" + kDigest,
           time + "  audit-chain/trail 10:" + kDigest,
           "yesterday audit-chain/trail 10:" + kDigest,
       })
    EXPECT_FALSE(parse_line(line)) << line;
}

TEST(Anchor, stream_is_named_by_plugin_and_name) {
  EXPECT_EQ(parse_stream_id("audit_chain/trail"),
            (StreamId{.space = "audit-chain", .stream = "trail"}));
  for (const char* text : {"", "/", "a", "a/", "/a", "a/b/c", "a/.b", ".proxy/b", "a b/c"})
    EXPECT_FALSE(parse_stream_id(text)) << text;
}

}  // namespace
}  // namespace helios::anchors
