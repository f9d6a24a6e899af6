# SPDX-License-Identifier: Apache-2.0
"""Logins in bounds: how many are under way at a time, and how soon one may follow on others that have failed."""

import contextlib
import os
import re
import select
import struct

import pytest
from harness.certificates import make_certificate
from harness.clients import psql_with
from harness.front import Front, text_header
from harness.postgres import PASSWORD
from harness.waiting import wait_until
from harness.wire import Wire, WireError, cstring, fields_of, message, query_message, startup_packet

HERE, ELSEWHERE = "192.0.2.7", "198.51.100.9"
# Own logins, and those that the server decides: a login that has to wait is one of both.
RULES = ["host all all all scram-sha-256\n", None]
QUICK = {"limits__failed_logins": 3, "limits__failed_login_delay_ms": 50, "limits__failed_login_max_delay_ms": 100}


@pytest.fixture
def guessed(make_proxy, postgres):
    """guessed(rules, **settings): a started proxy that believes PROXY headers, with these host rules."""
    def start(rules, **settings):
        own = {"auth__hba_file": "pg_hba.conf", "auth__user_file": "userlist.txt"} if rules else {}
        proxy = make_proxy(**own, **{"listen__proxy_protocol_from": ["127.0.0.0/8"], **QUICK, **settings})
        if rules:
            for name, text in (("pg_hba.conf", rules), ("userlist.txt", f'"by_scram" "{PASSWORD}"\n"by_md5" "{PASSWORD}"\n')):
                path = os.path.join(proxy.directory, name)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                os.chmod(path, 0o600)
        return proxy.start()
    return start


def log_in(proxy, user="by_scram", password=PASSWORD, address=HERE):
    """The SQLSTATE of the refusal; empty: it was let in."""
    with Front(proxy.port, text_header(address)) as front:
        try:
            Wire("127.0.0.1", front.port, user=user, password=password).close()
            return ""
        except WireError as refused:
            return refused.fields["C"]


def slowed(proxy):
    return proxy.admin.metric("helios_slowed_logins_total")


@pytest.mark.parametrize("rules", RULES)
def test_who_guesses_waits_and_nobody_else(guessed, rules):
    proxy = guessed(rules)
    for _ in range(3):
        assert log_in(proxy, password="wrong") == "28P01"
    assert slowed(proxy) == 0
    assert log_in(proxy, password="wrong") == "28P01"
    assert slowed(proxy) == 1
    proxy.wait_for_log(re.escape(f'many logins of user "by_scram" from {HERE} fail: the next ones have to wait'))
    # The owner of the name, from elsewhere; and another user from there.
    assert log_in(proxy, address=ELSEWHERE) == ""
    assert log_in(proxy, user="by_md5") == ""
    assert slowed(proxy) == 1
    # Nobody is kept out: the right password comes in, and begins anew.
    assert log_in(proxy) == ""
    assert slowed(proxy) == 2
    assert log_in(proxy) == ""
    assert log_in(proxy, password="wrong") == "28P01"
    assert slowed(proxy) == 2
    wait_until(lambda: proxy.admin.metric("helios_failed_logins_total") == 5, "they are counted")


def test_guesses_that_began_together_wait_too(guessed):
    """All of them were asked for their password before the first has failed."""
    proxy = guessed("host all all all password\n", auth__allow_cleartext_passwords=True)
    with contextlib.ExitStack() as stack:
        front = stack.enter_context(Front(proxy.port, text_header(HERE)))
        clients = [stack.enter_context(front.raw()) for _ in range(8)]
        for client in clients:
            client.send(startup_packet({"user": "by_scram", "database": "demo"}))
            assert client.message() == (b"R", struct.pack("!i", 3))
        assert slowed(proxy) == 0
        for client in clients:
            client.send(message(b"p", cstring("wrong")))
        for client in clients:
            assert fields_of(client.message()[1])["C"] == "28P01"
    assert slowed(proxy) >= 4  # three are free, and another worker may just be looking at one


def test_many_names_from_one_address_wait_together(guessed):
    proxy = guessed(RULES[0], limits__failed_logins=1)
    for number in range(10):
        assert log_in(proxy, user=f"user{number}", password="wrong") == "28P01"
    assert slowed(proxy) == 0
    assert log_in(proxy) == ""
    assert slowed(proxy) == 1
    assert log_in(proxy) == ""  # who has got in does not wait for the others again
    assert slowed(proxy) == 1
    assert log_in(proxy, user="by_md5", address=ELSEWHERE) == ""
    assert slowed(proxy) == 1


