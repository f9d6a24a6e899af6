# SPDX-License-Identifier: Apache-2.0
"""TLS towards PostgreSQL: [server] sslmode as libpq has it, against a real server, and against one that is none."""

import os
import re
import signal
import socket
import struct
import threading
import tomllib

import pytest
from harness.certificates import make_certificate
from harness.clients import psql_with
from harness.postgres import AS_POSTGRES, PASSWORD, SETUP, Postgres
from harness.waiting import wait_until
from harness.wire import SSL_REQUEST, WireError, message, query_message

MAJOR = int(os.environ.get("HELIOS_TEST_PG") or 17)
ENCRYPTED = ["require", "verify-ca", "verify-full"]
# hostssl alone, so that nothing passes in clear; one user has to show a certificate.
HBA = """
local   all all trust
hostssl all by_certificate 127.0.0.1/32 cert
hostssl all by_scram       127.0.0.1/32 scram-sha-256
hostssl all all            127.0.0.1/32 trust
"""
FACTS = "SELECT ssl, version, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("server"))


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """The proxy's, as the server knows it."""
    return make_certificate(tmp_path_factory.mktemp("own"), "by_certificate")


@pytest.fixture(scope="module")
def encrypting(certificate, own):
    """A server that takes nothing in clear."""
    server = Postgres()
    try:
        shown, known = certificate.copy_for(server.directory, AS_POSTGRES), own.copy_for(server.directory, AS_POSTGRES)
        server.settings.update(ssl="on", ssl_cert_file=shown.path, ssl_key_file=shown.key, ssl_ca_file=known.path,
                               log_connections="on")
        server.start()
        with server.connect() as admin:
            for text in [*SETUP, "CREATE ROLE by_certificate LOGIN"]:
                admin.query(text).expect_ok()
            with open(os.path.join(server.data, "pg_hba.conf"), "w", encoding="utf-8") as hba:
                hba.write(HBA)
            admin.query("SELECT pg_reload_conf()").expect_ok()
        wait_until(lambda: in_clear_is_refused(server), "the server takes nothing in clear")
        yield server
    finally:
        server.remove()


def in_clear_is_refused(server):
    try:
        server.connect().close()
        return False
    except WireError as refused:
        return refused.fields["C"] == "28000"


@pytest.fixture
def towards(start_proxy, certificate):
    """towards(server, sslmode, **settings): a proxy that trusts the certificate, in front of the server."""
    def start(server, sslmode, **settings):
        trusts = {} if sslmode == "disable" else {"server__root_certificate": certificate.path}
        return start_proxy(server__port=server.port, server__sslmode=sslmode, **{**trusts, **settings})
    return start


def facts(session):
    return session.query(FACTS).expect_ok().rows[0]


def refused_by(connect):
    with pytest.raises(WireError) as refused:
        connect().close()
    return refused.value.fields


@pytest.mark.parametrize("sslmode", ["prefer", *ENCRYPTED])
def test_sessions_are_encrypted(towards, encrypting, sslmode):
    with towards(encrypting, sslmode, server__host="localhost").connect() as session:
        assert facts(session) == ["t", "TLSv1.3", None]


def test_server_that_takes_nothing_in_clear_says_so(towards, encrypting):
    proxy = towards(encrypting, "disable")
    assert refused_by(proxy.connect)["C"] == "28000"
    assert "no encryption" in refused_by(proxy.connect)["M"]


def test_server_without_tls(towards, postgres):
    with towards(postgres, "prefer").connect() as session:
        assert facts(session)[0] == "f"
    for sslmode in ENCRYPTED:
        proxy = towards(postgres, sslmode)
        told = refused_by(proxy.connect)
        assert told["C"] == "57P03" and "the server has no TLS, which [server] sslmode asks for" in told["M"]
        assert "has no TLS" in proxy.admin.get("/readyz").text


