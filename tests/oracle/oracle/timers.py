# SPDX-License-Identifier: Apache-2.0
"""Shapes in which a timer of the server runs out, or another session ends what is done: at moments that no message marks.

PostgreSQL looks whether a timer ran out when it has read a message, so a pause inside of an open batch fails the message behind it,
whatever that is. A pause is longer than the timer; which of the two wins elsewhere is left to chance, and to answers.first_difference()."""

from .messages import b, c, d, data, done, e, f, fail, flush, p, pause, q, step, stop, sync, terminate

STATEMENT, IN_BLOCK, IDLE, LOCK = ("statement_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout", "lock_timeout")
LEAST_PAUSE = 20  # ms


def limit(make, name=STATEMENT, is_local=False):
    """A text that sets it, without a mark: nobody decides about it. The time is kept for pauses()."""
    make.timer = make.chance.choice([1, 5, 10, 10, 15, 20, 40])
    word = "SET LOCAL" if is_local else "SET"
    texts = [f"{word} {name} = {make.timer}", f"{word} {name} TO '{make.timer}ms'",
             f"SELECT set_config('{name}', '{make.timer}', {str(is_local).lower()})"]
    return make.chance.choice(texts)


def pauses(make, withheld=0):
    return step(pause, max(LEAST_PAUSE, make.timer + 10), withheld)


def run(text, name="", portal=""):
    return [step(p, name, text), step(b, portal, name), step(e, portal)]


def over(make):
    """What ends it; not always, then the timer meets whatever comes."""
    if make.chance.random() < 0.2:
        return []
    return [step(q, make.chance.choice([f"RESET {STATEMENT}", f"SET {STATEMENT} = 0", "RESET ALL"]))]


def message_behind(make):
    """What may stand behind a pause in an open batch, the message that meets the timer first."""
    return make.chance.choice([
        lambda: [step(q, make.select())], lambda: [step(q, f"SELECT {make.mark()} 'é'")], lambda: run(make.select()),
        lambda: [step(e, "")], lambda: [step(sync)], lambda: [step(flush)], lambda: [step(data, "5\tx\n")], lambda: [step(done)],
        lambda: [step(fail)], lambda: [step(f, 870)], lambda: [step(d, *make.chance.choice([("P", ""), ("S", "s"), ("S", "missing")]))],
        lambda: [step(c, *make.chance.choice([("P", ""), ("S", "s")]))], lambda: [step(b, "", "s")],
        lambda: [step(q, make.texts.query())], lambda: [step(p, "", make.texts.setting())],
    ])()


def open_batch(make):
    """A pause in it; often behind a Flush, and sometimes in the middle of the next message."""
    begun = make.chance.choice([
        [step(p, "s", make.select())], [step(p, "s", make.select()), step(b, "", "s")], run(make.select(), "s"),
        run(make.select(), "s") + [step(b, "", "s")], [step(p, "s", make.select()), step(d, "S", "s")]])
    flushed = make.chance.choice([[step(flush)], [step(flush)], [step(flush), step(flush)], []])
    behind = message_behind(make)
    if make.chance.random() < 0.4:
        withheld = make.chance.choice([1, 2, 4, max(1, len(behind[0].data) - 1), max(1, len(behind[0].data) - 5), len(behind[0].data)])
        behind = [behind[0], pauses(make, withheld), *behind[1:]]
    else:
        behind = [pauses(make), *behind]
    behind += make.chance.choice([[], [], message_behind(make), [step(flush)] + message_behind(make)])
    return [*begun, *flushed, *behind]


def timer_meets_a_flush(make):
    """The server skips the Query behind it."""
    setting = step(q, limit(make))
    begun = make.chance.choice([[step(p, "s", make.select())], [step(p, "s", make.select()), step(b, "", "s")], run(make.select(), "s")])
    flushed = make.chance.choice([[pauses(make), step(flush)], [step(flush), pauses(make, make.chance.randint(1, 5))]])
    behind = make.chance.choice([lambda: [step(q, make.select())], lambda: [step(q, make.texts.query())], lambda: [step(f, 870)],
                                 lambda: [step(q, make.select()), *run(make.select())], lambda: message_behind(make)])()
    return [setting, *begun, step(flush), *flushed, *behind, step(sync), step(q, make.select()), *over(make), step(q, make.select())]


