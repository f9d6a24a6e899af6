# SPDX-License-Identifier: Apache-2.0
"""Somebody runs wild and is out: what is there ends, what comes is refused, and nobody else notices."""

import json
import os

import pytest
from harness.waiting import wait_until
from harness.wire import (FLUSH, SYNC, Closed, WireError, bind_message, execute_message, fields_of, message, parse_message,
                          query_message)
from test_kv_command import run_cli

AGENT = "-c helios.agent_id=bot"


@pytest.fixture
def proxy(start_proxy):
    return start_proxy()


def command(proxy, *words, status=0):
    return run_cli(*words, "--url", f"http://127.0.0.1:{proxy.admin.port}", status=status)


def metric(proxy, name, kind):
    line, = [line for line in proxy.admin.get("/metrics").text.splitlines()
             if line.startswith(name + "{") and f'kind="{kind}"' in line]
    return int(float(line.split()[-1]))


def farewell(session):
    """The error that ends a session, whatever came before it."""
    messages = session.until_closed()
    kind, body = messages[-1]
    assert kind == b"E", messages
    return fields_of(body)


def running(postgres, marker):
    """How many server processes run, or last ran, a text with this in it. Asked beside the proxy."""
    with postgres.connect() as admin:
        return int(admin.query("SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND "
                               f"query LIKE '%{marker}%'").value())


def test_whatever_they_do_they_end_and_nobody_else_notices(proxy, postgres):
    others = [proxy.connect(options=f"-c helios.agent_id=good{number}") for number in range(50)]
    for number, session in enumerate(others):
        session.query(f"BEGIN; CREATE TEMP TABLE mine AS SELECT {number} AS n").expect_ok()
    with proxy.connect() as session:
        session.query("CREATE TABLE IF NOT EXISTS copied (n int)").expect_ok()

    idle, sleeping, in_transaction, copying, pipelining, rows = [proxy.connect(options=AGENT) for _ in range(6)]
    sleeping.send(query_message("SELECT pg_sleep(600) /* wild */"))
    in_transaction.query("BEGIN; INSERT INTO copied VALUES (1) /* wild */").expect_ok()
    copying.send(query_message("COPY copied FROM STDIN /* wild */"))
    assert copying.message()[0] == b"G"
    copying.send(message(b"d", b"2\n"), b"d\0\0\1\0half of it")
    pipelining.send(parse_message("SELECT pg_sleep(600) /* wild */"), bind_message(), execute_message(), FLUSH)
    rows.send(query_message("SELECT generate_series(1, 100000000), 'wild'"))
    assert rows.message()[0] == b"T"
    wait_until(lambda: running(postgres, "wild") == 5, "all of them are at work")

    said = command(proxy, "block", "agent", "bot", "--reason", "runs wild")
    assert said == "blocked, 6 sessions ended, kept until the proxy ends\n"
    for session in (idle, sleeping, in_transaction, copying, pipelining):
        error = farewell(session)
        assert (error["S"], error["C"]) == ("FATAL", "57P01")
        assert error["M"] == ("terminating connection due to administrator command: agent \"bot\" is blocked: runs wild. "
                              "Ask the administrator of this proxy.")
    rows.until_closed()
    wait_until(lambda: running(postgres, "wild") == 0, "the server does nothing for them any more")

    for number, session in enumerate(others):
        assert session.query("SELECT n FROM mine").value() == str(number)
        session.query("COMMIT").expect_ok()
        assert session.notices == []
    assert postgres.connect(database="demo").query("SELECT count(*) FROM copied").value() == "0"
    assert metric(proxy, "helios_blocked_total", "agent") == 6
    proxy.wait_for_log('block: agent "bot" is blocked, 6 sessions ended, kept until the proxy ends: runs wild')


def test_logins_are_refused_until_they_are_let_in_again(proxy):
    for kind, name, session in (("user", "postgres", {}), ("database", "demo", {}),
                                ("tenant", "acme", {"options": "-c helios.tenant_id=acme"}),
                                ("agent", "bot", {"parameters": {"helios.agent_id": "bot"}})):
        command(proxy, "block", kind, name, "--reason", "it's late")
        with pytest.raises(WireError) as refused:
            proxy.connect(**session)
        fields = refused.value.fields
        assert (fields["S"], fields["C"]) == ("FATAL", "28000")
        assert fields["M"] == f'{kind} "{name}" is blocked: it\'s late. Ask the administrator of this proxy.'
        if kind in ("tenant", "agent"):
            proxy.connect().terminate()
        assert metric(proxy, "helios_blocks", kind) == 1
        assert command(proxy, "unblock", kind, name) == "not blocked any more\n"
        proxy.connect(**session).terminate()
        assert metric(proxy, "helios_blocks", kind) == 0
        assert metric(proxy, "helios_blocked_total", kind) == 1
        assert "is not blocked" in command(proxy, "unblock", kind, name, status=1)
    records = proxy.admin.get("/refusals").json["refusals"]
    assert [(record["plugin"], record["decided_by"], record["sqlstate"]) for record in records] == [
        ("proxy", "login", "28000")] * 4
    assert proxy.log.count("refused (28000) by proxy (login)") == 4


