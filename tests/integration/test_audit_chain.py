# SPDX-License-Identifier: Apache-2.0
"""The audit-chain plugin and `heliosproxy audit` on a real server: every statement has its records, whatever became of it
or of the proxy, and what is wrong is named."""

import hashlib
import hmac
import json
import os
import re
import struct
import threading

import pytest
from harness.waiting import wait_until
from harness.wire import SYNC, cstring, execute_message, message, parse_message, query_message
from test_kv_command import kv, run_cli
from test_plugins import files_of

SESSIONS = 8
STATEMENTS = 25


@pytest.fixture
def proxy(make_proxy):
    plugin = os.path.join(os.environ["HELIOS_PLUGIN_DIR"], "audit-chain")
    return make_proxy(plugins=[plugin + ".wasm", plugin + ".toml"], listen__workers=4, state__directory="state").start()


def audit(proxy, *words, status=0):
    return run_cli("audit", *words, "--url", f"http://127.0.0.1:{proxy.admin.port}", status=status)


def trail(proxy):
    """The records, in order."""
    lines = run_cli("kv", "stream", "audit-chain", "trail", "--json", "--url", f"http://127.0.0.1:{proxy.admin.port}")
    return [json.loads(json.loads(line)["value"]) for line in lines.splitlines()]


def of_type(records, kind):
    return [record for record in records if record["type"] == kind]


def settlements(records):
    """By request, wherever they stand."""
    return {each["request"]: each["settlement"] for each in records if "settlement" in each}


def test_plugin_of_a_smaller_order_hides_nothing(proxy):
    """It refuses every statement, and is still behind."""
    guest = os.path.join(os.path.dirname(__file__), "..", "guests", "blocks.wat")
    with open(guest, encoding="utf-8") as file:
        proxy.write_plugin_file("blocks.wat", file.read())
    proxy.write_plugin_file("blocks.toml", "order = -2000000\nstatements = \"all\"\n")
    assert proxy.admin.request("POST", "/plugins/reload").status == 200
    with proxy.connect() as client:
        assert client.query("SELECT 1").sqlstate == "42000"
        assert client.query("BEGIN").sqlstate == "42000"
    assert [each["text"] for each in of_type(trail(proxy), "intent")] == ["SELECT 1", "BEGIN"]
    assert [each["outcome"] for each in of_type(trail(proxy), "outcome")] == ["refused", "refused"]
    proxy.write_plugin_file("blocks.toml", "first = true\n")
    reload = proxy.admin.request("POST", "/plugins/reload")
    assert reload.status == 422 and "only one plugin can be first" in reload.text


def test_session_whose_tenant_is_unknown_gets_out(proxy):
    make_unknown = "DO $$BEGIN PERFORM set_config('helios.tenant_id', 'b' || 'c', false); END$$"
    with proxy.connect() as client:
        for text in ("SET helios.tenant_id = 'acme'", "BEGIN", make_unknown):
            client.query(text).expect_ok()
        assert client.query("SELECT 1").sqlstate == "42501"
        for text in ("ROLLBACK", "BEGIN", make_unknown):
            client.query(text).expect_ok()
        assert client.query("COMMIT").sqlstate == "58000", "it can be work, and nobody knows whose"
        for text in ("ROLLBACK", make_unknown):
            client.query(text).expect_ok()
        assert client.query("SHOW work_mem").sqlstate == "58000", "it has rows"
        for text in ("RESET work_mem", "SET helios.tenant_id = 'globex'", "SELECT 2"):
            client.query(text).expect_ok()
    records = {each["text"]: each["tenant"] for each in of_type(trail(proxy), "intent")}
    assert (records["RESET work_mem"], records["SELECT 2"]) == (None, "globex")


