# SPDX-License-Identifier: Apache-2.0
"""The server with the extension, and the proxy with the recording plugin, that conversations are held with."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

SOURCE_DIR = os.environ.get("HELIOS_SOURCE_DIR") or os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
sys.path.insert(0, os.path.join(SOURCE_DIR, "tests/integration"))
os.environ.setdefault("HELIOS_TEST_PG", "15")  # the extension is compiled for this one

from harness.postgres import AS_POSTGRES, Postgres  # noqa: E402
from harness.proxy import Proxy  # noqa: E402

BUILD_DIR = os.path.join(os.environ.get("HELIOS_BUILD_DIR") or os.path.join(SOURCE_DIR, "build/dev"), "oracle")
EXTENSION = os.environ.get("HELIOS_ORACLE_EXTENSION") or os.path.join(BUILD_DIR, "helios_oracle.so")
PLUGIN = os.environ.get("HELIOS_ORACLE_PLUGIN") or os.path.join(BUILD_DIR, "oracle.wasm")
SETTLE_SECONDS = 5.0
FIELD = "\x1f"  # between the fields of a line

SETUP = [
    "CREATE DATABASE demo",
]
SETUP_DEMO = [
    "CREATE FUNCTION steady(a int) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN a; END $$",
    "CREATE PROCEDURE half() LANGUAGE plpgsql AS $$ BEGIN COMMIT; RAISE 'no further'; END $$",
    "CREATE TABLE seen (id bigint)",
]


def by_name(sessions):
    """The lines of each session by what its first statement calls it."""
    named = {}
    for lines in sessions.values():
        for line in lines:
            if line[0] == "pre" and "/*hello " in line[-1]:
                named[line[-1].split("/*hello ")[1].split("*/")[0]] = lines
    return named


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
        # What plugins wrote down outlives a proxy that ends by itself.
        self.state = tempfile.mkdtemp(prefix="helios-oracle-")
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
        shutil.rmtree(self.state, ignore_errors=True)

    def start_proxy(self):
        self.proxy = Proxy({"server.host": "127.0.0.1", "server.port": self.postgres.port,
                            "state.directory": self.state, "plugins.limits.timeout_ms": 5000})
        self.proxy.install(PLUGIN)
        self.proxy.install(os.path.join(SOURCE_DIR, "tests/oracle/guests/oracle.toml"))
        self.proxy.start()

    def has_crashed(self):
        """Has the proxy ended? Then there is a new one."""
        if self.proxy.process.poll() is None:
            return None
        last_words = [line for line in self.proxy.lines if not re.match(r"\d{4}-", line)][:20]
        self.proxy.process.wait()
        self.proxy.remove()
        self.start_proxy()
        return "; ".join(last_words) or "the proxy has ended without a word"

    def end_prepared_transactions(self):
        """Their names are the server's: the same conversation makes them again."""
        with self.postgres.connect(database="demo") as session:
            for name, in session.query("SELECT gid FROM pg_prepared_xacts").expect_ok().rows:
                session.query(f"ROLLBACK PREPARED '{name}'").expect_ok()

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
        """{session: its calls, in order}, by the admin interface: it runs no hook."""
        sessions, page = {}, "/admin/kv/oracle/?prefix=c:&limit=10000&values=true"
        while page:
            answer = self.proxy.admin.get(page).json
            for entry in answer["entries"]:
                value = entry["value"] if "value" in entry else base64.b64decode(entry["value_base64"]).decode("latin-1")
                sessions.setdefault(entry["key"].split(":")[1], []).append(value.split(FIELD))
            page = answer.get("next")
        return sessions

    def plugin_records(self, names):
        """{the conversation's name: its calls}, once all that began have ended; the namespace is empty afterwards."""
        end = time.monotonic() + SETTLE_SECONDS
        while True:
            named = by_name(self._plugin_lines())
            open_calls = any(sum(line[0] == "pre" for line in lines) != sum(line[0] == "settled" for line in lines)
                             for name, lines in named.items() if name in names)
            if not open_calls or time.monotonic() > end:
                break
            time.sleep(0.02)
        self.proxy.admin.request("DELETE", "/admin/kv/oracle/?prefix=")
        return named
