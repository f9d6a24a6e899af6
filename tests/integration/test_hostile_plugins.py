# SPDX-License-Identifier: Apache-2.0
"""Hostile plugins in a live proxy: beside them everything stays exact, and what they do is contained and shown."""

import subprocess
import threading

import pytest
from harness.waiting import wait_until

# A guest whose hook does whatever stands in the hole. $len: the length of its input.
FRAME = """(module
  (import "env" "kv_get" (func $kv_get (param i32 i32 i32 i32) (result i32)))
  (import "env" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (import "env" "sha256_hex" (func $sha256_hex (param i32 i32 i32) (result i32)))
  (memory (export "memory") 256)
  (data (i32.const 16) "key") {data}
  (func (export "alloc") (param i32) (result i32) (i32.const 8388608))
  (func (export "dealloc") (param i32 i32))
  (func $down (call $down) (call $down))
  (func (export "pre_query") (param $ptr i32) (param $len i32) (result i64) {hook}))
"""


def guest(hook, data=""):
    return FRAME.format(hook=hook, data=data)


def answering(json):
    escaped = "".join(f"\\{byte:02x}" for byte in json.encode("utf-8", "surrogateescape"))
    return guest(f"(i64.const {4096 << 32 | len(escaped) // 3})", f'(data (i32.const 4096) "{escaped}")')


def if_long(code):
    """Does `code` for statements of more than a few kilobytes, and nothing for others."""
    return f"(if (i32.gt_u (local.get $len) (i32.const 4000)) (then {code})) (i64.const 0)"


LONG = "SELECT 1 -- " + "x" * 4000
LOOP = "(loop $for_ever (br $for_ever))"

HOSTILE = {
    "loops": guest(if_long(LOOP)),
    "hashes": guest(if_long("(drop (call $sha256_hex (i32.const 0) (i32.const 16777216) (i32.const 0)))" * 1000)),
    "recurses": guest(if_long("(call $down)")),
    "traps": guest("(unreachable)"),
    "grows": guest("(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (unreachable)"),
    "lies": guest("(i64.const -4294967265)"),
    "points": guest("(drop (call $kv_get (i32.const 16) (i32.const -1) (i32.const 0) (i32.const -1))) (i64.const 0)"),
    "nests": answering("[" * 10000),
    "babbles": answering('{"action":"block","value":"\udcff"}'),
    "fills": guest("(i32.store (i32.const 0) (i32.load (local.get $ptr))) (loop $more (i32.store (i32.const 0) "
                   "(i32.add (i32.load (i32.const 0)) (i32.const 1))) (br_if $more (i32.eqz (call $kv_set "
                   "(i32.const 0) (i32.const 4096) (i32.const 0) (i32.const 65536))))) (i64.const 0)"),
}


FRAME2 = """(module
  (import "env" "field_length" (func $field_length (param i32) (result i32)))
  (import "env" "field" (func $field (param i32 i32 i32) (result i32)))
  (import "env" "rewrite" (func $rewrite (param i32 i32) (result i32)))
  (import "env" "answer_begin" (func $answer_begin (result i32)))
  (import "env" "answer_column" (func $answer_column (param i32 i32 i32) (result i32)))
  (import "env" "answer_value" (func $answer_value (param i32 i32) (result i32)))
  (import "env" "log" (func $log (param i32 i32 i32) (result i32)))
  (import "env" "kv_incr" (func $kv_incr (param i32 i32 i64 i64 i64 i32) (result i32)))
  (memory (export "memory") 16)
  (data (i32.const 16) "key")
  (func (export "helios_abi_version") (result i32) (i32.const 2))
  (func (export "pre_query") (result i32)
    (if (i32.gt_s (call $field_length (i32.const 1)) (i32.const 4000)) (then {hook})) (i32.const 0)))
"""

# The same of ABI 2, for long statements.
HOSTILE2 = {
    "points2": "(drop (call $field (i32.const 1) (i32.const -8) (i32.const 16)))",
    "counts2": "(drop (call $kv_incr (i32.const 16) (i32.const 3) (i64.const 1) (i64.const 9) (i64.const 0) "
               "(i32.const 1048570)))",
    "asks2": "(drop (call $field (i32.const -1) (i32.const 0) (i32.const 16))) (unreachable)",
    "fails2": "(return (i32.const 7))",
    "erases2": "(drop (call $rewrite (i32.const 0) (i32.const 0)))",
    "half2": "(drop (call $answer_begin)) (drop (call $answer_column (i32.const 16) (i32.const 3) (i32.const 25))) "
             "(drop (call $answer_column (i32.const 16) (i32.const 3) (i32.const 25))) "
             "(drop (call $answer_value (i32.const 16) (i32.const 3)))",
    "bombs2": "(drop (call $answer_begin)) (drop (call $answer_column (i32.const 16) (i32.const 3) (i32.const 25))) "
              "(loop $more (drop (call $answer_value (i32.const 0) (i32.const 65536))) (br $more))",
    "babbles2": "(loop $more (drop (call $log (i32.const 1) (i32.const 0) (i32.const 65536))) (br $more))",
}


