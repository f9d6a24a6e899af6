# SPDX-License-Identifier: Apache-2.0
"""Runs one statement and throws the answer away as fast as it comes. usage: drain.py PORT STATEMENT [tls]"""

import socket
import sys

from startup import READY, STARTUP, encrypt


BUFFER = bytearray(256 * 1024)  # used again and again: this client is to cost little


def read_until_ready(connection):
    tail = b""
    while not tail.endswith(READY):
        count = connection.recv_into(BUFFER)
        assert count > 0, "the server closed the connection"
        tail = (tail + BUFFER[max(count - len(READY), 0):count])[-len(READY):]


with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
    if "tls" in sys.argv[3:]:
        connection = encrypt(connection)
    connection.sendall(STARTUP)
    read_until_ready(connection)
    text = sys.argv[2].encode() + b"\0"
    connection.sendall(b"Q" + (len(text) + 4).to_bytes(4, "big") + text)
    read_until_ready(connection)
