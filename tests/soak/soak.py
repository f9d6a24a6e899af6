# SPDX-License-Identifier: Apache-2.0
"""A soak: everything at once for a long time, then an account of it.

Usage: soak.py [MINUTES]    (tools/dev soak builds what it needs and sets the environment)

pgbench, sessions that come and go, slices and delays, conversations with faults, dying clients, hostile plugins that
change every few seconds. At the end memory and descriptors must be flat, the counter plugin's numbers exact, and every
pre_query must have had its post_query. Exit status 1 when something of that is not so."""

import os
import statistics
import struct
import sys
import tempfile
import time

SOURCE_DIR = os.environ["HELIOS_SOURCE_DIR"]
sys.path.insert(0, os.path.join(SOURCE_DIR, "tests/integration"))

# pylint: disable=wrong-import-position
from harness.postgres import Postgres  # noqa: E402
from harness.proxy import Proxy  # noqa: E402
from harness.relay import Relay  # noqa: E402
from harness.through import cut_up, hold_back  # noqa: E402
from harness.waiting import wait_until  # noqa: E402
from loads import Churn, CountedLoad, Dying, Faults, Pgbench, Reloads  # noqa: E402

GUESTS = os.path.join(SOURCE_DIR, "tests/guests")
COUNTER = os.path.join(os.environ["HELIOS_BUILD_DIR"], "guests/counter.wasm")
BALANCE = os.path.join(SOURCE_DIR, "tests/integration/guests/balance.wat")

# They load, and then misbehave in ways that on_error = "allow" passes over.
HOSTILE = ["traps", "answers_garbage", "answers_outside", "lies_about_length", "recurses", "passes_bad_pointer",
           "grows", "post_traps", "allocates_outside", "answers_unknown_action", "loops", "answers_too_much",
           "post_answers_garbage"]

SAMPLE_SECONDS = 2.0
LINES = 20  # of the table
MOST_GROWTH = 1.10  # of memory, from the second fifth to the last
MOST_GROWTH_KIB = 8 * 1024
SETTLE_SECONDS = 120.0


