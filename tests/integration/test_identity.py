# SPDX-License-Identifier: Apache-2.0
"""Who a session is, the operator says: by psql, by libpq as drivers use it, through the Unix socket, and in every spelling."""

import ctypes
import ctypes.util
import json
import os
import pwd
import signal
import subprocess

import pytest
from harness.clients import psql
from harness.postgres import AS_POSTGRES
from harness.waiting import wait_until
from harness.wire import SYNC, Wire, WireError, bind_message, execute_message, parse_message
from test_kv_command import run_cli
from test_pitfalls_tenants import function_call
from test_unix_socket import folder, me  # noqa: F401, fixtures
from test_unix_socket import psql as unix_psql

ME = pwd.getpwuid(os.getuid()).pw_name

AGENT = {"user": "anna", "agent": "bot-7", "model": "large", "roles": ["reader", "writer"],
         "set": {'"helios.team"': "{database}"}}


@pytest.fixture
def echo(guests):
    """A plugin that writes down what its hooks are given."""
    return os.path.join(guests, "echo_input.wat")


def attributes(proxy):
    """What the plugin was told at the last statement."""
    return json.loads(proxy.admin.value("echo-input", "input"))["hook_context"]["attributes"]


def told(proxy, session):
    session.query("SELECT 1").expect_ok()
    return attributes(proxy)


FIXED = {"agent_id": "bot-7", "helios.agent_id": "bot-7", "model_id": "large", "helios.roles": "reader,writer",
         "identity.roles": "reader,writer", "helios.team": "demo"}


def test_psql_is_who_the_rule_says(start_proxy, echo):
    proxy = start_proxy(plugins=[echo], identity__rules=[AGENT])
    done = psql(proxy.port, "SELECT 1", user="anna")
    assert done.stdout.strip() == "1"
    assert FIXED.items() <= attributes(proxy).items()
    headers = json.loads(proxy.admin.value("echo-input", "login"))["headers"]
    assert FIXED.items() <= headers.items()
    assert psql(proxy.port, "SELECT current_setting('helios.agent_id', true)", user="anna").stdout.strip() == ""
    done = psql(proxy.port, "SET helios.agent_id = 'bot-8'", user="anna", check=False)
    assert "helios.agent_id of user \"anna\" is fixed to \"bot-7\" and cannot be changed" in done.stderr
    done = psql(proxy.port, "SELECT 1", user="anna", options="-c helios.agent_id=bot-8", check=False)
    assert done.returncode == 2 and "is fixed to" in done.stderr
    assert psql(proxy.port, "SET helios.agent_id = 'bot-8'", "SELECT 1").returncode == 0  # postgres is nobody's agent
    assert attributes(proxy)["agent_id"] == "bot-8"


class Libpq:
    """libpq itself, as the drivers that are made of it use it."""

    def __init__(self, conninfo):
        self.lib = ctypes.CDLL(ctypes.util.find_library("pq"))
        self.lib.PQconnectdb.restype = self.lib.PQexecParams.restype = ctypes.c_void_p
        self.lib.PQresultErrorField.restype = self.lib.PQerrorMessage.restype = ctypes.c_char_p
        self.connection = ctypes.c_void_p(self.lib.PQconnectdb(conninfo.encode()))
        assert self.lib.PQstatus(self.connection) == 0, self.lib.PQerrorMessage(self.connection)

    def execute(self, text, *values):
        """The SQLSTATE of a statement with these parameters; None where it went well."""
        array = (ctypes.c_char_p * max(1, len(values)))(*[value.encode() for value in values])
        result = ctypes.c_void_p(self.lib.PQexecParams(self.connection, text.encode(), len(values), None, array, None, None, 0))
        state = self.lib.PQresultErrorField(result, ord("C"))
        self.lib.PQclear(result)
        return state.decode() if state else None

    def close(self):
        self.lib.PQfinish(self.connection)


