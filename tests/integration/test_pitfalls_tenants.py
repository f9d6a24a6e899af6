# SPDX-License-Identifier: Apache-2.0
"""A tenant that the server no longer has is never charged, however out of sight it was changed; and what the proxy
cannot see, it says so: the accepted ones are here too."""

import json
import os
import struct

import pytest
from harness.shared import Recorded, running_proxy
from harness.wire import SYNC, bind_message, execute_message, message, parse_message, query_message

SET_CONFIG = 2078  # pg_proc.oid of set_config(text, text, bool)


def function_call(*arguments):
    """FunctionCall of set_config(), arguments as text."""
    body = struct.pack("!ihh", SET_CONFIG, 0, len(arguments))
    for argument in arguments:
        body += struct.pack("!i", len(argument)) + argument.encode()
    return message(b"F", body + struct.pack("!h", 0))


def extended(session, text, max_rows=0):
    session.send(parse_message(text), bind_message(), execute_message(max_rows=max_rows), SYNC)
    return session.ready().expect_ok()


def by_prepare(session):
    session.query("PREPARE p(text) AS SELECT set_config('helios.tenant_id', $1, false)").expect_ok()
    session.query("SET helios.tenant_id = 'acme'").expect_ok()
    session.query("EXECUTE p('globex')").expect_ok()


def by_prepare_in_one_message(session):
    session.query("PREPARE p AS SELECT set_config('helios.tenant_id', 'globex', false);"
                  "SET helios.tenant_id = 'acme'; EXECUTE p").expect_ok()


def by_cursor(session):
    session.query("BEGIN; DECLARE c CURSOR WITH HOLD FOR "
                  "SELECT set_config('helios.tenant_id', 'globex', false) FROM generate_series(1, 3)").expect_ok()
    session.query("SET helios.tenant_id = 'acme'; FETCH c; COMMIT").expect_ok()


def by_parse(session):
    session.send(parse_message("SELECT set_config('helios.tenant_id', 'globex', false)", "s"), SYNC)
    session.ready().expect_ok()
    session.query("SET helios.tenant_id = 'acme'").expect_ok()
    session.send(bind_message(name="s"), execute_message(), SYNC)
    session.ready().expect_ok()


def by_parse_and_suspended_portal(session):
    session.send(parse_message("SELECT set_config('helios.tenant_id', 'globex', false) FROM generate_series(1, 2)", "s"),
                 SYNC)
    session.ready().expect_ok()
    session.query("BEGIN; SET helios.tenant_id = 'acme'").expect_ok()
    session.send(bind_message(name="s"), execute_message(max_rows=1), SYNC)
    session.ready().expect_ok()


def by_execute_of_parse(session):
    session.send(parse_message("SELECT set_config('helios.tenant_id', 'globex', false)", "s"), SYNC)
    session.ready().expect_ok()
    session.query("SET helios.tenant_id = 'acme'").expect_ok()
    session.query("EXECUTE s").expect_ok()


def by_parse_behind_a_rollback(session):
    session.query("BEGIN").expect_ok()
    session.send(query_message("ROLLBACK"), parse_message("SET helios.tenant_id = 'globex'"), bind_message(),
                 execute_message(), SYNC)
    session.ready().expect_ok()
    session.ready().expect_ok()


def by_function_call(session):
    session.send(function_call("helios.tenant_id", "globex", "f"))
    session.ready().expect_ok()


def by_extended_reset(session):
    extended(session, "RESET ALL")


def by_extended_discard(session):
    extended(session, "DISCARD ALL")


def by_extended_rollback_to(session):
    session.query("BEGIN; SET helios.tenant_id = 'globex'; SAVEPOINT s").expect_ok()
    extended(session, "ROLLBACK TO s")


def by_unseen_savepoint(session):
    session.query("BEGIN; SET helios.tenant_id = 'globex'").expect_ok()
    extended(session, "SAVEPOINT s")
    extended(session, "ROLLBACK TO s")


def by_do(session):
    session.query("DO $$ BEGIN PERFORM set_config('helios.tenant_id', 'globex', false); END $$").expect_ok()


def by_update_of_settings(session):
    session.query("SELECT set_config('helios.tenant' || '_id', 'globex', false)").expect_ok()


def by_set_local_in_front_of_the_old_one(session):
    session.query("SELECT set_config('helios.tenant' || '_id', 'globex', false)").expect_ok()
    session.query("BEGIN; SET LOCAL helios.tenant_id = 'initech'; COMMIT").expect_ok()


SEEN = [by_prepare, by_prepare_in_one_message, by_cursor, by_parse, by_parse_and_suspended_portal, by_execute_of_parse,
        by_parse_behind_a_rollback, by_function_call, by_extended_reset, by_extended_discard, by_extended_rollback_to,
        by_unseen_savepoint, by_do, by_update_of_settings, by_set_local_in_front_of_the_old_one]


