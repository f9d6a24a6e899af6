# SPDX-License-Identifier: Apache-2.0
"""How a text is to be read may change inside an open batch, before the server has reported it: nothing runs unseen."""

import pytest
from harness.answers import batch, received
from harness.shared import Recorded, running_proxy
from harness.wire import FLUSH, SYNC, bind_message, execute_message, message, parse_message, query_message


@pytest.fixture(scope="module")
def proxy(postgres, recorder):
    with running_proxy(postgres.port, [recorder]) as proxy:
        with postgres.connect(database="demo") as admin:
            admin.query("CREATE TABLE smuggled (a int); CREATE FUNCTION ran(t text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN EXECUTE t; "
                        "RETURN true; END $$; CREATE DOMAIN runs AS text CHECK (ran(value)); CREATE TABLE altered (a int)").expect_ok()
        yield proxy


@pytest.fixture
def smuggled(postgres, proxy):
    """How many rows hidden statements have left behind."""
    with postgres.connect(database="demo") as admin:
        admin.query("TRUNCATE smuggled").expect_ok()
        yield lambda: int(admin.query("SELECT count(*) FROM smuggled").value())


STRINGS = b"SET a.b = '\\'';INSERT INTO smuggled VALUES (1);--'"
BITES = b"SELECT E'\x81\\' ;INSERT INTO smuggled VALUES (1);--'"
SETTINGS = {"strings": ("standard_conforming_strings", "off", STRINGS), "encoding": ("client_encoding", "SJIS", BITES)}
CHANGES = {
    "SET": "SET {0} = '{1}'",
    "SET LOCAL": "SET LOCAL {0} = '{1}'",
    "set_config": "SELECT set_config('{0}', '{1}', false)",
}
BETWEEN = {"at once": b"", "behind a flush": FLUSH, "behind a statement": batch("SELECT 1")}

def cases():
    for setting in SETTINGS:
        for change in CHANGES:
            for between in BETWEEN:
                yield setting, change, between


@pytest.mark.parametrize("setting, change, between", cases())
def test_query_in_the_batch_that_changed_the_rules(proxy, smuggled, setting, change, between):
    name, value, text = SETTINGS[setting]
    recorded = Recorded(proxy)
    with proxy.connect(timeout=10) as session:
        session.send(batch(CHANGES[change].format(name, value)), BETWEEN[between], query_message(text))
        session.ready()
    assert smuggled() <= len([seen for seen in recorded.texts() if seen.startswith("INSERT INTO smuggled")])


TURNS_OFF = "SELECT '{\"SELECT set_config(''standard_conforming_strings'', ''off'', false)\"}'::runs[], a FROM altered"


@pytest.mark.parametrize("how", ["parse", "describe"])
def test_parse_that_changes_the_reading_rules(proxy, postgres, smuggled, how):
    """The server calls the input functions of constants where it reads a text, and where it reads it anew to describe it."""
    recorded = Recorded(proxy)
    with proxy.connect(timeout=10) as session, postgres.connect(database="demo") as admin:
        if how == "describe":
            session.send(parse_message(TURNS_OFF, "x"), SYNC)
            session.ready().expect_ok()
            session.query("SET standard_conforming_strings = on").expect_ok()
            admin.query("ALTER TABLE altered ADD COLUMN b int").expect_ok()
            session.send(message(b"D", b"Sx\0"), query_message(STRINGS), SYNC)
        else:
            session.send(parse_message(TURNS_OFF, "x"), query_message(STRINGS), SYNC)
        session.ready()
    assert smuggled() <= len([seen for seen in recorded.texts() if seen.startswith("INSERT INTO smuggled")])


def test_rules_that_come_back_by_a_rollback_in_the_batch(proxy, smuggled):
    recorded = Recorded(proxy)
    with proxy.connect(parameters={"standard_conforming_strings": "off"}) as session:
        session.query("BEGIN; SET standard_conforming_strings = on").expect_ok()
        session.send(batch("ROLLBACK"), query_message(STRINGS))
        session.ready()
    assert smuggled() <= len([seen for seen in recorded.texts() if seen.startswith("INSERT INTO smuggled")])


def test_rules_that_did_not_change_are_not_a_reason_to_refuse(proxy):
    with proxy.connect() as session:
        session.send(batch("SET TimeZone = 'UTC'"), query_message("SELECT 'a\\'; SELECT 2"), SYNC)
        assert session.ready().expect_ok().rows == [["a\\"], ["2"]]


WRITES = "WITH x AS (INSERT INTO altered VALUES (7) RETURNING a) SELECT a, set_config('a.b', 'c', false) FROM x"
SUSPENDED = parse_message(WRITES) + bind_message() + execute_message("", 1)


def test_question_of_the_proxy_is_part_of_the_pipeline(proxy, postgres):
    """A row of the table of differences: the Parse of the proxy's own SHOW advances the server's command counter."""
    end = [query_message("SELECT 'the end'")]
    with proxy.connect() as session, postgres.connect(database="demo") as direct:
        for each, deleted in ((direct, b"DELETE 0\0"), (session, b"DELETE 1\0")):
            each.send(SUSPENDED, query_message("DELETE FROM altered; SELECT '\\'"), *end)
            assert (b"C", deleted) in received(each)
            each.query("TRUNCATE altered").expect_ok()
            each.send(SUSPENDED, query_message("DELETE FROM altered; SELECT 1"), *end)  # nobody needs to ask
            assert (b"C", b"DELETE 0\0") in received(each)
            each.query("TRUNCATE altered").expect_ok()
        for each, tag in ((direct, b"C"), (session, b"E")):
            each.send(parse_message("SELECT 1"), query_message("VACUUM altered; -- \u00fc"), *end)
            assert [kind for kind, _ in received(each) if kind in (b"C", b"E")][0] == tag
