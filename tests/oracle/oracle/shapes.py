# SPDX-License-Identifier: Apache-2.0
"""Conversations that chance alone makes too seldom, with texts of the generator's in them."""

from .messages import b, c, cancel, data, e, f, p, q, step, sync

LONG = "l" * 63


def rules_in_an_open_batch(make):
    return [step(p, "", f"SET {make.mark()} standard_conforming_strings = off"), step(b, "", ""), step(e, ""),
            step(q, f"SET {make.mark()} a.b = '\\'';SELECT {make.mark()} $$x$$;--'"), step(sync)]


def early_sync_in_copy(make):
    return [step(p, "", f"COPY {make.mark()} t FROM STDIN"), step(b, "", ""), step(e, ""), step(data, "bad\n"), step(sync),
            step(q, make.select()), step(q, make.select())]


def names_that_are_cut(make):
    """The server knows one of them where there seem to be two."""
    return [step(p, LONG + "1", make.select()), step(sync), step(c, "S", LONG + "2"), step(p, LONG + "2", make.select()),
            step(sync), step(b, "", LONG + "1"), step(e, ""), step(sync)]


def names_in_another_encoding(make):
    return [step(q, "SET client_encoding = 'UTF8'"), step(p, "é", make.select()), step(sync),
            step(q, "SET client_encoding = 'LATIN1'"), step(c, "S", b"\xe9"), step(p, b"\xe9", make.select()), step(sync),
            step(q, "SET client_encoding = 'UTF8'"), step(b, "", "é"), step(e, ""), step(sync)]


def escaped_name(make):
    return [step(p, "é", make.select()), step(sync), step(q, 'DEALLOCATE U&"\\00e9"'),
            step(q, f'PREPARE U&"\\00e9" AS {make.select()}'), step(b, "", "é"), step(e, ""), step(sync)]


def portal_that_fetch_reads(make):
    reader = make.chance.choice([f"FETCH {make.mark()} ALL FROM c", f"SELECT {make.mark()} cursor_to_xml('c',9,false,false,'')"])
    return [step(q, f"BEGIN {make.mark()}"), step(p, "", make.select()), step(b, "c", ""), step(p, "", reader), step(b, "", ""),
            step(e, ""), step(sync), step(q, f"COMMIT {make.mark()}")]


def bind_alone(make):
    return [step(p, "", f"SELECT {make.mark()} 1 WHERE 1 < steady(2)"), step(b, "", ""), step(sync)]


def explain_of_a_declare(make):
    return [step(q, f"BEGIN {make.mark()}"), step(p, "", make.select()), step(b, "c", ""),
            step(p, "", f"EXPLAIN {make.mark()} (ANALYZE, TIMING OFF, SUMMARY OFF, COSTS OFF) DECLARE c CURSOR FOR SELECT 'harmless'"), step(b, "", ""), step(e, ""),
            step(e, "c"), step(sync), step(q, f"ROLLBACK {make.mark()}")]


def prepare_by_parse(make):
    return [step(p, "x", f"PREPARE y AS {make.select()}"), step(sync), step(q, "EXECUTE x"), step(q, "EXECUTE y")]


def execute_of_execute(make):
    return [step(q, f"PREPARE y AS {make.select()}"), step(p, "x", "EXECUTE y"), step(p, "w", "EXECUTE x"), step(sync),
            step(q, "EXECUTE x"), step(q, "EXECUTE w")]


def execute_with_arguments(make):
    return [step(q, f"PREPARE y(int) AS INSERT {make.mark()} INTO t VALUES ($1)"), step(q, "EXECUTE y(1)"),
            step(q, "EXECUTE y(2)"), step(q, f"EXECUTE y(length(set_config('helios.tenant_id', 'acme', false)))")]


def execute_behind_others(make):
    others = "; ".join(make.select() for _ in range(make.chance.randint(1, 4)))
    return [step(q, f"PREPARE y(text) AS SELECT {make.mark()} 1"),
            step(q, f"{others}; EXECUTE y(set_config('helios.a', '', false))")]


def portal_across_a_savepoint(make):
    return [step(q, f"BEGIN {make.mark()}"), step(p, "", f"INSERT {make.mark()} INTO t VALUES (1)"), step(b, "c", ""),
            step(p, "", f"SAVEPOINT {make.mark()} s"), step(b, "", ""), step(e, ""), step(p, "", "SELECT * FROM missing"), step(e, "c"),
            step(sync), step(q, f"ROLLBACK {make.mark()} TO s"), step(e, "c"), step(sync), step(q, f"COMMIT {make.mark()}")]


