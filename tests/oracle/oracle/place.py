# SPDX-License-Identifier: Apache-2.0
"""The server with the extension, and the proxy with the recording plugin, that conversations are held with."""

import json
import os
import shutil
import subprocess
import sys
import time

SOURCE_DIR = os.environ.get("HELIOS_SOURCE_DIR") or os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
sys.path.insert(0, os.path.join(SOURCE_DIR, "tests/integration"))
os.environ.setdefault("HELIOS_TEST_PG", "15")  # the extension is compiled for this one

from harness.postgres import AS_POSTGRES, Postgres  # noqa: E402
from harness.proxy import Proxy  # noqa: E402
from harness.wire import Wire  # noqa: E402

BUILD_DIR = os.path.join(os.environ.get("HELIOS_BUILD_DIR") or os.path.join(SOURCE_DIR, "build/dev"), "oracle")
EXTENSION = os.environ.get("HELIOS_ORACLE_EXTENSION") or os.path.join(BUILD_DIR, "helios_oracle.so")
PLUGIN = os.environ.get("HELIOS_ORACLE_PLUGIN") or os.path.join(BUILD_DIR, "oracle.wasm")
SETTLE_SECONDS = 5.0
FIELD, ITEM = "\x1f", "\x1e"

SETUP = [
    "CREATE DATABASE demo",
]
SETUP_DEMO = [
    "CREATE FUNCTION steady(a int) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN a; END $$",
    "CREATE PROCEDURE half() LANGUAGE plpgsql AS $$ BEGIN COMMIT; RAISE 'no further'; END $$",
    "CREATE TABLE seen (id bigint)",
]


class Place:
    """Both, started. The proxy is started again when it has ended by itself."""

    def __init__(self):
        self.postgres = Postgres(max_prepared_transactions=20)
        self.events = os.path.join(self.postgres.directory, "events")
        extension = os.path.join(self.postgres.directory, "helios_oracle.so")
        shutil.copy(EXTENSION, extension)
        os.chmod(extension, 0o755)
        subprocess.run([AS_POSTGRES, "mkdir", self.events], check=True)
        self.postgres.settings.update({"shared_preload_libraries": extension, "helios_oracle.directory": self.events})
        self.proxy = None

    def __enter__(self):
        self.postgres.start()
        for database, texts in (("postgres", SETUP), ("demo", SETUP_DEMO)):
            with self.postgres.connect(database=database) as session:
                for text in texts:
                    session.query(text).expect_ok()
        self.start_proxy()
        return self

    def __exit__(self, *_):
        if self.proxy:
            self.proxy.remove()
        self.postgres.remove()

    def start_proxy(self):
        self.proxy = Proxy({"server.host": "127.0.0.1", "server.port": self.postgres.port,
                            "kv_sql.readers": ["reader"], "kv_sql.max_bytes": 268435456, "plugins.limits.timeout_ms": 5000})
        self.proxy.install(PLUGIN)
        self.proxy.install(os.path.join(SOURCE_DIR, "tests/oracle/guests/oracle.toml"))
        with self.postgres.connect() as session:
            session.query("DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN END $$").expect_ok()
        self.proxy.start()

    def has_crashed(self):
        """Has the proxy ended? Then there is a new one."""
        if self.proxy.process.poll() is None:
            return None
        log = self.proxy.log
        self.proxy.process.wait()
        self.proxy.remove()
        self.start_proxy()
        return log[-3000:]

    # ---- What was written down

    def server_events(self, pid):
        """Those of one backend since the last look; its file goes."""
        path = os.path.join(self.events, str(pid))
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                events = [json.loads(line) for line in file]
            os.unlink(path)
        except FileNotFoundError:
            return []
        return events

    def _plugin_lines(self):
        with Wire("127.0.0.1", self.proxy.port, user="reader", database="demo") as reader:
            rows = reader.query("SELECT key, value FROM helios.kv('oracle') WHERE key LIKE 'c:%' ORDER BY key").expect_ok().rows
        sessions = {}
        for key, value in rows:
            sessions.setdefault(key.split(":")[1], []).append(value.split(FIELD))
        return sessions

    def plugin_records(self):
        """{the conversation's name: its calls}, once all that began have ended; the namespace is empty afterwards."""
        end = time.monotonic() + SETTLE_SECONDS
        while True:
            sessions = self._plugin_lines()
            open_calls = any(sum(line[0] == "pre" for line in lines) != sum(line[0] == "settled" for line in lines)
                             for lines in sessions.values())
            if not open_calls or time.monotonic() > end:
                break
            time.sleep(0.02)
        self.proxy.admin.request("DELETE", "/admin/kv/oracle/")
        named = {}
        for lines in sessions.values():
            for line in lines:
                if line[0] == "pre" and "/*hello " in line[-1]:
                    named[line[-1].split("/*hello ")[1].split("*/")[0]] = lines
        return named
