#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real drivers through the proxy: each runs the same story in its own language, and every statement is counted once.
Then what is built on them, directly and through the proxy: see both_ways.py.

Run by `tools/dev drivers [WORD...]`, which says where the drivers are. With words: what has one of them in its name.
What cannot run on this machine is left out, said so, and counted.
"""

import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../integration"))
os.environ.setdefault("HELIOS_TEST_PG", "15")  # Debian's pg_dump is for this one
from harness.postgres import Postgres  # noqa: E402
from harness.proxy import Proxy  # noqa: E402
from both_ways import run_all  # noqa: E402, behind the path

DRIVERS = os.environ["HELIOS_DRIVERS"]
PGX = os.environ.get("HELIOS_PGX", "")  # the Go modules; empty without go
COUNTER = os.path.join(os.environ["HELIOS_BUILD_DIR"], "guests/counter.wasm")
PGX_MODULES = os.path.join(HERE, "../../deps/drivers/pgx")
JARS = os.path.join(DRIVERS, "java")  # empty without Maven
DEBIANS_JDBC = "/usr/share/java/postgresql.jar"


def compile_pgx(folder, source=os.path.join(HERE, "story.go"), name="story"):
    """A program by pgx; None without Go. The modules are where they were fetched to, and nothing is fetched now."""
    if not PGX:
        return None
    for file in (source, os.path.join(PGX_MODULES, "go.mod"), os.path.join(PGX_MODULES, "go.sum")):
        shutil.copy(file, folder)
    program = os.path.join(folder, name + "-pgx")
    subprocess.run(["go", "build", "-o", program, os.path.basename(source)], cwd=folder, check=True,
                   env={**os.environ, "GOMODCACHE": os.path.join(PGX, "modules"), "GOPROXY": "off", "GOFLAGS": "-mod=readonly"})
    return program


def compile_libpq(folder):
    """The story by libpq; None without its headers."""
    if not shutil.which("pg_config"):
        return None
    include, library = [subprocess.run(["pg_config", "--" + each], check=True, capture_output=True, text=True).stdout.strip()
                        for each in ("includedir", "libdir")]
    if not os.path.exists(os.path.join(include, "libpq-fe.h")):
        return None
    program = os.path.join(folder, "story-libpq")
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-I", include, "-o", program, os.path.join(HERE, "story.c"),
                    "-L", library, "-lpq"], check=True)
    return program


def stories(folder):
    """(driver, command, why it cannot run or None); programs are made in `folder`"""
    pgx, libpq = compile_pgx(folder), compile_libpq(folder)
    yield "libpq", [libpq], None if libpq else "libpq-fe.h is missing (apt install libpq-dev)"
    yield "pgx", [pgx], None if pgx else "go is missing (apt install golang-go)"
    python = os.path.join(DRIVERS, "bin/python")
    node = shutil.which("node")
    java = shutil.which("javac")
    jdbc = next((os.path.join(JARS, each) for each in os.listdir(JARS) if each.startswith("postgresql-")), DEBIANS_JDBC)
    no_jdbc = None if java and os.path.exists(jdbc) else "javac, or both Maven and " + DEBIANS_JDBC + ", is missing"
    for driver in ("psycopg", "psycopg_pipeline", "asyncpg", "sqlalchemy", "pg8000"):
        yield driver, [python, os.path.join(HERE, "story.py"), driver], None
    yield "node-postgres", [node or "node", os.path.join(HERE, "story.js")], None if node else "node is missing"
    yield "pgjdbc", ["java", "-cp", jdbc, os.path.join(HERE, "Story.java")], no_jdbc


def run(proxy, driver, command):
    """Whether the story went well and its statements were counted as the driver itself counted them."""
    environment = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(proxy.port), "PGUSER": "postgres",
                   "PGDATABASE": "demo", "TENANT": driver, "NODE_PATH": os.path.join(DRIVERS, "node/node_modules")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    said = done.stdout.strip().splitlines()
    counted = proxy.admin.value("counter", driver)
    if done.returncode == 0 and said and said[-1] == f"executed {counted}":
        print(f"ok      {driver}: {counted} statements")
        return True
    print(f"FAILED  {driver}: counted {counted}\n{done.stdout}{done.stderr}")
    return False


def run_stories(folder, chosen):
    """(passed, failed, skipped)"""
    counts = {True: 0, False: 0, None: 0}
    postgres, proxy = Postgres(), None
    try:
        postgres.start()
        with postgres.connect() as admin:
            admin.query("CREATE DATABASE demo").expect_ok()
        proxy = Proxy({"server.host": "127.0.0.1", "server.port": postgres.port})
        proxy.install(COUNTER)
        proxy.start()
        for driver, command, obstacle in stories(folder):
            if chosen and not any(word in driver for word in chosen):
                continue
            if obstacle:
                print(f"skipped {driver}: {obstacle}")
            counts[None if obstacle else run(proxy, driver, command)] += 1
        proxy.stop()
    finally:
        if proxy:
            proxy.remove()
        postgres.remove()
    return counts[True], counts[False], counts[None]


def main():
    chosen = sys.argv[1:]
    folder = tempfile.mkdtemp(prefix="helios-drivers-")
    try:
        counts = [run_stories(folder, chosen),
                  run_all(folder, lambda source, name: compile_pgx(folder, source, name), chosen)]
    finally:
        shutil.rmtree(folder)
    passed, failed, skipped = map(sum, zip(*counts))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
