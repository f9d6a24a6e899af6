// SPDX-License-Identifier: Apache-2.0

// A token bucket per tenant, user or statement. Taking the tokens is one step of the call's transaction, so
// no number of calls at once gets more than the bucket has.
//
//   config                  {"per": "tenant", "burst": 10, "tokens": 5, "period_ms": 1000}
//   config:<subject>        the same for one subject, without "per"
//   bucket:<subject>        8 bytes, written here
//
// What operators write is judged by check_write, so that a mistyped text is refused where it is written.

#include "policy.hpp"

namespace {

using namespace helios::plugin;
using namespace helios::rate_limit;

// Whose bucket it is; nothing: nobody's, and the statement is not limited.
Optional<String> subject_of(const QueryContext& context, Per per) {
  switch (per) {
    case Per::tenant: return context.tenant();
    case Per::user: return context.user();
    case Per::statement: return statement_subject(context.fingerprint());
  }
  fail();
}

Verdict limit(const QueryContext& context) {
  const Optional<String> text = kv_read("config");
  if (!text) return proceed();
  const Optional<Limit> all = stored_limit("config", *text);
  if (!all) return block("rate-limit: \"config\" is not a limit", kUnusable);
  const Optional<String> subject = subject_of(context, all->per);
  if (!subject) return proceed();

  Rate rate = all->rate;
  const String own_key = concat("config:", *subject);
  if (const Optional<String> own = kv_read(own_key)) {
    const Optional<Limit> parsed = stored_limit(own_key, *own);
    if (!parsed) return block("rate-limit: the limit of this subject is not one", kUnusable);
    rate = parsed->rate;
  }
  const Optional<Taken> taken = kv_take(concat("bucket:", *subject), rate);
  if (!taken) fail();  // it cannot be kept: on_error decides
  if (taken->allowed) {
    context.keep(format_taken({all->per, rate}));
    return proceed();
  }
  metric_add("limited");
  return block(refusal(all->per, *taken), kLimited);
}

// The token of a statement that never ran: another plugin refused its message, or an earlier one failed.
void give_back(const QueryContext& context, const Outcome& outcome) {
  if (outcome.kind != Outcome::Kind::refused && outcome.kind != Outcome::Kind::skipped) return;
  const Optional<Limit> taken = parse_taken(context.kept());
  if (!taken) return;  // this one was refused here
  const Optional<String> subject = subject_of(context, taken->per);
  // One that cannot be given back comes back in time.
  if (subject) (void)kv_take(concat("bucket:", *subject), taken->rate, -1);
}

Verdict judge_write(const WriteContext& write) {
  const String problem = problem_of_write(write.key(), write.value());
  return problem.empty() ? proceed() : block(problem);
}

}  // namespace

HELIOS_CHECK_WRITE(judge_write)
HELIOS_PRE_QUERY(limit)
HELIOS_POST_QUERY(give_back)