def plugins_of(proxy):
    return {each["name"]: each for each in proxy.admin.get("/plugins").json}


@pytest.fixture
def beside_hostile_plugins(make_proxy, counter):
    """A proxy with the counter and all hostile plugins, whose failures are passed over."""
    proxy = make_proxy(plugins=[counter], kv__max_bytes_per_namespace=8 << 20)
    for name, text in HOSTILE.items():
        proxy.write_plugin_file(name + ".wat", text)
        proxy.write_plugin_file(name + ".toml", 'on_error = "allow"\n[limits]\ntimeout_ms = 20\n')
    return proxy.start()


def test_hostile_plugins_leave_other_sessions_exact(beside_hostile_plugins):
    proxy = beside_hostile_plugins
    statements, tenants, stop = 30, 3, threading.Event()
    wrong, provoked = [], []

    def provoke():
        with proxy.connect(options="-c helios.tenant_id=attacker") as session:
            while not provoked or not stop.is_set():
                provoked.append(session.query(LONG).value())

    def work(tenant):
        with proxy.connect(options=f"-c helios.tenant_id=tenant{tenant}") as session:
            for number in range(statements):
                value = session.query(f"SELECT {number}").value()
                if value != str(number):
                    wrong.append(value)

    attack = threading.Thread(target=provoke)
    attack.start()
    workers = [threading.Thread(target=work, args=(tenant,)) for tenant in range(tenants)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    stop.set()
    attack.join()
    assert not wrong
    for tenant in range(tenants):
        assert proxy.admin.value("counter", f"tenant{tenant}") == str(statements)
    assert proxy.admin.value("counter", "attacker") == str(len(provoked)) and set(provoked) == {"1"}

    shown = plugins_of(proxy)
    assert shown["counter"]["failures"] == 0
    assert all(shown[name]["failures"] for name in ("loops", "hashes", "recurses", "traps", "grows", "points", "nests"))
    # Those that fault for everybody are backed off for each caller.
    assert shown["traps"]["backed_off"] > 0
    assert proxy.admin.get("/healthz").status == 200


def test_plugin_that_faults_is_backed_off_for_the_caller_and_shown(make_proxy):
    proxy = make_proxy(plugins__limits__backoff_after_faults=3, plugins__limits__backoff_ms=3600000,
                       plugins__limits__backoff_max_ms=3600000)
    proxy.write_plugin_file("faulty.wat", HOSTILE["traps"])
    proxy.start()

    def refusals(tenant, count):
        with proxy.connect(options=f"-c helios.tenant_id={tenant}") as session:
            return [session.query("SELECT 1").error["M"] for _ in range(count)]

    said = refusals("a", 5)
    assert all("trap: unreachable" in text for text in said)
    assert ["backing off after 3 faults in a row" in text for text in said] == [False] * 3 + [True] * 2
    shown = plugins_of(proxy)["faulty"]
    assert (shown["failures"], shown["backed_off"], shown["backing_off"]["callers"]) == (3, 2, 1)
    assert shown["backing_off"]["longest_left_ms"] > 0
    assert proxy.admin.metric("helios_plugin_backed_off_total") == 2
    assert proxy.admin.metric("helios_plugin_backing_off_callers") == 1
    assert 'backing off for 3600000 ms for user "postgres", tenant "a"' in proxy.log

    # For another tenant it is run.
    assert "backing off" not in refusals("b", 1)[0]

    # A new version starts with nothing held against it.
    proxy.write_plugin_file("faulty.wat", guest("(i64.const 0)"))
    assert proxy.reload().status == 200
    with proxy.connect(options="-c helios.tenant_id=a") as session:
        session.query("SELECT 1").expect_ok()
    assert plugins_of(proxy)["faulty"]["backing_off"] is None


def test_plugin_that_overruns_again_and_again_is_shown_on_the_slow_lane(make_proxy):
    proxy = make_proxy(plugins__limits__backoff_after_faults=0)
    proxy.write_plugin_file("loops.wat", HOSTILE["loops"])
    proxy.write_plugin_file("loops.toml", "[limits]\ntimeout_ms = 20\n")
    proxy.start()
    assert plugins_of(proxy)["loops"]["lane"] == "event_loop"

    def is_slow_after_another():
        with proxy.connect() as session:
            for _ in range(5):
                assert "timeout after 20 ms" in session.query(LONG).error["M"]
        return plugins_of(proxy)["loops"]["lane"] == "slow"

    wait_until(is_slow_after_another, "the plugin goes to the slow lane")
    assert proxy.admin.metric("helios_plugin_slow") == 1
    overruns = plugins_of(proxy)["loops"]["overruns"]
    is_slow_after_another()
    assert plugins_of(proxy)["loops"]["overruns"] == overruns


REWRITES = {
    "to several statements": ("SELECT 2; SELECT 3", None),
    "to what is no statement": ("SELEC", None),
    "to the beginning of a transaction": ("BEGIN", "T"),
    "to its end": ("COMMIT", "I"),
}


@pytest.mark.parametrize("kind", REWRITES, ids=lambda name: name.replace(" ", "_"))
def test_hostile_rewrite_leaves_client_and_server_in_step(make_proxy, kind):
    text, status = REWRITES[kind]
    proxy = make_proxy()
    proxy.write_plugin_file("rewriter.wat", answering('{"action":"rewrite","value":"%s"}' % text))
    proxy.start()
    with proxy.connect() as session:
        for _ in range(2):
            reply = session.query("SELECT 1")
            assert bool(reply.errors) == (status is None), reply.errors
            assert reply.status == (status or "I")
        # Not rewritten, for it meets no hook: the link is in step.
        assert session.query("SHOW application_name").types[-1] == "Z"


def test_rewrite_to_another_tenant_is_what_statements_then_run_under(make_proxy, counter):
    """The plugin is policy and may do that; what must not happen is that the proxy misses it."""
    proxy = make_proxy(plugins=[counter])
    proxy.write_plugin_file("rewriter.wat", guest(
        f"(if (result i64) (i32.gt_u (local.get $len) (i32.const 4000)) (then (i64.const {4096 << 32 | 57})) "
        "(else (i64.const 0)))", '(data (i32.const 4096) "{\\22action\\22:\\22rewrite\\22,'
        '\\22value\\22:\\22SET helios.tenant_id = \'z\'\\22}")'))
    proxy.start()
    with proxy.connect(options="-c helios.tenant_id=a") as session:
        session.query(LONG).expect_ok()
        session.query("SELECT 1").expect_ok()
    assert (proxy.admin.value("counter", "a"), proxy.admin.value("counter", "z")) == ("1", "1")


def test_reason_of_a_megabyte_reaches_the_client_cut(make_proxy):
    proxy = make_proxy()
    proxy.write_plugin_file("blocker.wat", answering('{"action":"block","value":"%s"}' % ("x" * 1000000)))
    proxy.start()
    with proxy.connect() as session:
        said = session.query("SELECT 1").error["M"]
    assert len(said) < 5000 and said.endswith("xxx...")


def test_module_that_compiles_for_ever_stops_the_start_in_time(make_proxy):
    """A few kilobytes of nested loops that all change the same 500 locals: minutes of work for the compiler."""
    depth, changed = 500, 500
    body = "(loop " * depth
    body += "".join(f"(local.set {each} (i32.add (local.get {each}) (i32.const 1)))" for each in range(changed))
    body += "(br_if 0 (i32.const 0)))" * depth
    bomb = f"(func $bomb (local{' i32' * changed}) {body})"
    proxy = make_proxy(plugins__limits__compile_timeout_ms=100)
    proxy.write_plugin_file("bomb.wat", guest("(i64.const 0)", bomb))
    proxy.write_config()
    done = subprocess.run([proxy.binary, "--config", proxy.config_file], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode != 0
    assert "bomb.wat: does not compile within 100 ms" in done.stdout + done.stderr


@pytest.mark.parametrize("instance", ["fresh", "reuse"])
def test_hostile_plugins_of_abi_2_are_contained(make_proxy, counter, instance):
    proxy = make_proxy(plugins=[counter], plugins__limits__backoff_after_faults=0)
    for name, hook in HOSTILE2.items():
        proxy.write_plugin_file(name + ".wat", FRAME2.format(hook=hook))
        proxy.write_plugin_file(name + ".toml", f'on_error = "allow"\ninstance = "{instance}"\n[limits]\ntimeout_ms = 20\n')
    proxy.start()
    with proxy.connect(options="-c helios.tenant_id=a") as session:
        for number in range(3):
            assert session.query(LONG).value() == "1"
            assert session.query(f"SELECT {number}").value() == str(number)
    assert proxy.admin.value("counter", "a") == "6"
    shown = plugins_of(proxy)
    assert {name: shown[name]["failures"] for name in HOSTILE2} == {name: 3 for name in HOSTILE2}
    assert shown["fails2"]["last_error"] == "returned 7"
    assert shown["half2"]["last_error"] == "its answer ends within a row"
    assert "was handed a range outside" in shown["points2"]["last_error"]
    assert proxy.admin.get("/healthz").status == 200
