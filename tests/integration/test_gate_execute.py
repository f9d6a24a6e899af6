# SPDX-License-Identifier: Apache-2.0
"""SQL EXECUTE under hooks: they see what runs and with which values, and names that nobody knows run nothing."""

import os

import pytest
from harness.answers import answers
from harness.proxy import Proxy
from harness.sequences import typed_parse
from harness.shared import running_proxy
from harness.wire import SYNC, bind_message, execute_message, fields_of, parse_message, query_message

BUILD_DIR = os.environ.get("HELIOS_BUILD_DIR", "build/dev")


@pytest.fixture(scope="module")
def proxy(postgres, obedient):
    """It writes down what it is shown."""
    with running_proxy(postgres.port, [obedient], kv_sql__readers=["postgres"]) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def guarded(postgres, counter):
    """Refuses what says "forbidden", and arguments that it is not shown."""
    with running_proxy(postgres.port, [counter], protocol__execute_arguments="deny") as proxy:
        yield proxy


@pytest.fixture
def session(proxy):
    with proxy.connect() as session:
        session.query("PREPARE p(text, int) AS SELECT $1, $2").expect_ok()
        yield session


@pytest.fixture
def gate(guarded):
    with guarded.connect() as session:
        session.query("PREPARE p(text) AS SELECT $1").expect_ok()
        yield session


class Shown:
    """What pre_query has been shown since: [text, the EXECUTE's own text, parameters...]."""

    def __init__(self, proxy):
        self.admin = proxy.admin
        self.first = self._count()

    def _count(self):
        return int(self.admin.value("obedient", "count") or 0)

    def calls(self):
        lines = [self.admin.value("obedient", f"call:{1000000 + n}").split("\t") for n in range(self.first, self._count())]
        return [line[1:] for line in lines if line[0] == "pre"]


CONSTANTS = {
    "'a', 1": ["a", "1"],
    "'it''s', -1": ["it's", "-1"],
    "NULL, +1": ["NULL", "1"],
    "'a'::text, NULL::int": ["a", "NULL"],
    "CAST('a' AS text), '7'": ["a", "7"],
}


@pytest.mark.parametrize("arguments", CONSTANTS)
def test_constant_arguments_are_parameters(proxy, session, arguments):
    shown = Shown(proxy)
    session.query(f"EXECUTE p({arguments})").expect_ok()
    assert shown.calls() == [["SELECT $1, $2", f"EXECUTE p({arguments})", *CONSTANTS[arguments]]]


CHANGES = ["set_config('helios.tenant_id', 'acme', false)", "'a' || set_config('helios.tenant_id', 'acme', true)",
           "(CASE WHEN true THEN pg_catalog.set_config('helios.tenant_id', 'acme', false) END)"]


@pytest.mark.parametrize("argument", CHANGES)
def test_argument_does_not_change_the_tenant_of_what_it_is_for(proxy, session, argument):
    """The server evaluates it first; hooks have been told the tenant before."""
    shown = Shown(proxy)
    assert session.query(f"EXECUTE p({argument}, 1)").sqlstate == "0A000"
    assert shown.calls() == []
    session.send(parse_message(f"EXECUTE p({argument}, 1)", "x"), bind_message(name="x"), execute_message(), SYNC)
    assert session.ready().sqlstate == "0A000"
    assert session.query("SHOW helios.tenant_id").sqlstate == "42704"


def test_argument_that_only_the_server_knows_hides_all_of_them(proxy, session):
    shown = Shown(proxy)
    session.query("EXECUTE p('a' || 'b', 1)").expect_ok()
    assert shown.calls() == [["SELECT $1, $2", "EXECUTE p('a' || 'b', 1)"]]


def test_array_is_shown_as_a_client_would_bind_it(proxy, session):
    session.query("PREPARE a(text[]) AS SELECT $1").expect_ok()
    shown = Shown(proxy)
    assert session.query("EXECUTE a(ARRAY['x', 'y \"z\"', NULL])").value() == '{x,"y \\"z\\"",NULL}'
    value = shown.calls()[0][2]
    assert session.prepared("SELECT $1::text[]", [value]).value() == '{x,"y \\"z\\"",NULL}'


