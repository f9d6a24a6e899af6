# SPDX-License-Identifier: Apache-2.0
"""The programs that people use, and the admin interface."""

import http.client
import json
import os
import subprocess
import urllib.parse

TIMEOUT_SECONDS = 120.0


def environment(**extra):
    """This process's environment without anything that steers libpq."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    clean.update(PSQLRC=os.devnull, PGCONNECT_TIMEOUT="30", **extra)
    return clean


def psql(port, *commands, user="postgres", database="demo", options=None, password=None, check=True):
    """Runs psql -c for each command in one session; returns the completed process (text)."""
    extra = {name: value for name, value in (("PGOPTIONS", options), ("PGPASSWORD", password)) if value}
    arguments = ["psql", "-h", "127.0.0.1", "-p", str(port), "-U", user, "-d", database, "-At"]
    for command in commands:
        arguments += ["-c", command]
    done = subprocess.run(arguments, env=environment(**extra), capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
                          check=False)
    assert not check or done.returncode == 0, done.stderr
    return done


def psql_with(port, *commands, password=None, words=(), **parameters):
    """psql -c for each command, with these parameters in its connection string; "localhost" by TCP unless they say otherwise.
    Returns the completed process."""
    parameters = {"host": "localhost", "hostaddr": "127.0.0.1", "port": port, "dbname": "demo", **parameters}
    arguments = ["psql", "-At", *words]
    for command in commands:
        arguments += ["-c", command]
    place = " ".join(f"{name}='{value}'" for name, value in parameters.items() if value is not None)
    return subprocess.run([*arguments, "-d", place], env=environment(**({"PGPASSWORD": password} if password else {})),
                          capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)


def start_psql(port, script, user="postgres", database="demo", options=None):
    """Starts psql with a script on its standard input; for several at once."""
    extra = {"PGOPTIONS": options} if options else {}
    process = subprocess.Popen(
        ["psql", "-h", "127.0.0.1", "-p", str(port), "-U", user, "-d", database, "-At", "-v", "ON_ERROR_STOP=1"],
        env=environment(**extra), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdin.write(script)
    process.stdin.close()
    process.stdin = None
    return process


def finish(processes):
    """Waits for processes of start_psql(); all must have succeeded."""
    for process in processes:
        _, errors = process.communicate(timeout=TIMEOUT_SECONDS)
        assert process.returncode == 0, errors


def pgbench(port, script_file, clients, transactions, options=None, protocol="simple", jobs=2):
    """Returns the running process."""
    extra = {"PGOPTIONS": options} if options else {}
    return subprocess.Popen(
        [os.environ.get("HELIOS_PGBENCH", "pgbench"), "-n", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres",
         "-f", script_file, "-c", str(clients), "-j", str(jobs), "-t", str(transactions), "-M", protocol, "demo"],
        env=environment(**extra), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")


class Admin:
    def __init__(self, port):
        self.port = port

    def request(self, method, path, body=None, headers=None):
        """As somebody who means it: a namespace that is not there is made. A header of None is left out."""
        headers = dict(headers or {})
        if method in ("PUT", "POST") and path.startswith("/admin/kv/"):
            headers.setdefault("Helios-New-Namespace", "true")
        headers = {name: value for name, value in headers.items() if value is not None}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers)

    def post(self, path, body=None):
        return self.request("POST", path, body=body)

    def _key_path(self, plugin, key):
        return f"/admin/kv/{plugin}/{urllib.parse.quote(key, safe=':/')}"

    def put(self, plugin, key, value, is_forced=False):
        forced = {"Helios-Force": "true"} if is_forced else None
        answer = self.request("PUT", self._key_path(plugin, key), value.encode(), forced)
        assert answer.status == 200, answer.body

    def delete(self, plugin, key):
        answer = self.request("DELETE", self._key_path(plugin, key))
        assert answer.status == 200, answer.body

    def bytes_of(self, plugin, key):
        """The value; None when there is none."""
        answer = self.request("GET", self._key_path(plugin, key), headers={"Accept": "application/octet-stream"})
        if answer.status == 404:
            return None
        assert answer.status == 200, answer.body
        return answer.body

    def value(self, plugin, key):
        """The value as text; None when there is none."""
        value = self.bytes_of(plugin, key)
        return None if value is None else value.decode("utf-8", "replace")

    def metric(self, name):
        """The sum of a metric's samples."""
        lines = self.get("/metrics").text.splitlines()
        values = [float(line.rsplit(" ", 1)[1]) for line in lines
                  if line.startswith((name + " ", name + "{"))]
        assert values, f"no metric {name}"
        return sum(values)
