# SPDX-License-Identifier: Apache-2.0
"""The tests that the pages about security and the protocol name exist, and every verdict that claims something has a test behind it.

A test stands between backticks: `test_tenants.py::test_the_server_agrees` for one below tests/, `sql.Smuggling.comments_nest`
(module, suite, name) for one of tests/unit/.
"""

import os
import re

import common

PAGES = ("docs/security-pitfalls.md", "SECURITY.md", "docs/protocol.md")
PAGES_WITHOUT_VERDICTS = ("docs/protocol.md",)
TICKED = re.compile(r"`([^`]+)`")
PYTHON_TEST = re.compile(r"^(test_\w+\.py)::(test_\w+)$")
UNIT_TEST = re.compile(r"^([a-z_]+(?:/[a-z_]+)?)\.([A-Z]\w*)\.(\w+)$")
# A row of the pitfalls' tables: | pitfall | source | verdict | tests |
VERDICTS = ("immune", "mended", "accepted risk", "not applicable")
CLAIMS = ("immune", "mended")


def python_tests(root, files):
    """(file name, test) of every Python test."""
    names = set()
    for file in files:
        if file.startswith("tests/") and file.endswith(".py"):
            for match in re.finditer(r"^def (test_\w+)\(", common.read_text(root, file) or "", re.MULTILINE):
                names.add((os.path.basename(file), match[1]))
    return names


def unit_tests(root, files):
    """(module, suite, test) of every unit test."""
    names = set()
    for file in files:
        if file.startswith("tests/unit/") and file.endswith(".cpp"):
            module = os.path.dirname(file).removeprefix("tests/unit/").replace("/", "_")
            text = common.read_text(root, file) or ""
            for match in re.finditer(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", text, re.MULTILINE):
                names.add((module, match[1], match[2]))
    return names


def named_tests(line):
    for match in TICKED.finditer(line):
        if PYTHON_TEST.match(match[1]) or UNIT_TEST.match(match[1]):
            yield match[1]


def exists(name, known):
    match = PYTHON_TEST.match(name) or UNIT_TEST.match(name)
    return match.groups() in known


def verdict_of(line):
    """The verdict of a row, "" when it has none, None when the line is no row."""
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    if not line.startswith("|") or len(cells) < 4 or set(cells[0]) <= set("-: ") or cells[2] == "verdict":
        return None
    return next((verdict for verdict in VERDICTS if cells[2].startswith(verdict)), "")


def problems(root, files):
    known = python_tests(root, files) | unit_tests(root, files)
    found = []
    for page in (page for page in PAGES if page in files):
        for number, line in common.numbered_lines(root, page):
            names = list(named_tests(line))
            found += [f"{page}:{number}: there is no test {name}" for name in names if not exists(name, known)]
            verdict = None if page in PAGES_WITHOUT_VERDICTS else verdict_of(line)
            if verdict == "":
                found.append(f"{page}:{number}: the verdict must begin with one of: {', '.join(VERDICTS)}")
            elif verdict in CLAIMS and not names:
                found.append(f"{page}:{number}: '{verdict}' names no test")
    return found


CLEAN = {
    "docs/security-pitfalls.md": "| pitfall | source | verdict | tests |\n|---|---|---|---|\n"
                                 "| a | b | immune: so | `test_a.py::test_one`, `sql.Reading.two` |\n"
                                 "| a | b | not applicable without TLS | |\n",
    "tests/integration/test_a.py": "def test_one(proxy):\n    pass\n",
    "tests/unit/sql/a_test.cpp": "TEST(Reading, two) {}\nTEST_P(Cuts, three) {}\n",
    "SECURITY.md": "`sql.Cuts.three`, `plugins.limits`, `src/base.hpp`\n",
}
ROW = "| a | b | {} | {} |\n"
VIOLATIONS = [
    ({"SECURITY.md": "`test_a.py::test_gone`\n"}, "no test test_a.py::test_gone"),
    ({"SECURITY.md": "\n`sql.Reading.gone`\n"}, "SECURITY.md:2: there is no test sql.Reading.gone"),
    ({"SECURITY.md": "`session.Reading.two`\n"}, "no test session.Reading.two"),
    ({"docs/security-pitfalls.md": ROW.format("immune", "")}, "names no test"),
    ({"docs/security-pitfalls.md": ROW.format("fine", "`test_a.py::test_one`")}, "the verdict must begin"),
]

if __name__ == "__main__":
    common.main("pitfalls", problems, CLEAN, VIOLATIONS)
