# SPDX-License-Identifier: Apache-2.0
"""One run of PostgreSQL's test suites: on a new server, directly or through the proxy."""

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager

from harness.postgres import Postgres
from harness.proxy import Proxy
from excused import without_excused
from suites import ISOLATIONTESTER, REGRESS

SECONDS = 900  # for one file
# What pg_regress asks of a database, and of whoever connects to it.
DATABASE_SETTINGS = ["lc_messages TO 'C'", "lc_monetary TO 'C'", "lc_numeric TO 'C'", "lc_time TO 'C'", "bytea_output TO 'hex'",
                     "timezone_abbreviations TO 'Default'"]
CLIENT = {"PGTZ": "America/Los_Angeles", "PGDATESTYLE": "Postgres, MDY", "PGOPTIONS": "-c intervalstyle=postgres_verbose",
          "PGHOST": "127.0.0.1", "PGUSER": "postgres", "LC_ALL": "C", "PG_LIBDIR": os.path.join(REGRESS, "lib"), "PG_DLSUFFIX": ".so"}
# Autovacuum comes when it likes, and what it does shows in plans and statistics.
SERVER = {"max_prepared_transactions": 10, "autovacuum": "off", "shared_buffers": "128MB", "fsync": "off",
          "wal_level": "logical"}


class Leg:
    def __init__(self, postgres, port):
        self.postgres, self.port, self.proxy = postgres, port, None
        self.excused = 0  # statements that were taken out
        self.folder = tempfile.mkdtemp(prefix="helios-regress-")
        os.chmod(self.folder, 0o777)
        os.mkdir(os.path.join(self.folder, "results"))
        os.chmod(os.path.join(self.folder, "results"), 0o777)  # the server writes there, too

    def run(self, suite, test):
        """What the test prints."""
        environment = {**os.environ, **CLIENT, "PGPORT": str(self.port), "PGDATABASE": suite.database, "PGAPPNAME": "pg_regress/" + test,
                       "PG_ABS_SRCDIR": suite.folder, "PG_ABS_BUILDDIR": self.folder}
        command = [ISOLATIONTESTER, f"dbname={suite.database}"] if suite.is_isolation else [
            "psql", "-X", "-a", "-q", "-v", "HIDE_TABLEAM=on", "-v", "HIDE_TOAST_COMPRESSION=on"]
        with open(suite.file(test), encoding="latin1", newline="") as script:  # any bytes, which stay what they are
            text, taken = without_excused(test, script.read())
        self.excused += taken
        done = subprocess.run(command, input=text.encode("latin1"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
                              cwd=suite.folder, timeout=SECONDS, check=False)
        return self._normal(done.stdout.decode("utf-8", "backslashreplace"))

    def _normal(self, text):
        """Without what differs between two servers: where they are, and how long they take."""
        text = text.replace(self.folder, "FOLDER").replace(self.postgres.directory, "SERVER")
        text = re.sub(rf"\b({self.port}|{self.postgres.port})\b", "PORT", text)
        return re.sub(r"\b\d+\.\d{3} ms\b", "TIME", text)

    def prepare(self, suite):
        """A new database, in the state that pg_regress gives it."""
        with self.postgres.connect() as admin:
            admin.query(f"DROP DATABASE IF EXISTS {suite.database}").expect_ok()
            admin.query(f"CREATE DATABASE {suite.database} TEMPLATE template0").expect_ok()
            for setting in DATABASE_SETTINGS:
                admin.query(f"ALTER DATABASE {suite.database} SET {setting}").expect_ok()


@contextmanager
def leg(plugin=None):
    """A new server; with a plugin, behind the proxy."""
    postgres, proxy = Postgres(**SERVER), None
    try:
        postgres.start()
        if plugin:
            proxy = Proxy({"server.host": "127.0.0.1", "server.port": postgres.port, "protocol.function_call": "pass"})
            proxy.install(plugin)
            # Whatever the session does is judged, not its queries alone.
            name = os.path.splitext(os.path.basename(plugin))[0]
            proxy.write_plugin_file(name + ".toml", 'statements = "all"\n')
            proxy.start()
        found = Leg(postgres, proxy.port if proxy else postgres.port)
        found.proxy = proxy
        yield found
        shutil.rmtree(found.folder)
        if proxy:
            proxy.stop()
    finally:
        if proxy:
            proxy.remove()
        postgres.remove()
