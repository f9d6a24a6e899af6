# SPDX-License-Identifier: Apache-2.0
"""TLS with clients: real psql in every mode, real certificates, reloads, and what comes instead of a handshake."""

import json
import os
import re
import select
import signal
import ssl
import struct
import subprocess
import tomllib

import pytest
from harness.certificates import make_certificate
from harness.clients import TIMEOUT_SECONDS, environment, psql_with
from harness.postgres import PASSWORD
from harness.proxy import BINARY
from harness.waiting import wait_until
from harness.wire import (GSSENC_REQUEST, SSL_REQUEST, Closed, Raw, Wire, WireError,
                          query_message, startup_packet)

DIRECT = "postgresql"  # the name of what is spoken inside (ALPN)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def start_tls(start_proxy, certificate):
    """start_tls(mode, **settings): a proxy with this certificate."""
    def start(mode="prefer", **settings):
        return start_proxy(tls__certificate=certificate.path, tls__key=certificate.key, tls__mode=mode, **settings)
    return start


def psql(proxy, sslmode, user="postgres", **parameters):
    """A query, and \\conninfo, which tells of TLS."""
    return psql_with(proxy.port, "SELECT 6 * 7", "\\conninfo", sslmode=sslmode, user=user, **parameters)


def tls_of(done):
    """The version that \\conninfo names; None: the connection is in clear."""
    assert done.returncode == 0 and done.stdout.startswith("42\n"), done.stderr
    found = re.search(r"SSL connection \(protocol: (\S+), cipher", done.stdout)
    return found and found.group(1)


# sslmode: what it gets where TLS is disabled, preferred, required
MODES = {"disable": (None, None, "28000"), "allow": (None, None, "TLSv1.3"), "prefer": (None, "TLSv1.3", "TLSv1.3"),
         "require": ("no", "TLSv1.3", "TLSv1.3"), "verify-ca": ("no", "TLSv1.3", "TLSv1.3"),
         "verify-full": ("no", "TLSv1.3", "TLSv1.3")}


@pytest.mark.parametrize("position, mode", enumerate(["disable", "prefer", "require"]))
def test_psql_in_every_mode(start_tls, certificate, position, mode):
    proxy = start_tls(mode)
    for sslmode, expected in MODES.items():
        done = psql(proxy, sslmode, sslrootcert=certificate.path)
        if expected[position] == "no":
            assert "server does not support SSL, but SSL was required" in done.stderr, sslmode
        elif expected[position] == "28000":
            assert "connections without TLS are not accepted" in done.stderr
        else:
            assert tls_of(done) == expected[position], sslmode


def test_only_a_certificate_for_the_host_is_the_right_one(start_proxy, certificate, tmp_path):
    other = make_certificate(tmp_path, "other", hosts=("DNS:elsewhere.example",))
    proxy = start_proxy(tls__certificate=other.path, tls__key=other.key)
    assert "certificate verify failed" in psql(proxy, "verify-full", sslrootcert=certificate.path).stderr
    assert 'does not match host name "localhost"' in psql(proxy, "verify-full", sslrootcert=other.path).stderr
    assert tls_of(psql(proxy, "verify-ca", sslrootcert=other.path)) == "TLSv1.3"


def test_name_that_a_client_asks_for_chooses_the_certificate(start_tls, tmp_path):
    other = make_certificate(tmp_path, "other", hosts=("DNS:db.example", "DNS:*.db.example"))
    proxy = start_tls(tls__certificates=[{"certificate": other.path, "key": other.key}])
    for name, subject in (("localhost", "server"), ("db.example", "other"), ("a.db.example", "other"), ("x.y", "server")):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with proxy.raw() as client:
            client.encrypt(context, server_name=name)
            shown = ssl.DER_cert_to_PEM_cert(client.socket.getpeercert(True))
            done = subprocess.run(["openssl", "x509", "-noout", "-subject"], input=shown, capture_output=True, text=True,
                                  check=True, timeout=TIMEOUT_SECONDS)
            assert done.stdout.strip().endswith(subject), (name, done.stdout)


@pytest.mark.parametrize("user", ["by_password", "by_md5", "by_scram"])
def test_server_authenticates_behind_it(start_tls, certificate, user):
    """libpq says that it could bind the channel (channel_binding=prefer); a server without TLS of its own takes that."""
    proxy = start_tls("require")
    done = psql(proxy, "verify-full", sslrootcert=certificate.path, user=user, password=PASSWORD)
    assert tls_of(done) == "TLSv1.3"
    wrong = psql(proxy, "require", user=user, password="wrong")
    assert f'password authentication failed for user "{user}"' in wrong.stderr


