# SPDX-License-Identifier: Apache-2.0
"""Wrong messages and wrong configurations: a clear answer to the one who is wrong, and nobody else notices."""

import os
import socket
import struct
import subprocess

import pytest
from harness.proxy import is_sanitized, toml_text
from harness.waiting import wait_until
from harness.wire import PROTOCOL_3, Closed, WireError, fields_of, message, query_message, startup_packet


@pytest.fixture
def proxy(start_proxy, counter):
    return start_proxy(plugins=[counter], plugins__limits__timeout_ms=60_000)  # whatever else the machine does


def still_fine(proxy):
    with proxy.connect() as session:
        assert session.query("SELECT 1").value() == "1"


# --- before a session stands

@pytest.mark.parametrize("packet", [
    struct.pack("!i", 0), struct.pack("!i", -1), struct.pack("!i", 7), struct.pack("!i", 0x7fffffff),
    struct.pack("!ii", 100000, PROTOCOL_3), b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00",
    struct.pack("!ii", 12, PROTOCOL_3) + b"user", struct.pack("!ii", 14, PROTOCOL_3) + b"user\0\0",
], ids=repr)
def test_startup_that_is_wrong_ends_the_connection(proxy, packet):
    with proxy.raw(timeout=20) as client:
        client.send(packet)
        client.socket.shutdown(socket.SHUT_WR)
        for kind, body in client.until_closed():
            assert kind == b"E" and fields_of(body)["S"] == "FATAL"
    still_fine(proxy)


def test_protocol_2_is_refused(proxy):
    with proxy.raw() as client:
        client.send(startup_packet({"user": "postgres"}, version=2 << 16))
        kind, body = client.message()
        assert kind == b"E" and fields_of(body)["S"] == "FATAL" and fields_of(body)["C"] == "0A000"
        client.expect_closed()


def test_client_that_says_nothing_and_leaves_is_forgotten(proxy):
    for _ in range(20):
        proxy.raw().close()
    still_fine(proxy)


# --- in a session

FRAMES = [
    b"Q" + struct.pack("!i", 3), b"Q" + struct.pack("!i", -5), b"Q" + struct.pack("!i", 0x7fffffff),
    message(b"\x01"), message(b"R", b"1234"), b"\0" * 64,
]


@pytest.mark.parametrize("bytes_sent", FRAMES, ids=repr)
def test_message_that_is_wrong_ends_the_session(proxy, bytes_sent):
    with proxy.connect() as session:
        session.send(bytes_sent)
        (kind, body), *rest = session.until_closed()
        fields = fields_of(body)
        assert kind == b"E" and not rest
        assert fields["S"] == "FATAL" and fields["C"] == "08P01" and fields["M"]
    still_fine(proxy)


@pytest.mark.parametrize("body", [b"no end", b"", b"two\0ends\0"])
def test_text_that_is_wrong_is_refused_as_the_server_does(proxy, postgres, body):
    with proxy.connect() as session, postgres.connect() as direct:
        for each in (session, direct):
            each.send(message(b"Q", body))
        expected, reply = direct.ready(), session.ready()
        assert {name: reply.error[name] for name in "SC"} == {name: expected.error[name] for name in "SC"}
        assert reply.types == expected.types and reply.status == expected.status
        session.query("SELECT 1").expect_ok()


def test_query_larger_than_allowed_is_refused(start_proxy, counter):
    proxy = start_proxy(plugins=[counter], protocol__max_query_bytes=100000)
    with proxy.connect() as session:
        reply = session.query("SELECT '" + "x" * 200000 + "'")
        assert reply.types == "EZ" and reply.sqlstate == "54000"
        session.query("SELECT 1").expect_ok()
    still_fine(proxy)


def test_large_query_within_the_limit_passes(proxy):
    with proxy.connect() as session:
        assert session.query("SELECT length('" + "x" * 1000000 + "')").value() == "1000000"


# --- a server that misbehaves

class FakeServer:
    """Accepts one connection after the other and answers each with fixed bytes."""

    def __init__(self, answer):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.answer = answer

    def serve_one(self):
        connection, _ = self.listener.accept()
        connection.recv(65536)
        connection.sendall(self.answer)
        return connection


OK = message(b"R", struct.pack("!i", 0))
READY = message(b"Z", b"I")


