# SPDX-License-Identifier: Apache-2.0
"""One conversation with a fault at every place, between client and proxy and between proxy and server.

Whatever befalls one side, the other gets a clean end, nothing of the session is left, and hooks are in balance."""

import os
import struct
import threading

import pytest
from conftest import SANITIZER_SETTINGS
from harness.conversation import TO_CLIENT, TO_SERVER, USER, Conversation
from harness.postgres import PASSWORD
from harness.proxy import Proxy
from harness.relay import CORRUPT, HALF_CLOSE, RESET, STALL, Relay
from harness.waiting import wait_until
from harness.wire import Wire, query_message

PLACES = {"to_server": TO_SERVER, "to_client": TO_CLIENT}
DEADLINE_SECONDS = 90.0


class Rig:
    """A proxy between two relays, with a plugin that keeps the books of hooks, and a witness that must not notice."""

    def __init__(self, postgres, guests, **settings):
        self.postgres = postgres
        self.behind = Relay("127.0.0.1", postgres.port)
        self.proxy = Proxy({
            "server.host": "127.0.0.1", "server.port": self.behind.port, "protocol.function_call": "pass",
            "plugins.limits.timeout_ms": 60000, **SANITIZER_SETTINGS, **settings})
        self.proxy.install(os.path.join(guests, "balance.wat"))
        self.proxy.start()
        self.front = Relay("127.0.0.1", self.proxy.port)
        self.stopped = False

    def relay(self, side):
        return self.front if side == "client" else self.behind

    def count(self, key):
        answer = self.proxy.admin.get(f"/admin/kv/balance/{key}", Accept="application/octet-stream")
        return struct.unpack("<q", answer.body)[0] if answer.status == 200 else 0

    def backends(self):
        with self.postgres.connect() as admin:
            return int(admin.query(f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{USER}'").value())

    def is_settled(self, sessions):
        return (self.proxy.admin.metric("helios_sessions") == sessions and
                self.count("pre") == self.count("post"))

    def expect_settled(self, what, sessions=0):
        wait_until(lambda: self.is_settled(sessions), f"the proxy has nothing left {what}", DEADLINE_SECONDS)
        for relay in (self.front, self.behind):
            relay.resume()  # what stalled may hold back the end of a connection
        wait_until(lambda: self.backends() == 0, f"the server has nothing left {what}", DEADLINE_SECONDS)

    def stop(self):
        self.front.close()
        self.proxy.stop()
        self.behind.close()
        self.proxy.remove()


@pytest.fixture(scope="module")
def rig(postgres, guests):
    made = Rig(postgres, guests)
    yield made
    made.stop()


@pytest.fixture
def witness(rig):
    """A session beside all that; it goes around the relay in front, and is connected before faults are planned."""
    rig.behind.on_link = rig.front.on_link = lambda link: None
    with rig.proxy.connect() as session:
        yield session
        assert session.query("SELECT 'still here'").value() == "still here"


def plan(relay, direction, fault, place):
    message, nth, plus = PLACES[direction][place]
    if fault == CORRUPT and message != "startup":
        plus = 0  # the type; a wrong byte elsewhere may be a right one for all anyone knows
    relay.on_link = lambda link: getattr(link, direction).at(fault, message=message, nth=nth, plus=plus)


def disturbed(rig, side, direction, fault, place):
    relay = rig.relay(side)
    plan(relay, direction, fault, place)
    conversation = Conversation(rig.front.port).run()
    relay.on_link = lambda link: None
    return conversation


def test_undisturbed_conversation_goes_to_its_end(rig, witness):
    conversation = Conversation(rig.front.port).run()
    kinds = b"".join(kind for kind, _ in conversation.messages)
    assert conversation.end == "eof" and conversation.terminated and conversation.rest == b"", kinds
    assert kinds.count(b"Z") == 9 and b"E" not in kinds
    rig.expect_settled("of it", sessions=1)
    assert rig.count("pre") == rig.proxy.admin.metric("helios_statements_total") > 0


@pytest.mark.parametrize("fault", [RESET, HALF_CLOSE, CORRUPT], ids=lambda fault: fault.name.lower())
@pytest.mark.parametrize("direction", ["to_server", "to_client"])
def test_fault_on_the_servers_side_is_told_to_the_client(rig, witness, direction, fault):
    for place in PLACES[direction]:
        conversation = disturbed(rig, "server", direction, fault, place)
        assert conversation.end == "eof", place
        # A message that came in part leaves no room for another, a client that said goodbye wants none.
        if not conversation.rest and not conversation.terminated:
            assert conversation.fatal, (place, conversation.messages[-1:])
            assert conversation.fatal["C"] in ("08006", "08P01", "0A000"), (place, conversation.fatal)
        rig.expect_settled(f"of a fault {place}", sessions=1)


@pytest.mark.parametrize("direction, fault", [
    ("to_server", RESET), ("to_client", RESET), ("to_server", HALF_CLOSE), ("to_client", HALF_CLOSE),
], ids=str)
def test_fault_on_the_clients_side_ends_the_servers_session(rig, witness, direction, fault):
    for place in PLACES[direction]:
        conversation = disturbed(rig, "client", direction, fault, place)
        assert conversation.end in ("eof", "reset"), place
        rig.expect_settled(f"of a fault {place}", sessions=1)


def test_corrupt_message_of_the_client_is_answered(rig, witness):
    for place in TO_SERVER:
        conversation = disturbed(rig, "client", "to_server", CORRUPT, place)
        assert conversation.end == "eof" and conversation.rest == b"", place
        assert conversation.fatal and conversation.fatal["C"] in ("08P01", "0A000"), (place, conversation.messages[-1:])
        rig.expect_settled(f"of a fault {place}", sessions=1)


@pytest.mark.parametrize("side", ["client", "server"])
def test_connection_that_breaks_while_a_hook_runs(rig, witness, side):
    overruns = rig.proxy.admin.metric("helios_plugin_overruns_total")
    with Wire("127.0.0.1", rig.front.port, user=USER, password=PASSWORD) as session:
        session.send(query_message("SELECT '~'"))
        wait_until(lambda: rig.proxy.admin.metric("helios_plugin_overruns_total") > overruns, "the hook takes its time")
        rig.relay(side).links[-1].reset()
        session.until_closed()
    rig.expect_settled(f"of a {side} that left", sessions=1)


# What may take how long, each long enough to be set up in on a busy machine.
TIMEOUTS = {f"limits.{name}_timeout_ms": 3000 for name in ("login", "idle", "idle_in_transaction", "query")}


@pytest.mark.parametrize("side", ["client", "server"])
def test_connection_that_stalls_ends_by_a_timeout(postgres, guests, side):
    rig = Rig(postgres, guests, **TIMEOUTS)
    try:
        conversations = {}
        for direction, places in PLACES.items():
            for place in places:
                plan(rig.relay(side), direction, STALL, place)
                conversations[direction, place] = start(Conversation(rig.front.port))
                wait_until(lambda: rig.relay(side).links_made >= len(conversations), f"the link for {place}")
        wait_until(lambda: rig.proxy.admin.metric("helios_sessions_total") == len(conversations), "all have begun")
        rig.expect_settled("of what has stalled")
        for place, (conversation, thread) in conversations.items():
            if side == "server":
                thread.join(60)
                assert conversation.end == "eof", place
                assert conversation.rest or conversation.terminated or conversation.fatal, place
    finally:
        rig.stop()
    for _, thread in conversations.values():
        thread.join(60)


def start(conversation):
    thread = threading.Thread(target=conversation.run)
    thread.start()
    return conversation, thread


def test_statements_of_a_broken_link_are_lost(make_proxy, postgres, recorder):
    relay = Relay("127.0.0.1", postgres.port)
    try:
        proxy = make_proxy(plugins=[recorder], server__port=relay.port).start()
        with proxy.connect() as session, postgres.connect() as admin:
            session.send(query_message("SELECT 1; SELECT pg_sleep(600); SELECT 3"))
            active = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(600)%3'"
            wait_until(lambda: admin.query(active).value() == "1", "the statement runs")
            relay.links[-1].reset()
            (kind, body), = session.until_closed()
            assert kind == b"E" and b"08006" in body
        wait_until(lambda: proxy.admin.value("recorder", "count") == "6", "post_query has run for each")
        calls = [proxy.admin.value("recorder", f"call:{1000000 + number}") for number in range(6)]
        assert [call.rsplit("|", 1)[1] for call in calls[3:]] == ["lost", "lost", "lost"]
        assert admin_cannot_find(postgres, "pg_sleep(600)")
    finally:
        relay.close()


def admin_cannot_find(postgres, text):
    """The server notices a broken connection when it next looks; nobody waits for a statement of 600 seconds."""
    with postgres.connect() as admin:
        admin.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%{text}%' "
                    "AND pid <> pg_backend_pid()").expect_ok()
    return True