def test_only_some_wait_at_once(guessed):
    """Each of them has a password to try: that is how many at a time somebody tries."""
    proxy = guessed(RULES[0], limits__failed_login_delay_ms=20_000, limits__failed_login_max_delay_ms=20_000)
    for _ in range(3):
        assert log_in(proxy, password="wrong") == "28P01"
    with contextlib.ExitStack() as stack:
        front = stack.enter_context(Front(proxy.port, text_header(HERE)))
        for _ in range(10):
            stack.enter_context(front.raw())
        wait_until(lambda: proxy.admin.metric("helios_logins_under_way") == 10, "they are there")
        assert log_in(proxy) == "53300"
        assert log_in(proxy, user="by_md5") == ""  # of whom nothing has failed
        assert log_in(proxy, address=ELSEWHERE) == ""
    wait_until(lambda: proxy.admin.metric("helios_refused_logins_total") == 1, "they are counted")


def test_zero_switches_it_off(guessed):
    proxy = guessed(RULES[0], limits__failed_logins=0)
    for _ in range(8):
        assert log_in(proxy, password="wrong") == "28P01"
    assert slowed(proxy) == 0


# How many are under way


def test_logins_under_way_have_a_limit(start_proxy, postgres, tmp_path):
    certificate = make_certificate(tmp_path)
    proxy = start_proxy(limits__max_logins_under_way=2, tls__certificate=certificate.path, tls__key=certificate.key)
    with proxy.connect() as session, contextlib.ExitStack() as stack:
        silent = [stack.enter_context(proxy.raw()) for _ in range(2)]
        wait_until(lambda: proxy.admin.metric("helios_logins_under_way") == 2, "both are there")
        done = psql_with(proxy.port, "SELECT 1", user="postgres", sslmode="disable")
        assert "too many logins under way" in done.stderr and "[limits] max_logins_under_way" in done.stderr
        done = psql_with(proxy.port, "SELECT 1", user="postgres", sslmode="require")
        assert done.returncode != 0  # before any handshake; libpq from 17 on shows nobody what was said there
        assert proxy.admin.metric("helios_tls_handshakes_total") == 0
        assert session.query("SELECT 42").value() == "42"
        session.send(query_message("SELECT pg_sleep(60)"))
        with postgres.connect() as admin:
            running = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'"
            wait_until(lambda: admin.query(running).value() == "1", "it runs")
        session.cancel("127.0.0.1", proxy.port)
        assert session.ready().sqlstate == "57014"
        wait_until(lambda: proxy.admin.metric("helios_refused_logins_total") == 2, "they are counted")
        silent[0].close()
        wait_until(lambda: proxy.admin.metric("helios_logins_under_way") == 1, "one is gone")
        proxy.connect().close()


def test_login_is_under_way_until_the_server_has_let_in(start_proxy):
    proxy = start_proxy(limits__max_logins_under_way=1)
    with proxy.raw() as client:
        client.send(struct.pack("!ii", 8, 80877103))
        assert client.exactly(1) == b"N"
        with pytest.raises(WireError) as refused:
            proxy.connect()
        assert refused.value.fields["C"] == "53300"
    wait_until(lambda: proxy.admin.metric("helios_logins_under_way") == 0, "it is gone")
    with proxy.connect(), proxy.connect():
        pass


def test_silent_crowd_of_one_address_does_not_take_the_places_of_others(guessed):
    """Who is turned away does not count; and is told so, after a while without a word of his."""
    proxy = guessed(None, limits__max_connections=4, limits__max_address_logins_under_way=1)
    with Front(proxy.port, text_header(HERE)) as front, contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(front.raw()) for _ in range(20)]
        wait_until(lambda: proxy.admin.metric("helios_sessions") == 20, "they are there")
        for _ in range(3):
            assert log_in(proxy, address=ELSEWHERE) == ""
        wait_until(lambda: proxy.admin.metric("helios_sessions") == 1, "all but the one that had a place are gone")
        told = [client.message() for client in crowd if has_answer(client)]
        assert len(told) == 19 and all(kind == b"E" and b"53300" in body for kind, body in told)


def has_answer(client):
    return bool(select.select([client.socket], [], [], 0)[0])
