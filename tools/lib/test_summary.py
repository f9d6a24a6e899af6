#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts what a run of ctest has tested, says why tests were skipped, and how to repeat those that failed.

test_summary.py FILE PRESET     FILE: what `ctest --output-junit` has written

One test of ctest is a suite of GoogleTest, a file of pytest, or a script. The first two are counted by what they say
themselves; a script is one test. Exit status 1: there was no test.
"""

import re
import sys
import xml.etree.ElementTree as xml
from dataclasses import dataclass, field

GOOGLETEST = {"passed": re.compile(r"^\[  PASSED  \] (\d+) tests?\.", re.MULTILINE),
              "failed": re.compile(r"^\[  FAILED  \] (\d+) tests?, listed below", re.MULTILINE),
              "skipped": re.compile(r"^\[  SKIPPED \] (\d+) tests?, listed below", re.MULTILINE)}
PYTEST = re.compile(r"^(?:=+ )?((?:\d+ \w+, )*\d+ \w+) in [\d.]+s", re.MULTILINE)
PYTEST_WORDS = {"passed": "passed", "xfailed": "passed", "skipped": "skipped", "failed": "failed", "error": "failed", "errors": "failed"}
FAILED_ALONE = re.compile(r"^(?:\[  FAILED  \] (\w[\w/]*\.\w[\w/]*)|(?:FAILED|ERROR) (\S+\.py::\S+))", re.MULTILINE)
SKIPPED = re.compile(r"^SKIPPED \[\d+\] (.*)$|^\S+: Skipped\n(.*)$", re.MULTILINE)
MOST_NAMES = 20  # of what failed in one group


@dataclass
class Run:
    counts: dict = field(default_factory=lambda: {"passed": 0, "failed": 0, "skipped": 0})
    reasons: list = field(default_factory=list)   # (group, why it skipped something)
    failures: list = field(default_factory=list)  # (group, what failed in it)


def counted(output):
    """{outcome: tests} by the words of GoogleTest or pytest; None: neither has said anything."""
    if re.search(r"^\[  (PASSED |FAILED ) \]", output, re.MULTILINE):
        found = {outcome: pattern.search(output) for outcome, pattern in GOOGLETEST.items()}
        return {outcome: int(number[1]) for outcome, number in found.items() if number}
    pytest = PYTEST.search(output)
    if not pytest:
        return None
    counts = {}
    for number, word in (part.split(" ") for part in pytest[1].split(", ")):
        if word in PYTEST_WORDS:
            counts[PYTEST_WORDS[word]] = counts.get(PYTEST_WORDS[word], 0) + int(number)
    return counts


def add(run, group):
    name, output = group.get("name"), group.findtext("system-out") or ""
    status, said = group.get("status"), group.find("skipped")
    is_skipped = status == "notrun" and said is not None and "SKIP_" in said.get("message", "")
    has_failed = status != "run" and not is_skipped
    counts = counted(output) or ({"skipped": 1} if is_skipped else {} if has_failed else {"passed": 1})
    if has_failed and not counts.get("failed"):  # a script, or it ended without a word
        counts["failed"] = 1
    for outcome, number in counts.items():
        run.counts[outcome] += number
    if has_failed:
        run.failures.append((name, list(dict.fromkeys(one or two for one, two in FAILED_ALONE.findall(output)))))
    if counts.get("skipped"):
        lines = output.strip().splitlines() or ["it does not say why"]
        run.reasons += [(name, "".join(each)) for each in SKIPPED.findall(output)] or [(name, lines[-1])]


def report(run, groups, preset):
    option = "" if preset == "dev" else f"--preset {preset} "
    for name, reason in run.reasons:
        print(f"skipped in {name}: {reason}")
    for name, alone in run.failures:
        print(f"failed: {name}{''.join(f' {each}' for each in alone[:MOST_NAMES])}")
        print(f"    repeat it alone: tools/dev test {option}-R '^{re.escape(name)}$' -V")
    print(", ".join(f"{number} {outcome}" for outcome, number in run.counts.items()) + f": tests, in {groups} groups")


def main():
    file, preset = sys.argv[1:3]
    with open(file, encoding="utf-8", errors="replace") as text:
        groups = xml.fromstring(re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "?", text.read())).findall("testcase")
    run = Run()
    for group in groups:
        add(run, group)
    report(run, len(groups), preset)
    return 0 if groups else 1


sys.exit(main())
