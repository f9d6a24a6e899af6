# SPDX-License-Identifier: Apache-2.0
"""Leaves out of a conversation whatever the divergence does not need."""

import time

from .known import row_of

MOST_TRIES = 150
MOST_SECONDS = 40.0  # what hangs is seen late, each time


def shrink(runner, known, example):
    """The smallest conversation found that still shows a divergence of this kind that is not known, and that divergence."""
    tries, end = 0, time.monotonic() + MOST_SECONDS
    best = None

    def attempt(candidate):
        nonlocal tries, best
        tries += 1
        shown = [each for each in runner.run([candidate]) if each.kind == example.kind and not row_of(known, each)]
        if shown:
            best = shown[0]
        return bool(shown)

    if not attempt(example.conversation):
        return None
    for change in ({"cuts": 0}, {"parameters": {}}):
        candidate = best.conversation.replaced(best.conversation.steps, **change)
        attempt(candidate)
    size = max(1, len(best.conversation.steps) // 2)
    while tries < MOST_TRIES and time.monotonic() < end:
        steps, at, smaller = best.conversation.steps, 0, False
        while at < len(steps) and tries < MOST_TRIES and time.monotonic() < end:
            if attempt(best.conversation.replaced(steps[:at] + steps[at + size:])):
                steps, smaller = best.conversation.steps, True
            else:
                at += size
        if size == 1 and not smaller:
            break
        size = max(1, size // 2)
    return best
