# SPDX-License-Identifier: Apache-2.0
"""The first words of a session."""


def startup_packet(**parameters):
    body = (196608).to_bytes(4, "big")
    for name, value in parameters.items():
        body += name.encode() + b"\0" + value.encode() + b"\0"
    body += b"\0"
    return (len(body) + 4).to_bytes(4, "big") + body


STARTUP = startup_packet(user="postgres", database="bench")
READY = b"Z\0\0\0\x05I"
