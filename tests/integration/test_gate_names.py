# SPDX-License-Identifier: Apache-2.0
"""Names of statements, portals and savepoints: proxy and server never take two names for one, or one for two."""

import pytest
from harness.answers import batch
from harness.sequences import close, describe
from harness.shared import running_proxy
from harness.wire import SYNC, bind_message, execute_message, parse_message, query_message

CUT = "n" * 63  # as much of a name as the server keeps
TOO_LONG = CUT + "x"
LATIN = "\u00e9"


@pytest.fixture(scope="module")
def proxy(postgres, counter):
    """Refuses what says "forbidden"."""
    with running_proxy(postgres.port, [counter]) as proxy:
        yield proxy


@pytest.fixture
def session(proxy):
    with proxy.connect() as session:
        yield session


@pytest.fixture(scope="module")
def bare(postgres):
    """No plugin, no tenant that is fixed."""
    with running_proxy(postgres.port) as proxy:
        yield proxy


NAMES = {"too long": TOO_LONG, "not ASCII": LATIN, "two bytes across the 63rd": "n" * 62 + LATIN}

# Describe runs nothing and changes nothing: it passes.
MESSAGES = {
    "Parse": lambda name: parse_message("SELECT 1", name),
    "Bind of a statement": lambda name: bind_message("", name),
    "Bind of a portal": lambda name: parse_message("SELECT 1") + bind_message(name),
    "Execute": execute_message,
    "Close of a statement": lambda name: close(b"S", name),
    "Close of a portal": lambda name: close(b"P", name),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", MESSAGES)
def test_name_of_the_protocol_that_the_server_would_change_is_refused(session, kind, name):
    session.send(MESSAGES[kind](NAMES[name]), SYNC)
    reply = session.ready()
    assert reply.sqlstate == "42622" and reply.status == "I"
    assert session.query("SELECT 1").value() == "1"


SPELLINGS = {"not ASCII": f'"{LATIN}"', "bare": LATIN, "escaped": 'U&"\\00e9"',
             "escaped otherwise": "U&\"!00e9\" UESCAPE '!'"}
# The proxy's grammar cuts these where the server's does.
LONG_SPELLINGS = [TOO_LONG, f'"{TOO_LONG}"', 'U&"' + "\\006e" * 63 + 'x"']
# FETCH and MOVE are judged by their own text, whatever the cursor is called.
STATEMENTS = ["PREPARE {} AS SELECT 1", "EXECUTE {}", "DEALLOCATE {}", "DEALLOCATE PREPARE {}",
              "DECLARE {} CURSOR FOR SELECT 1", "CLOSE {}", "SAVEPOINT {}", "RELEASE SAVEPOINT {}", "ROLLBACK TO SAVEPOINT {}", "ROLLBACK TO {}"]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("text", STATEMENTS)
def test_name_in_sql_that_the_server_would_change_is_refused(session, text, spelling):
    session.query("BEGIN").expect_ok()
    reply = session.query(text.format(SPELLINGS[spelling]))
    assert reply.sqlstate == "42622" and reply.status == "E"


@pytest.mark.parametrize("spelling", LONG_SPELLINGS)
def test_long_name_in_sql_is_cut_by_both(session, spelling):
    session.query(f"PREPARE {spelling} AS SELECT 7").expect_ok()
    assert session.query(f"EXECUTE {CUT}").value() == "7"
    session.query(f"DEALLOCATE {spelling}").expect_ok()
    session.query(f"PREPARE {CUT} AS SELECT 'forbidden'").expect_ok()
    assert session.query(f"EXECUTE {spelling}").sqlstate == "42000"


@pytest.mark.parametrize("text", STATEMENTS[:1] + STATEMENTS[4:5] + STATEMENTS[6:7])
def test_name_of_63_bytes_passes(session, text):
    session.query("BEGIN").expect_ok()
    session.query(text.format(CUT)).expect_ok()
    session.query(text.format('U&"\\0061' + "b" * 62 + '"')).expect_ok()


def test_name_of_63_bytes_passes_in_the_protocol(session):
    session.send(batch("SELECT 7", name=CUT, portal=CUT), describe(b"S", CUT), close(b"P", CUT), close(b"S", CUT), SYNC)
    assert session.ready().expect_ok().rows == [["7"]]


@pytest.mark.parametrize("name", NAMES)
def test_where_nobody_may_refuse_every_name_passes(bare, postgres, name):
    traffic = batch("SELECT 7", name=NAMES[name], portal=NAMES[name]) + SYNC
    with postgres.connect(database="demo") as direct, bare.connect() as session:
        for each in (direct, session):
            each.send(traffic)
        assert session.ready().messages == direct.ready().messages


# --- what the difference was good for

def run(session, name):
    session.send(bind_message("", name), execute_message(), SYNC)
    return session.ready()


def test_two_names_that_the_server_takes_for_one_hide_nothing(session):
    session.send(parse_message("SELECT 'harmless'", CUT + "1"), SYNC)
    session.ready()
    session.send(close(b"S", CUT + "2"), parse_message("SELECT 'forbidden'", CUT + "2"), SYNC)
    session.ready()
    assert not run(session, CUT + "1").rows


def test_encoding_of_a_name_hides_nothing(session):
    session.send(parse_message("SELECT 'forbidden'", LATIN), SYNC)
    session.ready()
    session.query("SET client_encoding = 'LATIN1'").expect_ok()
    session.send(parse_message("SELECT 'harmless'", LATIN), SYNC)
    session.ready()
    session.send(query_message(b"EXECUTE \"\xe9\""))
    assert session.ready().sqlstate == "42622"


def test_escaped_name_of_a_parsed_statement(session):
    session.send(parse_message("SELECT 'forbidden'", LATIN), SYNC)
    assert session.ready().sqlstate == "42622"
    assert session.query('EXECUTE U&"\\00e9"').sqlstate == "42622"


@pytest.fixture(scope="module")
def single_byte_database(postgres):
    with postgres.connect() as admin:
        admin.query("CREATE DATABASE single TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'").expect_ok()
    return "single"


def test_two_bytes_at_the_end_of_a_name_in_a_single_byte_database(proxy, single_byte_database):
    with proxy.connect(database=single_byte_database, parameters={"client_encoding": "UTF8"}) as session:
        session.send(parse_message("SELECT 'forbidden'", "n" * 62 + LATIN), SYNC)
        assert session.ready().sqlstate == "42622"
