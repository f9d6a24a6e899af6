# SPDX-License-Identifier: Apache-2.0
"""What operators see: of a server that is not there, and of the time that statements take."""

import socket

import pytest
from harness.relay import Relay
from harness.waiting import wait_until
from harness.wire import WireError


@pytest.fixture
def dead_port():
    """A port that nobody listens on, and that nobody else is given."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def reload_with(proxy, **changes):
    proxy.config.update({key.replace("__", "."): value for key, value in changes.items()})
    proxy.write_config()
    before = proxy.log.count("reloaded: ")
    proxy.reload()
    wait_until(lambda: proxy.log.count("reloaded: ") > before, "the reload is over")


def test_server_that_is_down_is_said_once_and_again_when_it_is_up(start_proxy, postgres, dead_port):
    port = dead_port
    proxy = start_proxy(server__port=port)
    assert proxy.admin.get("/readyz").json == {"ok": True, "server": "unknown"}
    assert "helios_server_up{" not in proxy.admin.get("/metrics").text
    for _ in range(5):
        with pytest.raises(WireError):
            proxy.connect(timeout=10)
    ready = proxy.admin.get("/readyz")
    assert ready.status == 200 and ready.json["server"] == "down"
    warning, = ready.json["warnings"]
    assert warning.startswith("the server could not be reached ") and warning.endswith(" s ago: Connection refused")
    assert f'helios_server_up{{server="127.0.0.1:{port}"}} 0\n' in proxy.admin.get("/metrics").text
    assert proxy.log.count("cannot connect to the server") == 1
    relay = Relay("127.0.0.1", postgres.port, own_port=port)
    try:
        for _ in range(2):
            proxy.connect().close()
    finally:
        relay.close()
    assert proxy.admin.get("/readyz").json == {"ok": True, "server": "up"}
    assert f'helios_server_up{{server="127.0.0.1:{port}"}} 1\n' in proxy.admin.get("/metrics").text
    assert f'helios_server_last_attempt_seconds{{server="127.0.0.1:{port}"}} ' in proxy.admin.get("/metrics").text
    assert proxy.log.count("can be reached again") == 1


def test_of_another_server_nothing_is_known(start_proxy, dead_port):
    proxy = start_proxy()
    proxy.connect().close()
    assert proxy.admin.get("/readyz").json["server"] == "up"
    reload_with(proxy, limits__max_connections=50)
    assert proxy.admin.get("/readyz").json["server"] == "up"
    reload_with(proxy, server__port=dead_port)
    assert proxy.admin.get("/readyz").json["server"] == "unknown"


def test_times_of_statements_with_hooks_are_counted(start_proxy, counter):
    proxy = start_proxy(plugins=[counter])
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        for _ in range(3):
            session.query("SELECT 1; SELECT 2").expect_ok()
        assert session.query("SELECT 1/0").error
    assert proxy.admin.metric("helios_statement_seconds_count") == 7
    assert proxy.admin.metric("helios_pre_query_seconds_count") == 4
    assert proxy.admin.metric("helios_statement_seconds_sum") > 0


def test_statements_without_hooks_are_not_timed(start_proxy):
    proxy = start_proxy()
    with proxy.connect() as session:
        session.query("SELECT 1").expect_ok()
    assert proxy.admin.metric("helios_statement_seconds_count") == 0
