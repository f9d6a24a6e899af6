# SPDX-License-Identifier: Apache-2.0
"""What is measured: each contender is a way from pgbench to PostgreSQL."""

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

from harness.postgres import AS_POSTGRES, free_port
from harness.proxy import Proxy
from harness.waiting import wait_until
from harness.wire import Closed, Wire, WireError

UNIX = ", Unix socket"  # ends the names of those that reach the server so
TLS = ", TLS"  # ends the names of those that clients reach so
SERVER_TLS = ", TLS to the server"  # ends the names of those that reach the server so


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
    """One of them, over TCP or, with `unix`, over a Unix socket to the server."""

    plugin = None
    pid = None
    host = "127.0.0.1"
    port = 0
    options = ""  # PGOPTIONS of its clients
    certificate = None  # harness.certificates.Certificate: clients come with TLS
    engine = "epoll"  # what its event loop works with: which floor it is compared with

    def __init__(self, name, unix=False, certificate=None, believed=None):
        """`believed`: the server's certificate; with it, the server is reached with TLS."""
        self.name = name + (UNIX if unix else "") + (TLS if certificate else "") + (SERVER_TLS if believed else "")
        self.unix = unix
        self.certificate = certificate
        self.believed = believed

    @property
    def floor(self):
        """The name of the relay that it is compared with."""
        return f"floor: {self.engine}" + (UNIX if self.unix else "")

    def start(self, server):
        raise NotImplementedError

    def stop(self):
        pass

    def hook_calls(self):
        """So far; None without a plugin."""
        return None

    def is_plain(self):
        """Not a variation that only matters for queries."""
        return not self.plugin and not self.unix


class Direct(Contender):
    def start(self, server):
        self.host = server.directory if self.unix else "127.0.0.1"
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

    def __init__(self, engine, binary, unix=False):
        super().__init__(f"floor: {engine}", unix)
        self.engine = engine
        self.binary = binary

    def command(self, server):
        return [self.binary, str(self.port), server.socket if self.unix else str(server.port)]


class PgBouncer(Program):
    def __init__(self, binary, libraries, unix=False, certificate=None, believed=None):
        super().__init__("PgBouncer", unix, certificate, believed)
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
                f"[databases]\n* = host={server.directory if self.unix else '127.0.0.1'} port={server.port}\n"
                f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
                f"auth_type = trust\nauth_file = {users}\npool_mode = session\ndefault_pool_size = 200\n"
                "max_client_conn = 10000\nlog_connections = 0\nlog_disconnections = 0\nlog_stats = 0\n"
                "ignore_startup_parameters = extra_float_digits,options\nserver_reset_query =\n"
                f"{self.server_tls_settings()}{self.tls_settings()}")
        for path in (self.directory, users, config):
            os.chmod(path, 0o755)
        # It refuses to run as root, as PostgreSQL does.
        return [AS_POSTGRES, "env", f"LD_LIBRARY_PATH={self.libraries}", self.binary, config]

    def server_tls_settings(self):
        if not self.believed:
            return "server_tls_sslmode = disable\n"
        copy = shutil.copy(self.believed.path, os.path.join(self.directory, "root.crt"))
        os.chmod(copy, 0o644)
        return f"server_tls_sslmode = verify-ca\nserver_tls_ca_file = {copy}\n"

    def tls_settings(self):
        if not self.certificate:
            return ""
        copies = self.certificate.copy_for(self.directory, AS_POSTGRES)
        return (f"client_tls_sslmode = allow\nclient_tls_cert_file = {copies.path}\n"
                f"client_tls_key_file = {copies.key}\n")

    def stop(self):
        super().stop()
        if self.directory:
            shutil.rmtree(self.directory, ignore_errors=True)


class Helios(Contender):
    """heliosproxy, perhaps with one plugin. One worker, unless the settings say otherwise."""

    def __init__(self, name, plugin=None, unix=False, manifest="", certificate=None, believed=None, **settings):
        super().__init__(name, unix, certificate, believed)
        self.plugin = plugin
        self.manifest = manifest
        self.settings = {key.replace("__", "."): value for key, value in settings.items()}
        if certificate:
            self.settings |= {"tls.certificate": certificate.path, "tls.key": certificate.key}
        if believed:
            self.settings |= {"server.sslmode": "verify-ca", "server.root_certificate": believed.path}
        if certificate and believed:
            self.settings |= {"auth.hba_file": "pg_hba.conf"}
        self.options = "-c helios.tenant_id=bench" if plugin else ""
        self.proxy = None

    def start(self, server):
        config = {"server.host": server.directory if self.unix else "127.0.0.1", "server.port": server.port,
                  "listen.workers": 1,
                  "limits.max_connections": 20000, **self.settings}
        # With a plugin folder, empty or not, texts are looked at: plugins may come while the proxy runs.
        self.proxy = Proxy(config if self.plugin else {"plugins.directory": "", **config})
        if self.plugin:
            self.proxy.install(self.plugin)
            if self.manifest:
                self.proxy.write_plugin_file(f"{self.namespace}.toml", self.manifest)
        if "auth.hba_file" in self.settings:
            with open(os.path.join(self.proxy.directory, "pg_hba.conf"), "w", encoding="utf-8") as file:
                file.write("host all all all trust\n")
        self.proxy.start()
        self.port = self.proxy.port
        self.pid = self.proxy.pid
        wait_until(lambda: answers(self.port), f"{self.name} answers")
        self.engine = self.proxy.admin.get("/version").json["engine"]

    def hook_calls(self):
        return int(self.proxy.admin.metric("helios_plugin_calls_total")) if self.plugin else None

    @property
    def namespace(self):
        return os.path.splitext(os.path.basename(self.plugin))[0]

    def counter_value(self):
        """Of the tests' counters: a number as text, or 8 bytes."""
        value = self.proxy.admin.bytes_of(self.namespace, "count:bench") or b"0"
        return int(value) if value.isdigit() else int.from_bytes(value, "little")

    def round_seconds(self):
        """The rounds of the workers' loops so far: {upper bound in seconds: number of rounds not above it}."""
        lines = self.proxy.admin.get("/metrics").text.splitlines()
        found = {}
        for line in lines:
            if match := re.match(r'helios_worker_round_seconds_bucket\{.*le="([^"]+)".*\} (\d+)', line):
                found[float(match[1])] = found.get(float(match[1]), 0) + int(match[2])
        return found

    def stop(self):
        if self.proxy:
            self.proxy.stop()
            self.proxy.remove()
