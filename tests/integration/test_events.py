# SPDX-License-Identifier: Apache-2.0
"""What happens beside statements stands in the trail of audit-chain: starts and stops, reloads, requests of operators, blocks,
logins that came to nothing; and `audit verify` says when the plugin did not run."""

import hashlib
import json
import os
import re
import socket
import subprocess

import pytest
from harness.postgres import free_port
from harness.waiting import wait_until
from harness.wire import Raw, WireError, message, startup_packet
from test_blocks import command
from test_kv_command import run_cli
from test_plugins import files_of


@pytest.fixture
def proxy(make_proxy):
    return make_proxy(plugins=files_of("audit-chain"), state__directory="state").start()


def events(proxy, *words):
    out = run_cli("audit", "events", "--json", *words, "--url", f"http://127.0.0.1:{proxy.admin.port}")
    return [json.loads(line) for line in out.splitlines()]


def kinds(found):
    return [each["event"] for each in found]


def verify(proxy):
    return run_cli("audit", "verify", "--url", f"http://127.0.0.1:{proxy.admin.port}")


def file_digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def test_start_says_which_process_which_configuration_and_which_plugins(proxy):
    with proxy.connect() as session:
        session.query("SELECT 1").expect_ok()
    start, = events(proxy)
    assert (start["number"], start["event"]) == (1, "start")
    detail = start["detail"]
    assert detail["cause"] == "start" and re.fullmatch("[0-9a-f]{16}", detail["process"])
    assert detail["configuration"] == file_digest(proxy.config_file)
    wasm = file_digest(os.path.join(proxy.plugins, "audit-chain.wasm"))
    assert [(each["name"], each["sha256"]) for each in detail["plugins"]] == [("audit-chain", wasm)]
    assert "the plugin ran all the time since its start\n" in verify(proxy)


def test_intervals_in_which_it_did_not_run_are_told(proxy):
    proxy.stop()
    proxy.start()
    with proxy.connect() as session:
        session.query("SELECT 1").expect_ok()
    proxy.kill()
    proxy.start()
    assert kinds(events(proxy)) == ["start", "stop", "start", "start"]
    assert len({each["detail"]["process"] for each in events(proxy)}) == 3
    report = verify(proxy)
    assert "the plugin did not run 2 times:\n" in report
    time = r"\S+Z \(record {}\)"
    assert re.search(f"  from {time.format(2)} to {time.format(3)}, stopped: shutdown\n", report)
    assert re.search(f"  from {time.format(5)} to {time.format(6)}, without a stop: killed, or a crash\n", report)


