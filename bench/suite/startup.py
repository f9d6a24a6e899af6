# SPDX-License-Identifier: Apache-2.0
"""The first words of a session."""

import ssl


def startup_packet(**parameters):
    body = (196608).to_bytes(4, "big")
    for name, value in parameters.items():
        body += name.encode() + b"\0" + value.encode() + b"\0"
    body += b"\0"
    return (len(body) + 4).to_bytes(4, "big") + body


STARTUP = startup_packet(user="postgres", database="bench")
READY = b"Z\0\0\0\x05I"
SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")


def encrypt(connection):
    """Asks for TLS, and trusts whoever answers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection.sendall(SSL_REQUEST)
    assert connection.recv(1) == b"S", "the server has no TLS"
    return context.wrap_socket(connection)
