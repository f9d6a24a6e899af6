# SPDX-License-Identifier: Apache-2.0
"""Whose statement is it: helios.tenant_id by every spelling, and through transactions."""

import pytest
from harness.clients import psql


@pytest.fixture
def proxy(start_proxy, recorder):
    return start_proxy(plugins=[recorder])


class Recorded:
    """The tenants of the statements that the recorder saw since the last look."""

    def __init__(self, proxy):
        self.admin = proxy.admin
        self.seen = 0

    def tenants(self):
        count = int(self.admin.value("recorder", "count") or 0)
        lines = [self.admin.value("recorder", f"call:{1000000 + n}") for n in range(self.seen, count)]
        self.seen = count
        return [line.split("|")[1] for line in lines if line.startswith("pre|")]


@pytest.fixture
def recorded(proxy):
    return Recorded(proxy)


# (texts sent one after the other, the tenant of each hooked statement; "-" is none)
CASES = [
    (["SELECT 1"], "-"),
    (["SET helios.tenant_id = 'acme'", "SELECT 1"], "acme"),
    (["SET helios.tenant_id = 'acme'; SELECT 1"], "acme"),
    (["SELECT 1; SET helios.tenant_id = 'acme'; SELECT 2"], "- acme"),
    (["SET SESSION helios.tenant_id TO acme", "SELECT 1"], "acme"),
    (["set/**/helios . tenant_id TO 'acme'", "SELECT 1"], "acme"),
    (["SET \"HELIOS\".\"Tenant_ID\" = 'acme'", "SELECT 1"], "acme"),
    (["SET helios.tenant_id = 'it''s'", "SELECT 1"], "it's"),
    (["SET helios.tenant_id = $$acme$$", "SELECT 1"], "acme"),
    (["SELECT set_config('helios.tenant_id', 'acme', false)", "SELECT 1"], "- acme"),
    (["SELECT pg_catalog.set_config('HELIOS.tenant_id', 'acme', 'f')", "SELECT 1"], "- acme"),
    (["SET helios.tenant_id = 'acme'", "RESET helios.tenant_id", "SELECT 1"], "-"),
    (["SET helios.tenant_id = 'acme'", "SET helios.tenant_id TO DEFAULT", "SELECT 1"], "-"),
    (["SET helios.tenant_id = 'acme'", "RESET ALL", "SELECT 1"], "-"),
    (["SET helios.tenant_id = 'acme'", "DISCARD ALL", "SELECT 1"], "-"),
    (["SET helios.tenant_id = ''", "SELECT 1"], "-"),
    (["SELECT 'SET helios.tenant_id = ''acme'''", "SELECT 1"], "- -"),
    (["SELECT $x$ SET helios.tenant_id = 'acme' $x$ -- SET helios.tenant_id = 'a'", "SELECT 1"], "- -"),
    # Transactions.
    (["BEGIN", "SET helios.tenant_id = 'acme'", "SELECT 1", "ROLLBACK", "SELECT 2"], "acme -"),
    (["BEGIN", "SET helios.tenant_id = 'acme'", "COMMIT", "SELECT 1"], "acme"),
    (["BEGIN", "SET LOCAL helios.tenant_id = 'acme'", "SELECT 1", "COMMIT", "SELECT 2"], "acme -"),
    (["SET LOCAL helios.tenant_id = 'acme'", "SELECT 1"], "-"),
    (["SET LOCAL helios.tenant_id = 'acme'; SELECT 1", "SELECT 2"], "acme -"),
    (["BEGIN; SET helios.tenant_id = 'acme'; ROLLBACK; SELECT 1"], "-"),
    (["SET helios.tenant_id = 'acme'; SELECT 1/0", "SELECT 1"], "acme -"),
    (["BEGIN", "SET helios.tenant_id = 'acme'", "SELECT 1/0", "COMMIT", "SELECT 1"], "acme -"),
    (["SET helios.tenant_id = 'acme'", "BEGIN", "SET helios.tenant_id = 'globex'", "SELECT 1", "ROLLBACK AND CHAIN",
      "SELECT 2", "ROLLBACK"], "globex acme"),
]


@pytest.mark.parametrize("texts, tenants", CASES, ids=[" | ".join(texts)[:70] for texts, _ in CASES])
def test_tenant_follows_the_servers_settings(proxy, recorded, texts, tenants):
    with proxy.connect() as session:
        for text in texts:
            session.query(text)
    assert recorded.tenants() == tenants.split(" ")


@pytest.mark.parametrize("texts, tenants", CASES, ids=[" | ".join(texts)[:70] for texts, _ in CASES])
def test_the_server_agrees(postgres, texts, tenants):
    """The same texts, asked of the server itself: which tenant is in force after them?"""
    with postgres.connect(database="demo") as session:
        for text in texts:
            session.query(text)
        at_the_end = session.query("SELECT current_setting('helios.tenant_id', true)").value()
    if texts[-1].startswith("SELECT"):
        assert (at_the_end or "-") == tenants.split(" ")[-1]


