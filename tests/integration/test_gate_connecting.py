# SPDX-License-Identifier: Apache-2.0
"""How a session begins, and what a client is told when it cannot."""

import contextlib
import socket
import struct
import subprocess

import pytest
from harness.answers import received
from harness.clients import TIMEOUT_SECONDS, environment
from harness.shared import running_proxy
from harness.wire import (GSSENC_REQUEST, PROTOCOL_3, SSL_REQUEST, SYNC, TERMINATE, Raw, WireError, bind_message,
                          cstring, execute_message, fields_of, message, parse_message, query_message, startup_packet)


@contextlib.contextmanager
def refusing_port():
    """Nobody listens there, and nobody else gets the port meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@contextlib.contextmanager
def silent_port():
    """Connecting gets no answer: as many wait to be accepted as may."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, contextlib.ExitStack() as waiting:
        while True:
            client = waiting.enter_context(socket.socket())
            client.settimeout(0.2)
            try:
                client.connect(listener.getsockname())
            except TimeoutError:
                break
        yield listener.getsockname()[1]


@pytest.fixture(scope="module", params=[refusing_port, silent_port], ids=["refuses", "is silent"])
def proxy_without_server(request):
    with request.param() as port, running_proxy(port, server__connect_timeout_ms=300) as proxy:
        yield proxy


def libpq(program, *arguments):
    return subprocess.run([program, *arguments], env=environment(), capture_output=True, text=True,
                          timeout=TIMEOUT_SECONDS, check=False)


def test_server_that_is_down_has_a_sqlstate_of_its_own(proxy_without_server):
    with pytest.raises(WireError) as refused:
        proxy_without_server.connect()
    assert (refused.value.fields["S"], refused.value.fields["C"]) == ("FATAL", "57P03")
    assert refused.value.fields["M"].startswith("could not connect to the server: Connection ")


def test_libpq_goes_on_with_the_next_host(postgres, proxy_without_server):
    ports = f"{proxy_without_server.port},{postgres.port}"
    done = libpq("psql", "-At", "-c", "SELECT 'reached'",
                 f"host=127.0.0.1,127.0.0.1 port={ports} user=postgres dbname=demo")
    assert (done.returncode, done.stdout) == (0, "reached\n"), done.stderr


def test_pg_isready_says_that_connections_are_rejected(proxy_without_server):
    done = libpq("pg_isready", "-h", "127.0.0.1", "-p", str(proxy_without_server.port))
    assert done.returncode == 1 and "rejecting connections" in done.stdout, done.stdout


# --- the first bytes of a client, and what follows them at once

FIRST = {
    "Terminate": TERMINATE,
    "a Query": query_message("SELECT 1"),
    "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c403030000"),
    "length 0": struct.pack("!i", 0),
    "length 7": struct.pack("!i", 7) + b"abc",
    "length too much": struct.pack("!ii", 10005, PROTOCOL_3),
    "negative length": struct.pack("!ii", -5, PROTOCOL_3),
    "version 0": struct.pack("!ii", 8, 0),
    "version 4": struct.pack("!ii", 8, 4 << 16),
    "no user": struct.pack("!ii", 9, PROTOCOL_3) + b"\0",
    "no end": struct.pack("!ii", 13, PROTOCOL_3) + b"user\0",
    "half a length": b"\0\0",
    "a beginning": struct.pack("!i", 10004) + b"\0",
    "nothing": b"",
}
ENCRYPTIONS = {"first": b"", "behind SSLRequest": struct.pack("!ii", 8, SSL_REQUEST),
               "behind GSSENCRequest": struct.pack("!ii", 8, GSSENC_REQUEST)}


@pytest.fixture(scope="module")
def proxy(postgres):
    with running_proxy(postgres.port) as proxy:
        yield proxy


def farewell(raw):
    """All bytes up to the end of the connection; of an ErrorResponse what programs look at."""
    seen = b""
    while chunk := raw.socket.recv(65536):
        seen += chunk
    if seen[:1] == b"E" and seen[1:2] == b"\0":
        fields = fields_of(seen[5:])
        return fields["S"], fields["C"], fields["M"]
    return seen


@pytest.mark.parametrize("before", ENCRYPTIONS)
@pytest.mark.parametrize("name", FIRST)
def test_first_packet_that_is_none_ends_as_at_the_server(postgres, proxy, name, before):
    ends = []
    for port in (postgres.port, proxy.port):
        with Raw("127.0.0.1", port) as raw:
            if ENCRYPTIONS[before]:
                raw.send(ENCRYPTIONS[before])
                assert raw.exactly(1) == b"N"
            raw.send(FIRST[name])
            raw.half_close()
            ends.append(farewell(raw))
    # The proxy answers before it knows the server, which has more versions from PostgreSQL 18 on.
    assert ends[0] == ends[1] or tuple(part.replace("3.0 to 3.2", "3.0 to 3.0") for part in ends[0]) == ends[1]


EARLY = {
    "a Query": query_message("SELECT 1") + TERMINATE,
    "a batch": parse_message("SELECT 1") + bind_message() + execute_message() + SYNC + TERMINATE,
    "Terminate": TERMINATE,
    "an unknown type": b"\1\0\0\0\4",
    "a wrong password": message(b"p", cstring("wrong")),
    "a long Query": query_message(f"SELECT length('{'x' * 100_000}')") + TERMINATE,
}


@pytest.mark.parametrize("user", ["postgres", "by_password", "nobody"])
@pytest.mark.parametrize("name", EARLY)
def test_what_comes_with_the_startup_message_is_answered_as_by_the_server(postgres, proxy, name, user):
    seen = []
    for port in (postgres.port, proxy.port):
        with Raw("127.0.0.1", port) as raw:
            raw.send(startup_packet({"user": user, "database": "demo"}), EARLY[name])
            seen.append([each for each in received(raw) if each[0] != b"K"])
    assert seen[0] == seen[1]
    assert seen[0][-1] == "closed"
