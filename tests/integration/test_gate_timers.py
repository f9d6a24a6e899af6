# SPDX-License-Identifier: Apache-2.0
"""A statement timer that runs out between two messages: PostgreSQL fails the next one, whatever that is. Behind COPY data that
belongs to no COPY, that would be an error and a ReadyForQuery which nobody owes; behind a Flush, a Query is skipped."""

import pytest
from harness.answers import answers, received
from harness.shared import running_proxy
from harness.wire import FLUSH, SYNC, bind_message, execute_message, message, parse_message, query_message

OPEN = parse_message("SELECT 1", "s") + bind_message("", "s")
FORBIDDEN = query_message("ROLLBACK; INSERT INTO gate_timers VALUES ('forbidden')")
SECOND = parse_message("SELECT 2") + bind_message() + execute_message()
BEYOND_ASCII = parse_message("SELECT 'é'") + bind_message() + execute_message()
END = query_message("SELECT 'the end'")
# Before the timer runs out, and behind it. Each is answered as by the server itself.
CONVERSATIONS = {
    "parse": (OPEN, SECOND + SYNC),
    "parse that is read by the rules": (OPEN, BEYOND_ASCII + SYNC),
    "query": (OPEN + FLUSH, query_message("SELECT 4")),
    "query that is read by the rules": (OPEN, query_message("SELECT 'é'")),
    "sync": (OPEN + FLUSH, SYNC),
    "execute": (OPEN + FLUSH, execute_message() + SYNC),
    "flush, parse": (OPEN + FLUSH, FLUSH + SECOND + SYNC),
    "flush, setting, parse": (OPEN + FLUSH, FLUSH + parse_message("SET helios.tenant_id = 'q'") + bind_message()
                              + execute_message() + SECOND + SYNC),
}


@pytest.fixture(scope="module")
def proxy(postgres, counter):
    """Refuses what says "forbidden"."""
    with postgres.connect(database="demo") as direct:
        direct.query("CREATE TABLE IF NOT EXISTS gate_timers (what text)").expect_ok()
    with running_proxy(postgres.port, [counter]) as proxy:
        yield proxy


@pytest.fixture
def clock(postgres):
    with postgres.connect(database="demo") as clock:
        yield clock


def let_time_run_out(clock):
    clock.query("SELECT pg_sleep(0.25)").expect_ok()


def begin(session):
    session.query("SET statement_timeout = 150").expect_ok()


def held(session, clock, before, behind):
    begin(session)
    session.send(before)
    let_time_run_out(clock)
    session.send(behind)
    session.send(SYNC, END)
    return received(session)


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_answers_are_the_servers(proxy, postgres, clock, name):
    before, behind = CONVERSATIONS[name]
    with postgres.connect(database="demo") as direct, proxy.connect() as session:
        expected = held(direct, clock, before, behind)
        assert [body[1] for kind, body in expected if kind == b"E"] == ["57014"]
        assert held(session, clock, before, behind) == expected
        # Whatever comes then is answered in its place, and the gate is shut.
        assert session.query("SELECT 7").value() == "7"
        session.query("SET helios.tenant_id = 'r'").expect_ok()
        assert session.query("INSERT INTO gate_timers VALUES ('forbidden')").sqlstate == "42000"


@pytest.mark.parametrize("stray", [b"d", b"c", b"f"])
def test_copy_data_that_belongs_to_no_copy_is_not_sent(proxy, clock, stray):
    """It met the timer, and its ReadyForQuery was taken for that of the Query behind it, which passed unseen."""
    with proxy.connect() as session:
        begin(session)
        session.send(OPEN, FLUSH)
        assert [session.message()[0] for _ in range(2)] == [b"1", b"2"]
        let_time_run_out(clock)
        session.send(message(stray, b"x\0") + message(b"C", b"Szz\0"))
        kind, _ = session.message()
        assert kind == b"E"
        session.send(FORBIDDEN, SYNC)
        assert [kind for kind, _ in session.ready().messages] == [b"Z"]
        assert session.query("SELECT count(*) FROM gate_timers").value() == "0"


def test_answers_are_not_shifted_behind_a_flush_that_failed(proxy, clock):
    with proxy.connect() as session:
        begin(session)
        session.send(OPEN, FLUSH)
        assert [session.message()[0] for _ in range(2)] == [b"1", b"2"]
        let_time_run_out(clock)
        session.send(FLUSH)
        assert session.message()[0] == b"E"
        session.send(query_message("SELECT 'skipped'"), SYNC)
        assert [kind for kind, _ in session.ready().messages] == [b"Z"]
        assert session.query("SELECT 1/0").sqlstate == "22012"
        assert session.query("SELECT 'A'").value() == "A"


@pytest.mark.parametrize("batch", [message(b"D", b"Snone\0"), parse_message("SELECT 1/0") + bind_message() + execute_message()])
def test_error_of_the_batch_in_front_of_a_flush_has_the_query_skipped(proxy, postgres, batch):
    """Without a timer: PostgreSQL skips the Query up to the Sync."""
    traffic = batch + FLUSH + query_message("SELECT 1")
    with postgres.connect(database="demo") as direct, proxy.connect() as session:
        assert answers(session, traffic) == answers(direct, traffic)
        assert session.query("SELECT 7").value() == "7"


def test_query_that_the_proxys_own_flush_has_skipped_is_answered(proxy, clock):
    """The client has sent no Flush and no Sync: it waits for the ReadyForQuery of its Query."""
    with proxy.connect() as session:
        begin(session)
        session.send(OPEN)
        let_time_run_out(clock)
        session.send(query_message("SELECT 'é'"))
        assert [kind for kind, _ in session.ready().messages] == [b"1", b"2", b"E", b"Z"]
        assert session.query("SELECT 7").value() == "7"
