# SPDX-License-Identifier: Apache-2.0
"""Runs one statement and throws the answer away as fast as it comes. usage: drain.py PORT STATEMENT"""

import socket
import sys

from startup import READY, STARTUP


def read_until_ready(connection):
    tail = b""
    while not tail.endswith(READY):
        piece = connection.recv(1 << 20)
        assert piece, "the server closed the connection"
        tail = (tail + piece)[-len(READY):]


with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
    connection.sendall(STARTUP)
    read_until_ready(connection)
    text = sys.argv[2].encode() + b"\0"
    connection.sendall(b"Q" + (len(text) + 4).to_bytes(4, "big") + text)
    read_until_ready(connection)
