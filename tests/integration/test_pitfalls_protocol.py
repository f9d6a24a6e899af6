# SPDX-License-Identifier: Apache-2.0
"""Clients that bend the protocol: startup, cancel, COPY, pipelines. Where it can be asked, the server itself says what
is right: the same bytes are sent to both, and the answers compared."""

import struct
import threading

import pytest
from harness.shared import running_proxy
from harness.waiting import wait_until
from harness.wire import (CANCEL_REQUEST, FLUSH, GSSENC_REQUEST, PROTOCOL_3, SSL_REQUEST, SYNC, TERMINATE, Closed,
                          Raw, WireError, bind_message, cstring, describe_message, execute_message, fields_of, message,
                          parse_message, query_message, startup_packet)

PLUGINS = {"alone": {}, "beside a plugin": {"protocol__function_call": "pass"}}


@pytest.fixture(scope="module", params=PLUGINS)
def proxy(request, postgres, counter):
    settings = PLUGINS[request.param]
    patience = {"plugins.limits.timeout_ms": 60_000}  # whatever else the machine does
    with running_proxy(postgres.port, [counter] if settings else [], **settings, **patience) as proxy:
        yield proxy


# --- startup

@pytest.mark.parametrize("code, complaint", [(SSL_REQUEST, "SSL"), (GSSENC_REQUEST, "GSSAPI")])
def test_startup_stuffed_behind_an_encryption_request_is_not_taken(start_proxy, postgres, code, complaint):
    """Cleartext that somebody put in front of the handshake must not count as the client's."""
    proxy = start_proxy()
    with proxy.raw() as client:
        stuffed = startup_packet({"user": "postgres", "database": "demo", "application_name": "stuffed"})
        client.send(struct.pack("!ii", 8, code) + stuffed + query_message("CREATE TABLE stuffed ()"))
        assert client.exactly(1) == b"N"
        (kind, body), *rest = client.until_closed()
        assert kind == b"E" and not rest and fields_of(body)["C"] == "08P01" and complaint in fields_of(body)["M"]
    with postgres.connect(database="demo") as direct:
        assert direct.query("SELECT to_regclass('stuffed')").value() is None


def test_second_encryption_request_of_a_kind_is_refused(start_proxy):
    with start_proxy().raw() as client:
        for _ in range(2):
            client.send(struct.pack("!ii", 8, SSL_REQUEST))
        assert client.exactly(1) == b"N"
        assert client.message()[0] == b"E"


@pytest.mark.parametrize("version, options", [
    (PROTOCOL_3 + 2, {}), (PROTOCOL_3 + 99, {}), (PROTOCOL_3, {"_pq_.report_parameters": "helios.tenant_id"}),
    (PROTOCOL_3 + 2, {"_pq_.x": "1", "_pq_.y": ""})], ids=["3.2", "3.99", "option", "both"])
def test_protocol_options_are_negotiated_by_the_server(proxy, postgres, version, options):
    def greeting(port):
        with Raw("127.0.0.1", port) as client:
            client.send(startup_packet({"user": "postgres", "database": "demo", **options}, version=version))
            messages = []
            while not messages or messages[-1][0] not in (b"Z", b"E"):
                messages.append(client.message())
            return [(kind, body) for kind, body in messages if kind != b"K"]
    assert greeting(proxy.port) == greeting(postgres.port)


REPLICATION = ["true", "on", "1", "database", "t", "yes"]


@pytest.mark.parametrize("value", REPLICATION)
def test_replication_is_refused_where_plugins_may_be(proxy, value):
    with pytest.raises(WireError) as refused:
        proxy.connect(parameters={"replication": value})
    assert refused.value.fields["C"] == "0A000" and refused.value.fields["S"] == "FATAL"


def test_replication_hidden_behind_a_second_key_is_refused(start_proxy):
    proxy = start_proxy()
    for values in (("database", "false"), ("false", "database")):
        with proxy.raw() as client:
            pairs = b"".join(cstring("replication") + cstring(value) for value in values)
            body = struct.pack("!i", PROTOCOL_3) + cstring("user") + cstring("postgres") + pairs + b"\0"
            client.send(struct.pack("!i", len(body) + 4) + body)
            kind, body = client.message()
            assert kind == b"E" and fields_of(body)["C"] == "0A000"


