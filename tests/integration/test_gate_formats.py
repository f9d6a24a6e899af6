# SPDX-License-Identifier: Apache-2.0
"""What a client asked for in Bind holds for the text that runs in its text's place: the format of each column."""

import struct

import pytest
from harness.shared import running_proxy
from harness.wire import SYNC, bind_message, cstring, describe_message, execute_message, message, parse_message

TEXT, BINARY = 0, 1
NUMBER = 825373492  # its four bytes are the text "1234"


@pytest.fixture(scope="module")
def proxy(postgres, obedient):
    with running_proxy(postgres.port, [obedient], kv_sql__readers=["postgres"]) as proxy:
        proxy.admin.put("obedient", "greeting", "hello")
        yield proxy


@pytest.fixture
def session(proxy):
    with proxy.connect() as session:
        yield session


def bind(formats, portal=""):
    return message(b"B", cstring(portal) + cstring("") + struct.pack(f"!hhh{len(formats)}h", 0, 0, len(formats), *formats))


def run(session, text, formats):
    session.send(parse_message(text), bind(formats), execute_message(), SYNC)
    return session.ready()


def raw_rows(reply):
    """The values as they came."""
    return [body for kind, body in reply.messages if kind == b"D"]


def row(*values):
    return struct.pack("!h", len(values)) + b"".join(struct.pack("!i", len(value)) + value for value in values)


def as_number(number, how):
    return str(number).encode() if how == TEXT else struct.pack("!i", number)


FORMATS = [[], [TEXT], [BINARY], [TEXT, BINARY], [BINARY, TEXT], [BINARY, BINARY]]


@pytest.mark.parametrize("formats", FORMATS)
def test_columns_of_a_rewrite_come_in_the_formats_that_were_asked_for(session, formats):
    reply = run(session, f"SELECT 1, 2 /*rewrite: SELECT {NUMBER}, 7*/", formats)
    first, second = formats * 2 if len(formats) == 1 else formats or [TEXT, TEXT]
    assert raw_rows(reply.expect_ok()) == [row(as_number(NUMBER, first), as_number(7, second))]


@pytest.mark.parametrize("formats", [[TEXT], [BINARY]])
def test_rows_of_a_plugin_come_in_the_format_that_was_asked_for(session, formats):
    reply = run(session, f"SELECT 1 /*answer: {NUMBER}*/", formats)
    assert raw_rows(reply.expect_ok()) == [row(as_number(NUMBER, formats[0]))]


@pytest.mark.parametrize("text", ["SELECT 1, 2", "INSERT INTO formats VALUES ($1)"])
def test_rows_of_a_plugin_are_described_before_they_come(session, text):
    """As libpq and psycopg send a statement with parameters."""
    session.query("CREATE TEMP TABLE formats (n text)").expect_ok()
    session.send(parse_message(f"{text} /*answer: {NUMBER}*/"), bind_message("", "", ["5"] if "$1" in text else []),
                 describe_message(), execute_message(), SYNC)
    reply = session.ready().expect_ok()
    assert reply.types == "12TDCZ" and reply.value() == str(NUMBER)


def test_columns_of_kv_come_in_the_formats_that_were_asked_for(session):
    reply = run(session, "SELECT key, version FROM helios.kv('obedient', 'greeting') AS k(key), (SELECT 7::int4) AS n(version)",
                [TEXT, BINARY])
    assert raw_rows(reply.expect_ok()) == [row(b"hello", struct.pack("!i", 7))]


@pytest.mark.parametrize("order", ["rewrite: SELECT 1, 2, 3", "answer: 1"])
def test_formats_of_another_number_of_columns_are_an_error(session, order):
    reply = run(session, f"SELECT 1, 2 /*{order}*/", [TEXT, BINARY])
    assert reply.sqlstate == "08P01" and not reply.rows and reply.status == "I"
    assert session.query("SELECT 'next'").value() == "next"


# What DECLARE said, or where a FETCH left it, cannot be said in a Bind.
@pytest.mark.parametrize("order", ["rewrite: SELECT 2", "answer: 2"])
@pytest.mark.parametrize("kind", ["", "BINARY", "SCROLL"])
def test_declared_cursor_is_not_replaced(session, kind, order):
    session.query("BEGIN").expect_ok()
    session.query(f"DECLARE c {kind} CURSOR FOR SELECT 1 /*{order}*/").expect_ok()
    session.send(execute_message("c"), SYNC)
    assert session.ready().sqlstate == "0A000"
    session.query("ROLLBACK").expect_ok()
