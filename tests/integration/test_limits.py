# SPDX-License-Identifier: Apache-2.0
"""Whoever takes too much is refused or ended; everybody else goes on. Memory, message sizes, descriptors."""

import os
import re
import time

import pytest
from harness.waiting import wait_until
from harness.wire import Closed, WireError, bind_message, execute_message, message, query_message
from harness.wire import SYNC, parse_message

ROOT = os.environ.get("HELIOS_SOURCE_DIR", os.getcwd())
MIB = 1 << 20


def long_query(size):
    return "SELECT length('" + "x" * size + "')"


# ---- memory ----

def test_query_without_room_is_refused_and_others_go_on(start_proxy, counter):
    proxy = start_proxy(plugins=[counter], limits__max_session_memory_kb=1024)
    with proxy.connect() as greedy, proxy.connect() as modest:
        assert greedy.query(long_query(MIB)).sqlstate == "53200"
        assert modest.query("SELECT 1").value() == "1"
        assert greedy.query(long_query(100_000)).value() == "100000"
        greedy.query("BEGIN").expect_ok()
        assert greedy.query(long_query(MIB)).sqlstate == "53200"
        assert greedy.query("SELECT 1").sqlstate == "25P02"
    assert proxy.admin.metric("helios_out_of_memory_total") == 2


def test_what_all_sessions_hold_has_a_limit(start_proxy, counter):
    proxy = start_proxy(plugins=[counter], limits__max_total_memory_mb=16, plugins__limits__timeout_ms=20_000)
    with proxy.connect() as modest, proxy.connect() as waiting, proxy.connect() as greedy:
        idle = proxy.admin.metric("helios_session_memory_bytes")
        waiting.send(query_message(long_query(4 * MIB))[:-MIB])
        wait_until(lambda: proxy.admin.metric("helios_session_memory_bytes") > 3 * MIB, "it holds what has come")
        assert greedy.query(long_query(4 * MIB)).sqlstate == "53200"
        assert modest.query("SELECT 1").value() == "1"
        waiting.close()
        wait_until(lambda: proxy.admin.metric("helios_session_memory_bytes") < idle + MIB, "all is given back")
        assert greedy.query(long_query(MIB)).value() == str(MIB)


def test_helios_kv_has_no_more_room_than_the_session(start_proxy, counter):
    proxy = start_proxy(plugins=[counter], limits__max_session_memory_kb=2048, kv_sql__readers=["postgres"])
    for number in range(20):
        proxy.admin.put("counter", f"filler:{number}", "x" * 60_000)
    with proxy.connect() as session:
        one = "SELECT count(*) FROM helios.kv('counter')"
        session.query(one).expect_ok()
        assert session.query(";".join([one] * 30)).sqlstate == "53200"
        session.query(one).expect_ok()


# ---- messages ----

@pytest.mark.parametrize("kind", ["simple", "extended", "copy"])
def test_message_longer_than_allowed_ends_the_session(start_proxy, kind):
    proxy = start_proxy(plugins__directory="", limits__max_message_bytes=50_000)
    with proxy.connect() as session, proxy.connect() as other:
        long_text = "x" * 60_000
        assert session.query(long_query(40_000)).value() == "40000"
        if kind == "simple":
            session.send(query_message(long_query(60_000)))
        elif kind == "extended":
            session.send(parse_message("SELECT length($1)"), bind_message(values=[long_text]), execute_message(), SYNC)
        else:
            session.query("CREATE TEMP TABLE t (a text)").expect_ok()
            session.send(query_message("COPY t FROM STDIN"))
            assert session.message()[0] == b"G"
            session.send(message(b"d", long_text.encode()))
        fatal = [body for type_byte, body in session.until_closed() if type_byte == b"E"]
        assert len(fatal) == 1 and b"54000" in fatal[0] and b"max_message_bytes" in fatal[0]
        assert other.query("SELECT 1").value() == "1"


def test_query_of_too_many_statements_is_refused(start_proxy, counter):
    proxy = start_proxy(plugins=[counter], limits__max_query_statements=100)
    with proxy.connect() as session:
        assert session.query("SELECT 1;" * 101).sqlstate == "54000"
        assert len(session.query("SELECT 1;" * 100).expect_ok().tags) == 100


