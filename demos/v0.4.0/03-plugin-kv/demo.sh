#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Usage: demo.sh [--keep]
#
# Plugins with state, shown on a real PostgreSQL 17: exact counters per tenant, budgets that refuse and recover, and
# namespaces that keep plugins apart. Starts a PostgreSQL, the proxy on ports 6432 and 9090, and an empty store; stops
# them at the end. With --keep they go on running afterwards, for trying things by hand.
#
# Every expectation is checked. The exit status is 0 only if all of them held.

set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../../.." && pwd)
source "$HERE/../lib.sh"

begin_demo demo "$@"

title "A database server, the proxy in front of it, an empty store"
start_server
start_proxy

################################################################################################################
title "Part 1: a counter plugin, from source to exact counts"

cat >"$WORK/counter.cpp" <<'CPP'
#include "helios/plugin.hpp"
using namespace helios::plugin;

// Counts the statements of each tenant. Reading, adding and writing are one transaction.
static Verdict count(const QueryContext& context) {
  const auto tenant = context.attribute("tenant_id");
  if (!tenant) return proceed();

  const String key = concat("tenant:", *tenant, ":usage");
  const int64_t so_far = parse_int(kv_read(key).value_or("0")).value_or(0);
  if (!kv_write(key, format_int(so_far + 1))) return block("the counter cannot be kept");
  return proceed();
}

HELIOS_PRE_QUERY(count)
CPP
show cat "$WORK/counter.cpp"

step "compile it to WebAssembly, drop it into the plugin folder, reload"
show clang++-19 --target=wasm32 -O2 -std=c++20 -nostdlib -ffreestanding -fno-exceptions -Wl,--no-entry \
  -I "$ROOT/abi" "$WORK/counter.cpp" -o "$WORK/plugins/counter.wasm"
show curl -s -X POST http://localhost:9090/plugins/reload
expect_match "the proxy has loaded it" '"name":"counter".*"state":"loaded"' "$(curl -s http://localhost:9090/plugins)"

step "100 queries as acme and 37 as globex, from many psql processes at once; 5 without a tenant"
# acme: ten sessions that stay and send ten queries each. globex: a session per query.
sessions=()
for session in {1..10}; do
  printf 'SELECT %s;\n' {1..10} | PGOPTIONS="-c helios.tenant_id=acme" query_script >/dev/null &
  sessions+=($!)
done
seq 37 | xargs -P 8 -I{} psql -h localhost -p 6432 -U postgres -d demo -q \
  -c "SET helios.tenant_id = 'globex'; SELECT {}" >/dev/null
for i in {1..5}; do query "SELECT $i" >/dev/null; done
wait_for_all "${sessions[@]}"

step "what the plugin has stored, in SQL"
show query "SELECT * FROM helios.kv('counter')"
expect_equal "acme has exactly 100" 100 "$(kv_in_sql counter tenant:acme:usage)"
expect_equal "globex has exactly 37" 37 "$(kv_in_sql counter tenant:globex:usage)"
expect_equal "nothing else was counted" 2 "$(value_of_query "SELECT count(*) FROM helios.kv('counter')")"

################################################################################################################
title "Part 2: budgets per tenant, with the cost-governor plugin"

cp "$HELIOS_PLUGIN_DIR"/cost-governor.{wasm,toml} "$WORK/plugins/"
show curl -s -X POST http://localhost:9090/plugins/reload
expect_match "the proxy has loaded it" '"name":"cost-governor".*"state":"loaded".*"name":"counter"' "$(curl -s http://localhost:9090/plugins)"
curl -s -X DELETE http://localhost:9090/admin/kv/cost-governor/tenant:acme:usage >"$WORK/deleted"
curl -s -X DELETE http://localhost:9090/admin/kv/cost-governor/tenant:globex:usage >"$WORK/deleted"