def test_binding_the_channel_cannot_be_relayed_and_says_so(start_tls):
    done = psql(start_tls(), "require", user="by_scram", password=PASSWORD, channel_binding="require")
    assert "channel binding is required" in done.stderr


def test_hooks_see_what_comes_through_it(start_tls, counter, certificate):
    proxy = start_tls("require", plugins=[counter])
    with proxy.connect(options="-c helios.tenant_id=acme", tls=certificate.trusting()) as session:
        session.query("SELECT 1").expect_ok()
        session.prepared("SELECT $1", ["two"]).expect_ok()
    assert proxy.admin.value("counter", "acme") == "2"


def test_plugins_are_shown_how_it_is_encrypted(start_tls, guests, certificate):
    proxy = start_tls(plugins=[os.path.join(guests, "echo_input.wat")])

    def seen(connection):
        with connection as session:
            session.query("SELECT 1").expect_ok()
        attributes = json.loads(proxy.admin.value("echo-input", "input"))["hook_context"]["attributes"]
        return attributes.get("tls.version"), attributes.get("tls.cipher")
    assert seen(proxy.connect(tls=certificate.trusting())) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384")
    assert seen(proxy.connect()) == (None, None)


@pytest.mark.parametrize("size", [1, 100, 16_384, 16_385, 1_000_000])
def test_large_values_pass_both_ways(start_tls, certificate, size):
    with start_tls().connect(tls=certificate.trusting()) as session:
        value = "x" * size
        assert session.prepared("SELECT $1::text", [value]).value() == value


def test_both_directions_at_once_with_small_buffers(start_tls, certificate):
    """A client that sends all the time and reads what is there: nothing waits for something that waits for it."""
    text = query_message("SELECT '" + "x" * 500_000 + "'")
    rounds = 40
    with start_tls().connect(tls=certificate.trusting(), receive_buffer=4096) as session:
        session.send(text)
        reply_bytes = sum(5 + len(body) for _, body in session.ready().messages)
        session.socket.setblocking(False)
        unsent, missing = text * rounds, reply_bytes * rounds
        while missing:
            select.select([session.socket], [session.socket] if unsent else [], [], TIMEOUT_SECONDS)
            if unsent:
                unsent = unsent[_try(session.socket.send, unsent[:65536]) or 0:]
            missing -= len(_try(session.socket.recv, min(missing, 65536)) or b"")
        session.socket.settimeout(TIMEOUT_SECONDS)
        assert session.query("SELECT 1").value() == "1"


def _try(call, argument):
    try:
        return call(argument)
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None


# Without a request for it


def test_direct_tls(start_tls, certificate):
    proxy = start_tls("require")
    with proxy.raw() as client:
        client.encrypt(certificate.trusting(DIRECT), is_direct=True)
        assert client.socket.selected_alpn_protocol() == DIRECT
        client.send(startup_packet({"user": "postgres", "database": "demo"}))
        assert client.message() == (b"R", struct.pack("!i", 0))


def test_direct_tls_without_the_name_of_the_protocol_is_closed(start_tls, certificate):
    proxy = start_tls()
    with proxy.raw() as client:
        client.encrypt(certificate.trusting(), is_direct=True)
        assert client.socket.recv(1) == b""
    proxy.wait_for_log(r"TLS with a client at 127\.0\.0\.1 failed: direct TLS without the protocol's name")


def test_another_protocol_is_refused_in_the_handshake(start_tls, certificate):
    proxy = start_tls()
    for is_direct in (True, False):
        with proxy.raw() as client, pytest.raises(ssl.SSLError, match="no application protocol"):
            client.encrypt(certificate.trusting("h2", "http/1.1"), is_direct=is_direct)


def test_direct_tls_where_there_is_none_is_closed(start_proxy, certificate):
    with start_proxy().raw() as client, pytest.raises((ssl.SSLError, ConnectionResetError)):
        client.encrypt(certificate.trusting(DIRECT), is_direct=True)


# What comes instead of a handshake, around it and behind it


def test_bytes_stuffed_behind_the_request_are_never_read(start_tls):
    """CVE-2021-23214: they were sent in clear, and must not be taken for the encrypted client's."""
    proxy = start_tls()
    with proxy.raw() as client:
        client.send(struct.pack("!ii", 8, SSL_REQUEST), startup_packet({"user": "postgres", "database": "demo"}))
        kind, body = client.message()
        assert kind == b"E" and b"received unencrypted data after SSL request" in body
        client.expect_closed()


@pytest.mark.parametrize("instead", [b"GET / HTTP/1.1\r\n\r\n", b"\0" * 100, b"\x16\x03\x01\x00\x05hello",
                                     startup_packet({"user": "postgres"})])
