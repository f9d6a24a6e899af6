# SPDX-License-Identifier: Apache-2.0
"""What the checks share.

A check is a function problems(root, files) -> list of "file:line: what is wrong". It reads only below root, so its
self-test can plant violations in a temporary tree and see them found. Run a check without arguments for the project,
with --self-test for the planted ones.
"""

import os
import subprocess
import sys
import tempfile

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def project_files(root):
    """Paths relative to root of all files that are, or would be, under version control."""
    listing = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True, text=True).stdout
    return sorted(f for f in set(listing.split("\0")) if f and os.path.isfile(os.path.join(root, f)))


def read_text(root, file):
    """The file's text, or None when it is not text."""
    with open(os.path.join(root, file), "rb") as stream:
        data = stream.read()
    try:
        return None if b"\0" in data else data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def numbered_lines(root, file):
    text = read_text(root, file)
    return [] if text is None else list(enumerate(text.splitlines(), start=1))


def plant(root, tree):
    for file, text in tree.items():
        path = os.path.join(root, file)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)


def found_in(problems, tree):
    with tempfile.TemporaryDirectory() as root:
        plant(root, tree)
        return problems(root, sorted(tree))


def self_test(name, problems, clean, violations):
    """clean: a tree without a problem. violations: (tree, text that the one problem found must contain)."""
    failures = []
    if found_in(problems, clean):
        failures.append(f"a clean tree is reported: {found_in(problems, clean)}")
    for tree, expected in violations:
        found = found_in(problems, {**clean, **tree})
        if len(found) != 1 or expected not in found[0]:
            failures.append(f"planted in {sorted(tree)}: expected one problem with {expected!r}, found {found}")
    for failure in failures:
        print(f"check_{name} --self-test: {failure}")
    print(f"check_{name}: {len(violations)} planted violations, {len(failures)} missed")
    return 1 if failures else 0


def main(name, problems, clean, violations):
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test(name, problems, clean, violations))
    found = problems(PROJECT, project_files(PROJECT))
    for problem in found:
        print(problem)
    print(f"check_{name}: {'ok' if not found else f'{len(found)} problems'}")
    sys.exit(1 if found else 0)
