// SPDX-License-Identifier: Apache-2.0

#include "config/identity_section.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace helios::config {
namespace {

// A placeholder, and whether something fills it in for each client that the rule fits.
struct Placeholder {
  std::string_view word;
  bool is_filled;
  std::string_view otherwise;  // what is wrong where nothing does
};

std::vector<Placeholder> placeholders_of(const IdentityRule& rule) {
  const bool user_star = rule.user.contains('*');
  const bool database_star = rule.database.contains('*');
  // A user pattern that is nothing but the star tells nothing.
  const bool any_star = (user_star && rule.user != "*") || database_star;
  return {
      {"{user}", true, {}},
      {"{database}", true, {}},
      {"{user*}", user_star, "nothing fills in {user*}: no '*' in user"},
      {"{database*}", database_star, "nothing fills in {database*}: no '*' in database"},
      {"{os_user}", !rule.os_user.empty(), "nothing fills in {os_user}: the rule has no os_user"},
      {"{os_user*}", rule.os_user.contains('*'), "nothing fills in {os_user*}: no '*' in os_user"},
      {"{*}", any_star,
       "nothing fills in {*}: no '*' in database, and none beside other letters in user"},
  };
}

std::string unknown_placeholder(std::string_view word) {
  return "\"" + base::escape_for_log(word) +
         "\" is no placeholder; there are {user}, {user*}, {database}, {database*}, {os_user}, "
         "{os_user*} and {*}";
}

// What a value is made of, and whether there is something to fill it in with.
void check_value(TomlSection& section, std::string_view key, const IdentityRule& rule,
                 const std::string& value) {
  if (!section.has_text(key)) return;  // which has been said
  if (value.empty()) return section.add_problem(key, "must not be empty");
  if (value.size() > kMaxRuleTextBytes) {
    return section.add_problem(key,
                               "is longer than " + std::to_string(kMaxRuleTextBytes) + " bytes");
  }
  if (value.contains('\0')) return section.add_problem(key, "must not contain a NUL byte");
  const auto known = placeholders_of(rule);
  for (std::size_t at = 0; (at = value.find_first_of("{}", at)) != std::string::npos;) {
    const std::size_t end = value.find('}', at);
    const std::string word = value.substr(at, end == std::string::npos ? end : end - at + 1);
    const auto found = std::ranges::find(known, word, &Placeholder::word);
    if (found == known.end()) {
      section.add_problem(key, unknown_placeholder(word));
    } else if (!found->is_filled) {
      section.add_problem(key, found->otherwise);
    }
    at += word.size();
  }
}

void read_pattern(TomlSection& section, std::string_view key, std::string& out) {
  section.text(key, out);
  check_pattern(section, key, out);
}

void read_client(TomlSection& section, IdentityRule& rule) {
  std::string text = rule.client.text();
  section.text("client", text);
  auto client = ClientPattern::parse(text);
  if (!client) return section.add_problem("client", client.error().message);
  rule.client = *std::move(client);
  read_pattern(section, "os_user", rule.os_user);
  if (rule.os_user.empty() || rule.client.admits_local()) return;
  section.add_problem("client",
                      "only clients on the Unix socket have an OS user: write \"local\", or take "
                      "os_user away");
}

void read_word(TomlSection& section, std::string_view key, std::string_view setting,
               IdentityRule& rule) {
  std::string value;
  section.text(key, value);
  if (!section.has(key)) return;
  check_value(section, key, rule, value);
  rule.settings.emplace_back(setting, std::move(value));
}

// Commas part them, so none may stand in one; nor may a placeholder, whose name could hold one.
void read_roles(TomlSection& section, IdentityRule& rule) {
  std::vector<std::string> roles;
  section.texts("roles", roles);
  if (!section.has("roles")) return;
  if (roles.empty()) section.add_problem("roles", "must name at least one role");
  if (roles.size() > kMaxRuleRoles) {
    section.add_problem("roles", "must not name more than " + std::to_string(kMaxRuleRoles));
  }
  std::string all;
  for (const std::string& role : roles) {
    if (role.empty()) section.add_problem("roles", "a role must not be empty");
    if (role.size() > kMaxRuleTextBytes) {
      section.add_problem("roles",
                          "a role is longer than " + std::to_string(kMaxRuleTextBytes) + " bytes");
    }
    constexpr std::string_view kForbidden("{},\0", 4);
    if (role.find_first_of(kForbidden) != std::string::npos) {
      section.add_problem("roles", "\"" + base::escape_for_log(role) +
                                       "\": a role has no comma, no braces and no NUL byte");
    }
    all += (all.empty() ? "" : ",") + role;
  }
  rule.settings.emplace_back(kRolesSetting, std::move(all));
}

// As the server has names of custom settings, in the letters that plugins see.
bool is_setting_name(std::string_view name) {
  constexpr std::string_view kPrefix = "helios.";
  if (!name.starts_with(kPrefix) || name.size() > kMaxSettingNameBytes) return false;
  bool begins_part = true;
  for (const char c : name.substr(kPrefix.size())) {
    const bool is_letter = (c >= 'a' && c <= 'z') || c == '_';
    const bool is_digit = c >= '0' && c <= '9';
    if (begins_part ? !is_letter : !(is_letter || is_digit || c == '.')) return false;
    begins_part = c == '.';
  }
  return !begins_part;
}

std::string_view own_word(std::string_view setting) {
  if (setting == kTenantSetting) return "tenant";
  if (setting == kAgentSetting) return "agent";
  if (setting == kModelSetting) return "model";
  return setting == kRolesSetting ? "roles" : "";
}

void read_set(TomlSection section, IdentityRule& rule) {
  std::vector<RuleSetting> all;
  section.all_texts(all);
  for (auto& [name, value] : all) {
    if (!is_setting_name(name)) {
      section.add_problem(
          name,
          "is no name of a setting: that is helios. and lower-case letters, digits, "
          "'_' and '.', in quotes (\"helios.team\"), " +
              std::to_string(kMaxSettingNameBytes) + " bytes at most");
    } else if (const auto word = own_word(name); !word.empty()) {
      section.add_problem(name, "is what `" + std::string(word) + "` sets: write that");
    }
    check_value(section, name, rule, value);
    rule.settings.emplace_back(std::move(name), std::move(value));
  }
  section.finish();
}

void add_rule(TomlSection& section, IdentityRule rule, Identity& out) {
  if (rule.settings.size() > kMaxRuleSettings) {
    section.add_own_problem("must not set more than " + std::to_string(kMaxRuleSettings) +
                            " settings");
  }
  if (out.rules.size() == kMaxIdentityRules) {
    section.add_own_problem("is one too many: there may be " + std::to_string(kMaxIdentityRules));
  }
  std::ranges::sort(rule.settings);
  out.rules.push_back(std::move(rule));
}

void read_rule(TomlSection& section, Identity& out) {
  IdentityRule rule;
  read_pattern(section, "user", rule.user);
  read_pattern(section, "database", rule.database);
  read_client(section, rule);
  read_word(section, "tenant", kTenantSetting, rule);
  read_word(section, "agent", kAgentSetting, rule);
  read_word(section, "model", kModelSetting, rule);
  read_roles(section, rule);
  read_set(section.section("set"), rule);
  section.boolean("pinned", rule.pinned);
  if (rule.settings.empty()) {
    section.add_own_problem("sets nothing: give it tenant, agent, model, roles or set");
  }
  section.finish();
  add_rule(section, std::move(rule), out);
}

void read_tenant_rule(TomlSection& section, Identity& out) {
  IdentityRule rule;
  rule.is_tenant_rule = true;
  read_pattern(section, "user", rule.user);
  read_pattern(section, "database", rule.database);
  read_word(section, "tenant", kTenantSetting, rule);
  section.boolean("pinned", rule.pinned);
  if (rule.settings.empty()) section.add_own_problem("needs a tenant");
  section.finish();
  add_rule(section, std::move(rule), out);
}

}  // namespace

void check_pattern(TomlSection& section, std::string_view key, std::string_view pattern) {
  if (!section.has(key)) return;
  if (std::ranges::count(pattern, '*') > 1) {
    section.add_problem(key, "may contain only one '*'");
  }
  if (pattern.size() > kMaxRuleTextBytes) {
    section.add_problem(key, "is longer than " + std::to_string(kMaxRuleTextBytes) + " bytes");
  }
}

void read_identity(TomlSection section, Identity& out) {
  section.tables("rules", [&out](TomlSection rule) { read_rule(rule, out); });
  section.finish();
}

void read_tenant_rules(TomlSection& section, Identity& out) {
  if (section.has("rules") && !out.rules.empty()) {
    section.add_problem(
        "rules",
        "there are [[identity.rules]] as well: write these as [[identity.rules]], "
        "which have the same keys, in the one list whose first rule that fits counts");
  }
  section.tables("rules", [&out](TomlSection rule) { read_tenant_rule(rule, out); });
}

}  // namespace helios::config
