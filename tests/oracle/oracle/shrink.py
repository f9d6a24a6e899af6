# SPDX-License-Identifier: Apache-2.0
"""Leaves out of a conversation whatever the divergence does not need."""

import time

from .known import row_of

MOST_SECONDS = 40.0  # what hangs is seen late, each time
AT_ONCE = 6


class Shrinker:
    def __init__(self, runner, known, example):
        self.runner, self.known, self.kind = runner, known, example.kind
        self.best = None
        self.end = time.monotonic() + MOST_SECONDS

    def try_all(self, candidates):
        """The first of them, if any, that still shows a divergence of this kind that is not known becomes the best."""
        for at in range(0, len(candidates), AT_ONCE):
            some = candidates[at:at + AT_ONCE]
            shown = [each for each in self.runner.run(some) if each.kind == self.kind and not row_of(self.known, each)]
            if shown:
                self.best = min(shown, key=lambda each: some.index(each.conversation))
                return True
            if time.monotonic() > self.end:
                break
        return False

    def leave_out(self, size):
        """Goes through the messages once, `size` at a time. Was any left out?"""
        before, at = len(self.best.conversation.steps), 0
        while at < len(self.best.conversation.steps) and time.monotonic() < self.end:
            steps = self.best.conversation.steps
            places = range(at, len(steps), size)
            if not self.try_all([self.best.conversation.replaced(steps[:i] + steps[i + size:]) for i in places]):
                break
            at = next(i for i in places if self.best.conversation.steps[i:] == steps[i + size:])
        return len(self.best.conversation.steps) < before


def shrink(runner, known, example):
    """The divergence in the smallest conversation found that still shows one of this kind that is not known; or None."""
    shrinker = Shrinker(runner, known, example)
    if not shrinker.try_all([example.conversation] * 3):
        return None
    for change in ({"cuts": 0}, {"parameters": {}}, {"engine": "auto"}):
        shrinker.try_all([shrinker.best.conversation.replaced(shrinker.best.conversation.steps, **change)])
    size = max(1, len(shrinker.best.conversation.steps) // 2)
    while time.monotonic() < shrinker.end:
        smaller = shrinker.leave_out(size)
        if size == 1 and not smaller:
            break
        size = max(1, size // 2)
    return shrinker.best
