# SPDX-License-Identifier: Apache-2.0
"""Who gets into the admin interface: tokens, TLS, limits, and starts that are refused. With real clients."""

import hashlib
import http.client
import os
import signal
import socket
import ssl
import subprocess

import pytest
from harness.certificates import make_certificate
from harness.proxy import BINARY
from harness.waiting import wait_until

PATIENCE_SECONDS = 60
SECRET = "0123456789abcdef" * 4


def token(name, secret, scopes=("read", "write"), **more):
    return {"name": name, "sha256": hashlib.sha256(secret.encode()).hexdigest(), "scopes": list(scopes), **more}


@pytest.fixture
def certificate(tmp_path):
    return make_certificate(tmp_path, "admin")


def tls_settings(certificate, **more):
    return {"admin__tls_certificate": certificate.path, "admin__tls_key": certificate.key,
            "admin__tokens": [token("all", SECRET)], **more}


def curl(*arguments):
    """(exit status, HTTP status, body)"""
    done = subprocess.run(["curl", "-sS", "--noproxy", "*", "-m", str(PATIENCE_SECONDS), "-w", "\n%{http_code}",
                           *arguments], capture_output=True, text=True, timeout=2 * PATIENCE_SECONDS, check=False)
    body, _, status = done.stdout.rpartition("\n")
    return done.returncode, int(status or 0), body


def bearer(secret):
    return ["-H", f"Authorization: Bearer {secret}"]


