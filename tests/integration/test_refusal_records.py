# SPDX-License-Identifier: Apache-2.0
"""Why was it refused? What the client is told, what is kept, and how it is found again."""

import calendar
import json
import re
import time

import pytest
from harness.wire import WireError
from test_kv_command import run_cli

# Refuses with detail and hint what holds a '!', and traps, after a word, at a '?'.
GUARD = r"""(module
  (import "env" "field" (func $field (param i32 i32 i32) (result i32)))
  (import "env" "block" (func $block (param i32 i32 i32 i32) (result i32)))
  (import "env" "explain" (func $explain (param i32 i32 i32) (result i32)))
  (import "env" "log" (func $log (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "not today") (data (i32.const 32) "42501")
  (data (i32.const 48) "it is Sunday") (data (i32.const 64) "come tomorrow") (data (i32.const 80) "oh dear")
  (func (export "helios_abi_version") (result i32) (i32.const 2))
  (func $holds (param $char i32) (result i32)
    (local $at i32) (local $end i32)
    (local.set $at (i32.const 1024))
    (local.set $end (i32.add (i32.const 1024) (call $field (i32.const 1) (i32.const 1024) (i32.const 4096))))
    (loop $next
      (if (i32.ge_u (local.get $at) (local.get $end)) (then (return (i32.const 0))))
      (if (i32.eq (i32.load8_u (local.get $at)) (local.get $char)) (then (return (i32.const 1))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next))
    (unreachable))
  (func $give_up (unreachable))
  (func (export "pre_query") (result i32)
    (if (call $holds (i32.const 33)) (then
      (drop (call $explain (i32.const 1) (i32.const 48) (i32.const 12)))
      (drop (call $explain (i32.const 2) (i32.const 64) (i32.const 13)))
      (drop (call $block (i32.const 16) (i32.const 9) (i32.const 32) (i32.const 5)))))
    (if (call $holds (i32.const 63)) (then
      (drop (call $log (i32.const 3) (i32.const 80) (i32.const 7)))
      (call $give_up)))
    (i32.const 0)))"""


@pytest.fixture
def proxy(make_proxy):
    proxy = make_proxy()
    proxy.write_plugin_file("guard.wat", GUARD)
    return proxy.start()


def kept(proxy, query=""):
    reply = proxy.admin.get("/refusals" + query)
    assert reply.status == 200, reply.text
    return reply.json["refusals"]


def test_verdict_is_told_and_kept(proxy):
    with proxy.connect(options="-c helios.tenant_id=acme", parameters={"application_name": "desk"}) as session:
        reply = session.query("SELECT 'secret' AS a --!")
    refusal, = kept(proxy)
    assert (reply.error["C"], reply.error["M"], reply.error["H"]) == ("42501", "not today", "come tomorrow")
    assert reply.error["D"] == f'it is Sunday\nRefused by plugin "guard", request {refusal["request_id"]}.'
    assert abs(time.time() - calendar.timegm(time.strptime(refusal.pop("time")[:19], "%Y-%m-%dT%H:%M:%S"))) < 3600
    assert re.fullmatch(r"[0-9a-f]{16}", refusal.pop("fingerprint"))
    refusal.pop("request_id")
    assert refusal == {
        "number": 1, "plugin": "guard", "decided_by": "verdict", "sqlstate": "42501", "reason": "not today",
        "detail": "it is Sunday", "hint": "come tomorrow", "fault": None, "user": "postgres", "database": "demo",
        "tenant": "acme", "client": "127.0.0.1", "application_name": "desk", "statement_kind": refusal["statement_kind"]}
    assert "secret" not in proxy.admin.get("/refusals").text and "secret" not in proxy.log
    proxy.wait_for_log(r"refused \(42501\) by guard \(verdict\), request [0-9a-f-]{36}, user postgres, database demo, "
                       "tenant acme: not today")
    assert 'helios_refusals_total{plugin="guard",sqlstate="42501"} 1' in proxy.admin.get("/metrics").text


def test_on_error_is_shown_as_such(proxy):
    with proxy.connect() as session:
        reply = session.query("SELECT 1 --?")
    refusal, = kept(proxy)
    assert refusal["decided_by"] == "on_error" and refusal["sqlstate"] == reply.sqlstate == "58000"
    assert re.fullmatch(r"trap: unreachable \[in give_up at 0x[0-9a-f]+, called by .*\]", refusal["fault"])
    assert 'on_error is "deny"' in reply.error["H"] and "(trap: unreachable)" in reply.error["M"]
    proxy.wait_for_log(r"plugin guard \(attempt that failed\): oh dear")


def test_rules_of_the_proxy_are_kept(proxy):
    with proxy.connect() as session:
        reply = session.query("secret 4711")
        assert reply.sqlstate == "42601"
        reply = session.query("EXPLAIN EXECUTE x")
    first, second = kept(proxy, "?plugin=proxy")
    assert first["decided_by"] == second["decided_by"] == "rule"
    assert "secret" not in json.dumps(first)
    assert reply.error["D"] == f"Refused by the proxy, request {second['request_id']}."


def test_extended_protocol_is_told_the_same(proxy):
    with proxy.connect() as session:
        reply = session.prepared("SELECT 1 --!")
        assert reply.error["H"] == "come tomorrow"
    assert len(kept(proxy)) == 1


def test_denied_login_is_kept(start_proxy):
    proxy = start_proxy(tenant__setters=[])
    with pytest.raises(WireError) as refusal:
        proxy.connect(options="-c helios.tenant_id=acme")
    record, = kept(proxy)
    assert record["decided_by"] == "login" and record["sqlstate"] == "42501" and record["plugin"] == "proxy"
    assert record["request_id"] in refusal.value.fields["D"]


def test_they_are_found_by_what_they_are_about(proxy):
    for tenant in ["a", "b", "a"]:
        with proxy.connect(options=f"-c helios.tenant_id={tenant}") as session:
            session.query("SELECT 1 --!")
    assert [each["number"] for each in kept(proxy, "?tenant=a")] == [1, 3]
    assert [each["number"] for each in kept(proxy, "?limit=2")] == [2, 3]
    assert [each["number"] for each in kept(proxy, "?after=1&limit=1")] == [2]
    assert kept(proxy, "?user=nobody") == [] and kept(proxy, "?since=2999-01-01T00:00:00Z") == []
    url = f"http://127.0.0.1:{proxy.admin.port}"
    lines = run_cli("refusals", "--url", url, "--tenant", "b").splitlines()
    assert len(lines) == 1 and "42501 guard (verdict) user postgres tenant b: not today" in lines[0]
    assert [json.loads(line)["tenant"] for line in run_cli("refusals", "--url", url, "--json").splitlines()] == ["a", "b", "a"]
    assert proxy.admin.get("/refusals?limit=0").status == 400
