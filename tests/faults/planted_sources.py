#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the sources of a folder that must be compiled again for heliosproxy_faulty, one a line: those that name what
seam.hpp takes the place of, or include, at any depth within the folder, a header that does.

planted_sources.py FOLDER   (src/app)
"""

import pathlib
import re
import sys

PLANTED = re.compile(r"\b(MemoryStore|PluginHost)\b")
INCLUDE = re.compile(r'^#include "app/([^"]+)"', re.MULTILINE)


def main():
    texts = {path.name: path.read_text() for path in pathlib.Path(sys.argv[1]).iterdir() if path.suffix in (".cpp", ".hpp")}
    planted = {name for name, text in texts.items() if PLANTED.search(text)}
    while True:
        more = {name for name, text in texts.items() if planted & set(INCLUDE.findall(text))} - planted
        if not more:
            break
        planted |= more
    print(*sorted(name for name in planted if name.endswith(".cpp")), sep="\n")


main()
