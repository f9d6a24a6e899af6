# SPDX-License-Identifier: Apache-2.0
"""What the suites ask for and the proxy does not do: rows of docs/protocol.md, "What differs from PostgreSQL".

Statements of these kinds are taken out of the texts of both runs, so that all that is left must be the same.
"""

import re

# (the row's first words, test, what is taken out)
EXCUSED = [
    ("`EXPLAIN EXECUTE`", None, re.compile(
        r"(?:^|(?<=\{ ))(?:explain\b[^;']*?\sexecute|create\s+(?:temp\w*\s+|unlogged\s+)?table\s[^;']*?\sas\s+execute)"
        r"\s+\w+[^;]*;",
        re.IGNORECASE | re.MULTILINE)),
    # The grammar of version 18 tells of the position, that of 15 does not.
    ("a text that the grammar of PostgreSQL 18 refuses", "create_table", re.compile(
        r"^CREATE TABLE partitioned \(\s+a int\s+\) PARTITION BY MAGIC \(a\);", re.MULTILINE)),
]


def without_excused(test, text):
    """(the text without what is excused, how many statements that were)"""
    taken = 0
    for _, name, pattern in EXCUSED:
        if name in (None, test):
            text, count = pattern.subn("", text)
            taken += count
    return text, taken


def check_rows(page):
    """Every excuse is a row of the page's table."""
    rows = [line for line in page.splitlines() if line.startswith("|")]
    for row, _, _ in EXCUSED:
        assert any(line.startswith(f"| {row}") for line in rows), f"docs/protocol.md has no row {row}"
