# SPDX-License-Identifier: Apache-2.0
"""cost-governor's reserving mode on a real server: statements in flight cannot overshoot a budget, and whatever becomes of one,
its reservation goes. A second of the server's work costs 1; a reservation is more than any statement here can take."""

import itertools
import json
import threading

import pytest
from harness.clients import pgbench
from harness.shared import running_proxy
from harness.waiting import wait_until
from harness.wire import SYNC, Closed, bind_message, execute_message, parse_message, query_message
from test_plugins import files_of

RESERVED = 190.0
BUDGET = 1000.0
FIT = 5  # reservations, with room for what statements really cost
LOCK = 7
BLOCKED = f"SELECT pg_advisory_xact_lock_shared({LOCK})"
CLIENTS = 12
ROUNDING = 1e-6


@pytest.fixture(scope="module")
def proxy(postgres):
    with running_proxy(postgres.port, files_of("cost-governor"), listen__workers=4) as proxy:
        put(proxy, "config:windows", {"minute_ms": 86400000})
        put(proxy, "config:reserve", {"cost": RESERVED})
        yield proxy
        (plugin,) = proxy.admin.get("/plugins").json
        assert plugin["failures"] == 0, plugin["last_error"]


class Tenant:
    """With a budget and nothing spent."""

    numbers = itertools.count(1)

    def __init__(self, proxy, budget=BUDGET):
        self.proxy = proxy
        self.name = f"tenant{next(self.numbers)}"
        self.options = f"-c helios.tenant_id={self.name}"
        put(proxy, f"tenant:{self.name}:budget", {"minute": budget})

    def connect(self):
        return self.proxy.connect(options=self.options)

    def spent(self):
        usage = self.proxy.admin.value("cost-governor", f"tenant:{self.name}:usage")
        return json.loads(usage)["minute"] if usage else 0.0


@pytest.fixture
def acme(proxy):
    return Tenant(proxy)


def put(proxy, key, value):
    proxy.admin.put("cost-governor", key, json.dumps(value))


def executed(text):
    return parse_message(text) + bind_message() + execute_message()


SLOW_AT_COMMIT = [
    "CREATE TABLE IF NOT EXISTS deferred (a int)",
    "CREATE OR REPLACE FUNCTION work() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END'",
    "DROP TRIGGER IF EXISTS late ON deferred",
    "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON deferred DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION work()",
]


@pytest.mark.parametrize("way", ["block", "query", "extended"])
def test_work_at_commit_is_charged(postgres, way):
    with postgres.connect(database="demo") as direct:
        for text in SLOW_AT_COMMIT:
            direct.query(text).expect_ok()
    with running_proxy(postgres.port, files_of("cost-governor")) as proxy:
        tenant = Tenant(proxy, budget=0.4)
        insert = "INSERT INTO deferred VALUES (1)"
        with tenant.connect() as client:
            if way == "extended":
                client.send(executed(insert), SYNC)
                assert not client.ready().errors
            else:
                texts = ["BEGIN", insert, "COMMIT"] if way == "block" else [insert]
                for text in texts:
                    client.query(text).expect_ok()
            wait_until(lambda: tenant.spent() >= 0.5, "half a second was charged")
            assert tenant.spent() < 2.0
            assert client.query("SELECT 1").sqlstate == "53400"
            for text in ("BEGIN", "ROLLBACK", "SET work_mem = '4MB'"):
                client.query(text).expect_ok()


def test_show_is_judged_as_what_has_rows(postgres):
    with running_proxy(postgres.port, files_of("cost-governor")) as proxy:
        tenant = Tenant(proxy, budget=1000)
        put(proxy, f"tenant:{tenant.name}:budget", {"minute_bytes": 2000})
        with tenant.connect() as client:
            client.query("SELECT length(set_config('my.x', repeat('secret ', 100000), false))").expect_ok()
            assert client.query("SHOW my.x").sqlstate == "54000"
            put(proxy, f"tenant:{tenant.name}:budget", {"minute_bytes": 1})
            assert client.query("SHOW work_mem").sqlstate == "53400"
            for text in ("BEGIN", "SET LOCAL work_mem = '4MB'", "COMMIT"):
                client.query(text).expect_ok()


class Gate:
    """While it is shut, statements BLOCKED wait on the server."""

    def __init__(self, postgres):
        self.direct = postgres.connect(database="demo")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.direct.close()

    def shut(self):
        self.direct.query(f"SELECT pg_advisory_lock({LOCK})").expect_ok()

    def open(self):
        self.direct.query(f"SELECT pg_advisory_unlock({LOCK})").expect_ok()

    def waiting(self):
        """The server processes that wait."""
        found = self.direct.query("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").expect_ok()
        return [int(pid) for pid, in found.rows]


def start_all(sessions, text):
    """Sends the text on every session at once; {number: reply}, filled as replies come, and the threads."""
    replies = {}

    def run(number, session):
        replies[number] = session.query(text)

    threads = [threading.Thread(target=run, args=each) for each in enumerate(sessions)]
    for thread in threads:
        thread.start()
    return replies, threads


def test_statements_in_flight_cannot_overshoot(acme, postgres):
    with Gate(postgres) as gate:
        sessions = [acme.connect() for _ in range(CLIENTS)]
        for _ in range(3):
            gate.shut()
            before = acme.spent()
            replies, threads = start_all(sessions, BLOCKED)
            wait_until(lambda: len(gate.waiting()) + len(replies) == CLIENTS, "each is refused or waits on the server")
            assert len(gate.waiting()) == FIT
            assert acme.spent() == pytest.approx(before + FIT * RESERVED)
            reason = f"tenant exceeded minute budget ({before + FIT * RESERVED:.2f}/{BUDGET:.2f}) (retry in "
            for reply in replies.values():
                assert reply.sqlstate == "53400" and reason in reply.error["M"]
            gate.open()
            for thread in threads:
                thread.join()
            assert sum(not reply.errors for reply in replies.values()) == FIT
            assert before < acme.spent() < before + RESERVED, "what they really cost has taken the place of the reservations"
        for session in sessions:
            session.close()


