// SPDX-License-Identifier: Apache-2.0

// The audit chain's hooks: a record of what a statement is about to do before it may run, one of what became of
// it, and, where that is not known by then, one of what became of its transaction; and one of each event. They go into a stream of the namespace, which the store numbers and
// chains; so sessions never wait for one another.

#include "helios/plugin.hpp"

#include "record.hpp"

namespace {

using namespace helios::plugin;
using namespace helios::audit_chain;

constexpr const char* kTrail = "trail";
// Of a chain in keys, as versions up to 0.4.0 wrote it: its newest record, and that the trail goes on from there.
constexpr const char* kOldHeadKey = "head";
constexpr const char* kCarriedKey = "carried";

constexpr const char* kNotRecorded = "not recorded";
constexpr const char* kFull = "53100";  // disk_full

// A trail that goes on with an older chain says so before anything else. A head that somebody has broken must not be
// passed over.
bool carry_old_chain() {
  const Optional<String> head = kv_read(kOldHeadKey);
  if (!head || kv_read(kCarriedKey)) return true;
  const Optional<String> record = format_carried(now_ms(), *head);
  if (!record) fail();
  return stream_append(kTrail, *record) && kv_write(kCarriedKey, "1");
}

// What could not be recorded does not run. The refusal itself leaves no record then.
Verdict record_intent(const QueryContext& context) {
  if (carry_old_chain() && stream_append(kTrail, format_intent(now_ms(), context))) {
    // In memory, and for this statement alone: was the text rewritten since?
    context.keep(format_int(context.rewrites()));
    return proceed();
  }
  context.keep(kNotRecorded);
  metric_add("not_recorded");
  return block("audit-chain: the statement cannot be recorded: there is no room for another record",
               kFull);
}

// What cannot be recorded must not be answered: on_error = "deny" ends the session.
void must_append(const String& record) {
  if (!stream_append(kTrail, record)) fail();
}

void record_outcome(const QueryContext& context, const Outcome& outcome) {
  const String kept = context.kept();
  if (kept == kNotRecorded) return;
  const Optional<Settlement> settlement = outcome.settlement();
  const bool is_rewritten = !kept.empty() && kept != format_int(context.rewrites());
  must_append(format_outcome(now_ms(), context, outcome, settlement, is_rewritten));
  if (settlement) outcome.skip_settled();
}

void record_settlement(const QueryContext& context, Settlement settlement) {
  if (context.kept() == kNotRecorded) return;
  must_append(format_settlement(now_ms(), context, settlement));
}

// What happened beside statements. What cannot be recorded is the proxy's to deal with: on_error = "deny".
void record_event(const EventContext& event) {
  if (!carry_old_chain()) fail();
  must_append(format_event(now_ms(), event.kind(), event.json()));
}

}  // namespace

HELIOS_PRE_QUERY(record_intent)
HELIOS_POST_QUERY(record_outcome)
HELIOS_SETTLED(record_settlement)
HELIOS_EVENT(record_event)
