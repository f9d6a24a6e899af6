// SPDX-License-Identifier: Apache-2.0
//
// Whoever mends a configuration is told everything that is wrong with it at once.

#include "config/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

namespace helios::config {
namespace {

// Unknown keys, wrong types and wrong values, one mistake on every other line: none hides another.
TEST(Mistakes, every_section_reports_all_of_its_mistakes_beside_the_others) {
  constexpr std::string_view kMistakes[] = {
      "[listen]",
      "addreses = []",
      "[tcp]",
      "keepalive = 1",
      "[server]",
      "port = \"5432\"",
      "[admin]",
      "tls_key = \"a\"",
      "[admin.limits]",
      "idle_timeout_ms = 0",
      "[[admin.tokens]]",
      "scopes = [\"read\"]",
      "[[admin.tokens]]",
      "scopes = [\"reed\"]",
      "[protocol]",
      "unparsed = \"maybe\"",
      "[identity]",
      "rules = [1, { user = \"a\", rols = [] }]",
      "[tenant]",
      "required = \"yes\"",
      "[limits]",
      "max_connections = 0",
      "[plugins]",
      "required = [{ sha256 = \"0\" }]",
      "[plugins.limits]",
      "memory_mb = 1000",
      "[kv]",
      "max_key_bytes = 1.5",
      "[state]",
      "durability = \"strict\"",
      "[state.namespaces]",
      "a = \"always\"",
      "[kv_sql]",
      "readers = \"postgres\"",
      "[log]",
      "level = \"loud\"",
      "[shutdown]",
      "drain_timeout_ms = -1",
      "[no_such_section]",
      "a = 1",
  };
  std::string text;
  for (const auto line : kMistakes) text.append(line).push_back('\n');
  const auto parsed = parse_config(text, "h.toml");
  ASSERT_FALSE(parsed);
  const std::string message = parsed.error().message;
  for (std::size_t i = 0; i < std::size(kMistakes); i += 2) {
    const bool is_said = message.contains("h.toml:" + std::to_string(i + 1) + ": ") ||
                         message.contains("h.toml:" + std::to_string(i + 2) + ": ");
    EXPECT_TRUE(is_said) << kMistakes[i] << ' ' << kMistakes[i + 1] << "\n" << message;
  }
  // What stands beside a mistake is read as well.
  EXPECT_THAT(message, testing::HasSubstr("identity.rules: must be an array of tables"));
  EXPECT_THAT(message, testing::HasSubstr("identity.rules.rols: unknown key"));
  EXPECT_THAT(message, testing::HasSubstr("identity.rules: sets nothing"));
}

TEST(Mistakes, each_address_that_may_not_be_is_named) {
  const auto parsed =
      parse_config("[admin]\naddresses = [\"0.0.0.0:1\", \"127.0.0.1:2\", \"[::]:3\"]\n", "h.toml");
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().message, testing::HasSubstr("h.toml:2: admin.addresses: 0.0.0.0:1: "));
  EXPECT_THAT(parsed.error().message, testing::HasSubstr("h.toml:2: admin.addresses: [::]:3: "));
  EXPECT_THAT(parsed.error().message, testing::Not(testing::HasSubstr("127.0.0.1")));
}

}  // namespace
}  // namespace helios::config