def test_usage_never_passes_the_budget_under_load(proxy, acme, tmp_path):
    globex = Tenant(proxy, budget=64 * RESERVED)
    script = tmp_path / "script.sql"
    script.write_text("SELECT :client_id;\nSELECT 2;\n")
    free = pgbench(proxy.port, str(script), 16, 40, globex.options, "prepared")
    seen, refused, passed = [], [], []

    def run():
        with acme.connect() as session:
            for number in range(20):
                (refused if session.query(f"SELECT {number}").errors else passed).append(number)

    threads = [threading.Thread(target=run) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seen.append(acme.spent())
    output, errors = free.communicate(timeout=500)
    assert free.returncode == 0, output + errors
    assert max(seen, default=0) <= BUDGET + ROUNDING
    assert len(passed) + len(refused) == 20 * CLIENTS and passed
    assert 0 < acme.spent() < RESERVED, "no reservation is left behind"
    assert 0 < globex.spent() < RESERVED


def test_real_cost_takes_the_place_of_the_reservation(acme):
    with acme.connect() as session:
        session.query("SELECT pg_sleep(0.1)").expect_ok()
        once = acme.spent()
        assert 0.1 <= once < RESERVED
        session.prepared("SELECT pg_sleep(0.1)").expect_ok()
        assert once + 0.1 <= acme.spent() < RESERVED


@pytest.mark.parametrize("outcome", ["failed", "refused", "skipped"])
def test_reservation_of_what_does_not_succeed_is_given_back(acme, outcome):
    with acme.connect() as session:
        session.query("SELECT 1").expect_ok()
        before = acme.spent()
        if outcome == "failed":
            assert session.query("SELECT 1 / 0").sqlstate == "22012"
        elif outcome == "refused":
            reply = session.query("SELECT 1;" * (FIT + 1))  # each reserves; the last one finds no room
            assert reply.sqlstate == "53400" and not reply.tags
            assert acme.spent() == pytest.approx(before, abs=ROUNDING), "what did not run costs nothing"
        else:
            session.send(executed("SELECT 1 / 0"), executed("SELECT 1"), executed("SELECT 2"), SYNC)
            assert session.ready().sqlstate == "22012"
        assert before - ROUNDING <= acme.spent() < before + RESERVED
        for _ in range(FIT):
            session.query("SELECT 1").expect_ok()


def test_reservation_of_a_lost_statement_stays(acme, proxy, postgres):
    """Its client cut the connection: it may have run. What the plugin has been called for says when post_query is through."""

    def calls():
        (plugin,) = proxy.admin.get("/plugins").json
        return plugin["calls"]

    with Gate(postgres) as gate:
        gate.shut()
        with acme.connect() as session:
            session.send(query_message(BLOCKED))
            wait_until(gate.waiting, "it runs")
            assert acme.spent() == RESERVED
            before = calls()
            session.reset()
            wait_until(lambda: calls() > before, "post_query has run")
            assert acme.spent() == pytest.approx(RESERVED)


def test_reservation_is_given_back_when_the_server_says_that_it_failed(acme, postgres):
    with Gate(postgres) as gate:
        gate.shut()
        with acme.connect() as session:
            session.send(query_message(BLOCKED))
            (pid,) = wait_until(gate.waiting, "it runs")
            assert acme.spent() == RESERVED
            gate.direct.query(f"SELECT pg_terminate_backend({pid})").expect_ok()
            with pytest.raises((Closed, ConnectionResetError)):
                session.ready()
            wait_until(lambda: acme.spent() < RESERVED, "the reservation is gone")


def test_budget_of_rows_bounds_one_statement_and_refuses_the_next(acme, proxy):
    put(proxy, f"tenant:{acme.name}:budget", {"minute_rows": 5})
    with acme.connect() as session:
        session.query("SELECT generate_series(1, 3)").expect_ok()
        cut = session.query("SELECT generate_series(1, 1000)")
        assert cut.sqlstate == "54000" and len(cut.rows) == 2
        refused = session.query("SELECT 1")
        assert refused.sqlstate == "53400"
        assert "tenant exceeded minute budget of rows (5/5) (retry in " in refused.error["M"]
    usage = json.loads(proxy.admin.value("cost-governor", f"tenant:{acme.name}:usage"))
    assert usage["minute_rows"] == 5 and usage["minute_bytes"] > 0


@pytest.mark.parametrize("text", ["SELECT i, 1 / (4 - i) FROM generate_series(1, 4) i",
                                  "COPY (SELECT i, 1 / (4 - i) FROM generate_series(1, 4) i) TO STDOUT"])
def test_rows_of_a_statement_that_fails_are_counted(acme, proxy, text):
    put(proxy, f"tenant:{acme.name}:budget", {"minute_rows": 5})
    with acme.connect() as session:
        assert session.query(text).sqlstate == "22012"
        assert session.query(text).sqlstate == "54000"
        assert session.query("SELECT 1").sqlstate == "53400"


def test_budget_of_bytes_bounds_one_statement_and_refuses_the_next(acme, proxy):
    put(proxy, f"tenant:{acme.name}:budget", {"day_bytes": 10000})
    with acme.connect() as session:
        assert session.query("SELECT repeat('x', 1000) FROM generate_series(1, 1000)").sqlstate == "54000"
        put(proxy, f"tenant:{acme.name}:budget", {"day_bytes": 5000})
        assert session.query("SELECT 1").sqlstate == "53400"
