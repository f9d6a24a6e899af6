# SPDX-License-Identifier: Apache-2.0
"""Every #include below src/ follows the table of layers.txt: no arrow upward or sideways, no library header outside
the one folder that owns it."""

import fnmatch
import os
import re

import common

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "layers.txt")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def read_table():
    allowed, confined = {}, []
    for _, line in common.numbered_lines("/", TABLE):
        words = line.split("#")[0].split()
        if words and words[0] == "confine":
            confined.append((words[1], words[2:]))
        elif words:
            allowed[words[0]] = set(words[1:])
    return allowed, confined


def module_of(path, allowed):
    """path is relative to src/; the longest module name that is a folder above it, or None."""
    parts = path.split("/")[:-1]
    while parts:
        if "/".join(parts) in allowed:
            return "/".join(parts)
        parts.pop()
    return None


def owners_of(include, confined):
    for pattern, owners in confined:
        if fnmatch.fnmatch(include, pattern):
            return owners
    return None


def problem_of(root, file, include, quoted, allowed, confined):
    owners = owners_of(include, confined)
    if owners is not None:
        inside = any(file.startswith(owner + "/") for owner in owners)
        return None if inside else f"<{include}> belongs to {' and '.join(owners)}"
    if not quoted:
        return None
    module = module_of(file.removeprefix("src/"), allowed)
    target = module_of(include, allowed)
    if target is None and os.path.isfile(os.path.join(root, "abi", include)):
        target = "abi"
    if target is None:
        return f'"{include}" is in no module of layers.txt (write includes from src/)'
    if target != module and target not in allowed[module]:
        return f"{module} must not include {target} ({include})"
    return None


def problems(root, files):
    allowed, confined = read_table()
    found = []
    for file in files:
        if not file.startswith("src/") or not file.endswith((".hpp", ".cpp", ".h", ".c")):
            continue
        if module_of(file.removeprefix("src/"), allowed) is None:
            found.append(f"{file}:1: its folder is no module of layers.txt")
            continue
        for number, line in common.numbered_lines(root, file):
            match = INCLUDE.match(line)
            if match:
                problem = problem_of(root, file, match[2], match[1] == '"', allowed, confined)
                if problem:
                    found.append(f"{file}:{number}: {problem}")
    return found


CLEAN = {
    "src/base/a.hpp": "#include <vector>\n",
    "src/kv/store.hpp": '#include "base/a.hpp"\n',
    "src/kv/rocksdb/s.cpp": '#include "kv/rocksdb/s.hpp"\n#include "kv/store.hpp"\n#include <rocksdb/db.h>\n',
    "src/plugins/wasmtime/e.cpp": '#include <wasmtime.h>\n#include "helios/abi.h"\n',
    "src/sql/p.c": '#include "postgres.h"\n#include "nodes/parsenodes.h"\n',
    "abi/helios/abi.h": "\n",
}
VIOLATIONS = [
    ({"src/base/b.hpp": '#include "kv/store.hpp"\n'}, "base must not include kv"),
    ({"src/session/s.cpp": '#include "plugins/host.hpp"\n'}, "session must not include plugins"),
    ({"src/kv/redis/r.cpp": '#include "kv/rocksdb/s.hpp"\n'}, "kv/redis must not include kv/rocksdb"),
    ({"src/kv/m.cpp": '#include "kv/rocksdb/s.hpp"\n'}, "kv must not include kv/rocksdb"),
    ({"src/session/a.cpp": '#include "helios/abi.h"\n'}, "session must not include abi"),
    ({"src/misc/m.hpp": "\n"}, "no module of layers.txt"),
    ({"src/base/c.hpp": '#include "a.hpp"\n'}, '"a.hpp" is in no module'),
    ({"src/plugins/host.cpp": "#include <wasmtime.h>\n"}, "belongs to src/plugins/wasmtime"),
    ({"src/session/p.cpp": "#include <pg_query.h>\n"}, "belongs to src/sql"),
    ({"src/admin/a.cpp": "#include <boost/beast/core.hpp>\n"}, "belongs to src/admin/http"),
    ({"src/app/a.cpp": "#  include <sys/epoll.h>\n"}, "belongs to src/net"),
]

if __name__ == "__main__":
    common.main("layers", problems, CLEAN, VIOLATIONS)