def content(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def dial(proxy, context=None, source="127.0.0.1"):
    plain = socket.create_connection(("127.0.0.1", proxy.admin.port), PATIENCE_SECONDS, source_address=(source, 0))
    return context.wrap_socket(plain, server_hostname="localhost") if context else plain


def metric(proxy, certificate, name):
    status = curl("--cacert", certificate.path, f"https://localhost:{proxy.admin.port}/metrics", *bearer(SECRET))
    return sum(float(line.rsplit(" ", 1)[1]) for line in status[2].splitlines() if line.startswith((name + " ", name + "{")))


# Tokens


def test_token_says_what_its_bearer_may_do(start_proxy):
    proxy = start_proxy(admin__tokens=[token("ops", SECRET), token("reader", "r" * 40, ["read"]),
                                       token("billing", "b" * 40, namespaces=["cost_governor"])])
    url = f"http://localhost:{proxy.admin.port}"
    budget, other = f"{url}/admin/kv/cost-governor/budget", f"{url}/admin/kv/counter/x"
    assert curl(f"{url}/healthz")[1] == 200
    assert curl(f"{url}/metrics")[1:] == (401, '{"error":"missing or invalid admin bearer token"}')
    assert curl(f"{url}/metrics", *bearer("x" * 64))[1] == 401
    assert curl(budget, "-X", "PUT", "--data-binary", "1", "-H", "Helios-New-Namespace: true", *bearer("b" * 40))[1] == 200
    assert curl(other, "-X", "PUT", "--data-binary", "1", *bearer("b" * 40))[1:] == (
        403, '{"error":"the token \\"billing\\" is not for the namespace \\"counter\\"","scope":"write"}')
    assert curl(budget, *bearer("r" * 40))[1] == 200
    assert curl(budget, "-X", "DELETE", *bearer("r" * 40))[1] == 403
    assert curl(f"{url}/plugins/reload", "-X", "POST", *bearer("r" * 40))[1] == 403
    assert curl(f"{url}/plugins/reload", "-X", "POST", *bearer(SECRET))[1] == 200
    assert curl(budget, *bearer(SECRET), "-H", "Host: proxy.example", "-H", "Origin: http://elsewhere")[1] == 200
    proxy.wait_for_log(r"admin: audit: token billing from 127\.0\.0\.1:\d+: PUT /admin/kv/cost-governor/budget, 1 bytes: 200")
    proxy.wait_for_log(r"admin: audit: token ops from \S+: POST /plugins/reload: 200")
    text = curl(f"{url}/metrics", *bearer(SECRET))[2]
    assert 'helios_admin_refused_requests_total{reason="no_token"} 1' in text
    assert 'helios_admin_refused_requests_total{reason="bad_token"} 1' in text
    assert 'helios_admin_refused_requests_total{reason="forbidden"} 3' in text
    assert SECRET not in proxy.log and "b" * 40 not in proxy.log


def test_two_authorizations_are_none(start_proxy):
    proxy = start_proxy(admin__tokens=[token("ops", SECRET)])
    url = f"http://localhost:{proxy.admin.port}/version"
    assert curl(url, *bearer(SECRET), *bearer("x" * 64))[1] == 401
    assert curl(url, *bearer("x" * 64), *bearer(SECRET))[1] == 401


def test_tokens_are_renewed_by_a_reload(start_proxy, tmp_path):
    file = tmp_path / "ops.token"
    file.write_text(SECRET + "\n")
    file.chmod(0o600)
    proxy = start_proxy(admin__tokens=[{"name": "ops", "file": str(file), "scopes": ["read", "write"]}])
    url = f"http://localhost:{proxy.admin.port}/version"
    assert curl(url, *bearer(SECRET))[1] == 200
    file.write_text("n" * 40)
    proxy.process.send_signal(signal.SIGHUP)
    wait_until(lambda: curl(url, *bearer("n" * 40))[1] == 200, "the new token is good")
    assert curl(url, *bearer(SECRET))[1] == 401
    file.chmod(0o644)
    proxy.process.send_signal(signal.SIGHUP)
    proxy.wait_for_log(r"others may read or write it.*nothing changed")
    assert curl(url, *bearer("n" * 40))[1] == 200


# TLS


def test_tls_is_spoken_with_curl(start_proxy, certificate, tmp_path):
    proxy = start_proxy(**tls_settings(certificate))
    assert "with TLS" in proxy.log
    url = f"https://localhost:{proxy.admin.port}"
    trust = ["--cacert", certificate.path]
    value = bytes(range(256)) * 200
    (tmp_path / "value.bin").write_bytes(value)
    key = f"{url}/admin/kv/p/binary%00key"
    assert curl(*trust, key, "-T", str(tmp_path / "value.bin"), "-H", "Helios-New-Namespace: true",
                *bearer(SECRET)) == (0, 200, '{"ok":true}')
    subprocess.run(["curl", "-sS", "--noproxy", "*", *trust, key, *bearer(SECRET), "-H",
                    "Accept: application/octet-stream", "-o", str(tmp_path / "back.bin")], check=True,
                   timeout=PATIENCE_SECONDS)
    assert (tmp_path / "back.bin").read_bytes() == value
    assert curl(*trust, f"{url}/version")[1] == 401
    assert curl(f"{url}/healthz")[0] == 60, "a certificate that curl does not know"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_and_plain_http_get_nothing(start_proxy, certificate):
    proxy = start_proxy(**tls_settings(certificate))
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        dial(proxy, old)
    with dial(proxy) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"HTTP" not in read_to_end(plain)
    proxy.wait_for_log("admin: TLS handshake with 127.0.0.1:")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = certificate.trusting()
        context.minimum_version = context.maximum_version = version
        with dial(proxy, context) as secure:
            secure.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            assert read_to_end(secure).startswith(b"HTTP/1.0 200 OK")
    wait_until(lambda: metric(proxy, certificate, "helios_admin_tls_failures_total") == 2, "both are counted")


def read_to_end(connection):
    received = b""
    while True:
        try:
            more = connection.recv(65536)
        except ConnectionError:
            return received
        if not more:
            return received
        received += more


def test_connection_with_tls_is_kept_and_takes_chunks(start_proxy, certificate):
    proxy = start_proxy(**tls_settings(certificate))
    client = http.client.HTTPSConnection("localhost", proxy.admin.port, context=certificate.trusting(),
                                         timeout=PATIENCE_SECONDS)
    headers = {"Authorization": f"Bearer {SECRET}", "Accept": "application/octet-stream", "Helios-New-Namespace": "true"}
    client.request("PUT", "/admin/kv/p/chunks", body=iter([b"a" * 20000, b"b", b"c" * 20000]), headers=headers,
                   encode_chunked=True)
    assert client.getresponse().read() == b'{"ok":true}'
    first = client.sock
    client.request("GET", "/admin/kv/p/chunks", headers=headers)
    assert client.getresponse().read() == b"a" * 20000 + b"b" + b"c" * 20000
    assert client.sock is first
    client.close()


def test_refusal_reaches_a_client_that_is_still_sending(start_proxy, certificate):
    proxy = start_proxy(**tls_settings(certificate, admin__limits__max_body_bytes=1000))
    with dial(proxy, certificate.trusting()) as secure:
        secure.sendall(b"PUT /admin/kv/p/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n\r\n")
        secure.sendall(b"x" * 100_000)
        assert read_to_end(secure).startswith(b"HTTP/1.1 413 ")


def test_certificate_is_renewed_by_a_reload(start_proxy, certificate, tmp_path):
    proxy = start_proxy(**tls_settings(certificate))

    def served():
        return ssl.get_server_certificate(("127.0.0.1", proxy.admin.port), timeout=PATIENCE_SECONDS)
    assert served() == content(certificate.path)
    with dial(proxy, certificate.trusting()) as old:
        certificate.take_over(make_certificate(tmp_path, "next"))
        proxy.process.send_signal(signal.SIGHUP)
        wait_until(lambda: served() == content(certificate.path), "the new certificate is shown")
        old.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert read_to_end(old).startswith(b"HTTP/1.0 200 OK"), "connections go on as they are"
    with open(certificate.key, "w", encoding="utf-8") as key:
        key.write("rubbish")
    proxy.process.send_signal(signal.SIGHUP)
    proxy.wait_for_log(r"admin\.tls_key: \S+: is no PEM key.*nothing changed")
    assert served() == content(certificate.path)


# Limits


@pytest.mark.parametrize("first_bytes", [b"", b"\x16\x03\x01"])
def test_handshake_that_does_not_go_on_is_closed(start_proxy, certificate, first_bytes):
    proxy = start_proxy(**tls_settings(certificate, admin__limits__handshake_timeout_ms=100))
    with dial(proxy) as silent:
        silent.sendall(first_bytes)
        assert read_to_end(silent) == b""


def test_silent_clients_with_tls_are_closed(start_proxy, certificate):
    proxy = start_proxy(**tls_settings(certificate, admin__limits__request_timeout_ms=500))
    with dial(proxy, certificate.trusting()) as silent:
        assert silent.recv(1) == b""
    with dial(proxy, certificate.trusting()) as slow:
        slow.sendall(b"GET /healthz HTT")
        assert slow.recv(1) == b""


def test_one_host_cannot_take_every_place(start_proxy):
    proxy = start_proxy(admin__limits__max_peer_connections=3, admin__limits__max_connections=4)
    greedy = [dial(proxy) for _ in range(3)]
    for connection in greedy:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"
    with dial(proxy) as fourth:
        assert read_to_end(fourth) == b""
    with dial(proxy, source="127.0.0.2") as other:
        other.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert read_to_end(other).startswith(b"HTTP/1.0 200 OK")
    for connection in greedy:
        connection.close()


# Starts that are refused


def refused_start(tmp_path, text, *arguments):
    path = tmp_path / "proxy.toml"
    path.write_text(text)
    done = subprocess.run([BINARY, "--config", str(path), *arguments], capture_output=True, text=True,
                          timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("heliosproxy: ")
    return last.removeprefix("heliosproxy: ")


def test_address_beyond_loopback_without_tokens_is_refused(tmp_path):
    assert refused_start(tmp_path, '[admin]\naddresses = ["0.0.0.0:0"]\n') == (
        f"{tmp_path}/proxy.toml:2: admin.addresses: 0.0.0.0:0: an address beyond loopback needs [[admin.tokens]]")
    assert "needs [[admin.tokens]]" in refused_start(tmp_path, "", "--admin", "0.0.0.0:0")
    tokens = f'[[admin.tokens]]\nname = "a"\nsha256 = "{"0" * 64}"\nscopes = ["read"]\n'
    assert "tokens would cross the network in clear" in refused_start(tmp_path, tokens, "--admin", "0.0.0.0:0")


def test_bad_certificates_and_keys_are_named(tmp_path, certificate):
    (tmp_path / "other").mkdir()
    other = make_certificate(tmp_path / "other", "other")

    def refusal(crt, key):
        return refused_start(tmp_path, f'[listen]\naddresses = ["127.0.0.1:0"]\n[admin]\naddresses = ["127.0.0.1:0"]\n'
                                       f'tls_certificate = "{crt}"\ntls_key = "{key}"\n')
    place = f"{tmp_path}/proxy.toml"
    assert refusal("none.crt", "admin.key") == (
        f"{place}:5: admin.tls_certificate: {tmp_path}/none.crt: cannot be opened: No such file or directory")
    assert refusal("admin.crt", "none.key").startswith(f"{place}:6: admin.tls_key: {tmp_path}/none.key: cannot be")
    assert f"{tmp_path}/admin.key: is no PEM certificate" in refusal("admin.key", "admin.key")
    assert f"{place}:6: admin.tls_key: {other.key}: " in refusal("admin.crt", other.key)
    os.chmod(certificate.key, 0o644)
    assert "admin.key: others may read or write it: its mode must be 0600" in refusal("admin.crt", "admin.key")
