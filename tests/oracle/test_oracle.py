# SPDX-License-Identifier: Apache-2.0
"""The short form of the oracle: some hundred conversations, and the divergences that are known today."""

import os
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from oracle.place import Place  # noqa: E402, first: it finds the harness
from oracle.generator import Generator  # noqa: E402
from oracle.known import row_of, rows  # noqa: E402
from oracle.runner import Runner  # noqa: E402
from oracle.shrink import shrink  # noqa: E402

CONVERSATIONS = int(os.environ.get("HELIOS_ORACLE_CONVERSATIONS", "300"))
SECONDS = 12.0  # a proxy that often ends by itself takes its time; then fewer are held
FEWEST = 40
BATCH = 20
TRIES = 10  # some need that an answer comes late

KNOWN = rows()


@pytest.fixture(scope="module")
def runner():
    with Place() as place:
        yield Runner(place)


@pytest.mark.parametrize("row", KNOWN, ids=[row.what for row in KNOWN])
def test_known_divergence_is_still_there(runner, row):
    """The list may only get shorter."""
    for _ in range(TRIES):
        found = runner.run([row.example])
        if any(row.excuses(each) for each in found):
            return
    pytest.fail(f"mended: remove this row of known.toml (shown now: {[(each.kind, each.what) for each in found]})")


def test_hooks_are_told_what_the_server_does(runner):
    end, held = time.monotonic() + SECONDS, 0
    while held < CONVERSATIONS and time.monotonic() < end:
        found = runner.run([Generator("short", index).make() for index in range(held, held + BATCH)])
        held += BATCH
        for each in found:
            if not row_of(KNOWN, each):
                small = shrink(runner, KNOWN, each) or each
                pytest.fail(f"{small.kind}, conversation {each.conversation.name}:\n{small.conversation.as_test(small)}")
    assert held >= FEWEST
