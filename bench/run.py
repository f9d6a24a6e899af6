#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The benchmark suite: every contender in turn, round after round, so that a noisy machine disturbs all alike.

See docs/performance.md. `tools/dev bench` builds what this needs and says where it is.
"""

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time

from suite import bulk, connections, lag, page, report
from suite.contenders import Direct, Floor, Helios, PgBouncer, Server
from suite.load import QUERIES_BEFORE, Load, run

from harness.certificates import make_certificate  # `suite` makes it known
from harness.postgres import AS_POSTGRES, Postgres

BUILD = os.environ["HELIOS_BUILD_DIR"]
PGBENCH = os.environ["HELIOS_PGBENCH"]
HERE = os.path.dirname(os.path.abspath(__file__))


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def all_contenders(transport, certificate):
    guests = os.path.join(HERE, "../tests/guests")
    plugins = os.environ["HELIOS_PLUGIN_DIR"]
    unix = transport == "unix"
    yield Direct("direct", unix)
    yield PgBouncer(os.environ["HELIOS_PGBOUNCER"], os.environ["HELIOS_PGBOUNCER_LIBRARIES"], unix)
    yield Helios("heliosproxy", unix=unix)
    if not unix:
        yield Direct("direct", certificate=certificate)
        yield PgBouncer(os.environ["HELIOS_PGBOUNCER"], os.environ["HELIOS_PGBOUNCER_LIBRARIES"], certificate=certificate)
        yield Helios("heliosproxy", certificate=certificate)
        for own in (None, certificate):
            yield PgBouncer(os.environ["HELIOS_PGBOUNCER"], os.environ["HELIOS_PGBOUNCER_LIBRARIES"], certificate=own,
                            believed=certificate)
            yield Helios("heliosproxy", certificate=own, believed=certificate)
    yield Helios("heliosproxy, epoll", unix=unix, listen__engine="epoll")
    if not unix:
        yield Helios("heliosproxy, a worker per core", listen__workers=0)
    yield Helios("empty plugin", os.path.join(HERE, "plugins/nothing.wat"), unix)
    yield Helios("counter", os.path.join(guests, "counter.wat"), unix)
    yield Helios("counter, reused", os.path.join(guests, "counter2.wat"), unix, manifest='instance = "reuse"\n')
    if not unix:
        yield Helios("counter, reused, on disk", os.path.join(guests, "counter2.wat"), manifest='instance = "reuse"\n',
                     state__directory="state")
    yield Helios("cost-governor", os.path.join(plugins, "cost-governor.wasm"), unix,
                 manifest=text_of(os.path.join(plugins, "cost-governor.toml")))
    if not unix:
        audit = text_of(os.path.join(plugins, "audit-chain.toml"))
        for durability in ("relaxed", "strict"):
            yield Helios(f"audit-chain, {durability}", os.path.join(plugins, "audit-chain.wasm"), state__directory="state",
                         manifest=audit.replace('durability = "strict"', f'durability = "{durability}"'))
    yield Floor("epoll", os.path.join(BUILD, "bench/epoll_relay"), unix)
    yield Floor("io_uring", os.path.join(BUILD, "bench/uring_relay"), unix)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of one pgbench run")
    parser.add_argument("--clients", default="1,8,32")
    parser.add_argument("--protocols", default="simple,extended,prepared")
    parser.add_argument("--servers", default="tcp,unix", help="how the server is reached")
    parser.add_argument("--only", default="", help="contenders whose name contains one of these, and direct")
    parser.add_argument("--megabytes", type=int, default=2000, help="of the large result and of COPY; 0 = none")
    parser.add_argument("--idle", default="500,5000", help="idle clients; empty = none")
    parser.add_argument("--lag", type=int, default=10, help="seconds with, and without, a looping plugin; 0 = none")
    parser.add_argument("--output", default="build/bench", help="folder for results.json and report.html")
    return parser.parse_args()


def chosen_contenders(options, certificate):
    for transport in options.servers.split(","):
        for each in all_contenders(transport, certificate):
            if isinstance(each, Direct) or any(part in each.name for part in options.only.split(",")):
                yield each


def prepare_database(postgres):
    with postgres.connect() as admin:
        admin.query("CREATE DATABASE bench").expect_ok()
    subprocess.run([PGBENCH, "-i", "-q", "-s", "1", "-h", "127.0.0.1", "-p", str(postgres.port), "-U", "postgres",
                    "bench"], check=True, capture_output=True)


def measure_queries(contenders, loads, rounds):
    """{load: {contender: [result of each round]}}"""
    results = {str(load): {each.name: [] for each in contenders} for load in loads}
    for number in range(rounds):
        for load in loads:
            for contender in random.sample(contenders, len(contenders)):
                results[str(load)][contender.name].append(run(PGBENCH, contender, load))
            print(f"round {number + 1} of {rounds}: {load}", flush=True)
    return results


def check_counters(contenders, queries):
    """The counter plugin's totals are exact: they are compared with what pgbench ran and the plugin saw."""
    found = {}
    for contender in contenders:
        if contender.name.startswith("counter"):
            runs = [result for load in queries.values() for result in load[contender.name]]
            seen = sum(result.queries for result in runs if result.hook_calls > QUERIES_BEFORE)
            found[contender.name] = {"queries": seen + QUERIES_BEFORE * len(runs), "counted": contender.counter_value()}
    return found


