# SPDX-License-Identifier: Apache-2.0
"""A client sends what cannot be followed: it gets its answers to what came before, and the server's last words."""

import struct

import pytest
from harness.answers import batch, received
from harness.shared import running_proxy
from harness.wire import (FLUSH, SYNC, TERMINATE, bind_message, cstring, describe_message, execute_message, message,
                          parse_message, query_message)

COPY = "COPY gate_farewell FROM STDIN"


@pytest.fixture(scope="module", params=["plugin", "alone"])
def proxy(request, postgres, counter):
    with running_proxy(postgres.port, [counter] if request.param == "plugin" else []) as proxy:
        yield proxy


def ends(postgres, proxy, traffic):
    """What the server answers to this, and what comes through the proxy."""
    seen = []
    for connect in (lambda: postgres.connect(database="demo"), proxy.connect):
        with connect() as session:
            session.query("CREATE TABLE IF NOT EXISTS gate_farewell (line text)").expect_ok()
            session.query("TRUNCATE gate_farewell").expect_ok()
            session.send(traffic)
            seen.append(received(session))
    return seen


BEFORE = {
    "queries": query_message("INSERT INTO gate_farewell VALUES ('a')") + query_message("TABLE gate_farewell"),
    "a batch": batch("TABLE gate_farewell") + SYNC,
    "an open batch": batch("TABLE gate_farewell"),
    "a failed batch": batch("TABLE nowhere") + batch("TABLE gate_farewell"),
    "a copy": query_message(COPY) + message(b"d", b"a\n") + message(b"c"),
    "nothing": b"",
}


@pytest.mark.parametrize("kind", [b"\1", b"y", b"p"])
@pytest.mark.parametrize("before", BEFORE)
def test_unknown_type_is_fatal_behind_the_answers(postgres, proxy, before, kind):
    direct, through = ends(postgres, proxy, BEFORE[before] + message(kind, b"body"))
    assert direct == through
    assert through[-2][0] == b"E" and through[-2][1][:2] == ("FATAL", "08P01")


# PostgreSQL says so in its log only, and keeps what it had not sent yet.
@pytest.mark.parametrize("bad", [b"Q\0\0\0\3", b"Q\xff\xff\xff\xff", b"S" + struct.pack("!i", 20000)])
@pytest.mark.parametrize("before", ["queries", "a batch", "a copy", "nothing"])
def test_bad_length_is_fatal_behind_the_answers(postgres, proxy, before, bad):
    direct, through = ends(postgres, proxy, BEFORE[before] + bad)
    assert through[-2:] == [(b"E", ("FATAL", "08P01", "invalid message length")), "closed"]
    assert through[:-2] == direct[:-1]


BREAKING = {
    "a Query": query_message("SELECT 2"),
    "a Parse": parse_message("SELECT 2"),
    "a Bind": bind_message(),
    "a Describe": describe_message(),
    "an Execute": execute_message(),
    "a Close": message(b"C", b"S" + cstring("")),
    "a FunctionCall": message(b"F", struct.pack("!ihhh", 1, 0, 0, 0)),
    "Terminate": TERMINATE,
    "an unknown type": b"\1\0\0\0\4",
    "Bind and Query": bind_message() + query_message("SELECT 2"),
    "Sync and Bind": SYNC + bind_message() + SYNC,
    "data and a Query": message(b"d", b"a\n") + query_message("SELECT 2"),
}


@pytest.mark.parametrize("begin", [query_message(COPY), batch(COPY) + FLUSH], ids=["simple", "extended"])
@pytest.mark.parametrize("name", BREAKING)
def test_message_among_copy_data_gets_both_errors_of_the_server(postgres, proxy, name, begin):
    for behind in (b"", query_message("SELECT 3") + TERMINATE):
        direct, through = ends(postgres, proxy, begin + BREAKING[name] + behind)
        assert direct == through
        assert [each[1][0] for each in through[-3:-1]] == ["ERROR", "FATAL"]


def test_session_behind_a_broken_one_is_served(postgres, proxy):
    ends(postgres, proxy, query_message(COPY) + query_message("SELECT 2"))
    with proxy.connect() as session:
        session.query("SELECT 1").expect_ok()
