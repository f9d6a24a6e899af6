# SPDX-License-Identifier: Apache-2.0
"""The applications of apps.py, directly and through the proxy with a plugin that objects to nothing: equal outcomes."""

import difflib
from contextlib import ExitStack

from apps import apps
from harness.ways import DIRECT, PROXIED, way

# What hooks cannot see passes: docs/protocol.md says what is refused otherwise.
CONFIG = {"protocol.replication": "pass"}
SETTINGS = {"max_prepared_transactions": 10, "wal_level": "logical", "max_locks_per_transaction": 256}
DATABASES = ["demo", "test", "default_django", "other_django"]
IN_TEST = ["CREATE SCHEMA test_schema", "CREATE SCHEMA test_schema_2", "CREATE EXTENSION hstore",
           "CREATE EXTENSION citext"]


def set_up(postgres):
    with postgres.connect() as admin:
        for name in DATABASES:
            admin.query(f"CREATE DATABASE {name}").expect_ok()
    with postgres.connect(database="test") as admin:
        for text in IN_TEST:
            admin.query(text).expect_ok()


def difference(outcomes):
    direct, proxied = (outcomes[which][0].splitlines() for which in (DIRECT, PROXIED))
    return "\n".join(list(difflib.unified_diff(direct, proxied, DIRECT, PROXIED, n=1, lineterm=""))[:60])


def run(app, ways):
    """Whether its outcome was good, and the same on both ways."""
    outcomes = {which: app.run(on.port) for which, on in ways.items()}
    wrong = [f"{which}: {outcome[1]}\n{outcome[2][-3000:]}" for which, outcome in outcomes.items() if outcome[1]]
    if outcomes[DIRECT][0] != outcomes[PROXIED][0]:
        wrong.append("the outcomes differ\n" + difference(outcomes))
    if wrong:
        print(f"FAILED  {app.name}\n" + "\n".join(wrong))
        return False
    lines = len(outcomes[DIRECT][0].splitlines())
    print(f"ok      {app.name}: the same {lines} {'tests' if app.suite else 'lines'} on both ways", flush=True)
    return True


def run_all(work, compile_go, chosen):
    """(passed, failed, skipped) of those with one of these words in their name, or of all."""
    counts = {True: 0, False: 0, None: 0}
    with ExitStack() as stack:
        ways = {which: stack.enter_context(way(which, CONFIG, **SETTINGS)) for which in (DIRECT, PROXIED)}
        for on in ways.values():
            set_up(on.postgres)
        for app in apps(work, compile_go):
            if chosen and not any(word in app.name for word in chosen):
                continue
            if app.obstacle:
                print(f"skipped {app.name}: {app.obstacle}")
            counts[None if app.obstacle else run(app, ways)] += 1
        print(f"hooks were called {ways[PROXIED].check_judged()} times")
    return counts[True], counts[False], counts[None]
