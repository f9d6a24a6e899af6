# SPDX-License-Identifier: Apache-2.0
"""The proxy reads a text as the server does, whatever decides about the meaning and whoever changed it."""

import pytest
from harness.shared import Recorded, running_proxy
from harness.wire import WireError, cstring, message, query_message


@pytest.fixture(scope="module")
def proxy(postgres, recorder):
    with running_proxy(postgres.port, [recorder]) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def refusing(postgres, counter):
    """A proxy that refuses what says "forbidden"."""
    with running_proxy(postgres.port, [counter], kv_sql__readers=["postgres"]) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def tables(postgres):
    with postgres.connect(database="demo") as admin:
        admin.query("CREATE TABLE smuggled (a int); CREATE TABLE t (a int); GRANT ALL ON smuggled, t TO PUBLIC")
        admin.query("CREATE ROLE old_strings LOGIN").expect_ok()
        admin.query("ALTER ROLE old_strings SET standard_conforming_strings = off").expect_ok()
        admin.query("CREATE ROLE japanese LOGIN").expect_ok()
        admin.query("ALTER ROLE japanese SET client_encoding = 'SJIS'").expect_ok()
    return postgres


@pytest.fixture
def smuggled(tables):
    """How many rows a hidden statement has left behind; and forgets them."""
    def count():
        with tables.connect(database="demo") as admin:
            rows = int(admin.query("SELECT count(*) FROM smuggled").value())
            admin.query("TRUNCATE smuggled").expect_ok()
            return rows
    count()
    return count


@pytest.fixture
def recorded(proxy):
    return Recorded(proxy)


# One statement when a backslash is just a backslash, two when it escapes the quote behind it.
BACKSLASH = r"SELECT 'a\'' ; INSERT INTO smuggled VALUES (1); --'"
# One statement byte by byte; two in SJIS, where 81 5C is one character.
HALF_CHARACTER = b"SELECT E'\x81\\' ; INSERT INTO smuggled VALUES (1); --'"


def everything_was_seen(recorded, smuggled):
    """Whatever ran, hooks saw it as a statement of its own."""
    ran = smuggled()
    seen = [text for text in recorded.texts() if text.startswith("INSERT INTO smuggled")]
    return ran <= len(seen)


# --- who changes how texts are read

CHANGES = {
    "set": "SET {} = '{}'",
    "set_config": "SELECT set_config('{}', '{}', false)",
    "do": "DO $$ BEGIN PERFORM set_config('{}', '{}', false); END $$",
    "hidden": "DO $$ BEGIN EXECUTE 'SELECT set_' || 'config(''{}'', ''{}'', false)'; END $$",
    "function": "SELECT pg_temp.change('{}', '{}')",
}
FUNCTION = """CREATE FUNCTION pg_temp.change(name text, value text) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(0.1); RETURN set_config(name, value, false); END $$"""


@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.parametrize("name, value, text", [
    ("standard_conforming_strings", "off", BACKSLASH), ("client_encoding", "SJIS", HALF_CHARACTER)],
    ids=["strings", "encoding"])
def test_reading_rules_changed_by_the_message_before(proxy, recorded, smuggled, how, name, value, text):
    """Both messages arrive at once: the second cannot be read before the first is answered."""
    with proxy.connect() as session:
        session.query(FUNCTION).expect_ok()
        session.send(query_message(CHANGES[how].format(name, value)), query_message(text))
        session.ready().expect_ok()
        session.ready()
    assert everything_was_seen(recorded, smuggled)


@pytest.mark.parametrize("name, value, text", [
    ("standard_conforming_strings", "on", BACKSLASH), ("client_encoding", "UTF8", HALF_CHARACTER)],
    ids=["strings", "encoding"])
def test_reading_rules_that_a_rollback_brings_back(proxy, recorded, smuggled, name, value, text):
    other = {"on": "off", "UTF8": "SJIS"}[value]
    with proxy.connect(parameters={name: value}) as session:
        session.query(FUNCTION).expect_ok()
        session.query("BEGIN").expect_ok()
        session.query(f"SELECT pg_temp.change('{name}', '{other}')").expect_ok()
        session.send(query_message("ROLLBACK"), query_message(text))
        for _ in range(2):
            session.ready()
    assert everything_was_seen(recorded, smuggled)


@pytest.mark.parametrize("start", [
    {"user": "old_strings"}, {"options": "-c standard_conforming_strings=off"},
    {"parameters": {"standard_conforming_strings": "off"}}], ids=["role", "options", "startup"])
def test_backslashes_that_escape_from_the_start(proxy, recorded, smuggled, start):
    with proxy.connect(**start) as session:
        session.query(BACKSLASH).expect_ok()
    assert [text for text in recorded.texts() if "INSERT" in text] == ["INSERT INTO smuggled VALUES (1)"]
    assert smuggled() == 1


