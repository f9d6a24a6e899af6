# SPDX-License-Identifier: Apache-2.0
"""A plugin limits answers: what reaches the client, and what becomes of the transaction, on the real server."""

import os

import pytest
from harness.clients import psql
from harness.waiting import wait_until
from harness.wire import FLUSH, SYNC, bind_message, execute_message, message, parse_message, query_message
from test_memory import ENVIRONMENT, MOST_GROWTH_KIB, Watch

BUILD_DIR = os.environ.get("HELIOS_BUILD_DIR", "build/dev")
CAPPING = os.path.join(BUILD_DIR, "guests", "capping.wasm")
MANY = 10_000_000  # rows, of which the server makes a few thousand before the cancel is there


@pytest.fixture
def proxy(start_proxy):
    return start_proxy(plugins=[CAPPING], environment=ENVIRONMENT)


@pytest.fixture
def session(proxy, postgres):
    with postgres.connect(database="demo") as direct:
        direct.query("DROP TABLE IF EXISTS limited; CREATE TABLE limited (a int)").expect_ok()
    with proxy.connect() as session:
        yield session


def numbers(session):
    """What is committed."""
    return [row[0] for row in session.query("SELECT a FROM limited ORDER BY a").expect_ok().rows]


def expect_cut(reply, rows, limit=None):
    assert (reply.sqlstate, len(reply.rows)) == ("54000", rows), reply.errors
    assert reply.error["M"] == f"the answer is limited to {limit or f'{rows} row' + 's' * (rows != 1)}"
    assert 'Limited by plugin "capping", request ' in reply.error["D"]
    return reply


def batch(*texts):
    return [part for text in texts for part in (parse_message(text), bind_message(), execute_message())]


def ends(proxy):
    return proxy.admin.value("capping", "ends").split("\n")[:-1]


def test_ten_million_rows_are_cut_at_a_thousand(proxy, session):
    with Watch(proxy) as watch:
        reply = expect_cut(session.query(f"SELECT /* rows=1000 */ i, repeat('x', 100) FROM generate_series(1, {MANY}) i"), 1000)
    assert watch.growth_kib < MOST_GROWTH_KIB
    assert reply.types == "T" + "D" * 1000 + "EZ" and reply.status == "I"
    assert "The statement was completed" not in reply.error["D"] and "LIMIT" in reply.error["H"]
    assert session.query("SELECT 1").value() == "1"
    refusal, = proxy.admin.get("/refusals").json["refusals"]
    assert (refusal["plugin"], refusal["decided_by"], refusal["sqlstate"]) == ("capping", "cap", "54000")
    assert refusal["request_id"] in reply.error["D"]
    assert 'helios_caps_total{kind="rows",plugin="capping"} 1' in proxy.admin.get("/metrics").text
    assert ends(proxy)[-2] == "failed 54000 1000"


def test_one_row_that_is_larger_than_the_limit_is_not_sent(proxy, session):
    session.query("INSERT INTO limited SELECT generate_series(1, 20000)").expect_ok()
    with Watch(proxy) as watch:
        reply = expect_cut(session.query("SELECT string_agg(repeat(a::text, 100), ',') FROM limited -- bytes=100000"), 0, "100000 bytes")
    assert watch.growth_kib < MOST_GROWTH_KIB and reply.error["H"] == "ask for bytes"
    assert reply.error["D"].startswith("0 rows of 0 bytes were sent.")
    assert 'helios_caps_total{kind="bytes",plugin="capping"} 1' in proxy.admin.get("/metrics").text


def test_bytes_are_counted_up_to_the_last_row_that_fits(session):
    reply = session.query("SELECT 'x' FROM generate_series(1, 1000) -- bytes=120")
    expect_cut(reply, 10, "120 bytes")  # 12 bytes each
    assert not session.query("SELECT 'x' FROM generate_series(1, 10) -- bytes=120").errors


def test_notices_count_as_bytes(proxy, session):
    """What a function may not say in rows it could say in notices."""
    loop = "DO $$BEGIN FOR i IN 1..{} LOOP RAISE NOTICE '%', repeat('x', 1000); END LOOP; END$$ -- bytes=50000"
    reply = session.query(loop.format(1_000_000))
    expect_cut(reply, 0, "50000 bytes")
    assert 20 < len(session.notices) < 50 and reply.status == "I"
    session.notices.clear()
    session.query(loop.format(20)).expect_ok()
    assert len(session.notices) == 20
    assert session.query("SELECT 1").value() == "1"


