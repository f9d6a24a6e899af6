# SPDX-License-Identifier: Apache-2.0
"""What hooks count is what the server ran, by its own statistics, in every protocol that pgbench speaks."""

import os

import pytest
from harness.clients import pgbench
from harness.postgres import Postgres
from harness.shared import running_proxy

CLIENTS = 8
TRANSACTIONS = int(os.environ.get("HELIOS_PGBENCH_TRANSACTIONS", "40"))

SCRIPT = """
\\set id random(1, 100)
BEGIN;
UPDATE accounts SET balance = balance + 1 WHERE id = :id;
SELECT balance FROM accounts WHERE id = :id;
INSERT INTO history (id) VALUES (:id);
END;
SELECT count(*) FROM accounts WHERE id < :id;
"""


@pytest.fixture(scope="module")
def server():
    server = Postgres(shared_preload_libraries="pg_stat_statements")
    try:
        server.start()
        with server.connect() as admin:
            admin.query("CREATE DATABASE demo").expect_ok()
        with server.connect(database="demo") as demo:
            demo.query("CREATE EXTENSION pg_stat_statements; CREATE TABLE accounts (id int PRIMARY KEY, balance int);"
                       "INSERT INTO accounts SELECT n, 0 FROM generate_series(1, 100) n; CREATE TABLE history (id int)")
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="module")
def proxy(server, counter):
    with running_proxy(server.port, [counter], listen__workers=2) as proxy:
        yield proxy


@pytest.mark.parametrize("protocol", ["simple", "extended", "prepared"])
def test_hooks_count_what_the_server_ran(proxy, server, tmp_path, protocol):
    script = tmp_path / "script.sql"
    script.write_text(SCRIPT)
    with server.connect(database="demo") as direct:
        direct.query("SELECT pg_stat_statements_reset()").expect_ok()
        tenant = f"-c helios.tenant_id={protocol}"
        output, errors = pgbench(proxy.port, str(script), CLIENTS, TRANSACTIONS, tenant, protocol).communicate(timeout=500)
        assert "0 (0.000%)" in output, output + errors
        ran = int(direct.query("SELECT sum(calls) FROM pg_stat_statements WHERE query ~ '(accounts|history)'").value())
        assert ran == 4 * CLIENTS * TRANSACTIONS
        assert proxy.admin.value("counter", protocol) == str(ran)
        written = direct.query("SELECT sum(balance) FROM accounts").value()
    assert int(written) % (CLIENTS * TRANSACTIONS) == 0
