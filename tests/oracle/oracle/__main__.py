# SPDX-License-Identifier: Apache-2.0
"""python3 -m oracle [CONVERSATIONS] [SEED]: prints divergences that are not known, shrunk, as tests."""

import sys
import time
from collections import Counter

from .place import Place  # first: it finds the harness
from .generator import Generator
from .known import row_of, rows
from .runner import Runner
from .shrink import shrink

BATCH = 40
MOST_SHRUNK = 12  # of each kind


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
    seed = sys.argv[2] if len(sys.argv) > 2 else "1"
    kinds, excused, first, known = Counter(), Counter(), {}, rows()
    with Place() as place:
        runner, began = Runner(place), time.monotonic()
        for at in range(0, count, BATCH):
            found = runner.run([Generator(seed, index).make() for index in range(at, min(at + BATCH, count))])
            for each in found:
                row = row_of(known, each)
                if row:
                    excused[row.what] += 1
                    continue
                kinds[each.kind] += 1
                if kinds[each.kind] == 1:
                    print(f"first {each.kind}: conversation {each.conversation.name}", flush=True)
                first.setdefault(each.kind, []).append(each)
            if at // BATCH % 25 == 24:
                print(f"{at + BATCH} conversations, {time.monotonic() - began:.0f} s, {dict(kinds)}", flush=True)
        seconds = time.monotonic() - began
        print(f"{count} conversations in {seconds:.0f} s, {count / seconds:.0f} a second; divergences: {dict(kinds)}", flush=True)
        for what, times in excused.most_common():
            print(f"known, {times} times: {what}")
        for kind, examples in first.items():
            report(runner, known, kind, examples)
    return 1 if kinds else 0


def report(runner, known, kind, examples):
    """Those whose messages look alike, once they are shrunk, are printed once."""
    shown = set()
    for example in sorted(examples, key=lambda each: len(each.conversation.steps))[:MOST_SHRUNK]:
        small = shrink(runner, known, example)
        if not small:
            print(f"\n# {kind}: not shown again by {example.conversation.name}: {example.what}", flush=True)
        elif small.conversation.looks() not in shown:
            shown.add(small.conversation.looks())
            print(f"\n# {kind}, conversation {example.conversation.name}\n{small.conversation.as_test(small)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
