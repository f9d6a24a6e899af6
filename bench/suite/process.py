# SPDX-License-Identifier: Apache-2.0
"""What the kernel knows about a process: CPU time, memory."""

import os
import re
from dataclasses import dataclass

TICK_SECONDS = 1.0 / os.sysconf("SC_CLK_TCK")


@dataclass
class CpuTime:
    """Seconds. The sum is exact; how it splits is what the kernel sampled at its ticks."""

    user: float
    system: float

    @property
    def total(self):
        return self.user + self.system

    def __sub__(self, earlier):
        return CpuTime(self.user - earlier.user, self.system - earlier.system)


def cpu_time(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return CpuTime(int(fields[11]) * TICK_SECONDS, int(fields[12]) * TICK_SECONDS)


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


def peak_resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1])