def test_driver_with_parameters_is_who_the_rule_says(start_proxy, echo):
    proxy = start_proxy(plugins=[echo], identity__rules=[AGENT])
    driver = Libpq(f"host=127.0.0.1 port={proxy.port} user=anna dbname=demo")
    text = "SELECT set_config($1, $2, false)"
    assert driver.execute(text, "helios.agent_id", "bot-8") == "42501"
    assert driver.execute(text, "helios.agent_id", "bot-7") is None
    assert driver.execute("SELECT set_config('helios.roles', $1, false)", "admin") == "42501"
    assert driver.execute(text, "helios.color", "red") is None
    assert driver.execute("DISCARD ALL") is None
    assert driver.execute("SELECT $1", "x") is None
    assert FIXED.items() <= attributes(proxy).items()
    driver.close()


REFUSED = ["SET helios.agent_id = 'x'", "SET LOCAL helios.roles = 'admin'", "SET \"HELIOS.team\" = 'x'",
           "SET U&\"\\0068elios\".agent_id = 'x'", "SELECT set_config('helios.model_id', 'x', false)",
           "SELECT 1; SET helios.agent_id = 'x'", "PREPARE p AS SELECT set_config('helios.agent_id', 'x', false)",
           "PREPARE p(text) AS SELECT set_config('helios.agent_id', $1, false)",
           "BEGIN; DECLARE c CURSOR FOR SELECT set_config('helios.agent_id', 'x', false)",
           "DO $$ BEGIN PERFORM set_config('helios.agent_id', 'x', false); END $$",
           "SELECT set_config('helios.' || 'agent_id', 'x', false)", "SET helios.agent_id FROM CURRENT",
           "UPDATE pg_settings SET setting = 'x' WHERE name = 'helios.agent_id'"]

PASSING = ["SET helios.agent_id = 'bot-7'", "RESET helios.agent_id", "SET helios.agent_id TO DEFAULT", "RESET ALL", "DISCARD ALL",
           "SET helios.tenant_id = 'acme'", "SELECT set_config('helios.tenant_id', 'acme', false)",
           "PREPARE p(text) AS SELECT set_config('helios.color', $1, false)",
           # Nobody reads what an EXECUTE sets, and the tenant is not fixed: it is unknown until it is SET.
           "EXECUTE p('red')", "SET helios.tenant_id = 'acme'"]


@pytest.mark.parametrize("with_plugin", [False, True])
def test_what_is_fixed_is_refused_in_every_spelling(start_proxy, echo, with_plugin):
    proxy = start_proxy(plugins=[echo] if with_plugin else [], identity__rules=[AGENT], protocol__function_call="pass")
    with proxy.connect(user="anna") as session:
        for text in REFUSED:
            assert session.query(text).sqlstate == "42501", text
            session.send(parse_message(text), bind_message(), execute_message(), SYNC)
            assert session.ready().sqlstate in ("42501", "42601"), text
        session.send(function_call("helios.agent_id", "x", "f"))
        assert session.ready().sqlstate == "42501"
        for text in PASSING:
            reply = session.query(text)
            assert not reply.errors, (text, reply.errors)
        if with_plugin:
            assert FIXED.items() <= told(proxy, session).items()
    for packet in ({"helios.agent_id": "x"}, {"Helios.Roles": "x"}):
        with pytest.raises(WireError) as refusal:
            proxy.connect(user="anna", parameters=packet)
        assert refusal.value.fields["C"] == "42501"
    for options in ("-c helios.agent_id=x", "--helios.agent-id=x", "-c helios.color=red -chelios.team=x"):
        with pytest.raises(WireError) as refusal:
            proxy.connect(user="anna", options=options)
        assert refusal.value.fields["C"] == "42501"
    proxy.connect(user="anna", options="-c helios.agent_id=bot-7 -c helios.color=red").close()


def test_message_that_nobody_reads_is_refused(start_proxy):
    proxy = start_proxy(identity__rules=[AGENT], protocol__max_query_bytes=4096)
    padding = "/*" + "x" * 5000 + "*/"
    with proxy.connect(user="anna") as session:
        assert session.query("SELECT 1" + padding).sqlstate == "54000"
        session.send(parse_message("SELECT 1" + padding), bind_message(), execute_message(), SYNC)
        assert session.ready().sqlstate == "42501"


