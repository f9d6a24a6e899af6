# SPDX-License-Identifier: Apache-2.0
"""Holds conversations, some at a time, with the server itself and through the proxy, and compares."""

from harness.wire import Closed, WireError

from .compare import Divergence, answers_differ, compare, own_refusals
from .talk import Talk


class Runner:
    def __init__(self, place):
        self.place = place
        self.round = 0

    def run(self, conversations):
        """The divergences of all of them."""
        found, held = [], []
        for conversation in conversations:
            self.round += 1
            name = f"r{self.round}"
            answers, divergences = self._hold(conversation, name)
            found += self._named(conversation, divergences)
            if answers and not any(each.kind == "closed" for each in divergences):
                held.append((conversation, name, answers))
        records = self.place.plugin_records({name for _, name, _ in held}) if held else {}
        for conversation, name, answers in held:
            events = self.place.server_events(answers.pid)
            found += self._named(conversation, compare(records.get(name, []), events))
        return found

    @staticmethod
    def _named(conversation, divergences):
        for each in divergences:
            each.conversation = conversation
        return divergences

    def _hold(self, conversation, name):
        """(the proxy's answers, divergences between them and the server's)"""
        direct = Talk(self.place.postgres.port, name, conversation.parameters).run(conversation)
        self.place.server_events(direct.pid)
        if any(b"PREPARE TRANS" in step.data for step in conversation.steps):
            self.place.end_prepared_transactions()
        try:
            proxied = Talk(self.place.proxy.port, name, conversation.parameters).run(conversation, direct.waits)
        except (WireError, Closed, ConnectionError) as error:
            crash = self.place.has_crashed()
            return None, [Divergence("crash" if crash else "login", crash or str(error))]
        if proxied.end != "complete":
            crash = self._crash()
            if crash:
                return None, [Divergence("crash", crash)]
        decides = any(mark in step.data for step in conversation.steps
                      for mark in (b" refuse*/", b" rewrite*/", b" answer*/"))
        interferes = decides or own_refusals(proxied.messages) - own_refusals(direct.messages)
        if proxied.end == "hang" or proxied.end != direct.end and not interferes:
            return proxied, [Divergence(proxied.end, f"server {direct.end}, proxy {proxied.end}: {proxied.messages[-2:]}")]
        if decides:
            return proxied, []
        different = answers_differ(direct.messages, proxied.messages)
        return proxied, [different] if different else []

    def _crash(self):
        """A process that dies closes its sockets first: the end of it is waited for where it comes."""
        try:
            self.place.proxy.connect().close()
            return None
        except (WireError, Closed, OSError):
            self.place.proxy.process.wait(30)
            return self.place.has_crashed()
