# SPDX-License-Identifier: Apache-2.0
"""The server with the extension, and a proxy of each event engine, that conversations are held with."""

import json
import os
import shutil
import subprocess
import sys

SOURCE_DIR = os.environ.get("HELIOS_SOURCE_DIR") or os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
os.environ["HELIOS_SOURCE_DIR"] = SOURCE_DIR
sys.path.insert(0, os.path.join(SOURCE_DIR, "tests/integration"))
os.environ.setdefault("HELIOS_TEST_PG", "15")  # the extension is compiled for this one

from harness.postgres import AS_POSTGRES, Postgres  # noqa: E402
from harness.waiting import wait_until  # noqa: E402

from .front import BUILD_DIR, Front  # noqa: E402

EXTENSION = os.environ.get("HELIOS_ORACLE_EXTENSION") or os.path.join(BUILD_DIR, "helios_oracle.so")
ENGINES = ["auto", "epoll"]  # "auto" is io_uring where the kernel allows it

STOPS = {b"!stop": "pg_cancel_backend", b"!terminate": "pg_terminate_backend"}

SETUP = [
    "CREATE FUNCTION steady(a int) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN a; END $$",
    "CREATE PROCEDURE half() LANGUAGE plpgsql AS $$ BEGIN COMMIT; RAISE 'no further'; END $$",
]


class Place:
    def __init__(self):
        self.postgres = Postgres(max_prepared_transactions=60, lock_timeout="3s")
        self.events = os.path.join(self.postgres.directory, "events")
        extension = os.path.join(self.postgres.directory, "helios_oracle.so")
        shutil.copy(EXTENSION, extension)
        os.chmod(extension, 0o755)
        subprocess.run([AS_POSTGRES, "mkdir", self.events], check=True)
        self.postgres.settings.update({"shared_preload_libraries": extension, "helios_oracle.directory": self.events})
        self.fronts = {}
        self.holder = None  # has the lock that others wait for

    def __enter__(self):
        self.postgres.start()
        with self.postgres.connect() as session:
            session.query("CREATE DATABASE demo").expect_ok()
        with self.postgres.connect(database="demo") as session:
            for text in SETUP:
                session.query(text).expect_ok()
        self.holder = self.postgres.connect(database="demo")
        self.holder.query("SELECT pg_advisory_lock(1)").expect_ok()
        for engine in ENGINES:
            self.fronts[engine] = Front(engine, self.postgres.port)
            self.fronts[engine].start()
        return self

    def __exit__(self, *_):
        for front in self.fronts.values():
            front.remove()
        self.holder.close()
        self.postgres.remove()

    def stop(self, action, pid):
        """Another session cancels what a backend does, or ends it."""
        with self.postgres.connect(database="demo") as session:
            session.query(f"SELECT {STOPS[action]}({pid})").expect_ok()

    def end_with_prepared(self, pid, name):
        """Waits for the end of a conversation's backend, which may have prepared transactions and may wait for one itself."""
        def has_ended():
            self._end_prepared_transactions(name)
            return not pid or not os.path.exists(f"/proc/{pid}")
        wait_until(has_ended, f"the end of backend {pid}")
        self._end_prepared_transactions(name)

    def _end_prepared_transactions(self, name):
        """Their names are the server's: the same conversation makes them again."""
        with self.postgres.connect(database="demo") as session:
            for gid, in session.query(f"SELECT gid FROM pg_prepared_xacts WHERE gid LIKE '{name}.%'").expect_ok().rows:
                session.query(f"ROLLBACK PREPARED '{gid}'")  # the same conversation, held beside this one, may have been faster

    def server_events(self, pid, has_ended=False):
        """Those of one backend since the last look, or all of them where it ends; its file goes."""
        if has_ended:
            wait_until(lambda: not os.path.exists(f"/proc/{pid}"), f"the end of backend {pid}")
        path = os.path.join(self.events, str(pid))
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                events = [json.loads(line) for line in file]
            os.unlink(path)
        except FileNotFoundError:
            return []
        return events
