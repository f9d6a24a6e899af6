# SPDX-License-Identifier: Apache-2.0
"""Anchors of an audit trail, kept in a file and at an HTTPS address, by a proxy on a real server."""

import http.server
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest
from harness.certificates import make_certificate
from harness.proxy import BINARY
from harness.waiting import wait_until
from test_kv_command import run_cli

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z audit-chain/trail \d+:[0-9a-f]{64}")


@pytest.fixture
def make_audited(make_proxy):
    plugin = os.path.join(os.environ["HELIOS_PLUGIN_DIR"], "audit-chain")

    def make(*anchors):
        return make_proxy(plugins=[plugin + ".wasm", plugin + ".toml"], state__directory="state",
                          state__anchors=[{"stream": "audit-chain/trail", **anchor} for anchor in anchors])
    return make


class Receiver(http.server.BaseHTTPRequestHandler):
    """An address that keeps what is posted to it."""

    def do_POST(self):  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, self.headers["Authorization"], json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver(tmp_path):
    certificate = make_certificate(tmp_path, "anchors")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.path, certificate.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.received, server.status, server.body, server.ca = [], 204, b"", certificate.path
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def url_of(receiver):
    return f"https://127.0.0.1:{receiver.server_port}/helios"


def run_statements(proxy, count=3):
    with proxy.connect() as client:
        for number in range(count):
            client.query(f"SELECT {number}").expect_ok()


def lines_of(proxy, name="anchors.log"):
    path = os.path.join(proxy.directory, name)
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def verify(proxy, *words, status=0):
    return run_cli("audit", "verify", "--url", f"http://127.0.0.1:{proxy.admin.port}", *words, status=status)


def verify_against_file(proxy, status=0):
    return verify(proxy, "--anchors", os.path.join(proxy.directory, "anchors.log"), status=status)


def test_anchors_are_made_at_the_start_on_schedule_and_at_the_end(make_audited):
    proxy = make_audited({"every_s": 1, "file": "anchors.log"}).start()
    run_statements(proxy)
    wait_until(lambda: len(lines_of(proxy)) >= 3, "three anchors")
    proxy.stop()
    lines = lines_of(proxy)
    assert all(LINE.fullmatch(line) for line in lines), lines
    proxy.start()
    said = verify_against_file(proxy)
    # The stop of the plugin is the last record of the first run, and the last anchor names it.
    stop = [line for line in run_cli("audit", "events", "--url", f"http://127.0.0.1:{proxy.admin.port}").splitlines()
            if "] stop: " in line]
    assert re.search(r"\[(\d+)\]", stop[0])[1] == re.search(r" (\d+):", lines[-1])[1]
    assert re.search(r"\n\d+ anchors, each as it says\n", said)
    assert proxy.admin.metric("helios_anchors_total") >= 1
    assert proxy.admin.metric("helios_anchor_last_timestamp_seconds") > 1.7e9


def test_trail_that_was_made_anew_or_cut_off_is_found(make_audited):
    proxy = make_audited({"every_s": 1, "file": "anchors.log"}).start()
    run_statements(proxy, 20)
    proxy.stop()
    kept = os.path.join(proxy.directory, "kept")
    with open(kept, "w", encoding="utf-8") as file:
        file.write(lines_of(proxy)[-1] + "\n")
    shutil.rmtree(os.path.join(proxy.directory, "state"))
    proxy.start()
    assert "is missing: an anchor names it" in verify(proxy, "--anchors", kept, status=1)
    run_statements(proxy, 40)
    assert "it is not the one that the anchor names: the trail was made anew" in verify(
        proxy, "--anchors", kept, status=1)


def test_what_is_no_anchor_is_named(make_audited):
    proxy = make_audited({"every_s": 3600, "file": "anchors.log"}).start()
    wait_until(lambda: lines_of(proxy), "an anchor")
    path = os.path.join(proxy.directory, "anchors.log")
    with open(path, "a", encoding="utf-8") as file:
        file.write("2026-10-03T12:00:00.000Z audit-cha\n")
    assert "1 anchors, each as it says; 1 lines of the file are no anchors\n" in verify_against_file(proxy)
    other = os.path.join(proxy.directory, "other")
    with open(other, "w", encoding="utf-8") as file:
        file.write(lines_of(proxy)[0].replace("/trail", "/other") + "\n")
    assert f"{other}: has no anchor of audit-chain/trail" in verify(proxy, "--anchors", other, status=1)
    assert "cannot be opened" in verify(proxy, "--anchors", "/nowhere", status=1)