def test_replication_passes_where_it_is_allowed(start_proxy, counter):
    for settings in ({"protocol__replication": "pass"}, {"plugins__directory": ""}):
        with start_proxy(**settings).connect(parameters={"replication": "database"}) as session:
            assert session.query("IDENTIFY_SYSTEM").expect_ok().rows
            assert session.query("SELECT 1").value() == "1"
    proxy = start_proxy(plugins=[counter], protocol__replication="pass")
    with proxy.connect(parameters={"replication": "database"}) as session:
        assert session.query("IDENTIFY_SYSTEM").expect_ok().rows
        assert session.query(" IDENTIFY_SYSTEM;").expect_ok().rows
        assert session.query("IDENTIFY_SYSTEM; SELECT 1").sqlstate == "42601"  # the server's
        assert session.query("SELECT 'forbidden'").sqlstate == "42000"
        assert session.query("IDENTIFY SYSTEM").sqlstate == "42601"
    with proxy.connect() as session:
        assert session.query("IDENTIFY_SYSTEM").sqlstate == "42601"
    with start_proxy().connect(parameters={"replication": "false"}) as session:
        session.query("SELECT 1").expect_ok()


def test_replication_stream_goes_both_ways(start_proxy, counter):
    with start_proxy(plugins=[counter], protocol__replication="pass").connect(parameters={"replication": "database"}) as session:
        start = session.query("SELECT pg_current_wal_flush_lsn()").value()
        session.send(query_message(f"START_REPLICATION PHYSICAL {start}"))
        assert session.message()[0] == b"W"
        status = struct.pack("!cqqqqb", b"r", 0, 0, 0, 0, 1)  # a reply is asked for
        session.send(message(b"d", status))
        while True:
            kind, body = session.message()
            assert kind == b"d"
            if body[:1] == b"k":
                break
        session.send(message(b"c"))
        reply = session.ready().expect_ok()
        assert "c" in reply.types
        assert session.query("SELECT 1").value() == "1"


# --- cancel

def cancel(proxy, key, code=CANCEL_REQUEST):
    with proxy.raw() as client:
        client.send(struct.pack("!ii", 8 + len(key), code) + key)
        client.expect_closed()


def test_cancel_takes_the_whole_key(proxy, postgres):
    """Wrong in the secret, in the process or in the length: nothing happens to anybody."""
    with proxy.connect() as session:
        pid, secret = session.key[:4], session.key[4:]
        session.send(query_message("SELECT pg_sleep(600)"))
        running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(600)'"
        with postgres.connect() as admin:
            wait_until(lambda: admin.query(running).value() == "1", "the server has begun")
            flipped = [secret[:at] + bytes([secret[at] ^ bit]) + secret[at + 1:] for at in range(4) for bit in (1, 128)]
            for wrong in (*(pid + other for other in flipped), b"\0\0\0\0" + secret, pid + secret + b"\0", pid,
                          pid + secret * 64, b""):
                cancel(proxy, wrong)
            assert admin.query(running).value() == "1"
        cancel(proxy, pid + secret)
        assert session.ready().sqlstate == "57014"


def test_cancel_of_nothing_leaves_the_session_as_it_is(proxy):
    with proxy.connect() as session, proxy.connect() as other:
        session.query("BEGIN; CREATE TEMP TABLE t (a int)").expect_ok()
        for _ in range(5):
            cancel(proxy, session.key)
        assert session.query("SELECT 1").types in ("TDCZ", "EZ")  # the request may arrive while it runs
        assert other.query("SELECT 1").value() == "1"


def test_cancel_of_a_session_that_has_ended_reaches_nobody(proxy):
    session = proxy.connect()
    key = session.key
    session.terminate()
    with proxy.connect() as other:
        for _ in range(5):
            cancel(proxy, key)
        assert [other.query("SELECT pg_sleep(0.02)").types for _ in range(5)] == ["TDCZ"] * 5


def test_cancel_in_the_middle_of_copy(proxy):
    with proxy.connect() as session:
        session.query("CREATE TEMP TABLE t (a text)").expect_ok()
        session.send(query_message("COPY t FROM STDIN"), message(b"d", b"one\n"))
        assert session.message()[0] == b"G"
        cancel(proxy, session.key)
        # The server looks at the request when more data comes.
        session.send(message(b"d", b"two\n"), message(b"c"))
        reply = session.ready()
        assert reply.types in ("EZ", "CZ") and reply.status == "I"
        assert session.query("SELECT 1").value() == "1"


# --- the same bytes to the server and to the proxy

BATCH = parse_message("SELECT 1") + bind_message() + execute_message()
FUNCTION = message(b"F", struct.pack("!ihhh", 1610, 0, 0, 0))  # pi()
BAD_FUNCTION = message(b"F", struct.pack("!ihhh", 1, 0, 0, 0))
COPY_IN = "COPY seen FROM STDIN"


def copy_data(text):
    return message(b"d", text.encode() if isinstance(text, str) else text)


