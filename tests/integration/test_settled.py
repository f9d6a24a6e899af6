# SPDX-License-Identifier: Apache-2.0
"""The settled hook says of every statement what the server made of it: the rows that it calls committed are those in the
table."""

import itertools
import os
import random

import pytest
from harness.postgres import Postgres
from harness.shared import running_proxy
from harness.waiting import wait_until
from harness.wire import FLUSH, SYNC, bind_message, execute_message, parse_message, query_message

BUILD_DIR = os.environ.get("HELIOS_BUILD_DIR", "build/dev")
ROUNDS = int(os.environ.get("HELIOS_SETTLED_ROUNDS", "60"))


@pytest.fixture(scope="module")
def server():
    server = Postgres(max_prepared_transactions=4)
    try:
        server.start()
        with server.connect() as admin:
            admin.query("CREATE DATABASE demo").expect_ok()
        with server.connect(database="demo") as demo:
            demo.query("CREATE TABLE seen (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)").expect_ok()
            demo.query("CREATE PROCEDURE half(kept int, lost int) LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES "
                       "(kept); COMMIT; INSERT INTO seen VALUES (lost); RAISE 'no further'; END $$").expect_ok()
            demo.query("CREATE FUNCTION writes(n int) RETURNS int VOLATILE LANGUAGE plpgsql AS $$ BEGIN "
                       "INSERT INTO seen SELECT n WHERE NOT EXISTS (SELECT FROM seen WHERE id = n); RETURN n; END $$; "
                       "CREATE FUNCTION lying(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN "
                       "RETURN writes(n); END $$").expect_ok()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="module")
def proxy(server):
    with running_proxy(server.port, [os.path.join(BUILD_DIR, "guests", "ledger.wasm")], listen__workers=2) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def table(server, proxy):
    """Empty, as the ledger."""
    def clear():
        with server.connect(database="demo") as demo:
            demo.query("TRUNCATE seen").expect_ok()
        for key in ledger(proxy):
            proxy.admin.delete("ledger", f"row:{key}")
    clear()
    yield


def ledger(proxy):
    """{row: what was written down of it}"""
    names = proxy.admin.get("/admin/kv/ledger/?prefix=row:&limit=10000").json["keys"]
    return {int(name.removeprefix("row:")): proxy.admin.value("ledger", name) for name in names}


def rows(server):
    with server.connect(database="demo") as demo:
        return {int(row) for row, in demo.query("SELECT id FROM seen").rows}


def insert(row):
    return f"insert into seen values ({row})"


def executed(row, parameter=False):
    text, values = (insert("$1"), [str(row)]) if parameter else (insert(row), [])
    return parse_message(text) + bind_message("", "", values) + execute_message()


COMMITTED, ROLLED_BACK, UNKNOWN = "committed;", "rolled back;", "unknown;"


def test_statement_alone_and_block(proxy, server):
    with proxy.connect() as session:
        session.query(insert(1)).expect_ok()
        assert ledger(proxy) == {1: COMMITTED}
        session.query("begin").expect_ok()
        session.query(insert(2)).expect_ok()
        assert ledger(proxy) == {1: COMMITTED}
        session.query("commit").expect_ok()
        session.query(f"begin; {insert(3)}").expect_ok()
        session.query("rollback").expect_ok()
        assert session.query(insert(1)).sqlstate == "23505"
    assert ledger(proxy) == {1: COMMITTED + ROLLED_BACK, 2: COMMITTED, 3: ROLLED_BACK}
    assert rows(server) == {1, 2}


def test_deferred_constraint_fails_at_commit_and_at_sync(proxy, server):
    with proxy.connect() as session:
        session.query(insert(1)).expect_ok()
        session.query(f"begin; {insert(2)}; {insert(1)}").expect_ok()
        assert session.query("commit").sqlstate == "23505"
        session.send(executed(3), executed(1), SYNC)
        reply = session.ready()
        assert reply.tags == ["INSERT 0 1"] * 2 and reply.sqlstate == "23505"
    assert ledger(proxy) == {1: COMMITTED + ROLLED_BACK * 2, 2: ROLLED_BACK, 3: ROLLED_BACK}
    assert rows(server) == {1}


