# SPDX-License-Identifier: Apache-2.0
"""Clients that die at every byte of every message: whoever comes next finds everything clean, and nothing leaks.

HELIOS_ROUNDS says how many die (1,000 by default): each position of each script in turn, and then again with another
way to die."""

import os
import struct

import pytest
from conftest import SANITIZER_SETTINGS
from harness.conversation import USER
from harness.dying import SCRIPTS, deaths, die, wait_for
from harness.proxy import Proxy
from harness.waiting import wait_until
from harness.wire import Raw, Wire

ROUNDS = int(os.environ.get("HELIOS_ROUNDS", "1000"))
MOST_GROWTH_KIB = 32 * 1024
# A sanitized build keeps freed memory for a while, to catch those who still use it.
ENVIRONMENT = {"ASAN_OPTIONS": "quarantine_size_mb=1"}

@pytest.fixture
def proxy(postgres, guests):
    made = Proxy({"server.host": "127.0.0.1", "server.port": postgres.port, "protocol.function_call": "pass",
                  **SANITIZER_SETTINGS}, environment=ENVIRONMENT)
    made.install(os.path.join(guests, "balance.wat"))
    made.write_plugin_file("refuses.wat", REFUSES)
    made.start()
    yield made
    made.stop()
    made.remove()


# Blocks whatever holds 'no'; so some die while they are being refused.
REFUSES = r"""(module
  (memory (export "memory") 1)
  (data (i32.const 16) "{\"action\":\"block\",\"value\":\"no\"}")
  (func (export "alloc") (param i32) (result i32) (i32.const 8192))
  (func (export "dealloc") (param i32 i32))
  (func (export "pre_query") (param $ptr i32) (param $len i32) (result i64)
    (loop $next
      (if (i32.lt_s (local.get $len) (i32.const 4)) (then (return (i64.const 0))))
      (if (i32.eq (i32.load (local.get $ptr)) (i32.const 0x276f6e27)) (then (return (i64.const 0x100000001f))))
      (local.set $ptr (i32.add (local.get $ptr) (i32.const 1)))
      (local.set $len (i32.sub (local.get $len) (i32.const 1)))
      (br $next))
    (unreachable)))
"""


def descriptors(proxy):
    return len(os.listdir(f"/proc/{proxy.pid}/fd"))


def balance(proxy, key):
    answer = proxy.admin.get(f"/admin/kv/balance/{key}", Accept="application/octet-stream")
    return struct.unpack("<q", answer.body)[0] if answer.status == 200 else 0


def backends(postgres):
    with postgres.connect() as admin:
        return int(admin.query(f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{USER}'").value())


def is_quiet(proxy, postgres):
    return (proxy.admin.metric("helios_sessions") == 1 and backends(postgres) == 0 and
            proxy.admin.metric("helios_slow_lane_waiting") == 0 and balance(proxy, "pre") == balance(proxy, "post"))


def test_scripts_are_what_they_say(proxy):
    """Undisturbed, each is answered; otherwise they would prove little."""
    for name, script in SCRIPTS.items():
        with Raw("127.0.0.1", proxy.port) as raw:
            for text, answer in script:
                raw.send(text)
                wait_for(raw, answer)
        assert proxy.admin.metric("helios_protocol_errors_total") == 0, name
    assert proxy.admin.metric("helios_plugin_refusals_total") == 1


def test_clients_that_die_anywhere_leave_nothing_behind(proxy, postgres):
    with proxy.connect() as witness:
        rounds = deaths()
        key = witness.key
        before = None
        for number in range(ROUNDS):
            if number == ROUNDS // 4:  # by then everything has happened once
                wait_until(lambda: is_quiet(proxy, postgres), "all is quiet", 90)
                before = descriptors(proxy), proxy.resident_kib()
            name, sent, way = next(rounds)
            die(proxy.port, key, name, sent, way)
            if number % 100 == 0:
                assert_clean(proxy, witness, (name, sent, way.__name__))
        wait_until(lambda: is_quiet(proxy, postgres), "all is quiet", 90)
        wait_until(lambda: descriptors(proxy) <= before[0], "no descriptor is left", 90)
        assert proxy.resident_kib() - before[1] < MOST_GROWTH_KIB
        assert_clean(proxy, witness, "the end")
        assert proxy.admin.metric("helios_sessions_total") >= ROUNDS


def assert_clean(proxy, witness, after):
    """A new session has nothing of those before it, and an old one is as it was."""
    with Wire("127.0.0.1", proxy.port) as session:
        reply = session.query("SELECT current_setting('helios.tenant_id', true)")
        assert reply.rows in ([[None]], [[""]]) and reply.status == "I", after
        session.terminate()
    assert witness.query("SELECT 'still here'").value() == "still here", after
