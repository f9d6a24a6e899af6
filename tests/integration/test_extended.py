# SPDX-License-Identifier: Apache-2.0
"""The extended protocol under hooks, against a real server: every execution is seen once, and a refusal leaves client
and server in step."""

import os
import struct

import pytest
from harness.answers import answers
from harness.sequences import binary_bind, typed_parse
from harness.wire import (FLUSH, SYNC, Reply, bind_message, cstring, execute_message, message, parse_message,
                          query_message)


@pytest.fixture
def session(start_proxy, counter):
    with start_proxy(plugins=[counter]).connect(options="-c helios.tenant_id=acme") as session:
        yield session


@pytest.fixture
def gate(session):
    """The counter refuses texts with the word forbidden in them."""
    return session


def counted(proxy, tenant="acme"):
    return int(proxy.admin.value("counter", tenant))


def batch(text, values=(), name="", portal=""):
    return parse_message(text, name) + bind_message(portal, name, values) + execute_message(portal)


def test_each_execution_is_counted_once(start_proxy, counter):
    proxy = start_proxy(plugins=[counter])
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        assert session.prepared("SELECT $1::text", ["a"]).rows == [["a"]]
        session.send(parse_message("SELECT 1", "s"), SYNC)
        session.ready().expect_ok()
        for _ in range(5):
            session.send(bind_message("", "s"), execute_message(), SYNC)
            assert session.ready().value() == "1"
        session.send(*[bind_message("", "s") + execute_message() for _ in range(4)], SYNC)
        assert session.ready().expect_ok().tags == ["SELECT 1"] * 4
    assert counted(proxy) == 10


def test_tenant_set_in_the_same_pipeline_is_charged(start_proxy, counter):
    proxy = start_proxy(plugins=[counter])
    with proxy.connect() as session:
        session.send(batch("SELECT set_config('helios.tenant_id', $1, false)", ["globex"]), batch("SELECT 2"), SYNC)
        session.ready().expect_ok()
    assert counted(proxy, "globex") == 1


def test_refused_statement_undoes_its_pipeline(gate):
    gate.query("CREATE TEMP TABLE t (x int)").expect_ok()
    gate.send(batch("INSERT INTO t VALUES (1)"), batch("SELECT 'forbidden'"), batch("INSERT INTO t VALUES (2)"), SYNC)
    reply = gate.ready()
    assert reply.sqlstate == "42000" and reply.status == "I" and reply.types == "12C1EZ"
    assert gate.query("SELECT count(*) FROM t").value() == "0"


def test_refused_statement_fails_its_transaction(gate):
    gate.query("CREATE TEMP TABLE t (x int)").expect_ok()
    gate.query("BEGIN").expect_ok()
    gate.query("INSERT INTO t VALUES (1)").expect_ok()
    reply = gate.prepared("SELECT 'forbidden'")
    assert reply.sqlstate == "42000" and reply.status == "E"
    assert gate.query("COMMIT").expect_ok().tags == ["ROLLBACK"]
    assert gate.query("SELECT count(*) FROM t").value() == "0"


def test_allowed_parse_does_not_lift_an_earlier_refusal(gate):
    gate.query("CREATE TEMP TABLE t (x int)").expect_ok()
    gate.send(batch("INSERT INTO t SELECT 1 WHERE 'forbidden' = 'forbidden'"), batch("INSERT INTO t VALUES (2)"), SYNC)
    assert gate.ready().sqlstate == "42000"
    assert gate.query("SELECT count(*) FROM t").value() == "0"


def test_everything_up_to_sync_is_skipped(gate):
    gate.send(batch("SELECT 'forbidden'"), batch("SELECT 2"), query_message("SELECT 4"), SYNC, query_message("SELECT 3"))
    assert gate.ready().types == "1EZ"
    assert gate.ready().value() == "3"


def test_behind_a_pipelined_query_the_order_is_kept(gate):
    gate.send(query_message("SELECT 1"), batch("SELECT 'forbidden'"), SYNC, query_message("SELECT 3"))
    assert gate.ready().value() == "1"
    assert gate.ready().sqlstate == "42000"
    assert gate.ready().value() == "3"


