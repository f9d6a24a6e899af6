# SPDX-License-Identifier: Apache-2.0
"""A relay that a test steers: it stands between client and proxy, or between proxy and server, and does harm.

    relay = Relay("127.0.0.1", port)              # connect to 127.0.0.1:relay.port instead of port
    relay.on_link = lambda link: link.to_client.cut_up()
    relay.on_link = lambda link: link.to_server.at(RESET, message=b"Q", plus=3)
    relay.links[-1].to_client.stall()             # at any time, from any thread

Each connection is a Link with two directions. What befalls a direction:

    cut_up()      everything arrives in single bytes (much data: its ends do, the middle in small odd pieces)
    delay         seconds that each piece is held back
    at(FAULT)     once, at a byte offset or in a message: CORRUPT, HALF_CLOSE, STALL, RESET
    stall()       nothing passes until resume()
"""

import asyncio
import collections
import enum
import socket
import struct
import threading
from dataclasses import dataclass

from .frames import SSL, Frames

CHUNK_BYTES = 65536
SINGLE_BYTES = 256
ODD_PIECE_BYTES = 997
LINGER_NONE = struct.pack("ii", 1, 0)  # close() then sends RST

Fault = enum.Enum("Fault", "CORRUPT HALF_CLOSE STALL RESET")
CORRUPT, HALF_CLOSE, STALL, RESET = Fault.CORRUPT, Fault.HALF_CLOSE, Fault.STALL, Fault.RESET
END = -1


def pieces_of(data):
    """Single bytes at both ends, where messages usually begin and end; small pieces between."""
    at = 0
    while at < len(data):
        is_inside = SINGLE_BYTES <= at < len(data) - SINGLE_BYTES
        step = min(ODD_PIECE_BYTES, len(data) - SINGLE_BYTES - at) if is_inside else 1
        yield data[at:at + step]
        at += step


@dataclass(eq=False)
class Plan:
    fault: Fault
    mask: int
    message: object
    nth: int
    plus: int
    offset: object  # None: the message has not come yet


class Direction:
    def __init__(self, link, source, sink, from_client):
        self.link = link
        self.delay = 0.0
        self.passed = 0  # bytes handed on so far
        self._source, self._sink = source, sink
        self._frames = Frames(from_client)
        self._is_cut_up = False
        self._is_ended = False
        self._flows = asyncio.Event()
        self._flows.set()
        self._plans = []

    def cut_up(self):
        self._is_cut_up = True

    def at(self, fault, offset=0, message=None, nth=1, plus=0, mask=0xff):
        """The fault, once: at a byte offset, or `plus` bytes into the nth message of that type (END: after it).
        CORRUPT turns the bits of `mask` over in the byte there."""
        self._plans.append(Plan(fault, mask, message, nth, plus, None if message else offset))

    def stall(self):
        self.link.call(self._flows.clear)

    def resume(self):
        self.link.call(self._flows.set)

    async def run(self):
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(self._source, CHUNK_BYTES):
            self.link.opening = self.link.opening or data
            self._note_messages(self._frames.feed(data))
            await self._pass(data)
        await self._flows.wait()
        self._end()

    def _end(self):
        if not self._is_ended:
            self._is_ended = True
            self._sink.shutdown(socket.SHUT_WR)

    def _note_messages(self, messages):
        for kind, start, end in messages:
            if kind == SSL:
                self.link.to_client.expect_byte()
            for plan in self._plans:
                if plan.message == kind and plan.offset is None:
                    plan.nth -= 1
                    if plan.nth == 0:
                        plan.offset = end if plan.plus == END else start + plan.plus

    def expect_byte(self):
        self._frames.skip_raw(1)

    async def _pass(self, data):
        while data:
            due = self._next_plan(len(data))
            if due is None:
                await self._send(data)
                return
            before = max(due.offset - self.passed, 0)
            await self._send(data[:before])
            data = await self._harm(due, data[before:])

    def _next_plan(self, length):
        """The first fault that is due before the end of the next `length` bytes, or just there."""
        if self.link.is_spared():
            return None
        due = [plan for plan in self._plans if plan.offset is not None and plan.offset <= self.passed + length]
        if not due:
            return None
        first = min(due, key=lambda plan: plan.offset)
        # One byte has to be there to be corrupted.
        return None if first.fault == CORRUPT and first.offset == self.passed + length else first

    async def _harm(self, plan, data):
        self._plans.remove(plan)
        if plan.fault == CORRUPT:
            return bytes([data[0] ^ plan.mask]) + data[1:]
        if plan.fault == STALL:
            self._flows.clear()
        elif plan.fault == HALF_CLOSE:
            self._end()
            await self._swallow()
            return b""
        else:
            self.link.break_off()
            await asyncio.Event().wait()  # cancelled with the link
        return data

    async def _swallow(self):
        loop = asyncio.get_running_loop()
        while await loop.sock_recv(self._source, CHUNK_BYTES):
            pass

    async def _send(self, data):
        loop = asyncio.get_running_loop()
        for piece in pieces_of(data) if self._is_cut_up else [data] if data else []:
            await self._flows.wait()
            if self.delay:
                await asyncio.sleep(self.delay)
            await loop.sock_sendall(self._sink, piece)
            self.passed += len(piece)
            if self._is_cut_up:
                await asyncio.sleep(0)