TRAFFIC = {
    "queries in a row": b"".join(query_message(f"SELECT {n}") for n in range(50)),
    "batches in a row": (BATCH + SYNC) * 20,
    "batches and queries": (BATCH + SYNC + query_message("SELECT 2")) * 10,
    "syncs alone": SYNC * 30,
    "flushes": FLUSH + BATCH + FLUSH + SYNC + FLUSH + query_message("SELECT 1"),
    "query in a failed batch": parse_message("nonsense") + query_message("SELECT 1") + BATCH + SYNC + query_message("SELECT 2"),
    "function call in a failed batch": parse_message("nonsense") + BAD_FUNCTION + SYNC + query_message("SELECT 2"),
    "function calls": FUNCTION + BAD_FUNCTION + query_message("SELECT 1") + BAD_FUNCTION,
    "error in the middle": BATCH + parse_message("SELECT 1/0") + bind_message() + execute_message() + BATCH + SYNC + BATCH + SYNC,
    "bind of a name that nobody knows": bind_message(name="nobody") + execute_message() + SYNC + query_message("SELECT 1"),
    "portal in parts": parse_message("SELECT generate_series(1, 5)") + bind_message() + execute_message(max_rows=2) * 3 + SYNC,
    "portal after its transaction": BATCH + SYNC + execute_message() + SYNC,
    "deallocate in a pipeline": parse_message("SELECT 1", "s") + SYNC + query_message("DEALLOCATE ALL")
                                + bind_message(name="s") + execute_message() + SYNC
                                + parse_message("SELECT 2", "s") + bind_message(name="s") + execute_message() + SYNC,
    "same name twice": parse_message("SELECT 1", "s") + parse_message("SELECT 2", "s") + SYNC,
    "unnamed statement is gone": parse_message("SELECT 1") + SYNC + query_message("SELECT 2") + bind_message() + SYNC,
    "transaction across batches": query_message("BEGIN") + BATCH + SYNC + parse_message("nonsense") + SYNC + BATCH + SYNC
                                  + query_message("COMMIT") + query_message("SELECT 1"),
    "describe and close": parse_message("SELECT 1", "s") + message(b"D", b"S" + cstring("s")) + message(b"C", b"S" + cstring("s"))
                          + bind_message(name="s") + SYNC + describe_message("nobody") + SYNC,
    "copy in": query_message(COPY_IN) + copy_data("1\n2\n") + message(b"c") + query_message("SELECT count(*) FROM seen"),
    "copy fails": query_message(COPY_IN) + copy_data("1\n") + message(b"f", cstring("no more")) + query_message("SELECT 1"),
    "copy data that is wrong, and goes on": query_message(COPY_IN) + copy_data("x\n") + copy_data("1\n") * 50 + message(b"c")
                                            + query_message("SELECT count(*) FROM seen"),
    "the same in a transaction": query_message("BEGIN") + query_message(COPY_IN) + copy_data("x\n") + copy_data("1\n") * 50
                                 + message(b"c") + query_message("COMMIT") + query_message("SELECT count(*) FROM seen"),
    "the same in a batch": parse_message(COPY_IN) + bind_message() + execute_message() + copy_data("x\n")
                           + copy_data("1\n") * 50 + message(b"c") + SYNC + query_message("SELECT count(*) FROM seen"),
    "copy in a batch": parse_message(COPY_IN) + bind_message() + execute_message() + copy_data("1\n") + message(b"c") + SYNC
                       + query_message("SELECT count(*) FROM seen"),
    "flush and sync inside copy": query_message(COPY_IN) + FLUSH + copy_data("1\n") + SYNC + copy_data("2\n") + message(b"c")
                                  + query_message("SELECT count(*) FROM seen"),
    "copy data without a copy": copy_data("1\n") + message(b"c") + message(b"f", cstring("x")) + query_message("SELECT 1"),
    "copy between statements": query_message(f"SELECT 1; {COPY_IN}; SELECT count(*) FROM seen") + copy_data("7\n") + message(b"c"),
    "copy out": query_message("INSERT INTO seen VALUES (1), (2)") + query_message("COPY seen TO STDOUT"),
    "empty queries": query_message("") + query_message(";") + query_message("BEGIN") + query_message("SELECT 1/0")
                     + query_message("") + query_message("/* */") + query_message("ROLLBACK"),
    "errors in a row": b"".join(query_message(text) for text in ("SELECT 1/0", "SELECT nobody", "SELECT 1; SELECT 1/0; SELECT 2")),
    "wrong bodies": message(b"B", b"") + SYNC + message(b"E", b"x") + SYNC + message(b"P", b"\0") + SYNC + message(b"D", b"?x\0") + SYNC
                    + message(b"C", b"") + SYNC + message(b"S", b"more") + query_message("SELECT 1"),
    "parameter of negative length": parse_message("SELECT $1::text", "s") + message(b"B", b"\0s\0" + struct.pack("!hhih", 0, 1, -2, 0))
                                    + SYNC + query_message("SELECT 1"),
    "more parameters than the body holds": message(b"B", b"\0\0" + struct.pack("!hh", 0, 32767)) + SYNC,
}


