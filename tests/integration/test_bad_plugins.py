# SPDX-License-Identifier: Apache-2.0
"""Plugins that cannot be loaded, and plugins that misbehave when called: real modules, each with one fault."""

import subprocess
import threading

import pytest
from harness.waiting import wait_until

# A guest whose hooks do whatever stands in the two holes.
FRAME = """(module
  (import "env" "kv_get" (func $kv_get (param i32 i32 i32 i32) (result i32)))
  (import "env" "kv_set" (func $kv_set (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "key")
  {more}
  (func (export "alloc") (param $size i32) (result i32) {alloc})
  (func (export "dealloc") (param i32 i32) {dealloc})
  (func (export "pre_query") (param $ptr i32) (param $len i32) (result i64) {hook}))
"""


def guest(hook="(i64.const 0)", alloc="(i32.const 1024)", dealloc="", more=""):
    return FRAME.format(hook=hook, alloc=alloc, dealloc=dealloc, more=more)


def answer(ptr, length):
    return f"(i64.const {ptr << 32 | length})"


def data(text, at=64):
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'(data (i32.const {at}) "{escaped}")'


LOOP = "(loop $for_ever (br $for_ever)) (i64.const 0)"
UNKNOWN_ACTION = '{"action":"explode"}'
HALF_ANSWER = '{"action":'

FAULTS = {
    "loops": guest(LOOP),
    "traps": guest("(unreachable)"),
    "divides by zero": guest("(i64.div_s (i64.const 1) (i64.const 0))"),
    "recurses": guest("(call $again) (i64.const 0)", more="(func $again (call $again) (call $again))"),
    "takes memory until there is none": guest(
        "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)"),
    "reads outside its memory": guest("(i64.load (i32.const 100000))"),
    "answers outside its memory": guest(answer(65530, 100)),
    "answers at the end of the address space": guest(answer(0xfffffff0, 0x20)),
    "lies about the length of its answer": guest(answer(64, 0x7fffffff)),
    "answers what is not JSON": guest(answer(64, len(HALF_ANSWER)), more=data(HALF_ANSWER)),
    "answers an unknown action": guest(answer(64, len(UNKNOWN_ACTION)), more=data(UNKNOWN_ACTION)),
    "allocates outside its memory": guest(alloc="(i32.const 65530)"),
    "traps in alloc": guest(alloc="(unreachable)"),
}

HARMLESS = {
    "answers nothing": guest(),
    "answers a negative length": guest("(i64.const 0xffffffff)"),
    "takes memory and lives with a refusal": guest("(drop (memory.grow (i32.const 60000))) (i64.const 0)"),
}


def install(proxy, name, text):
    proxy.write_plugin_file(name + ".wat", text)
    return proxy


@pytest.mark.parametrize("fault", FAULTS, ids=lambda name: name.replace(" ", "_"))
def test_fault_is_refused_by_default(make_proxy, counter, fault):
    proxy = install(make_proxy(plugins=[counter]), "faulty", FAULTS[fault]).start()
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        for _ in range(3):
            reply = session.query("SELECT 1")
            assert reply.types == "EZ" and reply.error["S"] == "ERROR" and reply.status == "I", reply.errors
        # Statements that only manage the session meet no hook, and other parts go on.
        session.query("SET TimeZone = 'UTC'").expect_ok()
    plugins = {each["name"]: each for each in proxy.admin.get("/plugins").json}
    assert plugins["faulty"]["failures"] == 3 and plugins["faulty"]["last_error"]
    assert plugins["counter"]["failures"] == 0
    assert "faulty" in proxy.log


@pytest.mark.parametrize("fault", FAULTS, ids=lambda name: name.replace(" ", "_"))
def test_fault_is_passed_over_where_that_is_allowed(make_proxy, counter, fault):
    proxy = install(make_proxy(plugins=[counter]), "faulty", FAULTS[fault])
    proxy.write_plugin_file("faulty.toml", 'on_error = "allow"\n[limits]\ntimeout_ms = 20\n')
    proxy.start()
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        for number in range(3):
            assert session.query(f"SELECT {number}").value() == str(number)
    assert proxy.admin.value("counter", "acme") == "3"


@pytest.mark.parametrize("kind", HARMLESS, ids=lambda name: name.replace(" ", "_"))
def test_harmless_guest_is_let_be(make_proxy, kind):
    proxy = install(make_proxy(), "harmless", HARMLESS[kind]).start()
    with proxy.connect() as session:
        assert session.query("SELECT 1").value() == "1"


def test_call_that_fails_writes_nothing(make_proxy):
    write = "(drop (call $kv_set (i32.const 16) (i32.const 3) (i32.const 16) (i32.const 3)))"
    proxy = install(make_proxy(), "half", guest(write + "(unreachable)")).start()
    with proxy.connect() as session:
        assert session.query("SELECT 1").errors
    assert proxy.admin.value("half", "key") is None