def test_rubbish_instead_of_a_handshake_ends_that_connection_alone(start_tls, certificate, instead):
    proxy = start_tls()
    with proxy.connect(tls=certificate.trusting()) as other:
        with proxy.raw() as client:
            client.send(struct.pack("!ii", 8, SSL_REQUEST))
            assert client.exactly(1) == b"S"
            client.send(instead)
            with pytest.raises((Closed, ConnectionResetError)):
                while True:
                    client.exactly(1)
        assert other.query("SELECT 1").value() == "1"
    wait_until(lambda: proxy.admin.metric("helios_tls_failures_total") == 1, "it is counted")
    assert proxy.admin.metric("helios_tls_handshakes_total") == 1
    proxy.wait_for_log(r"TLS with a client at 127\.0\.0\.1 failed: ")


def test_silent_handshake_ends_with_the_time_to_log_in(start_tls):
    proxy = start_tls(limits__login_timeout_ms=300)
    with proxy.raw() as client:
        client.send(struct.pack("!ii", 8, SSL_REQUEST))
        assert client.exactly(1) == b"S"
        with pytest.raises((Closed, ConnectionResetError)):
            client.exactly(1)


def test_requests_for_encryption_in_every_order(start_tls, certificate):
    proxy = start_tls()

    def request(code):
        return struct.pack("!ii", 8, code)
    with proxy.raw() as client:
        client.send(request(GSSENC_REQUEST))
        assert client.exactly(1) == b"N"
        client.encrypt(certificate.trusting())
        client.send(request(GSSENC_REQUEST))
        kind, body = client.message()
        assert kind == b"E" and b"unsupported frontend protocol 1234.5680" in body
    with proxy.raw() as client:
        client.encrypt(certificate.trusting())
        client.send(request(SSL_REQUEST))
        kind, body = client.message()
        assert kind == b"E" and b"unsupported frontend protocol 1234.5679" in body


def test_unix_socket_has_none_and_needs_none(start_tls, tmp_path):
    folder = tmp_path
    while folder != folder.parent and str(folder) != "/tmp":
        folder.chmod(0o755)
        folder = folder.parent
    proxy = start_tls("require", listen__unix_socket_dir=str(tmp_path))
    with Raw(str(tmp_path), proxy.port) as client:
        client.send(struct.pack("!ii", 8, SSL_REQUEST))
        assert client.exactly(1) == b"N"
    with Wire(str(tmp_path), proxy.port) as session:
        assert session.query("SELECT 1").value() == "1"


def test_cancel_requests_come_with_and_without_it(start_tls, certificate):
    """libpq before 17 sends them in clear, whatever its connection does."""
    proxy = start_tls("require")
    context = certificate.trusting()
    for tls in (None, context):
        with proxy.connect(tls=context) as session:
            session.send(query_message("SELECT pg_sleep(600)"))
            wait_until(lambda: _is_running(proxy, context), "it runs")
            session.cancel("127.0.0.1", proxy.port, tls=tls)
            assert session.ready().sqlstate == "57014"


def _is_running(proxy, context):
    with proxy.connect(tls=context) as other:
        return other.query("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(6%' "
                           "AND pid <> pg_backend_pid()").value() == "1"


def test_client_that_vanishes_ends_its_session(start_tls, certificate, postgres):
    proxy = start_tls()
    session = proxy.connect(tls=certificate.trusting())
    backend = session.query("SELECT pg_backend_pid()").value()
    session.socket.close()
    with postgres.connect() as admin:
        wait_until(lambda: admin.query(f"SELECT 1 FROM pg_stat_activity WHERE pid = {backend}").rows == [], "it is gone")


# Versions and ciphers


def test_version_and_ciphers_are_those_that_are_configured(start_tls, certificate):
    proxy = start_tls(tls__min_version="1.3", tls__tls13_ciphers="TLS_AES_128_GCM_SHA256")
    old = certificate.trusting()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with proxy.raw() as client, pytest.raises(ssl.SSLError):
        client.encrypt(old)
    with proxy.connect(tls=certificate.trusting()) as session:
        assert session.socket.cipher()[:2] == ("TLS_AES_128_GCM_SHA256", "TLSv1.3")
    proxy = start_tls(tls__ciphers="ECDHE-ECDSA-AES256-GCM-SHA384")
    with proxy.connect(tls=old) as session:
        assert session.socket.cipher()[:2] == ("ECDHE-ECDSA-AES256-GCM-SHA384", "TLSv1.2")


def test_sessions_are_not_resumed(start_tls, certificate):
    """So that each connection shows who it is anew."""
    proxy = start_tls()
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = certificate.trusting()
        context.maximum_version = version
        with proxy.connect(tls=context) as session:
            session.query("SELECT 1").expect_ok()
            kept = session.socket.session
            assert not kept.has_ticket
        with proxy.raw() as client:
            client.send(struct.pack("!ii", 8, SSL_REQUEST))
            client.exactly(1)
            again = context.wrap_socket(client.socket, server_hostname="localhost", session=kept)
            assert not again.session_reused


