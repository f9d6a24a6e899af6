// SPDX-License-Identifier: Apache-2.0

#include "app/tenant_rule_use.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace helios::app {

void TenantRuleUse::set_rules(const config::Tenant& tenant) {
  const std::lock_guard lock(mutex_);
  std::vector<Count> counts;
  counts.reserve(tenant.rules.size());
  for (const config::TenantRule& rule : tenant.rules) {
    const auto known = std::ranges::find(counts_, rule, &Count::rule);
    counts.push_back({.rule = rule, .matches = known == counts_.end() ? 0 : known->matches});
  }
  counts_ = std::move(counts);
}

void TenantRuleUse::note_match(const config::TenantRule& rule) {
  const std::lock_guard lock(mutex_);
  const auto known = std::ranges::find(counts_, rule, &Count::rule);
  if (known != counts_.end()) ++known->matches;
}

std::vector<TenantRuleUse::Count> TenantRuleUse::read() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

metrics::Source TenantRuleUse::metrics_source() const {
  return [this](std::vector<metrics::Family>& out) {
    metrics::Family matches{"helios_tenant_rule_matches_total",
                            "Logins that a tenant rule was the first to fit",
                            metrics::Kind::counter,
                            {}};
    std::size_t number = 0;
    for (const Count& count : read()) {
      // A number keeps equal rules apart.
      matches.samples.push_back({{{"rule", std::to_string(++number)},
                                  {"user", count.rule.user},
                                  {"database", count.rule.database},
                                  {"tenant", count.rule.tenant}},
                                 static_cast<double>(count.matches),
                                 {}});
    }
    out.push_back(std::move(matches));
  };
}

}  // namespace helios::app
