# SPDX-License-Identifier: Apache-2.0
"""A plugin that only knows get and set counts exactly, whatever runs at once."""

import os

import pytest
from harness.clients import finish, pgbench, psql, start_psql

CLIENTS = 64
# pgbench takes its options from the environment, so one tenant is one pgbench.
TENANTS = {"acme": 32, "globex": 24, "initech": 8}


@pytest.fixture
def proxy(start_proxy, counter):
    return start_proxy(plugins=[counter], listen__workers=4)


def test_many_psql_at_once_are_counted_exactly(proxy):
    script = "".join(f"SELECT {number};\n" for number in range(25))
    finish([start_psql(proxy.port, script, options="-c helios.tenant_id=acme") for _ in range(8)] +
           [start_psql(proxy.port, "SET helios.tenant_id = 'globex';\n" + script) for _ in range(4)] +
           [start_psql(proxy.port, script) for _ in range(2)])
    assert proxy.admin.value("counter", "acme") == "200"
    assert proxy.admin.value("counter", "globex") == "100"
    assert psql(proxy.port, "SELECT 1").returncode == 0
    assert proxy.admin.get("/admin/kv/counter/").json["keys"] == ["acme", "globex"]


@pytest.mark.parametrize("transactions", [int(os.environ.get("HELIOS_PGBENCH_TRANSACTIONS", "40"))])
def test_pgbench_with_64_clients_is_counted_exactly(proxy, tmp_path, transactions):
    script = tmp_path / "two_statements.sql"
    script.write_text("SELECT :client_id;\nSELECT 2;\n")
    running = {tenant: pgbench(proxy.port, str(script), clients, transactions, f"-c helios.tenant_id={tenant}")
               for tenant, clients in TENANTS.items()}
    for tenant, process in running.items():
        output, errors = process.communicate(timeout=500)
        assert process.returncode == 0, errors
        done = TENANTS[tenant] * transactions
        assert f"number of transactions actually processed: {done}/{done}" in output
    counted = {tenant: proxy.admin.value("counter", tenant) for tenant in TENANTS}
    assert counted == {tenant: str(2 * clients * transactions) for tenant, clients in TENANTS.items()}


def test_every_statement_of_a_message_counts(proxy):
    with proxy.connect() as session:
        session.query("SET helios.tenant_id = 'acme'; SELECT 1; SELECT 2").expect_ok()
    assert proxy.admin.value("counter", "acme") == "2"


def test_counter_survives_a_reload_in_the_middle(proxy, counter):
    script = "".join(f"SELECT {number};\n" for number in range(100))
    running = [start_psql(proxy.port, script, options="-c helios.tenant_id=acme") for _ in range(4)]
    for _ in range(5):
        proxy.install(counter)
        assert proxy.reload().status == 200
    finish(running)
    assert proxy.admin.value("counter", "acme") == "400"


def test_guest_without_our_sdk_is_exact_too(start_proxy, guests):
    proxy = start_proxy(plugins=[os.path.join(guests, "plain.wat")])
    script = "".join(f"SELECT {number};\n" for number in range(20))
    finish([start_psql(proxy.port, script) for _ in range(8)])
    assert proxy.admin.value("plain", "calls") == "0160"
    with proxy.connect() as session:
        reply = session.query("SELECT 1 # 2")
        assert reply.error["M"] == "no # please"
        assert reply.sqlstate == "42000"
    assert proxy.admin.value("plain", "calls") == "0160"