def timer_in_an_open_batch(make):
    setting = make.chance.choice([lambda: [step(q, limit(make))], lambda: run(limit(make)),
                                  lambda: [step(q, f"BEGIN {make.mark()}"), step(q, limit(make, is_local=True))]])()
    return [*setting, *open_batch(make), step(sync), step(q, make.select()), *over(make), step(q, f"COMMIT {make.mark()}"), step(q, make.select())]


def timer_while_a_hook_holds(make):
    """The plugin takes its time with one of them."""
    slow = f"INSERT {make.texts.slow_mark()} INTO t VALUES (1)"
    kept = make.chance.choice([
        lambda: [step(p, "s", make.select()), step(b, "", "s"), step(flush), step(q, slow)],
        lambda: [step(p, "s", make.select()), step(b, "", "s"), step(flush), *run(slow), step(sync)],
        lambda: [step(p, "", slow), step(b, "", ""), step(flush), step(e, ""), step(sync)],
        lambda: [*run(make.select()), step(flush), *run(slow), *run(make.select()), step(sync)],
        lambda: [step(q, f"{make.select()}; {slow}; {make.select()}")],
        lambda: [step(p, "", f"SET {make.mark()} a.b = 'x'"), step(b, "", ""), step(e, ""), step(q, f"{slow}; SELECT 'é'")],
    ])()
    return [step(q, limit(make)), *kept, step(sync), step(q, make.select()), *over(make)]


def timer_cuts_a_statement(make):
    slow = make.chance.choice([f"SELECT {make.mark()} pg_sleep(0.05)", f"INSERT {make.mark()} INTO t SELECT length(pg_sleep(0.05)::text)",
                               f"SELECT {make.mark()} generate_series(1, 3), pg_sleep(0.012)"])
    ways = [lambda: [step(q, slow)], lambda: [step(q, f"{make.select()}; {slow}; {make.select()}")],
            lambda: [*run(slow), *run(make.select()), step(sync)], lambda: [*run(slow), step(flush), step(q, make.select()), step(sync)],
            lambda: [step(p, "", slow), step(b, "c", ""), step(e, "c", 1), step(flush), step(e, "c", 1), step(e, "c"), step(sync)]]
    block = make.chance.choice([[], [step(q, f"BEGIN {make.mark()}")]])
    return [*block, step(q, limit(make, is_local=bool(block))), *make.chance.choice(ways)(), step(q, make.select()), *over(make),
            step(q, f"COMMIT {make.mark()}")]


def timer_cuts_a_copy(make):
    setting, is_query, text = limit(make), make.chance.random() < 0.5, f"COPY {make.mark()} t FROM STDIN"
    head = [step(q, text)] if is_query else run(text)
    good, bad = step(data, "5\tx\n"), step(data, "bad\n")
    amid = make.chance.choice([
        lambda: [pauses(make), good, step(done)], lambda: [good, pauses(make, 3), good, step(done)], lambda: [good, pauses(make), step(done)],
        lambda: [good, pauses(make), step(fail)], lambda: [good, pauses(make), step(sync), good, step(done)],
        lambda: [good, step(sync), pauses(make), good, step(sync), step(done)], lambda: [good, step(done), pauses(make), good, step(done)],
        lambda: [good, step(flush), pauses(make), step(flush), good, step(done)], lambda: [good, pauses(make), step(q, make.select())],
        lambda: [bad, pauses(make), good, step(done)], lambda: [pauses(make), *run(make.select()), step(sync)], lambda: [good, pauses(make), good]])()
    ends = make.chance.choice([[], [step(sync)]]) if is_query else [step(sync)]
    return [step(q, setting), *head, *amid, *ends, step(q, make.select()), *over(make), step(q, make.select())]


