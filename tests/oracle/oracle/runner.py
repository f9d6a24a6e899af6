# SPDX-License-Identifier: Apache-2.0
"""Holds conversations, some at a time, with the server itself and through the proxy, and compares."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from harness.wire import Closed, WireError

from .answers import depends_on_time, fault_of, first_difference, is_ended_by_server, without_settings
from .compare import Divergence, compare
from .talk import Talk

AT_ONCE = 6
ENDED = ("cut", "closed")  # the backend ends by itself, and its last events may come late


@dataclass
class Held:
    """A conversation that was held, and what the witnesses wrote down of it."""
    conversation: object
    name: str
    answers: object = None  # the proxy's; None where it did not even let the client in
    found: list = field(default_factory=list)  # what the client could see
    lines: list = field(default_factory=list)  # the plugin's
    events: list = field(default_factory=list)  # the server's

    def divergences(self):
        found = list(self.found)
        if self.answers and not any(each.kind == "closed" for each in found):
            found += compare(self.lines, self.events)
        for each in found:
            each.conversation = self.conversation
        return found


class Runner:
    def __init__(self, place):
        self.place = place
        self.round = 0
        self.pool = ThreadPoolExecutor(AT_ONCE)

    def run(self, conversations):
        """The divergences of all of them."""
        return [divergence for each in self.hold(conversations) for divergence in each.divergences()]

    def hold(self, conversations):
        all_held = list(self.pool.map(self._hold, *zip(*map(self._named, conversations))))
        for engine, front in self.place.fronts.items():
            # Whoever was there at the end of a proxy is asked again, alone.
            if front.has_crashed():
                all_held = [self._alone(each.conversation) if each.conversation.engine == engine else each for each in all_held]
            else:
                self._read(front, [each for each in all_held if each.conversation.engine == engine])
        return all_held

    def _read(self, front, all_held):
        """What the witnesses wrote down."""
        records = front.records() if all_held else {}
        for held in all_held:
            held.lines = records.get(held.name, [])
            if held.answers:
                held.events = self.place.server_events(held.answers.pid, held.answers.end in ENDED)

    def _named(self, conversation):
        self.round += 1
        return conversation, f"r{self.round}"

    def _alone(self, conversation):
        front = self.place.fronts[conversation.engine]
        held = self._hold(*self._named(conversation))
        words = front.has_crashed()
        if words:
            held.answers, held.found = None, [Divergence("crash", words)]
        else:
            self._read(front, [held])
        return held

    def _hold(self, conversation, name):
        direct = self._talk(conversation, self.place.postgres.port, name)
        self.place.server_events(direct.pid, direct.end in ENDED)
        front = self.place.fronts[conversation.engine]
        try:
            proxied = self._talk(conversation, front.port, name, front.reload, direct.waits)
        except (WireError, Closed, OSError) as error:
            self._wait_for_end(front)
            return Held(conversation, name, None, [Divergence("login", str(error))])
        if proxied.end in ("closed", "hang"):
            self._wait_for_end(front)
        different = self._difference(conversation, direct, proxied)
        return Held(conversation, name, proxied, [different] if different else [])

    def _talk(self, conversation, port, name, reload=None, waits=None):
        answers = Talk(port, name, conversation, self.place.stop, reload).run(waits)
        if conversation.has(b"PREPARE TRANS"):
            self.place.end_with_prepared(answers.pid, conversation.name)
        return answers

    @staticmethod
    def _difference(conversation, direct, proxied):
        """What the client can see."""
        fault = fault_of(proxied.messages)
        if fault:
            return Divergence("fault", fault)
        decides = conversation.has(b" refuse*/", b" rewrite*/", b" answer*/")
        both_closed = direct.end == proxied.end == "closed"
        is_timed = depends_on_time(conversation)
        answers = [direct.messages, proxied.messages]
        if conversation.has(b" cap*/"):
            answers = [without_settings(each) for each in answers]
        different, has_refused = first_difference(*answers, both_closed, is_timed)
        interferes = decides or has_refused or conversation.has(b"!cancel", b"!cut")
        is_end_by_chance = is_timed and any(each.end == "closed" and is_ended_by_server(each.messages) for each in (direct, proxied))
        is_own_end = proxied.end == "hang" or is_timed and proxied.end == "closed"
        if proxied.end != direct.end and not is_end_by_chance and (is_own_end or not interferes):
            return Divergence(proxied.end, f"server {direct.end}, proxy {proxied.end}: {proxied.messages[-2:]}")
        return None if interferes else different

    @staticmethod
    def _wait_for_end(front):
        """A process that dies closes its sockets first: the end of it is waited for where it comes."""
        try:
            front.proxy.connect().close()
        except (WireError, Closed, OSError):
            front.proxy.process.wait(30)