@pytest.mark.parametrize("call", [
    "(call $kv_get (i32.const 65530) (i32.const 100) (i32.const 0) (i32.const 1))",
    "(call $kv_get (i32.const 16) (i32.const 3) (i32.const 65530) (i32.const 100))",
    "(call $kv_get (i32.const 16) (i32.const -1) (i32.const 0) (i32.const -1))",
    "(call $kv_set (i32.const -8) (i32.const 16) (i32.const 16) (i32.const 3))",
    "(call $kv_set (i32.const 16) (i32.const 3) (i32.const 0) (i32.const 0x7fffffff))",
])
def test_pointers_outside_of_the_memory_harm_nobody(make_proxy, call):
    proxy = install(make_proxy(), "pointers", guest(f"(drop {call}) (i64.const 0)")).start()
    with proxy.connect() as session:
        session.query("SELECT 1")  # refused or not: the process and the session are fine
        assert session.query("SET TimeZone = 'UTC'").expect_ok().status == "I"
    assert proxy.admin.get("/healthz").status == 200


def test_looping_plugin_hurts_only_its_own_callers(make_proxy, counter):
    """One worker: session B completes 1,000 queries while the hooks of session A loop."""
    # Loops for statements of at least 300 bytes of JSON more than usual: A sends a long text, B does not.
    loop_if_long = f"(if (i32.gt_u (local.get $len) (i32.const 4000)) (then (loop $for_ever (br $for_ever)))) (i64.const 0)"
    proxy = make_proxy(plugins=[counter], listen__workers=1, plugins__limits__timeout_ms=2000)
    install(proxy, "looper", guest(loop_if_long)).start()
    stop = threading.Event()
    loops = []

    def keep_looping():
        with proxy.connect() as session:
            while not stop.is_set():
                loops.append(session.query("SELECT 1 -- " + "x" * 4000).errors)

    looping = threading.Thread(target=keep_looping)
    looping.start()
    try:
        wait_until(lambda: "looper" in str(proxy.admin.get("/plugins").json) and
                   next(p for p in proxy.admin.get("/plugins").json if p["name"] == "looper")["overruns"] >= 1,
                   "the hook of A loops")
        with proxy.connect(options="-c helios.tenant_id=b") as session:
            for number in range(1000):
                assert session.query(f"SELECT {number}").value() == str(number)
    finally:
        stop.set()
        looping.join()
    assert proxy.admin.value("counter", "b") == "1000"
    assert loops and all(errors for errors in loops)


def run_to_the_end(proxy):
    proxy.write_config()
    return subprocess.run([proxy.binary, "--config", proxy.config_file], capture_output=True, text=True, timeout=60,
                          check=False)


MODULE = '(module (memory (export "memory") 1) {} )'
ALLOC = '(func (export "alloc") (param i32) (result i32) (i32.const 0)) (func (export "dealloc") (param i32 i32))'
HOOK = '(func (export "pre_query") (param i32 i32) (result i64) (i64.const 0))'

UNLOADABLE = {
    "no module at all": ("bad.wasm", "this is no module", []),
    "text that does not parse": ("bad.wat", "(module", []),
    "unknown import": ("bad.wat", '(module (import "env" "launch_missiles" (func)) ' + MODULE.format(ALLOC + HOOK)[8:],
                       ["launch_missiles"]),
    "import of another module": ("bad.wat", '(module (import "wasi_snapshot_preview1" "fd_write" (func)) ' +
                                 MODULE.format(ALLOC + HOOK)[8:], ["fd_write"]),
    "import of the wrong type": ("bad.wat", '(module (import "env" "kv_get" (func (param i64))) ' +
                                 MODULE.format(ALLOC + HOOK)[8:], ["kv_get"]),
    "no memory": ("bad.wat", f"(module {ALLOC} {HOOK})", ["memory"]),
    "no alloc": ("bad.wat", MODULE.format(HOOK), ["alloc"]),
    "no hook": ("bad.wat", MODULE.format(ALLOC), []),
    "hook of the wrong type": ("bad.wat", MODULE.format(ALLOC + '(func (export "pre_query"))'), ["pre_query"]),
    "start function that traps": ("bad.wat", MODULE.format(ALLOC + HOOK + "(func $s (unreachable)) (start $s)"), []),
    "more memory than allowed": ("bad.wat", f'(module (memory (export "memory") 60000) {ALLOC} {HOOK})', []),
}


@pytest.mark.parametrize("kind", UNLOADABLE, ids=lambda name: name.replace(" ", "_"))
def test_plugin_that_cannot_be_loaded_stops_the_start(make_proxy, kind):
    file, text, words = UNLOADABLE[kind]
    proxy = make_proxy()
    proxy.write_plugin_file(file, text)
    done = run_to_the_end(proxy)
    assert done.returncode != 0
    said = [line for line in (done.stdout + done.stderr).splitlines() if "bad" in line]
    assert len(said) == 1, done.stdout + done.stderr
    for word in words:
        assert word in said[0]


