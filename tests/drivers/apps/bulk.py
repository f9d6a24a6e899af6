# SPDX-License-Identifier: Apache-2.0
"""Drivers of Python in bulk: bulk.py STORY. Prints what came of it."""

import asyncio
import hashlib
import io
import sys

MANY = 5000


def psycopg_pipeline():
    """Prepared and not, errors in the middle, transactions inside of the pipeline; nobody waits for an answer before the end."""
    import psycopg
    with psycopg.connect(dbname="demo", autocommit=True, prepare_threshold=3) as connection:
        connection.execute("CREATE TEMP TABLE t (a int PRIMARY KEY, b text)")
        with connection.pipeline():
            cursors = [connection.execute("INSERT INTO t VALUES (%s, %s) RETURNING a", (n, f"row {n}"))
                       for n in range(MANY)]
            print(sum(cursor.fetchone()[0] for cursor in cursors))
        try:
            with connection.pipeline(), connection.transaction():
                for n in range(MANY):
                    connection.execute("UPDATE t SET b = b || %s WHERE a = %s", ("!", n))
                connection.execute("INSERT INTO t VALUES (%s, %s)", (1, "twice"))
        except psycopg.errors.UniqueViolation as error:
            print(error.sqlstate)
        with connection.pipeline():
            results = [connection.execute("SELECT b FROM t WHERE a = %s", (n,), prepare=n % 2 == 0)
                       for n in range(MANY)]
            print(hashlib.md5("".join(each.fetchone()[0] for each in results).encode()).hexdigest())
        with connection.transaction(), connection.pipeline():
            for n in range(100):
                with connection.transaction():
                    connection.execute("DELETE FROM t WHERE a = %s", (n,))
        print(connection.execute("SELECT count(*) FROM t").fetchone())


def psycopg_copy_and_types():
    import datetime
    import decimal
    import uuid
    import psycopg
    with psycopg.connect(dbname="demo") as connection:
        connection.execute("CREATE TEMP TABLE t (a int, b bytea, c timestamptz, d numeric, e uuid, f jsonb, g text[])")
        row = (1, b"\0\xff" * 100000, datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc), decimal.Decimal("1.50"),
               uuid.UUID(int=7), psycopg.types.json.Jsonb({"a": [1, None]}), ["x", "y\\z", None])
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO t VALUES (%s, %b, %s, %s, %s, %s, %s)", [row] * 100)
            with cursor.copy("COPY t TO STDOUT (FORMAT binary)") as copy:
                data = b"".join(copy)
            with cursor.copy("COPY t FROM STDIN (FORMAT binary)") as copy:
                for at in range(0, len(data), 7919):
                    copy.write(data[at:at + 7919])
            print(cursor.execute("SELECT count(*), count(DISTINCT b), min(c)::text, sum(d), min(e::text) FROM t").fetchone())
            cursor.execute("LISTEN told; NOTIFY told, 'word'")
        connection.commit()
        print([notice.payload for notice in connection.notifies(timeout=10, stop_after=1)])
        with connection.cursor("held", withhold=True, scrollable=True) as cursor:
            cursor.execute("SELECT generate_series(1, 1000)")
            connection.commit()
            cursor.scroll(500)
            print(cursor.fetchone(), len(cursor.fetchmany(10000)))
        xid = connection.xid(1, "global", "branch")
        connection.commit()
        connection.tpc_begin(xid)
        connection.execute("SELECT 1")
        connection.tpc_prepare()
        connection.tpc_commit()
        print(connection.info.transaction_status.name)


def psycopg2_large_objects():
    import psycopg2
    data = bytes(range(256)) * 8000
    with psycopg2.connect(dbname="demo") as connection:
        big = connection.lobject(0, "wb")
        big.write(data)
        big.seek(1000)
        big.truncate(1500000)
        big.close()
        big = connection.lobject(big.oid, "rb")
        print(hashlib.md5(big.read()).hexdigest(), big.seek(0, 2), big.tell())
        big.unlink()
    connection = psycopg2.connect(dbname="demo")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE t (a int, b text)")
        cursor.copy_expert("COPY t FROM STDIN", io.StringIO("".join(f"{n}\tx\n" for n in range(100000))))
        cursor.execute("SELECT count(*) FROM t")
        print(cursor.fetchone())
    connection.close()


async def asyncpg_many():
    import asyncpg
    pool = await asyncpg.create_pool(database="demo", min_size=4, max_size=8)
    await pool.execute("CREATE TABLE IF NOT EXISTS many (a int, b text)")
    await pool.executemany("INSERT INTO many VALUES ($1, $2)", [(n, f"row {n}") for n in range(4 * MANY)])
    sums = await asyncio.gather(*(pool.fetchval("SELECT sum(a) FROM many WHERE a % $1 = 0", n) for n in range(1, 300)))
    print(sum(sums))
    async with pool.acquire() as connection:
        async with connection.transaction(isolation="serializable"):
            seen = 0
            async for record in connection.cursor("SELECT * FROM many", prefetch=333):
                seen += record["a"]
            print(seen)
        out = io.BytesIO()
        await connection.copy_from_query("SELECT * FROM many WHERE a < $1 ORDER BY a", 3000, output=out)
        print(hashlib.md5(out.getvalue()).hexdigest())
        try:
            await connection.execute("SELECT pg_sleep(100)", timeout=0.5)
        except asyncio.TimeoutError:
            print("cancelled", await connection.fetchval("SELECT 1"))
    await pool.close()


STORIES = {"psycopg_pipeline": psycopg_pipeline, "psycopg_copy_and_types": psycopg_copy_and_types,
           "psycopg2_large_objects": psycopg2_large_objects, "asyncpg_many": lambda: asyncio.run(asyncpg_many())}
STORIES[sys.argv[1]]()
