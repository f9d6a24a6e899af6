// SPDX-License-Identifier: Apache-2.0
#include "session/bound_settings.hpp"

#include "sql/analyzer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace helios::session {
namespace {

using namespace std::string_literals;
using sql::SettingChange;
using Kind = SettingChange::Kind;
using Parameters = std::vector<hooks::Parameter>;

hooks::Parameter text(std::string_view value, std::uint32_t type = 0, bool is_binary = false) {
  return {.type_oid = type, .is_binary = is_binary, .value = value};
}
hooks::Parameter null() { return {.type_oid = 0, .is_binary = false, .value = std::nullopt}; }

std::string resolve(std::string_view query, const Parameters& parameters) {
  const auto analysis = sql::parse(query, {});
  const auto resolved = resolve_bound_settings(analysis->statements.at(0), parameters);
  if (!resolved) return "not bound";
  std::string out;
  for (const SettingChange& change : resolved->settings) {
    switch (change.kind) {
      case Kind::set: out += "set " + change.name + "=" + change.value; break;
      case Kind::set_local: out += "local " + change.name + "=" + change.value; break;
      case Kind::reset: out += "reset " + change.name; break;
      case Kind::reset_local_default: out += "local default " + change.name; break;
      case Kind::unknown: out += "unknown"; break;
      default: out += "?"; break;
    }
  }
  return out;
}

TEST(BoundSettings, value_name_and_scope_may_be_parameters) {
  EXPECT_EQ(resolve("select set_config('helios.a', $1, false)", {text("x")}), "set helios.a=x");
  EXPECT_EQ(resolve("select set_config($1, $2, $3)", {text("Helios.A"), text("x"), text("t")}),
            "local helios.a=x");
  EXPECT_EQ(resolve("select set_config($1, 'x', false)", {text("work_mem")}), "");
  EXPECT_EQ(resolve("select set_config('helios.a', $1, true)", {text("x", 25, true)}),
            "local helios.a=x");
}

TEST(BoundSettings, null_value_resets) {
  EXPECT_EQ(resolve("select set_config('helios.a', $1, false)", {null()}), "reset helios.a");
  EXPECT_EQ(resolve("select set_config('helios.a', $1, true)", {null()}), "local default helios.a");
  EXPECT_EQ(resolve("select set_config($1, 'x', true)", {null()}), "");
}

TEST(BoundSettings, booleans_come_as_text_or_one_byte) {
  const std::string query = "select set_config('helios.a', 'x', $1)";
  EXPECT_EQ(resolve(query, {text("\1", 16, true)}), "local helios.a=x");
  EXPECT_EQ(resolve(query, {text("\0"s, 16, true)}), "set helios.a=x");
  EXPECT_EQ(resolve(query, {text("FALSE")}), "set helios.a=x");
  EXPECT_EQ(resolve(query, {null()}), "set helios.a=x");
  EXPECT_EQ(resolve(query, {text("perhaps")}), "unknown");
  EXPECT_EQ(resolve(query, {text("\0\1"s, 16, true)}), "unknown");
}

TEST(BoundSettings, what_cannot_be_told_is_unknown) {
  EXPECT_EQ(resolve("select set_config('helios.a', $1::text, false)", {text("7", 23)}), "unknown");
  EXPECT_EQ(resolve("select set_config('helios.a', $2, false)", {text("x")}), "unknown");
  EXPECT_EQ(resolve("select set_config($1, 'x', false)", {}), "unknown");
}

TEST(BoundSettings, other_statements_are_left_alone) {
  EXPECT_EQ(resolve("select $1", {text("x")}), "not bound");
  EXPECT_EQ(resolve("select set_config('helios.a', 'x', false)", {}), "not bound");
}

}  // namespace
}  // namespace helios::session