def test_long_error_counts_as_bytes_and_a_short_one_is_told(session):
    raising = "DO $$BEGIN RAISE EXCEPTION '%', repeat('x', {}); END$$ -- bytes=100"
    expect_cut(session.query(raising.format(1_000_000)), 0, "100 bytes")
    expect_cut(session.query(raising.format(20_000_000)), 0, "100 bytes")
    assert session.query(raising.format(500)).sqlstate == "P0001"
    assert session.query("SELECT 1").value() == "1"


def test_line_of_the_servers_log_behind_a_statement_cuts_nothing(session):
    """It comes behind the end of a piece, where nothing runs."""
    for text in ("SET client_min_messages = log", "SET log_duration = on"):
        session.query(text).expect_ok()
    reply = session.query("SELECT 1 -- bytes=20\n; SELECT 2 -- bytes=20\n; SELECT 3").expect_ok()
    assert [row[0] for row in reply.rows] == ["1", "2", "3"] and session.notices
    assert session.query("SELECT 1").value() == "1"


@pytest.mark.parametrize("rows", [3, 20, MANY])
def test_block_has_failed_whoever_was_faster(session, rows):
    session.query("BEGIN").expect_ok()
    session.query("INSERT INTO limited VALUES (1)").expect_ok()
    assert expect_cut(session.query(f"SELECT /* rows=2 */ generate_series(1, {rows})"), 2).status == "E"
    assert session.query("SELECT 1").sqlstate == "25P02"
    assert session.query("COMMIT").expect_ok().tags == ["ROLLBACK"]
    assert numbers(session) == []


def test_savepoint_brings_the_block_back(session):
    session.query("BEGIN").expect_ok()
    session.query("INSERT INTO limited VALUES (1)").expect_ok()
    session.query("SAVEPOINT s").expect_ok()
    expect_cut(session.query("SELECT /* rows=0 */ 1"), 0)
    session.query("ROLLBACK TO s").expect_ok()
    session.query("COMMIT").expect_ok()
    assert numbers(session) == ["1"]


def test_statement_that_stood_alone_may_be_completed_and_says_so(proxy, session):
    reply = expect_cut(session.query("INSERT INTO limited VALUES (1), (2) RETURNING a -- rows=1"), 1)
    is_completed = "The statement was completed, and what it did is committed." in reply.error["D"]
    assert numbers(session) == (["1", "2"] if is_completed else [])
    assert ends(proxy)[0] == ("executed  1" if is_completed else "failed 54000 1")


@pytest.mark.parametrize("rows", [3, 20, MANY])
def test_pipeline_is_undone_whoever_was_faster(session, rows):
    session.send(*batch("INSERT INTO limited VALUES (1)", f"SELECT /* rows=2 */ generate_series(1, {rows})",
                        "INSERT INTO limited VALUES (2)"), SYNC, *batch("INSERT INTO limited VALUES (3)"), SYNC)
    reply = expect_cut(session.ready(), 2)
    assert reply.types == "12C12DDEZ" and session.ready().types == "12CZ"
    assert numbers(session) == ["3"]


@pytest.mark.parametrize("rows", [3, 20, MANY])
def test_query_of_several_statements_is_undone_whoever_was_faster(session, rows):
    reply = session.query(f"INSERT INTO limited VALUES (1); SELECT /* rows=2 */ generate_series(1, {rows}); INSERT INTO limited VALUES (2)")
    assert expect_cut(reply, 2).types == "CTDDEZ" and reply.status == "I"
    assert numbers(session) == []
    reply = session.query("INSERT INTO limited VALUES (1); SELECT /* rows=2 */ 1; INSERT INTO limited VALUES (2)").expect_ok()
    assert (reply.types, reply.status, reply.tags) == ("CTDCCZ", "I", ["INSERT 0 1", "SELECT 1", "INSERT 0 1"])
    assert numbers(session) == ["1", "2"]


