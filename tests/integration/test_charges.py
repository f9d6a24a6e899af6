# SPDX-License-Identifier: Apache-2.0
"""Charges (kv_charge, kv_draw) on a real server: clients that charge one key at once are counted exactly, none of their
hooks runs a second time because of the others, and a limit lets through as many as it says."""

import os
import threading

import pytest
from harness.shared import running_proxy

BUILD_DIR = os.environ.get("HELIOS_BUILD_DIR", "build/dev")
CLIENTS, STATEMENTS, FEW = 8, 50, 100


@pytest.fixture(scope="module")
def proxy(postgres):
    with running_proxy(postgres.port, [os.path.join(BUILD_DIR, "guests", "charging.wasm")], listen__workers=4) as proxy:
        yield proxy
        (plugin,) = proxy.admin.get("/plugins").json
        assert plugin["failures"] == 0, plugin["last_error"]


def run_clients(proxy, options=""):
    """All clients at once; the replies to all statements."""
    replies = []
    begin = threading.Barrier(CLIENTS)

    def work():
        with proxy.connect(options=options) as session:
            begin.wait()
            for number in range(STATEMENTS):
                replies.append(session.query(f"SELECT {number}"))

    threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return replies


def counter(proxy, key):
    return int.from_bytes(proxy.admin.bytes_of("charging", key), "little")


def test_clients_that_charge_one_key_are_all_counted_and_none_runs_again(proxy):
    for reply in run_clients(proxy):
        reply.expect_ok()
    assert counter(proxy, "all") == CLIENTS * STATEMENTS
    assert proxy.admin.metric('helios_plugin_retries_total{plugin="charging"}') == 0


def test_limit_lets_through_exactly_as_many_as_it_says(proxy):
    replies = run_clients(proxy, "-c helios.tenant_id=few")
    refused = [reply for reply in replies if reply.errors]
    assert all("there were few" in reply.error["M"] for reply in refused)
    assert len(replies) - len(refused) == FEW == counter(proxy, "few")