UNSAFE = ["SJIS", "BIG5", "GBK", "GB18030", "UHC", "JOHAB", "SHIFT_JIS_2004"]


@pytest.mark.parametrize("encoding", UNSAFE)
def test_encoding_that_can_hide_a_quote_is_not_read(refusing, smuggled, encoding):
    """By every way of choosing it, the text is refused as one that cannot be read."""
    with refusing.connect(parameters={"client_encoding": encoding}) as session:
        assert session.query(HALF_CHARACTER).sqlstate == "0A000"
    for change in (f"SET client_encoding = '{encoding}'", f"SET NAMES '{encoding}'",
                   f"DO $$ BEGIN PERFORM set_config('client_encoding', '{encoding}', false); END $$"):
        with refusing.connect() as session:
            session.query(change).expect_ok()
            assert session.query(HALF_CHARACTER).sqlstate == "0A000", change
    assert smuggled() == 0


def test_encoding_of_a_role_counts(refusing, smuggled):
    with refusing.connect(user="japanese") as session:
        assert session.query(HALF_CHARACTER).sqlstate == "0A000"
    assert smuggled() == 0


# --- where statements end

TEXTS = [
    "SELECT 1; SELECT 2",
    "SELECT ';'; SELECT ';;'",
    "SELECT 1 /* ; /* ; */ ; SELECT 3; */; SELECT 2",
    "SELECT 1 -- ; SELECT 2\n; SELECT 3",
    "SELECT 1 --\r; SELECT 2\r\n; SELECT 3",
    "SELECT $$;$$; SELECT $x$ $$; $y$ ; $x$",
    "SELECT $a$;$A$;$a$; SELECT 2",
    "SELECT 1 AS \"a;b\"; SELECT 2 AS \"\"\";\"",
    "SELECT 'it''s; '; SELECT 'a' \n ';b'",
    "SELECT E'\\';'; SELECT E'\\\\'; SELECT 3",
    "SELECT '\\'; SELECT 2",
    "SELECT '\\'';'; SELECT 2",
    "SELECT U&'\\0027;' ; SELECT U&'!0041' UESCAPE '!'; SELECT 3",
    "SELECT 1 AS U&\"d\\0061t;\"; SELECT 2",
    "SELECT N'a;', B'01', X'1F'; SELECT 2",
    ";;SELECT 1;;; SELECT 2;;",
    "SELECT 1 /* open -- */ ; SELECT 2",
    "SELECT 1 + -- c\n 1; SELECT/**/2",
    "CREATE FUNCTION pg_temp.f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT pg_temp.f()",
    "CREATE FUNCTION pg_temp.g() RETURNS int LANGUAGE sql AS 'SELECT 1; SELECT 2'; SELECT 2",
    "DO $d$ BEGIN PERFORM 1; PERFORM 2; END $d$; SELECT 2",
    "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2); DROP RULE r ON t",
    "SELECT 'ünï;cødé'; SELECT '\u2019; ''\uff07;'",
    "WITH x AS (SELECT ';') SELECT * FROM x; VALUES (';')",
    "EXPLAIN (COSTS off) SELECT 1; SELECT 2",
    "SELECT 1\v; SELECT 2\f; SELECT 3",
    "SELECT 1 \u00a0; SELECT 2",
    "SELECT $1$; SELECT 2",
    "SELECT 1 OPERATOR(pg_catalog.+) 1; SELECT '{\"a\": \";\"}'::jsonb ? ';'",
]


@pytest.mark.parametrize("strings", ["on", "off"])
@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:40])
def test_hooks_see_as_many_statements_as_the_server_runs(proxy, postgres, tables, recorded, strings, text):
    start = {"parameters": {"standard_conforming_strings": strings}}
    with postgres.connect(database="demo", **start) as direct:
        expected = direct.query(text)
    with proxy.connect(**start) as session:
        reply = session.query(text)
    assert reply.types.replace("N", "") == expected.types.replace("N", "")
    if not expected.errors:
        assert reply.tags == expected.tags
        assert len(recorded.texts()) == len(expected.tags)


def test_bytes_behind_a_nul_are_not_run(proxy, recorded, smuggled):
    with proxy.connect() as session:
        session.send(message(b"Q", b"SELECT 1\0; INSERT INTO smuggled VALUES (1)\0"))
        assert session.ready().sqlstate == "08P01"
        session.query("SELECT 2").expect_ok()
    assert recorded.texts() == ["SELECT 2"] and smuggled() == 0


def test_text_without_an_end_is_refused(proxy, recorded, smuggled):
    with proxy.connect() as session:
        session.send(message(b"Q", b"INSERT INTO smuggled VALUES (1)"))
        assert session.ready().sqlstate == "08P01"
    assert recorded.texts() == [] and smuggled() == 0


# --- where a statement can hide in another

