# SPDX-License-Identifier: Apache-2.0
"""One client's messages never end the process, and never make it send or show memory that is not theirs."""

import threading

import pytest
from harness.answers import received
from harness.shared import running_proxy
from harness.wire import SYNC, bind_message, describe_message, execute_message, message, parse_message, query_message


def still_serves(proxy, bystander):
    """A session that was there before goes on, and new ones are let in."""
    bystander.query("SELECT 'bystander'").expect_ok()
    with proxy.connect() as other:
        other.query("SELECT 'new'").expect_ok()


# What is said first, and the message that is read with the offsets of another text.
PREPARED = "PREPARE p(text) AS SELECT 1"
LONG_DECLARE = "DECLARE c CURSOR FOR SELECT 'a text that is much longer than the EXECUTE that runs it'"
OFFSETS = {
    "argument of an EXECUTE behind others": (query_message(PREPARED), query_message(
        "SELECT 1; SELECT 2; SELECT 3; EXECUTE p(set_config('helios.a', '', false))")),
    "argument of an EXECUTE behind one long statement": (query_message(PREPARED), query_message(
        f"SELECT '{'x' * 100}'; EXECUTE p(set_config('helios.a', '', false))")),
    "DECLARE that was parsed, behind others": (parse_message(LONG_DECLARE, "d") + SYNC, query_message(
        f"BEGIN; SELECT '{'x' * 200}'; EXECUTE d")),
    "DECLARE of plugin state behind others": (b"", query_message(
        f"BEGIN; SELECT '{'x' * 200}'; DECLARE c CURSOR FOR SELECT * FROM helios.kv('recorder')")),
}


@pytest.mark.parametrize("name", OFFSETS)
def test_statement_behind_others_does_not_end_the_process(postgres, recorder, name):
    before, traffic = OFFSETS[name]
    with running_proxy(postgres.port, [recorder], kv_sql__readers=["postgres"]) as proxy:
        with proxy.connect() as bystander, proxy.connect() as session:
            if before:
                session.send(before)
                session.ready().expect_ok()
            session.send(traffic)
            assert session.ready().types.endswith("Z")
            still_serves(proxy, bystander)


# --- many messages in one send

NAMED = parse_message("SELECT 1", "s") + bind_message("p", "s")
DEEP = {
    "queries": query_message("SELECT 1") * 17_000,
    "queries without a text": query_message("") * 20_000,
    "executions with a sync each": (bind_message(name="s") + execute_message() + SYNC) * 6_000,
    "describes": describe_message("p") * 20_000,
    "syncs": SYNC * 20_000,
}


@pytest.mark.parametrize("plugin", ["alone", "plugin"])
@pytest.mark.parametrize("name", DEEP)
def test_deep_pipeline_is_answered(postgres, counter, plugin, name):
    plugins = [counter] if plugin == "plugin" else []
    with running_proxy(postgres.port, plugins, plugins__limits__timeout_ms=60_000) as proxy:
        with proxy.connect(timeout=20) as session:
            session.query("BEGIN").expect_ok()
            marker = query_message("SELECT 'the end'")
            sender = threading.Thread(target=session.send, args=(NAMED, DEEP[name], SYNC, marker), daemon=True)
            sender.start()
            seen = received(session)
            sender.join()
            assert seen[-1] != "closed", seen[-2:]
            assert not [body for kind, body in seen if kind == b"E"]
            assert sum(kind == b"Z" for kind, _ in seen) == DEEP[name].count(SYNC) + DEEP[name].count(b"Q\0\0\0") + 2


# --- the text that the client sent, behind a rewrite

# Long enough to stand in memory of its own, which is given back with its name.
LONG = "SELECT '" + "a text of some length " * 20 + "'"
GONE = {
    "a statement that was prepared": query_message(f"PREPARE p AS {LONG}"),
    "a statement that was parsed": parse_message(LONG, "p") + SYNC,
}


@pytest.mark.parametrize("forget", ["DEALLOCATE p", "DEALLOCATE ALL", "DISCARD ALL"])
@pytest.mark.parametrize("name", GONE)
def test_text_that_was_rewritten_is_there_until_its_post_query(rewriting, name, forget):
    with rewriting.connect() as session:
        session.send(GONE[name])
        session.ready().expect_ok()
        if forget == "DISCARD ALL":  # not inside of a Query of several statements
            session.send(query_message("EXECUTE p") + query_message(forget))
        else:
            session.send(query_message(f"EXECUTE p; {forget}"))
        assert session.ready().rows == [["42"]]
        if forget == "DISCARD ALL":
            session.ready().expect_ok()
        assert rewriting.admin.value("rewrites_and_keeps", "post") == LONG


def test_text_that_was_rewritten_outlives_its_closed_statement(rewriting):
    with rewriting.connect() as session:
        session.send(parse_message(LONG, "p"), bind_message("c", "p"), execute_message("c"), message(b"C", b"Pc\0"),
                     message(b"C", b"Sp\0"), SYNC)
        assert session.ready().rows == [["42"]]
        assert rewriting.admin.value("rewrites_and_keeps", "post") == LONG


@pytest.fixture(scope="module")
def rewriting(postgres, guests):
    with running_proxy(postgres.port, [f"{guests}/rewrites_and_keeps.wat"]) as proxy:
        yield proxy
