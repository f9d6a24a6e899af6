# SPDX-License-Identifier: Apache-2.0
"""A proxy with the recording plugin. It is started again when it has ended by itself."""

import base64
import os
import re
import shutil
import tempfile

from harness.proxy import BINARY, Proxy, is_sanitized
from harness.waiting import wait_until

SOURCE_DIR = os.environ["HELIOS_SOURCE_DIR"]
BUILD_DIR = os.path.join(os.environ.get("HELIOS_BUILD_DIR") or os.path.join(SOURCE_DIR, "build/dev"), "oracle")
PLUGIN = os.environ.get("HELIOS_ORACLE_PLUGIN") or os.path.join(BUILD_DIR, "oracle.wasm")
MANIFEST = os.path.join(SOURCE_DIR, "tests/oracle/guests/oracle.toml")
FIELD = "\x1f"  # between the fields of a line
HOOK_SECONDS = 20  # on a busy machine

# ThreadSanitizer leaves little address space to reserve.
SETTINGS = {"plugins.pool_instances": 16, "plugins.memory_reservation_mb": 32} if is_sanitized(BINARY, "tsan") else {}


def by_name(sessions):
    """The lines of each session by what its first statement calls it."""
    named = {}
    for lines in sessions.values():
        for line in lines:
            if line[0] == "pre" and "/*hello " in line[-1]:
                named[line[-1].split("/*hello ")[1].split("*/")[0]] = lines
    return named


class Front:
    def __init__(self, engine, server_port):
        self.engine = engine
        self.state = tempfile.mkdtemp(prefix="helios-oracle-")
        self.config = {"server.host": "127.0.0.1", "server.port": server_port, "listen.engine": engine,
                       "state.directory": self.state, "plugins.limits.timeout_ms": HOOK_SECONDS * 1000, **SETTINGS}
        self.proxy = None

    @property
    def port(self):
        return self.proxy.port

    def start(self):
        self.proxy = Proxy(self.config)
        self.proxy.install(PLUGIN)
        self.proxy.install(MANIFEST)
        self.proxy.start()

    def remove(self):
        if self.proxy:
            self.proxy.remove()
        shutil.rmtree(self.state, ignore_errors=True)

    def reload(self):
        self.proxy.reload()

    def has_crashed(self):
        """Its last words where the proxy has ended; then there is a new one."""
        if self.proxy.process.poll() is None:
            return None
        self.proxy.process.wait()
        last_words = [line for line in self.proxy.lines if not re.match(r"\d{4}-", line)][:20]
        self.proxy.remove()
        self.start()
        self._forget()
        return "; ".join(last_words) or "the proxy has ended without a word"

    # ---- What was written down

    def _lines(self):
        """{session: its calls, in order}, by the admin interface: it runs no hook."""
        sessions, page = {}, "/admin/kv/oracle/?prefix=c:&limit=10000&values=true"
        while page:
            answer = self.proxy.admin.get(page).json
            for entry in answer["entries"]:
                value = entry["value"] if "value" in entry else base64.b64decode(entry["value_base64"]).decode("latin-1")
                sessions.setdefault(entry["key"].split(":")[1], []).append(value.split(FIELD))
            page = answer.get("next")
        return sessions

    def records(self):
        """{a conversation's name: its calls}, of all whose sessions have ended; the namespace is empty afterwards."""
        wait_until(lambda: self.proxy.admin.metric("helios_sessions") == 0, "the end of all sessions")
        named = by_name(self._lines())
        self._forget()
        return named

    def _forget(self):
        self.proxy.admin.request("DELETE", "/admin/kv/oracle/?prefix=")
