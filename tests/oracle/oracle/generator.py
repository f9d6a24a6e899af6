# SPDX-License-Identifier: Apache-2.0
"""Conversations by chance: the same seed gives the same one. Each statement that may run carries a number of its own."""

import random

from .conversation import Conversation
from .messages import b, c, cancel, cut, d, data, done, e, fail, flush, p, pause, q, reload, step, stop, sync, terminate
from .shapes import SHAPES
from .texts import LONG, TENANTS, Texts
from .timers import TIMERS, limit, pauses

NAMES, WILD_NAMES = ["s", "s", "t", "S", "", "", "na me"], [LONG + "aX", LONG + "aY", LONG + "b", "é"]
PORTALS, WILD_PORTALS = ["", "", "", "c", "c", "k"], ["é", LONG + "aX", LONG + "aY"]
INT4 = 23
TIMED = 0.03  # of all conversations; a pause costs time


class Generator:
    def __init__(self, seed, index):
        self.chance = chance = random.Random(f"{seed}:{index}")
        self.conversation = Conversation(f"{seed}.{index}", engine=chance.choice(["auto", "epoll"]))
        wild = chance.random() < 0.2
        self.names, self.portals = (NAMES + WILD_NAMES, PORTALS + WILD_PORTALS) if wild else (NAMES, PORTALS)
        self.texts = Texts(chance, self.conversation.name, chance.random() < 0.3, wild)
        self.timer = 0  # milliseconds, the one that was set last
        self.mark, self.select = self.texts.mark, self.texts.select

    def make(self):
        chance = self.chance
        if chance.random() < 0.2:
            self.conversation.parameters = {"helios.tenant_id": chance.choice(TENANTS[:2])}
        if chance.random() < 0.1:
            self.conversation.parameters["client_encoding"] = chance.choice(["LATIN1", "UTF8"])
        if chance.random() < 0.5:
            self.conversation.cuts = chance.randint(1, 10**6)
        self.say(step(q, "CREATE TEMP TABLE t (a int, b text DEFAULT 'b')"))
        for _ in range(chance.randint(2, 9)):
            self.part()
        self.disturb()
        if chance.random() < TIMED:
            self.time()
        return self.conversation

    def say(self, *steps, wait=None, waits=0.5):
        for each in steps:
            self.conversation.steps.append(each)
            if each.data[:1] in (b"Q", b"S") and wait is not False:
                each.wait = self.chance.random() < waits if wait is None else wait

    def disturb(self):
        """Seldom: a cancel request, a reload, the end of the connection, somewhere."""
        pick, steps = self.chance.random(), self.conversation.steps
        at = self.chance.randint(1, len(steps))
        if pick < 0.03:
            steps.insert(at, step(cancel))
        elif pick < 0.06:
            steps[at:] = [step(cut, self.chance.choice([0, 0, 0, 1, 5, 20]))]
        elif pick < 0.065:
            steps.insert(at, step(reload))
        elif pick < 0.075:
            steps.insert(at, step(stop))
        elif pick < 0.08:
            steps.insert(at, step(terminate))

    def time(self):
        """A timer is set somewhere, and it runs out somewhere behind that."""
        steps = self.conversation.steps
        at = self.chance.randint(1, len(steps))
        setting = step(q, limit(self))
        for _ in range(self.chance.choice([1, 1, 2])):
            steps.insert(self.chance.randint(at, len(steps)), pauses(self, self.chance.choice([0, 0, 0, 1, 5])))
        steps.insert(at, setting)

    # ---- Messages

    def part(self):
        pick = self.chance.random()
        if pick < 0.27:
            self.say(step(q, self.texts.query()))
        elif pick < 0.69:
            self.batch(self.chance.choice([1, 1, 2, 3, 5]))
        elif pick < 0.70:
            self.batch(self.chance.choice([20, 60]))
        elif pick < 0.78:
            self.copy()
        elif pick < 0.80:
            self.say(*self.chance.choice(TIMERS)(self), waits=0.2)
        else:
            self.say(*self.chance.choice(SHAPES)(self))

    def batch(self, size):
        for _ in range(size):
            self.one()
        if self.chance.random() < 0.1:
            self.say(step(q, self.texts.query()))
        if self.chance.random() < 0.93:
            self.say(step(sync))

    def one(self):
        chance = self.chance
        name, portal = chance.choice(self.names), chance.choice(self.portals)
        values = []
        if chance.random() < 0.7:
            values = self.parse(name)
        if chance.random() < 0.95:
            self.say(step(b, portal, name, *values))
        if chance.random() < 0.3:
            self.say(step(d, "P", portal) if chance.random() < 0.7 else step(d, "S", name))
        if chance.random() < 0.85:
            self.say(step(e, portal, chance.choice([0, 0, 0, 1, 2])))
            if chance.random() < 0.15:
                self.say(step(e, portal))
        if chance.random() < 0.08:
            self.say(step(flush))
        if chance.random() < 0.05:
            self.say(step(c, *chance.choice([("S", name), ("P", portal)])))

    def parse(self, name):
        """The values for its Bind."""
        if self.chance.random() < 0.25:
            self.say(step(p, name, self.texts.with_parameter(), INT4))
            return [self.chance.choice(["3", b"\0\0\0\2", None])]
        self.say(step(p, name, self.texts.any()))
        return []

    def copy(self):
        """Ended as it should be, or followed by anything."""
        if self.chance.random() < 0.2:
            self.say(step(q, f"COPY {self.mark()} t TO STDOUT"))
            return
        text = f"COPY {self.mark()} t FROM STDIN"
        is_query = self.chance.random() < 0.5
        self.say(*[step(q, text)] if is_query else [step(p, "", text), step(b, "", ""), step(e, "")], wait=False)
        good, bad = step(data, "5\tx\n"), step(data, "bad\n")
        if self.chance.random() < 0.5:
            self.say(*self.chance.choice([[good, step(done)], [bad, step(done)], [good, step(fail)], [bad], [], [good, good]]))
        else:
            for _ in range(self.chance.randint(1, 6)):
                self.amid_copy()
        if not is_query or self.chance.random() < 0.2:
            self.say(step(sync))
        self.say(step(q, self.select()))

    def amid_copy(self):
        pick = self.chance.random()
        if pick < 0.6:
            self.say(step(*self.chance.choice([(data, "5\tx\n"), (data, "bad\n"), (data, "5\t"), (sync,), (sync,), (flush,), (done,),
                                               (fail,)])))
        elif pick < 0.8:
            self.say(step(q, self.texts.query()))
        else:
            self.one()
