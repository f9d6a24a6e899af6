# SPDX-License-Identifier: Apache-2.0
"""helios.kv(): the state of plugins as a table, wherever a table may stand."""

import pytest
from harness.clients import psql


@pytest.fixture
def proxy(start_proxy, counter):
    proxy = start_proxy(plugins=[counter], kv_sql__readers=["postgres"])
    proxy.admin.put("counter", "acme", "3")
    proxy.admin.put("counter", "globex", "5")
    proxy.admin.put("cost-governor", "tenant:acme:budget", '{"day":1}')
    return proxy


@pytest.fixture
def session(proxy):
    with proxy.connect() as session:
        yield session


def test_columns_and_rows(session):
    reply = session.query("SELECT * FROM helios.kv()").expect_ok()
    assert reply.columns == [["plugin", "key", "value", "version", "expires_at"]]
    assert sorted(row[:3] for row in reply.rows) == [
        ["cost-governor", "tenant:acme:budget", '{"day":1}'], ["counter", "acme", "3"], ["counter", "globex", "5"]]
    assert all(int(row[3]) > 0 and row[4] is None for row in reply.rows)


def test_one_namespace_by_any_of_its_names(session):
    for name in ("cost-governor", "cost_governor", "helios-plugin-cost-governor", "helios_plugin_cost_governor"):
        assert session.query(f"SELECT key FROM helios.kv('{name}')").value() == "tenant:acme:budget"


def test_unknown_namespace_is_empty(session):
    assert session.query("SELECT count(*) FROM helios.kv('nobody')").value() == "0"


def test_scalar(session):
    assert session.query("SELECT helios.kv('counter', 'globex')").value() == "5"
    assert session.query("SELECT helios.kv('counter', 'globex')::int + 1").value() == "6"
    assert session.query("SELECT helios.kv('counter', 'nobody')").value() is None
    assert session.query("SELECT * FROM helios.kv('cost-governor', 'tenant:acme:budget')").value() == '{"day":1}'


def test_joins_filters_and_aggregates(session):
    session.query("CREATE TEMP TABLE tenants (id text, plan text);"
                  "INSERT INTO tenants VALUES ('acme', 'gold'), ('globex', 'tin')").expect_ok()
    reply = session.query("SELECT t.plan, k.value::int FROM tenants t JOIN helios.kv('counter') AS k ON k.key = t.id "
                          "WHERE k.value::int > 3")
    assert reply.rows == [["tin", "5"]]
    assert session.query("SELECT sum(value::int) FROM helios.kv('counter')").value() == "8"
    assert session.query("WITH s AS (SELECT * FROM helios.kv('counter')) SELECT max(key) FROM s").value() == "globex"
    assert session.query("SELECT kv.key FROM helios.kv('counter') WHERE kv.value = '3'").value() == "acme"
    assert session.query("SELECT (SELECT value FROM helios.kv('counter') k WHERE k.key = t.id) FROM tenants t "
                         "ORDER BY 1").rows == [["3"], ["5"]]


def test_argument_from_a_row(session):
    reply = session.query("SELECT id, helios.kv('counter', id) FROM (VALUES ('acme'), ('nobody')) AS t(id)")
    assert reply.rows == [["acme", "3"], ["nobody", None]]


def test_composites_in_a_select_list(session):
    reply = session.query("SELECT helios.kv('counter')").expect_ok()
    assert reply.columns == [["kv"]]
    assert [row[0].split(",")[1] for row in reply.rows] == ["acme", "globex"]
    assert session.query("SELECT helios.kv('nobody')").expect_ok().rows == []
    assert len(session.query("SELECT helios.kv()").rows) == 3


def test_own_statement_is_counted_before_it_is_read(proxy):
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        assert session.query("SELECT helios.kv('counter', 'acme')").value() == "4"


def test_values_that_are_not_text(proxy, session):
    proxy.admin.request("PUT", "/admin/kv/counter/bytes", b"\xff\x00a")
    assert session.query("SELECT helios.kv('counter', 'bytes')").value() == "\\xff0061"


def test_hostile_values_stay_values(proxy, session):
    hostile = "'); DROP TABLE x; --\\'$$"
    proxy.admin.put("counter", "hostile", hostile)
    assert session.query("SELECT helios.kv('counter', 'hostile')").value() == hostile
    session.query("SET standard_conforming_strings = off").expect_ok()
    assert session.query("SELECT helios.kv('counter', 'hostile')").value() == hostile


def test_several_statements_of_a_message(session):
    reply = session.query("SELECT count(*) FROM helios.kv(); SELECT 7; SELECT helios.kv('counter', 'acme')").expect_ok()
    assert [row[0] for row in reply.rows] == ["3", "7", "3"]


def test_users_who_are_not_listed_are_refused(proxy):
    with proxy.connect(user="anna") as session:
        reply = session.query("SELECT * FROM helios.kv()")
        assert reply.sqlstate == "42501" and reply.status == "I"
        assert session.query("SELECT 1").value() == "1"


@pytest.mark.parametrize("text", ["CREATE VIEW v AS SELECT * FROM helios.kv()",
                                  "CREATE TEMP TABLE t AS SELECT * FROM helios.kv()"])
def test_definitions_are_refused(session, text):
    assert session.query(text).sqlstate == "0A000"


def test_size_is_bounded(start_proxy, counter):
    proxy = start_proxy(plugins=[counter], kv_sql__readers=["postgres"], kv_sql__max_bytes=10000)
    for number in range(10):
        proxy.admin.put("counter", f"key{number}", "x" * 2000)
    with proxy.connect() as session:
        assert session.query("SELECT * FROM helios.kv('counter')").sqlstate == "54000"
        assert session.query("SELECT length(helios.kv('counter', 'key1'))").value() == "2000"


def test_it_works_without_any_plugin(start_proxy):
    proxy = start_proxy(kv_sql__readers=["postgres"])
    proxy.admin.put("seeded", "key", "value")
    with proxy.connect() as session:
        assert session.query("SELECT helios.kv('seeded', 'key')").value() == "value"


def test_psql_shows_a_table(proxy):
    done = psql(proxy.port, "SELECT key, value FROM helios.kv('counter') ORDER BY key")
    assert done.stdout == "acme|3\nglobex|5\n"
