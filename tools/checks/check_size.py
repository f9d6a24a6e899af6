# SPDX-License-Identifier: Apache-2.0
"""No file of the product grows past what one can read in one go."""

import common

MAX_LINES = 400
EXCEPTIONS = set()


def problems(root, files):
    found = []
    for file in files:
        if file.startswith("src/") and file.endswith((".cpp", ".hpp", ".c", ".h")) and file not in EXCEPTIONS:
            count = len(common.numbered_lines(root, file))
            if count > MAX_LINES:
                found.append(f"{file}:{count}: over {MAX_LINES} lines; find the second job in it and move that out")
    return found


CLEAN = {"src/a.cpp": "\n" * MAX_LINES, "tests/unit/a_test.cpp": "\n" * (MAX_LINES + 1)}
VIOLATIONS = [({"src/b.hpp": "\n" * (MAX_LINES + 1)}, "src/b.hpp:401")]

if __name__ == "__main__":
    common.main("size", problems, CLEAN, VIOLATIONS)
