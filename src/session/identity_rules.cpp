// SPDX-License-Identifier: Apache-2.0
#include "session/identity_rules.hpp"

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

// What the stars of a rule stand for in a client that it fits.
struct Stars {
  std::string_view user;
  std::string_view database;
  std::string_view os_user;
  std::string_view either;  // that of `user`, else of `database`
};

std::optional<Stars> fit(const config::IdentityRule& rule, const ClientFacts& client) {
  const auto user = match(rule.user, client.user);
  const auto database = match(rule.database, client.database);
  if (!user || !database || !rule.client.fits(client.ip)) return std::nullopt;
  Stars stars{.user = *user, .database = *database, .os_user = {}, .either = {}};
  // A user pattern that is nothing but the star tells nothing.
  const bool user_tells = rule.user.contains('*') && rule.user != "*";
  stars.either = user_tells ? *user : *database;
  if (rule.os_user.empty()) return stars;
  const auto os_user = match(rule.os_user, client.os_user);
  if (!os_user || client.os_user.empty()) return std::nullopt;
  stars.os_user = *os_user;
  return stars;
}

// Requires: it is one of those that the configuration admits.
std::string_view stands_for(std::string_view placeholder, const ClientFacts& client,
                            const Stars& stars) {
  if (placeholder == "{user}") return client.user;
  if (placeholder == "{user*}") return stars.user;
  if (placeholder == "{database}") return client.database;
  if (placeholder == "{database*}") return stars.database;
  if (placeholder == "{os_user}") return client.os_user;
  if (placeholder == "{os_user*}") return stars.os_user;
  return stars.either;
}

std::string fill_in(std::string_view text, const ClientFacts& client, const Stars& stars) {
  std::string filled;
  while (true) {
    const std::size_t begin = text.find('{');
    filled += text.substr(0, begin);
    if (begin == std::string_view::npos) return filled;
    const std::size_t end = text.find('}', begin);
    const std::size_t size = end == std::string_view::npos ? end : end - begin + 1;
    const std::string_view placeholder = text.substr(begin, size);
    filled += stands_for(placeholder, client, stars);
    text.remove_prefix(begin + placeholder.size());
  }
}

}  // namespace

std::optional<RuleMatch> match_rules(const config::Identity& rules, const ClientFacts& client) {
  for (const config::IdentityRule& rule : rules.rules) {
    const auto stars = fit(rule, client);
    if (!stars) continue;
    RuleMatch result{.rule = &rule, .settings = {}};
    result.settings.reserve(rule.settings.size());
    for (const auto& [name, value] : rule.settings) {
      result.settings.emplace_back(name, fill_in(value, client, *stars));
    }
    return result;
  }
  return std::nullopt;
}

bool may_set_tenant(const config::Tenant& rules, std::string_view user) {
  return std::ranges::any_of(rules.setters, [user](const std::string& pattern) {
    return match(pattern, user).has_value();
  });
}

}  // namespace helios::session
