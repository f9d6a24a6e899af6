# SPDX-License-Identifier: Apache-2.0
"""Large results and COPY: how fast they come, what they cost, and how much memory they take."""

import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass

from .process import cpu_time, peak_resident_kib

ROW_BYTES = 1000
ROUNDS = 3
DRAIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "drain.py")


@dataclass
class BulkResult:
    mb_per_s: float
    cpu_s: float = 0.0  # of the proxy; 0 without one
    peak_mib: float = 0.0


def statements(megabytes):
    rows = megabytes * 1_000_000 // ROW_BYTES
    # In the list of a SELECT the series is streamed; in FROM it would go through temporary files.
    query = f"SELECT repeat('x', {ROW_BYTES}) FROM (SELECT generate_series(1, {rows})) AS rows"
    return {"result": query, "COPY": f"COPY ({query}) TO STDOUT"}


def run(contender, statement, megabytes):
    pid = contender.pid
    before = cpu_time(pid) if pid else None
    started = time.monotonic()
    tls = ["tls"] if contender.certificate else []
    subprocess.run([sys.executable, DRAIN, str(contender.port), statement, *tls], check=True)
    result = BulkResult(megabytes / (time.monotonic() - started))
    if pid:
        result.cpu_s = (cpu_time(pid) - before).total
        result.peak_mib = peak_resident_kib(pid) / 1024
    return result


def measure(contenders, megabytes):
    """{"result" and "COPY": {contender: [result of each round]}}, in the same interleaved way as queries."""
    found = {kind: {each.name: [] for each in contenders} for kind in ("result", "COPY")}
    for number in range(ROUNDS):
        for kind, statement in statements(megabytes).items():
            for contender in random.sample(contenders, len(contenders)):
                found[kind][contender.name].append(run(contender, statement, megabytes))
        print(f"{megabytes} MB, round {number + 1} of {ROUNDS}", flush=True)
    return found