def test_certificate_of_somebody_else(towards, encrypting, tmp_path):
    other = make_certificate(tmp_path, "other")
    for sslmode in ["prefer", *ENCRYPTED]:
        told = refused_by(towards(encrypting, sslmode, server__root_certificate=other.path).connect)
        assert told["C"] == "57P03" and "certificate verify failed" in told["M"], sslmode
    with towards(encrypting, "require", server__root_certificate="").connect() as session:
        assert facts(session)[0] == "t"
    told = refused_by(towards(encrypting, "verify-full", server__root_certificate="").connect)
    assert "certificate verify failed" in told["M"]  # the system knows nothing of ours


def test_name_of_somebody_else(towards, tmp_path):
    elsewhere = make_certificate(tmp_path, "elsewhere", hosts=("DNS:elsewhere.example",))
    server = Postgres()
    try:
        shown = elsewhere.copy_for(server.directory, AS_POSTGRES)
        server.settings.update(ssl="on", ssl_cert_file=shown.path, ssl_key_file=shown.key)
        server.start()
        for host, wrong in (("localhost", "hostname mismatch"), ("127.0.0.1", "IP address mismatch")):
            full, ca = (towards(server, sslmode, server__host=host, server__root_certificate=elsewhere.path)
                        for sslmode in ("verify-full", "verify-ca"))
            assert wrong in refused_by(lambda proxy=full: proxy.connect(database="postgres"))["M"]
            with ca.connect(database="postgres") as session:
                assert facts(session)[0] == "t"
    finally:
        server.remove()


@pytest.mark.parametrize("subject, is_right", [("/CN=localhost/CN=other", True), ("/CN=other/CN=localhost", False)])
def test_of_several_common_names_the_first_counts_as_for_libpq(towards, tmp_path, subject, is_right):
    several = make_certificate(tmp_path, "several", hosts=(), subject=subject)
    server = Postgres()
    try:
        shown = several.copy_for(server.directory, AS_POSTGRES)
        server.settings.update(ssl="on", ssl_cert_file=shown.path, ssl_key_file=shown.key)
        server.start()
        done = psql_with(server.port, "SELECT 42", user="postgres", dbname="postgres", sslmode="verify-full", sslrootcert=several.path)
        assert (done.stdout == "42\n") == is_right, done.stderr
        proxy = towards(server, "verify-full", server__host="localhost", server__root_certificate=several.path)
        if is_right:
            proxy.connect(database="postgres").close()
        else:
            assert "hostname mismatch" in refused_by(lambda: proxy.connect(database="postgres"))["M"]
    finally:
        server.remove()


def test_server_that_wants_to_see_a_certificate(towards, encrypting, own):
    proxy = towards(encrypting, "verify-full", server__certificate=own.path, server__key=own.key)
    with proxy.connect(user="by_certificate") as session:
        assert facts(session) == ["t", "TLSv1.3", "/CN=by_certificate"]
    told = refused_by(lambda: towards(encrypting, "verify-full").connect(user="by_certificate"))
    assert told["C"] == "28000" and "certificate" in told["M"]


@pytest.mark.skipif(MAJOR < 17, reason="PostgreSQL reads a handshake without a request since 17")
def test_direct_negotiation(towards, encrypting):
    with towards(encrypting, "verify-full", server__sslnegotiation="direct").connect() as session:
        assert facts(session)[0] == "t"


def test_relayed_login_of_a_client_in_clear(towards, encrypting):
    """The server offers SCRAM-SHA-256-PLUS, which such a client would take for an attack."""
    proxy = towards(encrypting, "verify-full")
    for channel_binding in ("prefer", "disable"):
        done = psql_with(proxy.port, "SELECT current_user", user="by_scram", password=PASSWORD, sslmode="disable",
                         channel_binding=channel_binding)
        assert done.stdout == "by_scram\n", done.stderr
    done = psql_with(proxy.port, "SELECT 1", user="by_scram", password="wrong", sslmode="disable")
    assert "password authentication failed" in done.stderr