def test_start_that_fails_is_no_crash(proxy):
    proxy.stop()
    usual = proxy.config["listen.addresses"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        proxy.config["listen.addresses"] = [f"127.0.0.1:{taken.getsockname()[1]}"]
        proxy.write_config()
        done = subprocess.run([proxy.binary, "--config", proxy.config_file], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1 and "in use" in done.stderr
    proxy.config["listen.addresses"] = usual
    proxy.start()
    assert kinds(events(proxy)) == ["start", "stop"] * 2 + ["start"]
    assert "crash" not in verify(proxy)


def test_plugin_that_is_taken_out_and_put_back_says_so(proxy, counter):
    files = [os.path.join(proxy.plugins, os.path.basename(file)) for file in files_of("audit-chain")]
    proxy.install(counter)
    assert proxy.reload().status == 200
    for file in files:
        os.rename(file, file + ".away")
    assert proxy.reload().status == 200
    assert "it has not run since" in verify(proxy)
    with proxy.connect() as session:
        session.query("SELECT 'nobody sees this'").expect_ok()
    for file in files:
        os.rename(file + ".away", file)
    assert proxy.reload().status == 200
    found = events(proxy)
    assert kinds(found) == ["start", "admin", "reload", "admin", "stop", "start"]
    change, = found[2]["detail"]["changes"]
    assert (change["change"], change["name"], change["sha256"]) == ("added", "counter", file_digest(counter))
    assert [each["detail"].get("cause") for each in found[4:]] == ["removed", "added"]
    assert re.search(r"from \S+Z \(record 5\) to \S+Z \(record 6\), stopped: removed\n", verify(proxy))


def test_reload_tells_of_the_configuration_and_of_what_was_refused(proxy):
    proxy.config["limits.max_connections"] = 7
    proxy.write_config()
    assert proxy.reload().status == 200
    first = file_digest(proxy.config_file)
    with open(proxy.config_file, "a", encoding="utf-8") as file:
        file.write("\nnonsense = 1\n")
    assert proxy.reload().status == 422
    reloads = [each["detail"] for each in events(proxy, "--event", "reload")]
    assert [each["refused"] for each in reloads] == [False, True]
    assert reloads[0]["configuration"] == first != reloads[0]["old_configuration"]
    assert reloads[1]["configuration"] == first and "nonsense" in reloads[1]["errors"][0]


def test_requests_of_operators_are_told_before_they_are_carried_out(proxy):
    proxy.admin.request("PUT", "/admin/kv/notes/secret", body=b"hunter2", headers={"Helios-New-Namespace": "true"})
    assert proxy.admin.request("DELETE", "/admin/kv/notes/secret").status == 200
    assert proxy.admin.get("/plugins").status == 200
    put, delete = [each["detail"] for each in events(proxy, "--event", "admin")]
    assert (put["method"], put["target"], put["body_bytes"], put["forced"]) == ("PUT", "/admin/kv/notes/secret", 7, False)
    assert re.fullmatch("[0-9a-f]{64}", put["body_hmac"]) and put["body_hmac"] != hashlib.sha256(b"hunter2").hexdigest()
    assert (delete["method"], delete["body_bytes"], delete["body_hmac"]) == ("DELETE", 0, None)
    assert "hunter2" not in json.dumps(events(proxy))
    proxy.admin.request("PUT", "/admin/kv/notes/secret", body=b"x", headers={"Helios-TTL-Ms": "1"})
    assert events(proxy, "--event", "admin")[-1]["detail"]["ttl_ms"] == "1"


def test_blocks_and_their_end_are_told(proxy):
    command(proxy, "block", "user", "mallory", "--reason", "runs wild")
    with pytest.raises(WireError):
        proxy.connect(user="mallory")
    command(proxy, "unblock", "user", "mallory")
    assert command(proxy, "block", "agent", "bot", "--reason", "too", "--for", "1s")
    wait_until(lambda: kinds(events(proxy))[-1] == "unblock", "the block has expired")
    found = [each for each in events(proxy) if each["event"] not in ("start", "admin")]
    assert kinds(found) == ["block", "login_denied", "unblock", "block", "unblock"]
    block, login, unblock, _, expired = [each["detail"] for each in found]
    assert (block["of"], block["name"], block["reason"], block["until"]) == ("user", "mallory", "runs wild", None)
    assert (login["user"], login["by"], login["sqlstate"]) == ("mallory", "proxy", "28000")
    assert "runs wild" in login["reason"]
    assert (unblock["name"], unblock["cause"], expired["name"], expired["cause"]) == ("mallory", "taken away", "bot", "expired")


def test_login_that_the_server_refuses_is_told(proxy):
    with pytest.raises(WireError):
        proxy.connect(database="no_such_database")
    login, = [each["detail"] for each in events(proxy, "--event", "login_denied")]
    assert (login["by"], login["sqlstate"], login["database"]) == ("server", "3D000", "no_such_database")


def logins(proxy):
    return [each["detail"] for each in events(proxy, "--event", "login_denied")]


def test_logins_that_nobody_decides_about_are_told(proxy, make_proxy, postgres):
    with Raw("127.0.0.1", proxy.port) as silent, Raw("127.0.0.1", proxy.port) as wordless:
        wordless.send(startup_packet({"user": "postgres", "database": "demo"}))  # under trust the server lets it in
        silent.send(b"\0\0\0")
    assert logins(proxy) == [], "nobody has said who it is, or it is in"
    closed = make_proxy(plugins=files_of("audit-chain"), state__directory="state", server__port=free_port()).start()
    with pytest.raises(WireError):
        closed.connect(user="bea")
    login, = logins(closed)
    assert (login["user"], login["by"], login["sqlstate"]) == ("bea", "proxy", "57P03")
    assert "could not connect to the server" in login["reason"]


@pytest.mark.parametrize("leaves", [True, False])
def test_password_whose_answer_nobody_waits_for_is_told(make_proxy, leaves):
    """A server that asks for a password, and never answers it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = make_proxy(plugins=files_of("audit-chain"), state__directory="state", server__port=server.getsockname()[1],
                           limits__login_timeout_ms=60_000 if leaves else 1000).start()
        with Raw("127.0.0.1", proxy.port) as client:
            client.send(startup_packet({"user": "ann", "database": "demo"}))
            link, _ = server.accept()
            with link:
                link.sendall(message(b"R", (3).to_bytes(4, "big")))
                assert client.message()[0] == b"R"
                client.send(message(b"p", b"guess\0"))
                wait_until(lambda: b"guess" in link.recv(4096), "the server has the password")
                if leaves:
                    client.reset()
                else:
                    client.until_closed()
    wait_until(lambda: logins(proxy), "the login is told")
    login, = logins(proxy)
    assert (login["user"], login["by"], login["sqlstate"]) == ("ann", "proxy", "08006" if leaves else "57014")
    assert "guess" not in json.dumps(events(proxy))
    wait_until(lambda: proxy.admin.metric("helios_failed_logins_total") == int(leaves), "who leaves is slowed down as well")


def test_request_that_cannot_be_recorded_is_not_carried_out(start_proxy, guests):
    proxy = start_proxy(plugins=files_of("cost-governor"))
    proxy.write_plugin_file("deaf.wat", """(module (memory (export "memory") 1)
        (func (export "helios_abi_version") (result i32) i32.const 2)
        (func (export "event") (result i32) unreachable))""")
    assert proxy.reload().status == 200
    target, budget = "/admin/kv/cost-governor/tenant:acme:budget", b'{"minute":1}'
    answer = proxy.admin.request("PUT", target, body=budget)
    assert answer.status == 503 and 'could not be recorded: plugin "deaf" failed (trap: unreachable' in answer.json["error"]
    assert proxy.admin.get(target).status == 404
    assert proxy.admin.request("PUT", target, body=budget, headers={"Helios-Force": "true"}).status == 200
    assert proxy.admin.get(target).status == 200
