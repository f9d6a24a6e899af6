# SPDX-License-Identifier: Apache-2.0
"""Reload, drain, stop; the server going and coming back; the admin interface of the running process."""

import signal

import pytest
from harness.waiting import wait_until
from harness.wire import WireError, fields_of, query_message


def test_sighup_reloads_the_plugins(start_proxy, counter):
    proxy = start_proxy()
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        session.query("SELECT 1").expect_ok()
        proxy.install(counter)
        proxy.process.send_signal(signal.SIGHUP)
        wait_until(lambda: proxy.admin.get("/plugins").json, "the plugin is there")
        wait_until(lambda: session.query("SELECT 1") and proxy.admin.value("counter", "acme"), "the plugin is called")


def test_admin_reload_is_in_force_when_it_answers(start_proxy, counter):
    proxy = start_proxy()
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        session.query("SELECT 1").expect_ok()
        proxy.install(counter)
        reply = proxy.reload().json
        assert [plugin["name"] for plugin in reply["plugins"]] == ["counter"]
        assert [change["change"] for change in reply["changes"]] == ["added"]
        session.query("SELECT 1").expect_ok()
    assert proxy.admin.value("counter", "acme") == "1"


def test_state_survives_removal_and_return_of_its_plugin(start_proxy, counter):
    import os
    proxy = start_proxy(plugins=[counter])
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        session.query("SELECT 1").expect_ok()
        os.remove(os.path.join(proxy.plugins, "counter.wasm"))
        reply = proxy.reload().json
        assert reply["plugins"] == [] and [change["change"] for change in reply["changes"]] == ["removed"]
        session.query("SELECT 1").expect_ok()
        proxy.install(counter)
        proxy.reload()
        session.query("SELECT 1").expect_ok()
    assert proxy.admin.value("counter", "acme") == "2"


def test_sigterm_ends_idle_sessions_with_a_word(start_proxy):
    proxy = start_proxy()
    with proxy.connect() as session:
        session.query("SELECT 1").expect_ok()
        proxy.process.send_signal(signal.SIGTERM)
        kind, body = session.message()
        assert kind == b"E" and fields_of(body)["C"] == "57P01" and fields_of(body)["S"] == "FATAL"
        session.expect_closed()


def test_sigterm_lets_a_running_statement_finish(start_proxy, counter):
    proxy = start_proxy(plugins=[counter])
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        session.send(query_message("SELECT pg_sleep(1), 'done'"))
        wait_until(lambda: proxy.admin.value("counter", "acme"), "the statement has begun")
        proxy.process.send_signal(signal.SIGTERM)
        reply = session.ready()
        assert reply.rows == [["", "done"]]
        kind, body = session.message()
        assert kind == b"E" and fields_of(body)["C"] == "57P01"


def test_sigterm_cuts_what_outlives_the_drain(start_proxy, counter):
    proxy = start_proxy(plugins=[counter], shutdown__drain_timeout_ms=300)
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        session.send(query_message("SELECT pg_sleep(600)"))
        wait_until(lambda: proxy.admin.value("counter", "acme"), "the statement has begun")
        proxy.process.send_signal(signal.SIGTERM)
        session.until_closed()
        wait_until(lambda: proxy.process.poll() is not None, "the proxy has ended")


def test_second_sigterm_ends_at_once(start_proxy, counter):
    proxy = start_proxy(plugins=[counter], shutdown__drain_timeout_ms=3600000)
    with proxy.connect() as waiting, proxy.connect(options="-c helios.tenant_id=acme") as busy:
        waiting.query("BEGIN").expect_ok()
        busy.send(query_message("SELECT pg_sleep(600)"))
        wait_until(lambda: proxy.admin.value("counter", "acme"), "the statement has begun")
        proxy.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses(proxy), "the first one drains")
        # Whoever is in a transaction may go on.
        assert waiting.query("SELECT 1").status == "T" and proxy.process.poll() is None
        proxy.process.send_signal(signal.SIGTERM)
        for session in (waiting, busy):
            (kind, body), = session.until_closed()
            assert kind == b"E" and fields_of(body)["C"] == "57P01" and fields_of(body)["S"] == "FATAL"
        wait_until(lambda: proxy.process.poll() is not None, "the proxy has ended")


def test_new_connections_are_refused_while_draining(start_proxy, counter):
    proxy = start_proxy(plugins=[counter])
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        session.send(query_message("SELECT pg_sleep(2)"))
        wait_until(lambda: proxy.admin.value("counter", "acme"), "the statement has begun")
        proxy.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses(proxy), "nobody new is let in")
        session.ready().expect_ok()


def refuses(proxy):
    try:
        proxy.connect().close()
        return False
    except (OSError, WireError, Exception):  # refused, reset or told: all of them mean no
        return True


def test_server_that_comes_back_is_used_again(make_proxy):
    from harness.postgres import Postgres
    server = Postgres()
    try:
        server.start()
        server.set_up()
        proxy = make_proxy(server__host=server.directory, server__port=server.port).start()
        with proxy.connect() as session:
            session.query("SELECT 1").expect_ok()
            server.stop()
            session.until_closed()
        with pytest.raises(WireError):
            proxy.connect()
        server.start()
        # Its socket has the port in its name, and a second start takes a new one.
        proxy.stop()
        proxy.config["server.port"] = server.port
        proxy.start()
        with proxy.connect() as session:
            session.query("SELECT 1").expect_ok()
    finally:
        server.remove()


def test_health_version_and_metrics(start_proxy, counter):
    proxy = start_proxy(plugins=[counter])
    with proxy.connect() as session:
        session.query("SELECT 1").expect_ok()
    for path in ("/healthz", "/readyz", "/version", "/plugins", "/metrics"):
        assert proxy.admin.get(path).status == 200, path
    assert proxy.admin.get("/version").json["version"]
    assert proxy.admin.get("/nowhere").status == 404


def test_admin_values_are_bytes_and_refuse_what_is_too_large(start_proxy):
    proxy = start_proxy()
    every_byte = bytes(range(256))
    assert proxy.admin.request("PUT", "/admin/kv/any/bytes", every_byte).status == 200
    answer = proxy.admin.get("/admin/kv/any/bytes", Accept="application/octet-stream")
    assert answer.body == every_byte
    assert proxy.admin.request("PUT", "/admin/kv/any/large", b"x" * 65537).status == 413
    assert proxy.admin.get("/admin/kv/any/none").status == 404
    assert proxy.admin.request("DELETE", "/admin/kv/any/none").status == 200