@pytest.mark.parametrize("argument, is_shown", [("'a'", True), ("NULL", True), ("'a' || 'b'", False), ("current_user", False)])
def test_arguments_that_nobody_is_shown_are_refused_where_that_is_asked_for(gate, argument, is_shown):
    reply = gate.query(f"EXECUTE p({argument})")
    if is_shown:
        reply.expect_ok()
    else:
        assert reply.sqlstate == "0A000" and "execute_arguments" in reply.error["M"]


def test_two_inserts_by_execute_are_two(postgres):
    with postgres.connect(database="demo") as admin:
        admin.query("CREATE TABLE by_execute (a int)").expect_ok()
    proxy = Proxy({"server.host": "127.0.0.1", "server.port": postgres.port})
    proxy.install(os.path.join(BUILD_DIR, "plugins", "dedup.wasm"))
    try:
        with proxy.start().connect(options="-c helios.tenant_id=acme") as session:
            proxy.admin.put("dedup", "config", '{"window_ms": 60000}')
            session.query("PREPARE ins(int) AS INSERT INTO by_execute VALUES ($1)").expect_ok()
            session.query("EXECUTE ins(1)").expect_ok()
            session.query("EXECUTE ins(2)").expect_ok()
            assert session.query("EXECUTE ins(1)").sqlstate == "55000"
            session.query("EXECUTE ins('1'::numeric)").expect_ok()  # the same value in other words: nobody can be sure
            assert session.query("SELECT count(*) FROM by_execute").value() == "3"
        proxy.stop()
    finally:
        proxy.remove()


# --- names that nobody knows

def said(session, text):
    """What comes back, errors by what programs look at."""
    reply = session.query(text)
    return [(kind, body) if kind != b"E" else (kind, fields_of(body)["C"], fields_of(body)["M"]) for kind, body in reply.messages]


@pytest.mark.parametrize("text", [
    "CREATE TEMP TABLE t (a int); EXECUTE nosuch; SELECT 1", "SELECT 1; EXECUTE nosuch", "SELECT 1/0; EXECUTE nosuch",
    "BEGIN; SELECT 1; EXECUTE nosuch; COMMIT", "ROLLBACK; EXECUTE nosuch", "EXECUTE nosuch; SELECT 1"])
def test_what_stands_in_front_of_an_unknown_name_runs(gate, postgres, text):
    with postgres.connect(database="demo") as direct:
        for each in (direct, gate):
            each.query("CREATE TEMP TABLE made (a int)").expect_ok()
        assert said(gate, text) == said(direct, text)
        assert said(gate, "ROLLBACK") == said(direct, "ROLLBACK")


def test_text_behind_an_execute_of_an_unknown_name_is_not_sent(gate, postgres):
    """It would never run. So the server does not warn of it either."""
    text = r"SELECT 1; EXECUTE nobody; SELECT 'a\\b'"
    with postgres.connect(database="demo") as direct:
        said = []
        for session in (direct, gate):
            session.query("SET standard_conforming_strings = off").expect_ok()
            session.send(query_message(text))
            heard = [session.message()]
            while heard[-1][0] != b"Z":
                heard.append(session.message())
            said.append([(kind, fields_of(body)["C"]) for kind, body in heard if kind in b"NE"])
    assert said == [[(b"N", "22P06"), (b"E", "26000")], [(b"E", "26000")]]


def test_unknown_name_in_a_failed_transaction_is_the_servers(gate, postgres):
    with postgres.connect(database="demo") as direct:
        for text in ("BEGIN; SELECT 1/0", "EXECUTE nosuch", "SELECT 1; EXECUTE nosuch", "ROLLBACK; SELECT 7; EXECUTE nosuch",
                     "SELECT 8"):
            assert said(gate, text) == said(direct, text)


HIDE = ("CREATE FUNCTION hide() RETURNS void LANGUAGE plpgsql AS "
        "$$ BEGIN EXECUTE 'PREPARE hidden AS SELECT ''for'' || ''bidden'''; END $$")


