# SPDX-License-Identifier: Apache-2.0
"""The results as a page with plots. It needs nothing but itself: the plots are SVG in the page."""

import html

from .summary import goals, median, rows, spread

NAME_PIXELS, BAR_PIXELS, VALUE_PIXELS = 270, 430, 190
ROW_PIXELS = 20
STYLE = """
body{font:14px sans-serif;margin:2em;max-width:1000px} h2{margin-top:2em}
table{border-collapse:collapse} td,th{padding:2px 10px;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left} .missed{color:#b02020} svg text{font:12px sans-serif}
.ours{fill:#2a6fb0} .floor{fill:#9aa5ad} .other{fill:#d08a3c} .inner{fill:#000;opacity:.35} .whisker{stroke:#000}
"""


def kind_of(name):
    if name.startswith("floor"):
        return "floor"
    return "other" if name.startswith(("PgBouncer", "direct")) else "ours"


def bars(items):
    """items: (name, value, half of its spread, the darker part of the bar, text after the number)"""
    items = list(items)
    largest = max((value + around for _, value, around, _, _ in items), default=0.0) or 1.0
    scale = BAR_PIXELS / largest
    width, height = NAME_PIXELS + BAR_PIXELS + VALUE_PIXELS, ROW_PIXELS * len(items)
    parts = [f'<svg width="{width}" height="{height}" role="img">']
    for number, (name, value, around, inner, text) in enumerate(items):
        y, end = number * ROW_PIXELS, NAME_PIXELS + value * scale
        parts.append(
            f'<text x="{NAME_PIXELS - 8}" y="{y + 14}" text-anchor="end">{html.escape(name)}</text>'
            f'<rect class="{kind_of(name)}" x="{NAME_PIXELS}" y="{y + 3}" width="{value * scale:.1f}" height="14"/>'
            f'<rect class="inner" x="{NAME_PIXELS}" y="{y + 3}" width="{inner * scale:.1f}" height="14"/>'
            f'<line class="whisker" x1="{end - around * scale:.1f}" x2="{end + around * scale:.1f}" '
            f'y1="{y + 10}" y2="{y + 10}"/>'
            f'<text x="{end + around * scale + 8:.1f}" y="{y + 14}">{value:.4g} {html.escape(text)}</text>')
    return "".join(parts) + "</svg>"


def table(head, lines):
    def cells(tag, values):
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(value))}</{tag}>" for value in values) + "</tr>"
    return "<table>" + cells("th", head) + "".join(cells("td", line) for line in lines) + "</table>"


def query_parts(results):
    yield ("<h2>CPU microseconds per query of the proxy process</h2><p>The darker part is user time; the line is the "
           "distance between the quartiles of the rounds.</p>")
    for load in results["queries"]:
        found = list(rows(results, load))
        yield f"<h3>{load} client(s)</h3>"
        yield bars((row.name, row.cpu_us, row.spread_us, row.user_us,
                    (f"({row.floor_times:.2f} x floor)" if row.floor_times else "") + ("*" if "not see" in row.note else ""))
                   for row in found if row.cpu_us)
        yield "<details><summary>all figures</summary>" + table(
            ("", "tps", "p50 us", "p99 us", "CPU us", "+-", "user us", "x floor", "RSS MiB", ""),
            ((row.name, f"{row.tps:.0f}", f"{row.p50_us:.0f}", f"{row.p99_us:.0f}", f"{row.cpu_us:.1f}",
              f"{row.spread_us:.1f}", f"{row.user_us:.1f}", f"{row.floor_times:.2f}", f"{row.resident_mib:.1f}", row.note)
             for row in found)) + "</details>"
    yield "<p>* the plugin's hooks do not see this protocol.</p>"


def bulk_parts(results):
    for kind, by_name in results["bulk"].items():
        yield f"<h2>{results['megabytes']} MB as {kind}: MB/s</h2>"
        yield bars((name, median(runs, "mb_per_s"), spread(runs, "mb_per_s"), 0, "") for name, runs in by_name.items())


def connection_parts(results):
    found = results["connections"]
    if not found:
        return
    for count in next(iter(found.values()))["kib_per_idle_client"]:
        yield f"<h2>Memory for each of {count} idle clients, KiB</h2>"
        yield bars((name, each["kib_per_idle_client"][count], 0, 0, "") for name, each in found.items())
    yield "<h2>Connections made and ended per second</h2>"
    yield bars((name, each["per_second"], 0, 0, f"/s, {each['cpu_us']:.0f} us CPU") for name, each in found.items())


def lag_parts(results):
    if results["lag"]:
        yield "<h2>What others notice of a client whose plugin never returns</h2>"
        yield table(["", *next(iter(results["lag"].values()))],
                    ([name, *(f"{value:.0f}" for value in seen.values())] for name, seen in results["lag"].items()))


def goal_parts(results):
    yield "<h2>Goals</h2>"
    yield table(("", "", "goal", ""), (
        (goal.what, f"{goal.value:.2f}", f"{'at least' if goal.at_least else 'at most'} {goal.limit:g}",
         "reached" if goal.reached else "missed") for goal in goals(results)))


def write(results, path):
    parts = [f'<!doctype html><meta charset="utf-8"><title>heliosproxy benchmarks</title><style>{STYLE}</style>'
             f"<h1>heliosproxy benchmarks</h1><p>{results['date']}, {html.escape(results['machine'])}. "
             f"Medians of {results['rounds']} interleaved rounds of {results['seconds']:g} s.</p>"]
    for section in (goal_parts, query_parts, bulk_parts, connection_parts, lag_parts):
        parts.extend(section(results))
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(parts))
