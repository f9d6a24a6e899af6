#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real drivers through the proxy: each runs the same story in its own language, and every statement is counted once.

Run by `tools/dev drivers`, which says where the drivers are. A driver whose language is not on this machine is left out,
said so, and counted.
"""

import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../integration"))
from harness.postgres import Postgres  # noqa: E402
from harness.proxy import Proxy  # noqa: E402

DRIVERS = os.environ["HELIOS_DRIVERS"]
PGX = os.environ.get("HELIOS_PGX", "")  # the Go modules; empty without go
COUNTER = os.path.join(os.environ["HELIOS_BUILD_DIR"], "guests/counter.wasm")
PGX_MODULES = os.path.join(HERE, "../../deps/drivers/pgx")
JDBC = "/usr/share/java/postgresql.jar"


def compile_pgx(folder):
    """The story by pgx; None without Go. The modules are where they were fetched to, and nothing is fetched now."""
    if not PGX:
        return None
    for file in (os.path.join(HERE, "story.go"), os.path.join(PGX_MODULES, "go.mod"), os.path.join(PGX_MODULES, "go.sum")):
        shutil.copy(file, folder)
    program = os.path.join(folder, "story-pgx")
    subprocess.run(["go", "build", "-o", program, "story.go"], cwd=folder, check=True,
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
    no_jdbc = None if java and os.path.exists(JDBC) else "javac or " + JDBC + " is missing (apt install libpostgresql-jdbc-java)"
    for driver in ("psycopg", "psycopg_pipeline", "asyncpg", "sqlalchemy", "pg8000"):
        yield driver, [python, os.path.join(HERE, "story.py"), driver], None
    yield "node-postgres", [node or "node", os.path.join(HERE, "story.js")], None if node else "node is missing"
    yield "pgjdbc", ["java", "-cp", JDBC, os.path.join(HERE, "Story.java")], no_jdbc


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


def main():
    passed, failed, skipped = 0, 0, 0
    postgres = Postgres()
    proxy = None
    folder = tempfile.mkdtemp(prefix="helios-drivers-")
    try:
        postgres.start()
        with postgres.connect() as admin:
            admin.query("CREATE DATABASE demo").expect_ok()
        proxy = Proxy({"server.host": "127.0.0.1", "server.port": postgres.port})
        proxy.install(COUNTER)
        proxy.start()
        for driver, command, obstacle in stories(folder):
            if obstacle:
                print(f"skipped {driver}: {obstacle}")
                skipped += 1
            elif run(proxy, driver, command):
                passed += 1
            else:
                failed += 1
        proxy.stop()
    finally:
        if proxy:
            proxy.remove()
        postgres.remove()
        shutil.rmtree(folder)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


sys.exit(main())
