#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Usage: demo.sh [--keep]
#
# A limit on the rate of each tenant, with the plugin rate-limit: what passes, what is refused and why, that not one query too many
# passes when many come at once, and how a tenant is served again. Starts a PostgreSQL, and the proxy on ports 6432 and 9090;
# stops them at the end. With --keep they go on running afterwards.
#
# Every expectation is checked. The exit status is 0 only if all of them held.

set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../../.." && pwd)
source "$HERE/../lib.sh"

begin_demo demo-rate-limit "$@"

# kv VERB KEY [VALUE]: shown as it is typed.
kv() { show "$HELIOS_BIN" kv "$1" rate-limit "${@:2}"; }
selects() { printf 'SELECT %s;\n' $(seq "$1"); }

title "A database server, and the proxy with the plugin rate-limit"
start_server
mkdir "$WORK/plugins"
cp "$HELIOS_PLUGIN_DIR"/rate-limit.{wasm,toml} "$WORK/plugins/"
start_proxy

################################################################################################################
title "Part 1: a bucket for each tenant"

step "as long as there is no limit, nothing is limited"
selects 20 | session_as acme unlimited
expect_equal "20 queries as acme pass" 20 "$(wc -l <"$WORK/unlimited.answers")"

step "5 at once, and one more every hour; acme sends 8"
kv put config '{"per":"tenant","burst":5,"tokens":1,"period_ms":3600000}'
selects 8 | session_as acme limited
expect_equal "5 of them pass" 5 "$(wc -l <"$WORK/limited.answers")"
expect_equal "and 3 are refused" 3 "$(grep -c ERROR "$WORK/limited.errors")"
refused=$(refusal_of acme "SELECT 1")
echo "    $refused"
expect_match "a client sees by the SQLSTATE that it is a limit, and is told when to come back" \
  '^ERROR:  53400: rate limit of the tenant reached \(retry in 3[0-9]{3}\.[0-9]{3}s\)' "$refused"
expect_equal "globex goes on" 1 "$(query_as globex "SELECT 1")"
expect_equal "so does who has no tenant" 1 "$(value_of_query "SELECT 1")"

step "what the plugin keeps: a bucket for each tenant that has taken something"
kv ls --prefix bucket:
expect_equal "acme's and globex's" "bucket:acme bucket:globex" \
  "$("$HELIOS_BIN" kv ls rate-limit --prefix bucket: | paste -sd ' ')"

################################################################################################################
title "Part 2: exact, whatever runs at once"

step "initech may send 50; eight psql processes at once send 25 each"
kv put config:initech '{"burst":50,"tokens":1,"period_ms":3600000}'
refused_before=$(metric limited)
sessions=()
for session in {1..8}; do
  selects 25 | session_as initech "initech.$session" &
  sessions+=($!)
done
wait_for_all "${sessions[@]}"
expect_equal "exactly 50 pass" 50 "$(cat "$WORK"/initech.*.answers | wc -l)"
expect_equal "and 150 are refused" 150 "$(cat "$WORK"/initech.*.errors | grep -c 'rate limit of the tenant reached (retry in ')"
expect_equal "the plugin's own metric says so, too" "$((refused_before + 150))" "$(metric limited)"

################################################################################################################
title "Part 3: served again"

step "umbrella may send 2 at once, and one more every 2 seconds; it sends until it is refused"
kv put config:umbrella '{"burst":2,"tokens":1,"period_ms":2000}'
selects 20 | session_as umbrella umbrella -v ON_ERROR_STOP=1 || true
expect_above "at least two pass" 1 "$(wc -l <"$WORK/umbrella.answers")"
told=$(sed -n 's/.*(retry in \([0-9.]*\)s).*/\1/p' "$WORK/umbrella.errors")
expect_match "then it is told to wait" '^[012]\.[0-9]{3}$' "$told"
sleep "${told:-0}"
expect_equal "after just this time it is served" 1 "$(query_as umbrella "SELECT 1")"

step "acme need not wait for its hour: somebody fills its bucket"
kv del bucket:acme
expect_equal "acme is served" 1 "$(query_as acme "SELECT 1")"

step "acme is shut out, by a limit of its own; then that is mistyped, and then gone"
kv put config:acme '{"burst":0,"tokens":1,"period_ms":1000}'
expect_match "the limit counts from the next query on" '53400: rate limit of the tenant lets nothing through' \
  "$(refusal_of acme "SELECT 1")"
expect_match "a mistyped one is refused where it is written" 'field `burst` must be a whole number, and is a text' \
  "$("$HELIOS_BIN" kv put rate-limit config:acme '{"burst":"ten"}' 2>&1)"
kv put config:acme '{"burst":"ten"}' --force
expect_match "a limit that cannot be read is not taken for none" '^ERROR:  F0000: ' "$(refusal_of acme "SELECT 1")"
kv del config:acme
expect_equal "acme has what everybody has" 1 "$(query_as acme "SELECT 1")"

################################################################################################################
title "Part 4: a bucket for each statement"

step "3 of each statement, whoever sends it; constants make no other statement"
kv put config '{"per":"statement","burst":3,"tokens":1,"period_ms":3600000}'
selects 5 | session_as acme statement
expect_equal "3 of 5 pass" 3 "$(wc -l <"$WORK/statement.answers")"
selects 1 | session_as globex statement
expect_match "globex finds the bucket empty" 'rate limit of the statement reached' "$(cat "$WORK/statement.errors")"
echo 'SELECT 1 + 1;' | session_as globex statement
expect_equal "another statement passes" 2 "$(cat "$WORK/statement.answers")"

summary
