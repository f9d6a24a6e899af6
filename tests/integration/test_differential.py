# SPDX-License-Identifier: Apache-2.0
"""The same bytes to PostgreSQL directly, and through the proxy with a plugin that does nothing: the same bytes come back.

Every body in one of the contexts, in one piece; with HELIOS_CUTS=n (tools/dev diff) in every context, also message by
message, and n times in random pieces.
"""

import os
import random
import re

import pytest
from harness.sequences import sequences, some_sequences
from harness.shared import running_proxy
from harness.wire import SYNC, TERMINATE, Wire, bind_message, describe_message, execute_message, fields_of, parse_message

CUTS = int(os.environ.get("HELIOS_CUTS", "0"))
SEQUENCES = sequences()
CHOSEN = list(SEQUENCES) if CUTS else some_sequences()


@pytest.fixture(scope="module")
def proxy(postgres):
    plugin = os.path.join(os.environ["HELIOS_SOURCE_DIR"], "bench/plugins/nothing.wat")
    with running_proxy(postgres.port, [plugin]) as proxy:
        yield proxy


def answers(port, pieces):
    """Everything that comes back, asynchronous messages included."""
    with Wire("127.0.0.1", port) as session:
        for piece in pieces:
            session.send(piece)
        return [normal(*answer) for answer in session.until_closed()]


def normal(kind, body):
    """Without what differs from session to session: the number of a temporary schema, the OID of a table."""
    if kind == b"E":
        return kind, re.sub(rb"pg_temp_\d+", b"pg_temp", body)
    if kind != b"T":
        return kind, body
    count, at, out = int.from_bytes(body[:2]), 2, body[:2]
    for _ in range(count):
        end = body.index(b"\0", at) + 1
        out += body[at:end] + (b"\1" if any(body[end:end + 4]) else b"\0") + body[end + 4:end + 18]
        at = end + 18
    return kind, out


def is_same(theirs, ours):
    """An error that the proxy itself answered has no F, L and R: docs/protocol.md, "What differs"."""
    if theirs == ours:
        return True
    if theirs[0] != b"E" or ours[0] != b"E":
        return False
    direct, proxied = fields_of(theirs[1]), fields_of(ours[1])
    return "R" not in proxied and all(direct.get(field) == proxied.get(field) for field in "SVCM")


def pieces_of(messages, seed):
    """In one piece (None), message by message (0), in random pieces (any other seed)."""
    whole = b"".join([*messages, TERMINATE])
    if seed is None:
        return [whole]
    if seed == 0:
        return [*messages, TERMINATE]
    chance = random.Random(seed)
    cuts = sorted(chance.sample(range(1, len(whole)), min(chance.randint(1, 12), len(whole) - 1)))
    return [whole[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(whole)])]


@pytest.mark.parametrize("name", CHOSEN)
def test_answers_are_the_servers(proxy, postgres, name):
    messages = SEQUENCES[name]
    direct = answers(postgres.port, pieces_of(messages, None))
    for seed in [None] + list(range(CUTS + 1)) * bool(CUTS):
        proxied = answers(proxy.port, pieces_of(messages, seed))
        different = [(theirs, ours) for theirs, ours in zip(direct, proxied) if not is_same(theirs, ours)]
        assert not different and len(direct) == len(proxied), f"{name}, seed {seed}: {different[:3]} {direct} {proxied}"


@pytest.mark.parametrize("text", ["SELECT 2", "SELEC 2", "SELECT 2; SELEC 3"])
def test_query_ends_the_unnamed_statement_even_where_the_proxy_refuses_it(proxy, postgres, text):
    """With nothing open, a text that the grammar refuses does not reach the server."""
    def conversation(port):
        with Wire("127.0.0.1", port) as session:
            session.send(parse_message("SELECT 1"), SYNC)
            session.ready().expect_ok()
            query = session.query(text)
            session.send(bind_message(), describe_message(), execute_message(), SYNC)
            return [normal(*answer) for answer in query.messages + session.ready().messages]

    direct, proxied = conversation(postgres.port), conversation(proxy.port)
    assert len(direct) == len(proxied)
    assert all(is_same(theirs, ours) for theirs, ours in zip(direct, proxied)), f"{direct} {proxied}"
