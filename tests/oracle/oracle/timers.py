# SPDX-License-Identifier: Apache-2.0
"""Shapes in which a timer of the server runs out, or another session ends what is done: at moments that no message marks.

PostgreSQL looks whether a timer ran out when it has read a message, so a pause inside of an open batch fails the message behind it,
whatever that is. A pause is longer than the timer; which of the two wins elsewhere is left to chance, and to answers.first_difference()."""

from .messages import b, c, d, data, done, e, f, fail, flush, p, pause, q, step, stop, sync, terminate

STATEMENT, IN_BLOCK = "statement_timeout", "idle_in_transaction_session_timeout"
IDLE, LOCK = "idle_session_timeout", "lock_timeout"
LEAST_PAUSE = 20  # ms
GOOD, BAD = step(data, "5\tx\n"), step(data, "bad\n")


def limit(make, name=STATEMENT, is_local=False):
    """A text that sets it, without a mark: nobody decides about it. The time is kept for pauses()."""
    make.timer = make.chance.choice([1, 5, 10, 10, 15, 20, 40])
    word = "SET LOCAL" if is_local else "SET"
    return make.chance.choice([f"{word} {name} = {make.timer}", f"{word} {name} TO '{make.timer}ms'",
                               f"SELECT set_config('{name}', '{make.timer}', {str(is_local).lower()})"])


def pauses(make, withheld=0):
    return step(pause, max(LEAST_PAUSE, make.timer + 10), withheld)


def run(text, name="", portal=""):
    return [step(p, name, text), step(b, portal, name), step(e, portal)]


def bound(make, name="s"):
    return [step(p, name, make.select()), step(b, "", name)]


def one_of(make, *ways):
    """Only the texts of the chosen one are made."""
    return make.chance.choice(ways)()


def begin(make):
    return step(q, f"BEGIN {make.mark()}")


def commit(make):
    return step(q, f"COMMIT {make.mark()}")


def select(make):
    return step(q, make.select())


def over(make):
    """What ends it; not always, then the timer meets whatever comes."""
    if make.chance.random() < 0.2:
        return []
    return [step(q, make.chance.choice([f"RESET {STATEMENT}", f"SET {STATEMENT} = 0", "RESET ALL"]))]


def message_behind(make):
    """What may stand behind a pause in an open batch, the message that meets the timer first."""
    alone = [step(e, ""), step(sync), step(flush), GOOD, step(done), step(fail), step(f, 870), step(d, "P", ""), step(d, "S", "s"),
             step(d, "S", "missing"), step(c, "P", ""), step(c, "S", "s"), step(b, "", "s")]
    if make.chance.random() < 0.6:
        return [make.chance.choice(alone)]
    return one_of(make, lambda: [select(make)], lambda: [step(q, f"SELECT {make.mark()} 'é'")], lambda: run(make.select()),
                  lambda: [step(q, make.texts.query())], lambda: [step(p, "", make.texts.setting())])


def open_batch(make):
    """A pause in it; often behind a Flush, and sometimes in the middle of the next message."""
    begun = one_of(make, lambda: bound(make)[:1], lambda: bound(make), lambda: run(make.select(), "s"),
                   lambda: run(make.select(), "s") + bound(make, "t"), lambda: bound(make)[:1] + [step(d, "S", "s")])
    flushed = make.chance.choice([[step(flush)], [step(flush)], [step(flush), step(flush)], []])
    first, *rest = message_behind(make)
    if make.chance.random() < 0.4:
        size = len(first.data)
        behind = [first, pauses(make, make.chance.choice([1, 2, 4, max(1, size - 1), max(1, size - 5), size])), *rest]
    else:
        behind = [pauses(make), first, *rest]
    more = one_of(make, list, list, lambda: message_behind(make), lambda: [step(flush), *message_behind(make)])
    return [*begun, *flushed, *behind, *more]


def timer_in_an_open_batch(make):
    setting = one_of(make, lambda: [step(q, limit(make))], lambda: run(limit(make)),
                     lambda: [begin(make), step(q, limit(make, is_local=True))])
    return [*setting, *open_batch(make), step(sync), select(make), *over(make), commit(make), select(make)]


def timer_meets_a_flush(make):
    """The server skips the Query behind it."""
    setting = step(q, limit(make))
    begun = one_of(make, lambda: bound(make)[:1], lambda: bound(make), lambda: run(make.select(), "s") + bound(make, "t"))
    flushed = make.chance.choice([[pauses(make), step(flush)], [step(flush), pauses(make, make.chance.randint(1, 5))]])
    behind = one_of(make, lambda: [select(make)], lambda: [step(q, make.texts.query())], lambda: [step(f, 870)],
                    lambda: [select(make), *run(make.select())], lambda: message_behind(make))
    return [setting, *begun, step(flush), *flushed, *behind, step(sync), select(make), *over(make), select(make)]


def timer_while_a_hook_holds(make):
    """The plugin takes its time with one of them."""
    slow = f"INSERT {make.texts.slow_mark()} INTO t VALUES (1)"
    kept = one_of(make, lambda: [*bound(make), step(flush), step(q, slow)], lambda: [*bound(make), step(flush), *run(slow)],
                  lambda: [step(p, "", slow), step(b, "", ""), step(flush), step(e, "")],
                  lambda: [*run(make.select()), step(flush), *run(slow), *run(make.select())],
                  lambda: [step(q, f"{make.select()}; {slow}; {make.select()}")],
                  lambda: [*run(f"SET {make.mark()} a.b = 'x'"), step(q, f"{slow}; SELECT 'é'")])
    return [step(q, limit(make)), *kept, step(sync), select(make), *over(make)]