def test_statement_prepared_before_the_plugin_came_meets_it(start_proxy, counter):
    proxy = start_proxy()
    with proxy.connect() as session:
        session.send(parse_message("SELECT 'forbidden'", "s"), bind_message("", "s"), execute_message(), SYNC)
        assert session.ready().value() == "forbidden"
        proxy.install(counter)
        assert proxy.reload().status == 200
        session.send(bind_message("", "s"), execute_message(), SYNC)
        assert session.ready().sqlstate == "42000"
        assert session.query("EXECUTE s").sqlstate == "42000"


def test_binary_parameter_is_shown_as_it_was_bound(start_proxy, guests):
    proxy = start_proxy(plugins=[os.path.join(guests, "parameters.wat")])
    with proxy.connect() as session:
        session.send(typed_parse("SELECT $1 + 1", [23]), binary_bind([struct.pack("!i", 41)], results=0), execute_message(),
                     SYNC)
        assert session.ready().value() == "42"
    assert proxy.admin.bytes_of("parameters", "kind") == struct.pack("<IIi", 23, 1, 4)
    assert proxy.admin.bytes_of("parameters", "value") == struct.pack("!i", 41)


@pytest.mark.parametrize("way", ["EXECUTE p", "EXECUTE P", 'EXECUTE "p"', "/* */ execute p"])
def test_sql_execute_is_judged_by_the_prepared_text(gate, way):
    gate.query("PREPARE p AS SELECT 'forbidden'").expect_ok()
    assert gate.query(way).sqlstate == "42000"


def test_sql_execute_of_a_parsed_statement_and_the_other_way_round(gate):
    gate.send(parse_message("SELECT 'forbidden'", "s"), SYNC)
    gate.ready().expect_ok()
    assert gate.query("EXECUTE s").sqlstate == "42000"
    gate.query("PREPARE q AS SELECT 'forbidden'").expect_ok()
    gate.send(bind_message("", "q"), execute_message(), SYNC)
    assert gate.ready().sqlstate == "42000"


def test_failing_parse_cannot_hide_an_older_text(gate):
    gate.send(parse_message("SELECT 'forbidden'", "s"), SYNC)
    gate.ready().expect_ok()
    gate.send(parse_message("SELECT 1", "s"), SYNC, bind_message("", "s"), execute_message(), SYNC)
    assert gate.ready().sqlstate == "42P05"
    assert gate.ready().sqlstate == "42000"


def test_cursor_is_judged_when_it_is_declared(gate):
    gate.query("BEGIN").expect_ok()
    assert gate.query("DECLARE c CURSOR FOR SELECT 'forbidden'").sqlstate == "42000"


def test_declared_cursor_can_be_executed(gate):
    gate.query("BEGIN; DECLARE c CURSOR FOR SELECT generate_series(1, 3)").expect_ok()
    gate.send(execute_message("c", 2), execute_message("c"), SYNC)
    reply = gate.ready()
    assert [row[0] for row in reply.rows] == ["1", "2", "3"]


def test_statement_that_a_function_prepared_out_of_sight_does_not_run(gate):
    gate.query("DO $$ BEGIN EXECUTE 'PREPARE hidden AS SELECT 1'; END $$").expect_ok()
    assert gate.query("EXECUTE hidden").sqlstate == "26000"
    gate.send(bind_message("", "hidden"), execute_message(), SYNC)
    reply = gate.ready()
    assert reply.types == "EZ" and reply.sqlstate == "26000"
    assert gate.query("SELECT 1").value() == "1"


def test_resumed_portal_is_one_execution(start_proxy, counter):
    proxy = start_proxy(plugins=[counter])
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        session.query("BEGIN").expect_ok()
        session.send(parse_message("SELECT generate_series(1, 5)"), bind_message("p"), execute_message("p", 2),
                     execute_message("p", 2), execute_message("p", 2), SYNC)
        reply = session.ready().expect_ok()
        assert len(reply.rows) == 5
        session.query("COMMIT").expect_ok()
    assert counted(proxy) == 1


def test_empty_statement_passes_without_a_hook(start_proxy, counter):
    proxy = start_proxy(plugins=[counter])
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        session.send(batch(""), batch("SELECT 1"), SYNC)
        assert session.ready().types == "12I12DCZ"
    assert counted(proxy) == 1


