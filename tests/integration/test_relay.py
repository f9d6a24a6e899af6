# SPDX-License-Identifier: Apache-2.0
"""What the server says arrives unchanged, whatever it is and however much."""

import hashlib

import pytest
from harness.clients import psql
from harness.waiting import wait_until
from harness.wire import SYNC, TERMINATE, Closed, execute_message, message, parse_message, query_message, bind_message


@pytest.fixture
def proxy(start_proxy):
    return start_proxy()


# Each list is one conversation; the answers must be the server's own, byte for byte.
CONVERSATIONS = [
    ["SELECT 1"],
    [""],
    ["-- nothing"],
    ["SELECT 1; SELECT 2; SELECT 3"],
    ["SELECT NULL, '', E'\\t\\u00e9', 1.5::float8"],
    ["SELECT 1/0"],
    ["SELECT 1; SELECT 1/0; SELECT 3"],
    ["nonsense"],
    ["BEGIN", "SELECT 1/0", "SELECT 1", "ROLLBACK"],
    ["BEGIN; SELECT 1", "COMMIT"],
    ["SET TimeZone = 'Asia/Tokyo'", "SHOW TimeZone"],
    ["DO $$BEGIN RAISE NOTICE 'a notice'; END$$"],
    ["CREATE TEMP TABLE t (a int)", "INSERT INTO t VALUES (1), (2)", "SELECT a + 0 FROM t", "DELETE FROM t"],
    ["LISTEN channel", "NOTIFY channel, 'payload'", "SELECT 1"],
    ["SELECT repeat('x', 1000000)"],
    ["SELECT generate_series(1, 20000)"],
    ["PREPARE p AS SELECT $1::int", "EXECUTE p(3)", "DEALLOCATE p"],
]


def everything(connect, conversation):
    """All messages of all answers. Fields that name a process differ between sessions and are left out."""
    with connect() as session:
        seen = []
        for text in conversation:
            session.send(query_message(text))
            while True:
                kind, body = session.message()
                seen.append((kind, body if kind != b"A" else body[4:]))
                if kind == b"Z":
                    break
        return seen


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda texts: texts[0][:30])
def test_answers_are_the_servers_own(proxy, postgres, conversation):
    direct = everything(lambda: postgres.connect(database="demo"), conversation)
    assert everything(proxy.connect, conversation) == direct


def test_answers_are_the_servers_own_beside_a_plugin(start_proxy, postgres, counter):
    proxy = start_proxy(plugins=[counter], protocol__function_call="pass")
    for conversation in CONVERSATIONS:
        if "nonsense" in conversation:
            continue  # the proxy itself refuses what it cannot read while a plugin may object
        direct = everything(lambda: postgres.connect(database="demo"), conversation)
        assert everything(proxy.connect, conversation) == direct, conversation


def test_parameters_of_the_session_arrive(proxy, postgres):
    with proxy.connect() as session, postgres.connect(database="demo") as direct:
        assert session.parameters == direct.parameters


def test_extended_protocol_passes_without_plugins(proxy):
    with proxy.connect() as session:
        assert session.prepared("SELECT $1::text || 'b'", ["a"]).rows == [["ab"]]
        session.send(parse_message("SELECT 1/$1::int", "s"), bind_message(name="s", values=["0"]), execute_message(),
                     parse_message("SELECT 2"), SYNC)
        reply = session.ready()
        assert reply.types == "1EZ" and reply.sqlstate == "22012"


def test_pipelined_queries_are_answered_in_order(proxy):
    with proxy.connect() as session:
        session.send(*(query_message(f"SELECT {number}") for number in range(200)))
        assert [session.ready().value() for _ in range(200)] == [str(number) for number in range(200)]


def test_query_and_terminate_in_one_send_is_answered_whole(proxy):
    with proxy.connect() as session:
        session.send(query_message("SELECT repeat('x', 100000)"), TERMINATE)
        assert len(session.ready().value()) == 100000
        session.expect_closed()


