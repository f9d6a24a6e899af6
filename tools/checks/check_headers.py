# SPDX-License-Identifier: Apache-2.0
"""Every header below src/ and abi/ compiles alone: it includes what it uses.

A header that some source includes first is proven by the build itself, which costs nothing. The others are given to the
compiler by themselves, with the flags of BUILD_DIR's compile_commands.json; one that passed is looked at again when it,
something that it includes, or the flags change.

check_headers.py BUILD_DIR
"""

import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys

import common

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
ROOTS = ("src", "abi")
KEPT_FLAGS = ("-D", "-I", "-std=", "-fno-exceptions", "-fno-rtti")
# Passing a header as the main file makes these two speak up without cause.
SYNTAX_ONLY = ["-fsyntax-only", "-w"]


def includes(root, file):
    return INCLUDE.findall(common.read_text(root, file) or "")


def path_of(root, include):
    """The project's file behind an include; None for any other."""
    paths = (f"{folder}/{include}" for folder in ROOTS)
    return next((path for path in paths if os.path.isfile(os.path.join(root, path))), None)


def first_includes(root, files):
    firsts = set()
    for file in files:
        if file.endswith((".cpp", ".c")):
            firsts.update(path_of(root, include) for include in includes(root, file)[:1])
    return firsts


def unproven(root, files):
    proven = first_includes(root, files)
    return [f for f in files if f.startswith(tuple(r + "/" for r in ROOTS)) and f.endswith((".hpp", ".h"))
            and f not in proven]


def closure(root, file):
    """The header and everything of the project that it includes, however deep."""
    seen, waiting = set(), [file]
    while waiting:
        path = waiting.pop()
        if path and path not in seen:
            seen.add(path)
            waiting.extend(path_of(root, include) for include in includes(root, path))
    return sorted(seen)


def kept_flags(command):
    words = iter(shlex.split(command))
    for word in words:
        if word == "-isystem":
            yield from (word, next(words))
        elif word.startswith(KEPT_FLAGS):
            yield word


def compiler_of(command):
    """The compiler itself, whatever launcher stands in front of it."""
    return next(word for word in shlex.split(command) if re.search(r"(\+\+|cc|clang)(-\d+)?$", word)
                and not word.endswith("ccache"))


def common_folders(one, other):
    return len(os.path.commonprefix([one.split("/")[:-1], other.split("/")[:-1]]))


def command_for(root, header, commands):
    """How the nearest source of the same language is compiled, turned into a look at the header."""
    is_c = header.endswith(".h")
    nearest = max((c for c in commands if c["file"].endswith(".c") == is_c),
                  key=lambda c: common_folders(os.path.relpath(c["file"], root), header))
    language = ["-x", "c" if is_c else "c++"]
    return [compiler_of(nearest["command"]), *kept_flags(nearest["command"]), *SYNTAX_ONLY, *language, header]


def stamp_of(root, header, command):
    content = hashlib.sha256(repr(command).encode())
    for file in closure(root, header):
        content.update(file.encode() + b"\0" + (common.read_text(root, file) or "").encode() + b"\0")
    return content.hexdigest()


def problem_of(root, header, command, stamps):
    stamp = os.path.join(stamps, stamp_of(root, header, command))
    if os.path.exists(stamp):
        return None
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        os.makedirs(stamps, exist_ok=True)
        with open(stamp, "w", encoding="utf-8"):
            return None
    error = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip())
    return f"{header}:1: does not compile alone: {error}"


def problems(root, files, commands, stamps):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda header: problem_of(root, header, command_for(root, header, commands), stamps),
                         unproven(root, files))
        return [problem for problem in found if problem]


def planted_problems(root, files):
    commands = [{"file": os.path.join(root, "src/a/a.cpp"), "command": f"ccache c++ -std=c++20 -I{root}/src -c -o x"},
                {"file": os.path.join(root, "src/a/c.c"), "command": f"cc -I{root}/src -c -o x"}]
    stamps = os.path.join(root, "stamps")
    first = problems(root, files, commands, stamps)
    # What passed leaves a stamp, what failed fails again.
    return first if first == problems(root, files, commands, stamps) else ["the second look differs from the first"]


CLEAN = {
    "src/a/a.hpp": "#pragma once\n#include <string>\ninline std::string a() { return {}; }\n",
    "src/a/a.cpp": '#include "a/a.hpp"\n#include "a/proven.hpp"\n',
    "src/a/alone.hpp": '#pragma once\n#include "a/a.hpp"\ninline std::string b() { return a(); }\n',
    "src/a/alone.h": "#pragma once\n#include <stdbool.h>\nstatic inline bool c(void) { return true; }\n",
    "src/a/proven.hpp": "#pragma once\nint not_looked_at(std::string);\n",
    "tests/unit/a/proven_test.cpp": '#include "a/proven.hpp"\n',
}
VIOLATIONS = [
    ({"src/a/b.hpp": "#pragma once\nstd::string b();\n"}, "src/a/b.hpp:1: does not compile alone"),
    ({"src/a/a.cpp": '#include <string>\n#include "a/a.hpp"\n',
      "src/a/a.hpp": "#pragma once\nstd::string a();\n",
      "src/a/alone.hpp": "#pragma once\n"}, "src/a/a.hpp:1:"),
    ({"abi/helios/x.h": "#pragma once\nbool x(void);\n"}, "abi/helios/x.h:1:"),
]


def main():
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(common.self_test("headers", planted_problems, CLEAN, VIOLATIONS))
    if len(sys.argv) != 2:
        sys.exit("usage: check_headers.py BUILD_DIR | --self-test")
    build = sys.argv[1]
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = [c for c in json.load(file) if os.path.realpath(c["file"]).startswith(common.PROJECT + "/src/")]
    files = common.project_files(common.PROJECT)
    found = problems(common.PROJECT, files, commands, os.path.join(build, "header-stamps"))
    alone = len(unproven(common.PROJECT, files))
    print("\n".join(found + [f"check_headers: {f'ok, {alone} not first anywhere' if not found else f'{len(found)} problems'}"]))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
