#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Usage: demo.sh [--keep]
#
# State that outlives the proxy: it is killed in the middle of 100 queries, and started again. The counter has every
# answered query and nothing that was never asked; the audit chain is whole, and goes on where it ended. Starts a PostgreSQL
# and the proxy on ports 6432 and 9090; stops them at the end. With --keep they go on running afterwards.
#
# Every expectation is checked. The exit status is 0 only if all of them held.

set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../../.." && pwd)
source "$HERE/../lib.sh"

begin_demo demo-state "$@"

SESSIONS=10
QUERIES=100
STATE='state = { directory = "state", durability = "strict" }'

# The plugin's counter, 0 as long as there is none.
counted() { field value "$(curl -s http://localhost:9090/admin/kv/counter/tenant:acme -X POST --data-binary '{"increment":0}')"; }
has_counted() { (($(counted) >= $1)); }

# send_queries SECONDS: ten sessions that send ten queries each, which take so long; a session writes each answer into its file. Ends
# when all sessions have.
send_queries() {
  local session sessions=() each=$((QUERIES / SESSIONS))
  for ((session = 0; session < SESSIONS; session++)); do
    seq "$each" | sed "s/.*/SELECT & FROM pg_sleep($1);/" |
      PGOPTIONS="-c helios.tenant_id=acme" psql -h localhost -p 6432 -U postgres -d demo -X -q -At -v ON_ERROR_STOP=1 \
        >"$WORK/answers.$session" 2>/dev/null &
    sessions+=($!)
  done
  for session in "${sessions[@]}"; do wait "$session" || true; done
}

# How many statements `audit verify` has found.
statements_in() { sed -n 's/^\([0-9]*\) statements.*/\1/p' <<<"$1"; }

title "A database server, and the proxy with a folder for its state"
start_server
mkdir "$WORK/plugins"
cp "$HELIOS_PLUGIN_DIR"/audit-chain.{wasm,toml} "$WORK/plugins/"
cat >"$WORK/counter.cpp" <<'CPP'
#include "helios/plugin.hpp"
using namespace helios::plugin;

static Verdict count(const QueryContext& context) {
  const auto tenant = context.tenant();
  if (tenant && !kv_increment(concat("tenant:", *tenant))) return block("the counter cannot be kept");
  return proceed();
}

HELIOS_PRE_QUERY(count)
CPP
show cat "$WORK/counter.cpp"
clang++-19 --target=wasm32 -O2 -std=c++20 -nostdlib -ffreestanding -fno-exceptions -Wl,--no-entry -I "$ROOT/abi" \
  "$WORK/counter.cpp" -o "$WORK/plugins/counter.wasm"
start_proxy "$STATE"

################################################################################################################
title "Part 1: killed in the middle of $QUERIES queries"

step "ten sessions send ten queries each; the proxy is killed (-9) after some thirty"
send_queries 0.3 &
senders=$!
expect_within 60 "thirty queries are counted" has_counted 30
kill_proxy
wait "$senders" || true
answered=$(cat "$WORK"/answers.* | wc -l)
echo "  the clients have $answered answers"
expect_above "some had an answer by then" 0 "$answered"
expect_above "and not all of them" "$answered" "$QUERIES"

step "started again on the same folder"
start_proxy "$STATE"
count=$(counted)
echo "  the counter says $count"
expect_above "no answered query is forgotten" "$((answered - 1))" "$count"
expect_above "what was on its way at most is counted beyond that" "$count" "$((answered + SESSIONS + 1))"

step "the audit trail, from the first record to the last; what was under way has no outcome"
show "$HELIOS_BIN" audit verify
verified=$("$HELIOS_BIN" audit verify 2>&1 || true)
expect_match "no record is changed, missing or out of place" '^[0-9]+ records, 1 to [0-9]+, none changed' "$verified"
recorded=$(statements_in "$verified")
expect_above "every answered query has its record" "$((answered - 1))" "$recorded"

################################################################################################################
title "Part 2: it goes on where it ended"

step "another $QUERIES queries, this time in peace; then a restart as it should be"
anchor=$("$HELIOS_BIN" audit head)
send_queries 0.02
expect_equal "$QUERIES answers" "$QUERIES" "$(cat "$WORK"/answers.* | wc -l)"
kill "$proxy_pid"
wait "$proxy_pid" || true
start_proxy "$STATE"
expect_equal "the counter has exactly $QUERIES more" "$((count + QUERIES))" "$(counted)"
show "$HELIOS_BIN" audit verify --anchor "$anchor"
expect_equal "the trail has exactly $QUERIES more, on top of the record of before" "$((recorded + QUERIES))" \
  "$(statements_in "$("$HELIOS_BIN" audit verify --anchor "$anchor" 2>&1 || true)")"

################################################################################################################
title "Part 3: nobody edits an audit trail"

step "the admin interface has no way to change a record"
show curl -s -X DELETE localhost:9090/admin/streams/audit-chain/trail
expect_match "it says why" 'nothing changes or removes them' \
  "$(curl -s -X DELETE localhost:9090/admin/streams/audit-chain/trail)"
step "nor a way to remove the plugin's keys: its manifest says append_only = true"
expect_match "it says why" 'nobody but the plugin audit-chain changes' "$("$HELIOS_BIN" kv purge audit-chain --all 2>&1 || true)"
step "somebody who may write the disk begins a new trail in the place of the old one"
anchor=$("$HELIOS_BIN" audit head)
kill "$proxy_pid"
wait "$proxy_pid" || true
rm -r "$WORK/state"
start_proxy "$STATE"
send_queries 0.02
show "$HELIOS_BIN" audit verify
show "$HELIOS_BIN" audit verify --anchor "$anchor"
expect_match "the anchor that was kept elsewhere tells" 'an anchor names it|not the one that the anchor names' \
  "$("$HELIOS_BIN" audit verify --anchor "$anchor" 2>&1 || true)"

summary