def tenant_after(make):
    """What may leave another tenant than it seems."""
    n = make.mark
    ways = [
        [step(q, f"CALL {n()} half()")],
        [step(q, f"BEGIN {n()}; SET {n()} helios.tenant_id = 'acme'; SELECT 1/0"),
         step(q, f"PREPARE TRANSACTION {n()} '{make.texts.name}.x'")],
        [step(p, "", f"SET {n()} helios.tenant_id = 'acme'"), step(b, "", ""), step(e, ""), step(p, "", f"DISCARD {n()} ALL"),
         step(b, "", ""), step(e, ""), step(p, "", "SELECT 1/0"), step(b, "", ""), step(e, ""), step(sync)],
        [step(q, f"BEGIN {n()}; SELECT {n()} set_config('helios.tenant_id', NULL, true); RESET {n()} ALL")],
        [step(q, f"DO {n()} $$ BEGIN SET helios.tenant_id = 'acme'; COMMIT; RAISE 'x'; END $$")],
        [step(p, "", f"SELECT {n()} 1"), step(b, "c", ""), step(p, "", f"SET {n()} helios.tenant_id = 'globex'"),
         step(b, "", ""), step(e, ""), step(e, "c"), step(sync)],
    ]
    return [step(q, f"SET {n()} helios.tenant_id = 'globex'"), *make.chance.choice(ways), step(q, make.select())]


def hidden_names(make):
    """The mark is put together inside, so that the function's own expression is not one that carries it."""
    hidden = f"PREPARE y AS {make.select()}".replace("'", "''").replace("/*", "/' || '*")
    return [step(q, f"DO {make.mark()} $x$ BEGIN EXECUTE '{hidden}'; END $x$"),
            step(q, f"BEGIN {make.mark()}; SELECT {make.mark()} 1/0"), step(q, f"ROLLBACK {make.mark()}; EXECUTE y"),
            step(q, "EXECUTE y")]


def function_call(make):
    return [step(f, make.chance.choice([870, 1317])), step(sync)]


def cancelled(make):
    return [step(q, f"BEGIN {make.mark()}"), step(q, f"INSERT {make.mark()} INTO t SELECT length(pg_sleep(0.05)::text)"), step(cancel),
            step(q, make.select()), step(q, f"COMMIT {make.mark()}")]


def deferred(make):
    """A commit that fails, of a block or of a pipeline."""
    table = step(q, "CREATE TEMP TABLE d (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    twice = [step(p, "", f"INSERT {make.mark()} INTO d VALUES (1), (1)"), step(b, "", ""), step(e, "")]
    ends = [[step(sync)], [step(p, "", f"COMMIT {make.mark()}"), step(b, "", ""), step(e, ""), step(sync)]]
    return [table, *make.chance.choice([[], [step(q, f"BEGIN {make.mark()}")]]), *twice, *make.chance.choice(ends), step(q, make.select())]


def many(make):
    """A long pipeline of one statement."""
    one = [step(b, "", "m"), step(e, "")]
    sometimes = make.chance.choice([[], [step(sync)]])
    return [step(p, "m", make.select()), *(one + sometimes) * make.chance.choice([30, 150]), step(sync)]


def answers_that_are_cut(make):
    """Small ones, which may be through before the cancel is there, and large ones."""
    n, chance = make.texts.of_plain, make.chance
    rows = chance.choice([4, 5, 40, 4000, 400000])
    cut = f"SELECT {make.texts.cap_mark()} generate_series(1, {rows})"
    before, behind = n("INSERT % INTO t VALUES (1)"), n("INSERT % INTO t VALUES (2)")
    batch = [step(kind, *rest) for text in (before, cut, behind) for kind, *rest in ((p, "", text), (b, "", ""), (e, "", chance.choice([0, 0, 2])))]
    return chance.choice([
        lambda: [step(q, f"{before}; {cut}; {behind}")],
        lambda: [step(q, n("BEGIN %")), step(q, before), step(q, cut), step(q, behind), step(q, n("COMMIT %"))],
        lambda: [step(q, f"BEGIN; {before}; {cut}; COMMIT"), step(q, n("ROLLBACK %"))],
        lambda: [*batch, step(sync), step(q, behind)],
        lambda: [step(q, n("BEGIN %")), *batch, step(sync), step(q, n("COMMIT %"))],
        lambda: [step(q, n("BEGIN %")), step(p, "", cut), step(b, "c", ""), step(e, "c", 1), step(q, n("SAVEPOINT % s")),
                 step(p, "", n("FETCH % 2 FROM c")), step(b, "", ""), step(e, ""), step(e, "c"), step(sync), step(q, n("ROLLBACK % TO s")),
                 step(e, "c"), step(sync), step(q, n("COMMIT %"))],
        lambda: [step(q, f"{n('BEGIN %')}; DECLARE c CURSOR FOR {cut}; {n('FETCH % 1 FROM c')}; {n('FETCH % ALL FROM c')}; {behind}"),
                 step(q, n("COMMIT %"))],
        lambda: [step(q, f"COPY ({cut}) TO STDOUT"), step(q, behind)],
    ])()


SHAPES = [each for each in list(globals().values()) if callable(each) and each.__module__ == __name__]
SHAPES.append(tenant_after)  # it has many ways