def measure_connections(contenders, counts):
    """Fresh processes in front of a server that only greets."""
    found = {}
    if not counts:
        return found
    connections.raise_descriptor_limit()
    for contender in contenders:
        server = connections.IdleServer()
        contender.stop()
        try:
            contender.start(Server(server.port, ""))
            rate, cpu_us = connections.connection_rate(contender)
            memory = connections.memory_per_idle_client(contender, counts)
            found[contender.name] = {"per_second": rate, "cpu_us": cpu_us, "kib_per_idle_client": memory}
        finally:
            contender.stop()
            server.stop()
        print(f"connections: {contender.name}", flush=True)
    return found


def measure(options, postgres, certificate, started):
    """Everything. Contenders that were started are added to `started`."""
    server = Server(postgres.port, postgres.directory)
    for contender in chosen_contenders(options, certificate):
        started.append(contender)
        contender.start(server)
    loads = [Load(protocol, int(clients), options.seconds)
             for protocol in options.protocols.split(",") for clients in options.clients.split(",")]
    counts = [int(count) for count in options.idle.split(",") if count]
    plain = [each for each in started if each.is_plain()]
    queries = measure_queries(started, loads, options.rounds)
    return {
        "rounds": options.rounds, "seconds": options.seconds, "megabytes": options.megabytes,
        "machine": f"{os.cpu_count()} cores, Linux {platform.release()}", "date": time.strftime("%Y-%m-%d"),
        "plugins": [each.name for each in started if each.plugin],
        "floors": {each.name: each.floor for each in started if each.pid},
        "queries": queries, "counters": check_counters(started, queries),
        "lag": lag.measure(PGBENCH, server, options.lag) if options.lag else {},
        "bulk": bulk.measure(plain, options.megabytes) if options.megabytes else {},
        "connections": measure_connections([each for each in plain if each.pid and not each.believed], counts),
    }


def main():
    options = arguments()
    folder = tempfile.TemporaryDirectory(prefix="helios-bench-")
    certificate = make_certificate(folder.name)
    postgres = Postgres(ssl="on")
    certificate.copy_for(postgres.data, AS_POSTGRES)  # under the names that PostgreSQL looks for
    started = []
    try:
        postgres.start()
        prepare_database(postgres)
        results = measure(options, postgres, certificate, started)
    finally:
        for contender in started:
            contender.stop()
        postgres.remove()
        folder.cleanup()
    os.makedirs(options.output, exist_ok=True)
    with open(os.path.join(options.output, "results.json"), "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1, default=vars)
    report.print_tables(results)
    page.write(results, os.path.join(options.output, "report.html"))
    for name, counter in results["counters"].items():
        if counter["queries"] != counter["counted"]:
            sys.exit(f"{name} is wrong: {counter}")


if __name__ == "__main__":
    main()
