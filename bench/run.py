#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The benchmark suite: every contender in turn, round after round, so that a noisy machine disturbs all alike.

See docs/benchmarks.md. `tools/dev bench` builds what this needs and says where it is.
"""

import argparse
import json
import os
import random
import subprocess
import sys

from suite import bulk, connections, report
from suite.contenders import Direct, Floor, Helios, PgBouncer, Server
from suite.load import Load, run

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/integration"))
from harness.postgres import Postgres  # noqa: E402

BUILD = os.environ["HELIOS_BUILD_DIR"]
PGBENCH = os.environ["HELIOS_PGBENCH"]
HERE = os.path.dirname(os.path.abspath(__file__))


def all_contenders():
    guests = os.path.join(BUILD, "guests")
    plugins = os.environ["HELIOS_PLUGIN_DIR"]
    yield Direct()
    yield PgBouncer(os.environ["HELIOS_PGBOUNCER"], os.environ["HELIOS_PGBOUNCER_LIBRARIES"])
    yield Helios("heliosproxy")
    yield Helios("heliosproxy, Unix socket", unix=True)
    yield Helios("heliosproxy, epoll", listen__engine="epoll")
    yield Helios("empty plugin", os.path.join(HERE, "plugins/nothing.wat"))
    yield Helios("counter", os.path.join(guests, "counter.wasm"))
    yield Helios("cost-governor", os.path.join(plugins, "cost-governor.wasm"))
    yield Floor("floor: epoll", os.path.join(BUILD, "bench/epoll_relay"))
    yield Floor("floor: io_uring", os.path.join(BUILD, "bench/uring_relay"))
    yield Floor("floor: io_uring, Unix socket", os.path.join(BUILD, "bench/uring_relay"), unix=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of one pgbench run")
    parser.add_argument("--clients", default="1,8,32")
    parser.add_argument("--protocols", default="simple,extended,prepared")
    parser.add_argument("--only", default="", help="contenders whose name contains this, and direct")
    parser.add_argument("--megabytes", type=int, default=2000, help="of the large result and of COPY; 0 = none")
    parser.add_argument("--idle", default="500,5000", help="idle clients; empty = none")
    parser.add_argument("--output", default="build/bench", help="folder for results.json and report.html")
    return parser.parse_args()


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
                results[str(load)][contender.name].append(
                    run(PGBENCH, contender.port, load, contender.pid, contender.options))
            print(f"round {number + 1} of {rounds}: {load}", flush=True)
    return results


def check_counter(contenders, results):
    """The counter plugin's total is exact: every simple query that pgbench counted, and no other."""
    for contender in contenders:
        if isinstance(contender, Helios) and contender.name == "counter":
            queries = sum(result.queries for load, by_name in results.items() if load.startswith("simple")
                          for result in by_name["counter"])
            return {"queries": queries, "counted": contender.counter_value()}
    return None


def measure_bulk(contenders, megabytes):
    found = {}
    if megabytes:
        for kind, statement in bulk.statements(megabytes).items():
            for contender in contenders:
                found.setdefault(kind, {})[contender.name] = bulk.run(contender.port, statement, contender.pid)
            print(f"{megabytes} MB as {kind}", flush=True)
    return found


def measure_connections(contenders, counts):
    """Fresh processes in front of a server that only greets."""
    found = {}
    if not counts:
        return found
    connections.raise_descriptor_limit()
    for contender in contenders:
        if contender.pid is None or contender.plugin_or_unix():
            continue
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


def main():
    options = arguments()
    wanted = [each for each in all_contenders() if options.only in each.name or each.name == "direct"]
    loads = [Load(protocol, int(clients), options.seconds)
             for protocol in options.protocols.split(",") for clients in options.clients.split(",")]
    counts = [int(count) for count in options.idle.split(",") if count]
    postgres = Postgres()
    started = []
    try:
        postgres.start()
        prepare_database(postgres)
        server = Server(postgres.port, postgres.directory)
        for contender in wanted:
            started.append(contender)
            contender.start(server)
        queries = measure_queries(wanted, loads, options.rounds)
        results = {
            "rounds": options.rounds, "seconds": options.seconds, "megabytes": options.megabytes,
            "hooks_see": {each.name: sorted(each.hooks_see) for each in wanted if each.hooks_see is not None},
            "queries": queries, "counter": check_counter(wanted, queries),
            "bulk": measure_bulk([each for each in wanted if not each.plugin_or_unix()], options.megabytes),
            "connections": measure_connections(wanted, counts),
        }
    finally:
        for contender in started:
            contender.stop()
        postgres.remove()
    os.makedirs(options.output, exist_ok=True)
    with open(os.path.join(options.output, "results.json"), "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1, default=vars)
    report.print_tables(results)
    report.write_page(results, os.path.join(options.output, "report.html"))
    counter = results["counter"]
    if counter and counter["queries"] != counter["counted"]:
        sys.exit(f"the counter plugin is wrong: {counter}")


if __name__ == "__main__":
    main()
