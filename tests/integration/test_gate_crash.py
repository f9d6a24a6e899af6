# SPDX-License-Identifier: Apache-2.0
"""One client's messages never end the process, and never make it send or show memory that is not theirs."""

import threading

import pytest
from harness.answers import received
from harness.shared import running_proxy
from harness.wire import SYNC, bind_message, describe_message, execute_message, parse_message, query_message


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
