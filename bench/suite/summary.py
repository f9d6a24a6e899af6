# SPDX-License-Identifier: Apache-2.0
"""What several rounds come to, and how far it is from what is aimed at."""

import statistics
from dataclasses import dataclass

from .contenders import TLS, UNIX

# What is aimed at.
FLOOR_FACTOR = 1.15
COUNTER_US = 10.0  # of ABI 1, a fresh instance for every call
REUSED_COUNTER_US = 3.0  # of ABI 2, under the prepared protocol
ON_DISK_TPS = 0.9  # of the counter in class relaxed, as a share of the one in memory
IDLE_KIB = 6.0
IDLE_TLS_KIB = 20.0
BANDWIDTH = 0.9
GOAL_LOADS = ("simple 8", "simple 32", "prepared 8", "prepared 32")


def median(results, attribute):
    return statistics.median(getattr(result, attribute) for result in results)


def spread(results, attribute):
    """Half the distance between the quartiles."""
    values = [getattr(result, attribute) for result in results]
    if len(values) < 2:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4)
    return (high - low) / 2


@dataclass
class Row:
    """One contender under one load: medians."""

    name: str
    tps: float
    p50_us: float
    p99_us: float
    cpu_us: float  # 0 without a process between
    spread_us: float
    user_us: float
    floor_times: float  # cpu_us as a multiple of the floor's; 0 = there is none
    resident_mib: float
    note: str


def note(results, name, runs):
    if name not in results["plugins"]:
        return ""
    seen = sum(run.hook_calls for run in runs) / sum(run.queries for run in runs)
    return f"{seen:.2g} hook calls per query" if seen > 0.5 else "its hooks do not see this protocol"


def rows(results, load):
    by_name = results["queries"][load]
    for name, runs in by_name.items():
        cpu = median(runs, "cpu_us")
        floor = by_name.get(results["floors"].get(name), [])
        floor_cpu = median(floor, "cpu_us") if floor else 0.0
        yield Row(name, median(runs, "tps"), median(runs, "p50_us"), median(runs, "p99_us"), cpu,
                  spread(runs, "cpu_us"), median(runs, "cpu_user_us"), cpu / floor_cpu if floor_cpu else 0.0,
                  median(runs, "resident_kib") / 1024, note(results, name, runs))


@dataclass
class Goal:
    what: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def reached(self):
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def query_goals(results, load):
    row = {each.name: each for each in rows(results, load)}
    for suffix in ("", UNIX):
        where = load + suffix
        plain, epoll = row.get("heliosproxy" + suffix), row.get("heliosproxy, epoll" + suffix)
        pgbouncer, counter = row.get("PgBouncer" + suffix), row.get("counter" + suffix)
        for each in (plain, epoll):
            if each and each.floor_times:
                yield Goal(f"{where}: {each.name.removesuffix(UNIX)}, times its floor", each.floor_times, FLOOR_FACTOR)
        if plain and pgbouncer:
            yield Goal(f"{where}: heliosproxy, times PgBouncer", plain.cpu_us / pgbouncer.cpu_us, 1.0)
        if plain and counter and "not see" not in counter.note:
            yield Goal(f"{where}: counter, us more than no plugin", counter.cpu_us - plain.cpu_us, COUNTER_US)
        reused = row.get("counter, reused" + suffix)
        on_disk = row.get("counter, reused, on disk" + suffix)
        if reused and on_disk:
            yield Goal(f"{where}: counter on disk, share of the tps in memory", on_disk.tps / reused.tps, ON_DISK_TPS,
                       at_least=True)
        if plain and reused and load.startswith("prepared"):
            more = reused.cpu_us - plain.cpu_us
            yield Goal(f"{where}: counter, reused, us more than no plugin", more, REUSED_COUNTER_US)


def goals(results):
    """All that this run has figures for."""
    found = []
    for load in results["queries"]:
        if load in GOAL_LOADS:
            found += query_goals(results, load)
    for kind, by_name in results["bulk"].items():
        if "heliosproxy" in by_name:
            share = median(by_name["heliosproxy"], "mb_per_s") / median(by_name["direct"], "mb_per_s")
            found.append(Goal(f"{results['megabytes']} MB {kind}: heliosproxy, share of direct", share, BANDWIDTH, True))
    for name, connections in results["connections"].items():
        if name.startswith("heliosproxy"):
            for count, kib in connections["kib_per_idle_client"].items():
                found.append(Goal(f"{name}: KiB for each of {count} idle clients", kib,
                                  IDLE_TLS_KIB if name.endswith(TLS) else IDLE_KIB))
    return found
