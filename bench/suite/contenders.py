# SPDX-License-Identifier: Apache-2.0
"""What is measured: each contender is a way from pgbench to PostgreSQL."""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../tests/integration"))
from harness.postgres import AS_POSTGRES, free_port  # noqa: E402
from harness.proxy import Proxy  # noqa: E402
from harness.waiting import wait_until  # noqa: E402
from harness.wire import Closed, Wire, WireError  # noqa: E402


@dataclass
class Server:
    """Where PostgreSQL is: one port over TCP and over a Unix socket."""

    port: int
    directory: str  # of the socket

    @property
    def socket(self):
        return f"{self.directory}/.s.PGSQL.{self.port}"


def answers(port):
    try:
        Wire("127.0.0.1", port, database="bench").close()
        return True
    except (OSError, WireError, Closed):
        return False


class Contender:
    """`hooks_see`: the protocols whose statements its plugin sees; None = it has no plugin."""

    name = ""
    pid = None
    port = 0
    hooks_see = None
    options = ""  # PGOPTIONS of its clients

    def start(self, server):
        raise NotImplementedError

    def stop(self):
        pass

    def plugin_or_unix(self):
        """A variation of another contender that only matters for queries."""
        return False


class Direct(Contender):
    name = "direct"

    def start(self, server):
        self.port = server.port


class Program(Contender):
    """A process of its own that is started with `command(server)` and ended by its number."""

    process = None

    def command(self, server):
        raise NotImplementedError

    def start(self, server):
        self.port = free_port()
        self.process = subprocess.Popen(self.command(server), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self.process.poll() is not None or answers(self.port), f"{self.name} answers")
        assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}"
        self.pid = self.process.pid

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()


class Floor(Program):
    """A relay without any knowledge of the protocol (bench/floor)."""

    def __init__(self, name, binary, unix=False):
        self.name = name
        self.binary = binary
        self.unix = unix

    def plugin_or_unix(self):
        return self.unix

    def command(self, server):
        return [self.binary, str(self.port), server.socket if self.unix else str(server.port)]


class PgBouncer(Program):
    name = "PgBouncer"

    def __init__(self, binary, libraries):
        self.binary = binary
        self.libraries = libraries
        self.directory = None

    def command(self, server):
        self.directory = tempfile.mkdtemp(prefix="helios-bench-")
        users = os.path.join(self.directory, "users.txt")
        with open(users, "w", encoding="utf-8") as file:
            file.write('"postgres" ""\n')
        config = os.path.join(self.directory, "pgbouncer.ini")
        with open(config, "w", encoding="utf-8") as file:
            file.write(
                f"[databases]\n* = host=127.0.0.1 port={server.port}\n"
                f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
                f"auth_type = trust\nauth_file = {users}\npool_mode = session\ndefault_pool_size = 200\n"
                "max_client_conn = 10000\nlog_connections = 0\nlog_disconnections = 0\nlog_stats = 0\n"
                "ignore_startup_parameters = extra_float_digits,options\nserver_reset_query =\n")
        for path in (self.directory, users, config):
            os.chmod(path, 0o755)
        # It refuses to run as root, as PostgreSQL does.
        return [AS_POSTGRES, "env", f"LD_LIBRARY_PATH={self.libraries}", self.binary, config]

    def stop(self):
        super().stop()
        if self.directory:
            shutil.rmtree(self.directory, ignore_errors=True)


class Helios(Contender):
    """heliosproxy, perhaps with one plugin."""

    def __init__(self, name, plugin=None, unix=False, **settings):
        self.name = name
        self.plugin = plugin
        self.unix = unix
        self.settings = {key.replace("__", "."): value for key, value in settings.items()}
        self.options = "-c helios.tenant_id=bench" if plugin else ""
        self.hooks_see = {"simple"} if plugin else None
        self.proxy = None

    def start(self, server):
        config = {"server.host": server.directory if self.unix else "127.0.0.1", "server.port": server.port,
                  "listen.workers": 1, "protocol.extended": "pass",
                  "limits.max_connections": 20000, **self.settings}
        self.proxy = Proxy(config)
        if self.plugin:
            self.proxy.install(self.plugin)
        self.proxy.start()
        self.port = self.proxy.port
        self.pid = self.proxy.pid
        wait_until(lambda: answers(self.port), f"{self.name} answers")

    def plugin_or_unix(self):
        return bool(self.plugin) or self.unix

    def counter_value(self):
        return int(self.proxy.admin.value("counter", "bench") or 0)

    def stop(self):
        if self.proxy:
            self.proxy.stop()
            self.proxy.remove()
