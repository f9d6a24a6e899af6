// SPDX-License-Identifier: Apache-2.0

// The manifest's keys, their defaults, and errors that name file, line and key.

#include "plugins/manifest.hpp"

#include <gtest/gtest.h>

namespace helios::plugins {
namespace {

base::Result<Manifest> parse(std::string_view text) {
  return parse_manifest(text, "p.toml", "p", config::PluginLimits());
}

TEST(Manifest, empty_one_is_the_default) {
  const auto manifest = parse("");
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->name, "p");
  EXPECT_EQ(manifest->version, "");
  EXPECT_FALSE(manifest->hooks);
  EXPECT_FALSE(manifest->imports);
  EXPECT_EQ(manifest->order, 0);
  EXPECT_EQ(manifest->on_error, hooks::OnError::deny);
  EXPECT_FALSE(manifest->all_statements);
  EXPECT_FALSE(manifest->durability);
  EXPECT_EQ(manifest->limits.timeout_ms, 100U);
  EXPECT_TRUE(manifest->config.empty());
}

TEST(Manifest, every_key_is_read) {
  const auto manifest = parse(R"(
name = "cost-governor"
version = "1.2.0"
hooks = ["pre_query", "post_query"]
order = -5
on_error = "allow"
statements = "all"
instance = "fresh"
durability = "strict"
imports = ["kv_get"]
[limits]
memory_mb = 4
table_elements = 10
timeout_ms = 50
output_kb = 64
[config]
region = "eu"
limit = "5"
)");
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->name, "cost-governor");
  EXPECT_EQ(manifest->version, "1.2.0");
  EXPECT_EQ(manifest->hooks, (std::vector<std::string>{"pre_query", "post_query"}));
  EXPECT_EQ(manifest->order, -5);
  EXPECT_EQ(manifest->on_error, hooks::OnError::allow);
  EXPECT_TRUE(manifest->all_statements);
  EXPECT_EQ(manifest->durability, kv::Durability::strict);
  EXPECT_EQ(manifest->imports, std::vector<std::string>{"kv_get"});
  EXPECT_EQ(manifest->limits.memory_mb, 4U);
  EXPECT_EQ(manifest->limits.table_elements, 10U);
  EXPECT_EQ(manifest->limits.timeout_ms, 50U);
  EXPECT_EQ(manifest->limits.output_kb, 64U);
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(manifest->config, (Pairs{{"limit", "5"}, {"region", "eu"}}));
}

TEST(Manifest, errors_name_file_line_and_key) {
  const struct {
    std::string_view text;
    std::string_view error;
  } kCases[] = {
      {"name = ", "p.toml:1: "},
      {"\nnmae = \"x\"", "p.toml:2: nmae: unknown key"},
      {"name = 1", "p.toml:1: name: must be a string"},
      {"hooks = \"pre_query\"", "p.toml:1: hooks: must be an array"},
      {"hooks = []", "p.toml:1: hooks: must name at least one hook"},
      {"hooks = [\"route\"]", "p.toml:1: hooks: \"route\" is not a hook that this version calls"},
      {"hooks = [\"a\\nb\"]", "p.toml:1: hooks: \"a\\x0ab\" is not a hook"},
      {"imports = [\"a\\nb\"]", "p.toml:1: imports: the proxy does not offer \"a\\x0ab\""},
      {"on_error = \"ignore\"", "p.toml:1: on_error: must be one of \"deny\", \"allow\""},
      {"statements = \"some\"", "p.toml:1: statements: must be one of"},
      {"durability = \"always\"", "p.toml:1: durability: must be one of \"memory\", "},
      {"instance = \"shared\"", "p.toml:1: instance: must be one of \"fresh\", \"reuse\""},
      {"imports = [\"open\"]", "p.toml:1: imports: the proxy does not offer \"open\""},
      {"order = 99999999999", "p.toml:1: order: must be from"},
      {"[limits]\ntimeout_ms = 101", "p.toml:2: limits.timeout_ms: must be from 1 to 100"},
      {"[limits]\nmodule_kb = 1", "p.toml:2: limits.module_kb: unknown key"},
      {"[config]\na = 1", "p.toml:2: config.a: must be a string"},
      {"[extra]", "p.toml:1: extra: unknown key"},
  };
  for (const auto& one : kCases) {
    const auto manifest = parse(one.text);
    ASSERT_FALSE(manifest) << one.text;
    EXPECT_TRUE(manifest.error().message.starts_with(one.error)) << one.text << "\n"
                                                                 << manifest.error().message;
    EXPECT_EQ(manifest.error().message.find('\n'), std::string::npos);
  }
}

}  // namespace
}  // namespace helios::plugins
