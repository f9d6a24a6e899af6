# SPDX-License-Identifier: Apache-2.0
"""dedup on a real server: what happened once is not done again, and what did not happen may be."""

import itertools
import json

import pytest
from harness.shared import running_proxy
from test_plugins import files_of

REPEATED = "55000"
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def proxy(postgres):
    with running_proxy(postgres.port, files_of("dedup")) as proxy:
        put(proxy, {"window_ms": 3600000})
        with proxy.connect() as session:
            session.query("CREATE TABLE orders (item int PRIMARY KEY, note text)").expect_ok()
        yield proxy
        (plugin,) = proxy.admin.get("/plugins").json
        assert plugin["failures"] == 0, plugin["last_error"]


@pytest.fixture
def session(proxy):
    put(proxy, {"window_ms": 3600000})
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        yield session


def put(proxy, config):
    proxy.admin.put("dedup", "config", json.dumps(config))


def insert():
    return f"INSERT INTO orders VALUES ({next(numbers)})"


def test_repeat_is_refused(session):
    order = insert()
    session.query(order).expect_ok()
    assert session.query(order).sqlstate == REPEATED


def test_failed_statement_may_be_sent_again(session):
    order = insert()
    session.query(order).expect_ok()
    fails = order.replace("INTO orders", "INTO public.orders")
    for _ in range(2):
        assert session.query(fails).sqlstate == "23505"


def test_rolled_back_transaction_may_be_tried_again(session):
    order = insert()
    for _ in range(2):
        session.query("BEGIN").expect_ok()
        session.query(order).expect_ok()
        assert session.query("SELECT 1 / 0").sqlstate == "22012"
        session.query("ROLLBACK").expect_ok()
    session.query(order).expect_ok()
    assert session.query(order).sqlstate == REPEATED


def test_message_that_was_refused_leaves_no_mark(session):
    first, second = insert(), insert()
    session.query(first).expect_ok()
    assert session.query(f"{second}; {first}").sqlstate == REPEATED
    session.query(second).expect_ok()


def test_execute_with_other_arguments_passes(session):
    item = next(numbers)
    next(numbers)
    session.query("PREPARE place(int) AS INSERT INTO orders VALUES ($1)").expect_ok()
    session.query(f"EXECUTE place({item})").expect_ok()
    session.query(f"EXECUTE place({item + 1})").expect_ok()


def test_cursors_and_copies_are_left_alone(session):
    session.query("BEGIN").expect_ok()
    session.query("DECLARE c CURSOR FOR SELECT item FROM orders FOR UPDATE").expect_ok()
    for _ in range(2):
        session.query("FETCH 1 FROM c").expect_ok()
        session.query("UPDATE orders SET note = 'seen' WHERE CURRENT OF c").expect_ok()
    session.query("COMMIT").expect_ok()
    for _ in range(2):
        session.query("COPY orders TO STDOUT").expect_ok()


def test_prepared_repeat_is_refused_where_a_query_is_answered(proxy, session):
    put(proxy, {"window_ms": 3600000, "answer": "taken"})
    order = insert()
    session.query(order).expect_ok()
    session.query(order).expect_ok()
    prepared = insert()
    session.prepared(prepared).expect_ok()
    assert session.prepared(prepared).sqlstate == REPEATED