class Soak:
    def __init__(self, minutes):
        self.minutes = minutes
        self.samples = []  # (seconds, resident KiB, descriptors)
        self.failed = False

    def run(self):
        with tempfile.TemporaryDirectory() as folder:
            self.postgres = Postgres()
            try:
                self.postgres.start().set_up()
                self.behind = Relay("127.0.0.1", self.postgres.port)
                self._with_proxy(folder)
            finally:
                self.postgres.remove()
        return not self.failed

    def _with_proxy(self, folder):
        self.proxy = Proxy({
            "server.host": "127.0.0.1", "server.port": self.behind.port, "protocol.function_call": "pass",
            "plugins.limits.timeout_ms": 2000,
            # Each place of the pool keeps some memory once it was used: with few, all have been used soon.
            "plugins.pool_instances": 32})
        try:
            for plugin in (COUNTER, BALANCE):
                self.proxy.install(plugin)
            self.proxy.start()
            self._under_load(folder)
            self._stop_proxy()
        finally:
            self.proxy.remove()

    def _under_load(self, folder):
        front, sliced, delayed = (Relay("127.0.0.1", self.proxy.port, way) for way in (None, cut_up, hold_back))
        with self.proxy.connect() as witness:
            witness.query("SELECT 1").expect_ok()
            idle = self._descriptors()
            loads = self._make_loads(folder, (front, sliced, delayed), witness.key)
            self._watch(loads)
            self._finish(loads)
            wait_until(lambda: self.proxy.admin.metric("helios_sessions") == 1, "all sessions have ended", SETTLE_SECONDS)
            self._account(loads, idle)
            self._check("the witness is served", witness.query("SELECT 1").value(), "1")
        for relay in (front, sliced, delayed):
            relay.close()

    def _make_loads(self, folder, relays, key):
        front, sliced, delayed = relays
        return [
            Pgbench("pgbench", self.proxy.port, folder), Churn("churn", self.proxy.port), Churn("sliced", sliced.port),
            Churn("delayed", delayed.port), Faults(front, self.behind, seed=1), Dying(self.proxy.port, key),
            Reloads(self.proxy, GUESTS, HOSTILE)]

    def _watch(self, loads):
        print(f"soak of {self.minutes:g} minutes: " + ", ".join(load.name for load in loads), flush=True)
        print(f"{'minute':>7} {'resident MiB':>13} {'descriptors':>12} {'sessions':>9} {'statements':>11} {'rounds of':>9}"
              f" {'/'.join(load.name for load in loads)}", flush=True)
        for load in loads:
            load.start()
        start = time.monotonic()
        next_line = 0.0
        while (now := time.monotonic() - start) < self.minutes * 60 and not any(load.failure for load in loads):
            self.samples.append((now, self.proxy.resident_kib(), self._descriptors()))
            if now >= next_line:
                self._print_line(now, loads)
                next_line += self.minutes * 60 / LINES
            time.sleep(SAMPLE_SECONDS)

    def _print_line(self, now, loads):
        metric = self.proxy.admin.metric
        _, resident, descriptors = self.samples[-1]
        rounds = "/".join(str(load.rounds) for load in loads)
        print(f"{now / 60:7.1f} {resident / 1024:13.1f} {descriptors:12d} {metric('helios_sessions_total'):9.0f} "
              f"{metric('helios_statements_total'):11.0f} {'':9} {rounds}", flush=True)

    def _finish(self, loads):
        for load in loads:
            load.ask_to_stop()
        for load in loads:
            load.join(600)
            self._check(f"{load.name} ran without a failure", repr(load.failure), "None")
            if isinstance(load, Reloads):
                load.remove_hostile()

    def _account(self, loads, idle_descriptors):
        for load in loads:
            if isinstance(load, CountedLoad):
                counted = int(self.proxy.admin.value("counter", load.tenant) or 0)
                self._check(f"statements of {load.tenant} are counted exactly", counted, load.answered)
        self._check("every pre_query had its post_query", self._balance("pre"), self._balance("post"))
        self._check_descriptors(idle_descriptors)
        self._check_memory()

    def _check_descriptors(self, idle):
        """Those of the hostile plugins' modules too."""
        assert self.proxy.reload().status == 200
        try:  # connections linger for a moment
            wait_until(lambda: self._descriptors() <= idle, "", SETTLE_SECONDS)
        except AssertionError:
            folder = f"/proc/{self.proxy.pid}/fd"
            print("\n".join(os.readlink(os.path.join(folder, each)) for each in os.listdir(folder)))
        self._check("descriptors are as at the start", self._descriptors() <= idle, True)

    def _check_memory(self):
        fifth = len(self.samples) // 5
        if fifth < 2:
            self._check("there are enough samples of memory", fifth, "2 or more")
            return
        early = statistics.median(resident for _, resident, _ in self.samples[fifth:2 * fifth])
        late = statistics.median(resident for _, resident, _ in self.samples[-fifth:])
        print(f"resident memory, medians: {early / 1024:.1f} MiB in the second fifth, {late / 1024:.1f} MiB in the last")
        self._check("memory is flat", late <= max(early * MOST_GROWTH, early + MOST_GROWTH_KIB), True)

    def _stop_proxy(self):
        try:
            self.proxy.stop()
            self._check("the proxy ends in order", True, True)
        except AssertionError as failure:
            self._check("the proxy ends in order", str(failure)[-2000:], "status 0")

    def _balance(self, key):
        answer = self.proxy.admin.get(f"/admin/kv/balance/{key}", Accept="application/octet-stream")
        return struct.unpack("<q", answer.body)[0]

    def _descriptors(self):
        return len(os.listdir(f"/proc/{self.proxy.pid}/fd"))

    def _check(self, what, found, expected):
        if found == expected:
            print(f"  ok      {what}" + ("" if isinstance(found, (bool, str)) else f": {found}"), flush=True)
        else:
            self.failed = True
            print(f"  FAILED  {what}: {found}, not {expected}", flush=True)


if __name__ == "__main__":
    sys.exit(0 if Soak(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0).run() else 1)
