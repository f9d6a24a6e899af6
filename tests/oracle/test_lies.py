# SPDX-License-Identifier: Apache-2.0
"""The oracle finds it where hooks are told anything else than the truth, and no row of known.toml hides that."""

import copy

import pytest
from oracle.answers import BLOCK_HAS_FAILED, first_difference
from oracle.conversation import Conversation
from oracle.generator import Generator
from oracle.known import row_of, rows
from oracle.messages import read_step
from oracle.runner import Runner
from oracle.talk import Answers

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
    "skipped for unknown": (replaced(POST, OUTCOME, lambda outcome: "skipped" if outcome == "unknown" else outcome), {"outcome"}),
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


def error(sqlstate, severity="ERROR", words="m"):
    return b"E", f"S{severity}\0C{sqlstate}\0M{words}\0\0".encode()


PARSED, BOUND, READY = (b"1", b""), (b"2", b""), (b"Z", b"I")
LATE, FAILED = error("57014"), error("25P02", words=BLOCK_HAS_FAILED[1][2])
# What the server answered, what the proxy did, and whether a timer explains that. The message that meets it is left to chance.
MOMENTS = {
    "the same": ([PARSED, LATE, READY], [PARSED, LATE, READY], True),
    "it met a later message": ([PARSED, LATE, READY], [PARSED, BOUND, LATE, READY], True),
    "it met none": ([PARSED, LATE, READY], [PARSED, BOUND, READY], True),
    "it met the Query, which is answered then": ([LATE, READY, PARSED], [LATE, READY, READY, PARSED], True),
    "it met one more message of a block": ([LATE, READY, FAILED, READY, FAILED, READY, PARSED], [LATE, READY, FAILED, READY, PARSED], True),
    "a batch ran behind it that fails like the next one": ([LATE, READY, error("22P02"), READY, PARSED],
                                                           [LATE, READY, error("22P02"), READY, error("22P02"), READY, PARSED], True),
    "the session had ended": ([PARSED, error("25P03", "FATAL")], [PARSED, BOUND, READY], True),
    "it was there": ([PARSED, BOUND, LATE, READY], [PARSED, READY, LATE, READY], False),
    "a message was lost behind it": ([LATE, READY, PARSED, BOUND], [LATE, READY, PARSED, READY], False),
    "another error": ([PARSED, BOUND], [PARSED, error("22012")], False),
    "an end that nobody made": ([PARSED, LATE, READY, BOUND], [PARSED, LATE, READY, BOUND, error("08P01", "FATAL")], False),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_timer_explains_nothing_but_itself(name):
    direct, proxied, is_explained = MOMENTS[name]
    assert (first_difference(direct, proxied, is_timed=True)[0] is None) == is_explained
    assert (first_difference(direct, proxied)[0] is None) == (direct == proxied)  # nor anything where there is none


def talked(messages, end):
    answers = Answers()
    answers.messages, answers.end = messages, end
    return answers


@pytest.mark.parametrize("last, is_found", [(error("08P01", "FATAL", "the server sent an answer that does not fit"), True),
                                            (error("57P01", "FATAL"), False), (READY, True)])
def test_end_of_a_session_that_no_timer_explains_is_found(last, is_found):
    """As with a proxy that takes the ReadyForQuery of a Sync for that of a Query which the server has skipped. A refusal excuses nothing."""
    conversation = Conversation("x", [read_step(line) for line in (
        "q('SET statement_timeout = 1')", "p('', 'SELECT /*1 refuse*/ 1')", "flush()", "pause(20, 0)", "flush()", "q('SELECT 1')", "sync()")])
    direct, proxied = talked([PARSED, LATE, READY], "complete"), talked([PARSED, LATE, READY, last], "closed")
    found = Runner._difference(conversation, direct, proxied)
    assert (found is not None and found.kind == "closed") == is_found


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