def test_both_legs_and_a_login_of_the_proxys_own(towards, encrypting, certificate, tmp_path):
    """Each side binds its own channel, and nobody but the client has the password."""
    rules, users = tmp_path / "pg_hba.conf", tmp_path / "userlist.txt"
    rules.write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    users.write_text(f'"by_scram" "{kept_secret(encrypting)}"\n')
    users.chmod(0o600)
    proxy = towards(encrypting, "verify-full", tls__mode="require", tls__certificate=certificate.path,
                    tls__key=certificate.key, auth__hba_file=str(rules), auth__user_file=str(users))
    for channel_binding in ("require", "prefer", "disable"):
        done = psql_with(proxy.port, "SELECT current_user", FACTS, user="by_scram", password=PASSWORD,
                         sslmode="verify-full", sslrootcert=certificate.path, channel_binding=channel_binding)
        assert done.stdout == "by_scram\nt|TLSv1.3|\n", done.stderr
    wrong = psql_with(proxy.port, "SELECT 1", user="by_scram", password="wrong", sslmode="require")
    assert 'password authentication failed for user "by_scram"' in wrong.stderr


def kept_secret(server):
    """What the server keeps of by_scram's password; asked through its Unix socket."""
    done = psql_with(server.port, "SELECT rolpassword FROM pg_authid WHERE rolname = 'by_scram'", user="postgres",
                     host=server.directory, hostaddr=None)
    assert done.stdout.startswith("SCRAM-SHA-256$"), done.stderr
    return done.stdout.strip()


def test_relayed_logins_over_two_encrypted_legs_are_refused_at_the_start(make_proxy, certificate):
    proxy = make_proxy(server__sslmode="require", tls__certificate=certificate.path, tls__key=certificate.key)
    told = proxy.refused_start()
    assert "looks like an attack to clients and servers that bind channels: set [auth] hba_file" in told


def test_unix_socket_has_no_tls_whatever_stands_there(start_proxy, postgres, certificate):
    """So a login can be relayed through it from a client with TLS."""
    proxy = start_proxy(server__host=postgres.directory, server__port=postgres.port, server__sslmode="require",
                        tls__certificate=certificate.path, tls__key=certificate.key)
    with proxy.connect(tls=certificate.trusting()) as session:
        assert facts(session)[0] == "f"


def test_cancel_request_is_encrypted_too(towards, encrypting):
    """What passes in clear on the way to the server is the request for TLS, and nothing else."""
    with Tap(encrypting.port) as tap:
        proxy = towards(tap, "verify-full")
        with proxy.connect() as session:
            session.send(query_message("SELECT pg_sleep(60)"))
            wait_until(lambda: sleeping(encrypting), "the statement runs")
            session.cancel("127.0.0.1", proxy.port)
            assert session.ready().sqlstate == "57014"
        wait_until(lambda: len(tap.firsts) >= 2, "the cancel request has come")
    for first in tap.firsts:
        assert first[:8] == struct.pack("!ii", 8, SSL_REQUEST) and first[8:10] in (b"", b"\x16\x03"), first[:40]


def sleeping(server):
    done = psql_with(server.port, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'",
                     user="postgres", host=server.directory, hostaddr=None)
    return done.stdout.strip() == "1"


class Tap:
    """Stands between proxy and server, and keeps what the proxy sends first on each connection."""

    def __init__(self, port):
        self.server_port, self.firsts, self.sockets = port, [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.server_port))
            self.sockets += [client, server]
            self.firsts.append(b"")
            threading.Thread(target=self._pass, args=(client, server, len(self.firsts) - 1), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, None), daemon=True).start()

    def _pass(self, source, sink, number):
        try:
            while chunk := source.recv(65536):
                if number is not None:
                    self.firsts[number] += chunk[:64]
                sink.sendall(chunk)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in [self.listener, *self.sockets]:
            each.close()


