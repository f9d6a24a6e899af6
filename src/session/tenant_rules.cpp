// SPDX-License-Identifier: Apache-2.0
#include "session/tenant_rules.hpp"

#include <algorithm>

namespace helios::session {
namespace {

// What the '*' of `pattern` stands for in `name` (empty when it has none); nullopt: it does not fit.
std::optional<std::string_view> match(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) {
    return pattern == name ? std::optional<std::string_view>("") : std::nullopt;
  }
  const std::string_view head = pattern.substr(0, star);
  const std::string_view tail = pattern.substr(star + 1);
  if (name.size() < head.size() + tail.size()) return std::nullopt;
  if (!name.starts_with(head) || !name.ends_with(tail)) return std::nullopt;
  return name.substr(head.size(), name.size() - head.size() - tail.size());
}

void replace_all(std::string& text, std::string_view placeholder, std::string_view value) {
  for (std::size_t at = text.find(placeholder); at != std::string::npos;
       at = text.find(placeholder, at + value.size())) {
    text.replace(at, placeholder.size(), value);
  }
}

}  // namespace

std::optional<TenantBinding> bind_tenant(const config::Tenant& rules, std::string_view user,
                                         std::string_view database) {
  for (const config::TenantRule& rule : rules.rules) {
    const auto of_user = match(rule.user, user);
    const auto of_database = match(rule.database, database);
    if (!of_user || !of_database) continue;
    const bool user_has_star = rule.user.find('*') != std::string::npos && rule.user != "*";
    TenantBinding binding{.tenant = rule.tenant, .is_pinned = rule.pinned, .rule = &rule};
    replace_all(binding.tenant, "{*}", user_has_star ? *of_user : *of_database);
    replace_all(binding.tenant, "{user}", user);
    replace_all(binding.tenant, "{database}", database);
    return binding;
  }
  return std::nullopt;
}

bool may_set_tenant(const config::Tenant& rules, std::string_view user) {
  return std::ranges::any_of(rules.setters, [user](const std::string& pattern) {
    return match(pattern, user).has_value();
  });
}

}  // namespace helios::session