def test_copy_in_both_directions(session):
    session.query("CREATE TEMP TABLE t (x text)").expect_ok()
    session.send(batch("COPY t FROM STDIN"), FLUSH)
    assert [session.message()[0] for _ in range(3)] == [b"1", b"2", b"G"]
    session.send(message(b"d", b"one\ntwo\n"), message(b"c"), SYNC)
    assert session.ready().expect_ok().tags == ["COPY 2"]
    session.send(batch("COPY t TO STDOUT"), SYNC)
    assert session.ready().expect_ok().tags == ["COPY 2"]


def test_function_call_is_refused_unless_configured(session, start_proxy, counter):
    pi = message(b"F", struct.pack("!ihhh", 1610, 0, 0, 0))
    session.send(pi)
    reply = session.ready()
    assert reply.types == "EZ" and reply.sqlstate == "0A000"
    assert session.query("SELECT 1").value() == "1"
    proxy = start_proxy(plugins=[counter], protocol__function_call="pass")
    with proxy.connect(options="-c helios.tenant_id=acme") as other:
        other.send(pi)
        assert other.ready().types == "VZ"
    assert counted(proxy) == 1


LARGE_OBJECTS = ["lo_creat", "lo_create", "lo_open", "lo_close", "loread", "lowrite", "lo_lseek", "lo_lseek64", "lo_tell", "lo_tell64",
                 "lo_truncate", "lo_truncate64", "lo_unlink"]


def large_object_call(session, oid, *arguments):
    values = b"".join(struct.pack("!i", len(each)) + each for each in arguments)
    session.send(message(b"F", struct.pack("!ihhh", oid, 1, 1, len(arguments)) + values + struct.pack("!h", 1)))
    reply = session.ready()
    assert reply.types == "VZ", (oid, reply.errors)
    return next(body for kind, body in reply.messages if kind == b"V")[4:]


def number(value, size="i"):
    return struct.pack("!" + size, value)


def test_large_objects_are_judged_by_name(postgres, start_proxy, counter):
    """By FunctionCall, as libpq and pgjdbc do it. Their numbers are those of the server."""
    with postgres.connect() as admin:
        names = ",".join(LARGE_OBJECTS)
        oids = dict(admin.query(f"SELECT proname, oid FROM pg_proc WHERE proname = ANY ('{{{names}}}')").expect_ok().rows)
    assert len(oids) == len(LARGE_OBJECTS)
    proxy = start_proxy(plugins=[counter])
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        def call(name, *arguments):
            return large_object_call(session, int(oids[name]), *arguments)

        session.query("BEGIN").expect_ok()
        loid = call("lo_creat", number(0x60000))
        handle = call("lo_open", loid, number(0x60000))
        assert call("lowrite", handle, b"some text") == number(9)
        assert call("lo_lseek", handle, number(5), number(0)) == number(5)
        assert call("lo_lseek64", handle, number(5, "q"), number(0)) == number(5, "q")
        assert call("lo_tell", handle) == number(5) and call("lo_tell64", handle) == number(5, "q")
        assert call("loread", handle, number(100)) == b"text"
        assert call("lo_truncate", handle, number(4)) == call("lo_truncate64", handle, number(4, "q")) == number(0)
        assert call("lo_close", handle) == number(0)
        assert call("lo_unlink", loid) == number(1)
        assert call("lo_create", number(0)) != number(0)
        session.query("ROLLBACK").expect_ok()
    assert counted(proxy) == len(LARGE_OBJECTS)


@pytest.mark.parametrize("before", ["", "BEGIN"])
def test_refused_function_call_leaves_the_unnamed_statement(session, before):
    session.query(before).expect_ok()
    session.send(parse_message("SELECT 7"), SYNC)
    session.ready().expect_ok()
    session.send(bind_message("", ""), message(b"F", struct.pack("!ihhh", 1610, 0, 0, 0)))
    refused = session.ready()
    assert refused.sqlstate == "0A000" and refused.status == ("E" if before else "I")
    if before:
        session.send(message(b"F", struct.pack("!ihhh", 1610, 0, 0, 0)))
        assert session.ready().sqlstate == "25P02", "the server's own words come first"
        session.query("ROLLBACK").expect_ok()
        session.send(parse_message("SELECT 7"))
    session.send(bind_message("", ""), execute_message(""), SYNC)
    assert session.ready().expect_ok().value() == "7"


