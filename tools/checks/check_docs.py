# SPDX-License-Identifier: Apache-2.0
"""Paths that the documents name exist: `src/kv/store.hpp` between backticks, and the targets of relative links."""

import os
import re

import common

FOLDERS = ("src", "abi", "plugins", "demos", "tests", "bench", "deps", "tools", "docs", "cmake", ".ci")
TICKED = re.compile(r"`((?:" + "|".join(re.escape(f) for f in FOLDERS) + r")/[\w./+-]*)(?::\d+)?(?: [^`]*)?`")
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)(?:#[^)]*)?\)")
# Compiled guests lie in a plugin folder of the operator's, not in the tree.
NOT_OURS = (".wasm",)


def named_paths(file, line):
    for match in TICKED.finditer(line):
        if not match[1].endswith(NOT_OURS):
            yield match[1]
    for match in LINK.finditer(line):
        yield os.path.normpath(os.path.join(os.path.dirname(file), match[1]))


def problems(root, files):
    found = []
    for file in files:
        if not file.endswith(".md"):
            continue
        for number, line in common.numbered_lines(root, file):
            for path in named_paths(file, line):
                if not os.path.exists(os.path.join(root, path.rstrip("."))):
                    found.append(f"{file}:{number}: {path} does not exist")
    return found


CLEAN = {
    "src/kv/store.hpp": "\n",
    "docs/a.md": "`src/kv/store.hpp` `src/kv/` `plugins/mine.wasm` [up](../README.md#x) [w](https://example.org/)\n",
    "README.md": "[a](docs/a.md) `tools/dev` `src/kv/store.hpp:12`\n",
    "tools/dev": "\n",
}
VIOLATIONS = [
    ({"ARCHITECTURE.md": "\n`src/kv/gone.hpp`\n"}, "ARCHITECTURE.md:2: src/kv/gone.hpp"),
    ({"docs/b.md": "[gone](gone.md)\n"}, "docs/b.md:1: docs/gone.md"),
    ({"docs/c.md": "`tools/gone setup`\n"}, "tools/gone"),
]

if __name__ == "__main__":
    common.main("docs", problems, CLEAN, VIOLATIONS)
