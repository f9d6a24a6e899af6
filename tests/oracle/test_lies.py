# SPDX-License-Identifier: Apache-2.0
"""The oracle finds it where hooks are told anything else than the truth, and no row of known.toml hides that."""

import copy

import pytest
from oracle.conversation import Conversation
from oracle.generator import Generator
from oracle.known import row_of, rows
from oracle.messages import read_step

CONVERSATIONS = 90
PRE, POST, SETTLED = "pre", "post", "settled"
AT, TENANT, PARAMETERS, TEXT, OUTCOME, ROWS, END = 2, 4, 5, 6, 2, 3, 2  # fields of the plugin's lines
KNOWN = rows()


@pytest.fixture(scope="module")
def held(runner):
    """Conversations in which nothing is wrong."""
    return [each for each in runner.hold([Generator("lies", index).make() for index in range(CONVERSATIONS)])
            if each.lines and not each.divergences()]


def told(lines, position):
    """Every call but the first, which gives the session its name: its `position`th line of pre, post and settled."""
    return [line for line in lines if line[0] == position and line[1] != lines[0][1]]


def left_out(lines):
    for line in [line for line in told(lines, PRE) if "/*" in line[TEXT]][:1]:
        lines[:] = [other for other in lines if other[1] != line[1]]


def told_twice(lines):
    for line in [line for line in told(lines, POST) if line[OUTCOME] == "executed"]:
        lines += [[other[0], "again " + line[1], *other[2:]] for other in lines if other[1] == line[1]]


def without_end(lines):
    for line in told(lines, SETTLED)[:1]:
        lines.remove(line)


def replaced(position, field, value):
    """In all of them: another value where it is told."""
    def lie(lines):
        for line in told(lines, position):
            line[field] = value(line[field])
    return lie


LIES = {
    "left out": (left_out, {"unseen-ran", "unseen-planned", "unseen-utility"}),
    "told twice": (told_twice, {"phantom"}),
    "without its end": (without_end, {"pairing"}),
    "late": (replaced(PRE, AT, lambda at: str(int(at) + 60000)), {"early-ran", "early-planned", "early-utility"}),
    "text": (replaced(PRE, TEXT, lambda text: text + "1"), {"text"}),
    "tenant": (replaced(PRE, TENANT, lambda tenant: "another"), {"tenant"}),
    "parameter": (replaced(PRE, PARAMETERS, lambda values: "t4711"), {"parameters"}),
    "failed for executed": (replaced(POST, OUTCOME, lambda outcome: "skipped" if outcome == "executed" else outcome), {"outcome"}),
    "executed for failed": (replaced(POST, OUTCOME, lambda outcome: "executed"), {"outcome", "phantom"}),
    "rows": (replaced(POST, ROWS, lambda rows: str(int(rows) + 1) if rows.isdigit() else rows), {"rows"}),
    "rolled back for committed": (replaced(SETTLED, END, lambda end: "rolled back"), {"settlement"}),
    "committed for rolled back": (replaced(SETTLED, END, lambda end: "committed"), {"settlement"}),
}


@pytest.mark.parametrize("name", LIES)
def test_lie_is_found(held, name):
    lie, kinds = LIES[name]
    found = []
    for truth in held:
        told_otherwise = copy.deepcopy(truth)
        lie(told_otherwise.lines)
        found += told_otherwise.divergences()
    assert {each.kind for each in found if not row_of(KNOWN, each)} & kinds


def test_most_conversations_are_in_order(held):
    assert len(held) > CONVERSATIONS / 4


class Liar:
    """Runs conversations, and says of each call that another tenant was told."""

    def __init__(self, runner):
        self.runner = runner

    def run(self, conversations):
        all_held = self.runner.hold(conversations)
        for held in all_held:
            LIES["tenant"][0](held.lines)
        return [divergence for held in all_held for divergence in held.divergences()]


def test_printed_test_fails_and_passes(oracle, runner):
    """What is printed of a divergence is Python, and finds the same again; without the divergence it passes."""
    liar, truth = Liar(runner), "a ' and a \" and a \\ in it"
    steps = [read_step(line) for line in ("wait(q('SELECT /*101*/ 1'))", "p('', \"SELECT /*102*/ 'it''s'\", 23)", "b('', '', b'\\0\\0\\0\\7')", "sync()")]
    found = liar.run([Conversation(truth, steps, {"helios.tenant_id": "acme"}, cuts=7, engine="epoll")])
    names = {}
    exec("from oracle.messages import *\n" + found[0].conversation.as_test(found[0]), names)
    test = next(value for name, value in names.items() if name.startswith("test_"))
    test(oracle)
    oracle.runner = liar
    with pytest.raises(AssertionError, match="tenant: hooks .'another': 1"):
        test(oracle)
