# SPDX-License-Identifier: Apache-2.0
"""The audit-chain plugin and `heliosproxy audit` on a real server: no gap and no fork under concurrency, and damage is
named."""

import hashlib
import json
import os
import re
import struct
import threading

import pytest
from harness.wire import SYNC, cstring, execute_message, message, parse_message
from test_kv_command import kv, run_cli

SESSIONS = 8
STATEMENTS = 25


@pytest.fixture
def proxy(make_proxy):
    plugin = os.path.join(os.environ["HELIOS_PLUGIN_DIR"], "audit-chain")
    return make_proxy(plugins=[plugin + ".wasm", plugin + ".toml"], listen__workers=4, state__directory="state").start()


def audit(proxy, *words, status=0):
    return run_cli("audit", *words, "--url", f"http://127.0.0.1:{proxy.admin.port}", status=status)


def record(proxy, number):
    return json.loads(proxy.admin.value("audit-chain", f"rec:{number:016x}"))


def newest_number(proxy):
    return int(audit(proxy, "head").split(":")[0])


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


def test_concurrent_sessions_make_one_chain_with_every_statement(proxy):
    run_sessions(proxy)
    printed = audit(proxy, "verify")
    count, newest = re.fullmatch(r"(\d+) records, none changed, missing or out of place; the newest is (\S+)\n",
                                 printed).groups()
    assert int(count) == SESSIONS * STATEMENTS
    assert audit(proxy, "head") == newest + "\n"
    texts = {record(proxy, number)["text"] for number in range(1, SESSIONS * STATEMENTS + 1)}
    assert texts == {f"SELECT {number}" for number in range(SESSIONS * STATEMENTS)}


def test_chain_is_verified_without_a_proxy(proxy):
    with proxy.connect() as client:
        for number in range(3):
            client.query(f"SELECT {number}").expect_ok()
    head = audit(proxy, "head")
    proxy.stop()
    state = ("--state", os.path.join(proxy.directory, "state"))
    assert run_cli("audit", "verify", *state, "--anchor", head.strip()).startswith("3 records")
    assert run_cli("audit", "head", *state) == head


def test_statement_whose_end_was_seen_is_in_the_chain_of_a_killed_proxy(proxy):
    """The record, and not the answer, comes first, as far as the end of the answer goes."""
    with proxy.connect() as client:
        for number in range(20):
            client.query(f"SELECT {number}").expect_ok()
    proxy.kill()
    state = ("--state", os.path.join(proxy.directory, "state"))
    assert run_cli("audit", "verify", *state).startswith("20 records")


def test_records_say_what_became_of_a_statement(proxy):
    with proxy.connect() as client:
        client.query("SELECT 1 / 0")
        client.query("SET application_name = 'x'").expect_ok()
        client.query("BEGIN; SELECT generate_series(1, 3); COMMIT").expect_ok()
    found = [(each["outcome"], each["tag"], each["rows"], each["sqlstate"])
             for each in (record(proxy, number) for number in range(1, 1 + newest_number(proxy)))]
    assert found == [("failed", "", None, "22012"), ("executed", "SET", None, ""), ("executed", "BEGIN", None, ""),
                     ("executed", "SELECT 3", 3, ""), ("executed", "COMMIT", None, "")]
    assert audit(proxy, "verify").startswith("5 records")


def test_damage_is_named(proxy, tmp_path):
    with proxy.connect() as client:
        for number in range(1, 6):
            client.query(f"SELECT {number}").expect_ok()
    url = f"http://127.0.0.1:{proxy.admin.port}"
    chain = tmp_path / "chain.jsonl"
    chain.write_text(kv("--url", url, "export", "audit-chain"))
    assert run_cli("audit", "verify", str(chain)).startswith("5 records")
    anchor = audit(proxy, "head").strip()
    third = proxy.admin.value("audit-chain", f"rec:{3:016x}")
    kv("--url", url, "put", "audit-chain", f"rec:{3:016x}", third.replace("SELECT 3", "SELECT 4"))
    assert "record 3 is not what record 4 continues" in audit(proxy, "verify", status=1)
    kv("--url", url, "put", "audit-chain", f"rec:{3:016x}", third)
    assert audit(proxy, "verify", "--anchor", anchor).startswith("5 records")
    kv("--url", url, "del", "audit-chain", f"rec:{5:016x}")
    assert "record 5 is missing" in audit(proxy, "verify", status=1)
    kv("--url", url, "purge", "audit-chain", "--all")
    assert audit(proxy, "verify").startswith("0 records")
    assert "record 1 is missing" in audit(proxy, "verify", "--anchor", anchor, status=1)


def test_large_binary_parameter_is_recorded_by_its_hash(proxy):
    value = bytes(range(256)) * 4096
    with proxy.connect() as client:
        bind = cstring("") * 2 + struct.pack("!hhhi", 1, 1, 1, len(value)) + value + struct.pack("!h", 0)
        client.send(parse_message("SELECT length($1::bytea)"), message(b"B", bind), execute_message(), SYNC)
        client.ready().expect_ok()
    (parameter,) = record(proxy, newest_number(proxy))["parameters"]
    assert parameter["format"] == "binary" and parameter["bytes"] == len(value)
    assert parameter["sha256"] == hashlib.sha256(value).hexdigest()
    assert audit(proxy, "verify").startswith("1 records")


def test_statement_that_cannot_be_recorded_does_not_run(proxy):
    with proxy.connect() as client:
        client.query("CREATE TABLE done (a int)").expect_ok()
        assert client.query(f"INSERT INTO done VALUES (1) /*{'x' * (9 << 20)}*/").sqlstate == "54000"
        assert client.query("SELECT count(*) FROM done").value() == "0"


def test_full_namespace_refuses_before_anything_runs(make_proxy):
    plugin = os.path.join(os.environ["HELIOS_PLUGIN_DIR"], "audit-chain")
    proxy = make_proxy(plugins=[plugin + ".wasm", plugin + ".toml"], kv__max_bytes_per_namespace=100_000,
                       state__namespaces={"audit-chain": "memory"}).start()
    with proxy.connect() as client:
        for number in range(200):
            reply = client.query(f"SELECT {number}")
            if reply.errors:
                break
        assert reply.sqlstate == "53100" and "no room for another record" in reply.error["M"]
        assert client.query("SELECT 1").sqlstate == "53100", "the session goes on"
    (shown,) = proxy.admin.get("/plugins").json
    assert shown["failures"] == 0, shown["last_error"]
    assert audit(proxy, "verify").startswith(f"{number} records")
