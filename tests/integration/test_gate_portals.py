# SPDX-License-Identifier: Apache-2.0
"""A portal can be planned, and read by FETCH or a function, without any Execute: it is judged when it is bound."""

import pytest
from harness.shared import running_proxy
from harness.wire import SYNC, bind_message, describe_message, execute_message, message, parse_message

FLUSH = b"H\0\0\0\4"


@pytest.fixture(scope="module")
def objects(postgres):
    with postgres.connect(database="demo") as direct:
        direct.query(
            "CREATE TABLE IF NOT EXISTS gate_portals (n int); CREATE SEQUENCE IF NOT EXISTS gate_plans; "
            "CREATE OR REPLACE FUNCTION noted(n int) RETURNS int STABLE LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM nextval('gate_plans'); RETURN n; END $$").expect_ok()


@pytest.fixture(scope="module")
def proxy(postgres, counter, objects):
    """Refuses what says "forbidden"."""
    with running_proxy(postgres.port, [counter]) as proxy:
        yield proxy


@pytest.fixture
def direct(postgres):
    with postgres.connect(database="demo") as direct:
        direct.query("TRUNCATE gate_portals; SELECT setval('gate_plans', 1)").expect_ok()
        yield direct


@pytest.fixture
def gate(proxy, direct):
    with proxy.connect() as session:
        yield session


READERS = {
    "fetch": "FETCH ALL FROM c",
    "move": "MOVE ALL IN c",
    "function": "SELECT cursor_to_xml('c', 10, false, false, '')",
    "function in a block": "DO $$ DECLARE c refcursor = 'c'; r record; BEGIN FETCH c INTO r; END $$",
}
INSERT = "INSERT INTO gate_portals VALUES (1) RETURNING n"


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize("parts", [SYNC, FLUSH, b""], ids=["sync", "flush", "at once"])
def test_refused_portal_is_not_there_to_be_read(gate, direct, reader, parts):
    gate.query("BEGIN").expect_ok()
    gate.send(parse_message(f"{INSERT} /* forbidden */"), bind_message("c"), parts, parse_message(reader),
              bind_message(), execute_message(), SYNC)
    reply = gate.ready()
    assert reply.sqlstate == "42000" and reply.status == "E"
    if parts == SYNC:
        assert gate.ready().sqlstate in ("25P02", "34000")
    gate.query("COMMIT")
    assert direct.query("SELECT count(*) FROM gate_portals").value() == "0"


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_allowed_portal_is_read_as_ever(gate, direct, reader):
    gate.query("BEGIN").expect_ok()
    gate.send(parse_message(INSERT), bind_message("c"), SYNC)
    assert gate.ready().types == "12Z"
    gate.query(reader).expect_ok()
    gate.query("COMMIT").expect_ok()
    assert direct.query("SELECT count(*) FROM gate_portals").value() == "1"


@pytest.mark.parametrize("text, plans", [("SELECT FROM gate_portals WHERE n < noted(2)", "2"),
                                         ("SELECT FROM gate_portals WHERE n < noted(2) -- forbidden", "1"),
                                         ("SELECT FROM gate_portals LIMIT noted(2) -- forbidden", "1")])
def test_refused_statement_is_not_planned(gate, direct, text, plans):
    gate.send(parse_message(text), bind_message(), describe_message(), SYNC)
    refused = [error["C"] for error in gate.ready().errors]
    assert refused == (["42000"] if "forbidden" in text else [])
    assert direct.query("SELECT last_value FROM gate_plans").value() == plans


def test_portal_does_not_run_under_another_tenant(gate):
    gate.send(parse_message("SET helios.tenant_id = 'acme'", "s"), bind_message("b", "s"), parse_message(
        "SELECT current_setting('helios.tenant_id', true)"), bind_message("a"), execute_message("b"), execute_message("a"),
        SYNC)
    assert gate.ready().sqlstate == "42501"
    # The SET was undone with its batch.
    assert gate.query("SELECT current_setting('helios.tenant_id', true)").value() in (None, "")


def test_skipped_execute_can_be_repeated(gate, direct):
    gate.query("BEGIN").expect_ok()
    gate.send(parse_message(INSERT), bind_message("c"), SYNC)
    gate.ready()
    gate.query("SAVEPOINT s").expect_ok()
    gate.send(parse_message("SELECT missing"), execute_message("c"), SYNC)
    assert gate.ready().sqlstate == "42703"
    gate.query("ROLLBACK TO s").expect_ok()
    gate.send(execute_message("c"), SYNC)
    assert "D" in gate.ready().types
    gate.query("COMMIT").expect_ok()
    assert direct.query("SELECT count(*) FROM gate_portals").value() == "1"


