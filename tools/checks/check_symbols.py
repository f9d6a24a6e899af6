# SPDX-License-Identifier: Apache-2.0
"""What the objects below src/ of a build refer to follows the table of symbols.txt.

check_symbols.py BUILD_DIR    reads every object of a module that is there, whatever the build type or sanitizer
"""

import fnmatch
import functools
import os
import re
import subprocess
import sys

import common

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "symbols.txt")
OBJECT = re.compile(r"^(src/.+)/CMakeFiles/[^/]+\.dir/(.+)\.o$")
NM_LINE = re.compile(r"^(?P<object>.+?\.o):? +[Uwv] (?P<symbol>.+)$")


def read_table():
    """The groups: {name: (patterns, owning folders and files)}."""
    groups = {}
    for number, line in common.numbered_lines("/", TABLE):
        words = line.split("#")[0].split()
        if not words:
            continue
        assert words[0] in ("symbols", "allow") and len(words) > 2, f"{TABLE}:{number}: cannot be read"
        groups.setdefault(words[1], ([], []))[words[0] == "allow"].extend(words[2:])
    return groups


def source_of(object_file):
    """src/kv/transaction.cpp of src/kv/CMakeFiles/helios_kv.dir/transaction.cpp.o; None for any other object."""
    match = OBJECT.match(object_file)
    return f"{match[1]}/{match[2]}" if match else None


def objects_below(build, root):
    """(object, source) of each source that still exists, paths relative to the build and to root."""
    for folder, _, names in os.walk(os.path.join(build, "src")):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), build)
            source = source_of(path)
            if source and os.path.isfile(os.path.join(root, source)):
                yield path, source


def references(build, objects):
    """(object, symbol) for everything that an object does not define itself."""
    if not objects:
        return
    listing = subprocess.run(["nm", "-A", "-C", "-u", *objects], cwd=build, check=True, capture_output=True, text=True)
    for line in listing.stdout.splitlines():
        match = NM_LINE.match(line)
        if match:
            yield match["object"], match["symbol"].split("@")[0]


@functools.lru_cache(maxsize=None)
def compiled(patterns):
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns))


def objections(source, symbol, groups):
    for name, (patterns, owners) in groups.items():
        if compiled(tuple(patterns)).match(symbol) and not any((source + "/").startswith(owner + "/") for owner in owners):
            yield f"{source}:1: refers to {symbol} ({name}: {'only ' + ' and '.join(owners) if owners else 'nobody may'})"


def problems(build, root):
    groups = read_table()
    sources = dict(objects_below(build, root))
    found = set()
    for object_file, symbol in references(build, sorted(sources)):
        found.update(objections(sources[object_file], symbol, groups))
    return sorted(found)


def compile_planted(root, files):
    """The planted C sources as objects where a build would put them, then the check itself."""
    for file in files:
        folder, name = os.path.split(file)
        target = os.path.join(root, "build", folder, "CMakeFiles/planted.dir", name + ".o")
        os.makedirs(os.path.dirname(target), exist_ok=True)
        language = "c++" if name.endswith(".cpp") else "c"
        subprocess.run(["cc", "-O1", "-w", "-x", language, "-c", os.path.join(root, file), "-o", target], check=True)
    return problems(os.path.join(root, "build"), root)


CLEAN = {
    "src/net/s.c": "int socket(int, int, int); int open_it(void) { return socket(1, 1, 0); }\n",
    "src/plugins/wasmtime/e.c": "void wasmtime_f(void); void engine(void) { wasmtime_f(); }\n",
    "src/kv/k.c": "int memcmp(const void*, const void*, unsigned long); int socket_of(void);\n"
                  "int f(void) { return socket_of() + memcmp(0, 0, 1); }\n",
}
VIOLATIONS = [
    ({"src/session/a.c": "int recv(); int f(void) { return recv(); }\n"}, "src/session/a.c:1: refers to recv (sockets"),
    ({"src/plugins/p.c": "void wasmtime_f(void); void f(void) { wasmtime_f(); }\n"}, "only src/plugins/wasmtime"),
    ({"src/kv/t.c": "long time(long*); long f(void) { return time(0); }\n"}, "clocks"),
    ({"src/hooks/t.cpp": "#include <chrono>\nlong f() { return std::chrono::steady_clock::now().time_since_epoch()"
                         ".count(); }\n"}, "steady_clock::now()"),
    ({"src/base/w.c": "int getenv() __attribute__((weak)); int f(void) { return getenv(); }\n"}, "environment"),
    ({"src/admin/p.c": "void pg_query_init(void); void f(void) { pg_query_init(); }\n"}, "only src/sql"),
    ({"src/net/u.c": "char* strcpy(char*, const char*); void f(char* a, char* b) { strcpy(a, b); }\n"}, "unbounded"),
]


def main():
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(common.self_test("symbols", compile_planted, CLEAN, VIOLATIONS))
    if len(sys.argv) != 2:
        sys.exit("usage: check_symbols.py BUILD_DIR | --self-test")
    build = sys.argv[1]
    count = len(dict(objects_below(build, common.PROJECT)))
    found = problems(build, common.PROJECT)
    if count == 0:
        found = [f"{build}: holds no object of a module"]
    print("\n".join(found + [f"check_symbols: {f'ok, {count} objects' if not found else f'{len(found)} problems'}"]))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