def test_anchors_are_posted_with_the_token(make_audited, receiver, tmp_path):
    secret = tmp_path / "token"
    secret.write_text("secret-of-the-address\n")
    os.chmod(secret, 0o600)
    proxy = make_audited({"every_s": 3600, "url": url_of(receiver), "ca_file": receiver.ca,
                          "token_file": str(secret)}).start()
    wait_until(lambda: receiver.received, "an anchor")
    path, authorization, body = receiver.received[0]
    assert (path, authorization, body["stream"]) == ("/helios", "Bearer secret-of-the-address", "audit-chain/trail")
    assert verify(proxy, "--anchor", f"{body['number']}:{body['sha256']}")
    proxy.stop()
    assert len(receiver.received) == 2
    assert receiver.received[1][2]["number"] > body["number"]
    assert "secret-of-the-address" not in proxy.log


def test_anchor_that_is_made_while_the_trail_is_read_is_no_alarm(make_audited, tmp_path):
    proxy = make_audited({"every_s": 1, "file": "anchors.log"}).start()
    run_statements(proxy)
    wait_until(lambda: lines_of(proxy), "an anchor")
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    reading = subprocess.Popen([BINARY, "audit", "verify", "--url", f"http://127.0.0.1:{proxy.admin.port}", "--anchors",
                                pipe], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with open(pipe, "w", encoding="utf-8") as file:
        before = len(lines_of(proxy))
        run_statements(proxy)
        wait_until(lambda: len(lines_of(proxy)) >= before + 2, "an anchor of what was said meanwhile")
        file.write("\n".join(lines_of(proxy)) + "\n")
    said, _ = reading.communicate(timeout=60)
    assert reading.returncode == 0, said


def test_end_waits_for_one_delivery_and_not_for_all(make_audited):
    silent = [socket.create_server(("127.0.0.1", 0)) for _ in range(6)]
    proxy = make_audited(*[{"url": f"https://127.0.0.1:{each.getsockname()[1]}/"} for each in silent]).start()
    under_way, _ = silent[0].accept()
    begun = time.monotonic()
    proxy.stop()
    assert time.monotonic() - begun < 30  # one of 10 s, and 5 s for all the others
    for each in (under_way, *silent):
        each.close()


def test_yes_is_a_yes_whatever_follows_it(make_audited, receiver):
    receiver.status, receiver.body = 200, b"x" * 100_000
    proxy = make_audited({"url": url_of(receiver), "ca_file": receiver.ca}).start()
    wait_until(lambda: proxy.admin.metric("helios_anchors_total") == 1, "an anchor")
    assert proxy.admin.metric("helios_anchor_failures_total") == 0


def test_address_that_cannot_be_trusted_or_refuses_is_said_where_operators_look(make_audited, receiver):
    untrusted = make_audited({"every_s": 3600, "url": url_of(receiver)}).start()
    url = re.escape(url_of(receiver))
    untrusted.wait_for_log(rf"no anchor of audit-chain/trail in {url}: {url}: .*certificate")
    assert receiver.received == []
    wait_until(lambda: "no anchor of audit-chain/trail" in untrusted.admin.get("/readyz").text, "a warning")
    assert untrusted.admin.metric("helios_anchor_failures_total") == 1
    run_statements(untrusted)

    receiver.status = 302
    refused = make_audited({"every_s": 3600, "url": url_of(receiver), "ca_file": receiver.ca}).start()
    refused.wait_for_log(r"no anchor of .*: answered with status 302")
    assert [path for path, _, _ in receiver.received] == ["/helios"]  # and not what it redirects to


def test_reload_changes_anchors(make_audited):
    proxy = make_audited({"every_s": 3600, "file": "anchors.log"}).start()
    wait_until(lambda: lines_of(proxy), "an anchor")
    proxy.config["state.anchors"].append({"stream": "audit_chain/trail", "file": "more.log"})
    proxy.write_config()
    assert proxy.reload().status == 200
    wait_until(lambda: lines_of(proxy, "more.log"), "an anchor in the other file")
    assert len(lines_of(proxy)) == 1
    proxy.config["state.anchors"][0]["stream"] = "audit-chain"
    proxy.write_config()
    answer = proxy.reload()
    assert answer.status == 422 and "state.anchors.stream: must be NAMESPACE/STREAM" in answer.text


def test_check_names_every_anchor_that_is_wrong(make_audited):
    proxy = make_audited({"file": "a"}, {"file": "b"})
    proxy.config["state.anchors"] = [{"stream": "a", "file": "f"}, {"stream": "b/.c", "file": "f"},
                                     {"stream": "a/b", "url": "https://user:word@host/"}]
    proxy.write_config()
    said = run_cli("--check", "--config", proxy.config_file, status=1)
    assert said.count("state.anchors.stream: must be NAMESPACE/STREAM, as in audit-chain/trail") == 2, said
    assert "state.anchors.url: must not hold a user or a password" in said and "word@" not in said
