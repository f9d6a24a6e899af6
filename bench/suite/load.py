# SPDX-License-Identifier: Apache-2.0
"""One run of pgbench, and what it and the kernel say about it."""

import glob
import os
import re
import statistics
import subprocess
import tempfile
from dataclasses import dataclass

from .process import cpu_time

# Latencies come from a sample of the transactions: writing all of them down would load the machine.
SAMPLES_PER_RUN = 5000


@dataclass
class Load:
    """What is asked of every contender alike."""

    protocol: str  # simple, extended, prepared
    clients: int
    seconds: int

    def __str__(self):
        return f"{self.protocol} {self.clients}"


@dataclass
class Result:
    queries: int
    tps: float
    p50_us: float
    p99_us: float
    cpu_us: float  # of the proxy, per query; 0 without one
    cpu_user_us: float


def run(pgbench, port, load, pid=None, options="", expected_tps=20000):
    """`pid`: the proxy, whose CPU time counts."""
    with tempfile.TemporaryDirectory(prefix="helios-bench-") as folder:
        rate = min(1.0, SAMPLES_PER_RUN / (expected_tps * load.seconds))
        before = cpu_time(pid) if pid else None
        answer = subprocess.run(
            [pgbench, "-n", "-S", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-M", load.protocol,
             "-c", str(load.clients), "-j", "1", "-T", str(load.seconds), "-l", f"--sampling-rate={rate}", "bench"],
            cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "PGOPTIONS": options})
        after = cpu_time(pid) if pid else None
        if answer.returncode != 0:
            raise RuntimeError(f"pgbench failed: {answer.stderr}")
        if "tps = " not in answer.stdout:
            raise RuntimeError(f"pgbench did nothing in {load.seconds} s: {answer.stdout}")
        queries = int(re.search(r"actually processed: (\d+)", answer.stdout)[1])
        tps = float(re.search(r"tps = ([\d.]+) \(without", answer.stdout)[1])
        p50, p99 = percentiles(folder)
    spent = after - before if pid else None
    return Result(queries, tps, p50, p99, spent.total * 1e6 / queries if pid else 0.0,
                  spent.user * 1e6 / queries if pid else 0.0)


def percentiles(folder):
    latencies = []
    for name in glob.glob(os.path.join(folder, "pgbench_log.*")):
        with open(name, encoding="utf-8") as lines:
            latencies += [int(line.split()[2]) for line in lines]
    if len(latencies) < 2:
        return 0.0, 0.0
    cuts = statistics.quantiles(latencies, n=100)
    return cuts[49], cuts[98]
