# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL's protocol 3.0 message by message. Names are those of the manual, "Message Formats"."""

import hashlib
import socket
import struct
from dataclasses import dataclass, field

from .scram import Scram

TIMEOUT_SECONDS = 60.0
PROTOCOL_3 = 196608
CANCEL_REQUEST = 80877102
SSL_REQUEST = 80877103
GSSENC_REQUEST = 80877104

NOTICE, PARAMETER_STATUS, NOTIFICATION = b"N", b"S", b"A"


class WireError(Exception):
    """The server answered the startup with an ErrorResponse; its fields are in `fields`."""

    def __init__(self, fields):
        super().__init__(fields.get("M"))
        self.fields = fields


class Closed(Exception):
    """The other side closed the connection."""


@dataclass
class Reply:
    """Everything up to and with ReadyForQuery."""

    messages: list = field(default_factory=list)  # (type, body) without asynchronous ones

    @property
    def types(self):
        return b"".join(kind for kind, _ in self.messages).decode()

    @property
    def rows(self):
        return [data_row(body) for kind, body in self.messages if kind == b"D"]

    @property
    def columns(self):
        return [row_description(body) for kind, body in self.messages if kind == b"T"]

    @property
    def tags(self):
        return [body[:-1].decode() for kind, body in self.messages if kind == b"C"]

    @property
    def errors(self):
        return [fields_of(body) for kind, body in self.messages if kind == b"E"]

    @property
    def error(self):
        assert len(self.errors) == 1, f"one error was expected: {self.errors}"
        return self.errors[0]

    @property
    def sqlstate(self):
        return self.error["C"]

    @property
    def status(self):
        """The transaction status of ReadyForQuery: I, T or E."""
        kind, body = self.messages[-1]
        assert kind == b"Z", f"no ReadyForQuery at the end: {self.types}"
        return body.decode()

    def expect_ok(self):
        assert not self.errors, self.errors
        return self

    def value(self):
        """The only column of the only row."""
        self.expect_ok()
        assert len(self.rows) == 1 and len(self.rows[0]) == 1, self.rows
        return self.rows[0][0]


def fields_of(body):
    """An ErrorResponse's or NoticeResponse's fields by their letters."""
    return {part[:1].decode(): part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}


def data_row(body):
    count, at, values = struct.unpack_from("!h", body)[0], 2, []
    for _ in range(count):
        length = struct.unpack_from("!i", body, at)[0]
        at += 4
        values.append(None if length < 0 else body[at:at + length].decode("utf-8", "replace"))
        at += max(length, 0)
    return values


def row_description(body):
    count, at, names = struct.unpack_from("!h", body)[0], 2, []
    for _ in range(count):
        end = body.index(b"\0", at)
        names.append(body[at:end].decode())
        at = end + 1 + 18
    return names


def message(kind, body=b""):
    return kind + struct.pack("!i", len(body) + 4) + body


def cstring(text):
    return (text if isinstance(text, bytes) else text.encode()) + b"\0"


def query_message(text):
    return message(b"Q", cstring(text))


def parse_message(text, name=""):
    return message(b"P", cstring(name) + cstring(text) + struct.pack("!h", 0))


def bind_message(portal="", name="", values=()):
    body = cstring(portal) + cstring(name) + struct.pack("!hh", 0, len(values))
    for value in (None if value is None else value.encode() for value in values):
        body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
    return message(b"B", body + struct.pack("!h", 0))


def describe_message(portal=""):
    return message(b"D", b"P" + cstring(portal))


def execute_message(portal="", max_rows=0):
    return message(b"E", cstring(portal) + struct.pack("!i", max_rows))


SYNC = message(b"S")
FLUSH = message(b"H")
TERMINATE = message(b"X")


def startup_packet(parameters, version=PROTOCOL_3):
    body = struct.pack("!i", version)
    for name, value in parameters.items():
        body += cstring(name) + cstring(value)
    body += b"\0"
    return struct.pack("!i", len(body) + 4) + body