def test_message_sent_byte_by_byte_is_understood(proxy):
    with proxy.connect() as session:
        for byte in query_message("SELECT 'slowly'"):
            session.send(bytes([byte]))
        assert session.ready().value() == "slowly"


@pytest.mark.parametrize("with_plugin", [False, True])
def test_copy_in_and_out_passes(start_proxy, counter, with_plugin):
    proxy = start_proxy(plugins=[counter] if with_plugin else [])
    data = b"".join(b"%d\tline %d\n" % (n, n) for n in range(100000))
    with proxy.connect() as session:
        session.query("CREATE TEMP TABLE copied (n int, text text)").expect_ok()
        session.send(query_message("COPY copied FROM STDIN"))
        assert session.message()[0] == b"G"
        for at in range(0, len(data), 50000):
            session.send(message(b"d", data[at:at + 50000]))
        session.send(message(b"c"))
        assert session.ready().tags == ["COPY 100000"]
        session.send(query_message("COPY copied TO STDOUT"))
        digest = hashlib.sha256()
        for kind, body in session.ready().messages:
            if kind == b"d":
                digest.update(body)
        assert digest.digest() == hashlib.sha256(data).digest()


def test_notifications_arrive_between_queries(proxy):
    with proxy.connect() as listener, proxy.connect() as notifier:
        listener.query("LISTEN news").expect_ok()
        notifier.query("NOTIFY news, 'today'").expect_ok()
        kind, body = listener.message()
        assert kind == b"A" and body[4:] == b"news\0today\0"


def test_psql_runs_several_commands_in_one_session(proxy):
    done = psql(proxy.port, "CREATE TEMP TABLE t AS SELECT 7 AS a", "SELECT a FROM t")
    assert done.stdout.splitlines()[-1] == "7"


def test_server_by_unix_socket(start_proxy, postgres):
    proxy = start_proxy(server__host=postgres.directory)
    with proxy.connect() as session:
        assert session.query("SELECT inet_server_addr()").value() is None


def sessions_of(postgres, application):
    with postgres.connect() as admin:
        count = admin.query(f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{application}'")
        return int(count.value())


def test_terminate_ends_the_servers_session(proxy, postgres):
    session = proxy.connect(parameters={"application_name": "leaves"})
    assert sessions_of(postgres, "leaves") == 1
    session.terminate()
    wait_until(lambda: sessions_of(postgres, "leaves") == 0, "the server's session has ended")


def test_client_that_vanishes_ends_the_servers_session(proxy, postgres):
    session = proxy.connect(parameters={"application_name": "vanishes"})
    assert sessions_of(postgres, "vanishes") == 1
    session.close()
    wait_until(lambda: sessions_of(postgres, "vanishes") == 0, "the server's session has ended")


def test_server_that_ends_the_session_has_the_last_word(proxy, postgres):
    with proxy.connect(parameters={"application_name": "killed"}) as session, postgres.connect() as admin:
        admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'killed'")
        kind, body = session.message()
        assert kind == b"E" and b"57P01" in body
        with pytest.raises(Closed):
            session.message()


def test_cancel_reaches_the_right_session(start_proxy, postgres):
    # More sessions than workers: the cancel request lands on any of them.
    proxy = start_proxy(listen__workers=2)
    sessions = [proxy.connect() for _ in range(4)]
    for session in sessions:
        session.send(query_message("SELECT pg_sleep(600)"))
    running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(600)'"
    with postgres.connect() as admin:
        wait_until(lambda: admin.query(running).value() == "4", "the server has begun with all of them")
    for number, session in enumerate(sessions):
        session.cancel("127.0.0.1", proxy.port)
        assert proxy.admin.metric("helios_cancel_requests_total") == number + 1
        assert session.ready().sqlstate == "57014", f"session {number}\n{proxy.log}"
        assert session.query("SELECT 1").value() == "1"
        session.close()
