# SPDX-License-Identifier: Apache-2.0
"""The extended protocol, which hooks do not see yet: refused while a plugin is loaded, unless allowed."""

import struct

import pytest
from harness.wire import SYNC, bind_message, execute_message, message, parse_message, query_message


@pytest.fixture
def session(start_proxy, counter):
    with start_proxy(plugins=[counter]).connect() as session:
        yield session


def test_extended_query_is_refused_up_to_sync(session):
    reply = session.prepared("SELECT 1")
    assert reply.types == "EZ" and reply.sqlstate == "0A000" and reply.status == "I"
    assert session.query("SELECT 1").value() == "1"


def test_everything_up_to_sync_is_skipped(session):
    session.send(parse_message("SELECT 1"), bind_message(), execute_message(), parse_message("SELECT 2"),
                 bind_message(), execute_message(), SYNC, query_message("SELECT 3"))
    assert session.ready().types == "EZ"
    assert session.ready().value() == "3"


def test_in_a_transaction_the_transaction_fails(session):
    session.query("BEGIN").expect_ok()
    reply = session.prepared("SELECT 1")
    assert reply.sqlstate == "0A000" and reply.status == "E"
    assert session.query("SELECT 1").sqlstate == "25P02"
    assert session.query("COMMIT").expect_ok().tags == ["ROLLBACK"]


def test_behind_a_pipelined_query_the_order_is_kept(session):
    session.send(query_message("SELECT 1"), parse_message("SELECT 2"), bind_message(), execute_message(), SYNC,
                 query_message("SELECT 3"))
    assert session.ready().value() == "1"
    assert session.ready().sqlstate == "0A000"
    assert session.ready().value() == "3"


def test_function_call_is_refused(session):
    session.send(message(b"F", struct.pack("!ihhh", 1, 0, 0, 0)))
    reply = session.ready()
    assert reply.types == "EZ" and reply.sqlstate == "0A000"
    assert session.query("SELECT 1").value() == "1"


def test_sql_execute_is_refused(session):
    session.query("PREPARE p AS SELECT 1").expect_ok()
    assert session.query("EXECUTE p").sqlstate == "0A000"


def test_where_it_is_allowed_it_passes(start_proxy, counter):
    proxy = start_proxy(plugins=[counter], protocol__extended="pass")
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        assert session.prepared("SELECT $1::text", ["a"]).rows == [["a"]]
        session.query("PREPARE p AS SELECT 1").expect_ok()
        assert session.query("EXECUTE p").value() == "1"
        assert session.query("SELECT 2").value() == "2"


def test_without_hooks_it_passes(start_proxy):
    with start_proxy().connect() as session:
        assert session.prepared("SELECT $1::text", ["a"]).rows == [["a"]]