def test_malformed_messages_are_errors_and_the_session_goes_on(session):
    for bad in [message(b"P", b"no terminator"), message(b"B", cstring("") + cstring("") + b"\0\0\0\5\0\0"),
                message(b"B", cstring("") + cstring("") + b"\0\0\0\1\xff\xff\xff\xfe\0\0"), message(b"E", b"\0"),
                message(b"C", b"Xname\0")]:
        session.send(bad, SYNC)
        reply = session.ready()
        assert reply.sqlstate in ("08P01", "26000") and reply.status == "I", bad
    assert session.query("SELECT 1").value() == "1"


@pytest.mark.parametrize("text", ["DEALLOCATE ALL", "COPY (SELECT 1) TO STDOUT", "SELECT 1", "SELECT 'forbidden'"])
def test_flush_with_a_body_fails_what_stands_behind_it(session, postgres, text):
    """Up to the next Sync, as the server does; and what comes then is answered in its place."""
    traffic = (message(b"H", b"what?") + query_message(text) + SYNC + parse_message("SELECT 7") + SYNC + bind_message("", "")
               + execute_message("") + SYNC)
    with postgres.connect(database="demo") as direct:
        assert answers(session, traffic) == answers(direct, traffic)
    assert session.query("SELECT 'forbidden'").sqlstate == "42000"


def test_rewritten_statement_keeps_its_parameters(start_proxy, guests):
    with start_proxy(plugins=[os.path.join(guests, "doubles.wat")]).connect() as session:
        reply = session.prepared("SELECT $1::int AS n", ["21"])
        assert reply.rows == [["42"]]
        session.send(parse_message("SELECT $1::int AS n", "s"), bind_message("p", "s", ["4"]), execute_message("p"), SYNC)
        assert session.ready().rows == [["8"]]
        session.send(bind_message("", "s", ["5"]), execute_message(), SYNC)
        assert session.ready().rows == [["10"]]


def test_kv_rows_are_fresh_at_each_execution(start_proxy, counter):
    proxy = start_proxy(plugins=[counter], kv_sql__readers=["postgres"])
    admin = proxy.admin
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        session.send(parse_message("SELECT helios.kv('counter', 'note')", "s"), message(b"D", b"Ss\0"), SYNC)
        assert session.ready().columns == [["kv"]]
        for value in ["one", "two"]:
            admin.put("counter", "note", value)
            session.send(bind_message("", "s"), message(b"D", b"P\0"), execute_message(), SYNC)
            reply = session.ready()
            assert reply.value() == value and reply.columns == [["kv"]]


def test_kv_condition_may_be_a_parameter(start_proxy, counter):
    proxy = start_proxy(plugins=[counter], kv_sql__readers=["postgres"])
    proxy.admin.put("counter", "k", "v")
    with proxy.connect() as session:
        text = "SELECT value FROM helios.kv('counter') WHERE key = $1"
        assert session.prepared(text, ["k"]).rows == [["v"]]
        assert session.prepared("SELECT helios.kv('counter', $1)", ["k"]).value() == "v"


def test_reply_of_every_message_is_there(session):
    session.send(parse_message("SELECT $1::int", "s"), message(b"D", b"Ss\0"), bind_message("p", "s", ["1"]),
                 message(b"D", b"Pp\0"), execute_message("p"), message(b"C", b"Pp\0"), message(b"C", b"Ss\0"), SYNC)
    reply = session.ready()
    assert isinstance(reply, Reply) and reply.types == "1tT2TDC33Z"


def test_deep_pipeline(session):
    session.send(*[batch("SELECT $1::int", [str(i)]) for i in range(2000)], SYNC)
    assert [row[0] for row in session.ready().expect_ok().rows] == [str(i) for i in range(2000)]


def test_without_hooks_it_passes(start_proxy):
    with start_proxy().connect() as session:
        assert session.prepared("SELECT $1::text", ["a"]).rows == [["a"]]
