# SPDX-License-Identifier: Apache-2.0
"""Clients that die at every byte of every message: whoever comes next finds everything clean, and nothing leaks.

HELIOS_ROUNDS says how many die (1,000 by default): each position of each script in turn, and then again with another
way to die."""

import os
import struct

import pytest
from conftest import SANITIZER_SETTINGS
from harness.conversation import USER
from harness.postgres import PASSWORD
from harness.proxy import Proxy
from harness.waiting import wait_until
from harness.wire import (CANCEL_REQUEST, SSL_REQUEST, SYNC, TERMINATE, Raw, Wire, bind_message, cstring,
                          describe_message, execute_message, message, parse_message, query_message, startup_packet)

ROUNDS = int(os.environ.get("HELIOS_ROUNDS", "1000"))
MOST_GROWTH_KIB = 32 * 1024
# A sanitized build keeps freed memory for a while, to catch those who still use it.
ENVIRONMENT = {"ASAN_OPTIONS": "quarantine_size_mb=1"}

STARTUP = startup_packet({"user": USER, "database": "demo", "options": "-c helios.tenant_id=acme"})
LOGIN = [(STARTUP, b"R"), (message(b"p", cstring(PASSWORD)), b"Z")]
BATCH = parse_message("SELECT $1", "s") + bind_message(name="s", values=["x"]) + describe_message() + execute_message()

# Each script is a list of (what the client says, the message it then waits for). It dies inside the last one.
SCRIPTS = {
    "ssl": [(struct.pack("!ii", 8, SSL_REQUEST), None)],
    "startup": [(STARTUP, b"R")],
    "password": LOGIN,
    "query": [*LOGIN, (query_message("SELECT 1; SET TimeZone = 'UTC'; SELECT 2"), b"Z")],
    "transaction": [*LOGIN, (query_message("BEGIN"), b"Z"), (query_message("SELECT 1; COMMIT; SELECT 2"), b"Z")],
    "refused": [*LOGIN, (query_message("SELECT 'no'"), b"Z")],
    "copy": [*LOGIN, (query_message("CREATE TEMP TABLE t (a text)"), b"Z"), (query_message("COPY t FROM STDIN"), b"G"),
             (message(b"d", b"one\ntwo\n") + message(b"d", b"three\n") + message(b"c"), b"Z")],
    "extended": [*LOGIN, (BATCH + SYNC, b"Z")],
    "pipeline": [*LOGIN, (query_message("SELECT 1") + query_message("SELECT 2") + TERMINATE, None)],
    "terminate": [*LOGIN, (TERMINATE, None)],
}


def close(raw):
    raw.close()


def reset(raw):
    raw.reset()


def half_close(raw):
    """The proxy may answer what it had, and closes; nobody reads it."""
    raw.half_close()
    raw.close()


WAYS = [close, reset, half_close]


def deaths():
    """(script, bytes of its last message that are sent, way to die), for ever."""
    turn = 0
    while True:
        position = 0
        for name, script in SCRIPTS.items():
            for sent in range(len(script[-1][0]) + 1):
                yield name, sent, WAYS[(position + turn) % len(WAYS)]
                position += 1
        for sent in range(17):
            yield "cancel", sent, WAYS[(position + turn) % len(WAYS)]
            position += 1
        turn += 1


def wait_for(raw, kind):
    while kind and raw.message()[0] != kind:
        pass


def die(proxy, key, name, sent, way):
    raw = Raw("127.0.0.1", proxy.port)
    if name == "cancel":
        raw.send((struct.pack("!ii", 16, CANCEL_REQUEST) + key)[:sent])
    else:
        *before, (last, _) = SCRIPTS[name]
        for text, answer in before:
            raw.send(text)
            wait_for(raw, answer)
        raw.send(last[:sent])
    way(raw)


@pytest.fixture
def proxy(postgres, guests):
    made = Proxy({"server.host": "127.0.0.1", "server.port": postgres.port, "protocol.extended": "pass",
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
            die(proxy, key, name, sent, way)
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
