# SPDX-License-Identifier: Apache-2.0
"""A refused statement leaves client and server in step, wherever it stands."""

import pytest
from harness.wire import query_message

REFUSED = {"S": "ERROR", "C": "42000", "M": "forbidden here"}


@pytest.fixture
def session(start_proxy, counter, postgres):
    with postgres.connect(database="demo") as direct:
        direct.query("DROP TABLE IF EXISTS kept; CREATE TABLE kept (a int)").expect_ok()
    with start_proxy(plugins=[counter]).connect() as session:
        yield session


@pytest.fixture
def kept(postgres):
    """The rows that were committed, as the server itself says."""
    def rows():
        with postgres.connect(database="demo") as direct:
            return [int(row[0]) for row in direct.query("SELECT a FROM kept ORDER BY a").rows]
    return rows


def expect_refused(reply, status):
    assert reply.types[-2:] == "EZ", reply.types
    assert {name: reply.error[name] for name in REFUSED} == REFUSED
    assert reply.error["V"] == "ERROR"
    assert reply.status == status


def test_idle(session, kept):
    expect_refused(session.query("INSERT INTO kept VALUES (1); SELECT 'forbidden'"), "I")
    assert kept() == []
    assert session.query("SELECT 1").value() == "1"


def test_first_statement_of_a_message(session, kept):
    reply = session.query("SELECT 'forbidden'; INSERT INTO kept VALUES (1)")
    expect_refused(reply, "I")
    assert reply.types == "EZ" and kept() == []


def test_in_a_transaction(session, kept):
    session.query("BEGIN; INSERT INTO kept VALUES (1)").expect_ok()
    expect_refused(session.query("SELECT 'forbidden'"), "E")
    assert session.query("INSERT INTO kept VALUES (2)").sqlstate == "25P02"
    # PostgreSQL answers COMMIT of a failed transaction so.
    reply = session.query("COMMIT").expect_ok()
    assert reply.tags == ["ROLLBACK"] and reply.status == "I"
    assert kept() == []


def test_in_a_failed_transaction(session, kept):
    session.query("BEGIN; INSERT INTO kept VALUES (1)").expect_ok()
    session.query("SELECT 1/0")
    expect_refused(session.query("SELECT 'forbidden'"), "E")
    assert session.query("ROLLBACK").expect_ok().status == "I"
    assert session.query("SELECT 1").value() == "1"
    assert kept() == []


def test_back_to_a_savepoint(session, kept):
    session.query("BEGIN; INSERT INTO kept VALUES (1); SAVEPOINT here").expect_ok()
    expect_refused(session.query("SELECT 'forbidden'"), "E")
    session.query("ROLLBACK TO here; INSERT INTO kept VALUES (2)").expect_ok()
    assert session.query("COMMIT").expect_ok().tags == ["COMMIT"]
    assert kept() == [1, 2]


def test_behind_a_pipelined_query(session, kept):
    session.send(query_message("SELECT pg_sleep(0.2); INSERT INTO kept VALUES (1)"),
                 query_message("SELECT 'forbidden'"), query_message("INSERT INTO kept VALUES (2)"))
    assert session.ready().expect_ok().tags == ["SELECT 1", "INSERT 0 1"]
    expect_refused(session.ready(), "I")
    assert session.ready().expect_ok().tags == ["INSERT 0 1"]
    assert kept() == [1, 2]


def test_between_pipelined_begin_and_commit(session, kept):
    session.send(*(query_message(text) for text in
                   ("BEGIN", "INSERT INTO kept VALUES (1)", "SELECT 'forbidden'", "COMMIT", "SELECT 5")))
    session.ready().expect_ok()
    session.ready().expect_ok()
    expect_refused(session.ready(), "E")
    assert session.ready().expect_ok().tags == ["ROLLBACK"]
    assert session.ready().value() == "5"
    assert kept() == []


def test_behind_a_pipelined_query_that_fails(session):
    session.send(query_message("SELECT 1/0"), query_message("SELECT 'forbidden'"), query_message("SELECT 3"))
    assert session.ready().sqlstate == "22012"
    expect_refused(session.ready(), "I")
    assert session.ready().value() == "3"


def test_text_that_cannot_be_read_is_refused_as_the_server_would(session):
    reply = session.query("SELEC 1")
    assert reply.sqlstate == "42601" and reply.status == "I"
    assert reply.error["M"] == 'syntax error at or near "SELEC"' and reply.error["P"] == "1"


def test_refused_text_never_reaches_the_server(session, postgres):
    session.query("BEGIN").expect_ok()
    expect_refused(session.query("SELECT 'forbidden secret'"), "E")
    session.query("ROLLBACK").expect_ok()
    with open(postgres.log, encoding="utf-8") as log:
        assert "forbidden secret" not in log.read()


def test_words_in_strings_comments_and_quotes_stay_as_they_are(session):
    text = "SELECT 'helios.kv()', $$SELECT * FROM helios.kv()$$ /* helios.kv() */ -- SET helios.tenant_id = 'x'"
    assert session.query(text).rows == [["helios.kv()", "SELECT * FROM helios.kv()"]]
