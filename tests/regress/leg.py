# SPDX-License-Identifier: Apache-2.0
"""One run of PostgreSQL's test suites: on a new server, directly or through the proxy."""

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager

from excused import without_excused
from harness.ways import way
from suites import ISOLATIONTESTER, REGRESS

SECONDS = 900  # for one file
# What pg_regress asks of a database, and of whoever connects to it.
DATABASE_SETTINGS = ["lc_messages TO 'C'", "lc_monetary TO 'C'", "lc_numeric TO 'C'", "lc_time TO 'C'",
                     "bytea_output TO 'hex'", "timezone_abbreviations TO 'Default'"]
CLIENT = {"PGTZ": "America/Los_Angeles", "PGDATESTYLE": "Postgres, MDY", "PGHOST": "127.0.0.1", "PGUSER": "postgres",
          "PGOPTIONS": "-c intervalstyle=postgres_verbose", "LC_ALL": "C", "PG_DLSUFFIX": ".so",
          "PG_LIBDIR": os.path.join(REGRESS, "lib")}
# Autovacuum comes when it likes, and what it does shows in plans and statistics.
SERVER = {"max_prepared_transactions": 10, "autovacuum": "off", "shared_buffers": "128MB", "wal_level": "logical"}
PSQL = ["psql", "-X", "-a", "-q", "-v", "HIDE_TABLEAM=on", "-v", "HIDE_TOAST_COMPRESSION=on"]


class Leg:
    def __init__(self, on):
        self.way = on
        self.excused = 0  # statements that were taken out
        self.folder = tempfile.mkdtemp(prefix="helios-regress-")
        os.chmod(self.folder, 0o777)
        os.mkdir(os.path.join(self.folder, "results"))
        os.chmod(os.path.join(self.folder, "results"), 0o777)  # the server writes there, too

    def run(self, suite, test):
        """What the test prints."""
        environment = {**os.environ, **CLIENT, "PGPORT": str(self.way.port), "PGDATABASE": suite.database,
                       "PGAPPNAME": "pg_regress/" + test, "PG_ABS_SRCDIR": suite.folder, "PG_ABS_BUILDDIR": self.folder}
        command = [ISOLATIONTESTER, f"dbname={suite.database}"] if suite.is_isolation else PSQL
        with open(suite.file(test), encoding="latin1", newline="") as script:  # any bytes, which stay what they are
            text, taken = without_excused(test, script.read())
        self.excused += taken
        done = subprocess.run(command, input=text.encode("latin1"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=environment, cwd=suite.folder, timeout=SECONDS, check=False)
        return self._normal(done.stdout.decode("utf-8", "backslashreplace"))

    def _normal(self, text):
        """Without what differs between two servers: where they are, and how long they take."""
        text = text.replace(self.folder, "FOLDER").replace(self.way.postgres.directory, "SERVER")
        text = re.sub(rf"\b({self.way.port}|{self.way.postgres.port})\b", "PORT", text)
        return re.sub(r"\b\d+\.\d{3} ms\b", "TIME", text)

    def prepare(self, suite):
        """A new database, in the state that pg_regress gives it."""
        with self.way.postgres.connect() as admin:
            admin.query(f"DROP DATABASE IF EXISTS {suite.database}").expect_ok()
            admin.query(f"CREATE DATABASE {suite.database} TEMPLATE template0").expect_ok()
            for setting in DATABASE_SETTINGS:
                admin.query(f"ALTER DATABASE {suite.database} SET {setting}").expect_ok()


@contextmanager
def leg(which):
    with way(which, {}, **SERVER) as on:
        found = Leg(on)
        try:
            yield found
        finally:
            shutil.rmtree(found.folder, ignore_errors=True)
