# SPDX-License-Identifier: Apache-2.0
"""What other clients of the same worker notice while a plugin does not return for one of them."""

import os
import threading

from harness.wire import Closed, Wire

from .contenders import Helios
from .load import Load, run

PLUGIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../plugins/loops_if_asked.wat")
CLIENTS = 8
# A statement that runs no hook, and pgbench's own.
OTHERS = {"none of the plugin's callers": "SHOW port;\n", "callers of the same plugin": ""}


class Looper:
    """A client whose every statement makes the plugin loop until its deadline, one after the other."""

    def __init__(self, port):
        self.wire = Wire("127.0.0.1", port, database="bench", options="-c helios.tenant_id=looping")
        self.refused = 0
        self.ending = False
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        try:
            while not self.ending:
                self.refused += len(self.wire.query("SELECT 'please loop'").errors)
        except (OSError, Closed):
            pass

    def stop(self):
        self.ending = True
        self.thread.join()
        self.wire.close()


def quantile(buckets, share):
    """The upper bound, in microseconds, of the bucket that holds this share of the rounds."""
    total = buckets[float("inf")]
    return min((bound for bound, count in buckets.items() if count >= share * total), default=0.0) * 1e6


def between(before, after):
    return {bound: count - before.get(bound, 0) for bound, count in after.items()}


def watch(pgbench, proxy, seconds, script):
    """The load of the others, with what it and the worker saw."""
    before = proxy.round_seconds()
    result = run(pgbench, proxy, Load("simple", CLIENTS, seconds, script))
    rounds = between(before, proxy.round_seconds())
    return {"tps": result.tps, "p50_us": result.p50_us, "p99_us": result.p99_us,
            "round_p50_us": quantile(rounds, 0.5), "round_p99_us": quantile(rounds, 0.99),
            "round_p999_us": quantile(rounds, 0.999), "round_max_us": quantile(rounds, 1.0)}


def watch_both(pgbench, proxy, seconds, script):
    """Without and with a looping client."""
    quiet = watch(pgbench, proxy, seconds, script)
    looper = Looper(proxy.port)
    try:
        looping = watch(pgbench, proxy, seconds, script)
    finally:
        looper.stop()
    assert looper.refused > 0, "the looping client was never stopped"
    return quiet, looping


def measure(pgbench, server, seconds):
    """{who: what they saw}; one worker, and no rest for the looping caller after its faults."""
    found = {}
    proxy = Helios("loop lag", PLUGIN, plugins__limits__backoff_after_faults=0)
    try:
        proxy.start(server)
        for who, script in OTHERS.items():
            found[f"{who}, quiet"], found[f"{who}, one client loops"] = watch_both(pgbench, proxy, seconds, script)
            print(f"loop lag of {who}", flush=True)
    finally:
        proxy.stop()
    return found