def test_os_user_of_the_unix_socket(start_proxy, echo, folder, me):  # noqa: F811
    rules = [{"client": "local", "os_user": ME, "agent": "{os_user}", "tenant": "{user}"},
             {"client": "local", "agent": "somebody"},
             {"client": "127.0.0.0/8", "agent": "net"}]
    proxy = start_proxy(plugins=[echo], listen__unix_socket_dir=folder, identity__rules=rules)
    with Wire(folder, proxy.port) as session:
        seen = told(proxy, session)
        assert (seen["agent_id"], seen["tenant_id"]) == (ME, "postgres")
        assert session.query("SET helios.agent_id = 'x'").sqlstate == "42501"
    with proxy.connect() as session:
        seen = told(proxy, session)
        assert seen["agent_id"] == "net" and "tenant_id" not in seen
    matches = [1, 0, 1]
    if os.getuid() == 0:  # then somebody else is at hand
        done = unix_psql(folder, proxy.port, "SELECT 1", user=me, launcher=[AS_POSTGRES])
        assert done.returncode == 0, done.stderr
        assert attributes(proxy)["agent_id"] == "somebody"
        matches[1] = 1
    assert [rule["matches"] for rule in proxy.admin.get("/identity-rules").json] == matches


def test_rules_are_listed_and_those_of_before_keep_their_counts(start_proxy, echo):
    proxy = start_proxy(plugins=[echo], identity__rules=[{"user": "nobody_*", "agent": "{user*}"}, AGENT])
    with proxy.connect(user="anna") as session:
        first, second = proxy.admin.get("/identity-rules").json
        assert (first["matches"], second["matches"]) == (0, 1)
        assert first == {"user": "nobody_*", "database": "*", "client": "*", "os_user": None,
                         "sets": {"helios.agent_id": "{user*}"}, "pinned": True, "matches": 0}
        assert second["sets"] == {"helios.agent_id": "bot-7", "helios.model_id": "large",
                                  "helios.roles": "reader,writer", "helios.team": "{database}"}
        assert proxy.admin.get("/tenant-rules").json == []
        assert ('helios_identity_rule_matches_total{client="*",database="*",os_user="",rule="1",'
                'sets="helios.agent_id={user*}",user="nobody_*"} 0') in proxy.admin.get("/metrics").text
        proxy.config["identity.rules"] = [AGENT, {"user": "*", "agent": "rest"}]
        proxy.write_config()
        assert proxy.reload().status == 200
        with proxy.connect() as newcomer:
            assert told(proxy, newcomer)["agent_id"] == "rest"
        assert [rule["matches"] for rule in proxy.admin.get("/identity-rules").json] == [1, 1]
        proxy.config["identity.rules"] = [{"user": "*", "agent": "rest"}]
        proxy.write_config()
        proxy.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(proxy.admin.get("/identity-rules").json) == 1, "the new rules are in force")
        assert told(proxy, session)["agent_id"] == "bot-7"  # to the end of the session
        assert session.query("SET helios.agent_id = 'x'").sqlstate == "42501"


def test_blocked_agent_neither_gets_in_nor_stays(start_proxy):
    proxy = start_proxy(identity__rules=[AGENT])
    url = f"http://127.0.0.1:{proxy.admin.port}"
    with proxy.connect(user="anna") as session, proxy.connect() as other:
        session.query("SELECT 1").expect_ok()
        run_cli("block", "agent", "bot-7", "--reason", "runs wild", "--url", url)
        assert session.until_closed()[-1][0] == b"E"
        other.query("SELECT 1").expect_ok()
        with pytest.raises(WireError) as refusal:
            proxy.connect(user="anna")
        assert refusal.value.fields["C"] == "28000" and 'agent "bot-7" is blocked' in refusal.value.fields["M"]
        run_cli("unblock", "agent", "bot-7", "--url", url)
        proxy.connect(user="anna").close()


def test_both_kinds_of_rules_in_one_file_are_refused(make_proxy):
    proxy = make_proxy(tenant__rules=[{"user": "anna", "tenant": "acme"}], identity__rules=[AGENT])
    proxy.write_config()
    done = subprocess.run([proxy.binary, "--check", "--config", proxy.config_file], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 1
    assert ": tenant.rules: there are [[identity.rules]] as well: write these as [[identity.rules]]" in done.stderr