def timer_cuts_a_copy_out(make):
    text = f"COPY {make.mark()} (SELECT generate_series(1, 3), pg_sleep(0.012)) TO STDOUT"
    ways = [[step(q, text)], [*run(text), step(sync)], [*run(text), step(flush), step(q, make.select()), step(sync)]]
    return [step(q, limit(make)), *make.chance.choice(ways), step(q, make.select()), *over(make)]


def idle_timer(make):
    """The server ends the session: in a block, in one that has failed, in an open batch (where it does not), or in none."""
    name = make.chance.choice([IN_BLOCK, IN_BLOCK, IDLE])
    setting = step(q, limit(make, name))
    block = make.chance.choice([[], [step(q, f"BEGIN {make.mark()}; INSERT {make.mark()} INTO t VALUES (1)")], [step(q, f"BEGIN {make.mark()}; SELECT {make.mark()} 1/0")]])
    ways = [lambda: [pauses(make), step(q, make.select())], lambda: [step(p, "s", make.select()), step(flush), pauses(make), step(b, "", "s"), step(e, ""), step(sync)],
            lambda: [step(q, make.select()), pauses(make, 3), step(q, make.select())], lambda: [step(sync), pauses(make), *run(make.select()), step(sync)]]
    return [setting, *block, *make.chance.choice(ways)(), step(q, f"COMMIT {make.mark()}")]


def lock_timer(make):
    """Nobody lets go of this lock. The setting of the server ends the wait where that of the session is left out."""
    lock, setting = f"SELECT {make.texts.plain_mark()} pg_advisory_lock(1)", limit(make, make.chance.choice([LOCK, STATEMENT]))
    ways = [lambda: [step(q, f"{setting}; {lock}")], lambda: [step(q, setting), *run(lock), *run(make.select()), step(sync)],
            lambda: [step(q, f"BEGIN {make.mark()}"), step(q, f"SAVEPOINT {make.mark()} s"), step(q, f"{setting}; {lock}"), step(q, f"ROLLBACK {make.mark()} TO s"),
                     step(q, make.select()), step(q, f"COMMIT {make.mark()}")],
            lambda: [*run(setting), *run(lock), step(flush), step(q, make.select()), step(sync)]]
    return [*make.chance.choice(ways)(), step(q, f"RESET {LOCK}; RESET {STATEMENT}"), step(q, make.select())]


def stopped_from_outside(make):
    """Another session cancels what is done or ends the session, and nothing may be done."""
    act = step(make.chance.choice([stop, stop, terminate]))
    make.timer = 0
    ways = [lambda: [*open_batch(make), act, *message_behind(make), step(sync)],
            lambda: [step(p, "s", make.select()), step(b, "", "s"), step(flush), act, *message_behind(make), step(sync)],
            lambda: [step(q, f"COPY {make.mark()} t FROM STDIN"), step(data, "5\tx\n"), act, step(data, "6\ty\n"), step(done)],
            lambda: [*run(f"COPY {make.mark()} t FROM STDIN"), step(data, "5\tx\n"), act, step(sync), step(data, "6\ty\n"), step(done), step(sync)],
            lambda: [step(q, f"SELECT {make.mark()} pg_sleep(0.03)"), act, step(q, make.select())],
            lambda: [step(q, f"BEGIN {make.mark()}"), step(q, f"INSERT {make.mark()} INTO t VALUES (1)"), act, step(q, make.select()), step(q, f"COMMIT {make.mark()}")],
            lambda: [step(p, "s", make.select()), step(b, "", "s"), step(flush), step(q, f"SELECT {make.texts.slow_mark()} 1"), act, step(sync)]]
    return [*make.chance.choice(ways)(), step(q, make.select())]


TIMERS = [timer_in_an_open_batch] * 3 + [timer_meets_a_flush] * 2 + [timer_while_a_hook_holds, timer_cuts_a_statement, timer_cuts_a_copy, timer_cuts_a_copy, timer_cuts_a_copy_out,
                                         idle_timer, lock_timer, stopped_from_outside]
