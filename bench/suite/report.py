# SPDX-License-Identifier: Apache-2.0
"""The results as tables on the terminal."""

from .summary import goals, median, rows


def print_queries(results):
    for load in results["queries"]:
        print(f"\n{load} client(s), {results['rounds']} rounds of {results['seconds']:g} s, medians")
        print(f"{'':34}{'tps':>8}{'p50 us':>8}{'p99 us':>8}{'CPU us':>8}{'+-':>6}{'user':>6}{'x floor':>8}{'RSS MiB':>8}")
        for row in rows(results, load):
            work = (f"{row.cpu_us:8.1f}{row.spread_us:6.1f}{row.user_us:6.1f}{row.floor_times:8.2f}{row.resident_mib:8.1f}"
                    if row.cpu_us else "")
            print(f"{row.name:34}{row.tps:8.0f}{row.p50_us:8.0f}{row.p99_us:8.0f}{work}  {row.note}".rstrip())
    print()
    for name, counter in results["counters"].items():
        print(f"{name}: {counter['counted']} counted, {counter['queries']} queries")


def print_lag(results):
    if results["lag"]:
        print("\nwhat others notice of a client whose plugin never returns, 8 clients, simple, one worker")
        print(f"{'':48}{'tps':>8}{'p50 us':>8}{'p99 us':>8}   rounds, us:{'p50':>6}{'p99':>8}{'p99.9':>8}{'max':>8}")
    for name, seen in results["lag"].items():
        print(f"{name:48}{seen['tps']:8.0f}{seen['p50_us']:8.0f}{seen['p99_us']:8.0f}{seen['round_p50_us']:20.0f}"
              f"{seen['round_p99_us']:8.0f}{seen['round_p999_us']:8.0f}{seen['round_max_us']:8.0f}")


def print_bulk(results):
    for kind, by_name in results["bulk"].items():
        print(f"\n{results['megabytes']} MB as {kind}, medians")
        direct = median(by_name["direct"], "mb_per_s")
        for name, runs in by_name.items():
            rate, cpu = median(runs, "mb_per_s"), median(runs, "cpu_s")
            work = f"{cpu:8.2f} s CPU{median(runs, 'peak_mib'):8.0f} MiB peak" if cpu else ""
            print(f"{name:34}{rate:8.0f} MB/s{rate / direct:8.2f} of direct{work}")


def print_connections(results):
    if results["connections"]:
        print("\nconnections, in front of a server that only greets")
    for name, found in results["connections"].items():
        memory = ", ".join(f"{kib:.1f} KiB for each of {count}" for count, kib in found["kib_per_idle_client"].items())
        print(f"{name:34}{found['per_second']:8.0f} /s{found['cpu_us']:8.0f} us CPU   idle: {memory}")


def print_goals(results):
    found = goals(results)
    if found:
        print("\ngoals")
    for goal in found:
        sign = ">=" if goal.at_least else "<="
        print(f"{'reached' if goal.reached else 'MISSED':9}{goal.what:62}{goal.value:7.2f} {sign} {goal.limit:g}")


def print_tables(results):
    print_queries(results)
    print_lag(results)
    print_bulk(results)
    print_connections(results)
    print_goals(results)
