# SPDX-License-Identifier: Apache-2.0
"""The proxy is killed without a word, at any moment, under load. Started again, it has everything that was acknowledged.

Each round: clients run statements that a plugin counts, an operator writes keys, SIGKILL, restart. A counter is then at least
what clients saw the end of, and at most that and what was in flight. HELIOS_CRASH_ROUNDS rounds of each class; `tools/dev
crash` makes 100 of it.
"""

import os
import random
import shutil
import threading

import pytest
from harness.wire import Closed

ROUNDS = int(os.environ.get("HELIOS_CRASH_ROUNDS", "5"))
CLIENTS = 8
LOST = (Closed, OSError, AssertionError)


class Client:
    """Runs statements until its connection is cut."""

    def __init__(self, proxy, on_end):
        self.proxy, self.on_end = proxy, on_end
        self.acknowledged = self.begun = 0
        self.session = proxy.connect(options="-c helios.tenant_id=acme")
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            while True:
                self.begun += 1
                self.session.query("SELECT 1").expect_ok()
                self.acknowledged += 1
                self.on_end()
        except LOST:
            pass
        finally:
            self.session.close()


class Operator:
    """Writes one key after the other through the admin interface."""

    def __init__(self, proxy, round_number):
        self.admin, self.round = proxy.admin, round_number
        self.acknowledged = {}
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        number = 0
        try:
            while True:
                key, value = f"written:{number % 50}", f"{self.round}.{number}"
                self.admin.put("counter", key, value)
                self.acknowledged[key] = value
                number += 1
        except Exception:  # whatever http.client makes of a dead peer
            return


def load_until_killed(proxy, round_number, ends):
    """Kills the proxy when clients have seen the end of `ends` statements. Returns (acknowledged, begun, written)."""
    reached = threading.Event()
    count = [0]

    def on_end():
        count[0] += 1  # a lost update only makes the round a little longer
        if count[0] >= ends:
            reached.set()

    clients = [Client(proxy, on_end) for _ in range(CLIENTS)]
    operator = Operator(proxy, round_number)
    threads = [each.thread for each in (*clients, operator)]
    for thread in threads:
        thread.start()
    assert reached.wait(120), proxy.log
    proxy.kill()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return sum(client.acknowledged for client in clients), sum(client.begun for client in clients), operator.acknowledged


@pytest.mark.parametrize("durability", ["relaxed", "strict"])
def test_nothing_acknowledged_is_lost_when_the_proxy_is_killed(make_proxy, counter, durability):
    rng = random.Random(7)
    proxy = make_proxy(plugins=[counter], state__directory="state", state__durability=durability).start()
    counted = 0
    for number in range(ROUNDS):
        acknowledged, begun, written = load_until_killed(proxy, number, rng.randrange(1, 300))
        proxy.start()
        after = int(proxy.admin.value("counter", "acme"))
        assert counted + acknowledged <= after <= counted + begun, f"round {number}:\n{proxy.log}"
        for key, value in written.items():
            # The write behind the last acknowledged one may have arrived too.
            at = proxy.admin.value("counter", key)
            assert tuple(map(int, at.split("."))) >= tuple(map(int, value.split("."))), f"round {number}: {key}"
        counted = after


def test_orderly_restart_keeps_everything_but_memory(make_proxy, counter):
    proxy = make_proxy(plugins=[counter], state__directory="state", state__namespaces={"passing": "memory"}).start()
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        for _ in range(10):
            session.query("SELECT 1").expect_ok()
    proxy.admin.put("passing", "key", "value")
    proxy.stop()
    proxy.start()
    assert proxy.admin.value("counter", "acme") == "10"
    assert proxy.admin.value("passing", "key") is None
    assert proxy.admin.metric("helios_state_writable") == 1


@pytest.mark.parametrize("state", [{}, {"state__directory": "state"}])
def test_tag_from_before_a_restart_changes_nothing(make_proxy, state):
    proxy = make_proxy(**state).start()
    proxy.admin.put("p", "key", "first")
    old = proxy.admin.get("/admin/kv/p/key").headers["ETag"]
    proxy.stop()
    proxy.start()
    proxy.admin.put("p", "key", "second")
    late = proxy.admin.request("PUT", "/admin/kv/p/key", b"third", {"If-Match": old})
    assert late.status == 412
    assert proxy.admin.value("p", "key") == "second"


def test_two_starts_on_one_backup_share_no_tag(make_proxy, tmp_path):
    first = make_proxy(state__directory="state").start()
    first.admin.put("p", "before", "value")
    first.stop()
    shutil.copytree(os.path.join(first.directory, "state"), tmp_path / "copy")
    second = make_proxy(state__directory=str(tmp_path / "copy")).start()
    first.start()
    tags = []
    for proxy, value in ((first, "one"), (second, "two")):
        proxy.admin.put("p", "key", value)
        tags += [proxy.admin.get(f"/admin/kv/p/{key}").headers["ETag"] for key in ("key", "before")]
    assert len(set(tags)) == len(tags), tags


def test_without_a_directory_the_log_says_that_state_is_forgotten(start_proxy):
    assert "plugin state is kept in memory only" in start_proxy().log


def test_directory_in_use_stops_the_start(make_proxy, start_proxy):
    first = start_proxy(state__directory="state")
    second = make_proxy(state__directory=os.path.join(first.directory, "state"))
    with pytest.raises(AssertionError, match="in use by another process"):
        second.start()
    second.process.wait(60)
    second.process = None