# Reload


def test_certificate_is_renewed_by_a_reload_and_nobody_is_dropped(start_proxy, tmp_path):
    certificate = make_certificate(tmp_path)
    proxy = start_proxy(tls__certificate=certificate.path, tls__key=certificate.key)
    before = certificate.trusting()
    with proxy.connect(tls=before) as old:
        certificate.take_over(make_certificate(tmp_path, "next"))
        after = certificate.trusting()
        proxy.process.send_signal(signal.SIGHUP)
        wait_until(lambda: _is_trusted(proxy, after), "the new certificate is shown")
        assert not _is_trusted(proxy, before)
        assert old.query("SELECT 1").value() == "1"
        with open(certificate.key, "w", encoding="utf-8") as key:
            key.write("rubbish")
        proxy.process.send_signal(signal.SIGHUP)
        proxy.wait_for_log(r"tls\.key: \S+: is no PEM key.*nothing changed")
        assert _is_trusted(proxy, after)
        assert old.query("SELECT 1").value() == "1"


def _is_trusted(proxy, context):
    try:
        proxy.connect(tls=context).close()
    except ssl.SSLCertVerificationError:
        return False
    return True


def test_mode_is_changed_by_a_reload(start_tls, certificate):
    proxy = start_tls("disable")
    with proxy.connect() as plain:
        for mode, is_in_clear_allowed in (("require", False), ("prefer", True)):
            proxy.config["tls.mode"] = mode
            proxy.write_config()
            proxy.reload()
            assert _is_trusted(proxy, certificate.trusting())
            if is_in_clear_allowed:
                proxy.connect().close()
            else:
                with pytest.raises(WireError, match="connections without TLS are not accepted"):
                    proxy.connect()
        assert plain.query("SELECT 1").value() == "1", "who is in stays in"


# What is said of the files


def test_what_is_wrong_is_said_before_anybody_is_served(tmp_path, certificate):
    def check(text):
        path = tmp_path / "proxy.toml"
        path.write_text(text)
        done = subprocess.run([BINARY, "--check", "--config", str(path)], capture_output=True, text=True,
                              timeout=TIMEOUT_SECONDS, check=False)
        return done.returncode, done.stderr.replace(str(tmp_path), "")
    pair = f'[tls]\ncertificate = "{certificate.path}"\nkey = "{certificate.key}"\n'
    assert check(pair)[0] == 0
    assert "/proxy.toml:2: tls.mode: needs certificate and key" in check('[tls]\nmode = "require"\n')[1]
    status, said = check(f'[tls]\ncertificate = "none.crt"\nkey = "{certificate.key}"\n')
    assert status != 0 and "/proxy.toml:2: tls.certificate: /none.crt: cannot be opened: No such file" in said
    other = make_certificate(tmp_path, "other")
    status, said = check(pair + f'[[tls.certificates]]\ncertificate = "other.crt"\nkey = "{certificate.key}"\n')
    assert status != 0 and "/proxy.toml:6: tls.certificates.key: " in said and "does not fit the certificate" in said
    os.chmod(other.key, 0o640 if os.getuid() else 0o644)
    status, said = check('[tls]\ncertificate = "other.crt"\nkey = "other.key"\n')
    assert status != 0 and "tls.key: /other.key: others may read or write it" in said


def test_the_page_as_it_is_typed(make_proxy):
    """docs/tls.md: its commands, in the folder of its configuration."""
    with open(os.path.join(os.path.dirname(__file__), "../../docs/tls.md"), encoding="utf-8") as file:
        page = file.read()

    def blocks(language):
        return re.findall(rf"^```{language}\n(.*?)^```", page, flags=re.M | re.S)

    def run(command, folder):
        return subprocess.run(["bash", "-euc", command], cwd=folder, env=environment(), capture_output=True, text=True,
                              timeout=TIMEOUT_SECONDS, check=True)
    make, connect = blocks("sh")
    settings = tomllib.loads(blocks("toml")[0])["tls"]
    proxy = make_proxy(**{f"tls__{key}": value for key, value in settings.items()})
    run(make, proxy.directory)
    proxy.start()
    done = run(connect.strip().replace("port=6432", f"port={proxy.port}") + " -c '\\conninfo'", proxy.directory)
    assert "SSL connection (protocol: TLSv1.3" in done.stdout
    sni, clients = (tomllib.loads(block)["tls"] for block in blocks("toml")[1:] if "[tls]" in block)
    assert clients.keys() == {"certificate", "key", "client_ca", "client_crl"}  # tried in test_client_certificates.py
    assert sni["certificates"][0].keys() == {"certificate", "key"}
