// SPDX-License-Identifier: Apache-2.0

// The cost governor's hooks: reads and writes the keys, leaves every decision to policy.hpp.
//
//   tenant:<id>:budget   {"minute": 1.0, "hour": 10.0, "day": 100.0}, written by the operator
//   tenant:<id>:usage    the same fields and when each window began, written here
//   config:windows       {"minute_ms": 60000, "hour_ms": 3600000, "day_ms": 86400000}, optional

#include "helios/plugin.hpp"

#include "policy.hpp"

namespace {

using namespace helios::plugin;
using namespace helios::cost_governor;

String usage_key(StringView tenant) { return concat("tenant:", tenant, ":usage"); }

WindowLengths lengths() { return parse_lengths(kv_read("config:windows").value_or(String())); }

// A usage that cannot be kept must not be forgotten either: the call fails and on_error decides.
void write_usage(StringView tenant, const Usage& usage) {
  if (!kv_write(usage_key(tenant), format_usage(usage))) fail();
}

Verdict check_budget(const QueryContext& context) {
  const Optional<String> tenant = context.attribute("tenant_id");
  if (!tenant) return proceed();
  const Optional<String> budget_json = kv_read(concat("tenant:", *tenant, ":budget"));
  if (!budget_json) return proceed();
  const Budget budget = parse_budget(*budget_json);
  const Optional<String> usage_json = kv_read(usage_key(*tenant));
  if (!budget.has_limit() || !usage_json) return proceed();

  const WindowLengths window_lengths = lengths();
  const Usage stored = parse_usage(*usage_json);
  const Usage present = usage_at(stored, window_lengths, now_ms());
  const Verdict verdict = judge(present, budget, window_lengths, now_ms());
  // A refused tenant is not charged, so nothing else would write down when its window began.
  if (verdict.action == Verdict::Action::block && present != stored) write_usage(*tenant, present);
  return verdict;
}

void charge_cost(const QueryContext& context, const Outcome& outcome) {
  const Optional<String> tenant = context.attribute("tenant_id");
  if (!tenant || !outcome.ran()) return;
  const Usage stored = parse_usage(kv_read(usage_key(*tenant)).value_or(String()));
  const Usage present = usage_at(stored, lengths(), now_ms());
  write_usage(*tenant, charge(present, cost_of(outcome), now_ms()));
}

}  // namespace

HELIOS_PRE_QUERY(check_budget)
HELIOS_POST_QUERY(charge_cost)
