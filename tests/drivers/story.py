# SPDX-License-Identifier: Apache-2.0
"""The story that every driver runs, by those of Python: story.py DRIVER.

Make a table, insert with parameters, read with a prepared statement again and again, fetch in parts, fail, go on, be
refused, roll back. Each counts what it executed under the tenant (BEGIN, COMMIT and the like are not statements that
hooks see), and prints it last.
"""

import asyncio
import os
import sys

TENANT = os.environ["TENANT"]
OPTIONS = f"-c helios.tenant_id={TENANT}"
ROWS = [(n, f"row {n}") for n in range(20)]


def psycopg_story(pipelined):
    import psycopg
    executed = 0
    with psycopg.connect(options=OPTIONS, autocommit=True, prepare_threshold=2) as connection:
        connection.execute("CREATE TEMP TABLE t (a int, b text)")
        if pipelined:
            with connection.pipeline():
                for row in ROWS:
                    connection.execute("INSERT INTO t VALUES (%s, %s)", row)
        else:
            with connection.cursor() as cursor:
                cursor.executemany("INSERT INTO t VALUES (%s, %s)", ROWS)
        executed += 1 + len(ROWS)
        for n in range(10):
            assert connection.execute("SELECT b FROM t WHERE a = %s", (n,)).fetchone() == (f"row {n}",)
            executed += 1
        assert connection.execute("SELECT %s::bytea", (b"\0\1",), binary=True).fetchone() == (b"\0\1",)
        executed += 1
        with connection.transaction(), connection.cursor("parts") as cursor:
            cursor.itersize = 7
            assert len(list(cursor.execute("SELECT * FROM t"))) == len(ROWS)
        executed += 1 + 3 + 1  # DECLARE, FETCH, CLOSE
        try:
            connection.execute("SELECT 1/%s", (0,))
        except psycopg.errors.DivisionByZero:
            executed += 1
        try:
            with connection.transaction():
                connection.execute("DELETE FROM t")
                executed += 1
                connection.execute("SELECT 'forbidden'")
        except psycopg.Error as error:
            assert error.sqlstate == "42000", error
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (len(ROWS),)
        executed += 1
        with connection.cursor() as cursor, cursor.copy("COPY t FROM STDIN") as copy:
            copy.write_row((99, "copied"))
        executed += 1
    return executed


async def asyncpg_story():
    import asyncpg
    executed = 0
    connection = await asyncpg.connect(server_settings={"helios.tenant_id": TENANT})
    await connection.execute("CREATE TEMP TABLE t (a int, b text)")
    executed += 1
    await connection.executemany("INSERT INTO t VALUES ($1, $2)", ROWS)
    executed += len(ROWS)
    statement = await connection.prepare("SELECT b FROM t WHERE a = $1")
    for n in range(10):
        assert await statement.fetchval(n) == f"row {n}"
        executed += 1
    async with connection.transaction():
        assert len([row async for row in connection.cursor("SELECT * FROM t", prefetch=7)]) == len(ROWS)
        executed += 1
    try:
        await connection.fetch("SELECT 1/$1::int", 0)
    except asyncpg.DivisionByZeroError:
        executed += 1
    try:
        async with connection.transaction():
            await connection.execute("DELETE FROM t")
            executed += 1
            await connection.fetch("SELECT 'forbidden', $1::int", 1)
    except asyncpg.PostgresError as error:
        assert error.sqlstate == "42000", error
    assert await connection.fetchval("SELECT count(*) FROM t") == len(ROWS)
    executed += 1
    await connection.copy_records_to_table("t", records=ROWS)
    executed += 1
    await connection.close(timeout=30)
    return executed


def sqlalchemy_story():
    import sqlalchemy
    from sqlalchemy import Column, Integer, MetaData, String, Table, event, func, select
    engine = sqlalchemy.create_engine("postgresql+psycopg://", connect_args={"options": OPTIONS})
    executed = 0

    # The driver sends them one by one, whatever it is asked to do at once.
    @event.listens_for(engine, "after_cursor_execute")
    def count(_connection, _cursor, _statement, parameters, _context, executemany):
        nonlocal executed
        executed += len(parameters) if executemany else 1

    with engine.connect() as connection:
        baseline = 3  # that the dialect itself asks when it first connects: version, schema, the type hstore
        table = Table("t", MetaData(), Column("a", Integer, primary_key=True), Column("b", String), prefixes=["TEMPORARY"])
        table.create(connection, checkfirst=False)
        connection.execute(table.insert(), [{"a": a, "b": b} for a, b in ROWS])
        connection.commit()
        for n in range(10):
            assert connection.execute(select(table.c.b).where(table.c.a == n)).scalar() == f"row {n}"
        try:
            connection.execute(select(sqlalchemy.literal("forbidden")).where(sqlalchemy.text("'forbidden' = 'forbidden'")))
        except sqlalchemy.exc.DBAPIError as error:
            assert error.orig.sqlstate == "42000", error
        connection.rollback()
        assert connection.execute(select(func.count()).select_from(table)).scalar() == len(ROWS)
        connection.commit()
    engine.dispose()
    return executed + baseline


def pg8000_story():
    import pg8000.native
    executed = 0
    connection = pg8000.native.Connection("postgres", host=os.environ["PGHOST"], port=int(os.environ["PGPORT"]),
                                          database=os.environ["PGDATABASE"])
    connection.run("SELECT set_config('helios.tenant_id', :tenant, false)", tenant=TENANT)
    connection.run("CREATE TEMP TABLE t (a int, b text)")
    executed += 1
    insert = connection.prepare("INSERT INTO t VALUES (:a, :b)")
    for a, b in ROWS:
        insert.run(a=a, b=b)
        executed += 1
    try:
        connection.run("SELECT 'forbidden', :n", n="x")
    except pg8000.exceptions.DatabaseError as error:
        assert error.args[0]["C"] == "42000", error
    assert connection.run("SELECT count(*) FROM t") == [[len(ROWS)]]
    executed += 1
    connection.close()
    return executed


STORIES = {"psycopg": lambda: psycopg_story(False), "psycopg_pipeline": lambda: psycopg_story(True),
           "asyncpg": lambda: asyncio.run(asyncpg_story()), "sqlalchemy": sqlalchemy_story, "pg8000": pg8000_story}
print("executed", STORIES[sys.argv[1]]())
