# SPDX-License-Identifier: Apache-2.0
"""Clients through a Unix socket: real psql, who they are, cancelling, and what a crash leaves behind."""

import json
import os
import pwd
import signal
import socket
import struct
import subprocess
import threading

import pytest
from harness.clients import TIMEOUT_SECONDS, environment
from harness.postgres import AS_POSTGRES, free_port
from harness.proxy import BINARY
from harness.waiting import wait_until
from harness.wire import SSL_REQUEST, Raw, Wire, WireError

ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def folder(tmp_path):
    """Where everybody may go, and short enough for a socket's path."""
    path = tmp_path
    while path != path.parent and path != path.__class__("/tmp"):
        path.chmod(0o755)
        path = path.parent
    return str(tmp_path)


@pytest.fixture
def me(postgres):
    """A database user named like the one who runs the tests."""
    with postgres.connect() as admin:
        if not admin.query(f"SELECT 1 FROM pg_roles WHERE rolname = '{ME}'").expect_ok().rows:
            admin.query(f'CREATE ROLE "{ME}" LOGIN').expect_ok()
    return ME


def psql(folder, port, command, user="postgres", launcher=()):
    return subprocess.run([*launcher, "psql", "-h", folder, "-p", str(port), "-U", user, "-d", "demo", "-Atc", command],
                          env=environment(), capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False,
                          cwd="/")


def test_psql_finds_it_by_its_folder(start_proxy, folder):
    proxy = start_proxy(listen__unix_socket_dir=folder)
    done = psql(folder, proxy.port, "SELECT 6 * 7")
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr
    proxy.stop()
    assert os.listdir(folder) == []


def test_it_can_be_the_only_way_in(make_proxy, folder, tmp_path):
    proxy = make_proxy(listen__addresses=[], listen__unix_socket_dir=folder, listen__unix_socket_port=6543)
    proxy.write_config()
    with subprocess.Popen([BINARY, "--config", proxy.config_file], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: os.path.exists(f"{folder}/.s.PGSQL.6543"), "the socket is there", 60)
        done = psql(folder, 6543, "SELECT 1")
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


def test_hooks_see_the_os_user(start_proxy, folder, guests):
    proxy = start_proxy(plugins=[os.path.join(guests, "echo_input.wat")], listen__unix_socket_dir=folder)
    with Wire(folder, proxy.port) as session:
        session.query("SELECT 1").expect_ok()
    me = {"os_user": ME, "client_uid": str(os.getuid()), "client_pid": str(os.getpid())}
    assert me.items() <= json.loads(proxy.admin.value("echo-input", "input"))["hook_context"]["attributes"].items()
    assert json.loads(proxy.admin.value("echo-input", "login"))["headers"] == me
    with proxy.connect() as session:
        session.query("SELECT 1").expect_ok()
    assert "os_user" not in json.loads(proxy.admin.value("echo-input", "input"))["hook_context"]["attributes"]
    assert json.loads(proxy.admin.value("echo-input", "login"))["headers"] == {}


def test_peer_rule_lets_everybody_in_as_himself_alone(start_proxy, folder, me):
    proxy = start_proxy(listen__unix_socket_dir=folder, listen__unix_socket_peer=True)
    with Wire(folder, proxy.port, user=me) as session:
        assert session.query("SELECT current_user").value() == me
    with pytest.raises(WireError) as refused:
        Wire(folder, proxy.port, user="anna")
    assert refused.value.fields["C"] == "28000" and refused.value.fields["S"] == "FATAL"
    if os.geteuid() == 0:  # another OS user, who is not "anna" either
        done = psql(folder, proxy.port, "SELECT 1", user="anna", launcher=[AS_POSTGRES])
        assert done.returncode == 2 and "peer authentication failed" in done.stderr
    with proxy.connect(user="anna") as session:  # the rule is about the socket only
        session.query("SELECT 1").expect_ok()


def test_permissions_keep_others_out(start_proxy, folder):
    if os.geteuid() != 0:
        pytest.skip("takes a second OS user")
    proxy = start_proxy(listen__unix_socket_dir=folder, listen__unix_socket_mode="0700")
    assert psql(folder, proxy.port, "SELECT 1").returncode == 0
    done = psql(folder, proxy.port, "SELECT 1", launcher=[AS_POSTGRES])
    assert done.returncode == 2 and "Permission denied" in done.stderr


def test_cancel_through_it(start_proxy, folder):
    proxy = start_proxy(listen__unix_socket_dir=folder)
    with Wire(folder, proxy.port) as session, proxy.connect() as other:
        replies = []
        thread = threading.Thread(target=lambda: replies.append(session.query("SELECT pg_sleep(600)")))
        thread.start()
        wait_until(lambda: other.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(600)%' "
                                       "AND state = 'active'").rows, "the query runs")
        session.cancel(folder, proxy.port)
        thread.join(60)
        assert replies[0].sqlstate == "57014"


def test_encryption_is_declined_and_the_session_goes_on(start_proxy, folder):
    proxy = start_proxy(listen__unix_socket_dir=folder)
    with Raw(folder, proxy.port) as raw:
        raw.send(struct.pack("!ii", 8, SSL_REQUEST))
        assert raw.exactly(1) == b"N"
    done = subprocess.run(["psql", f"host={folder} port={proxy.port} user=postgres dbname=demo sslmode=prefer", "-Atc",
                           "SELECT 1"], env=environment(), capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
                          check=False)
    assert done.stdout == "1\n", done.stderr


def test_socket_of_a_killed_proxy_is_replaced(make_proxy, folder):
    proxy = make_proxy(listen__unix_socket_dir=folder, listen__unix_socket_port=6543).start()
    proxy.process.kill()
    proxy.process.wait()
    assert sorted(os.listdir(folder)) == [".s.PGSQL.6543", ".s.PGSQL.6543.lock"]
    proxy.start()
    with Wire(folder, 6543) as session:
        session.query("SELECT 1").expect_ok()


def refusal_of_start(proxy):
    proxy.write_config()
    done = subprocess.run([BINARY, "--config", proxy.config_file], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode != 0
    return done.stderr


def test_second_proxy_leaves_the_first_alone(make_proxy, folder):
    settings = {"listen__unix_socket_dir": folder, "listen__unix_socket_port": 6543}
    first = make_proxy(**settings).start()
    assert f"/.s.PGSQL.6543: it is in use by process {first.pid}" in refusal_of_start(make_proxy(**settings))
    with Wire(folder, 6543) as session:
        session.query("SELECT 1").expect_ok()


def test_socket_of_another_server_is_left_alone(make_proxy, folder):
    port = free_port()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(f"{folder}/.s.PGSQL.{port}")
        other.listen()
        message = refusal_of_start(make_proxy(listen__unix_socket_dir=folder, listen__unix_socket_port=port))
    assert "another process is listening there" in message


def test_successor_can_listen_while_the_first_drains(make_proxy, folder):
    settings = {"listen__unix_socket_dir": folder, "listen__unix_socket_port": 6543}
    first = make_proxy(**settings).start()
    with Wire(folder, 6543) as session:
        session.query("BEGIN").expect_ok()
        first.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not os.path.exists(f"{folder}/.s.PGSQL.6543"), "the name is free")
        make_proxy(**settings).start()
        with Wire(folder, 6543) as other:
            other.query("SELECT 1").expect_ok()
        session.query("SELECT 1").expect_ok()
        session.query("COMMIT").expect_ok()
