# SPDX-License-Identifier: Apache-2.0
"""One conversation that meets every part of the protocol, to be disturbed at any place."""

import struct

from .frames import STARTUP
from .postgres import PASSWORD
from .relay import END
from .wire import (SYNC, TERMINATE, Closed, Raw, bind_message, cstring, execute_message, fields_of, message,
                   parse_message, query_message, startup_packet)

USER = "by_password"

# Where it can be disturbed: (message, which of that type, bytes into it), with words for a failure's report.
TO_SERVER = {
    "inside the startup packet": (STARTUP, 1, 5),
    "inside the password": (b"p", 1, 4),
    "before the first query": (b"Q", 1, 0),
    "inside the first query": (b"Q", 1, 8),
    "behind BEGIN": (b"Q", 2, END),
    "inside a query of the transaction": (b"Q", 4, 3),
    "before COPY data": (b"d", 1, 0),
    "inside COPY data": (b"d", 2, 50),
    "before the end of COPY data": (b"c", 1, 0),
    "behind the question for COPY data": (b"Q", 6, END),
    "inside Parse": (b"P", 1, 7),
    "before Sync": (b"S", 1, 0),
    "before Terminate": (b"X", 1, 0),
}
TO_CLIENT = {
    "before the question for the password": (b"R", 1, 0),
    "inside AuthenticationOk": (b"R", 2, 6),
    "inside BackendKeyData": (b"K", 1, 9),
    "before the first ReadyForQuery": (b"Z", 1, 0),
    "inside RowDescription": (b"T", 1, 3),
    "before a row": (b"D", 1, 0),
    "inside a row of many": (b"D", 900, 30),
    "inside CommandComplete": (b"C", 1, 8),
    "before CopyInResponse": (b"G", 1, 0),
    "inside CopyOutResponse": (b"H", 1, 6),
    "inside CopyData": (b"d", 500, 12),
    "before ParseComplete": (b"1", 1, 0),
    "before the last ReadyForQuery": (b"Z", 9, 0),
}

ROWS = 1000
COPY_LINE = b"a line of text that is copied in and out again\n"


class Conversation:
    """run() speaks until the end, or until it is cut short."""

    def __init__(self, port):
        self.port = port
        self.messages = []
        self.rest = b""  # the beginning of a message that did not come whole
        self.terminated = False
        self.end = None  # "eof" or "reset"

    def run(self):
        with Raw("127.0.0.1", self.port) as self.raw:
            try:
                self._speak()
                self._until(None)
            except Closed as closed:
                self.end, self.rest = "eof", closed.args[0]
            except (ConnectionResetError, BrokenPipeError):
                self.end = "reset"
        return self

    @property
    def fatal(self):
        """The fields of the last message when it is a FATAL error, else None."""
        if not self.messages or self.messages[-1][0] != b"E":
            return None
        fields = fields_of(self.messages[-1][1])
        return fields if fields["S"] == "FATAL" else None

    def _speak(self):
        self._send(startup_packet({"user": USER, "database": "demo", "application_name": "conversation"}))
        self._until(b"R")
        self._ask(message(b"p", cstring(PASSWORD)))
        self._ask(query_message("SELECT 'one'; SELECT 'two'"))
        self._ask(query_message("BEGIN"))
        self._ask(query_message("CREATE TEMP TABLE copied (line text)"))
        self._ask(query_message(f"SELECT repeat('x', 100) FROM generate_series(1, {ROWS})"))
        self._send(query_message("COPY copied FROM STDIN"))
        self._until(b"G")
        for _ in range(20):
            self._send(message(b"d", 50 * COPY_LINE))
        self._ask(message(b"c"))
        self._ask(query_message("COPY copied TO STDOUT"))
        self._ask(query_message("COMMIT"))
        self._ask(parse_message("SELECT 'three'") + bind_message() + execute_message() + SYNC)
        self._send(TERMINATE)
        self.terminated = True

    def _send(self, data):
        try:
            self.raw.send(data)
        except (ConnectionResetError, BrokenPipeError):
            self._until(None)  # there may be a word of farewell

    def _ask(self, data):
        self._send(data)
        self._until(b"Z")

    def _until(self, wanted):
        while True:
            # A header is not taken before its body is there: what was cut short stays in the buffer.
            while len(self.raw.buffer) < 5 or len(self.raw.buffer) < 1 + struct.unpack("!i", self.raw.buffer[1:5])[0]:
                chunk = self.raw.socket.recv(65536)
                if not chunk:
                    raise Closed(self.raw.buffer)
                self.raw.buffer += chunk
            self.messages.append(self.raw.message())
            if self.messages[-1][0] == wanted:
                return
