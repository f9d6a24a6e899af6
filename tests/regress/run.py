#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL's own test suites through the proxy, with a plugin that objects to nothing, and directly: equal outputs.

Usage: run.py [--output FOLDER] [SUITE...]    (tools/dev regress sets the environment; all suites unless named)

What PostgreSQL expects is not asked: a test is different where the proxied run prints something else than the direct
one. One that two direct runs print differently says nothing, and is counted as unstable. What the proxy does refuse is
taken out of both: see excused.py. Exit status 1 where a test is different.
"""

import argparse
import difflib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE_DIR = os.environ.setdefault("HELIOS_SOURCE_DIR", os.path.abspath(os.path.join(HERE, "../..")))
os.environ.setdefault("HELIOS_TEST_PG", "15")  # the suites are those of this one
sys.path.insert(0, os.path.join(SOURCE_DIR, "tests/integration"))

from excused import check_rows  # noqa: E402
from harness.ways import DIRECT, PROXIED  # noqa: E402
from leg import leg  # noqa: E402
from suites import suites  # noqa: E402


def outputs(which, chosen):
    """{(suite, test): what it printed}"""
    found = {}
    with leg(which) as run:
        for suite in chosen:
            run.prepare(suite)
            for test in suite.tests:
                found[suite.name, test] = run.run(suite, test)
            print(f"    {which}: {suite.name}, {len(suite.tests)} tests", flush=True)
        if which == PROXIED:
            print(f"    hooks were called {run.way.check_judged()} times; "
                  f"{run.excused} statements were taken out: see excused.py")
    return found


def difference(direct, proxied):
    return "\n".join(difflib.unified_diff(direct.splitlines(), proxied.splitlines(), DIRECT, PROXIED, n=2, lineterm=""))


def report(key, text, folder):
    name = f"{key[0]} {key[1]}"
    print(f"DIFFERENT {name}\n{text}")
    if folder:
        with open(os.path.join(folder, name.replace("/", "-") + ".diff"), "w", encoding="utf-8") as file:
            file.write(text)


def compare(chosen, folder):
    """(how many are the same, different, unstable)"""
    direct, proxied = outputs(DIRECT, chosen), outputs(PROXIED, chosen)
    suspects = [key for key in direct if direct[key] != proxied[key]]
    failed = {name for name, _ in suspects}
    again = outputs(DIRECT, [suite for suite in chosen if suite.name in failed]) if suspects else {}
    different = [key for key in suspects if direct[key] == again[key]]
    for key in suspects:
        if key in different:
            report(key, difference(direct[key], proxied[key]), folder)
        else:
            print(f"unstable {key[0]} {key[1]}")
    return len(direct) - len(suspects), len(different), len(suspects) - len(different)


def main():
    with open(os.path.join(SOURCE_DIR, "docs/protocol.md"), encoding="utf-8") as page:
        check_rows(page.read())
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--output", help="a folder for the outputs of tests that are different")
    parser.add_argument("suites", nargs="*")
    arguments = parser.parse_args()
    chosen = [suite for name, suite in suites().items()
              if not arguments.suites or name in arguments.suites or name.split("/")[0] in arguments.suites]
    assert chosen, f"there is no such suite: {arguments.suites}"
    same, different, unstable = compare(chosen, arguments.output)
    print(f"{unstable} unstable")
    print(f"{same} passed, {different} failed")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
