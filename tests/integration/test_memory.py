# SPDX-License-Identifier: Apache-2.0
"""Results of any size pass in bounded memory; a reader that stops holds up the server, not the proxy.

HELIOS_RESULT_MB=2048 makes the results as large as one likes; the bound stays the same."""

import os
import struct
import threading

import pytest
from harness.waiting import POLL_SECONDS, wait_until
from harness.wire import message, query_message

RESULT_MB = int(os.environ.get("HELIOS_RESULT_MB", "120"))
ROW_BYTES = 8000
ROWS = RESULT_MB * 1024 * 1024 // ROW_BYTES
# Buffers of one connection, and what allocators and sanitizers keep on top.
MOST_GROWTH_KIB = 40 * 1024


# A sanitized build keeps freed memory for a while, to catch those who still use it.
ENVIRONMENT = {"ASAN_OPTIONS": "quarantine_size_mb=1"}


@pytest.fixture(params=["no plugin", "counter"])
def proxy(request, start_proxy, counter):
    return start_proxy(plugins=[counter] if request.param == "counter" else [], environment=ENVIRONMENT)


class Watch:
    """The most memory that the proxy takes while it runs."""

    def __init__(self, proxy):
        with proxy.connect() as session:  # what the first session costs is no growth
            session.query("SELECT repeat('x', 3000000)").expect_ok()
        self.proxy = proxy
        self.first = self.most = proxy.resident_kib()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._look)

    def _look(self):
        while not self.done.wait(0.05):
            self.most = max(self.most, self.proxy.resident_kib())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    @property
    def growth_kib(self):
        return self.most - self.first


def receive_all(session):
    """Reads up to ReadyForQuery, keeping nothing; returns the bytes of the rows."""
    received = 0
    view = memoryview(bytearray(1 << 20))
    while True:
        kind, length = struct.unpack("!ci", session.exactly(5))
        left = length - 4
        if kind in (b"D", b"d"):
            received += left
        taken = min(left, len(session.buffer))
        session.buffer = session.buffer[taken:]
        left -= taken
        while left:
            left -= session.socket.recv_into(view[:min(left, len(view))])
        if kind == b"Z":
            return received


@pytest.mark.parametrize("text", [
    f"SELECT repeat('x', {ROW_BYTES}) FROM generate_series(1, {ROWS})",
    f"COPY (SELECT repeat('x', {ROW_BYTES}) FROM generate_series(1, {ROWS})) TO STDOUT",
    # One row, larger than any buffer.
    "SELECT repeat('x', 100000000)",
], ids=["select", "copy", "one row"])
def test_large_result_passes_in_bounded_memory(proxy, text):
    with proxy.connect() as session, Watch(proxy) as watch:
        session.send(query_message(text))
        received = receive_all(session)
    assert received > 90_000_000
    assert watch.growth_kib < MOST_GROWTH_KIB


def test_copy_in_passes_in_bounded_memory(proxy):
    row = b"x" * (ROW_BYTES - 1) + b"\n"
    block = message(b"d", row * 16)
    with proxy.connect() as session, Watch(proxy) as watch:
        session.query("CREATE TEMP TABLE copied (text text)").expect_ok()
        session.send(query_message("COPY copied FROM STDIN"))
        assert session.message()[0] == b"G"
        for _ in range(ROWS // 16):
            session.send(block)
        session.send(message(b"c"))
        assert session.ready().tags == [f"COPY {ROWS // 16 * 16}"]
    assert watch.growth_kib < MOST_GROWTH_KIB


def test_reader_that_stops_holds_up_the_server(proxy, postgres):
    with proxy.connect(parameters={"application_name": "stopped"}, receive_buffer=65536) as session, \
            postgres.connect() as admin, Watch(proxy) as watch:
        session.send(query_message(f"SELECT repeat('x', {ROW_BYTES}) FROM generate_series(1, {ROWS})"))
        waits = "SELECT wait_event FROM pg_stat_activity WHERE application_name = 'stopped'"
        # Back-pressure: in the end the server waits, for a whole second on end.
        waiting = 0

        def waits_for_its_client():
            nonlocal waiting
            waiting = waiting + 1 if admin.query(waits).value() == "ClientWrite" else 0
            return waiting >= 1 / POLL_SECONDS

        wait_until(waits_for_its_client, "the server waits for its client")
        assert receive_all(session) > 90_000_000
    assert watch.growth_kib < MOST_GROWTH_KIB


def test_writer_faster_than_the_server_is_held_up(proxy):
    """A pipelining client does not make the proxy collect what the server has not taken yet."""
    with proxy.connect() as session, Watch(proxy) as watch:
        sent = 0
        session.send(query_message("SELECT pg_sleep(600)"))
        filler = query_message("SELECT 1 -- " + "x" * 100000)
        session.socket.settimeout(0.5)
        try:
            while sent < RESULT_MB << 20:
                session.send(filler)
                sent += len(filler)
        except TimeoutError:
            pass  # held up, as it should be
        assert sent < 100 << 20
    assert watch.growth_kib < MOST_GROWTH_KIB