class Raw:
    """A connected socket that sends bytes and receives messages."""

    def __init__(self, host, port, timeout=TIMEOUT_SECONDS, receive_buffer=None):
        is_unix = host.startswith("/")  # the folder of a Unix socket, as libpq takes it
        family = socket.AF_UNIX if is_unix else socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(f"{host}/.s.PGSQL.{port}" if is_unix else (host, port))
        if not is_unix:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    @classmethod
    def over(cls, connection):
        """The same on a socket that is connected already."""
        raw = cls.__new__(cls)
        raw.socket, raw.buffer = connection, b""
        connection.settimeout(TIMEOUT_SECONDS)
        return raw

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def encrypt(self, context, is_direct=False, server_name="localhost"):
        """From here on TLS, asked for or at once."""
        if not is_direct:
            self.send(struct.pack("!ii", 8, SSL_REQUEST))
            answer = self.exactly(1)
            assert answer == b"S" and not self.buffer, (answer, self.buffer)
        self.socket = context.wrap_socket(self.socket, server_hostname=server_name)

    def half_close(self):
        """The other side sees the end; it may still answer."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Closes so that the other side sees a broken connection."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def send(self, *parts):
        self.socket.sendall(b"".join(parts))

    def exactly(self, count):
        while len(self.buffer) < count:
            chunk = self.socket.recv(65536)
            if not chunk:
                raise Closed(self.buffer)
            self.buffer += chunk
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def message(self):
        kind = self.exactly(1)
        length = struct.unpack("!i", self.exactly(4))[0]
        return kind, self.exactly(length - 4)

    def until_closed(self):
        """All messages until the other side closes."""
        messages = []
        while True:
            try:
                messages.append(self.message())
            except (Closed, ConnectionResetError):
                return messages

    def expect_closed(self):
        """Nothing more comes: the other side has closed."""
        assert self.until_closed() == []


class Wire(Raw):
    """A session: authenticated, and ready for queries."""

    def __init__(self, host, port, user="postgres", database="demo", password=None, parameters=None, options=None,
                 tls=None, **socket_options):
        """`tls`: an ssl.SSLContext, for a server whose certificate is that of localhost."""
        super().__init__(host, port, **socket_options)
        if tls:
            self.encrypt(tls)
        self.parameters = {}
        self.notices = []
        self.key = None
        self.last_error = None
        start = {"user": user, "database": database, **(parameters or {})}
        if options:
            start["options"] = options
        try:
            self.send(startup_packet(start))
            self._authenticate(user, password or "")
            self._begin()
        except BaseException:
            self.close()
            raise

    def _authenticate(self, user, password):
        scram = Scram(password)
        while True:
            kind, body = self.message()
            if kind == b"E":
                raise WireError(fields_of(body))
            assert kind == b"R", kind
            request = struct.unpack_from("!i", body)[0]
            if request == 0:
                return
            if request == 3:
                self.send(message(b"p", cstring(password)))
            elif request == 5:
                inner = hashlib.md5((password + user).encode()).hexdigest()
                self.send(message(b"p", cstring("md5" + hashlib.md5(inner.encode() + body[4:8]).hexdigest())))
            elif request == 10:
                first = scram.first()
                self.send(message(b"p", cstring("SCRAM-SHA-256") + struct.pack("!i", len(first)) + first))
            elif request == 11:
                self.send(message(b"p", scram.final(body[4:])))
            else:
                assert request == 12, request

    def _begin(self):
        """What comes between authentication and the first query, possibly a refusal."""
        try:
            self.ready()
        except Closed:
            if not self.last_error:
                raise
            raise WireError(self.last_error) from None

    def ready(self):
        """Receives up to and with the next ReadyForQuery."""
        reply = Reply()
        while True:
            kind, body = self.message()
            if kind == b"E":
                self.last_error = fields_of(body)
            if kind == PARAMETER_STATUS:
                name, value = body[:-1].decode().split("\0")
                self.parameters[name] = value
            elif kind == NOTICE:
                self.notices.append(fields_of(body))
            elif kind == b"K":
                self.key = body
            elif kind != NOTIFICATION:
                reply.messages.append((kind, body))
            if kind == b"Z":
                return reply

    def query(self, text):
        self.send(query_message(text))
        return self.ready()

    def prepared(self, text, values=()):
        """One round of the extended protocol."""
        self.send(parse_message(text), bind_message(values=values), describe_message(), execute_message(), SYNC)
        return self.ready()

    def cancel(self, host, port, tls=None):
        with Raw(host, port) as other:
            if tls:
                other.encrypt(tls)
            other.send(struct.pack("!ii", 16, CANCEL_REQUEST) + self.key)
            other.expect_closed()

    def terminate(self):
        self.send(TERMINATE)
        self.expect_closed()
        self.close()
