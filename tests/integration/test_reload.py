# SPDX-License-Identifier: Apache-2.0
"""SIGHUP reads the whole configuration again: what new statements, and what new sessions, see of it."""

import signal

import pytest
from harness.waiting import wait_until
from harness.wire import SYNC, WireError, bind_message, execute_message, message, parse_message, query_message


def reload_with(proxy, **changes):
    """Changes the configuration file, as make_proxy() writes it, and waits until the proxy has dealt with it."""
    proxy.config.update({key.replace("__", "."): value for key, value in changes.items()})
    proxy.write_config()
    sighup(proxy)


def sighup(proxy):
    before = proxy.log.count("reloaded: ")
    proxy.process.send_signal(signal.SIGHUP)
    wait_until(lambda: proxy.log.count("reloaded: ") > before, "the reload is over")


def test_quota_is_raised_for_a_running_session(start_proxy, counter):
    proxy = start_proxy(plugins=[counter], kv__max_keys_per_namespace=1)
    with proxy.connect(options="-c helios.tenant_id=one") as session:
        session.query("SELECT 1").expect_ok()
        with proxy.connect(options="-c helios.tenant_id=two") as other:
            assert other.query("SELECT 1").error
            reload_with(proxy, kv__max_keys_per_namespace=2)
            other.query("SELECT 1").expect_ok()
    assert proxy.admin.value("counter", "two") == "1"


def test_full_namespace_is_said_until_there_is_room(start_proxy, counter):
    proxy = start_proxy(plugins=[counter], kv__max_keys_per_namespace=1)
    with proxy.connect(options="-c helios.tenant_id=one") as one, proxy.connect(options="-c helios.tenant_id=two") as two:
        one.query("SELECT 1").expect_ok()
        assert proxy.admin.get("/readyz").status == 200
        for _ in range(5):
            assert two.query("SELECT 1").error
        ready = proxy.admin.get("/readyz")
        assert ready.status == 503 and "[kv] max_keys_per_namespace = 1" in ready.json["error"]
        assert proxy.log.count("is full: its keys are 1") == 1
        assert proxy.admin.get("/healthz").status == 200
        proxy.admin.delete("counter", "one")
        wait_until(lambda: proxy.admin.get("/readyz").status == 200, "there is room again")
        two.query("SELECT 1").expect_ok()


def test_quota_that_is_nearly_used_up_is_said_before_it_is(start_proxy):
    proxy = start_proxy(kv__max_keys_per_namespace=5)
    for key in "abcd":
        proxy.admin.put("p", key, "x")
    warning = "the namespace p holds 80 % of [kv] max_keys_per_namespace = 5"
    wait_until(lambda: proxy.admin.get("/readyz").json == {"ok": True, "server": "unknown", "warnings": [warning]}, "it is said")
    assert proxy.admin.get("/readyz").status == 200
    reload_with(proxy, kv__max_keys_per_namespace=100)
    wait_until(lambda: proxy.admin.get("/readyz").json == {"ok": True, "server": "unknown"}, "there is room again")
    assert proxy.log.count(warning) == 1


def test_limits_of_streams_change_without_a_restart(start_proxy):
    proxy = start_proxy(state__directory="state")
    assert proxy.admin.get("/admin/state").json["limits"]["stream_bytes"] == 16 << 30
    reload_with(proxy, state__max_stream_bytes=1 << 40, kv__max_record_bytes=1000)
    limits = proxy.admin.get("/admin/state").json["limits"]
    assert limits["stream_bytes"] == 1 << 40 and limits["record_bytes"] == 1000
    assert proxy.admin.metric("helios_kv_max_stream_bytes") == 1 << 40
    assert "takes a restart" not in proxy.log


def test_plugins_that_appear_make_old_sessions_tenants_unknown(start_proxy, counter):
    """What passed while nobody watched was not read: such a session must say its tenant again."""
    proxy = start_proxy(plugins=[counter], plugins__directory="")
    with proxy.connect(options="-c helios.tenant_id=acme") as old:
        old.query("SELECT set_config('helios.tenant_id', 'globex', false)").expect_ok()
        reload_with(proxy, plugins__directory="plugins")
        assert old.query("SELECT 1").sqlstate == "42501"
        old.query("SET helios.tenant_id = 'globex'").expect_ok()
        old.query("SELECT 1").expect_ok()
        with proxy.connect(options="-c helios.tenant_id=acme") as new:
            new.query("SELECT 1").expect_ok()
    assert proxy.admin.value("counter", "globex") == "1"
    assert proxy.admin.value("counter", "acme") == "1"


COPY = "COPY copied FROM STDIN"
BAD_DATA = message(b"d", b"bad\tbad\n")
COPIES = {"query": query_message(COPY), "execute": parse_message(COPY) + bind_message() + execute_message() + message(b"H", b"")}


@pytest.mark.parametrize("kind", COPIES)
def test_plugins_that_appear_end_a_session_whose_answers_nobody_can_count(start_proxy, counter, kind):
    """Whether the server swallowed the Sync in the data of a COPY that failed, nobody has asked it: a ReadyForQuery may come that would
    be taken for that of a later statement."""
    proxy = start_proxy(plugins=[counter], plugins__directory="")
    with proxy.connect(options="-c helios.tenant_id=acme") as old, proxy.connect(options="-c helios.tenant_id=acme") as plain:
        for session, sync in (old, SYNC), (plain, b""):
            session.query("CREATE TEMP TABLE copied (a int)").expect_ok()
            session.send(COPIES[kind])
            while session.message()[0] != b"G":
                pass
            session.send(sync + BAD_DATA)
            assert session.message()[0] == b"E"
            session.send(SYNC if kind == "execute" else b"")
            assert session.message()[0] == b"Z"
            assert session.query("SELECT 1").value() == "1"
        reload_with(proxy, plugins__directory="plugins")
        old.send(query_message("SELECT 1"))
        kind, body = old.message()
        assert kind == b"E" and b"FATAL" in body and b"57P01" in body and b"connect again" in body
        old.expect_closed()
        plain.query("SET helios.tenant_id = 'globex'").expect_ok()
        assert plain.query("SELECT 1").value() == "1"


def test_wrong_configuration_leaves_everything_as_it_was(start_proxy, counter):
    proxy = start_proxy(plugins=[counter])
    reload_with(proxy, nonsense__key=1)
    assert "nonsense" in proxy.log and "nothing changed" in proxy.log
    reply = proxy.reload()
    assert reply.status >= 400 and "nonsense" in str(reply.json)
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        session.query("SELECT 1").expect_ok()
    assert proxy.admin.value("counter", "acme") == "1"


def test_new_sessions_go_to_the_new_server(start_proxy, tmp_path):
    proxy = start_proxy()
    with proxy.connect() as old:
        old.query("SELECT 1").expect_ok()
        reload_with(proxy, server__host=str(tmp_path))
        old.query("SELECT 1").expect_ok()
        with pytest.raises(WireError) as refusal:
            proxy.connect()
    assert "could not connect to the server" in refusal.value.fields["M"]
