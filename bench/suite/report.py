# SPDX-License-Identifier: Apache-2.0
"""The results as tables on the terminal and as a page."""

import html
import statistics

BAR_PIXELS = 420


def median(results, attribute):
    return statistics.median(getattr(result, attribute) for result in results)


def spread(results, attribute):
    """Half the distance between the quartiles."""
    values = [getattr(result, attribute) for result in results]
    if len(values) < 2:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4)
    return (high - low) / 2


def is_unseen(results, load, name):
    seen = results["hooks_see"].get(name)
    return seen is not None and load.split()[0] not in seen


def floor_cpu(by_name):
    floors = [median(runs, "cpu_us") for name, runs in by_name.items() if name.startswith("floor") and "Unix" not in name]
    return min(floors, default=0.0)


def query_rows(results, load):
    """(name, tps, p50, p99, cpu, spread, user, times the floor, note) for each contender."""
    by_name = results["queries"][load]
    lowest = floor_cpu(by_name)
    for name, runs in by_name.items():
        cpu = median(runs, "cpu_us")
        yield (name, median(runs, "tps"), median(runs, "p50_us"), median(runs, "p99_us"), cpu, spread(runs, "cpu_us"),
               median(runs, "cpu_user_us"), cpu / lowest if lowest and cpu else 0.0,
               "its hooks do not see this protocol" if is_unseen(results, load, name) else "")


def print_tables(results):
    for load in results["queries"]:
        print(f"\n{load} client(s), {results['rounds']} rounds of {results['seconds']:g} s, medians")
        print(f"{'':30}{'tps':>9}{'p50 us':>9}{'p99 us':>9}{'CPU us':>9}{'+-':>7}{'user':>7}{'x floor':>9}")
        for name, tps, p50, p99, cpu, around, user, times, note in query_rows(results, load):
            work = f"{cpu:9.1f}{around:7.1f}{user:7.1f}{times:9.2f}" if cpu else ""
            print(f"{name:30}{tps:9.0f}{p50:9.0f}{p99:9.0f}{work}  {note}".rstrip())
    if results["counter"]:
        print(f"\ncounter: {results['counter']['counted']} counted, {results['counter']['queries']} simple queries")
    for kind, by_name in results["bulk"].items():
        print(f"\n{results['megabytes']} MB as {kind}")
        for name, (seconds, cpu, peak) in by_name.items():
            print(f"{name:30}{seconds:8.1f} s" + (f"{cpu:8.1f} s CPU{peak:8.0f} MiB peak" if peak else ""))
    if results["connections"]:
        print("\nconnections, in front of a server that only greets")
    for name, found in results["connections"].items():
        memory = ", ".join(f"{kib:.1f} KiB for each of {count}" for count, kib in found["kib_per_idle_client"].items())
        print(f"{name:30}{found['per_second']:8.0f} /s{found['cpu_us']:8.0f} us CPU   idle: {memory}")


def bar(name, value, largest, around):
    width = value / largest * BAR_PIXELS if largest else 0
    return (f'<tr><td>{html.escape(name)}</td><td><div class="bar" style="width:{width:.0f}px"></div></td>'
            f"<td>{value:.1f} &plusmn; {around:.1f}</td></tr>")


def write_page(results, path):
    parts = ['<!doctype html><meta charset="utf-8"><title>heliosproxy benchmarks</title>'
             "<style>body{font:14px sans-serif;margin:2em}td{padding:1px 8px}.bar{background:#4a7dbd;height:13px}</style>"
             "<h1>CPU microseconds per query of the proxy process</h1>"
             f"<p>Medians of {results['rounds']} interleaved rounds of {results['seconds']:g} s.</p>"]
    for load in results["queries"]:
        rows = [row for row in query_rows(results, load) if row[4]]
        largest = max((row[4] for row in rows), default=0.0)
        parts.append(f"<h2>{load} client(s)</h2><table>")
        for name, _, _, _, cpu, around, _, _, note in rows:
            parts.append(bar(f"{name} ({note})" if note else name, cpu, largest, around))
        parts.append("</table>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(parts))
