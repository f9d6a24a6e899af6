# SPDX-License-Identifier: Apache-2.0
"""No path of one machine and no package host stands in the sources: they work wherever they are cloned, with whatever
mirrors the machine's package clients are set to."""

import re

import common

# Put together from pieces, so that this file does not report itself.
HOSTS = ["crates" ".io", "npmjs" ".org", "npmjs" ".com", "deb" ".debian.org", "pypi" ".org", "rust" "-lang.org"]
PATTERNS = [re.compile(re.escape(host)) for host in HOSTS]
PATTERNS += [re.compile(r"(?<![\w.}$)*-])/" + name + r"/") for name in ("root", "work", "home/[a-z]+")]
# Lock files of cargo name their registry by its address, whichever mirror served it.
SKIPPED = ("Cargo.lock",)


def problems(root, files):
    found = []
    for file in files:
        if file.endswith(SKIPPED):
            continue
        for number, line in common.numbered_lines(root, file):
            match = next((m for m in (p.search(line) for p in PATTERNS) if m), None)
            if match:
                found.append(f"{file}:{number}: '{match[0]}' holds on one machine only")
    return found


CLEAN = {"tools/a.sh": "cp $x/work/a ${y}/root/b build/work/c\n", "deps/x/Cargo.lock": HOSTS[0] + "\n"}
VIOLATIONS = [
    ({"docs/a.md": "see /" "work/main\n"}, "docs/a.md:1"),
    ({"tools/b.sh": "\ncd /" "root/x\n"}, "tools/b.sh:2"),
    ({"deps/c.sh": f"curl https://{HOSTS[1]}/x\n"}, "deps/c.sh:1"),
]

if __name__ == "__main__":
    common.main("words", problems, CLEAN, VIOLATIONS)
