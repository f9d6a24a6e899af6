# SPDX-License-Identifier: Apache-2.0
"""One run of pgbench, and what it and the kernel say about it."""

import glob
import os
import re
import statistics
import subprocess
import tempfile
from dataclasses import dataclass, replace

from .process import cpu_time, resident_kib

# What pgbench asks before it begins, as simple queries: how large the tables are, and how they are partitioned.
QUERIES_BEFORE = 2

# Latencies come from a sample of the transactions: writing all of them down would load the machine.
SAMPLES_PER_RUN = 5000


@dataclass
class Load:
    """What is asked of every contender alike."""

    protocol: str  # simple, extended, prepared
    clients: int
    seconds: int
    script: str = ""  # the statement; empty = pgbench's own SELECT

    def __str__(self):
        return f"{self.protocol} {self.clients}"


@dataclass
class Result:
    queries: int
    tps: float
    p50_us: float
    p99_us: float
    cpu_us: float = 0.0  # of the proxy, per query; 0 without one
    cpu_user_us: float = 0.0
    resident_kib: int = 0  # of the proxy, with its clients just gone
    hook_calls: int = 0  # while this ran


def run(pgbench, contender, load):
    pid = contender.pid
    calls = contender.hook_calls()
    before = cpu_time(pid) if pid else None
    result = run_pgbench(pgbench, contender, load)
    if pid:
        spent = cpu_time(pid) - before
        result.cpu_us = spent.total * 1e6 / result.queries
        result.cpu_user_us = spent.user * 1e6 / result.queries
        result.resident_kib = resident_kib(pid)
    if calls is not None:
        result.hook_calls = contender.hook_calls() - calls
    return result


def run_pgbench(pgbench, contender, load, expected_tps=20000, attempts=3):
    with tempfile.TemporaryDirectory(prefix="helios-bench-") as folder:
        script = ["-S"]
        if load.script:
            with open(os.path.join(folder, "script"), "w", encoding="utf-8") as file:
                file.write(load.script)
            script = ["-f", "script"]
        rate = min(1.0, SAMPLES_PER_RUN / (expected_tps * load.seconds))
        answer = subprocess.run(
            [pgbench, "-n", *script, "-h", contender.host, "-p", str(contender.port), "-U", "postgres",
             "-M", load.protocol, "-c", str(load.clients), "-j", "1", "-T", str(load.seconds),
             "-l", f"--sampling-rate={rate}", "bench"],
            cwd=folder, capture_output=True, text=True, check=False,
            env={**os.environ, "PGOPTIONS": contender.options,
                 "PGSSLMODE": "require" if contender.certificate else "disable"})
        if answer.returncode != 0:
            raise RuntimeError(f"{contender.name}: pgbench failed: {answer.stderr}")
        if "tps = " not in answer.stdout:
            # On a machine with much to do, its time was over before all clients were there.
            if attempts > 1:
                longer = replace(load, seconds=2 * load.seconds)
                return run_pgbench(pgbench, contender, longer, expected_tps, attempts - 1)
            raise RuntimeError(f"{contender.name}: pgbench did nothing in {load.seconds} s: {answer.stdout}")
        queries = int(re.search(r"actually processed: (\d+)", answer.stdout)[1])
        tps = float(re.search(r"tps = ([\d.]+) \(without", answer.stdout)[1])
        return Result(queries, tps, *percentiles(folder))


def percentiles(folder):
    latencies = []
    for name in glob.glob(os.path.join(folder, "pgbench_log.*")):
        with open(name, encoding="utf-8") as lines:
            latencies += [int(line.split()[2]) for line in lines]
    if len(latencies) < 2:
        return 0.0, 0.0
    cuts = statistics.quantiles(latencies, n=100)
    return cuts[49], cuts[98]