def charged_and_true(proxy, session):
    """Of one more statement: the tenant that hooks were told ("-": none), and the one that the server has."""
    recorded = Recorded(proxy)
    true = session.query("SELECT current_setting('helios.tenant_id', true)").value()
    return next(call[1] for call in recorded.calls() if call[0] == "pre"), true or "-"


@pytest.fixture(scope="module")
def passing(postgres, recorder):
    """A proxy that lets everything pass, and writes down whose it was."""
    with running_proxy(postgres.port, [recorder], protocol__function_call="pass", tenant__unknown="allow") as proxy:
        yield proxy


@pytest.fixture(scope="module")
def careful(postgres, counter):
    """A proxy that refuses statements of an unknown tenant."""
    with running_proxy(postgres.port, [counter], protocol__function_call="pass") as proxy:
        yield proxy


@pytest.mark.parametrize("change", SEEN, ids=lambda change: change.__name__)
def test_change_by_a_detour_is_never_charged_to_the_old_tenant(passing, change):
    with passing.connect() as session:
        session.query("SET helios.tenant_id = 'acme'").expect_ok()
        change(session)
        charged, true = charged_and_true(passing, session)
        assert charged in ("-", true)


@pytest.mark.parametrize("change", [by_cursor, by_function_call, by_do],
                         ids=lambda change: change.__name__)
def test_change_by_a_detour_makes_the_tenant_unknown_until_it_is_set(careful, change):
    with careful.connect() as session:
        session.query("SET helios.tenant_id = 'acme'").expect_ok()
        change(session)
        assert session.query("SELECT 1").sqlstate == "42501"
        session.query(f"SET helios.tenant_id = '{change.__name__}'").expect_ok()
        session.query("SELECT 1").expect_ok()
    assert careful.admin.value("counter", change.__name__) == "1"


HARMLESS = ["PREPARE p AS SELECT 1", "PREPARE p AS SELECT set_config('work_mem', '1MB', false)", "DO $$ BEGIN END $$"]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_changes_no_tenant_leaves_it_known(careful, text):
    with careful.connect() as session:
        session.query("SET helios.tenant_id = 'acme'").expect_ok()
        session.query(text).expect_ok()
        if text.startswith("PREPARE"):
            session.query("EXECUTE p").expect_ok()
        session.query("BEGIN; DECLARE c CURSOR FOR SELECT 1; FETCH c; COMMIT").expect_ok()
        assert extended(session, "SELECT 1").rows == [["1"]]
        session.query("SELECT 1").expect_ok()


# --- a fixed tenant

RULES = [{"user": "anna", "tenant": "acme"}]


@pytest.fixture(scope="module")
def pinned(postgres, recorder):
    """A proxy whose user anna is bound to the tenant acme."""
    with running_proxy(postgres.port, [recorder], tenant__rules=RULES) as proxy:
        yield proxy


REFUSED = ["SET helios.tenant_id = 'globex'", "SET LOCAL helios.tenant_id = 'globex'",
           "SET \"HELIOS.tenant_id\" = 'globex'", "SET U&\"\\0068elios\".tenant_id = 'globex'",
           "SELECT set_config('helios.tenant_id', 'globex', false)", "SELECT 1; SET helios.tenant_id = 'globex'",
           "PREPARE p AS SELECT set_config('helios.tenant_id', 'globex', false)",
           "BEGIN; DECLARE c CURSOR FOR SELECT set_config('helios.tenant_id', 'globex', false)",
           "DO $$ BEGIN PERFORM set_config('helios.tenant_id', 'globex', false); END $$",
           "SELECT * FROM set_config('helios.tenant_id', 'globex', false)",
           "WITH x AS (SELECT set_config('helios.tenant_id', 'globex', false)) TABLE x"]


@pytest.mark.parametrize("function_call_policy", ["deny", "pass"])
def test_fixed_tenant_cannot_be_changed(start_proxy, recorder, function_call_policy):
    proxy = start_proxy(plugins=[recorder], tenant__rules=RULES, protocol__function_call=function_call_policy)
    with proxy.connect(user="anna") as session:
        for text in REFUSED:
            assert session.query(text).sqlstate == "42501", text
            session.send(parse_message(text), bind_message(), execute_message(), SYNC)
            assert session.ready().sqlstate in ("42501", "42601"), text
        session.send(parse_message("SELECT set_config('helios.tenant_id', $1, false)"), bind_message(values=["globex"]),
                     execute_message(), SYNC)
        assert session.ready().sqlstate == "42501"
        session.send(function_call("helios.tenant_id", "globex", "f"))
        reply = session.ready()
        assert reply.types == "EZ" and reply.sqlstate == ("42501" if function_call_policy == "pass" else "0A000")
        assert charged_and_true(proxy, session) == ("acme", "-")


