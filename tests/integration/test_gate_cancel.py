# SPDX-License-Identifier: Apache-2.0
"""A cancel request ends what the client waits for at once, also where that is a hook."""

import os

import pytest
from harness.shared import running_proxy
from harness.waiting import wait_until
from harness.wire import (FLUSH, SYNC, bind_message, describe_message, execute_message, fields_of, parse_message,
                          query_message)

GUESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../guests")
EXTENDED = parse_message("SELECT 1") + bind_message() + describe_message() + execute_message()
WAYS = {
    "simple": query_message("SELECT 1"),
    "extended": EXTENDED + SYNC,
    "behind a batch that was answered": parse_message("SELECT 2") + bind_message() + FLUSH + EXTENDED + SYNC,
}


@pytest.fixture(scope="module")
def proxy(postgres):
    """Its plugin does not come back while there is a key "key"; it is given a minute, longer than the tests wait."""
    with running_proxy(postgres.port, [f"{GUESTS}/loops_if_told.wat"], plugins__limits__timeout_ms=60_000) as proxy:
        yield proxy


@pytest.mark.parametrize("way", WAYS)
def test_hook_that_runs_is_ended(proxy, way):
    with proxy.connect(timeout=40) as session:
        proxy.admin.put("loops_if_told", "key", "loop")
        try:
            before = proxy.admin.metric("helios_plugin_calls_total")
            session.send(WAYS[way])
            wait_until(lambda: proxy.admin.metric("helios_plugin_calls_total") > before, "the hook runs")
            session.cancel("127.0.0.1", proxy.port)
            while (answer := session.message())[0] != b"E":
                pass
            assert fields_of(answer[1])["C"] == "57014"
            assert session.ready().status == "I"
        finally:
            proxy.admin.delete("loops_if_told", "key")
        assert session.query("SELECT 3").value() == "3"
    assert proxy.admin.metric("helios_plugin_failures_total") == 0