def timer_cuts_a_statement(make):
    slow = make.texts.of_plain("SELECT % pg_sleep(0.05)", "INSERT % INTO t SELECT length(pg_sleep(0.05)::text)",
                               "SELECT % generate_series(1, 3), pg_sleep(0.012)")
    block = make.chance.choice([[], [begin(make)]])
    setting = step(q, limit(make, is_local=bool(block)))
    way = one_of(make, lambda: [step(q, slow)], lambda: [step(q, f"{make.select()}; {slow}; {make.select()}")],
                 lambda: [*run(slow), *run(make.select()), step(sync)], lambda: [*run(slow), step(flush), select(make), step(sync)],
                 lambda: [step(p, "", slow), step(b, "c", ""), step(e, "c", 1), step(flush), step(e, "c", 1), step(e, "c"), step(sync)])
    return [*block, setting, *way, select(make), *over(make), commit(make)]


def timer_cuts_a_copy(make):
    setting, is_query, text = limit(make), make.chance.random() < 0.5, f"COPY {make.mark()} t FROM STDIN"
    head = [step(q, text)] if is_query else run(text)
    now = pauses(make)
    amid = one_of(make, lambda: [now, GOOD, step(done)], lambda: [GOOD, pauses(make, 3), GOOD, step(done)], lambda: [GOOD, now, step(done)],
                  lambda: [GOOD, now, step(fail)], lambda: [GOOD, now, step(sync), GOOD, step(done)],
                  lambda: [GOOD, step(sync), now, GOOD, step(sync), step(done)], lambda: [GOOD, step(done), now, GOOD, step(done)],
                  lambda: [GOOD, step(flush), now, step(flush), GOOD, step(done)], lambda: [GOOD, now, select(make)],
                  lambda: [BAD, now, GOOD, step(done)], lambda: [now, *run(make.select()), step(sync)], lambda: [GOOD, now, GOOD])
    ends = make.chance.choice([[], [step(sync)]]) if is_query else [step(sync)]
    return [step(q, setting), *head, *amid, *ends, select(make), *over(make), select(make)]


def timer_cuts_a_copy_out(make):
    text = make.texts.of_plain("COPY % (SELECT generate_series(1, 3), pg_sleep(0.012)) TO STDOUT")
    way = one_of(make, lambda: [step(q, text)], lambda: [*run(text), step(sync)],
                 lambda: [*run(text), step(flush), select(make), step(sync)])
    return [step(q, limit(make)), *way, select(make), *over(make)]


def idle_timer(make):
    """The server ends the session: in a block, in one that has failed, in an open batch (where it does not), or in none."""
    setting = step(q, limit(make, make.chance.choice([IN_BLOCK, IN_BLOCK, IDLE])))
    block = one_of(make, list, lambda: [step(q, f"BEGIN {make.mark()}; INSERT {make.mark()} INTO t VALUES (1)")],
                   lambda: [step(q, f"BEGIN {make.mark()}; SELECT {make.mark()} 1/0")])
    way = one_of(make, lambda: [pauses(make), select(make)],
                 lambda: [*bound(make)[:1], step(flush), pauses(make), step(b, "", "s"), step(e, ""), step(sync)],
                 lambda: [select(make), pauses(make, 3), select(make)], lambda: [step(sync), pauses(make), *run(make.select()), step(sync)])
    return [setting, *block, *way, commit(make)]


def lock_timer(make):
    """Nobody lets go of this lock. The setting of the server ends the wait where that of the session is left out."""
    lock, setting = make.texts.of_plain("SELECT % pg_advisory_lock(1)"), limit(make, make.chance.choice([LOCK, STATEMENT]))
    way = one_of(make, lambda: [step(q, f"{setting}; {lock}")], lambda: [step(q, setting), *run(lock), *run(make.select()), step(sync)],
                 lambda: [begin(make), step(q, f"SAVEPOINT {make.mark()} s"), step(q, f"{setting}; {lock}"),
                          step(q, f"ROLLBACK {make.mark()} TO s"), select(make), commit(make)],
                 lambda: [*run(setting), *run(lock), step(flush), select(make), step(sync)])
    return [*way, step(q, f"RESET {LOCK}; RESET {STATEMENT}"), select(make)]


def stopped_from_outside(make):
    """Another session cancels what is done or ends the session, and nothing may be done."""
    act, copy = step(make.chance.choice([stop, stop, terminate])), f"COPY {make.mark()} t FROM STDIN"
    slow = make.texts.of_plain("SELECT % pg_sleep(0.03)")
    way = one_of(make, lambda: [*bound(make), step(flush), act, *message_behind(make), step(sync)],
                 lambda: [*bound(make), step(flush), act, step(flush), *message_behind(make), step(sync)],
                 lambda: [step(q, copy), GOOD, act, GOOD, step(done)], lambda: [step(q, slow), act, select(make)],
                 lambda: [*run(copy), GOOD, act, step(sync), GOOD, step(done), step(sync)],
                 lambda: [begin(make), step(q, f"INSERT {make.mark()} INTO t VALUES (1)"), act, select(make), commit(make)],
                 lambda: [*bound(make), step(flush), step(q, f"SELECT {make.texts.slow_mark()} 1"), act, step(sync)])
    return [*way, select(make)]


TIMERS = [*[timer_in_an_open_batch] * 3, *[timer_meets_a_flush] * 3, timer_while_a_hook_holds, timer_cuts_a_statement,
          *[timer_cuts_a_copy] * 2, timer_cuts_a_copy_out, idle_timer, lock_timer, stopped_from_outside]
