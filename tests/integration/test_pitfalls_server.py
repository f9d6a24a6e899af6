# SPDX-License-Identifier: Apache-2.0
"""Servers that lie, and what of a client's words ends up in logs and errors. A server of the test's own says exactly what
the test wants."""

import re
import socket
import struct

import pytest
from harness.answers import batch
from harness.postgres import PASSWORD
from harness.shared import Recorded, running_proxy
from harness.waiting import wait_until
from harness.wire import (CANCEL_REQUEST, SYNC, Closed, Raw, WireError, cstring, fields_of, message, query_message,
                          startup_packet)

READY = message(b"Z", b"I")
KEY = struct.pack("!ii", 4711, 123456)
GREETING = (message(b"R", struct.pack("!i", 0)) + message(b"S", b"client_encoding\0UTF8\0")
            + message(b"S", b"standard_conforming_strings\0on\0") + message(b"K", KEY) + READY)


def error(**fields):
    return message(b"E", b"".join(name.encode() + cstring(value) for name, value in fields.items()) + b"\0")


class Lines(Raw):
    """The server's end of a connection: Raw around a socket that was accepted."""

    def __init__(self, accepted):
        self.socket = accepted
        self.socket.settimeout(60)
        self.buffer = b""

    def packet(self):
        """The body of a packet without a type."""
        length = struct.unpack("!i", self.exactly(4))[0]
        return self.exactly(length - 4)


class Server:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(60)
        self.port = self.listener.getsockname()[1]

    def accept(self):
        return Lines(self.listener.accept()[0])

    def nobody_came(self):
        self.listener.setblocking(False)
        try:
            self.listener.accept()[0].close()
            return False
        except BlockingIOError:
            return True
        finally:
            self.listener.settimeout(60)


@pytest.fixture(scope="module")
def listening():
    server = Server()
    yield server
    server.listener.close()


@pytest.fixture
def server(listening):
    while not listening.nobody_came():  # left over by a test that failed
        pass
    return listening


@pytest.fixture(scope="module")
def proxy(listening, recorder):
    with running_proxy(listening.port, [recorder]) as proxy:
        yield proxy


@pytest.fixture
def recorded(proxy):
    return Recorded(proxy)


def begin(proxy, server, **parameters):
    """A session, and the server's end of it."""
    client = proxy.raw()
    client.send(startup_packet({"user": "anna", "database": "demo", **parameters}))
    backend = server.accept()
    backend.packet()
    backend.send(GREETING)
    while client.message()[0] != b"Z":
        pass
    return client, backend


# --- answers

STRANGE_ERRORS = {
    "without a code": error(S="ERROR", M="no code"),
    "with a long code": error(S="ERROR", V="ERROR", C="X" * 5000, M="x"),
    "empty": message(b"E", b"\0"),
    "without an end": message(b"E", b"SERROR\0VERROR"),
    "nothing at all": message(b"E", b""),
    "unknown fields": error(S="ERROR", V="ERROR", C="22012", M="x", Y="new", z="newer"),
    "very long": error(S="ERROR", V="ERROR", C="22012", M="x" * 3_000_000),
}


@pytest.mark.parametrize("kind", STRANGE_ERRORS)
def test_strange_error_passes_and_fails_its_statement(proxy, server, recorded, kind):
    client, backend = begin(proxy, server)
    with client, backend:
        for _ in range(2):
            client.send(query_message("SELECT 1"))
            assert backend.message()[0] == b"Q"
            backend.send(STRANGE_ERRORS[kind], READY)
            assert client.exactly(len(STRANGE_ERRORS[kind])) == STRANGE_ERRORS[kind]
            assert client.message() == (b"Z", b"I")
    assert recorded.outcomes() == ["failed", "failed"]


SENT_UNASKED = [error(S="ERROR", V="ERROR", C="40001", M="conflict with recovery") + READY,
                message(b"S", b"is_superuser\0on\0") * 50, message(b"A", struct.pack("!i", 1) + b"channel\0payload\0")]


@pytest.mark.parametrize("bytes_sent", SENT_UNASKED, ids=lambda sent: repr(sent[:12]))
def test_what_servers_send_unasked_passes_and_harms_nobody(proxy, server, recorded, bytes_sent):
    client, backend = begin(proxy, server)
    with client, backend:
        backend.send(bytes_sent)
        client.exactly(len(bytes_sent))
        client.send(query_message("SELECT 1"))
        assert backend.message() == (b"Q", b"SELECT 1\0")
        backend.send(message(b"C", b"SELECT 1\0"), READY)
        assert client.message()[0] == b"C" and client.message()[0] == b"Z"
    assert recorded.outcomes() == ["executed"]


