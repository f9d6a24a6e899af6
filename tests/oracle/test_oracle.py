# SPDX-License-Identifier: Apache-2.0
"""The short form of the oracle: some hundred conversations, and the divergences that are known today."""

import os
import time

import pytest
from oracle.generator import Generator
from oracle.known import row_of, rows
from oracle.messages import e, q, sync
from oracle.shrink import shrink

CONVERSATIONS = int(os.environ.get("HELIOS_ORACLE_CONVERSATIONS", "600"))
SECONDS = 15.0  # on a busy machine fewer are held,
FEWEST = 60  # but so many
BATCH = 30
TRIES = 10  # some need that an answer comes late
KNOWN = rows()


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
    while held < FEWEST or held < CONVERSATIONS and time.monotonic() < end:
        found = runner.run([Generator("short", index).make() for index in range(held, held + BATCH)])
        held += BATCH
        for each in found:
            if not row_of(KNOWN, each):
                small = shrink(runner, KNOWN, each) or each
                pytest.fail(f"{small.kind}, conversation {each.conversation.name}:\n{small.conversation.as_test(small)}")


def test_transaction_command_waits_for_an_error_that_undoes_a_local_setting(oracle):
    oracle.agrees(messages=[
        q("SELECT /*101*/ set_config('helios.tenant_id', 'acme', true); START /*103*/ TRANSACTION"),
        e(""), sync(), q("COMMIT /*108*/"),
    ])
