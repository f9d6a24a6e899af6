# SPDX-License-Identifier: Apache-2.0
"""The one table of what differs from PostgreSQL: docs/protocol.md, "What differs from PostgreSQL".

A row says what, with which SQLSTATE, why, and which test shows it. There are few: a refusal costs somebody something, and
a row that is added says that one more application will not work.
"""

import re

import check_pitfalls
import common

PAGE = "docs/protocol.md"
HEADING = "## What differs from PostgreSQL"
HEAD = ["what", "SQLSTATE", "reason", "test"]
MOST_ROWS = 15
SQLSTATES = re.compile(r"^[0-9][0-9A-Z]{4}(, [0-9][0-9A-Z]{4})*$")


def cells_of(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def table_of(lines):
    """The numbered lines of the table below the heading."""
    rows, is_below = [], False
    for number, line in lines:
        if line.startswith("## "):
            is_below = line == HEADING
        elif is_below and line.startswith("|"):
            rows.append((number, line))
    return rows


def problem_of(line, known):
    """What is wrong with a row, or None."""
    cells = cells_of(line)
    if len(cells) != len(HEAD) or not all(cells):
        return f"a row has {len(HEAD)} cells with something in them: {', '.join(HEAD)}"
    if not SQLSTATES.match(cells[1]):
        return f"'{cells[1]}' is not one SQLSTATE, or several with commas"
    tests = list(check_pitfalls.named_tests(cells[3]))
    if not tests:
        return "it names no test"
    missing = [name for name in tests if not check_pitfalls.exists(name, known)]
    return f"there is no test {missing[0]}" if missing else None


def problems(root, files):
    table = table_of(common.numbered_lines(root, PAGE)) if PAGE in files else []
    if len(table) < 3 or cells_of(table[0][1]) != HEAD:
        return [f"{PAGE}:1: there is no table | {' | '.join(HEAD)} | below '{HEADING}'"]
    known = check_pitfalls.python_tests(root, files) | check_pitfalls.unit_tests(root, files)
    found = []
    for number, line in table[2:]:
        problem = problem_of(line, known)
        if problem:
            found.append(f"{PAGE}:{number}: {problem}")
    if len(table) - 2 > MOST_ROWS:
        found.append(f"{PAGE}:{table[-1][0]}: {len(table) - 2} rows, {MOST_ROWS} at most")
    return found


HEADER = f"# Page\n\n{HEADING}\n\n| what | SQLSTATE | reason | test |\n|---|---|---|---|\n"
ROW = "| a | {} | because | {} |\n"
GOOD = ROW.format("0A000, 42501", "`test_a.py::test_one`")
TESTS = {"tests/integration/test_a.py": "def test_one(proxy):\n    pass\n"}
CLEAN = {PAGE: HEADER + GOOD * MOST_ROWS + "\n## Next\n\n| a | b |\n", **TESTS}
VIOLATIONS = [
    ({PAGE: HEADER + GOOD * (MOST_ROWS + 1)}, "16 rows"),
    ({PAGE: HEADER + ROW.format("0A000", "`test_a.py::test_gone`")}, "there is no test"),
    ({PAGE: HEADER + ROW.format("0A000", "somewhere")}, "names no test"),
    ({PAGE: HEADER + ROW.format("FATAL", "`test_a.py::test_one`")}, "not one SQLSTATE"),
    ({PAGE: HEADER + "| a | 0A000 | | `test_a.py::test_one` |\n"}, "4 cells"),
    ({PAGE: "# Page\n\n| what | how |\n"}, "there is no table"),
]

if __name__ == "__main__":
    common.main("differences", problems, CLEAN, VIOLATIONS)
