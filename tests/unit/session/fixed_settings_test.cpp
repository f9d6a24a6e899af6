// SPDX-License-Identifier: Apache-2.0
// Goal: nothing that a statement shows, or hides, changes what is fixed; and nothing else is refused for it.
#include "session/fixed_settings.hpp"

#include "sql/analyzer.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

namespace helios::session {
namespace {

// The names that the first statement with a violation violates; "?": nobody can read which; "": none.
std::string violation(const FixedSettings& fixed, std::string_view text) {
  const auto analysis = sql::parse(text, {});
  EXPECT_TRUE(analysis->parsed) << text << ": " << analysis->error;
  for (const sql::Statement& statement : analysis->statements) {
    const auto found = fixed.violation_of(statement);
    if (found) return found->entry == nullptr ? "?" : found->entry->name;
  }
  return {};
}

FixedSettings agent_and_team() {
  FixedSettings fixed;
  fixed.fix("helios.team", "blue");
  fixed.fix("helios.agent_id", "bot-7");
  return fixed;
}

TEST(FixedSettings, what_was_said_last_of_a_name_counts) {
  FixedSettings fixed;
  EXPECT_TRUE(fixed.empty());
  fixed.close("helios.tenant_id");
  EXPECT_FALSE(fixed.empty());
  EXPECT_TRUE(fixed.is_closed("helios.tenant_id"));
  EXPECT_EQ(fixed.find("helios.tenant_id"), nullptr);
  fixed.fix("helios.tenant_id", "a");
  fixed.fix("helios.tenant_id", "b");
  EXPECT_FALSE(fixed.is_closed("helios.tenant_id"));
  EXPECT_EQ(*fixed.find("helios.tenant_id"), "b");
  EXPECT_EQ(fixed.entries().size(), 1U);
}

TEST(FixedSettings, every_spelling_of_another_value_is_one) {
  const FixedSettings fixed = agent_and_team();
  for (const char* text :
       {"SET helios.agent_id = 'x'", "SET SESSION helios.agent_id TO 'x'",
        "SET LOCAL helios.agent_id = 'x'", "SET \"HELIOS.Agent_ID\" = 'x'",
        "SET HELIOS.AGENT_ID = x", "SET U&\"\\0068elios\".agent_id = 'x'",
        "SET helios.agent_id = ''", "SELECT set_config('helios.agent_id', 'x', false)",
        "SELECT pg_catalog.set_config('helios.agent_id', 'x', true)",
        "SELECT set_config('helios.agent_id', $1, false)",
        "SELECT set_config('HELIOS.agent_id', $1, $2)",
        "PREPARE p AS SELECT set_config('helios.agent_id', 'x', false)",
        "PREPARE p AS SELECT set_config('helios.agent_id', $1, false)"}) {
    EXPECT_EQ(violation(fixed, text), "helios.agent_id") << text;
  }
  EXPECT_EQ(violation(fixed, "SELECT 1; SET helios.team = 'red'"), "helios.team");
}

TEST(FixedSettings, what_cannot_be_read_is_one) {
  const FixedSettings fixed = agent_and_team();
  for (const char* text :
       {"SELECT set_config(n, 'x', false) FROM t",
        "SELECT set_config('helios.' || 'x', 'x', false)", "SELECT set_config($1, 'x', false)",
        "SELECT set_config('helios.other', f(), false)", "SET helios.agent_id FROM CURRENT",
        "UPDATE pg_settings SET setting = 'x'",
        "DO $$ BEGIN PERFORM set_config('helios.agent_id', 'x', false); END $$",
        "PREPARE p AS SELECT set_config($1, $2, false)",
        "PREPARE p AS SELECT set_config('helios.other', $1, false) FROM t",
        "DECLARE c CURSOR FOR SELECT set_config(n, 'x', false) FROM t",
        "WITH x AS (SELECT set_config('helios.agent_id', 'x', false)) TABLE x"}) {
    EXPECT_EQ(violation(fixed, text), "?") << text;
  }
}

TEST(FixedSettings, the_rest_is_none) {
  const FixedSettings fixed = agent_and_team();
  for (const char* text : {"SET helios.agent_id = 'bot-7'",
                           "SELECT set_config('helios.team', 'blue', true)",
                           "SET helios.other = 'x'",
                           "SET helios.agent = 'x'",
                           "SET work_mem = '1MB'",
                           "SELECT set_config('helios.other', $1, $2)",
                           "SELECT set_config('work_mem', f(), false)",
                           "PREPARE p AS SELECT set_config('helios.other', $1, false)",
                           "PREPARE p AS SELECT set_config('helios.agent_id', 'bot-7', false)",
                           "RESET helios.agent_id",
                           "SET helios.agent_id TO DEFAULT",
                           "SET LOCAL helios.team TO DEFAULT",
                           "RESET ALL",
                           "DISCARD ALL",
                           "SELECT set_config('helios.agent_id', NULL, false)",
                           "EXECUTE p",
                           "FETCH c",
                           "SHOW helios.agent_id",
                           "SELECT 'SET helios.agent_id = 1'",
                           "ALTER ROLE ann SET helios.agent_id = 'x'"}) {
    EXPECT_EQ(violation(fixed, text), "") << text;
  }
}

TEST(FixedSettings, closed_admits_no_value_and_fixed_to_none_only_none) {
  FixedSettings fixed;
  fixed.close("helios.tenant_id");
  fixed.fix("helios.team", "");
  EXPECT_EQ(violation(fixed, "SET helios.tenant_id = ''"), "helios.tenant_id");
  EXPECT_EQ(violation(fixed, "SET helios.team = ''"), "");
  EXPECT_EQ(violation(fixed, "SET helios.team = 'x'"), "helios.team");
  EXPECT_EQ(violation(fixed, "SELECT set_config('helios.team', $1, false)"), "helios.team");
  EXPECT_EQ(violation(fixed, "SELECT set_config(n, '', false) FROM t"), "?");
}

TEST(FixedSettings, nothing_fixed_is_never_violated) {
  const FixedSettings fixed;
  EXPECT_EQ(violation(fixed, "SET helios.tenant_id = 'x'"), "");
  EXPECT_EQ(violation(fixed, "SELECT set_config(n, 'x', false) FROM t"), "");
}

TEST(FixedSettings, stored_query_that_nobody_has_read_is_one) {
  sql::Statement statement;
  statement.settings.push_back({.kind = sql::SettingChange::Kind::stored, .name = {}, .value = {}});
  ASSERT_TRUE(agent_and_team().violation_of(statement));
  statement.query = std::make_shared<sql::Analysis>();
  ASSERT_TRUE(agent_and_team().violation_of(statement));
  auto shows_nothing = std::make_shared<sql::Analysis>();
  shows_nothing->parsed = true;
  shows_nothing->statements.resize(1);
  statement.query = shows_nothing;
  EXPECT_TRUE(agent_and_team().violation_of(statement));
}

// Statements are put together from parts of which it is known what they change; a model says what is refused.
TEST(FixedSettings, random_statements_beside_a_model) {
  std::mt19937 random(7);
  const std::vector<std::string> names = {"helios.a", "helios.b", "helios.c", "work_mem"};
  const auto pick = [&random](const std::vector<std::string>& from) {
    return from[random() % from.size()];
  };
  int refused = 0;
  constexpr int kRounds = 3000;
  for (int round = 0; round < kRounds; ++round) {
    FixedSettings fixed;
    std::set<std::string> fixed_names;
    for (const auto& name : {"helios.a", "helios.b"}) {
      if (random() % 2 == 0) continue;
      fixed.fix(name, "1");
      fixed_names.insert(name);
    }
    std::string text;
    bool is_refused = false;
    const auto add = [&](std::string words, bool is_violation) {
      text += std::move(words) + "; ";
      is_refused |= is_violation;
    };
    for (auto parts = 1 + random() % 3; parts > 0; --parts) {
      const std::string name = pick(names);
      const std::string value = pick({"1", "2"});
      const bool is_fixed = fixed_names.contains(name);
      const bool is_followed = name != "work_mem";
      const bool is_changed = is_fixed && value != "1";
      const std::string call = "SELECT set_config('" + name + "', ";
      switch (random() % 8) {
        case 0: add("SET " + name + " = '" + value + "'", is_changed); break;
        case 1: add("SET LOCAL " + name + " = '" + value + "'", is_changed); break;
        case 2: add(call + "'" + value + "', true)", is_changed); break;
        case 3: add("PREPARE p AS " + call + "'" + value + "', true)", is_changed); break;
        case 4: add("PREPARE p AS " + call + "$1, false)", is_fixed); break;
        case 5: add(call + "f(), false)", is_followed && !fixed.empty()); break;
        case 6: add("RESET " + pick({name, "ALL"}), false); break;
        case 7: add("EXECUTE p", false); break;
      }
    }
    EXPECT_EQ(!violation(fixed, text).empty(), is_refused) << text;
    refused += is_refused ? 1 : 0;
  }
  EXPECT_GT(refused, kRounds / 5);
  EXPECT_LT(refused, kRounds * 4 / 5);
}

}  // namespace
}  // namespace helios::session