def test_optional_plugin_that_cannot_be_loaded_is_left_out(make_proxy, counter):
    proxy = make_proxy(plugins=[counter], plugins__optional=["bad"])
    proxy.write_plugin_file("bad.wat", "(module")
    proxy.start()
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        session.query("SELECT 1").expect_ok()
    assert proxy.admin.value("counter", "acme") == "1"


@pytest.mark.parametrize("manifest, words", [
    ("hooks = [\"route\"]\n", ["route"]),
    ("hooks = [\"post_query\"]\n", ["post_query"]),
    ("on_error = \"perhaps\"\n", ["on_error", ":1"]),
    ("\nno_such_key = 1\n", ["no_such_key", ":2"]),
    ("name = \n", [":1"]),
])
def test_manifest_that_is_wrong_stops_the_start(make_proxy, manifest, words):
    proxy = install(make_proxy(), "plain", guest())
    proxy.write_plugin_file("plain.toml", manifest)
    done = run_to_the_end(proxy)
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "plain" in said
    for word in words:
        assert word in said


def test_two_plugins_with_one_namespace_stop_the_start(make_proxy):
    proxy = install(install(make_proxy(), "cost-governor", guest()), "helios_plugin_cost_governor", guest())
    done = run_to_the_end(proxy)
    assert done.returncode != 0
    assert "cost-governor" in done.stdout + done.stderr


ROUTE = '(func (export "route") (param i32 i32) (result i64) (i64.const 0))'


def test_guard_whose_only_hook_is_never_called_stops_the_start(make_proxy):
    proxy = make_proxy()
    proxy.write_plugin_file("guard.wat", MODULE.format(ALLOC + ROUTE))
    done = run_to_the_end(proxy)
    assert done.returncode != 0 and "it would never act" in done.stdout + done.stderr
    proxy.write_plugin_file("guard.toml", 'optional_hooks = ["route"]\n')
    proxy.start()
    assert "route" in proxy.log


def test_check_names_what_lies_in_the_folder_and_is_no_plugin(make_proxy):
    proxy = make_proxy()
    proxy.write_plugin_file("guard-1.0.0.tar.gz", "artefact")
    proxy.write_config()
    done = subprocess.run([proxy.binary, "--check", "--config", proxy.config_file], capture_output=True, text=True,
                          timeout=60, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "no plugin in it" in said and "guard-1.0.0.tar.gz" in said


def test_foreign_manifest_is_read(make_proxy):
    proxy = install(make_proxy(), "guard", guest())
    proxy.write_plugin_file("guard.toml", 'name = "helios-plugin-guard"\nversion = "0.1.0"\ndescription = "d"\n'
                            'author = "a"\nlicense = "Apache-2.0"\nhooks = ["pre_query"]\npermissions = ["kv_read"]\n'
                            'min_memory = 1048576\nmax_memory = 16777216\npriority = 40\n')
    proxy.start()
    plugin, = proxy.admin.get("/plugins").json
    assert plugin["name"] == "helios-plugin-guard" and plugin["state"] == "loaded"
    assert "permissions" in plugin["warnings"][0] and "priority" in proxy.log


def test_export_that_is_not_called_yet_is_a_warning(make_proxy):
    proxy = install(make_proxy(), "early", guest(
        more=ROUTE)).start()
    plugin, = proxy.admin.get("/plugins").json
    assert any("route" in warning for warning in plugin["warnings"])
    assert "route" in proxy.log


def test_broken_new_version_leaves_the_old_one_running(start_proxy, counter):
    proxy = start_proxy(plugins=[counter])
    proxy.write_plugin_file("counter.wasm", "broken")
    reload = proxy.reload()
    assert reload.status >= 400 and "counter" in reload.text
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        session.query("SELECT 1").expect_ok()
    assert proxy.admin.value("counter", "acme") == "1"
    assert [plugin["name"] for plugin in proxy.admin.get("/plugins").json] == ["counter"]


def test_post_query_that_traps_ends_the_session_instead_of_releasing_the_answer(make_proxy):
    proxy = install(make_proxy(), "post", guest(
        more='(func (export "post_query") (param i32 i32) (result i64) (unreachable))')).start()
    with proxy.connect() as session:
        session.send(b"Q" + (13 + 1).to_bytes(4, "big") + b"SELECT 1;\0")
        kinds = [kind for kind, _ in session.until_closed()]
        assert b"Z" not in kinds


def test_post_query_that_traps_is_passed_over_where_that_is_allowed(make_proxy):
    proxy = install(make_proxy(), "post", guest(
        more='(func (export "post_query") (param i32 i32) (result i64) (unreachable))'))
    proxy.write_plugin_file("post.toml", 'on_error = "allow"\n')
    proxy.start()
    with proxy.connect() as session:
        assert session.query("SELECT 1").value() == "1"
