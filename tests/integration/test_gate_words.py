# SPDX-License-Identifier: Apache-2.0
"""What the grammar refuses is refused in the server's own words, and nothing of it runs, whatever the server makes of it."""

import os

import pytest
from harness.answers import answers
from harness.shared import running_proxy
from harness.wire import SYNC, bind_message, execute_message, parse_message, query_message

MAJOR = int(os.environ.get("HELIOS_TEST_PG") or 17)
STRATEGY = "CREATE TABLE t (a int) PARTITION BY MAGIC (a)"
TEXTS = ["SELEC 1", "SELECT 1; SELEKT", "SELECT 'a", "SELECT 1 FROM", "CREATE ASSERTION a CHECK (true)", "SET CATALOG 'x'",
         "CREATE TABLE t (a int REFERENCES u MATCH PARTIAL)", STRATEGY,
         b"SELECT '\xff', SELEKT", "SELECT 1 /*", "SELECT U&'\\zz'"]
BEFORE = {"idle": b"", "in a transaction": query_message("BEGIN"), "in a failed one": query_message("BEGIN; SELECT 1/0"),
          "in an open batch": parse_message("SELECT 1") + bind_message() + execute_message(),
          "in a failed batch": parse_message("SELECT 1/0") + bind_message() + execute_message()}
WAYS = {"Query": lambda text: query_message(text), "Parse": lambda text: parse_message(text) + bind_message(),
        "named Parse": lambda text: parse_message(text, "s") + bind_message("", "s")}


@pytest.fixture(scope="module")
def proxy(postgres, counter):
    with running_proxy(postgres.port, [counter]) as proxy:
        yield proxy


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("text", TEXTS, ids=repr)
def test_text_that_the_grammar_refuses(proxy, postgres, before, way, text):
    if text == STRATEGY and MAJOR < 16:
        pytest.skip("the grammar of PostgreSQL 15 takes any word there: a row of the table of differences")
    traffic = BEFORE[before] + WAYS[way](text)
    with postgres.connect(database="demo") as direct, proxy.connect() as session:
        for each in (direct, session):
            each.send(traffic, SYNC, query_message("ROLLBACK"))
        theirs, ours = answers(direct, b""), answers(session, b"")
        if way == "Query" and before.endswith("batch"):  # the words are the grammar's
            theirs, ours = ([message[0] for message in each] for each in (theirs, ours))
        assert ours == theirs


def test_hint_and_position_are_there(proxy, postgres):
    with postgres.connect(database="demo") as direct, proxy.connect() as session:
        for text in ("CREATE ASSERTION a CHECK (true)", "SELECT 1; SELEKT", "SELECT U&'\\zz'"):
            assert session.query(text).error == direct.query(text).error


def test_unnamed_statement_is_gone(proxy):
    with proxy.connect() as session:
        session.send(parse_message("SELECT 'old'"), SYNC, query_message("SELEC 1"), bind_message(), execute_message(), SYNC)
        assert [session.ready().types, session.ready().sqlstate, session.ready().sqlstate] == ["1Z", "42601", "26000"]


def test_statement_of_that_name_stays(proxy):
    with proxy.connect() as session:
        session.send(parse_message("SELECT 'old'", "s"), SYNC, parse_message("SELEC 1", "s"), SYNC, bind_message("", "s"),
                     execute_message(), SYNC)
        assert [session.ready().types, session.ready().sqlstate, session.ready().value()] == ["1Z", "42601", "old"]