def expect_found_out(client, words):
    """The session ends with what the server was found to have done."""
    *_, (kind, body) = client.until_closed()
    fields = fields_of(body)
    assert (kind, fields["S"], fields["C"]) == (b"E", "FATAL", "08P01") and words in fields["M"], fields


UNASKED = [READY, message(b"C", b"DROP TABLE\0") + READY, message(b"D", b"\0\1\0\0\0\1x") * 5, message(b"s") + READY,
           message(b"1") * 10 + READY, message(b"I") + READY, message(b"C", b"ROLLBACK\0") * 20, message(b"G", b"\0\0\0"),
           message(b"V", b"\xff\xff\xff\xff") + READY, message(b"R", b"\0\0\0\3")]


@pytest.mark.parametrize("bytes_sent", UNASKED, ids=lambda sent: repr(sent[:12]))
def test_answer_that_nobody_asked_for_ends_the_session(proxy, server, recorded, bytes_sent):
    client, backend = begin(proxy, server)
    with client, backend:
        client.send(query_message("SELECT 1"))
        assert backend.message() == (b"Q", b"SELECT 1\0")
        backend.send(message(b"C", b"SELECT 1\0"), READY, bytes_sent)
        assert client.message()[0] == b"C" and client.message()[0] == b"Z"
        expect_found_out(client, "sent an answer that nobody had asked for")
    assert recorded.outcomes() == ["executed"]


def errors_counted(proxy):
    return proxy.admin.metric("helios_protocol_errors_total")


SHOWN = message(b"C", b"SHOW\0")
BEGUN = message(b"3") + message(b"1") + message(b"2")
ROW = message(b"D", b"\0\1\0\0\0\2on")
NO_SETTING = {
    "no row": BEGUN + SHOWN,
    "two rows": BEGUN + ROW + ROW,
    "two columns": BEGUN + message(b"D", b"\0\2\0\0\0\2on\0\0\0\2on"),
    "no value": BEGUN + message(b"D", b"\0\1\xff\xff\xff\xff"),
    "no such value": BEGUN + message(b"D", b"\0\1\0\0\0\5maybe") + SHOWN,
    "CopyInResponse": BEGUN + message(b"G", b"\0\0\0"),
    "CopyInResponse to Parse": message(b"3") + message(b"G", b"\0\0\0"),
    "nothing ran": message(b"3") + message(b"3"),
}


def ask_for_rules(proxy, server, last):
    """A session whose last message waits until the server has told how it reads a text. The server is asked just now."""
    client, backend = begin(proxy, server)
    client.send(batch("SELECT 1"), last)
    assert [backend.message()[0] for _ in range(4)] == [b"P", b"B", b"E", b"H"]
    backend.send(message(b"1"), message(b"2"), message(b"C", b"SELECT 1\0"))
    asked = b""
    while asked.count(b"SHOW") < 2 or kind != b"H":
        kind, body = backend.message()
        asked += body
    assert [client.message()[0] for _ in range(3)] == [b"1", b"2", b"C"]
    return client, backend


@pytest.mark.parametrize("kind", NO_SETTING)
def test_what_answers_show_without_a_setting_ends_the_session(proxy, server, kind):
    before = errors_counted(proxy)
    client, backend = ask_for_rules(proxy, server, query_message("SELECT 'a\\'"))
    with client, backend:
        backend.send(NO_SETTING[kind])
        expect_found_out(client, "the server ")
    wait_until(lambda: errors_counted(proxy) == before + 1, "it is counted")


ABORTED = error(S="ERROR", V="ERROR", C="25P02", M="current transaction is aborted")


def test_query_is_refused_where_the_server_does_not_tell_its_rules(proxy, server):
    client, backend = ask_for_rules(proxy, server, query_message("SELECT 'a\\'"))
    with client, backend:
        backend.send(ABORTED)
        kind, body = client.message()
        fields = fields_of(body)
        assert (kind, fields["S"], fields["C"]) == (b"E", "ERROR", "0A000"), fields
        assert "standard_conforming_strings" in fields["M"] and "25P02" in fields["M"]
        # The server skips it, and is not asked again; the Sync is the proxy's.
        assert [backend.message()[0] for _ in range(2)] == [b"Q", b"S"]
        backend.send(READY)
        assert client.message() == (b"Z", b"I")
        client.send(query_message("SELECT 2"))
        assert backend.message() == (b"Q", b"SELECT 2\0")
        backend.send(message(b"C", b"SELECT 1\0"), READY)
        assert [client.message()[0] for _ in range(2)] == [b"C", b"Z"]


