# SPDX-License-Identifier: Apache-2.0
"""Newer minor versions of the protocol: what client and server settle between them passes as it is.

PostgreSQL 18 speaks 3.2, whose cancel keys are longer; older servers answer with NegotiateProtocolVersion."""

import socket
import struct
import threading

import pytest
from harness.waiting import wait_until
from harness.wire import CANCEL_REQUEST, PROTOCOL_3, Raw, fields_of, message, query_message, startup_packet

PROTOCOL_3_2 = PROTOCOL_3 + 2
PROTOCOL_3_9999 = PROTOCOL_3 + 9999  # what libpq asks for to find out who cannot count
GREASE = "_pq_.test_protocol_negotiation"

OK = message(b"R", struct.pack("!i", 0))
READY = message(b"Z", b"I")


def greeting(raw, version, **parameters):
    """All messages up to ReadyForQuery. Of BackendKeyData, which is random, its length stays."""
    raw.send(startup_packet({"user": "postgres", "database": "demo", **parameters}, version=version))
    messages = []
    while not messages or messages[-1][0] != b"Z":
        kind, body = raw.message()
        messages.append((kind, len(body) if kind == b"K" else body))
    return messages


@pytest.mark.parametrize("version", [PROTOCOL_3, PROTOCOL_3 + 1, PROTOCOL_3_2, PROTOCOL_3_9999])
@pytest.mark.parametrize("parameters", [{}, {GREASE: ""}], ids=["plain", "greased"])
@pytest.mark.parametrize("with_plugin", [False, True], ids=["no_plugin", "counter"])
def test_answer_to_a_version_is_the_servers_own(start_proxy, postgres, counter, version, parameters, with_plugin):
    proxy = start_proxy(plugins=[counter] if with_plugin else [])
    with proxy.raw() as session, Raw("127.0.0.1", postgres.port) as direct:
        assert greeting(session, version, **parameters) == greeting(direct, version, **parameters)
        session.send(query_message("SELECT 'fine'"))
        assert [session.message()[0] for _ in range(4)] == [b"T", b"D", b"C", b"Z"]


def running(postgres, text):
    with postgres.connect() as admin:
        return admin.query(f"SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = '{text}'").value()


@pytest.mark.parametrize("version", [PROTOCOL_3, PROTOCOL_3_2])
def test_cancel_by_the_servers_key_of_any_length(start_proxy, postgres, version):
    proxy = start_proxy()
    with proxy.raw() as session:
        session.send(startup_packet({"user": "postgres", "database": "demo"}, version=version))
        key = None
        while (answer := session.message())[0] != b"Z":
            key = answer[1] if answer[0] == b"K" else key
        session.send(query_message("SELECT pg_sleep(600)"))
        wait_until(lambda: running(postgres, "SELECT pg_sleep(600)") == "1", "the server has begun")
        with proxy.raw() as other:
            other.send(struct.pack("!ii", 8 + len(key), CANCEL_REQUEST) + key)
            other.expect_closed()
        answers = []
        while not answers or answers[-1][0] != b"Z":
            answers.append(session.message())
        assert answers[-2][0] == b"E" and fields_of(answers[-2][1])["C"] == "57014"


class CancellableServer:
    """Greets one client with a cancel key of its own making, then waits for the cancel request."""

    def __init__(self, key):
        self.key = key
        self.cancelled_by = None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        session, _ = self.listener.accept()
        session.recv(65536)
        session.sendall(OK + message(b"K", self.key) + READY)
        session.recv(65536)  # the query that is never answered
        with Raw.over(self.listener.accept()[0]) as canceller:
            length, code = struct.unpack("!ii", canceller.exactly(8))
            self.cancelled_by = code, canceller.exactly(length - 8)
        session.recv(65536)  # the client leaves
        session.close()


@pytest.mark.parametrize("secret_bytes", [4, 32, 256])
def test_cancel_key_of_any_length_reaches_the_server_whole(make_proxy, secret_bytes):
    key = struct.pack("!i", 4711) + bytes(number % 251 for number in range(secret_bytes))
    server = CancellableServer(key)
    proxy = make_proxy(server__port=server.port).start()
    with proxy.raw() as session:
        session.send(startup_packet({"user": "postgres", "database": "demo"}, version=PROTOCOL_3_2))
        assert [session.message() for _ in range(3)][1] == (b"K", key)
        session.send(query_message("SELECT 1"))
        with proxy.raw() as other:
            other.send(struct.pack("!ii", 8 + len(key), CANCEL_REQUEST) + key)
            other.expect_closed()
    server.thread.join(60)
    assert server.cancelled_by == (CANCEL_REQUEST, key)


@pytest.mark.parametrize("secret_bytes", [0, 257])
def test_cancel_key_of_an_impossible_length_is_not_remembered(make_proxy, secret_bytes):
    """It passes, for who knows what the server means by it; a cancel by it is closed without a word."""
    key = struct.pack("!i", 4711) + b"s" * secret_bytes
    server = CancellableServer(key)
    proxy = make_proxy(server__port=server.port).start()
    with proxy.raw() as session:
        session.send(startup_packet({"user": "postgres", "database": "demo"}, version=PROTOCOL_3_2))
        assert [session.message() for _ in range(3)][1] == (b"K", key)
        with proxy.raw() as other:
            other.send(struct.pack("!ii", 8 + len(key), CANCEL_REQUEST) + key)
            other.expect_closed()
    assert server.cancelled_by is None
