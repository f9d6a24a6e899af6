# SPDX-License-Identifier: Apache-2.0
"""The proxy as a process: configuration, start, log, stop."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading

from .clients import Admin
from .waiting import wait_until
from .wire import Raw, Wire

BINARY = os.environ.get("HELIOS_BIN", "heliosproxy")
# What the event loops are to work with; without it, whatever the proxy chooses.
ENGINE = {"listen.engine": os.environ["HELIOS_ENGINE"]} if os.environ.get("HELIOS_ENGINE") else {}
START_SECONDS = 60.0  # sanitized builds on a busy machine
STOP_SECONDS = 60.0
# As their reports begin; the log may mention them too.
SANITIZER_REPORT = re.compile(r"(ERROR|WARNING|FATAL): (Address|Leak|Thread)Sanitizer|Sanitizer:DEADLYSIGNAL|runtime error:")


# What the compiler calls in a program that it has built with a sanitizer; options for others may stand in it too.
CALLED = {"asan": b"__asan_init", "tsan": b"__tsan_func_entry", "ubsan": b"__ubsan_handle"}


def is_sanitized(binary, name):
    """Was the program built with this sanitizer ("asan", "tsan", "ubsan")?"""
    with open(binary, "rb") as file:
        return CALLED[name] in file.read()


def toml_value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(each) for each in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {toml_value(each)}" for name, each in value.items()) + "}"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def toml_text(config):
    """{"server.port": 5432} as TOML; each key is a path."""
    return "".join(f"{path} = {toml_value(value)}\n" for path, value in config.items())


class Proxy:
    def __init__(self, config, binary=None, environment=None, detour=None):
        """`config`: settings by path ("server.port"). Both listeners take a free port of 127.0.0.1; `detour` may put
        something in front of the clients' one."""
        self.directory = tempfile.mkdtemp(prefix="helios-proxy-")
        self.plugins = os.path.join(self.directory, "plugins")
        os.mkdir(self.plugins)
        self.config = {
            "listen.addresses": ["127.0.0.1:0"], "listen.workers": 2, "admin.addresses": ["127.0.0.1:0"],
            "plugins.directory": "plugins", **ENGINE, **config,
        }
        self.binary = binary or BINARY
        self.environment = {**os.environ, **(environment or {})}
        self.detour = detour
        self.pass_fds = ()  # descriptors that the process inherits
        self.process = None
        self.lines = []

    @property
    def config_file(self):
        return os.path.join(self.directory, "proxy.toml")

    def write_config(self, text=None):
        with open(self.config_file, "w", encoding="utf-8") as file:
            file.write(toml_text(self.config) if text is None else text)

    def install(self, source, name=None):
        """Copies a plugin, or a file beside one, into the plugin folder."""
        shutil.copy(source, os.path.join(self.plugins, name or os.path.basename(source)))

    def write_plugin_file(self, name, text):
        with open(os.path.join(self.plugins, name), "w", encoding="utf-8") as file:
            file.write(text)

    def start(self):
        self.write_config()
        self.lines = []
        self.process = subprocess.Popen(
            [self.binary, "--config", self.config_file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=self.environment, pass_fds=self.pass_fds)
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        self.port = self._port_in_log(r"listening on \S*:(\d+)(?! .*admin)")
        if self.detour:
            self.port = self.detour.to("127.0.0.1", self.port)
        self.admin = Admin(self._port_in_log(r"admin\D* on \S*:(\d+)"))
        return self

    def refused_start(self):
        """What it says where it does not start."""
        self.write_config()
        done = subprocess.run([self.binary, "--config", self.config_file], capture_output=True, text=True, env=self.environment,
                              pass_fds=self.pass_fds, timeout=START_SECONDS, check=False)
        assert done.returncode != 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def _read_log(self):
        for line in self.process.stdout:
            self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))

    def _port_in_log(self, pattern):
        def found():
            for line in self.lines:
                match = re.search(pattern, line)
                if match:
                    return int(match[1])
            assert self.process.poll() is None, "the proxy did not start:\n" + self.log
            return None
        return wait_until(found, f"a log line like '{pattern}' in:\n{self.log}", START_SECONDS)

    @property
    def log(self):
        return "\n".join(self.lines)

    @property
    def pid(self):
        return self.process.pid

    def wait_for_log(self, pattern):
        wait_until(lambda: re.search(pattern, self.log), f"'{pattern}' in the log:\n{self.log}")

    def reload(self):
        """Reloads through the admin interface; returns its answer."""
        return self.admin.post("/plugins/reload")

    def connect(self, user="postgres", database="demo", **parameters):
        return Wire("127.0.0.1", self.port, user=user, database=database, **parameters)

    def raw(self, **options):
        return Raw("127.0.0.1", self.port, **options)

    def resident_kib(self):
        """The memory that the process takes now."""
        with open(f"/proc/{self.pid}/status", encoding="utf-8") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])

    def stop(self):
        """SIGTERM, and everything that a well-behaved end includes."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the proxy did not stop:\n" + self.log) from None
        self._reader.join()
        self.process = None
        report = SANITIZER_REPORT.search(self.log)
        assert status == 0 and not report, f"the proxy ended with {status}:\n{self.log}"

    def kill(self):
        """SIGKILL: no word of farewell, no cleaning up."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process = None

    def remove(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