@pytest.mark.parametrize("bytes_sent", [
    b"R" + struct.pack("!i", 1), b"R" + struct.pack("!i", -1), b"HTTP/1.1 400 Bad Request\r\n\r\n",
    OK + b"\0\0\0\0\0\0\0\0", OK + READY + b"D" + struct.pack("!i", 2), OK + message(b"Z", b"IIII"),
    OK + READY + b"Z" + struct.pack("!i", -6),
], ids=repr)
def test_server_that_talks_nonsense_ends_the_session(make_proxy, bytes_sent):
    server = FakeServer(bytes_sent)
    proxy = make_proxy(server__port=server.port).start()
    with proxy.raw(timeout=20) as client:
        client.send(startup_packet({"user": "postgres", "database": "demo"}))
        connection = server.serve_one()
        received = b""
        try:
            while chunk := client.socket.recv(65536):
                received += chunk
        except ConnectionResetError:
            pass
        assert b"08P01" in received or b"08006" in received or received == b"", received
        connection.close()
    assert proxy.admin.get("/healthz").status == 200


def test_server_that_is_down_is_an_error_at_once(make_proxy):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    proxy = make_proxy(server__port=port).start()
    with pytest.raises(WireError) as refusal:
        proxy.connect(timeout=10)
    assert refusal.value.fields["S"] == "FATAL" and refusal.value.fields["C"] == "57P03"


# --- configurations

def run(proxy, text=None):
    proxy.write_config(text)
    done = subprocess.run([proxy.binary, "--config", proxy.config_file], capture_output=True, text=True, timeout=60,
                          check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("text, words", [
    ("[listen]\nworkerz = 2\n", [":2", "workerz"]),
    ("[listen]\nworkers = \"two\"\n", [":2", "workers"]),
    ("[server]\n\nport = 70000\n", [":3", "port"]),
    ("[servers]\nport = 5432\n", [":1", "servers"]),
    ("[server\n", [":1"]),
    ("[protocol]\nfunction_call = \"sometimes\"\n", [":2", "function_call"]),
    ("[admin]\naddresses = [\"0.0.0.0:9090\"]\n", [":2", "addresses", "loopback"]),
    ("[plugins]\ndirectory = \"does-not-exist\"\n", ["does-not-exist"]),
    ("[listen]\naddresses = [\"203.0.113.1:6432\"]\n", ["203.0.113.1"]),
])
def test_configuration_that_is_wrong_is_one_clear_line(make_proxy, text, words):
    status, said = run(make_proxy(), text)
    assert status != 0
    lines = [line for line in said.splitlines() if all(word in line for word in words)]
    assert len(lines) == 1, said
    assert "listening" not in said


def test_configuration_file_that_is_missing_is_one_clear_line(make_proxy):
    proxy = make_proxy()
    done = subprocess.run([proxy.binary, "--config", "/nowhere/proxy.toml"], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode != 0 and "/nowhere/proxy.toml" in done.stdout + done.stderr


@pytest.mark.parametrize("section", ["listen", "admin"])
def test_port_that_is_busy_is_one_clear_line(make_proxy, section):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        proxy = make_proxy(**{f"{section}__addresses": [f"127.0.0.1:{port}"]})
        status, said = run(proxy, toml_text(proxy.config))
    assert status != 0
    lines = [line for line in said.splitlines() if f"127.0.0.1:{port}" in line]
    assert len(lines) == 1 and "in use" in lines[0].lower(), said


def test_unknown_option_is_refused(make_proxy):
    done = subprocess.run([make_proxy().binary, "--no-such-option"], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode != 0 and "--no-such-option" in done.stdout + done.stderr


# --- the machine's limits

def test_clients_beyond_the_descriptors_wait_and_the_process_lives(make_proxy):
    proxy = make_proxy()
    if is_sanitized(proxy.binary, "ubsan"):
        pytest.skip("UndefinedBehaviorSanitizer needs a free descriptor to check an object's type")
    wrapper = os.path.join(proxy.directory, "few-descriptors")
    with open(wrapper, "w", encoding="utf-8") as script:
        script.write(f'#!/bin/sh\nulimit -n 64\nexec "{proxy.binary}" "$@"\n')
    os.chmod(wrapper, 0o755)
    proxy.binary = wrapper
    proxy.start()
    idle = [proxy.raw() for _ in range(100)]
    for client in idle:
        client.close()
    wait_until(lambda: is_fine(proxy), "the proxy serves again")


def is_fine(proxy):
    try:
        still_fine(proxy)
        return True
    except (OSError, WireError, Closed):
        return False
