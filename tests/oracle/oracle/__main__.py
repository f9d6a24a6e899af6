# SPDX-License-Identifier: Apache-2.0
"""python3 -m oracle [CONVERSATIONS] [SEED]: prints each kind of divergence once, shrunk, as a test."""

import sys
import time
from collections import Counter

from .place import Place  # first: it finds the harness
from .generator import Generator
from .runner import Runner
from .shrink import shrink

BATCH = 40


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
    seed = sys.argv[2] if len(sys.argv) > 2 else "1"
    kinds, first = Counter(), {}
    with Place() as place:
        runner, began = Runner(place), time.monotonic()
        for at in range(0, count, BATCH):
            found = runner.run([Generator(seed, index).make() for index in range(at, min(at + BATCH, count))])
            for each in found:
                kinds[each.kind] += 1
                first.setdefault(each.kind, []).append(each)
            if at // BATCH % 25 == 24:
                print(f"{at + BATCH} conversations, {time.monotonic() - began:.0f} s, {dict(kinds)}", flush=True)
        seconds = time.monotonic() - began
        print(f"{count} conversations in {seconds:.0f} s, {count / seconds:.0f} a second; divergences: {dict(kinds)}", flush=True)
        for kind, examples in first.items():
            report(runner, kind, examples)
    return 1 if kinds else 0


def report(runner, kind, examples):
    for example in sorted(examples, key=lambda each: len(each.conversation.steps))[:3]:
        small = shrink(runner, example.conversation, kind)
        if small:
            print(f"\n# {kind}, conversation {example.conversation.name}\n{small.conversation.as_test(small)}", flush=True)
            return
    print(f"\n# {kind}: not shown again by {examples[0].conversation.name}: {examples[0].what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
