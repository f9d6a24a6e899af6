# SPDX-License-Identifier: Apache-2.0
"""Clients that die in the middle of what they say."""

import struct

from .conversation import USER
from .postgres import PASSWORD
from .wire import (CANCEL_REQUEST, SSL_REQUEST, SYNC, TERMINATE, Raw, bind_message, cstring, describe_message,
                   execute_message, message, parse_message, query_message, startup_packet)

STARTUP = startup_packet({"user": USER, "database": "demo", "options": "-c helios.tenant_id=acme"})
LOGIN = [(STARTUP, b"R"), (message(b"p", cstring(PASSWORD)), b"Z")]
BATCH = parse_message("SELECT $1", "s") + bind_message(name="s", values=["x"]) + describe_message() + execute_message()

# Each script is a list of (what the client says, the message it then waits for). It dies inside the last one.
SCRIPTS = {
    "ssl": [(struct.pack("!ii", 8, SSL_REQUEST), None)],
    "startup": [(STARTUP, b"R")],
    "password": LOGIN,
    "query": [*LOGIN, (query_message("SELECT 1; SET TimeZone = 'UTC'; SELECT 2"), b"Z")],
    "transaction": [*LOGIN, (query_message("BEGIN"), b"Z"), (query_message("SELECT 1; COMMIT; SELECT 2"), b"Z")],
    "refused": [*LOGIN, (query_message("SELECT 'no'"), b"Z")],
    "copy": [*LOGIN, (query_message("CREATE TEMP TABLE t (a text)"), b"Z"), (query_message("COPY t FROM STDIN"), b"G"),
             (message(b"d", b"one\ntwo\n") + message(b"d", b"three\n") + message(b"c"), b"Z")],
    "extended": [*LOGIN, (BATCH + SYNC, b"Z")],
    "pipeline": [*LOGIN, (query_message("SELECT 1") + query_message("SELECT 2") + TERMINATE, None)],
    "terminate": [*LOGIN, (TERMINATE, None)],
}


def close(raw):
    raw.close()


def reset(raw):
    raw.reset()


def half_close(raw):
    """The proxy may answer what it had, and closes; nobody reads it."""
    raw.half_close()
    raw.close()


WAYS = [close, reset, half_close]


def deaths():
    """(script, bytes of its last message that are sent, way to die), for ever."""
    turn = 0
    while True:
        position = 0
        for name, script in SCRIPTS.items():
            for sent in range(len(script[-1][0]) + 1):
                yield name, sent, WAYS[(position + turn) % len(WAYS)]
                position += 1
        for sent in range(17):
            yield "cancel", sent, WAYS[(position + turn) % len(WAYS)]
            position += 1
        turn += 1


def wait_for(raw, kind):
    while kind and raw.message()[0] != kind:
        pass


def die(port, key, name, sent, way):
    """One client. `key` is a living session's, for the cancel request."""
    raw = Raw("127.0.0.1", port)
    if name == "cancel":
        raw.send((struct.pack("!ii", 16, CANCEL_REQUEST) + key)[:sent])
    else:
        *before, (last, _) = SCRIPTS[name]
        for text, answer in before:
            raw.send(text)
            wait_for(raw, answer)
        raw.send(last[:sent])
    way(raw)
