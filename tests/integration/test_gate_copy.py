# SPDX-License-Identifier: Apache-2.0
"""Sync among COPY data: answered or swallowed, as the server decides; and the gate stays shut behind it."""

import pytest
from harness.shared import running_proxy
from harness.waiting import wait_until
from harness.wire import SYNC, bind_message, execute_message, message, parse_message, query_message

COPY = "COPY gate_copy FROM STDIN"
EXTENDED = parse_message(COPY) + bind_message() + execute_message()
GOOD, BAD, DONE, FAIL = message(b"d", b"1\n"), message(b"d", b"bad\n"), message(b"c"), message(b"f", b"no\0")
FORBIDDEN = query_message("SELECT 'forbidden'")
# What is sent in one piece, and how many ReadyForQuery PostgreSQL answers with: to data that is bad and to Sync in
# front of it the order of reading is certain.
CONVERSATIONS = {
    "bad data, sync": (EXTENDED + BAD + SYNC, 1),
    "sync, bad data, sync": (EXTENDED + SYNC + BAD + SYNC, 1),
    "data, sync, bad data, sync": (EXTENDED + GOOD + SYNC + BAD + SYNC, 1),
    "sync, sync, data, end, sync": (EXTENDED + SYNC + SYNC + GOOD + DONE + SYNC, 1),
    "sync, failed by the client, sync": (EXTENDED + SYNC + FAIL + SYNC, 1),
    "bad data, sync, sync": (EXTENDED + BAD + SYNC + SYNC, 2),
    "bad data, end, sync": (EXTENDED + BAD + DONE + SYNC, 1),
    "query, bad data, sync": (query_message(COPY) + BAD + SYNC, 2),
    "query, sync, bad data": (query_message(COPY) + SYNC + BAD, 1),
    "query, sync, data, end": (query_message(COPY) + SYNC + GOOD + DONE, 1),
    "two copies in a query": (query_message(f"{COPY}; {COPY}") + GOOD + DONE + GOOD + DONE, 1),
    "no such table, sync": (parse_message("COPY nowhere FROM STDIN") + bind_message() + execute_message() + SYNC, 1),
    "query, bad data, query, sync": (query_message(COPY) + BAD + query_message("SELECT 1") + SYNC, 3),
    "bad data, sync, query": (EXTENDED + BAD + SYNC + query_message("SELECT 1"), 2),
    "sync, bad data, sync, query": (EXTENDED + SYNC + BAD + SYNC + query_message("SELECT 1"), 2),
    "copy out, sync": (parse_message("COPY gate_copy TO STDOUT") + bind_message() + execute_message() + SYNC, 1),
}


@pytest.fixture(scope="module")
def table(postgres):
    with postgres.connect(database="demo") as direct:
        direct.query("CREATE TABLE IF NOT EXISTS gate_copy (n int)").expect_ok()


@pytest.fixture(scope="module", params=["plugin", "alone", "unwatched"])
def proxy(request, postgres, counter, table):
    """With the plugin: refuses what says "forbidden". Unwatched: there is not even a folder for plugins."""
    settings = {"plugins__directory": ""} if request.param == "unwatched" else {}
    with running_proxy(postgres.port, [counter] if request.param == "plugin" else [], **settings) as proxy:
        proxy.has_plugin = request.param == "plugin"
        yield proxy


def answers(session, traffic, count):
    session.send(traffic)
    return [session.ready().messages for _ in range(count)]


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_answers_are_the_servers_and_the_gate_stays_shut(proxy, postgres, name):
    traffic, count = CONVERSATIONS[name]
    with postgres.connect(database="demo") as direct, proxy.connect() as session:
        for each in (direct, session):
            each.query("TRUNCATE gate_copy").expect_ok()
        assert answers(session, traffic, count) == answers(direct, traffic, count)
        for _ in range(3):
            reply = session.query("SELECT 'forbidden'")
            assert [each["C"] for each in reply.errors] == (["42000"] if proxy.has_plugin else [])
            assert session.query("SELECT 8").value() == "8"


@pytest.mark.parametrize("traffic", [EXTENDED + BAD + SYNC, EXTENDED + SYNC + BAD + SYNC, query_message(COPY) + BAD + SYNC])
def test_client_that_says_nothing_more_gets_all_its_answers(proxy, postgres, traffic):
    said = []
    for connect in (lambda: postgres.connect(database="demo"), proxy.connect):
        with connect() as session:
            session.send(traffic)
            session.half_close()
            said.append(session.until_closed())
    assert said[0] == said[1]


@pytest.mark.parametrize("traffic", [EXTENDED + SYNC, EXTENDED + GOOD + SYNC, query_message(COPY) + GOOD + SYNC + b"d"])
def test_client_that_leaves_amid_the_data_ends_its_session(proxy, traffic):
    """A Sync is among them. The server hears of it."""
    with proxy.connect() as session:
        session.send(traffic)
        while session.message()[0] != b"G":
            pass
    wait_until(lambda: proxy.admin.metric("helios_sessions") == 0, "the end of the session")


def test_refusal_behind_a_copy_undoes_its_batch(postgres, counter, table):
    """The Sync in the data is no end of the batch."""
    with running_proxy(postgres.port, [counter]) as proxy, proxy.connect() as session:
        session.query("TRUNCATE gate_copy").expect_ok()
        session.send(parse_message("INSERT INTO gate_copy VALUES (5)"), bind_message(), execute_message(),
                     EXTENDED, SYNC, GOOD, DONE, FORBIDDEN, SYNC)
        assert session.ready().sqlstate == "42000"
        session.ready()
        assert session.query("SELECT count(*) FROM gate_copy").value() == "0"
