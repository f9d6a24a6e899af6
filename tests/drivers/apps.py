# SPDX-License-Identifier: Apache-2.0
"""What is run on both ways, and what counts as its outcome: tools, ORMs, drivers in bulk, test suites."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field

HERE = os.path.dirname(os.path.abspath(__file__))
APPS = os.path.join(HERE, "apps")
DRIVERS = os.environ["HELIOS_DRIVERS"]
PYTHON = os.path.join(DRIVERS, "bin/python")
JARS = os.path.join(DRIVERS, "java")
SUITES = os.path.join(DRIVERS, "suites")
NODE_MODULES = os.path.join(DRIVERS, "node/node_modules")
MOST_FAILURES = 0.1  # of a suite's tests: some miss extensions, collations or users
GOOD = {"ok", "PASSED", "skipped", "SKIPPED", "XFAIL", "expected failure"}
SECONDS = 1800  # for one


@dataclass(frozen=True)
class App:
    name: str
    command: list
    obstacle: str = ""  # why it cannot run here
    suite: re.Pattern = None  # of a line that tells of one test: its name, its outcome
    folder: str = HERE
    environment: dict = field(default_factory=dict)

    def run(self, port):
        """(what counts as its outcome, what is wrong with it or "", everything that it printed)"""
        environment = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "postgres",
                       "PGDATABASE": "demo", "NODE_PATH": NODE_MODULES, "PYTHONDONTWRITEBYTECODE": "1",
                       **self.environment}
        command = [part.replace("{port}", str(port)) for part in self.command]
        done = subprocess.run(command, env=environment, cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=SECONDS, check=False)
        if not self.suite:
            return done.stdout, f"it ended with {done.returncode}" if done.returncode else "", done.stdout
        tests = dict(sorted(self.suite.findall(done.stdout)))
        bad = [name for name, outcome in tests.items() if outcome not in GOOD]
        wrong = "" if tests and len(bad) <= MOST_FAILURES * len(tests) else f"{len(bad)} of {len(tests)} tests failed"
        return "".join(f"{name} {outcome}\n" for name, outcome in tests.items()), wrong, done.stdout


PYTEST_LINE = re.compile(r"^(\S+::.+?) (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b", re.MULTILINE)
DJANGO_LINE = re.compile(
    r"^(test_\w+ \([\w.]+\))(?:\n.*?)? \.\.\. (ok|FAIL|ERROR|skipped|expected failure)\b", re.MULTILINE)
PYTEST = [PYTHON, "-m", "pytest", "-v", "-p", "no:cacheprovider", "--tb=no", "-W", "ignore"]
TOOLS = ["dump_and_restore", "psql", "psql_large_objects", "vacuumdb_and_reindexdb", "recvlogical", "basebackup"]
BULK = ["psycopg_pipeline", "psycopg_copy_and_types", "psycopg2_large_objects", "asyncpg_many"]
# A client that goes on sending sees an error the earlier the less lies between it and the server: a race.
RACES = ["--deselect", "tests/test_execute.py::TestExecuteMany::test_executemany_server_failure_during_writes"]
DJANGO = ["basic", "backends", "transactions", "select_for_update", "bulk_create", "schema", "introspection",
          "postgres_tests", "queries"]
SQLALCHEMY = ["test/dialect/test_suite.py", "test/dialect/postgresql/test_dialect.py", "test/dialect/postgresql/test_query.py",
              "test/dialect/postgresql/test_on_conflict.py", "test/engine/test_transaction.py"]


def folder_of(suite):
    return next((os.path.join(SUITES, each) for each in os.listdir(SUITES) if each.lower().startswith(suite)), "")


def suites(work):
    # Beside its own sources, which are not compiled, the tests would find these.
    asyncpg = os.path.join(work, "asyncpg")
    shutil.copytree(os.path.join(folder_of("asyncpg"), "tests"), os.path.join(asyncpg, "tests"))
    # The two that are left out look at asyncpg's sources, and start a server of their own.
    yield App("suite of asyncpg", [*PYTEST, *RACES, "--ignore", "tests/test__sourcecode.py",
                                   "--ignore", "tests/test_connect.py", "tests"], suite=PYTEST_LINE, folder=asyncpg)
    database = "postgresql+psycopg://postgres@127.0.0.1:{port}/test"
    yield App("suite of SQLAlchemy", [*PYTEST, "--dburi", database, *SQLALCHEMY], suite=PYTEST_LINE,
              folder=folder_of("sqlalchemy"))
    yield App("suite of Django", [PYTHON, "-W", "ignore", "runtests.py", "--settings=django_settings", "--parallel=1",
                                  "-v2", "--noinput", *DJANGO],
              suite=DJANGO_LINE, folder=os.path.join(folder_of("django"), "tests"), environment={"PYTHONPATH": APPS})


def compiled_java(work):
    """(the class path of Apps, or None; why not)"""
    if not shutil.which("javac") or not os.listdir(JARS):
        return None, "javac or Maven is missing"
    target = os.path.join(work, "classes")
    subprocess.run(["javac", "-cp", JARS + "/*", "-d", target, os.path.join(APPS, "Apps.java")], check=True)
    return f"{target}:{JARS}/*", ""


def apps(work, compile_go):
    """All of them; programs are made in the folder `work`. compile_go(source, name): the program, or None without Go."""
    for story in TOOLS:
        yield App(f"tools: {story}", [os.path.join(APPS, "tools.sh"), story])
    for story in BULK:
        yield App(story, [PYTHON, os.path.join(APPS, "bulk.py"), story])
    program = compile_go(os.path.join(APPS, "bulk.go"), "bulk")
    yield App("pgx batches", [program], "" if program else "go is missing (apt install golang-go)")
    for story in ("pg", "sequelize", "knex", "typeorm"):
        obstacle = "" if shutil.which("node") else "node is missing"
        yield App(f"node: {story}", ["node", os.path.join(APPS, "orms.js"), story], obstacle)
    classes, obstacle = compiled_java(work)
    for story in ("batches", "large_objects", "hibernate"):
        yield App(f"pgjdbc: {story}", ["java", "-cp", classes, "Apps", story], obstacle)
    yield from suites(work)
