# SPDX-License-Identifier: Apache-2.0
"""Holds a conversation over a socket, and gives back every answer."""

import os
import random
import select
import socket
import struct
import time

from harness.wire import SYNC, TERMINATE, Closed, Wire, message, query_message

# Where nobody can know how many answers are owed (a Sync behind COPY may have been swallowed): of the server, and of the
# proxy, of which as many are expected as the server gave.
PATIENCE, PATIENCE_WITH_PROXY = 0.05, 0.1
HANG = float(os.environ.get("HELIOS_ORACLE_HANG", "6"))


class Cut(Exception):
    """The conversation has cut its connection."""


class Answers:
    def __init__(self):
        self.messages, self.pid, self.end = [], None, "complete"
        self.waits = []  # how many ReadyForQuery there were at each wait


class Talk:
    def __init__(self, port, name, conversation, stop, reload=None):
        self.port, self.conversation, self.stop, self.reload = port, conversation, stop, reload
        self.wire = Wire("127.0.0.1", port, parameters=conversation.parameters)
        self.answers = Answers()
        self.readies = 0
        self.pending = b""  # not sent yet
        reply = self.wire.query(f"SELECT /*hello {name}*/ pg_backend_pid()")
        self.answers.pid = int(reply.rows[0][0]) if reply.rows else None
        self.buffer = bytearray()

    def run(self, expected=None):
        """`expected`: the counts of ReadyForQuery at each wait, as the server itself gave them."""
        try:
            self._speak(expected)
            self.wire.send(message(b"f", b"the end\0"), SYNC, query_message("ROLLBACK"), query_message("that_is_all"))
            if not self._until(self._is_over, HANG, is_of_silence=True):
                self.answers.end = "hang"
            self.wire.send(TERMINATE)
        except Cut:
            self.answers.end = "cut"
        except (Closed, ConnectionError):
            self._drain()
            self.answers.end = "closed"
        finally:
            self.wire.close()
        return self.answers

    def _speak(self, expected):
        chance = random.Random(self.conversation.cuts)
        owed = 0
        for step in self.conversation.steps:
            if step.data[:1] == b"!":
                self._act(step.data)
                continue
            self.pending += step.data
            owed += step.data[:1] in (b"Q", b"S")
            if step.wait:
                self._send_all()
                self._wait(owed, expected)
                owed = self.readies
            elif self.conversation.cuts and chance.random() < 0.3:
                self._send(chance.randint(0, len(self.pending)))
        self._send_all()

    def _send(self, size):
        self.wire.send(self.pending[:size])
        self.pending = self.pending[size:]

    def _send_all(self):
        self._send(len(self.pending))

    def _wait(self, owed, expected):
        at = len(self.answers.waits)
        wanted = expected[at] if expected and at < len(expected) else owed
        self._until(lambda: self.readies >= wanted, PATIENCE_WITH_PROXY if expected else PATIENCE)
        self.answers.waits.append(self.readies)

    def _act(self, action):
        if action == b"!cancel":
            self._send_all()
            self.wire.cancel("127.0.0.1", self.port)
        elif action == b"!reload":
            self._send_all()
            if self.reload:
                self.reload()
        elif action in (b"!stop", b"!terminate"):
            self._send_all()
            self.stop(action, self.answers.pid)
        elif action.startswith(b"!pause"):
            self._pause(*map(int, action.split()[1:]))
        else:
            self._send(max(0, len(self.pending) - int(action.split()[1])))
            raise Cut()

    def _pause(self, milliseconds, withheld):
        """What the server says meanwhile is read: a client that is idle does so."""
        self._send(max(0, len(self.pending) - withheld))
        self._until(lambda: False, milliseconds / 1000)

    def _is_over(self):
        """The last text is none: its error comes in whatever state the session is. Behind it, others may notify."""
        messages = [each for each in self.answers.messages[-1000:] if each[0] != b"A"][-2:]
        return len(messages) > 1 and messages[-1][0] == b"Z" and messages[-2][0] == b"E" and b"that_is_all" in messages[-2][1]

    def _until(self, condition, seconds, is_of_silence=False):
        """False: it did not come true within these seconds; of silence: within so many behind the last byte."""
        end = time.monotonic() + seconds
        while not condition():
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.wire.socket], [], [], left)[0]:
                return False
            chunk = self.wire.socket.recv(65536)
            if not chunk:
                raise Closed(b"")
            self._feed(chunk)
            if is_of_silence:
                end = time.monotonic() + seconds
        return True

    def _drain(self):
        """What came before the end is there to be read, also where sending has failed."""
        for act in (lambda: self.wire.socket.shutdown(socket.SHUT_WR), lambda: self._until(lambda: False, 1.0)):
            try:
                act()
            except (Closed, OSError):
                pass

    def _feed(self, chunk):
        self.buffer += chunk
        at = 0
        while len(self.buffer) >= at + 5:
            length = struct.unpack_from("!i", self.buffer, at + 1)[0] + 1
            if len(self.buffer) < at + length:
                break
            kind, body = bytes(self.buffer[at:at + 1]), bytes(self.buffer[at + 5:at + length])
            self.answers.messages.append((kind, body))
            self.readies += kind == b"Z"
            at += length
        del self.buffer[:at]