def conversation(session, traffic):
    """Everything that comes back, up to a marker behind it; errors by what programs look at."""
    session.query("CREATE TEMP TABLE seen (a int)").expect_ok()
    session.send(traffic, SYNC, query_message("SELECT 'the end'"))
    seen = []
    while True:
        try:
            kind, body = session.message()
        except Closed:
            return seen + ["closed"]
        if kind in (b"E", b"N"):
            fields = fields_of(body)
            body = (fields["S"], fields["C"], fields["M"])
        if kind not in (b"S", b"N"):
            seen.append((kind, body))
        if kind == b"Z" and (b"D", b"\0\1\0\0\0\7the end") in seen:
            return seen


@pytest.mark.parametrize("name", TRAFFIC)
def test_answers_are_the_servers_own(proxy, postgres, name):
    with postgres.connect(database="demo") as direct:
        expected = conversation(direct, TRAFFIC[name])
    with proxy.connect() as session:
        assert conversation(session, TRAFFIC[name]) == expected


@pytest.mark.parametrize("data", [query_message("DROP TABLE seen"), TERMINATE * 3, SYNC + b"E", b"Z\0\0\0\5I",
                                  message(b"c"), message(b"d", b"\0" * 5)], ids=repr)
def test_copy_data_that_looks_like_messages_stays_data(proxy, data):
    with proxy.connect() as session:
        session.query("CREATE TEMP TABLE seen (a bytea)").expect_ok()
        binary = (b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0) + struct.pack("!hi", 1, len(data)) + data
                  + struct.pack("!h", -1))
        session.send(query_message("COPY seen FROM STDIN (FORMAT binary)"),
                     *(message(b"d", binary[at:at + 7]) for at in range(0, len(binary), 7)), message(b"c"))
        assert session.ready().expect_ok().tags == ["COPY 1"]
        assert session.query("SELECT a FROM seen").value() == "\\x" + data.hex()


# --- both directions at once

def test_both_directions_full_at_once_is_no_deadlock(proxy):
    """The client sends 20 MB while 20 MB come back, and reads as slowly as it writes."""
    count, size = 200, 100_000
    with proxy.connect() as session:
        sent = threading.Thread(target=lambda: session.send(
            *(query_message(f"SELECT '{number}', '{'x' * size}'") for number in range(count))), daemon=True)
        sent.start()
        for number in range(count):
            assert session.ready().rows[0][0] == str(number)
        sent.join()


# --- sizes

KINDS = "QPBEDCSHFdcfXp"


@pytest.mark.parametrize("length", [0, 3, -1, -2**31])
def test_length_that_cannot_be_ends_the_session(proxy, length):
    for kind in KINDS:
        with proxy.connect() as session:
            session.send(kind.encode() + struct.pack("!i", length) + b"\0" * 64)
            messages = session.until_closed()
            assert [kind for kind, _ in messages] == [b"E"] and fields_of(messages[0][1])["S"] == "FATAL"


@pytest.mark.parametrize("kind", "EDCSHcfX")
def test_small_message_of_large_length_ends_the_session(proxy, kind):
    with proxy.connect() as session:
        session.send(kind.encode() + struct.pack("!i", 2**31 - 1))
        messages = session.until_closed()
        assert [kind for kind, _ in messages] == [b"E"] and fields_of(messages[0][1])["C"] == "08P01"


def test_huge_length_takes_no_memory_before_its_bytes_are_there(start_proxy, counter):
    proxy = start_proxy(plugins=[counter])
    before = proxy.resident_kib()
    sessions = [proxy.connect() for _ in range(20)]
    for session, kind in zip(sessions, "QPBFd" * 4):
        session.send(kind.encode() + struct.pack("!i", 2**30 - 10) + b"x" * 100)
    with proxy.connect() as other:
        assert other.query("SELECT 1").value() == "1"
    assert proxy.resident_kib() - before < 100_000
    for session in sessions:
        session.close()


# --- who leaves in the middle

def test_statement_of_a_client_that_died_in_the_middle_of_it_is_not_run(proxy, postgres):
    with postgres.connect(database="demo") as direct:
        direct.query("DROP TABLE IF EXISTS halves; CREATE TABLE halves (a int)").expect_ok()
        whole = query_message("INSERT INTO halves VALUES (1)")
        batch = parse_message("INSERT INTO halves VALUES (2)") + bind_message() + execute_message() + SYNC
        for traffic in (whole, batch[:-len(SYNC)]):
            for cut in range(1, len(traffic), 4):
                session = proxy.connect(parameters={"application_name": "halves"})
                session.send(traffic[:cut])
                session.close()
        left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'halves'"
        wait_until(lambda: direct.query(left).value() == "0", "the server's sessions have ended")
        assert direct.query("SELECT count(*) FROM halves").value() == "0"