def test_parse_is_refused_where_the_server_does_not_tell_its_rules(proxy, server):
    client, backend = ask_for_rules(proxy, server, batch("SELECT 'a\\'") + SYNC)
    with client, backend:
        backend.send(ABORTED)
        kind, body = client.message()
        assert (kind, fields_of(body)["C"]) == (b"E", "0A000")
        kinds = [backend.message()[0]]
        while kinds[-1] != b"S":
            kinds.append(backend.message()[0])
        assert b"Q" not in kinds and kinds.count(b"P") == 1, "nothing is asked again"
        backend.send(READY)
        assert client.message() == (b"Z", b"I")


@pytest.mark.parametrize("answer", [error(S="ERROR", V="ERROR", C="XX000", M="no"), READY * 3, message(b"C", b"COPY 1\0")],
                         ids=["an error", "ReadyForQuery only", "CommandComplete"])
def test_probe_that_is_answered_by_nonsense_ends_the_session(proxy, server, answer):
    client, backend = begin(proxy, server)
    with client, backend:
        client.send(query_message("COPY t FROM STDIN"))
        backend.message()
        backend.send(message(b"G", b"\0\0\0"))
        assert client.message()[0] == b"G"
        client.send(message(b"d", b"bad\n"), SYNC)
        assert [backend.message()[0] for _ in range(2)] == [b"d", b"S"]
        backend.send(error(S="ERROR", V="ERROR", C="22P02", M="bad data"))
        assert client.message()[0] == b"E"
        assert [backend.message() for _ in range(2)] == [(b"S", b""), (b"Q", b"\0")]
        backend.send(READY, answer)
        expect_found_out(client, "did not tell where it stands behind a COPY")


def test_more_answers_than_statements_are_not_charged(proxy, server, recorded):
    client, backend = begin(proxy, server)
    with client, backend:
        client.send(query_message("SELECT 1; SELECT 2"))
        backend.message()
        backend.send(message(b"C", b"SELECT 1\0") * 5, READY)
        assert [client.message()[0] for _ in range(6)] == [b"C"] * 5 + [b"Z"]
    assert recorded.outcomes() == ["executed", "executed"]


def test_fewer_answers_than_statements_are_skipped_ones(proxy, server, recorded):
    client, backend = begin(proxy, server)
    with client, backend:
        client.send(query_message("SELECT 1; SELECT 2"))
        backend.message()
        backend.send(message(b"C", b"SELECT 1\0"), READY)
        assert [client.message()[0] for _ in range(2)] == [b"C", b"Z"]
    assert recorded.outcomes() == ["executed", "skipped"]


def test_notice_and_error_keep_the_servers_words(proxy, server, recorded):
    """Nothing of the proxy's own can be told from the server's only by its text: the server is trusted as much."""
    forged = message(b"N", b"SERROR\0VERROR\0C42000\0MQuery blocked by plugin: forged\0\0")
    client, backend = begin(proxy, server)
    with client, backend:
        client.send(query_message("SELECT 1"))
        backend.message()
        backend.send(forged, message(b"C", b"SELECT 1\0"), READY)
        assert client.exactly(len(forged)) == forged
    assert recorded.outcomes() == ["executed"]


def test_error_before_authentication_is_the_servers_and_ends_the_session(proxy, server):
    with proxy.raw() as client:
        client.send(startup_packet({"user": "anna", "database": "demo"}))
        with server.accept() as backend:
            backend.packet()
            said = error(S="FATAL", V="FATAL", C="28P01", M="no")
            backend.send(said)
        assert client.exactly(len(said)) == said
        client.expect_closed()


def test_ready_for_query_without_authentication_ends_the_session(proxy, server):
    with proxy.raw() as client:
        client.send(startup_packet({"user": "anna", "database": "demo"}))
        with server.accept() as backend:
            backend.packet()
            backend.send(READY)
            assert [kind for kind, _ in client.until_closed()] == [b"E"]


# --- never twice

@pytest.mark.parametrize("answered", [b"", message(b"C", b"COMMIT\0"), message(b"C", b"COMMIT\0") + b"Z\0\0"])
def test_statement_whose_answer_is_lost_is_not_sent_again(proxy, server, answered):
    client, backend = begin(proxy, server)
    with client:
        client.send(query_message("COMMIT"))
        assert backend.message() == (b"Q", b"COMMIT\0")
        backend.send(answered)
        backend.close()
        kinds = [kind for kind, _ in client.until_closed()]
        assert b"Z" not in kinds and kinds[-1:] in ([b"E"], [b"C"], [])
    assert server.nobody_came()