def run_sessions(proxy):
    def session(number):
        with proxy.connect() as client:
            for statement in range(STATEMENTS):
                client.query(f"SELECT {number * STATEMENTS + statement}").expect_ok()

    threads = [threading.Thread(target=session, args=(number,)) for number in range(SESSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_concurrent_sessions_make_one_trail_with_every_statement(proxy):
    run_sessions(proxy)
    statements = SESSIONS * STATEMENTS
    records, digest, summary = re.fullmatch(
        r"(\d+) records, 1 to \1, none changed, missing or out of place; the last digest is (\S+)\n(.*)\n1 events\n"
        r"the plugin ran all the time since its start\n",
        audit(proxy, "verify")).groups()
    assert summary == f"{statements} statements, each with its outcome"
    assert audit(proxy, "head") == f"{records}:{digest}\n"
    found = trail(proxy)
    assert {record["text"] for record in of_type(found, "intent")} == {f"SELECT {number}" for number in range(statements)}
    for kind in ("intent", "outcome"):
        assert len({record["request"] for record in of_type(found, kind)}) == statements
    assert len(settlements(found)) == statements


def test_trail_is_verified_without_a_proxy(proxy):
    with proxy.connect() as client:
        for number in range(3):
            client.query(f"SELECT {number}").expect_ok()
    head = audit(proxy, "head")
    proxy.stop()
    state = ("--state", os.path.join(proxy.directory, "state"))
    assert "\n3 statements, each with its outcome\n" in run_cli("audit", "verify", *state, "--anchor", head.strip())
    number = int(head.split(":")[0])
    assert run_cli("audit", "head", *state).startswith(f"{number + 1}:"), "the stop is the last record"


def test_statement_whose_end_was_seen_is_in_the_trail_of_a_killed_proxy(proxy):
    """The record, and not the answer, comes first, as far as the end of the answer goes."""
    with proxy.connect() as client:
        for number in range(20):
            client.query(f"SELECT {number}").expect_ok()
    proxy.kill()
    state = ("--state", os.path.join(proxy.directory, "state"))
    assert "\n20 statements, each with its outcome\n" in run_cli("audit", "verify", *state)


def test_statement_that_runs_when_the_proxy_is_killed_has_an_intent_and_no_outcome(proxy):
    with proxy.connect() as client:
        client.query("SELECT 1").expect_ok()
        client.send(query_message("SELECT pg_sleep(60)"))
        wait_until(lambda: len(of_type(trail(proxy), "intent")) == 2, "the intent")
        proxy.kill()
    printed = run_cli("audit", "verify", "--state", os.path.join(proxy.directory, "state"))
    assert "\n2 statements, 1 of them without an outcome: they are under way, or were when the proxy ended\n" in printed


def test_records_say_what_became_of_a_statement(proxy):
    with proxy.connect() as client:
        client.query("SELECT 1 / 0")
        client.query("SET application_name = 'x'").expect_ok()
        client.query("BEGIN; SELECT generate_series(1, 3); COMMIT").expect_ok()
    found = trail(proxy)
    outcomes = [(each["outcome"], each["tag"], each["rows"], each["sqlstate"]) for each in of_type(found, "outcome")]
    assert outcomes == [("failed", "", None, "22012"), ("executed", "SET", None, ""), ("executed", "BEGIN", None, ""),
                        ("executed", "SELECT 3", 3, ""), ("executed", "COMMIT", None, "")]
    assert of_type(found, "outcome")[0]["error"] == "division by zero"
    settled = settlements(found)
    assert [settled[each["request"]] for each in of_type(found, "intent")] == ["rolled back"] + 4 * ["committed"]


def test_settlement_is_a_record_of_its_own_where_the_transaction_goes_on(proxy):
    with proxy.connect() as client:
        client.query("SELECT 1").expect_ok()
        client.query("BEGIN").expect_ok()
        client.query("SELECT 2").expect_ok()
        assert [each["settlement"] for each in of_type(trail(proxy), "outcome") if "settlement" in each] == ["committed"]
        client.query("ROLLBACK").expect_ok()
    found = trail(proxy)
    assert [each["settlement"] for each in of_type(found, "settlement")] == 2 * ["rolled back"]
    assert [settlements(found)[each["request"]] for each in of_type(found, "intent")] == ["committed"] + 3 * ["rolled back"]


def test_anchor_finds_a_trail_that_was_made_anew(proxy, make_proxy):
    with proxy.connect() as client:
        for number in range(1, 6):
            client.query(f"SELECT {number}").expect_ok()
    anchor = audit(proxy, "head").strip()
    assert audit(proxy, "verify", "--anchor", anchor)
    plugin = os.path.join(os.environ["HELIOS_PLUGIN_DIR"], "audit-chain")
    other = make_proxy(plugins=[plugin + ".wasm", plugin + ".toml"], state__directory="state").start()
    with other.connect() as client:
        for number in range(1, 10):
            client.query(f"SELECT {number}").expect_ok()
    assert "not the one that the anchor names" in audit(other, "verify", "--anchor", anchor, status=1)


def test_nobody_changes_a_record(proxy):
    with proxy.connect() as client:
        client.query("SELECT 1").expect_ok()
    for method in ("PUT", "POST", "DELETE"):
        reply = proxy.admin.request(method, "/admin/streams/audit-chain/trail", body=b"")
        assert reply.status == 405 and "nothing changes or removes them" in reply.text
    assert "nobody but the plugin audit-chain changes" in kv(
        "--url", f"http://127.0.0.1:{proxy.admin.port}", "purge", "audit-chain", "--all", status=1)
    assert "1 statements, each with its outcome" in audit(proxy, "verify")


def test_large_binary_parameter_is_recorded_by_its_hash(proxy):
    value = bytes(range(256)) * 4096
    with proxy.connect() as client:
        bind = cstring("") * 2 + struct.pack("!hhhi", 1, 1, 1, len(value)) + value + struct.pack("!h", 0)
        client.send(parse_message("SELECT length($1::bytea)"), message(b"B", bind), execute_message(), SYNC)
        client.ready().expect_ok()
    (intent,) = of_type(trail(proxy), "intent")
    (parameter,) = intent["parameters"]
    assert parameter["format"] == "binary" and parameter["bytes"] == len(value)
    with open(os.path.join(proxy.directory, "state", "hmac.key"), "rb") as file:
        assert os.fstat(file.fileno()).st_mode & 0o777 == 0o600
        assert parameter["hmac"] == hmac.new(file.read(), value, "sha256").hexdigest()
    assert "start" not in parameter


def test_no_secret_stands_in_the_trail(proxy):
    with proxy.connect() as client:
        client.query("CREATE ROLE redacted_role PASSWORD 'hush-1'; ALTER ROLE redacted_role PASSWORD $$hush-2$$").expect_ok()
        client.query("SELECT 'password=hush-3 host=h' -- postgres://bob:hush-4@h/db").expect_ok()
        client.query("PREPARE p(text) AS SELECT $1; EXECUTE p('hush-5')").expect_ok()
        assert client.query("SELECT 'password=hush-6'::int").sqlstate == "22P02"
        client.query("DROP ROLE redacted_role").expect_ok()
    records = trail(proxy)
    assert "hush" not in json.dumps(records)
    texts = [intent["text"] for intent in of_type(records, "intent")]
    assert "CREATE ROLE redacted_role PASSWORD '***'" in texts
    assert "SELECT 'password=*** host=h' -- postgres://bob:***@h/db" in texts
    redacted = [record for record in records if record.get("redacted")]
    assert len(redacted) == 6, redacted
    assert all("***" in json.dumps(record) for record in redacted)
    assert "each with its outcome" in audit(proxy, "verify")


def test_key_of_the_parameters_outlives_the_proxy_and_stands_in_backups(make_proxy):
    plugin = os.path.join(os.environ["HELIOS_PLUGIN_DIR"], "audit-chain")
    proxy = make_proxy(plugins=[plugin + ".wasm", plugin + ".toml"], state__directory="state", state__backups="copies").start()

    def key(*folder):
        with open(os.path.join(proxy.directory, *folder, "hmac.key"), "rb") as file:
            return file.read()

    first = key("state")
    assert len(first) == 32
    kv("--url", f"http://127.0.0.1:{proxy.admin.port}", "backup", "monday")
    assert key("copies", "monday") == first
    proxy.stop()
    proxy.start()
    assert key("state") == first


def test_text_of_any_length_is_recorded_by_its_hash(make_proxy):
    plugin = os.path.join(os.environ["HELIOS_PLUGIN_DIR"], "audit-chain")
    proxy = make_proxy(plugins=[plugin + ".wasm", plugin + ".toml"], state__directory="state",
                       plugins__limits__timeout_ms=60_000).start()  # reading it for its secrets takes time
    text = f"SELECT 1 /*{'x' * (9 << 20)}*/"
    with proxy.connect() as client:
        client.query(text).expect_ok()
    (intent,) = of_type(trail(proxy), "intent")
    assert intent["text_bytes"] == len(text) and intent["text_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert intent["text"] == text[:6144]


def test_trail_without_room_refuses_before_anything_runs(make_proxy):
    plugin = os.path.join(os.environ["HELIOS_PLUGIN_DIR"], "audit-chain")
    proxy = make_proxy(plugins=[plugin + ".wasm", plugin + ".toml"], state__directory="state",
                       state__max_stream_bytes=100_000).start()
    with proxy.connect() as client:
        for number in range(200):
            reply = client.query(f"SELECT {number}")
            if reply.errors:
                break
        assert reply.sqlstate == "53100" and "there is no room for another record" in reply.error["M"]
        assert client.query("SELECT 1").sqlstate == "53100", "the session goes on"
    (shown,) = proxy.admin.get("/plugins").json
    assert shown["failures"] == 0, shown["last_error"]
    assert f"\n{number} statements, each with its outcome\n" in audit(proxy, "verify")


def old_chain(count):
    """As versions up to 0.4.0 wrote it: keys and values."""
    chain, digest = {}, "0" * 64
    for number in range(1, count + 1):
        record = f'{{"seq":{number},"prev":"{digest}","version":2,"time_ms":1,"text":"SELECT {number}"}}'
        digest = hashlib.sha256(record.encode()).hexdigest()
        chain[f"rec:{number:016x}"] = record
    chain["head"] = f'{{"seq":{count},"sha256":"{digest}"}}'
    return chain


def test_chain_of_an_older_version_is_verified_and_carried_over(make_proxy):
    """The old keys are put there while the plugin, which lets nobody write, is not loaded."""
    def put(chain):
        for key, value in chain.items():
            proxy.admin.put("audit-chain", key, value)

    proxy = make_proxy(state__directory="state").start()
    put(old_chain(3))
    assert audit(proxy, "verify").startswith("3 records, none changed")
    for file in files_of("audit-chain"):
        proxy.install(file)
    assert proxy.reload().status == 200
    with proxy.connect() as client:
        client.query("SELECT 4").expect_ok()
    printed = audit(proxy, "verify")
    assert printed.startswith("3 records, none changed") and "1 statements, each with its outcome" in printed
    for file in files_of("audit-chain"):
        os.remove(os.path.join(proxy.plugins, os.path.basename(file)))
    assert proxy.reload().status == 200
    proxy.admin.put("audit-chain", "rec:0000000000000002", "{}")
    assert "record 2" in audit(proxy, "verify", status=1)
    put(old_chain(2))
    proxy.admin.delete("audit-chain", "rec:0000000000000003")
    assert "does not go on from the chain before it" in audit(proxy, "verify", status=1)
