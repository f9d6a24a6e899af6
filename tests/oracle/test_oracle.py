# SPDX-License-Identifier: Apache-2.0
"""The short form of the oracle: some hundred conversations, and the divergences that are known today."""

import os
import sys
import time
import tomllib

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from oracle.place import Place  # noqa: E402, first: it finds the harness
from oracle.conversation import Conversation  # noqa: E402
from oracle.generator import Generator  # noqa: E402
from oracle.messages import read_step  # noqa: E402
from oracle.runner import Runner  # noqa: E402
from oracle.shrink import shrink  # noqa: E402

CONVERSATIONS = int(os.environ.get("HELIOS_ORACLE_CONVERSATIONS", "300"))
SECONDS = 12.0  # a proxy that often ends by itself takes its time; then fewer are held
FEWEST = 40
BATCH = 20

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "known.toml"), "rb") as file:
    KNOWN = tomllib.load(file)["known"]


@pytest.fixture(scope="module")
def runner():
    with Place() as place:
        yield Runner(place)


@pytest.mark.parametrize("row", KNOWN, ids=[row["kind"] for row in KNOWN])
def test_known_divergence_is_still_there(runner, row):
    """The list may only get shorter."""
    steps = [read_step(line) for line in row["messages"]]
    found = runner.run([Conversation(row["kind"], steps, row.get("parameters", {}))])
    assert row["kind"] in {each.kind for each in found}, f"{row['kind']} is mended: remove this row of known.toml"


def test_hooks_are_told_what_the_server_does(runner):
    known, end, held = {row["kind"] for row in KNOWN}, time.monotonic() + SECONDS, 0
    while held < CONVERSATIONS and time.monotonic() < end:
        found = runner.run([Generator("short", index).make() for index in range(held, held + BATCH)])
        held += BATCH
        for each in found:
            if each.kind not in known:
                small = shrink(runner, each.conversation, each.kind) or each
                pytest.fail(f"{small.kind}, conversation {each.conversation.name}:\n{small.conversation.as_test(small)}")
    assert held >= FEWEST