step "the walk-through: two budgets, 50 queries as acme, 5 as globex, two usages"
# Seed acme with budget+usage; seed globex with same budget but no usage
curl -s http://localhost:9090/admin/kv/cost-governor/tenant:acme:budget \
  -X PUT --data-binary '{"minute":1.0,"hour":10.0,"day":100.0}'
curl -s http://localhost:9090/admin/kv/cost-governor/tenant:globex:budget \
  -X PUT --data-binary '{"minute":1.0,"hour":10.0,"day":100.0}'
# Run 50 queries as acme, 5 as globex
for i in $(seq 1 50); do
  PGUSER=postgres psql -h localhost -p 6432 -d demo \
    -c "SET helios.tenant_id = 'acme'; SELECT 1" >/dev/null
done
for i in $(seq 1 5); do
  PGUSER=postgres psql -h localhost -p 6432 -d demo \
    -c "SET helios.tenant_id = 'globex'; SELECT 1" >/dev/null
done
# Inspect each tenant's usage — proves namespacing
curl -s http://localhost:9090/admin/kv/cost-governor/tenant:acme:usage
curl -s http://localhost:9090/admin/kv/cost-governor/tenant:globex:usage
echo

acme=$(kv_value cost-governor tenant:acme:usage)
globex=$(kv_value cost-governor tenant:globex:usage)
expect_above "acme has used something of its day" 0 "$(field day "$acme")"
expect_above "globex has used something of its day" 0 "$(field day "$globex")"
expect_above "acme, with ten times the queries, has used more" "$(field day "$globex")" "$(field day "$acme")"

step "one more query as acme"
query_as acme "SELECT 1" >/dev/null
expect_equal "globex's usage is the same to the byte" "$globex" "$(kv_value cost-governor tenant:globex:usage)"
expect_above "acme's has grown" "$(field day "$acme")" "$(field day "$(kv_value cost-governor tenant:acme:usage)")"

step "acme spends its minute, a fresh one: the server's work costs 1 a second"
curl -s -X DELETE http://localhost:9090/admin/kv/cost-governor/tenant:acme:usage >"$WORK/deleted"
echo "  $slow_query, until it is refused"
refused=
for _ in {1..10}; do
  refused=$(query_as acme "$slow_query" 2>&1 >"$WORK/answer") || break
done
echo "$refused"
expect_match "acme is refused, and told why and until when" \
  'tenant exceeded minute budget \([1-9][0-9]*\.[0-9][0-9]/1\.00\) \(retry in [0-9]+s\)' "$refused"
expect_equal "globex goes on" 1 "$(query_as globex "SELECT 1")"

step "acme's window ends: a minute is made 1.5 seconds long"
show curl -s http://localhost:9090/admin/kv/cost-governor/config:windows -X PUT --data-binary '{"minute_ms":1500}'
expect_within 10 "acme is served again" query_as acme "SELECT 1"

################################################################################################################
title "Part 3: plugins cannot read each other's state"

step "both plugins keep a key of the same name"
show query "SELECT plugin, key, value FROM helios.kv() WHERE key = 'tenant:acme:usage'"
counted=$(kv_value counter tenant:acme:usage)
spent=$(kv_value cost-governor tenant:acme:usage)
expect_match "the counter's is a number" '^[0-9]+$' "$counted"
expect_match "the cost-governor's is JSON" '^\{"minute":' "$spent"

step "one query as acme runs both plugins: each goes on from its own value"
query_as acme "SELECT 1" >/dev/null
expect_equal "the counter has one more" "$(next_of "$counted")" "$(kv_value counter tenant:acme:usage)"
expect_above "the cost-governor has a little more" "$(field day "$spent")" \
  "$(field day "$(kv_value cost-governor tenant:acme:usage)")"
curl -s -X DELETE http://localhost:9090/admin/kv/counter/tenant:acme:usage >"$WORK/deleted"
expect_match "deleting the counter's leaves the cost-governor's" '^\{"minute":' \
  "$(kv_value cost-governor tenant:acme:usage)"

summary
