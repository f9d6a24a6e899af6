# SPDX-License-Identifier: Apache-2.0
"""A throw-away PostgreSQL on a Unix socket and a free TCP port: version 17, or HELIOS_TEST_PG."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile

from .waiting import wait_until
from .wire import Wire, WireError

SOURCE_DIR = os.environ.get("HELIOS_SOURCE_DIR") or os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
AS_POSTGRES = os.path.join(SOURCE_DIR, "tools/as-postgres")
PASSWORD = "correct horse"

# One user per authentication method; everyone else is trusted.
HBA = """
local all all trust
host all by_password 127.0.0.1/32 password
host all by_md5      127.0.0.1/32 md5
host all by_scram    127.0.0.1/32 scram-sha-256
host all nobody      127.0.0.1/32 reject
host all all         127.0.0.1/32 trust
"""

SETUP = [
    "CREATE DATABASE demo",
    f"CREATE ROLE by_password LOGIN PASSWORD '{PASSWORD}'",
    f"SET password_encryption = 'md5'; CREATE ROLE by_md5 LOGIN PASSWORD '{PASSWORD}'",
    f"SET password_encryption = 'scram-sha-256'; CREATE ROLE by_scram LOGIN PASSWORD '{PASSWORD}'",
    "CREATE ROLE nobody LOGIN",
    "CREATE ROLE anna LOGIN",
]


def binaries():
    """The server's programs: those of version HELIOS_TEST_PG, else of HELIOS_PG17 (a folder with bin/), else version 17."""
    major = os.environ.get("HELIOS_TEST_PG")
    root = None if major else os.environ.get("HELIOS_PG17")
    if not root:
        locate = ["bash", os.path.join(SOURCE_DIR, "deps/locate.sh"), "postgres" + (major or "17")]
        root = subprocess.run(locate, capture_output=True, text=True, check=True).stdout.strip()
    return os.path.join(root, "bin")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postgres:
    def __init__(self, **settings):
        """`settings` of the server, beside those that every one gets."""
        self.settings = settings
        self.directory = tempfile.mkdtemp(prefix="helios-pg-", dir="/tmp")
        if os.geteuid() == 0:
            user = subprocess.run([AS_POSTGRES, "id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
            shutil.chown(self.directory, user, user)
            os.chmod(self.directory, 0o755)
        self.data = os.path.join(self.directory, "data")
        self.log = os.path.join(self.directory, "log")
        self.process = None
        self._initialise()

    def _initialise(self):
        subprocess.run(
            [AS_POSTGRES, os.path.join(binaries(), "initdb"), "-D", self.data, "-U", "postgres", "-A", "trust",
             "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"],
            check=True, stdout=subprocess.DEVNULL, cwd="/")
        with open(os.path.join(self.data, "pg_hba.conf"), "w", encoding="utf-8") as hba:
            hba.write(HBA)

    def start(self):
        """Starts the server and waits until it answers. A second start takes a new port."""
        self.port = free_port()
        settings = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.directory,
            "fsync": "off", "max_connections": "150", "shared_buffers": "32MB", "log_min_messages": "warning", **self.settings,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [AS_POSTGRES, os.path.join(binaries(), "postgres"), "-D", self.data, *options],
                stdout=log, stderr=log, cwd="/")
        wait_until(self._answers, "PostgreSQL answers")
        return self

    def _answers(self):
        if self.process.poll() is not None:
            with open(self.log, encoding="utf-8", errors="replace") as log:
                raise AssertionError("PostgreSQL did not start:\n" + log.read())
        try:
            self.connect().close()
            return True
        except (OSError, WireError):
            return False

    def set_up(self):
        """Makes the users and databases that tests count on; once."""
        with self.connect() as admin:
            for text in SETUP:
                # CREATE DATABASE wants a message of its own, the others come in pairs.
                admin.query(text).expect_ok()

    def connect(self, user="postgres", database="postgres", **parameters):
        """A connection beside the proxy."""
        return Wire("127.0.0.1", self.port, user=user, database=database, **parameters)

    def stop(self, how=signal.SIGINT):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
