// SPDX-License-Identifier: Apache-2.0

// The audit chain's hook: appends a record for every statement execution, whatever came of it. Record and
// head are written by one transaction, so the chain has no gap and no fork however many sessions append
// at once: whoever read a head that is no longer the newest is run again.

#include "helios/plugin.hpp"

#include "record.hpp"

namespace {

using namespace helios::plugin;
using namespace helios::audit_chain;

constexpr const char* kHeadKey = "head";

// A head that somebody has broken must not begin a second chain.
Head present_head() {
  const Optional<String> stored = kv_read(kHeadKey);
  if (!stored) return empty_chain();
  const Optional<Head> head = parse_head(*stored);
  if (!head) fail();
  return *head;
}

void append_record(const QueryContext& context, const Outcome& outcome) {
  const Head head = present_head();
  const String record = format_record(head, now_ms(), context, outcome);
  const Head next{head.seq + 1, sha256_hex(record)};
  // What cannot be recorded must not be answered: on_error = "deny" ends the session.
  if (!kv_write(record_key(next.seq), record) || !kv_write(kHeadKey, format_head(next))) fail();
}

}  // namespace

HELIOS_POST_QUERY(append_record)
