# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL's own test suites, as files to be run one after the other."""

import os
import re
from dataclasses import dataclass

REGRESS = os.environ["HELIOS_REGRESS"]
# basic_archive waits for a server that archives; the others want languages, or a system, that the server has not.
LEFT_OUT = re.compile(r"basic_archive|sepgsql|\w+_plperl|\w+_plpython")
# Debian's package postgresql-client-15 has it.
ISOLATIONTESTER = "/usr/lib/postgresql/15/lib/pgxs/src/test/isolation/isolationtester"


@dataclass(frozen=True)
class Suite:
    name: str
    database: str
    folder: str
    tests: tuple  # names, in the order in which they need each other

    def file(self, test):
        return os.path.join(self.folder, *(("specs", test + ".spec") if self.is_isolation else ("sql", test + ".sql")))

    @property
    def is_isolation(self):
        return self.name == "isolation"


def scheduled(folder, schedule):
    """The tests that a schedule names, one after the other."""
    with open(os.path.join(REGRESS, folder, schedule), encoding="utf-8") as file:
        lines = [line.split() for line in file if line.startswith("test:")]
    return tuple(test for line in lines for test in line[1:])


def made(folder):
    """The tests that a Makefile names."""
    with open(os.path.join(folder, "Makefile"), encoding="utf-8") as file:
        text = file.read().replace("\\\n", " ")
    names = " ".join(re.findall(r"^REGRESS\s*\+?=(.*)$", text, re.MULTILINE)).split()
    return tuple(name for name in names if os.path.exists(os.path.join(folder, "sql", name + ".sql")))


def suites():
    """{name: suite}; "contrib" has one for each extension, under the name contrib/..."""
    regress, plpgsql, isolation = (os.path.join(REGRESS, name) for name in ("regress", "plpgsql", "isolation"))
    found = {"regress": Suite("regress", "regression", regress, scheduled("regress", "parallel_schedule")),
             "plpgsql": Suite("plpgsql", "pl_regression", plpgsql, made(plpgsql)),
             "isolation": Suite("isolation", "isolation_regression", isolation,
                                scheduled("isolation", "isolation_schedule"))}
    for name in sorted(os.listdir(os.path.join(REGRESS, "contrib"))):
        if LEFT_OUT.fullmatch(name):
            continue
        folder = os.path.join(REGRESS, "contrib", name)
        found["contrib/" + name] = Suite("contrib/" + name, "contrib_regression", folder, made(folder))
    return {name: suite for name, suite in found.items() if suite.tests}
