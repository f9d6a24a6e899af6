# SPDX-License-Identifier: Apache-2.0
"""Holds what the proxy answered against what the server itself did."""

import os
import re
from itertools import zip_longest

from harness.wire import NOTIFICATION, PARAMETER_STATUS, fields_of

from .compare import Divergence


def own_refusals(page):
    """SQLSTATEs with which the proxy may refuse by itself: the second cells of the one table of docs/protocol.md."""
    table = page.partition("## What differs from PostgreSQL\n")[2].partition("\n## ")[0]
    states = {state for line in table.splitlines() if line.startswith("|")
              for state in re.findall(r"\b[0-9][0-9A-Z]{4}\b", line.split("|")[2])}
    assert states, "docs/protocol.md has no table of what differs from PostgreSQL"
    return states


with open(os.path.join(os.path.dirname(__file__), "../../../docs/protocol.md"), encoding="utf-8") as _page:
    OWN_REFUSALS = own_refusals(_page.read())
TIMERS = {"57014", "55P03"}  # a cancel, also by statement_timeout; lock_timeout
SYNC_IS_LOST = b"because protocol synchronization was lost"
BLOCK_HAS_FAILED = (b"E", ("ERROR", "25P02", "current transaction is aborted, commands ignored until end of transaction block"))
END = (None, None)  # there is no answer
ENDS = {"25P03", "57P05", "57P01"}  # idle in a transaction, idle, terminated
TENANT_IS_UNKNOWN = "it asked for the tenant, which is unknown"


def is_compared(kind, body):
    """Notifications come when they like; names that the server cuts are refused."""
    return kind != NOTIFICATION and not (kind == b"N" and b"C42622\0" in body)


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


def fault_of(messages):
    """Of a fault of the proxy, or of the plugin, what is said."""
    for kind, body in messages:
        if kind == b"E" and b"C58000\0" in body and TENANT_IS_UNKNOWN.encode() not in body:
            return fields_of(body)["M"]
    return None


def without_last_words(messages):
    """Of a session that was ended: the server says ERROR, and then FATAL; the proxy says FATAL."""
    while messages and messages[-1][0] == b"E":
        messages.pop()
    return messages


def without_lost_warnings(direct, proxied):
    """The text behind an EXECUTE of a name that nobody knows is not sent, so the server does not warn of it."""
    kept = []
    for each in direct:
        at = len(kept)
        is_lost = each[0] == b"N" and each[1][1] == "22P06" and (at >= len(proxied) or proxied[at] != each)
        if not is_lost:
            kept.append(each)
    return kept


def depends_on_time(conversation):
    """Which message an error meets is a matter of moments."""
    return conversation.has(b"_timeout", b"!stop", b"!terminate", b"!cancel")


def without_settings(messages):
    """Of a Query that goes in pieces, the server reports a setting at the end of the piece that changed it."""
    return [each for each in messages if each[0] != PARAMETER_STATUS]


def is_of_a_timer(message):
    """Normal form. Of a timer that ran out, or of another session that cancelled or ended this one."""
    return message[0] == b"E" and message[1][1] in TIMERS | ENDS


def is_ended_by_server(messages):
    """By a timer, by another session, or because a COPY was still on that a timer may have cut before the next message came."""
    return any(SYNC_IS_LOST in body for _, body in messages[-1:]) or any(kind == b"E" and normal(kind, body)[1][1] in ENDS for kind, body in messages[-1:])


def is_a_matter_of_time(answers, position):
    """Is the error of a timer here, or in front of what is here? How many ReadyForQuery follow it, and
    how often a block that it has failed says so, depends on what was read before it. So does which batches run at all: where
    those that follow fail alike, the difference shows behind them only."""
    if is_of_a_timer(*answers[position:position + 1] or [END]):
        return True
    while position > 0 and answers[position - 1][0] in (b"T", b"D"):  # of the same answer, which begins as the other one does
        position -= 1
    while position > 0 and answers[position - 1][0] in (b"E", b"Z") and not is_of_a_timer(answers[position - 1]):
        position -= 1
    return position > 0 and is_of_a_timer(answers[position - 1])


def first_difference(direct, proxied, both_closed=False, is_timed=False):
    """(the divergence or None, whether from here on all may differ: the proxy has interfered by a refusal of its own, or a timer has met
    another message)"""
    direct, proxied = ([normal(*each) for each in answers if is_compared(*each)] for answers in (direct, proxied))
    if both_closed and not is_timed:
        direct, proxied = without_last_words(direct), without_last_words(proxied)
    direct = without_lost_warnings(direct, proxied)
    for position, (theirs, ours) in enumerate(zip_longest(direct, proxied, fillvalue=END)):
        if theirs == ours:
            continue
        if ours[0] == b"E" and ours[1][0] == "ERROR" and ours[1][1] in OWN_REFUSALS:
            return None, True
        if is_timed and any(is_a_matter_of_time(answers, position) for answers in (direct, proxied)):
            return None, True
        return Divergence("answer", f"answer {position}: server {theirs}, proxy {ours}"), False
    return None, False
