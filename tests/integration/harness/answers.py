# SPDX-License-Identifier: Apache-2.0
"""The same bytes to the server and to the proxy: what comes back, in a form that can be compared."""

from .wire import SYNC, Closed, bind_message, execute_message, fields_of, parse_message, query_message


def batch(text, values=(), name="", portal=""):
    """Parse, Bind and Execute, without a Sync."""
    return parse_message(text, name) + bind_message(portal, name, values) + execute_message(portal)


def received(session):
    """All messages up to the end of the connection; errors by what programs look at."""
    seen = []
    while True:
        try:
            kind, body = session.message()
        except (Closed, ConnectionResetError):
            return seen + ["closed"]
        if kind == b"E":
            fields = fields_of(body)
            body = (fields["S"], fields["C"], fields["M"])
        if kind not in (b"S", b"N"):
            seen.append((kind, body))
        if kind == b"Z" and (b"D", b"\0\1\0\0\0\7the end") in seen:
            return seen


def answers(session, traffic, end=SYNC):
    """What comes back on `traffic`, up to the answer of a marker behind it. `end` closes what is open there."""
    session.send(traffic, end, query_message("SELECT 'the end'"))
    return received(session)
