// SPDX-License-Identifier: Apache-2.0

#include "config/tenant_section.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace helios::config {
namespace {

void check_pattern(TomlSection& section, std::string_view key, std::string_view pattern) {
  if (section.has(key) && std::ranges::count(pattern, '*') > 1) {
    section.add_problem(key, "may contain only one '*'");
  }
}

// What a rule's tenant is made of, and whether there is something to fill it in with.
void check_placeholders(TomlSection& section, const TenantRule& rule) {
  if (!section.has("tenant")) return section.add_own_problem("needs a tenant");
  if (rule.tenant.empty()) return section.add_problem("tenant", "must not be empty");
  // As session::bind_tenant() fills it in: a user pattern that is nothing but the star tells nothing.
  const bool has_star =
      (rule.user.contains('*') && rule.user != "*") || rule.database.contains('*');
  for (std::size_t at = 0; (at = rule.tenant.find_first_of("{}", at)) != std::string::npos;) {
    const std::size_t end = rule.tenant.find('}', at);
    const std::string word = rule.tenant.substr(at, end == std::string::npos ? end : end - at + 1);
    if (word == "{*}" && !has_star) {
      section.add_problem(
          "tenant",
          "nothing fills in {*}: no '*' in database, and none beside other letters in user");
    } else if (word != "{*}" && word != "{user}" && word != "{database}") {
      section.add_problem("tenant",
                          "\"" + base::escape_for_log(word) +
                              "\" is no placeholder; there are {user}, {database} and {*}");
    }
    at += word.size();
  }
}

void read_tenant_rule(TomlSection& section, Tenant& out) {
  TenantRule rule;
  section.text("user", rule.user);
  check_pattern(section, "user", rule.user);
  section.text("database", rule.database);
  check_pattern(section, "database", rule.database);
  section.text("tenant", rule.tenant);
  section.boolean("pinned", rule.pinned);
  check_placeholders(section, rule);
  section.finish();
  out.rules.push_back(std::move(rule));
}

}  // namespace

void read_policy(TomlSection& section, std::string_view key, std::string_view allow, Policy& out) {
  section.choice(key, out, {{"deny", Policy::deny}, {allow, Policy::allow}});
}

void read_tenant(TomlSection section, Tenant& out) {
  read_policy(section, "unknown", "allow", out.unknown);
  section.boolean("required", out.required);
  section.texts("setters", out.setters);
  for (const auto& pattern : out.setters) check_pattern(section, "setters", pattern);
  section.tables("rules", [&out](TomlSection rule) { read_tenant_rule(rule, out); });
  section.finish();
}

}  // namespace helios::config