@pytest.mark.parametrize("said", [b"SR\0\0\0\x08\0\0\0\0", b"N" * 2, b"EFATAL of somebody on the way\0", b"?", b""])
@pytest.mark.parametrize("sslmode", ["prefer", "verify-full"])
def test_what_is_said_before_the_handshake_is_not_believed(towards, sslmode, said):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = towards(type("Liar", (), {"port": listener.getsockname()[1]}), sslmode)

        def lie():
            connection, _ = listener.accept()
            with connection:
                connection.recv(8)
                connection.sendall(said)
        liar = threading.Thread(target=lie)
        liar.start()
        told = refused_by(proxy.connect)
        liar.join()
        assert told["C"] == "57P03" and "when it was asked for TLS" in told["M"]
        assert "somebody" not in told["M"]


def test_reload_takes_what_is_there_then(towards, encrypting, certificate, tmp_path):
    wrong = make_certificate(tmp_path, "root")
    proxy = towards(encrypting, "verify-full", server__root_certificate=wrong.path)
    assert "certificate verify failed" in refused_by(proxy.connect)["M"]
    with open(certificate.path, encoding="ascii") as right, open(wrong.path, "w", encoding="ascii") as file:
        file.write(right.read())
    proxy.process.send_signal(signal.SIGHUP)
    proxy.wait_for_log(r"reloaded")
    with proxy.connect() as session:
        assert facts(session)[0] == "t"
        with open(wrong.path, "w", encoding="ascii") as file:
            file.write("no certificate")
        proxy.process.send_signal(signal.SIGHUP)
        proxy.wait_for_log(re.escape(wrong.path) + ": is no list of PEM certificates: .*; nothing changed")
        assert facts(session)[0] == "t"
    proxy.connect().close()


WRONG = [
    ({"server__sslmode": "verify"}, "server.sslmode"),
    ({"server__sslmode": "prefer", "server__sslnegotiation": "direct"}, "needs sslmode require, verify-ca or verify-full"),
    ({"server__root_certificate": "root.crt"}, "root_certificate: means nothing without sslmode"),
    ({"server__sslmode": "require", "server__root_certificate": "missing.crt"}, "missing.crt: "),
    ({"server__sslmode": "require", "server__certificate": "own.crt"}, "key"),
    ({"server__sslmode": "verify-ca"}, '"verify-ca" needs root_certificate'),
]


@pytest.mark.parametrize("settings, told", WRONG)
def test_wrong_configuration(make_proxy, settings, told):
    assert told in make_proxy(**settings).refused_start()


def test_the_page_as_it_stands(start_proxy, encrypting, certificate):
    """docs/tls.md: its [server], with the server's certificate in the folder."""
    with open(os.path.join(os.path.dirname(__file__), "../../docs/tls.md"), encoding="utf-8") as file:
        block, = (found for found in re.findall(r"^```toml\n(.*?)^```", file.read(), flags=re.M | re.S) if "[server]" in found)
    settings = tomllib.loads(block)["server"]
    assert settings.pop("root_certificate") == "proxy.crt"
    proxy = start_proxy(server__port=encrypting.port, server__root_certificate=certificate.path,
                        **{f"server__{key}": value for key, value in settings.items()})
    with proxy.connect() as session:
        assert facts(session)[0] == "t"


def test_large_results_and_copies(towards, encrypting):
    """100 MB in each direction, and at once."""
    with towards(encrypting, "verify-full").connect(timeout=120) as session:
        session.query("CREATE TEMP TABLE t (a text)").expect_ok()
        rows = session.query("SELECT repeat('x', 100000) FROM generate_series(1, 1000)").expect_ok().rows
        assert len(rows) == 1000 and all(len(row[0]) == 100000 for row in rows)
        line = b"y" * 99_999 + b"\n"
        session.send(query_message("COPY t FROM STDIN"))
        for _ in range(1000):
            session.send(message(b"d", line))
        session.send(message(b"c", b""))
        session.ready().expect_ok()
        assert session.query("SELECT sum(length(a)) FROM t").value() == str(99_999 * 1000)
