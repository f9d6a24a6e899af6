# SPDX-License-Identifier: Apache-2.0
"""The demos pass and clean up after themselves; the first turns red for each planted fault.

Usage: demo_test.py passes DEMO | keep | busy | fault NAME    (in_own_network.sh around it: the demos' ports are fixed)
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

SOURCE_DIR = os.environ["HELIOS_SOURCE_DIR"]
BUILD_DIR = os.environ["HELIOS_BUILD_DIR"]
FIRST = "03-plugin-kv"
IN_OWN_NETWORK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "in_own_network.sh")

# The checks that must fail for each fault; others may fail as well.
FAULTS = {
    "hook_not_called": ["acme has exactly 100", "acme has used something of its day", "acme is refused"],
    "stale_write": ["acme has exactly 100"],
    "shared_namespace": ["the counter's is a number"],
    "tenant_ignored": ["acme has exactly 100", "globex has exactly 37"],
    "endless_windows": ["acme is served again"],
}
PLUGIN_FAULTS = ("endless_windows",)  # the others are in the proxy


def run_demo(*arguments, demo=FIRST, **variables):
    script = os.path.join(SOURCE_DIR, "demos/v0.4.0", demo, "demo.sh")
    done = subprocess.run([script, *arguments], env={**os.environ, **variables}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(done.stdout)
    return done.returncode, re.sub(r"\x1b\[\d*m", "", done.stdout)


def failed_checks(output):
    return re.findall(r"^  FAILED  (.*)$", output, re.MULTILINE)


def passes(demo):
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o755)  # PostgreSQL's user has to get through
        status, output = run_demo(demo=demo, TMPDIR=scratch)
        assert status == 0 and not failed_checks(output), f"status {status}"
        assert re.search(r"^\d+ checks passed, 0 failed$", output, re.MULTILINE)
        assert os.listdir(scratch) == [], "something was left behind"


def busy():
    with socket.create_server(("127.0.0.1", 6432)):
        status, output = run_demo()
    lines = output.strip().splitlines()
    assert status != 0 and len(lines) == 1 and "6432 is in use" in lines[0]


def keep():
    """What stays up serves the page's lines, pasted by hand; what the script prints stops it."""
    status, output = run_demo("--keep")
    assert status == 0
    stop = re.search(r"^  (kill (\d+) (\d+); .*)$", output, re.MULTILINE)
    pids = [int(pid) for pid in stop.groups()[1:]]
    try:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        shell = ["bash", "-c", 'PGUSER=postgres psql -h localhost -p 6432 -d demo '
                 '-c "SET helios.tenant_id = \'globex\'; SELECT 1" && '
                 "curl -sf --noproxy '*' http://localhost:9090/admin/kv/cost-governor/tenant:globex:usage"]
        subprocess.run(shell, env=environment, check=True)
        subprocess.run(["bash", "-c", stop[1]], check=True)
        wait_until_gone(pids)
    finally:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def wait_until_gone(pids):
    end = time.monotonic() + 60
    for pid in pids:
        while os.path.exists(f"/proc/{pid}") and process_state(pid) != "Z":
            assert time.monotonic() < end, f"process {pid} does not stop"
            time.sleep(0.05)


def process_state(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "Z"


def fault(name):
    if name in PLUGIN_FAULTS:
        variables = {"HELIOS_PLUGIN_DIR": os.path.join(BUILD_DIR, "faults", name)}
    else:
        variables = {"HELIOS_BIN": os.path.join(BUILD_DIR, "bin/heliosproxy_faulty"), "HELIOS_PLANTED_FAULT": name}
    status, output = run_demo(**variables)
    failed = failed_checks(output)
    assert status != 0, "the demo did not notice"
    for check in FAULTS[name]:
        assert any(line.startswith(check) for line in failed), f"'{check}' should have failed; these did: {failed}"


if __name__ == "__main__":
    if os.environ.get("HELIOS_IN_OWN_NETWORK") != "yes":
        os.environ["HELIOS_IN_OWN_NETWORK"] = "yes"
        os.execv(IN_OWN_NETWORK, [IN_OWN_NETWORK, sys.executable, *sys.argv])
    {"passes": passes, "busy": busy, "keep": keep, "fault": fault}[sys.argv[1]](*sys.argv[2:])
