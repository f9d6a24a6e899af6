#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Usage: demo.sh [--keep]
#
# Orders that are sent twice, with the plugin dedup: one of them passes, also when many come at once, and the same may be sent again when
# the window is over. Starts a PostgreSQL, and the proxy on ports 6432 and 9090; stops them at the end. With --keep they go on
# running afterwards.
#
# Every expectation is checked. The exit status is 0 only if all of them held.

set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../../.." && pwd)
source "$HERE/../lib.sh"

begin_demo demo-dedup "$@"

# kv VERB KEY [VALUE]: shown as it is typed.
kv() { show "$HELIOS_BIN" kv "$1" dedup "${@:2}"; }
# order CLIENT ITEM...: one statement for each; its answer is the item.
order() { printf "INSERT INTO orders VALUES ('$1', %s) RETURNING item;\n" "${@:2}"; }
seen() { "$HELIOS_BIN" kv ls dedup --prefix seen: | wc -l; }

title "A database server, and the proxy with the plugin dedup"
start_server
mkdir "$WORK/plugins"
cp "$HELIOS_PLUGIN_DIR"/dedup.{wasm,toml} "$WORK/plugins/"
start_proxy
query "CREATE TABLE orders (client text, item int)" >/dev/null

################################################################################################################
title "Part 1: an order that is sent twice"

step "as long as there is no window, nothing is refused"
order acme 7 7 | session_as acme free
expect_equal "both pass" 2 "$(wc -l <"$WORK/free.answers")"

step "what changes something may be sent once in an hour"
kv put config '{"window_ms":3600000,"writes_only":true}'
expect_equal "the order is taken" 1 "$(query_as acme "$(order acme 1)")"
refused=$(refusal_of acme "$(order acme 1)")
echo "    $refused"
expect_match "sent again it is refused, with an SQLSTATE that says so, and the time that is left" \
  '^ERROR:  55000: the same statement was sent already \(retry in 3[0-9]{6} ms\)' \
  "$refused"
expect_equal "the table has it once" 1 "$(value_of_query "SELECT count(*) FROM orders WHERE item = 1")"
expect_equal "another order is taken" 2 "$(query_as acme "$(order acme 2)")"
expect_equal "globex may send what acme has sent" 1 "$(query_as globex "$(order acme 1)")"
printf 'SELECT 1;\nSELECT 1;\n' | session_as acme reading
expect_equal "what only reads passes as often as it is sent" 2 "$(wc -l <"$WORK/reading.answers")"

step "what the plugin keeps: a digest of each, until its window is over"
kv ls --prefix seen: --long
expect_equal "one for each order that was taken" 3 "$(seen)"

################################################################################################################
title "Part 2: exact, whatever runs at once"

step "eight psql processes at once send the same 20 orders"
refused_before=$(metric repeats)
sessions=()
for session in {1..8}; do
  order initech {1..20} | session_as initech "initech.$session" &
  sessions+=($!)
done
wait_for_all "${sessions[@]}"
show query "SELECT count(*), count(DISTINCT item) AS items FROM orders WHERE client = 'initech'"
expect_equal "the table has each once" "20|20" \
  "$(value_of_query "SELECT count(*), count(DISTINCT item) FROM orders WHERE client = 'initech'")"
expect_equal "20 were answered" 20 "$(cat "$WORK"/initech.*.answers | wc -l)"
expect_equal "140 were refused" 140 "$(cat "$WORK"/initech.*.errors | grep -c 'the same statement was sent already ')"
expect_equal "the plugin's own metric says so, too" "$((refused_before + 140))" "$(metric repeats)"
expect_equal "and it keeps 20 digests more" 23 "$(seen)"

step "an operator who wants repeats to look like success says what they are answered with"
kv put config '{"window_ms":3600000,"writes_only":true,"answer":"taken"}'
expect_equal "the order that acme has sent before is answered so" taken "$(query_as acme "$(order acme 2)")"
expect_equal "and the table has it once still" 1 "$(value_of_query "SELECT count(*) FROM orders WHERE item = 2 AND client = 'acme'")"

################################################################################################################
title "Part 3: when the window is over"

step "a window of 2 seconds; umbrella sends an order until it is refused"
kv put config '{"window_ms":2000,"writes_only":true}'
order umbrella 9 9 9 9 9 9 9 9 9 9 | session_as umbrella umbrella -v ON_ERROR_STOP=1 || true
told=$(sed -n 's/.*(retry in \([0-9]*\) ms).*/\1/p' "$WORK/umbrella.errors")
expect_match "the second is told to wait" '^[12]?[0-9]{1,3}$' "$told"
sleep "$((told / 1000)).$(printf %03d $((told % 1000)))"
order umbrella 9 | session_as umbrella umbrella || true
expect_equal "after just this time it is taken" 9 "$(cat "$WORK/umbrella.answers")"

step "acme's first order has an hour to wait; somebody makes the plugin forget"
expect_match "it is refused still" '^ERROR:  55000: ' "$(refusal_of acme "$(order acme 1)")"
show "$HELIOS_BIN" kv purge dedup --prefix seen:
expect_equal "then it is taken" 1 "$(query_as acme "$(order acme 1)")"

summary