def test_commit_of_a_failed_transaction(proxy, server):
    with proxy.connect() as session:
        session.query(f"begin; {insert(1)}").expect_ok()
        assert session.query("select 1/0").sqlstate == "22012"
        assert session.query("commit").expect_ok().tags == ["ROLLBACK"]
    assert ledger(proxy) == {1: ROLLED_BACK}
    assert rows(server) == set()


def test_refusal_rolls_the_block_back(proxy, server):
    with proxy.connect() as session:
        session.query(f"begin; {insert(1)}").expect_ok()
        assert session.query(insert(0)).error["M"].endswith("not this one")
        assert session.query("commit").expect_ok().tags == ["ROLLBACK"]
    assert ledger(proxy) == {0: ROLLED_BACK, 1: ROLLED_BACK}
    assert rows(server) == set()


def test_pipeline_of_executes(proxy, server):
    with proxy.connect() as session:
        session.send(executed(1), executed(2, True), SYNC, executed(3), executed(0), executed(4), SYNC, executed(5), SYNC)
        session.ready().expect_ok()
        assert "not this one" in session.ready().error["M"]
        session.ready().expect_ok()
    assert ledger(proxy) == {0: ROLLED_BACK, 1: COMMITTED, 2: COMMITTED, 3: ROLLED_BACK, 5: COMMITTED}
    assert rows(server) == {1, 2, 5}


def test_what_planning_alone_has_done_is_told(proxy, server):
    """A function that says IMMUTABLE runs where the server plans, at Bind, and may have others write."""
    def bound(row):
        return parse_message("insert into seen values (lying($1))") + bind_message("", "", [str(row)])
    with proxy.connect() as session:
        session.send(bound(1), SYNC, bound(2), executed(1), SYNC)
        session.ready().expect_ok()
        assert session.ready().sqlstate == "23505"
        session.query("begin").expect_ok()
        session.send(bound(3), SYNC)
        session.ready().expect_ok()
        session.query("savepoint s").expect_ok()
        session.send(parse_message("select 1/$1"), bind_message("", "", ["0"]), execute_message(), SYNC)
        assert session.ready().sqlstate == "22012"
        session.query("rollback to s").expect_ok()
        session.send(bound(4), SYNC)
        session.ready().expect_ok()
        session.query("rollback to s").expect_ok()
        session.query("commit").expect_ok()
    assert ledger(proxy) == {1: COMMITTED + ROLLED_BACK, 2: ROLLED_BACK, 3: COMMITTED, 4: ROLLED_BACK}
    assert rows(server) == {1, 3}


def test_execute_that_failed_behind_a_savepoint_leaves_what_planning_has_done(proxy, server):
    with proxy.connect() as session:
        session.query("begin").expect_ok()
        session.send(parse_message("insert into seen values (lying($1)), ((select 1 / (1 - count(*)) from seen))"),
                     bind_message("", "", ["5"]), SYNC)
        session.ready().expect_ok()
        session.query("savepoint s").expect_ok()
        session.send(execute_message(), SYNC)
        assert session.ready().sqlstate is not None
        session.query("rollback to s").expect_ok()
        assert ledger(proxy) == {}
        session.query("commit").expect_ok()
    assert ledger(proxy) == {5: COMMITTED}
    assert rows(server) == {5}


def test_what_a_procedure_may_have_undone_in_its_pipeline_is_unknown(proxy, server):
    with proxy.connect() as session:
        session.send(executed(1), parse_message("do $$ begin rollback; end $$") + bind_message() + execute_message(), executed(2), SYNC)
        reply = session.ready()
    if reply.errors:  # PostgreSQL 18 does not let it end the transaction of a pipeline
        assert (reply.sqlstate, ledger(proxy), rows(server)) == ("2D000", {1: UNKNOWN, 2: ROLLED_BACK}, set())
    else:
        assert (ledger(proxy), rows(server)) == ({1: UNKNOWN, 2: COMMITTED}, {2})


def test_batch_in_which_a_flush_has_failed(proxy, server):
    """A statement timer that ran out between two messages: the error is that of no message, and the batch is undone."""
    with proxy.connect() as session, server.connect(database="demo") as clock:
        session.query("set statement_timeout = 150").expect_ok()
        session.send(executed(1), parse_message("select 1", "s"), FLUSH)
        assert [session.message()[0] for _ in range(4)] == [b"1", b"2", b"C", b"1"]
        clock.query("select pg_sleep(0.25)").expect_ok()
        session.send(FLUSH)
        assert session.message()[0] == b"E"
        session.send(SYNC)
        assert session.ready().status == "I"
        session.query(insert(2)).expect_ok()
    assert ledger(proxy) == {1: ROLLED_BACK, 2: COMMITTED}
    assert rows(server) == {2}


