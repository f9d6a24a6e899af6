# SPDX-License-Identifier: Apache-2.0
"""The plugins that come with the proxy, on a real server, with many clients at once."""

import json
import os
import threading
import time

import pytest

PLUGINS = os.environ.get("HELIOS_PLUGIN_DIR", "build/dev/plugins")
CLIENTS = 8


def files_of(name):
    return [os.path.join(PLUGINS, name + kind) for kind in (".wasm", ".toml")]


def at_once(work, clients=CLIENTS):
    """Runs work(number) on as many threads; what one raises, this raises."""
    raised = []

    def run(number):
        try:
            work(number)
        except BaseException as error:  # pylint: disable=broad-except
            raised.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]


def status(proxy, name):
    return {each["name"]: each for each in proxy.admin.get("/plugins").json}[name]


def failures(proxy, name):
    return status(proxy, name)["failures"]


@pytest.fixture
def limited(start_proxy):
    return start_proxy(plugins=files_of("rate-limit"), listen__workers=4)


def test_rate_limit_admits_exactly_the_burst(limited):
    limited.admin.put("rate-limit", "config", json.dumps({"burst": 25, "tokens": 1, "period_ms": 3600000}))
    admitted, refused = [], []

    def work(_):
        with limited.connect(options="-c helios.tenant_id=acme") as session:
            for number in range(10):
                reply = session.query(f"SELECT {number}")
                (refused if reply.errors else admitted).append(reply)

    at_once(work)
    assert len(admitted) == 25
    for reply in refused:
        assert reply.error["C"] == "53400"
        assert "rate limit of the tenant reached (retry in " in reply.error["M"]
    with limited.connect(options="-c helios.tenant_id=globex") as session:
        session.query("SELECT 1").expect_ok()
    assert failures(limited, "rate-limit") == 0
    assert status(limited, "rate-limit")["abi"] == 2
    assert status(limited, "rate-limit")["metrics"] == {"limited": len(refused)}


def test_rate_limit_never_admits_more_than_the_rate(limited):
    limited.admin.put("rate-limit", "config", json.dumps({"burst": 5, "tokens": 50, "period_ms": 1000}))
    admitted = []
    began = time.monotonic()

    def work(_):
        with limited.connect(options="-c helios.tenant_id=acme") as session:
            for number in range(40):
                if not session.query(f"SELECT {number}").errors:
                    admitted.append(number)

    at_once(work)
    took = time.monotonic() - began
    # The proxy's clock has whole milliseconds.
    assert 5 <= len(admitted) <= 5 + 50 * (took + 0.001)


def test_rate_limit_refuses_and_recovers(limited):
    limited.admin.put("rate-limit", "config", json.dumps({"burst": 1, "tokens": 1, "period_ms": 3600000}))
    with limited.connect(options="-c helios.tenant_id=acme") as session:
        session.query("SELECT 1").expect_ok()
        assert session.query("SELECT 1").error["C"] == "53400"
        limited.admin.put("rate-limit", "config:acme", json.dumps({"burst": 1, "tokens": 1000, "period_ms": 1000}))
        end = time.monotonic() + 60
        while session.query("SELECT 1").errors:
            assert time.monotonic() < end
        limited.admin.put("rate-limit", "config:acme", "no limit", is_forced=True)
        assert session.query("SELECT 1").error["C"] == "F0000"


def test_dedup_lets_one_of_equal_statements_pass(start_proxy):
    proxy = start_proxy(plugins=files_of("dedup"), listen__workers=4)
    proxy.admin.put("dedup", "config", '{"window_ms":3600000,"writes_only":true}')
    with proxy.connect() as session:
        session.query("DROP TABLE IF EXISTS dedup_orders").expect_ok()
        session.query("CREATE TABLE dedup_orders (client int, number int)").expect_ok()
    passed = []

    def work(number):
        with proxy.connect(options="-c helios.tenant_id=acme") as session:
            for order in range(5):
                reply = session.query(f"INSERT INTO dedup_orders VALUES (1, {order})")
                if reply.errors:
                    assert reply.error["C"] == "55000"
                    assert "the same statement was sent already (retry in 3" in reply.error["M"]
                else:
                    passed.append(order)
            session.query("SELECT 1").expect_ok()
            session.query("SELECT 1").expect_ok()

    at_once(work)
    assert sorted(passed) == list(range(5))
    with proxy.connect(options="-c helios.tenant_id=globex") as session:
        session.query("INSERT INTO dedup_orders VALUES (1, 0)").expect_ok()
        assert session.query("SELECT count(*) FROM dedup_orders").value() == "6"
    assert failures(proxy, "dedup") == 0


def test_dedup_answers_repeats_where_told_so(start_proxy):
    proxy = start_proxy(plugins=files_of("dedup"), listen__workers=4)
    with proxy.connect() as session:
        session.query("DROP TABLE IF EXISTS dedup_answered").expect_ok()
        session.query("CREATE TABLE dedup_answered (number int)").expect_ok()
    proxy.admin.put("dedup", "config", '{"window_ms":3600000,"writes_only":true,"answer":"taken"}')
    values = []

    def work(_):
        with proxy.connect(options="-c helios.tenant_id=acme") as session:
            for order in range(5):
                values.append(session.query(f"INSERT INTO dedup_answered VALUES ({order}) RETURNING number::text").value())

    at_once(work)
    assert sorted(values) == sorted([str(order) for order in range(5)] + ["taken"] * 5 * (CLIENTS - 1))
    with proxy.connect() as session:
        assert session.query("SELECT count(*), count(DISTINCT number) FROM dedup_answered").rows == [["5", "5"]]
    assert failures(proxy, "dedup") == 0


def test_dedup_forgets_when_the_window_is_over(start_proxy):
    proxy = start_proxy(plugins=files_of("dedup"))
    proxy.admin.put("dedup", "config", '{"window_ms":50}')
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        session.query("SELECT 1").expect_ok()
        end = time.monotonic() + 60
        while session.query("SELECT 1").errors:
            assert time.monotonic() < end