HIDING = [
    "EXPLAIN ANALYZE SELECT 'forbidden'",
    "EXPLAIN (ANALYZE, COSTS off) INSERT INTO t SELECT 1 WHERE 'forbidden' = ''",
    "WITH w AS (INSERT INTO t SELECT length('forbidden') RETURNING a) SELECT * FROM w",
    "COPY (SELECT 'forbidden') TO STDOUT",
    "CREATE TEMP TABLE x AS SELECT 'forbidden'",
    "SELECT 'forbidden' INTO TEMP x",
    "DO $$ BEGIN PERFORM 'forbidden'; END $$",
    "BEGIN; DECLARE c CURSOR FOR SELECT 'forbidden'; FETCH c; COMMIT",
    "CREATE FUNCTION pg_temp.h() RETURNS text LANGUAGE sql AS $$ SELECT 'forbidden' $$",
    "VALUES ('forbidden')",
    "TABLE forbidden",
    "MERGE INTO t USING (SELECT 'forbidden' AS f) s ON false WHEN NOT MATCHED THEN INSERT VALUES (1)",
    "CALL forbidden()",
    "NOTIFY forbidden",
    "LOCK TABLE forbidden",
    "COMMENT ON TABLE t IS 'forbidden'",
    "PREPARE TRANSACTION 'forbidden'",
    "SELECT 1; SELECT 2; SELECT 'forbidden'; SELECT 4",
]


@pytest.mark.parametrize("text", HIDING)
def test_statement_is_refused_wherever_it_stands(refusing, smuggled, text):
    with refusing.connect() as session:
        reply = session.query("INSERT INTO smuggled VALUES (1); " + text)
        assert reply.types == "EZ" and reply.sqlstate == "42000"
        assert session.query("SELECT 1").value() == "1"
    assert smuggled() == 0


PREPARED = {"EXECUTE p": "42000", "SELECT 1; EXECUTE p": "42000", "EXPLAIN ANALYZE EXECUTE p": "0A000",
            "EXPLAIN EXECUTE p": "0A000", "EXPLAIN CREATE TEMP TABLE x AS EXECUTE p": "0A000",
            "CREATE TEMP TABLE x AS EXECUTE p": "0A000", "EXPLAIN ANALYZE CREATE TEMP TABLE x AS EXECUTE p": "0A000"}


@pytest.mark.parametrize("text", PREPARED)
def test_prepared_statement_is_not_run_unseen(refusing, smuggled, text):
    with refusing.connect() as session:
        session.query("PREPARE p AS INSERT INTO smuggled VALUES (1) RETURNING 'forbidden'").expect_ok()
        assert session.query(text).sqlstate == PREPARED[text]
        session.query("BEGIN").expect_ok()
        reply = session.query(text)
        assert reply.sqlstate == PREPARED[text] and reply.status == "E"
    assert smuggled() == 0


# --- names

def test_last_of_two_users_is_the_one_who_reads(refusing):
    """Like the server: of equal keys in the startup packet the last one counts."""
    for users, may_read in ((("postgres", "anna"), False), (("anna", "postgres"), True)):
        with refusing.raw() as client:
            pairs = b"".join(cstring("user") + cstring(user) for user in users) + cstring("database") + cstring("demo")
            body = b"\0\x03\0\0" + pairs + b"\0"
            client.send((len(body) + 4).to_bytes(4, "big") + body)
            while client.message()[0] != b"Z":
                pass
            client.send(query_message("SELECT count(*) FROM helios.kv()"))
            kind, body = client.message()
            assert (kind == b"T") == may_read, body


LONG = "u" * 63


def test_name_that_the_server_would_cut_is_refused(proxy, postgres):
    """The server takes 63 bytes of a name: with more behind them a rule about that user would not fit."""
    with postgres.connect() as admin:
        admin.query(f"DROP ROLE IF EXISTS {LONG}; CREATE ROLE {LONG} LOGIN").expect_ok()
    with postgres.connect(user=LONG + "x", database="demo") as direct:
        assert direct.query("SELECT current_user").value() == LONG
    with proxy.connect(user=LONG) as session:
        assert session.query("SELECT current_user").value() == LONG
    for names in ({"user": LONG + "x"}, {"database": LONG + "x"}):
        with pytest.raises(WireError) as refused:
            proxy.connect(**names)
        assert refused.value.fields["C"] == "42622"


@pytest.mark.parametrize("name", ["bad name", "", "a/b", "x" * 300, "ünï", "a\nb"])
def test_namespace_that_cannot_exist_is_an_invalid_argument(refusing, name):
    with refusing.connect() as session:
        for call in (f"SELECT * FROM helios.kv('{name}')", f"SELECT helios.kv('{name}', 'key')"):
            reply = session.query(call)
            assert reply.sqlstate == "22023" and reply.status == "I"