def test_statements_of_a_session_that_becomes_one_are_refused(proxy):
    command(proxy, "block", "tenant", "acme", "--reason", "unpaid")
    command(proxy, "block", "agent", "bot", "--reason", "runs wild")
    with proxy.connect() as session:
        session.query("SET helios.tenant_id = 'acme'").expect_ok()
        error = session.query("SELECT 1").error
        assert (error["C"], error["M"].split(".")[0]) == ("42501", 'tenant "acme" is blocked: unpaid')
        assert "Refused by the proxy, request " in error["D"]
        assert session.prepared("SELECT 1").sqlstate == "42501"
        session.query("SET helios.tenant_id = 'fine'").expect_ok()
        assert session.prepared("SELECT 1").value() == "1"
        session.send(parse_message("SET helios.agent_id = 'bot'"), bind_message(), execute_message(),
                     parse_message("SELECT 2"), bind_message(), execute_message(), SYNC)
        assert session.ready().sqlstate == "42501"
        assert session.query("SELECT 3").value() == "3"  # the error has undone the SET
        assert session.query("SET helios.agent_id = 'bot'; SELECT 4").sqlstate == "42501"
    records = proxy.admin.get("/refusals").json["refusals"]
    assert {(record["plugin"], record["decided_by"], record["sqlstate"]) for record in records} == {("proxy", "rule", "42501")}
    assert len(records) == 4 and records[0]["tenant"] == "acme"
    assert (metric(proxy, "helios_blocked_total", "tenant"), metric(proxy, "helios_blocked_total", "agent")) == (2, 2)


def test_without_plugins_or_rules_it_works_as_well(start_proxy):
    proxy = start_proxy(plugins__directory="")
    with proxy.connect() as before, proxy.connect(options=AGENT) as wild:
        before.query("SELECT 1").expect_ok()
        assert wild.query("SELECT 1").value() == "1"
        assert command(proxy, "block", "agent", "bot", "--reason", "runs wild").startswith("blocked, 1 sessions ended")
        assert farewell(wild)["C"] == "57P01"
        assert before.query("SELECT 2").value() == "2"
        before.query("SET helios.agent_id = 'bot'").expect_ok()
        assert before.query("SELECT 3").sqlstate == "42501"


def test_restart_keeps_it_and_time_ends_it(make_proxy):
    proxy = make_proxy()
    proxy.config["state.directory"] = os.path.join(proxy.directory, "state")
    proxy.start()
    assert command(proxy, "block", "agent", "bot", "--reason", "runs wild") == "blocked, 0 sessions ended\n"
    command(proxy, "block", "user", "scram", "--reason", "too much", "--for", "1h")
    command(proxy, "block", "user", "md5", "--reason", "not for long", "--for", "1s")
    command(proxy, "block", "user", "gone", "--reason", "a mistake")
    command(proxy, "unblock", "user", "gone")
    proxy.kill()
    proxy.start()
    wait_until(lambda: metric(proxy, "helios_blocks", "user") == 1, "one is over")
    kept = [json.loads(line) for line in command(proxy, "blocked", "--json").splitlines()]
    assert [(block["kind"], block["name"], block["reason"], block["kept"]) for block in kept] == [
        ("user", "scram", "too much", True), ("agent", "bot", "runs wild", True)]
    assert kept[0]["expires_at"] and kept[1]["expires_at"] is None
    with pytest.raises(WireError):
        proxy.connect(options=AGENT)
    proxy.connect().terminate()
    assert [space["plugin"] for space in proxy.admin.get("/admin/state").json["namespaces"]] == []
    assert run_cli("kv", "export", "--url", f"http://127.0.0.1:{proxy.admin.port}") == ""


def test_block_whose_time_is_over_lets_them_in(proxy):
    command(proxy, "block", "agent", "bot", "--reason", "a moment", "--for", "1s")
    with pytest.raises(WireError):
        proxy.connect(options=AGENT)

    def gets_in():
        try:
            proxy.connect(options=AGENT).terminate()
        except (WireError, Closed):
            return False
        return True

    wait_until(gets_in, "it is over")
    proxy.wait_for_log('block: agent "bot" is over')
    assert command(proxy, "blocked") == ""


def test_bad_requests_say_what_to_do(proxy):
    assert "--reason is required" in run_cli("block", "agent", "bot", status=2)
    assert "agent" in run_cli("block", "robot", "bot", "--reason", "x", status=2)
    assert "--for: " in command(proxy, "block", "agent", "bot", "--reason", "x", "--for", "soon", status=1)
    assert "more than 256" in command(proxy, "block", "agent", "b" * 257, "--reason", "x", status=1)
    assert "more than 500" in command(proxy, "block", "agent", "bot", "--reason", "x" * 501, status=1)
    assert "state directory" in run_cli("blocked", "--state", proxy.directory, status=1)
    assert command(proxy, "blocked") == ""