# ---- descriptors ----

DESCRIPTORS = 90


def descriptors(proxy):
    return len(os.listdir(f"/proc/{proxy.pid}/fd"))


@pytest.fixture
def start_short_of_descriptors(make_proxy, tmp_path):
    """A proxy that may have DESCRIPTORS of them, in all."""
    def start():
        proxy = make_proxy(plugins__directory="")
        launcher = tmp_path / "launch"
        launcher.write_text(f"#!/bin/sh\nulimit -n {DESCRIPTORS}\nexec '{proxy.binary}' \"$@\"\n")
        launcher.chmod(0o755)
        proxy.binary = str(launcher)
        return proxy.start()
    return start


def rounds(proxy):
    return proxy.admin.metric("helios_worker_round_seconds_count")


def test_running_out_of_descriptors_harms_nobody_who_is_there(start_short_of_descriptors):
    proxy = start_short_of_descriptors()
    proxy.wait_for_log(f"the limit of {DESCRIPTORS} descriptors is too low")
    with proxy.connect() as session:
        session.query("SELECT 1").expect_ok()
        rounds_before = rounds(proxy)
        crowd = [proxy.raw() for _ in range(DESCRIPTORS)]  # the kernel takes them; the proxy cannot
        proxy.wait_for_log("cannot accept connections for now: Too many open files")
        begun = time.monotonic()
        for _ in range(50):
            session.query("SELECT pg_sleep(0.02)").expect_ok()
        for raw in crowd:
            raw.close()

        def newcomer_is_served():
            try:
                with proxy.connect(timeout=5) as new:
                    return new.query("SELECT 1").value() == "1"
            except (WireError, Closed, OSError):
                return False

        wait_until(newcomer_is_served, "new clients are served again", 60)
        elapsed = time.monotonic() - begun
        # Accepting rested between two tries, and no worker span: both would show by thousands.
        assert 1 <= proxy.admin.metric("helios_accept_pauses_total") <= elapsed * 10 + 20
        assert rounds(proxy) - rounds_before < 5000
        session.query("SELECT 1").expect_ok()


def test_client_without_a_descriptor_for_its_server_is_told(start_short_of_descriptors):
    proxy = start_short_of_descriptors()
    with proxy.connect() as session:
        idle = []
        while descriptors(proxy) < DESCRIPTORS - 1:
            before = descriptors(proxy)
            idle.append(proxy.raw())
            wait_until(lambda count=before: descriptors(proxy) > count, "it is accepted")
        with pytest.raises(WireError) as refused:
            proxy.connect()
        assert refused.value.fields["C"] == "57P03" and "Too many open files" in refused.value.fields["M"]
        session.query("SELECT 1").expect_ok()
        for raw in idle:
            raw.close()


# ---- documents ----

def document(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def test_operations_page_lists_every_metric_and_no_other(start_proxy, counter):
    capping = os.path.join(os.path.dirname(counter), "capping.wasm")
    proxy = start_proxy(plugins=[counter, capping], tenant__rules=[{"user": "*", "tenant": "acme"}])
    with proxy.connect() as session:
        session.query("SELECT 1").expect_ok()
        session.query("SELECT 1 /* rows=0 */")  # cut, so that there is a cut to count
        session.query("SET helios.tenant_id = 'other'")  # refused, so that there is a refusal to count
    text = proxy.admin.get("/metrics").text
    served = dict(re.findall(r"^# TYPE (\S+) (\w+)$", text, flags=re.M))
    documented = dict(re.findall(r"^\| `(helios_\w+)`[^|]*\| (\w+) \|", document("docs/operations.md"), flags=re.M))
    assert documented == served


def test_limits_page_lists_every_key_that_is_a_limit():
    keys = {}
    for title, body in re.findall(r"^##+ \[([^\]]+)\]\]?\n(.*?)(?=^##|\Z)", document("docs/configuration.md"),
                                  flags=re.M | re.S):
        keys[title.lstrip("[")] = re.findall(r"^\| `(\w+)` \|", body, flags=re.M)
    page = document("docs/limits.md")
    for section in ("limits", "kv", "plugins.limits"):
        for key in keys[section]:
            assert f"`[{section}] {key}`" in page, f"[{section}] {key}"