class Link:
    """One connection through the relay."""

    def __init__(self, loop, client, server):
        self._loop = loop
        self._sockets = (client, server)
        self.to_server = Direction(self, client, server, from_client=True)
        self.to_client = Direction(self, server, client, from_client=False)
        self.ended = threading.Event()
        self.opening = b""  # what the client said first
        self.only = b""  # faults befall only a client whose opening holds this
        self._task = None

    def is_spared(self):
        return self.only not in self.opening

    def call(self, function):
        self._loop.call_soon_threadsafe(function)

    def reset(self):
        """Both ends see a broken connection."""
        self.call(self.break_off)

    def break_off(self):
        self._refuse_to_linger()
        self._task.cancel()

    def _refuse_to_linger(self):
        for each in self._sockets:
            if each.fileno() >= 0:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)

    async def run(self):
        self._task = asyncio.current_task()
        pumps = [asyncio.ensure_future(each.run()) for each in (self.to_server, self.to_client)]
        try:
            done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_EXCEPTION)
            if any(each.exception() for each in done):  # one end broke: so does the other
                self._refuse_to_linger()
        finally:
            for each in pumps:
                each.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for each in self._sockets:
                each.close()
            self.ended.set()


class Relay:
    def __init__(self, host, port, on_link=None, own_port=0):
        self.on_link = on_link or (lambda link: None)
        self.links = collections.deque(maxlen=256)  # the newest
        self.links_made = 0
        self._target = (host, port)
        self._loop = asyncio.new_event_loop()
        self._tasks = set()
        self._listener = socket.create_server(("127.0.0.1", own_port), backlog=512)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._accept(),), daemon=True)
        self._thread.start()

    async def _accept(self):
        self._accepting = asyncio.current_task()
        try:
            while True:
                client, _ = await self._loop.sock_accept(self._listener)
                task = asyncio.ensure_future(self._serve(client))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except asyncio.CancelledError:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._listener.close()

    async def _serve(self, client):
        server = socket.socket()
        try:
            for each in (client, server):
                each.setblocking(False)
            await self._loop.sock_connect(server, self._target)
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = Link(self._loop, client, server)
            self.on_link(link)
            self.links.append(link)
            self.links_made += 1
            await link.run()
        except OSError:
            pass
        finally:
            client.close()
            server.close()

    def resume(self):
        """Whatever stalls goes on."""
        for link in list(self.links):
            link.to_server.resume()
            link.to_client.resume()

    def close(self):
        self._loop.call_soon_threadsafe(lambda: self._accepting.cancel())
        self._thread.join()
        self._loop.close()