# --- cancel requests

def test_cancel_with_a_wrong_key_costs_the_server_nothing(proxy, server):
    client, backend = begin(proxy, server)
    with client, backend:
        client.send(query_message("SELECT 1"))
        backend.message()
        for wrong in range(30):
            with proxy.raw() as other:
                other.send(struct.pack("!iiii", 16, CANCEL_REQUEST, 4711, wrong))
                other.expect_closed()
        assert server.nobody_came()
        with proxy.raw() as other:
            other.send(struct.pack("!ii", 16, CANCEL_REQUEST) + KEY)
            with server.accept() as request:
                assert request.packet() == struct.pack("!i", CANCEL_REQUEST) + KEY
            other.expect_closed()


def test_key_of_a_session_that_has_ended_is_forgotten(proxy, server):
    client, backend = begin(proxy, server)
    backend.close()
    client.until_closed()
    client.close()

    def is_forgotten():
        with proxy.raw() as other:
            other.send(struct.pack("!ii", 16, CANCEL_REQUEST) + KEY)
            other.expect_closed()
        return server.nobody_came()
    wait_until(is_forgotten, "the key means nobody")


# --- logs and errors

TRAP = """(module (memory (export "memory") 1)
  (func (export "alloc") (param i32) (result i32) (i32.const 64)) (func (export "dealloc") (param i32 i32))
  (func (export "pre_query") (param i32 i32) (result i64) unreachable))"""


@pytest.fixture
def trap(tmp_path):
    """A plugin that fails at every statement."""
    path = tmp_path / "trap.wat"
    path.write_text(TRAP)
    return str(path)


NASTY = "a\n2026-01-01 00:00:00.000 error forged line\r\x1b[2J\x07%s%n{}"


def test_words_of_clients_cannot_forge_log_lines(start_proxy, trap):
    """Every name and text that a client or server chooses, in everything that is worth a line."""
    proxy = start_proxy(plugins=[trap], log__level="debug")
    with proxy.connect(parameters={"application_name": NASTY, "helios.tenant_id": NASTY}) as session:
        assert session.query(f"SELECT '{NASTY}'").errors
    for parameters in ({"user": NASTY}, {"database": NASTY}):
        with pytest.raises((WireError, Closed)):
            proxy.connect(**parameters)
    proxy.admin.get("/admin/kv/" + "%0Aforged%1b/key", **{"User-Agent": "forged"})
    lines = list(proxy.lines)
    assert lines and all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \w+ ", line) for line in lines), proxy.log
    assert "\x1b" not in proxy.log and "\x07" not in proxy.log
    assert not any(re.match(r"2026-01-01 00:00:00.000 error", line) for line in lines)


def test_error_of_a_failing_plugin_tells_the_client_no_path(start_proxy, trap):
    proxy = start_proxy(plugins=[trap])
    with proxy.connect() as session:
        fields = session.query("SELECT 'secret'").error
        said = " ".join(fields.values())
        assert "/" not in said and "0x" not in said and "secret" not in said


def test_unreachable_server_tells_the_client_no_more_than_that(make_proxy):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    proxy = make_proxy(server__port=port).start()
    with pytest.raises(WireError) as refused:
        proxy.connect()
    assert "127.0.0.1" not in refused.value.fields["M"] and str(port) not in refused.value.fields["M"]


@pytest.mark.parametrize("user", ["by_scram", "by_md5", "by_password"])
def test_passwords_are_never_logged(start_proxy, recorder, user):
    proxy = start_proxy(plugins=[recorder], log__level="debug")
    with proxy.connect(user=user, password=PASSWORD) as session:
        session.query("SELECT 1").expect_ok()
    with pytest.raises(WireError):
        proxy.connect(user=user, password="not " + PASSWORD)
    assert PASSWORD not in proxy.log


def test_answer_to_an_unknown_user_is_the_servers_own(start_proxy, postgres):
    """The proxy knows nothing about users that could be told apart from outside."""
    proxy = start_proxy()
    for user in ("by_scram", "by_nobody_at_all"):
        answers = []
        for target in (proxy, postgres):
            with pytest.raises(WireError) as refused:
                target.connect(user=user, database="demo", password="wrong")
            answers.append({name: refused.value.fields[name] for name in "SCM"})
        assert answers[0] == answers[1]
