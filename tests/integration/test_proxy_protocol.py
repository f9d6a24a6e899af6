# SPDX-License-Identifier: Apache-2.0
"""Clients that a load balancer brings: the address in its PROXY header is theirs for everything behind it, and nobody else's
header is believed."""

import json
import os
import struct

import pytest
from harness.certificates import make_certificate
from harness.clients import psql_with
from harness.front import Front, binary_header, checked_header, text_header, tlv
from harness.postgres import PASSWORD
from harness.waiting import wait_until
from harness.wire import Closed, Wire, WireError, query_message, startup_packet

FRONTS = ["127.0.0.0/8"]
CLIENT, OTHER = "192.0.2.7", "198.51.100.9"
RULES = """host all all 192.0.2.0/24 trust
host all all 2001:db8::/32 trust
host all all 127.0.0.0/8 reject
"""


@pytest.fixture
def front_of():
    """front_of(proxy, header): a Front before the proxy."""
    made = []

    def make(proxy, header=b"", path=None):
        made.append(Front(path or proxy.port, header))
        return made[-1]
    yield make
    for each in made:
        each.__exit__()


@pytest.fixture
def proxy_with(make_proxy):
    """proxy_with(rules, **settings): started, with these host rules."""
    def start(rules=RULES, **settings):
        proxy = make_proxy(auth__hba_file="pg_hba.conf", **{"listen__proxy_protocol_from": FRONTS, **settings})
        with open(os.path.join(proxy.directory, "pg_hba.conf"), "w", encoding="utf-8") as file:
            file.write(rules)
        return proxy.start()
    return start


def psql(front, **parameters):
    return psql_with(front.port, "SELECT 42", user="postgres", **parameters)


def refusal(front, **parameters):
    with pytest.raises(WireError) as refused:
        Wire("127.0.0.1", front.port, **parameters).close()
    return refused.value.fields


# What is believed


@pytest.mark.parametrize("header", [
    text_header(CLIENT), text_header("2001:DB8::7", "TCP6"), binary_header(CLIENT), binary_header("2001:db8::7"),
    binary_header(CLIENT, tlv(0x04, b"padding") + tlv(0x02, b"db.example")), checked_header(CLIENT)])
def test_host_rules_see_the_client(proxy_with, front_of, header):
    proxy = proxy_with()
    done = psql(front_of(proxy, header))
    assert done.stdout == "42\n", done.stderr


@pytest.mark.parametrize("header", [text_header(OTHER), binary_header(OTHER)])
def test_client_whom_no_rule_lets_in_is_told_his_address(proxy_with, front_of, header):
    proxy = proxy_with()
    told = refusal(front_of(proxy, header))
    assert (told["C"], told["M"]) == (
        "28000", f'no pg_hba.conf entry for host "{OTHER}", user "postgres", database "demo", no encryption')
    kept = proxy.admin.get("/refusals").json["refusals"][0]
    assert kept["client"] == OTHER, kept


@pytest.mark.parametrize("header", [b"PROXY UNKNOWN\r\n", binary_header(), binary_header(CLIENT, command=0), binary_header(command=0)])
def test_front_that_speaks_for_itself_is_the_client(proxy_with, front_of, header):
    proxy = proxy_with("host all all 127.0.0.1/32 trust\n")
    assert psql(front_of(proxy, header)).stdout == "42\n"


def test_header_is_read_however_it_is_cut(proxy_with):
    proxy = proxy_with()
    for header in (text_header(CLIENT), checked_header(CLIENT)):
        whole = header + startup_packet({"user": "postgres", "database": "demo"})
        for cut in (1, 6, 12, 16, len(header) - 1, len(header), len(header) + 1):
            with proxy.raw() as client:
                client.send(whole[:cut])
                client.send(whole[cut:])
                assert client.message() == (b"R", struct.pack("!i", 0)), cut


def test_plugins_and_identity_rules_see_the_client(make_proxy, front_of, guests):
    proxy = make_proxy([os.path.join(guests, "echo_input.wat")], listen__proxy_protocol_from=FRONTS,
                       identity__rules=[{"client": "192.0.2.0/24", "tenant": "acme"}, {"tenant": "nobody"}]).start()
    with Wire("127.0.0.1", front_of(proxy, binary_header(CLIENT)).port) as session:
        session.query("SELECT 1").expect_ok()
    assert json.loads(proxy.admin.value("echo-input", "login"))["client_ip"] == CLIENT
    context = json.loads(proxy.admin.value("echo-input", "input"))["hook_context"]
    assert context["attributes"]["client_ip"] == CLIENT
    assert context["attributes"]["tenant_id"] == "acme"


# What follows it


def test_tls_asked_for_and_at_once(proxy_with, front_of, tmp_path):
    certificate = make_certificate(tmp_path)
    proxy = proxy_with("hostssl all all 192.0.2.0/24 trust\n", tls__certificate=certificate.path, tls__key=certificate.key)
    front = front_of(proxy, binary_header(CLIENT))
    done = psql(front, sslmode="verify-full", sslrootcert=certificate.path)
    assert done.stdout == "42\n", done.stderr
    with front.raw() as client:
        client.encrypt(certificate.trusting("postgresql"), is_direct=True)
        client.send(startup_packet({"user": "postgres", "database": "demo"}))
        assert client.message() == (b"R", struct.pack("!i", 0))
    front.header = binary_header(OTHER)
    done = psql(front, sslmode="require")
    assert f'no pg_hba.conf entry for host "{OTHER}", user "postgres", database "demo", SSL encryption' in done.stderr
    with front.raw() as client:  # a handshake that fails is the client's too
        client.send(b"\x16\x03\x01\0\x05hello")
        client.until_closed()
    proxy.wait_for_log(f"TLS with a client at {OTHER} failed")


