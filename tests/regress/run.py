#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL's own test suites through the proxy, with a plugin that objects to nothing, and directly: the same outputs.

Usage: run.py [--output FOLDER] [SUITE...]    (tools/dev regress sets the environment; all suites unless named)

What PostgreSQL expects is not asked: a test is different where the proxied run prints something else than the direct one. One that
two direct runs print differently says nothing, and is counted as unstable. What the proxy does refuse is taken out of both: see
excused.py. Large objects of libpq are FunctionCall messages, so [protocol] function_call is "pass" here. Exit status 1 where a test is
different.
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
from leg import leg  # noqa: E402
from suites import suites  # noqa: E402

PLUGIN = os.path.join(SOURCE_DIR, "tests/guests/allows.wat")
DIRECT, PROXIED, AGAIN = "direct", "proxied", "direct again"


def outputs(which, chosen, only=None):
    """{(suite, test): what it printed} of a whole run; with `only`, of the suites of these tests."""
    found = {}
    wanted = {suite for suite, _ in only} if only is not None else None
    with leg(PLUGIN if which == PROXIED else None) as run:
        for suite in chosen:
            if wanted is not None and suite.name not in wanted:
                continue
            run.prepare(suite)
            for test in suite.tests:
                found[suite.name, test] = run.run(suite, test)
            print(f"    {which}: {suite.name}, {len(suite.tests)} tests", flush=True)
        if run.proxy:
            check_judged(run.proxy)
            print(f"    {run.excused} statements were taken out: see excused.py")
    return found


def check_judged(proxy):
    """A comparison in which no hook ran would prove nothing."""
    metrics = proxy.admin.get("/metrics").body.decode()
    judged = sum(float(line.split()[-1]) for line in metrics.splitlines() if line.startswith("helios_plugin_calls_total"))
    print(f"    hooks were called {judged:.0f} times")
    assert judged > 0, metrics


def difference(direct, proxied):
    return "\n".join(difflib.unified_diff(direct.splitlines(), proxied.splitlines(), DIRECT, PROXIED, n=2, lineterm=""))


def write(folder, name, text):
    with open(os.path.join(folder, name.replace("/", "-")), "w", encoding="utf-8") as file:
        file.write(text)


def main():
    with open(os.path.join(SOURCE_DIR, "docs/protocol.md"), encoding="utf-8") as page:
        check_rows(page.read())
    known = suites()
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--output", help="a folder for the outputs of tests that are different")
    parser.add_argument("suites", nargs="*")
    arguments = parser.parse_args()
    chosen = [suite for name, suite in known.items()
              if not arguments.suites or name in arguments.suites or name.split("/")[0] in arguments.suites]
    direct, proxied = outputs(DIRECT, chosen), outputs(PROXIED, chosen)
    different = [key for key in direct if direct[key] != proxied[key]]
    again = outputs(AGAIN, chosen, different) if different else {}
    unstable = [key for key in different if direct[key] != again[key]]
    for key in different:
        text = difference(direct[key], proxied[key])
        name = f"{key[0]} {key[1]}"
        print(f"{'unstable' if key in unstable else 'DIFFERENT'} {name}\n{text if key not in unstable else ''}")
        if arguments.output:
            write(arguments.output, f"{name}.diff", text)
    failed = len(different) - len(unstable)
    print(f"{len(unstable)} unstable")
    print(f"{len(direct) - len(different)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
