# SPDX-License-Identifier: Apache-2.0
"""Every source file names its licence in its first lines."""

import os

import common

LINE = "SPDX-License-Identifier: Apache-2.0"
SUFFIXES = (".cpp", ".hpp", ".c", ".h", ".py", ".sh", ".cmake", ".rs", ".wat", ".toml", ".env", ".yml", ".sql")
NAMES = {"CMakeLists.txt", "Makefile", ".clang-format", ".clang-tidy", ".editorconfig", ".gitignore"}


def is_source(file, text):
    return file.endswith(SUFFIXES) or os.path.basename(file) in NAMES or text.startswith("#!")


def problems(root, files):
    found = []
    for file in files:
        text = common.read_text(root, file)
        if text is not None and is_source(file, text) and not any(LINE in line for line in text.splitlines()[:3]):
            found.append(f"{file}:1: no line '{LINE}'")
    return found


CLEAN = {
    "src/a.cpp": f"// {LINE}\n",
    "tools/x": f"#!/bin/sh\n# {LINE}\n",
    "README.md": "prose\n",
    "data/seed.txt": "bytes\n",
}
VIOLATIONS = [
    ({"src/b.hpp": "#pragma once\n"}, "src/b.hpp"),
    ({"tools/y": "#!/bin/sh\n"}, "tools/y"),
    ({"src/CMakeLists.txt": "add_library()\n"}, "src/CMakeLists.txt"),
    ({"plugins/p.toml": f"name = 'p'\n\n\n\n# {LINE}\n"}, "plugins/p.toml"),
]

if __name__ == "__main__":
    common.main("spdx", problems, CLEAN, VIOLATIONS)