def test_query_that_nobody_reads_cannot_change_a_fixed_tenant(start_proxy):
    """Longer than what is read, and no plugin that would have it refused."""
    proxy = start_proxy(tenant__rules=RULES, protocol__max_query_bytes=4096)
    padding = "/*" + "x" * 5000 + "*/"
    with proxy.connect(user="anna") as session:
        assert session.query("SET helios.tenant_id = 'globex'" + padding).sqlstate == "54000"
        session.send(parse_message("SET helios.tenant_id = 'globex'" + padding), bind_message(), execute_message(), SYNC)
        assert session.ready().sqlstate == "42501"
        assert session.query("SELECT current_setting('helios.tenant_id', true)").value() in (None, "")


# --- what happens inside the server: accepted, and harmless to a fixed tenant

FUNCTION = """CREATE OR REPLACE FUNCTION pg_temp.change() RETURNS text LANGUAGE sql
    AS $$ SELECT set_config('helios.tenant_id', 'globex', false) $$"""
INSIDE = {
    "function": [FUNCTION, "SELECT pg_temp.change()"],
    "view": ["CREATE TEMP VIEW v AS SELECT set_config('helios.tenant_id', 'globex', false)", "SELECT * FROM v"],
    "words put together": ["DO $$ BEGIN EXECUTE 'SELECT set' || '_config(''hel' || 'ios.tenant_id'', ''globex'', false)'; "
                           "END $$"],
    "query as a string": ["SELECT query_to_xml($$SELECT set_config('helios.tenant_id', 'globex', false)$$, "
                          "false, false, '')"],
    "rule": ["CREATE TEMP TABLE d (a int)", "CREATE RULE r AS ON INSERT TO d DO ALSO "
             "SELECT set_config('helios.tenant_id', 'globex', false)", "INSERT INTO d VALUES (1)"],
}


@pytest.mark.parametrize("how", INSIDE)
def test_change_inside_the_server_is_not_followed(pinned, how):
    for user, start in (("postgres", "SET helios.tenant_id = 'acme'"), ("anna", "SELECT 1")):
        with pinned.connect(user=user) as session:
            session.query(start).expect_ok()
            for text in INSIDE[how]:
                session.query(text).expect_ok()
            assert charged_and_true(pinned, session) == ("acme", "globex")


def test_default_of_a_role_is_not_followed(passing, postgres):
    with postgres.connect() as admin:
        admin.query("CREATE ROLE has_default LOGIN; ALTER ROLE has_default SET helios.tenant_id = 'globex'").expect_ok()
    with passing.connect(user="has_default") as session:
        assert charged_and_true(passing, session) == ("-", "globex")


def test_shadow_of_set_config_is_taken_for_it(passing):
    """Whoever may create functions can make the proxy follow a tenant that the server does not have: his own word too."""
    with passing.connect() as session:
        session.query("CREATE FUNCTION pg_temp.set_config(text, text, bool) RETURNS text LANGUAGE sql AS 'SELECT $2'")
        session.query("SET search_path = pg_temp, pg_catalog").expect_ok()
        session.query("SELECT set_config('helios.tenant_id', 'acme', false)").expect_ok()
        charged, _ = charged_and_true(passing, session)
        assert charged in ("acme", "-")


def test_attributes_of_the_proxy_cannot_be_set_by_the_client(start_proxy, guests):
    """Every setting of the client's comes under its own name, behind helios."""
    proxy = start_proxy(plugins=[os.path.join(guests, "echo_input.wat")])
    with proxy.connect(parameters={"helios.client_ip": "1.2.3.4"}, options="-c helios.identity.roles=admin") as session:
        session.query("SELECT 1").expect_ok()
    attributes = json.loads(proxy.admin.value("echo-input", "input"))["hook_context"]["attributes"]
    assert attributes["client_ip"] == "127.0.0.1" and attributes["helios.client_ip"] == "1.2.3.4"
    assert "identity.roles" not in attributes and attributes["helios.identity.roles"] == "admin"


# --- one session, one server connection: nothing is left for the next client

def test_state_of_a_session_ends_with_it(passing):
    with passing.connect() as session:
        for text in ("SET helios.tenant_id = 'acme'", "SET ROLE anna", "RESET ROLE", "CREATE TEMP TABLE mine (a int)",
                     "SELECT pg_advisory_lock(4711)", "LISTEN mine", "PREPARE mine AS SELECT 1", "BEGIN",
                     "DECLARE mine CURSOR WITH HOLD FOR SELECT 1"):
            session.query(text).expect_ok()
    with passing.connect() as session:
        assert charged_and_true(passing, session) == ("-", "-")
        assert session.query("SELECT to_regclass('pg_temp.mine')").value() is None
        assert session.query("SELECT count(*) FROM pg_prepared_statements").value() == "0"
        assert session.query("SELECT count(*) FROM pg_cursors WHERE name = 'mine'").value() == "0"
        assert session.query("SELECT count(*) FROM pg_listening_channels()").value() == "0"
