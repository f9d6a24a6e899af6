// SPDX-License-Identifier: Apache-2.0

// The cost governor's hooks: reads and writes the keys, leaves every decision to policy.hpp.
//
//   tenant:<id>:budget   {"minute": 1.0, "hour": 10.0, "day": 100.0}, written by the operator
//   tenant:<id>:usage    the same fields and when each window began, written here
//   config:windows       {"minute_ms": 60000, "hour_ms": 3600000, "day_ms": 86400000}, optional
//   config:reserve       {"cost": 0.05}, optional: charge so much before a statement runs

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

// Charges ahead what a statement may cost, if that still fits: what runs at once cannot pass on the same rest.
Verdict reserve_cost(const QueryContext& context, StringView tenant, const Budget& budget,
                     double cost) {
  const WindowLengths window_lengths = lengths();
  const Usage stored = parse_usage(kv_read(usage_key(tenant)).value_or(String()));
  const Usage present = usage_at(stored, window_lengths, now_ms());
  Verdict verdict = judge_reserving(present, budget, window_lengths, now_ms(), cost);
  if (verdict.action == Verdict::Action::block) return verdict;
  const Usage reserved = charge(present, cost, now_ms());
  write_usage(tenant, reserved);
  Reservation reservation{cost, {}};
  for (int i = 0; i < kWindowCount; ++i) reservation.start_ms[i] = reserved.start_ms[i];
  context.keep(format_reservation(reservation));
  return verdict;
}

// Names the key and what is wrong with its value; nothing when all of them can be used.
Optional<Verdict> objection(StringView budget_key, StringView budget) {
  const auto refuse = [](StringView key, StringView problem) {
    return block(concat("cost-governor: \"", key, "\" cannot be used: ", problem), kUnusable);
  };
  if (const String problem = problem_of_budget(budget); !problem.empty())
    return refuse(budget_key, problem);
  if (const Optional<String> text = kv_read("config:windows"))
    if (const String problem = problem_of_lengths(*text); !problem.empty())
      return refuse("config:windows", problem);
  if (const Optional<String> text = kv_read("config:reserve"))
    if (const String problem = problem_of_reserve(*text); !problem.empty())
      return refuse("config:reserve", problem);
  return {};
}

Verdict check_budget(const QueryContext& context) {
  const Optional<String> tenant = context.attribute("tenant_id");
  if (!tenant) return proceed();
  const String budget_key = concat("tenant:", *tenant, ":budget");
  const Optional<String> budget_json = kv_read(budget_key);
  if (!budget_json) return proceed();
  if (const Optional<Verdict> refused = objection(budget_key, *budget_json)) return *refused;
  const Budget budget = parse_budget(*budget_json);
  const double reserve = parse_reserve(kv_read("config:reserve").value_or(String()));
  if (reserve > 0 && budget.has_limit()) return reserve_cost(context, *tenant, budget, reserve);
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
  if (!tenant) return;
  const Reservation reservation = parse_reservation(context.kept());
  if (reservation.cost <= 0 && !outcome.may_have_run()) return;
  const Usage stored = parse_usage(kv_read(usage_key(*tenant)).value_or(String()));
  const Usage present = usage_at(stored, lengths(), now_ms());
  const double cost = charged_cost(outcome, reservation.cost);
  write_usage(*tenant, reservation.cost > 0 ? settle(present, reservation, cost, now_ms())
                                            : charge(present, cost, now_ms()));
}

}  // namespace

HELIOS_PRE_QUERY(check_budget)
HELIOS_POST_QUERY(charge_cost)
