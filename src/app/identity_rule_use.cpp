// SPDX-License-Identifier: Apache-2.0

#include "app/identity_rule_use.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace helios::app {
namespace {

// "helios.agent_id={user*} helios.team=shop"
std::string to_text(const std::vector<config::RuleSetting>& settings) {
  std::string text;
  for (const auto& [name, value] : settings) {
    text += (text.empty() ? "" : " ") + name + "=" + value;
  }
  return text;
}

metrics::Labels labels_of(const config::IdentityRule& rule, std::size_t number) {
  // A number keeps equal rules apart.
  return {{"rule", std::to_string(number)}, {"user", rule.user},
          {"database", rule.database},      {"client", rule.client.text()},
          {"os_user", rule.os_user},        {"sets", to_text(rule.settings)}};
}

metrics::Labels tenant_labels_of(const config::IdentityRule& rule, std::size_t number) {
  return {{"rule", std::to_string(number)},
          {"user", rule.user},
          {"database", rule.database},
          {"tenant", rule.settings.front().second}};
}

}  // namespace

void IdentityRuleUse::set_rules(const config::Identity& rules) {
  const std::lock_guard lock(mutex_);
  std::vector<Count> counts;
  counts.reserve(rules.rules.size());
  for (const config::IdentityRule& rule : rules.rules) {
    const auto known = std::ranges::find(counts_, rule, &Count::rule);
    counts.push_back({.rule = rule, .matches = known == counts_.end() ? 0 : known->matches});
  }
  counts_ = std::move(counts);
}

void IdentityRuleUse::note_match(const config::IdentityRule& rule) {
  const std::lock_guard lock(mutex_);
  const auto known = std::ranges::find(counts_, rule, &Count::rule);
  if (known != counts_.end()) ++known->matches;
}

std::vector<IdentityRuleUse::Count> IdentityRuleUse::read() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

metrics::Source IdentityRuleUse::metrics_source() const {
  return [this](std::vector<metrics::Family>& out) {
    metrics::Family matches{"helios_identity_rule_matches_total",
                            "Logins that an identity rule was the first to fit",
                            metrics::Kind::counter,
                            {}};
    metrics::Family tenants{"helios_tenant_rule_matches_total",
                            "Logins that a tenant rule was the first to fit",
                            metrics::Kind::counter,
                            {}};
    std::size_t number = 0;
    for (const auto& [rule, count] : read()) {
      ++number;
      const auto value = static_cast<double>(count);
      matches.samples.push_back({labels_of(rule, number), value, {}});
      if (rule.is_tenant_rule)
        tenants.samples.push_back({tenant_labels_of(rule, number), value, {}});
    }
    out.push_back(std::move(matches));
    out.push_back(std::move(tenants));
  };
}

}  // namespace helios::app