def test_portal_of_an_execute_runs_what_was_judged(gate):
    gate.query("BEGIN").expect_ok()
    gate.query("PREPARE p AS SELECT 1").expect_ok()
    gate.send(parse_message("EXECUTE p"), bind_message("c"), SYNC)
    assert gate.ready().types == "12Z"
    gate.query("SAVEPOINT s").expect_ok()
    assert gate.query("DEALLOCATE p").sqlstate == "55006"  # FETCH would run what stands there then
    gate.query("ROLLBACK TO s").expect_ok()
    assert gate.query("FETCH ALL FROM c").value() == "1"
    gate.query("CLOSE c").expect_ok()
    gate.query("DEALLOCATE p").expect_ok()


@pytest.mark.parametrize("text", ["SAVEPOINT x", "SET work_mem = '4MB'", "EXECUTE p"])
def test_portal_of_a_statement_that_sets_no_tenant_leaves_it_known(proxy, text):
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        session.query("PREPARE p AS SELECT 1").expect_ok()
        session.query("BEGIN").expect_ok()
        session.send(parse_message(text, "b"), bind_message("c", "b"), execute_message("c"), SYNC)
        session.ready().expect_ok()
        session.query("DECLARE d CURSOR FOR SELECT 1").expect_ok()
        session.query("FETCH d").expect_ok()
        session.query("SELECT 2").expect_ok()


def test_cursor_that_a_commit_runs_makes_the_tenant_unknown(proxy):
    with proxy.connect() as session:
        for text in ("SET helios.tenant_id = 'a'", "BEGIN",
                     "DECLARE c CURSOR WITH HOLD FOR SELECT set_config('helios.tenant_id', 'b', false)",
                     "SET helios.tenant_id = 'a'", "COMMIT"):
            session.query(text).expect_ok()
        assert session.query("SELECT 1").sqlstate == "42501"
        session.query("SET helios.tenant_id = 'a'").expect_ok()
        session.query("SELECT 1").expect_ok()


@pytest.mark.parametrize("run", ["FETCH ALL FROM c", "MOVE ALL IN c", "SELECT cursor_to_xml('c', 10, false, false, '')",
                                 "DO $$ DECLARE r record; c refcursor := 'c'; BEGIN FETCH c INTO r; END $$"])
def test_portal_is_not_fetched_under_another_tenant(gate, direct, run):
    gate.query("SET helios.tenant_id = 'a'").expect_ok()
    gate.query("BEGIN").expect_ok()
    gate.send(parse_message("INSERT INTO gate_portals VALUES (1) RETURNING n"), bind_message("c"), SYNC)
    assert gate.ready().types == "12Z"
    gate.query("SET helios.tenant_id = 'b'").expect_ok()
    assert gate.query(run).sqlstate == "42501"
    gate.query("ROLLBACK").expect_ok()
    assert direct.query("SELECT count(*) FROM gate_portals").value() == "0"


def test_function_that_reads_cursors_waits_until_it_is_known_which_there_are(gate):
    """A portal that is closed in front of it in the pipeline, one that is through, and one of the same tenant hinder nobody."""
    def run(text):
        return parse_message(text), bind_message(), execute_message()

    def answer(*messages):
        gate.send(*messages, SYNC)
        return [error["C"] for error in gate.ready().errors]

    gate.query("BEGIN").expect_ok()
    gate.send(parse_message("SELECT generate_series(1, 3)", "s"), SYNC)
    assert gate.ready().errors == []
    assert answer(bind_message("c", "s"), *run("SELECT cursor_to_xml('c', 1, false, false, '')"), message(b"C", b"Pc\0")) == []
    assert answer(bind_message("d", "s"), *run("SET helios.tenant_id = 'a'"), message(b"C", b"Pd\0"), *run("SELECT 1")) == []
    assert answer(bind_message("e", "s"), execute_message("e"), *run("SET helios.tenant_id = 'b'"), *run("SELECT 1")) == []
    assert answer(bind_message("f", "s"), *run("SET helios.tenant_id = 'c'"), *run("SELECT 1")) == ["42501"]
    gate.query("ROLLBACK").expect_ok()
