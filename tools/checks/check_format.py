# SPDX-License-Identifier: Apache-2.0
"""All C and C++ sources are as clang-format-19 leaves them."""

import os
import re
import subprocess

import common

STYLE = os.path.join(common.PROJECT, ".clang-format")
ERROR = re.compile(r"^(.+?:\d+):\d+: error:")


def problems(root, files):
    sources = [f for f in files if f.endswith((".cpp", ".hpp", ".c", ".h"))]
    if not sources:
        return []
    run = subprocess.run(
        ["clang-format-19", f"--style=file:{STYLE}", "--dry-run", "-Werror", *sources],
        cwd=root, capture_output=True, text=True)
    found = {}
    for line in run.stderr.splitlines():
        match = ERROR.match(line)
        if match:
            found.setdefault(match[1].rsplit(":", 1)[0], f"{match[1]}: not formatted (tools/dev fmt)")
    if run.returncode != 0 and not found:
        found[""] = f"clang-format-19 failed: {run.stderr.strip()}"
    return list(found.values())


CLEAN = {"src/base/a.hpp": "#pragma once\n\nint f();\n"}
VIOLATIONS = [
    ({"src/base/b.cpp": "int  f( ) {return 1 ;}\n"}, "src/base/b.cpp:1: not formatted"),
    ({"abi/b.h": "#include <vector>\n#include <array>\n"}, "abi/b.h:1: not formatted"),
]

if __name__ == "__main__":
    common.main("format", problems, CLEAN, VIOLATIONS)
