// SPDX-License-Identifier: Apache-2.0

// The cost governor's hooks: reads and writes the keys, leaves every decision to policy.hpp.
//
//   tenant:<id>:budget   {"minute": 1.0, "hour": 10.0, "day": 100.0}, written by the operator;
//                        of rows and bytes: {"minute_rows": 1000, "day_bytes": 1000000000}
//   tenant:<id>:usage    the same fields and when each window began, written here
//   config:windows       {"minute_ms": 60000, "hour_ms": 3600000, "day_ms": 86400000}, optional
//   config:reserve       {"cost": 0.05}, optional: charge so much before a statement runs
//
// What operators write is judged by check_write, so that a mistyped text is refused where it is written.

#include "helios/plugin.hpp"

#include "policy.hpp"
#include "recall.hpp"

namespace {

using namespace helios::plugin;
using namespace helios::cost_governor;

// Of this instance. Only texts that nothing is wrong with are in the first: others are told of each time.
Recall<Budget> good_budgets;
Recall<Usage> usages;

String usage_key(StringView tenant) { return concat("tenant:", tenant, ":usage"); }

WindowLengths lengths() {
  const Optional<String> text = kv_read("config:windows");
  return text ? stored_lengths(*text).value : WindowLengths();
}

Usage usage_of(const Optional<String>& json) {
  if (!json) return {};
  if (const Usage* known = usages.find(*json)) return *known;
  const Usage usage = parse_usage(*json);
  usages.learn(*json, usage);
  return usage;
}

// A usage that cannot be kept must not be forgotten either: the call fails and on_error decides.
void write_usage(StringView tenant, const Usage& usage) {
  const String json = format_usage(usage);
  if (!kv_write(usage_key(tenant), json)) fail();
  usages.learn(json, usage);
}

// One statement gets no more than what is left.
void bound_answer(const Usage& usage, const Budget& budget) {
  const AnswerLeft left = left_of(usage, budget);
  constexpr const char* kHint = "the tenant's budget of rows and bytes allows no more for now";
  if (left.rows) limit_rows(*left.rows, kHint);
  if (left.bytes) limit_bytes(*left.bytes, kHint);
}

// Charges ahead what a statement may cost, if that still fits: what runs at once cannot pass on the same rest.
Verdict reserve_cost(const QueryContext& context, StringView tenant, const Budget& budget,
                     double cost) {
  const WindowLengths window_lengths = lengths();
  const Usage stored = usage_of(kv_read(usage_key(tenant)));
  const Usage present = usage_at(stored, window_lengths, now_ms());
  Verdict verdict = judge_reserving(present, budget, window_lengths, now_ms(), cost);
  if (verdict.action == Verdict::Action::block) return verdict;
  const Usage reserved = charge(present, cost, now_ms());
  write_usage(tenant, reserved);
  Reservation reservation{cost, {}, !budget.answers.is_empty()};
  for (int i = 0; i < kWindowCount; ++i) reservation.start_ms[i] = reserved.start_ms[i];
  context.keep(format_reservation(reservation));
  bound_answer(present, budget);
  return verdict;
}

// Names the key and what is wrong with what stands under it; nothing when that can be used.
template <class T>
Optional<Verdict> objection(StringView key, const Stored<T>& stored) {
  if (!stored.flaw.empty())
    warn_once(concat("\"", key, "\" would be refused today: ", stored.flaw));
  if (stored.problem.empty()) return {};
  return block(concat("cost-governor: \"", key, "\" cannot be used: ", stored.problem), kUnusable);
}

// What the operator wants for a tenant. Returns the refusal where a text of his cannot be used.
Optional<Verdict> read_settings(StringView budget_key, StringView budget_json, Budget& budget,
                                double& reserve) {
  if (const Budget* known = good_budgets.find(budget_json)) {
    budget = *known;
  } else {
    const Stored<Budget> stored = stored_budget(budget_json);
    budget = stored.value;
    if (const Optional<Verdict> refused = objection(budget_key, stored)) return refused;
    if (stored.flaw.empty()) good_budgets.learn(budget_json, budget);
  }
  if (const Optional<String> text = kv_read("config:windows"))
    if (const Optional<Verdict> refused = objection("config:windows", stored_lengths(*text)))
      return refused;
  const Optional<String> text = kv_read("config:reserve");
  if (!text) return {};
  const Stored<double> configured = stored_reserve(*text);
  reserve = configured.value;
  return objection("config:reserve", configured);
}

// Who may not go on has to be able to end what he began: BEGIN, COMMIT and their like are let pass, and charged, since a COMMIT
// can be the work of deferred triggers and of cursors WITH HOLD. SHOW has rows, which can be long.
Verdict check_budget(const QueryContext& context) {
  const Optional<String> tenant = context.attribute("tenant_id");
  if (!tenant || (context.manages_session() && !context.is_read_only())) return proceed();
  const String budget_key = concat("tenant:", *tenant, ":budget");
  const Optional<String> budget_json = kv_read(budget_key);
  if (!budget_json) return proceed();
  Budget budget;
  double reserve = 0;
  if (const Optional<Verdict> refused = read_settings(budget_key, *budget_json, budget, reserve))
    return *refused;
  if (reserve > 0 && budget.has_limit()) return reserve_cost(context, *tenant, budget, reserve);
  const Optional<String> usage_json = kv_read(usage_key(*tenant));
  const bool counts_answer = !budget.answers.is_empty();
  if (!budget.has_limit() || (!usage_json && !counts_answer)) return proceed();

  const WindowLengths window_lengths = lengths();
  const Usage stored = usage_of(usage_json);
  const Usage present = usage_at(stored, window_lengths, now_ms());
  const Verdict verdict = judge(present, budget, window_lengths, now_ms());
  // A refused tenant is not charged, so nothing else would write down when its window began.
  if (verdict.action == Verdict::Action::block && present != stored) write_usage(*tenant, present);
  if (verdict.action == Verdict::Action::block || !counts_answer) return verdict;
  context.keep(format_reservation({.counts_answer = true}));
  bound_answer(present, budget);
  return verdict;
}

void charge_cost(const QueryContext& context, const Outcome& outcome) {
  const Optional<String> tenant = context.attribute("tenant_id");
  if (!tenant) return;
  const Reservation reservation = parse_reservation(context.kept());
  if (reservation.cost <= 0 && !outcome.may_have_run()) return;
  const Usage stored = usage_of(kv_read(usage_key(*tenant)));
  const Usage present = usage_at(stored, lengths(), now_ms());
  const double cost = charged_cost(outcome, reservation.cost);
  Usage charged = reservation.cost > 0 ? settle(present, reservation, cost, now_ms())
                                       : charge(present, cost, now_ms());
  if (reservation.counts_answer && outcome.may_have_run())
    charged = count_answer(charged, outcome, now_ms());
  write_usage(*tenant, charged);
}

Verdict judge_write(const WriteContext& write) {
  const String problem = problem_of_write(write.key(), write.value());
  return problem.empty() ? proceed() : block(problem);
}

}  // namespace

HELIOS_CHECK_WRITE(judge_write)
HELIOS_PRE_QUERY(check_budget)
HELIOS_POST_QUERY(charge_cost)
