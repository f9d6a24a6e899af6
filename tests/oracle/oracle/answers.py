# SPDX-License-Identifier: Apache-2.0
"""Holds what the proxy answered against what the server itself did."""

from harness.wire import fields_of

from .compare import Divergence

# What the proxy may refuse by itself: docs/protocol.md, "What differs from PostgreSQL".
OWN_REFUSALS = {"42601", "0A000", "42501", "42622", "54000", "26000", "34000", "08P01"}


def normal(kind, body):
    """Without what differs from session to session: table numbers, temporary schemas, the key of a session."""
    if kind == b"T":
        count, at, out = int.from_bytes(body[:2]), 2, body[:2]
        for _ in range(count):
            end = body.index(b"\0", at) + 1
            out += body[at:end] + body[end + 4:end + 18]
            at = end + 18
        return kind, out
    if kind in b"EN":
        fields = fields_of(body)
        return kind, tuple(fields.get(field) for field in "SCM")
    return kind, body


def own_refusals(messages):
    """SQLSTATEs of errors that the proxy itself may have answered with; a FATAL one is the end of the session."""
    errors = [fields_of(body) for kind, body in messages if kind == b"E"]
    return {fields["C"] for fields in errors if fields["S"] == "ERROR" and fields["C"] in OWN_REFUSALS}


def answers_differ(direct, proxied):
    """The first difference of the answers that no rule of docs/protocol.md excuses."""
    for position, (theirs, ours) in enumerate(zip(direct, proxied)):
        theirs, ours = normal(*theirs), normal(*ours)
        if theirs != ours:
            if ours[0] == b"E" and ours[1][1] in OWN_REFUSALS:
                return None
            return Divergence("answer", f"answer {position}: server {theirs}, proxy {ours}")
    if len(direct) != len(proxied):
        return Divergence("answer", f"server {len(direct)} messages, proxy {len(proxied)}")
    return None