def test_cancel_request(proxy_with, front_of, postgres):
    proxy = proxy_with()
    front = front_of(proxy, text_header(CLIENT))
    with Wire("127.0.0.1", front.port) as session, postgres.connect() as admin:
        session.send(query_message("SELECT pg_sleep(60)"))
        running = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'"
        wait_until(lambda: admin.query(running).value() == "1", "it runs")
        session.cancel("127.0.0.1", front.port)
        assert session.ready().sqlstate == "57014"


# What is not


def test_header_from_elsewhere_is_not_believed(proxy_with, front_of):
    proxy = proxy_with(listen__proxy_protocol_from=["10.0.0.0/8"])
    for header in (text_header(CLIENT), binary_header(CLIENT)):
        with pytest.raises((Closed, ConnectionResetError)):
            Wire("127.0.0.1", front_of(proxy, header).port)
    assert refusal(proxy)["M"].startswith('pg_hba.conf rejects connection for host "127.0.0.1"')
    wait_until(lambda: proxy.admin.metric("helios_protocol_errors_total") == 2, "they are counted")
    assert proxy.admin.metric("helios_bad_proxy_headers_total") == 0


@pytest.mark.parametrize("header", [
    b"", b"PROXY nonsense\r\n", b"PROXY TCP4 192.0.2.7 10.0.0.5 1 2\n", b"PROXY " + b"x" * 200, binary_header(CLIENT).replace(b"\x21\x11", b"\x31\x11"),
    checked_header(CLIENT)[:-1] + b"!", binary_header(CLIENT, tlv(4, bytes(5000)))])
def test_malformed_header_ends_its_connection_and_no_other(proxy_with, front_of, header):
    proxy = proxy_with()
    with Wire("127.0.0.1", front_of(proxy, text_header(CLIENT)).port) as session:
        with proxy.raw() as client:
            client.send(header, startup_packet({"user": "postgres", "database": "demo"}))
            client.expect_closed()
        proxy.wait_for_log("PROXY header from 127.0.0.1 is wrong: ")
        assert session.query("SELECT 42").value() == "42"
    wait_until(lambda: proxy.admin.metric("helios_bad_proxy_headers_total") == 1, "they are counted")


def test_header_that_does_not_come_ends_with_the_login_timeout(proxy_with):
    proxy = proxy_with(limits__login_timeout_ms=300)
    with proxy.raw() as client:
        client.send(text_header(CLIENT)[:9])
        assert [kind for kind, _ in client.until_closed()] == [b"E"]
    with proxy.raw() as client:  # a health check
        client.half_close()
        client.expect_closed()
    assert proxy.admin.metric("helios_bad_proxy_headers_total") == 0


# Decisions that are made early


def test_logins_under_way_count_for_the_client_not_for_the_front(proxy_with, front_of):
    proxy = proxy_with(limits__max_address_logins_under_way=1)
    front = front_of(proxy, text_header(CLIENT))
    with proxy.raw() as undecided, front.raw() as first:
        undecided.send(b"PROXY ")  # whose he is nobody knows
        wait_until(lambda: proxy.admin.metric("helios_logins_under_way") == 1, "the first one is there")
        told = refusal(front)
        assert (told["C"], told["M"]) == ("53300", "too many logins under way from this address")
        front.header = text_header("192.0.2.8")
        assert psql(front).stdout == "42\n"
        first.close()
        wait_until(lambda: proxy.admin.metric("helios_logins_under_way") == 0, "it is gone")
        front.header = text_header(CLIENT)
        assert psql(front).stdout == "42\n"


def test_front_by_the_unix_socket(proxy_with, front_of, tmp_path):
    """Its OS user is not the client's."""
    proxy = proxy_with("local all all trust\nhost all all 192.0.2.0/24 trust\n", listen__unix_socket_dir=str(tmp_path),
                       listen__unix_socket_peer=True, listen__proxy_protocol_from=["local"])
    path = tmp_path / f".s.PGSQL.{proxy.port}"
    front = front_of(proxy, binary_header(CLIENT), path=path)
    assert psql(front).stdout == "42\n"
    front.header = binary_header(OTHER)
    assert "no pg_hba.conf entry" in refusal(front)["M"]


def test_reload_changes_who_is_believed(proxy_with, front_of):
    proxy = proxy_with(listen__proxy_protocol_from=[])
    front = front_of(proxy, text_header(CLIENT))
    with pytest.raises((Closed, ConnectionResetError)):
        Wire("127.0.0.1", front.port)
    proxy.config["listen.proxy_protocol_from"] = FRONTS
    proxy.write_config()
    assert proxy.reload().status == 200
    assert psql(front).stdout == "42\n"


def test_password_login_behind_it(proxy_with, front_of):
    proxy = proxy_with("host all all 192.0.2.0/24 passthrough\n")
    done = psql_with(front_of(proxy, text_header(CLIENT)).port, "SELECT current_user", user="by_scram", password=PASSWORD)
    assert done.stdout == "by_scram\n", done.stderr