@pytest.mark.parametrize("text", ["EXECUTE hidden", "SELECT 1; EXECUTE hidden", "ROLLBACK; EXECUTE hidden"])
def test_name_that_was_made_out_of_sight_runs_nothing(gate, text):
    gate.query("DROP FUNCTION IF EXISTS hide()")
    gate.query(HIDE).expect_ok()
    gate.query("SELECT hide()").expect_ok()
    if text.startswith("ROLLBACK"):
        gate.query("BEGIN; SELECT 1/0")
    reply = gate.query(text)
    assert reply.sqlstate == "26000" and ["forbidden"] not in reply.rows


def test_name_that_an_execute_with_arguments_gives_is_followed(gate):
    gate.send(typed_parse("PREPARE q AS SELECT 'forbidden'", [25], "maker"), typed_parse("DEALLOCATE q", [25], "ender"), SYNC)
    gate.ready().expect_ok()
    gate.query("PREPARE q AS SELECT 'harmless'").expect_ok()
    gate.query("EXECUTE ender(NULL)")
    gate.query("EXECUTE maker(NULL)")
    assert ["forbidden"] not in gate.query("EXECUTE q").rows


@pytest.mark.parametrize("behind", ["", "  --SELECT 1          ", "; SELECT 1", " /* SELECT 1 */"])
def test_prepare_that_an_execute_runs_is_followed_by_its_own_text(gate, behind):
    gate.query("CREATE TEMP TABLE hidden AS SELECT 1 AS n").expect_ok()
    gate.send(parse_message("PREPARE q AS DELETE FROM hidden /* forbidden */", "s"), SYNC)
    gate.ready().expect_ok()
    prepared = gate.query("EXECUTE s" + behind)
    if not prepared.errors:
        assert gate.query("EXECUTE q").sqlstate == "42000"
    assert gate.query("SELECT count(*) FROM hidden").value() == "1"


def test_prepare_that_an_execute_runs_is_shown_by_its_own_text(proxy, session):
    session.query("CREATE TEMP TABLE hidden AS SELECT 1 AS n").expect_ok()
    session.send(parse_message("PREPARE q AS DELETE FROM hidden", "s"), SYNC)
    session.ready().expect_ok()
    session.query("EXECUTE s  --SELECT 1          ")
    shown = Shown(proxy)
    deleted = not session.query("EXECUTE q").errors
    assert deleted == ("DELETE FROM hidden" in [call[0] for call in shown.calls()])


@pytest.mark.parametrize("head", ["EXPLAIN (ANALYZE)", "EXPLAIN"])
def test_explain_of_a_declare_makes_no_cursor(gate, head):
    gate.query("BEGIN").expect_ok()
    gate.query("DECLARE c CURSOR FOR SELECT 'mine'").expect_ok()
    gate.query(f"{head} DECLARE c CURSOR FOR SELECT 'harmless'").expect_ok()
    gate.send(execute_message("c"), SYNC)
    assert gate.ready().value() == "mine"
    gate.query("ROLLBACK").expect_ok()


# --- a Parse that fails has ended the unnamed statement before

@pytest.mark.parametrize("text", ["SELEKT", "SELECT nothing", "SELECT 'a' 'b'"])
def test_failed_parse_ends_the_unnamed_statement(gate, postgres, text):
    traffic = (parse_message("SELECT 'A'") + SYNC + parse_message(text) + SYNC + bind_message() + execute_message())
    with postgres.connect(database="demo") as direct:
        seen = [[message for message in answers(each, traffic) if message[0] != b"E"] for each in (direct, gate)]
    assert seen[0] == seen[1]
    assert gate.query("SELECT 1").value() == "1"


def test_declared_cursor_of_plugin_state_can_be_executed(proxy):
    proxy.admin.put("obedient", "greeting", "hello")
    with proxy.connect() as session:
        session.query("BEGIN").expect_ok()
        session.query("DECLARE c CURSOR FOR SELECT value FROM helios.kv('obedient', 'greeting') AS k(value)").expect_ok()
        session.send(execute_message("c"), SYNC)
        assert session.ready().value() == "hello"
        session.query("ROLLBACK").expect_ok()
