# SPDX-License-Identifier: Apache-2.0
"""Conversations by chance: the same seed gives the same one. Each statement that may run carries a number of its own."""

import random

from .conversation import Conversation
from .messages import b, c, d, data, done, e, fail, flush, p, q, step, sync
from .shapes import SHAPES

LONG = "n" * 62
NAMES = ["s", "s", "t", "S", "", "", LONG + "aX", LONG + "aY", LONG + "b", "é", "na me"]
PORTALS = ["", "", "", "c", "c", "k", "é", LONG + "aX", LONG + "aY"]
SQL_NAMES = ["s", "t", "pr", "pr", LONG + "aX", LONG + "aY", 'U&"\\00e9"', '"é"', "S"]
TENANTS = ["acme", "globex", ""]


class Generator:
    def __init__(self, seed, index):
        self.chance = random.Random(f"{seed}:{index}")
        self.number = 100
        self.conversation = Conversation(f"{seed}.{index}")
        self.decides = self.chance.random() < 0.4

    def make(self):
        chance = self.chance
        if chance.random() < 0.2:
            self.conversation.parameters = {"helios.tenant_id": chance.choice(TENANTS[:2])}
        if chance.random() < 0.2:
            self.conversation.parameters["client_encoding"] = chance.choice(["LATIN1", "UTF8"])
        if chance.random() < 0.5:
            self.conversation.cuts = chance.randint(1, 10**6)
        self.say(step(q, "CREATE TEMP TABLE t (a int, b text DEFAULT 'b')"))
        for _ in range(chance.randint(2, 9)):
            self.part()
        return self.conversation

    def say(self, *steps, wait=None):
        for each in steps:
            self.conversation.steps.append(each)
            if each.data[:1] in (b"Q", b"S") and wait is not False:
                each.wait = self.chance.random() < 0.5 if wait is None else wait

    # ---- Texts

    def mark(self):
        self.number += 1
        dice = self.chance.random()
        decision = ("" if not self.decides or dice > 0.3 else " refuse" if dice > 0.12 else
                    " rewrite" if dice > 0.06 else " answer")
        return f"/*{self.number}{decision}*/"

    def select(self):
        n, pick = self.mark(), self.chance.random()
        if pick < 0.12:
            return f"SELECT {n} generate_series(1, 5)"
        if pick < 0.24:
            return f"INSERT {n} INTO t VALUES ({self.number}) RETURNING a"
        if pick < 0.36:
            return f"INSERT {n} INTO t VALUES ({self.number}), (1)"
        if pick < 0.44:
            return f"SELECT {n} 1 WHERE 1 < steady(2)"
        if pick < 0.50:
            return f"SELECT {n} 1/0"
        if pick < 0.54:
            return f"UPDATE {n} t SET b = 'ü'"
        if pick < 0.58:
            return f"SELECT {n} * FROM missing"
        if pick < 0.62:
            return f"SELECT {n} E'it\\'s', 'a\\\\b'"
        return f"SELECT {n} {self.number}"

    def with_parameter(self):
        return self.chance.choice([f"SELECT {self.mark()} $1::int + 1", f"INSERT {self.mark()} INTO t VALUES ($1)"])

    def setting(self):
        n, pick = self.mark(), self.chance.random()
        tenant = self.chance.choice(TENANTS)
        if pick < 0.25:
            return f"SET {n} helios.tenant_id = '{tenant}'"
        if pick < 0.35:
            return f"SET {n} LOCAL helios.tenant_id = '{tenant}'"
        if pick < 0.45:
            return f"SELECT {n} set_config('helios.tenant_id', '{tenant}', {self.chance.choice(['true', 'false'])})"
        if pick < 0.5:
            return f"RESET {n} helios.tenant_id"
        if pick < 0.55:
            return f"RESET {n} ALL"
        if pick < 0.6:
            return f"DISCARD {n} ALL"
        if pick < 0.7:
            return f"SET {n} standard_conforming_strings = {self.chance.choice(['off', 'on'])}"
        if pick < 0.8:
            return f"SET {n} client_encoding = '{self.chance.choice(['LATIN1', 'UTF8'])}'"
        return f"SET {n} a.b = 'x'"

    def control(self):
        n = self.mark()
        return self.chance.choice([
            f"BEGIN {n}", f"BEGIN {n}", f"COMMIT {n}", f"ROLLBACK {n}", f"SAVEPOINT {n} s", f"SAVEPOINT {n} {LONG}aX",
            f"ROLLBACK {n} TO s", f"RELEASE {n} s", f"COMMIT {n} AND CHAIN", f"CALL {n} half()",
            f"PREPARE TRANSACTION {n} '{self.conversation.name}.{self.number}'"])

    def names(self):
        name, n = self.chance.choice(SQL_NAMES), self.mark()
        cursor = self.chance.choice(["c", "k", LONG + "aX", '"é"'])
        return self.chance.choice([
            f"PREPARE {name} AS {self.select()}", f"PREPARE {name}(int) AS {self.with_parameter()}", f"EXECUTE {name}",
            f"EXECUTE {name}", f"EXECUTE {name}({self.number})", f"EXECUTE {name}(set_config('helios.a', '1', false)::int)",
            f"DEALLOCATE {n} {name}", f"DEALLOCATE {n} ALL", f"DECLARE {cursor} CURSOR FOR {self.select()}",
            f"DECLARE {cursor} CURSOR WITH HOLD FOR SELECT {n} generate_series(1, 3)", f"FETCH {n} ALL FROM {cursor}",
            f"FETCH {n} 2 FROM {cursor}", f"CLOSE {n} {cursor}", f"SELECT {n} cursor_to_xml('c', 10, false, false, '')",
            # "pr" is never an EXECUTE: EXPLAIN of one that runs itself ends PostgreSQL 15.
            f"EXPLAIN {n} (ANALYZE, TIMING OFF, SUMMARY OFF, COSTS OFF) DECLARE c CURSOR FOR SELECT 1", f"EXPLAIN {n} EXECUTE pr"])

    def text(self):
        pick = self.chance.random()
        return (self.select() if pick < 0.55 else self.names() if pick < 0.75 else self.setting() if pick < 0.87 else
                self.control())

    # ---- Messages

    def part(self):
        pick = self.chance.random()
        if pick < 0.30:
            self.query()
        elif pick < 0.75:
            self.batch()
        elif pick < 0.80:
            self.copy()
        else:
            self.say(*self.chance.choice(SHAPES)(self))

    def query(self):
        self.say(step(q, "; ".join(self.text() for _ in range(self.chance.choice([1, 1, 1, 2, 3, 4])))))

    def batch(self):
        for _ in range(self.chance.choice([1, 1, 2, 3, 5])):
            self.one()
        if self.chance.random() < 0.1:
            self.query()
        if self.chance.random() < 0.93:
            self.say(step(sync))

    def one(self):
        chance = self.chance
        name, portal = chance.choice(NAMES), chance.choice(PORTALS)
        values = []
        if chance.random() < 0.7:
            if chance.random() < 0.25:
                text, values = self.with_parameter(), [chance.choice([str(self.number), b"\0\0\0\7", None])]
                self.say(step(p, name, text, 23))
            else:
                self.say(step(p, name, self.text()))
        if chance.random() < 0.95:
            self.say(step(b, portal, name, *values))
        if chance.random() < 0.3:
            self.say(step(d, "P", portal))
        if chance.random() < 0.85:
            self.say(step(e, portal, chance.choice([0, 0, 0, 1, 2])))
            if chance.random() < 0.15:
                self.say(step(e, portal))
        if chance.random() < 0.08:
            self.say(step(flush))
        if chance.random() < 0.05:
            self.say(step(c, chance.choice("SP"), chance.choice([name, portal])))

    def copy(self):
        text = f"COPY {self.mark()} t FROM STDIN"
        ends = [[step(data, "5\tx\n"), step(done)], [step(data, "bad\n"), step(done)], [step(data, "5\tx\n"), step(fail)],
                [step(data, "bad\n")], []]
        if self.chance.random() < 0.5:
            self.say(step(q, text), *self.chance.choice(ends), wait=False)
        else:
            self.say(step(p, "", text), step(b, "", ""), step(e, ""), *self.chance.choice(ends), step(sync), wait=False)
        self.say(step(q, self.select()))
