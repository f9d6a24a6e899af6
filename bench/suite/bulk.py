# SPDX-License-Identifier: Apache-2.0
"""Large results and COPY: how long they take, what they cost, and how much memory they take."""

import os
import subprocess
import sys
import time

from .process import cpu_time, peak_resident_kib

ROW_BYTES = 1000
DRAIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "drain.py")


def statements(megabytes):
    rows = megabytes * 1_000_000 // ROW_BYTES
    row = f"SELECT repeat('x', {ROW_BYTES}) FROM generate_series(1, {rows})"
    return {"result": row, "COPY": f"COPY ({row}) TO STDOUT"}


def run(port, statement, pid=None):
    """Seconds, CPU seconds of the proxy, its peak memory in MiB; the last two are 0 without one."""
    before = cpu_time(pid) if pid else None
    started = time.monotonic()
    subprocess.run([sys.executable, DRAIN, str(port), statement], check=True)
    elapsed = time.monotonic() - started
    if not pid:
        return elapsed, 0.0, 0.0
    return elapsed, (cpu_time(pid) - before).total, peak_resident_kib(pid) / 1024