@pytest.mark.parametrize("options", [
    "-c helios.tenant_id=acme", "-chelios.tenant_id=acme", "--helios.tenant_id=acme", "--helios.tenant-id=acme",
    "-c HELIOS.Tenant_Id=acme", "-c helios.tenant_id=no -c helios.tenant_id=acme",
])
def test_tenant_in_the_options(proxy, postgres, recorded, options):
    with postgres.connect(database="demo", options=options) as direct:
        assert direct.query("SELECT current_setting('helios.tenant_id')").value() == "acme"
    with proxy.connect(options=options) as session:
        session.query("SELECT 1").expect_ok()
        session.query("SET helios.tenant_id = 'globex'; SELECT 2").expect_ok()
        session.query("RESET helios.tenant_id; SELECT 3").expect_ok()
    assert recorded.tenants() == ["acme", "globex", "acme"]


def test_tenant_with_a_space_in_the_options(proxy, recorded):
    with proxy.connect(options=r"-c helios.tenant_id=a\ b") as session:
        session.query("SELECT 1").expect_ok()
    assert recorded.tenants() == ["a b"]


def test_tenant_as_a_startup_parameter(proxy, recorded):
    with proxy.connect(parameters={"helios.tenant_id": "acme"}, options="-c helios.tenant_id=no") as session:
        session.query("SELECT 1").expect_ok()
    assert recorded.tenants() == ["acme"]


def test_tenant_by_pgoptions(proxy, recorded):
    psql(proxy.port, "SELECT 1", options="-c helios.tenant_id=acme")
    assert recorded.tenants() == ["acme"]


UNKNOWN = [
    "SELECT set_config('helios.tenant_id', 'ac' || 'me', false)",
    "SELECT set_config(name, 'acme', false) FROM (VALUES ('helios.tenant_id')) AS v(name)",
]


@pytest.mark.parametrize("text", UNKNOWN)
def test_tenant_that_nobody_can_know_is_refused_until_it_is_set(proxy, text):
    with proxy.connect() as session:
        session.query("SET helios.tenant_id = 'old'").expect_ok()
        session.query(text).expect_ok()
        assert session.query("SELECT 1").sqlstate == "42501"
        session.query("SET helios.tenant_id = 'new'").expect_ok()
        session.query("SELECT 1").expect_ok()


@pytest.mark.parametrize("text", UNKNOWN)
def test_tenant_that_nobody_can_know_is_never_the_old_one(start_proxy, recorder, text):
    proxy = start_proxy(plugins=[recorder], tenant__unknown="allow")
    recorded = Recorded(proxy)
    with proxy.connect() as session:
        session.query("SET helios.tenant_id = 'old'").expect_ok()
        session.query(text).expect_ok()
        session.query("SELECT 1").expect_ok()
    assert recorded.tenants() == ["old", "-"]


# pg_dump's own, of every dump.
OF_PG_DUMP = ("SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings "
              "WHERE name = 'restrict_nonsystem_relation_kind'")


def test_constant_condition_names_the_setting(proxy):
    with proxy.connect() as session:
        session.query("SET helios.tenant_id = 'acme'").expect_ok()
        session.query(OF_PG_DUMP).expect_ok()
        session.query("SELECT 1").expect_ok()


def test_tenant_and_another_setting_as_parameters_of_one_statement(proxy, recorded):
    with proxy.connect() as session:
        session.query("BEGIN").expect_ok()
        session.prepared("SELECT set_config('helios.tenant_id', $1, true), set_config('app.user', $2, true)",
                         ["acme", "ann"]).expect_ok()
        session.query("SELECT 1").expect_ok()
        session.query("ROLLBACK").expect_ok()
    assert recorded.tenants()[-1] == "acme"


LOOKS = """(module
  (import "env" "field" (func $field (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "helios_abi_version") (result i32) (i32.const 2))
  (func (export "pre_query") (result i32) (drop (call $field (i32.const %d) (i32.const 0) (i32.const 512))) (i32.const 0)))"""


@pytest.mark.parametrize("what, sqlstate", [(3, None), (7, "42501")], ids=["user", "tenant"])
def test_unknown_tenant_matters_to_those_who_use_tenants(make_proxy, what, sqlstate):
    proxy = make_proxy()
    proxy.write_plugin_file("looks.wat", LOOKS % what)
    with proxy.start().connect() as session:
        session.query("SELECT set_config(s.name, s.setting, false) FROM pg_settings s WHERE s.name LIKE 'work_m%'").expect_ok()
        states = [error["C"] for _ in range(2) for error in session.query("SELECT 1").errors]
        assert states == ([sqlstate] * 2 if sqlstate else [])


def test_refused_message_leaves_the_tenant_as_it_was(start_proxy, counter):
    proxy = start_proxy(plugins=[counter])
    with proxy.connect() as session:
        session.query("SET helios.tenant_id = 'acme'").expect_ok()
        assert session.query("SET helios.tenant_id = 'globex'; SELECT 'forbidden'").sqlstate == "42000"
        session.query("SELECT 1").expect_ok()
        assert session.query("SELECT current_setting('helios.tenant_id')").value() == "acme"
    assert proxy.admin.value("counter", "acme") == "2"
    assert proxy.admin.value("counter", "globex") is None
