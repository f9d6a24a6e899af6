#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions of one session per query, for each shape of session_bench, counted by callgrind.

Each shape runs with two numbers of queries; what is shown comes from the difference, so that start and warm-up do not
count. The counts are those of the machine code, kernel excluded: they hardly depend on what else the machine does.
`tools/dev bench instructions` builds what this needs. See docs/performance.md.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

MEASURED = "session_bench_measured"
COUNTS = re.compile(r"allocations (\d+), clock readings (\d+)")
TOTALS = re.compile(r"^(?:totals|summary): (\d+)", re.MULTILINE)


class Counts:
    """Of some queries: instructions, allocations, clock readings."""

    def __init__(self, instructions, allocations, readings):
        self.values = (instructions, allocations, readings)

    def per_query_beyond(self, fewer, queries):
        return tuple((mine - theirs) / queries for mine, theirs in zip(self.values, fewer.values))


def shapes_of(program):
    names = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    if not names:
        sys.exit(f"{program} names no shapes")
    return names


def count(program, shape, queries, profile):
    result = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--toggle-collect={MEASURED}", f"--callgrind-out-file={profile}",
         "--smc-check=all-non-file", program, shape, str(queries)], capture_output=True, text=True)
    said = COUNTS.search(result.stdout)
    if result.returncode or not said:
        sys.exit(f"{program} {shape} {queries}: status {result.returncode}\n{result.stdout}{result.stderr}")
    with open(profile, encoding="utf-8", errors="replace") as file:
        total = TOTALS.search(file.read())
    if not total or int(total[1]) == 0:
        sys.exit(f"{profile}: callgrind has counted nothing inside of {MEASURED}")
    return Counts(int(total[1]), int(said[1]), int(said[2]))


def per_query(program, shape, queries, folder, label):
    profiles = [os.path.join(folder, f"{label}.{shape.replace('/', '.')}.{times}x.callgrind") for times in (1, 2)]
    fewer = count(program, shape, queries, profiles[0])
    more = count(program, shape, 2 * queries, profiles[1])
    return more.per_query_beyond(fewer, queries)


def measure(options, folder):
    rows = []
    for shape in shapes_of(options.program):
        if not any(part in shape for part in options.only.split(",")):
            continue
        print(f"    {shape}", file=sys.stderr, flush=True)
        mine = per_query(options.program, shape, options.queries, folder, "this")
        base = options.baseline and per_query(options.baseline, shape, options.queries, folder, "baseline")
        rows.append((shape, mine, base))
    return rows


def show(rows):
    has_base = any(base for _, _, base in rows)
    print("| shape | instructions | allocations | clock readings |" + (" baseline | difference |" if has_base else ""))
    print("|---|---|---|---|" + ("---|---|" if has_base else ""))
    for shape, (instructions, allocations, readings), base in rows:
        line = f"| {shape} | {instructions:,.0f} | {allocations:.2f} | {readings:.2f} |"
        if base:
            line += f" {base[0]:,.0f}, {base[1]:.2f}, {base[2]:.2f} | {instructions - base[0]:+,.0f} |"
        print(line)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/release/bench/session_bench")
    parser.add_argument("--baseline", default="", help="the session_bench of another build, to compare with")
    parser.add_argument("--queries", type=int, default=1000, help="of the shorter run; the longer has twice as many")
    parser.add_argument("--only", default="", help="shapes whose name contains one of these")
    parser.add_argument("--keep", default="", help="a folder for the profiles, which callgrind_annotate reads")
    return parser.parse_args()


def main():
    options = arguments()
    if options.keep:
        os.makedirs(options.keep, exist_ok=True)
        rows = measure(options, options.keep)
    else:
        with tempfile.TemporaryDirectory() as folder:
            rows = measure(options, folder)
    if not rows:
        sys.exit("no shape has such a name")
    show(rows)


if __name__ == "__main__":
    main()