def test_savepoints(proxy, server):
    with proxy.connect() as session:
        session.query(f"begin; {insert(1)}; savepoint a; {insert(2)}; savepoint b; {insert(3)}").expect_ok()
        session.query(f"rollback to b; {insert(4)}; rollback to a; {insert(5)}").expect_ok()
        assert ledger(proxy) == {2: ROLLED_BACK, 3: ROLLED_BACK, 4: ROLLED_BACK}
        session.query("commit and chain").expect_ok()
        session.query(insert(6)).expect_ok()
        session.query("rollback").expect_ok()
    assert ledger(proxy) == {1: COMMITTED, 2: ROLLED_BACK, 3: ROLLED_BACK, 4: ROLLED_BACK, 5: COMMITTED, 6: ROLLED_BACK}
    assert rows(server) == {1, 5}


def test_prepared_transaction_is_unknown(proxy, server):
    with proxy.connect() as session:
        session.query(f"begin; {insert(1)}; prepare transaction 'x'").expect_ok()
        assert ledger(proxy) == {1: UNKNOWN}
        session.query("rollback prepared 'x'").expect_ok()
        session.query(insert(2)).expect_ok()
    assert ledger(proxy) == {1: UNKNOWN, 2: COMMITTED}


def test_procedure_that_commits_makes_doubtful_what_is_with_it(proxy, server):
    with proxy.connect() as session:
        session.send(executed(1), parse_message("call half(2, 3)"), bind_message(), execute_message(), SYNC)
        assert session.ready().errors
    assert ledger(proxy)[1] in (UNKNOWN, ROLLED_BACK)
    assert (ledger(proxy)[1] == UNKNOWN) or 1 not in rows(server)


def test_client_that_leaves_amid_a_block(proxy, server):
    with proxy.connect() as session:
        session.query(f"begin; {insert(1)}").expect_ok()
    wait_until(lambda: ledger(proxy) == {1: ROLLED_BACK}, "the block is settled")
    assert rows(server) == set()


def test_lost_connection_leaves_unknown(proxy, server):
    with proxy.connect() as session:
        pid = session.query(f"begin; {insert(1)}; select pg_backend_pid()").rows[0][0]
        session.send(query_message("select pg_sleep(60)"))
        with server.connect(database="demo") as other:
            wait_until(lambda: other.query(f"select 1 from pg_stat_activity where pid = {pid} and query ~ 'pg_sleep'").rows,
                       "the statement runs")
            other.query(f"select pg_terminate_backend({pid})").expect_ok()
        session.until_closed()
    wait_until(lambda: ledger(proxy) == {1: UNKNOWN}, "the block is settled")


class Story:
    """Random transactions, by whatever messages; what the server thinks of them is its business."""

    def __init__(self, seed, numbers):
        self.random = random.Random(seed)
        self.numbers = numbers

    def statement(self):
        dice = self.random.random()
        if dice < 0.6:
            return insert(next(self.numbers))
        return self.random.choice([
            "begin", "commit", "rollback", "savepoint a", "savepoint b", "rollback to a", "rollback to b", "release a",
            "select 1/0", "select 1", "commit and chain", "rollback and chain", insert(0), insert(1)])

    def message(self):
        count = self.random.choice([1, 1, 1, 2, 3, 5])
        if self.random.random() < 0.5:
            return query_message("; ".join(self.statement() for _ in range(count)))
        batch = b""
        for _ in range(count):
            if self.random.random() < 0.4:
                batch += executed(next(self.numbers), parameter=True)
            else:
                batch += parse_message(self.statement()) + bind_message() + execute_message()
        return batch + SYNC


def test_random_transactions_settle_as_the_table_says(proxy, server):
    numbers = itertools.count(10)
    for seed in range(ROUNDS):
        story = Story(seed, numbers)
        with proxy.connect() as session:
            for _ in range(8):
                session.send(story.message())
                session.ready()
            session.query("rollback")
    told = ledger(proxy)
    told.pop(0, None), told.pop(1, None)
    assert set(told.values()) <= {COMMITTED, ROLLED_BACK}
    assert {row for row, settlement in told.items() if settlement == COMMITTED} == rows(server) - {1}