def test_block_within_one_query(session):
    assert session.query("BEGIN; INSERT INTO limited VALUES (1); SELECT 'rows=1'; COMMIT").expect_ok().types == "CCTDCCZ"
    reply = expect_cut(session.query("BEGIN; INSERT INTO limited VALUES (2); SELECT 'rows=1' FROM limited, limited x, generate_series(1, 2); COMMIT"), 1)
    assert reply.status == "E"
    session.query("ROLLBACK").expect_ok()
    assert session.query("SELECT 'rows=1'; COMMIT; SELECT 1").sqlstate == "0A000"
    assert numbers(session) == ["1"]


def test_portal_in_parts_and_behind_a_savepoint(session):
    session.query("BEGIN").expect_ok()
    session.send(parse_message("SELECT /* rows=5 */ generate_series(1, 100)"), bind_message("c"), SYNC)
    session.ready().expect_ok()
    session.query("SAVEPOINT s").expect_ok()
    session.send(execute_message("c", 3), FLUSH, execute_message("c", 3), SYNC)
    assert expect_cut(session.ready(), 5, "5 rows").types == "DDDsDDEZ"
    session.query("ROLLBACK TO s").expect_ok()
    session.send(execute_message("c", 3), SYNC)
    reply = session.ready()
    assert reply.rows == [] and reply.sqlstate in ("54000", "55000", "34000"), reply.errors


def test_cursor_is_limited_over_all_fetches(session):
    session.query("BEGIN").expect_ok()
    session.query("DECLARE c SCROLL CURSOR FOR SELECT /* rows=5 */ generate_series(1, 100)").expect_ok()
    assert len(session.query("FETCH 3 FROM c").expect_ok().rows) == 3
    assert len(session.query("FETCH BACKWARD 1 FROM c").expect_ok().rows) == 1
    expect_cut(session.query("FETCH ALL FROM c"), 1, "5 rows")


@pytest.mark.parametrize("options, messages", [("", 3), (" (FORMAT csv, HEADER)", 3), (" (FORMAT binary)", 3)])
@pytest.mark.parametrize("rows", [5, MANY // 10])
def test_copy_to_the_client_is_cut(session, options, messages, rows):
    reply = session.query(f"COPY (SELECT 'rows={messages}', generate_series(1, {rows})) TO STDOUT{options}")
    assert reply.types == "H" + "d" * messages + "EZ" and reply.sqlstate == "54000"
    assert session.query("SELECT 1").value() == "1"


def test_copy_from_the_client_is_not(session):
    session.send(query_message("COPY limited FROM STDIN /* rows=0 bytes=0 */"), message(b"d", b"7\n"), message(b"c"))
    session.ready()
    assert numbers(session) == ["7"]


def test_cancel_meets_nothing_else(session):
    """Each cut is followed at once by a statement that takes a moment: a cancel that is late would meet it."""
    for _ in range(40):
        session.send(query_message("SELECT /* rows=1 */ generate_series(1, 30)"), query_message("SELECT count(*) FROM generate_series(1, 20000)"),
                     *batch("SELECT /* rows=1 */ generate_series(1, 3000)"), SYNC, *batch("SELECT count(*) FROM generate_series(1, 20000)"), SYNC)
        for is_cut in (True, False, True, False):
            reply = session.ready()
            assert reply.sqlstate == "54000" if is_cut else reply.rows == [["20000"]], reply.errors


def test_psql_reads_the_error_and_goes_on(proxy):
    done = psql(proxy.port, f"SELECT /* rows=2 */ generate_series(1, {MANY})", "SELECT 'on'", check=False)
    assert "ERROR:  the answer is limited to 2 rows" in done.stderr and "HINT:  Ask for less" in done.stderr
    assert done.stdout.splitlines()[-1] == "on"
    done = psql(proxy.port, "\\set FETCH_COUNT 10", f"SELECT /* rows=25 */ generate_series(1, {MANY})", "SELECT 'on'", check=False)
    assert "ERROR:  the answer is limited to 25 rows" in done.stderr and done.stdout.endswith("on\n")  # behind the rows that psql had


def test_client_that_leaves_amid_what_is_dropped(proxy):
    session = proxy.connect()
    session.send(query_message(f"SELECT /* rows=1 */ generate_series(1, {MANY})"))
    session.message()
    session.reset()
    wait_until(lambda: proxy.admin.metric("helios_sessions") == 0, "the session has ended")
    assert proxy.admin.get("/healthz").status == 200
