# SPDX-License-Identifier: Apache-2.0
"""The proxy as a service: what it tells a service manager (sd_notify), and the sockets that it takes from one (LISTEN_FDS)."""

import os
import re
import signal
import socket

import pytest
from harness.postgres import free_port
from harness.service import Manager, activate
from harness.waiting import wait_until
from harness.wire import Wire


@pytest.fixture
def manager(tmp_path):
    return Manager(tmp_path)


def listening(address):
    made = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    made.bind(address)
    made.listen(16)
    return made


def test_ready_is_told_when_clients_are_served(make_proxy, manager):
    proxy = make_proxy(environment={"NOTIFY_SOCKET": manager.address}).start()
    manager.wait_for(["READY"])
    assert manager.status() == f"serving on 127.0.0.1:{proxy.port}"
    assert manager.count("WATCHDOG") == 0


def test_start_that_fails_is_never_ready(make_proxy, manager):
    proxy = make_proxy(environment={"NOTIFY_SOCKET": manager.address}, listen__addresses=["192.0.2.1:6432"])
    assert "192.0.2.1:6432" in proxy.refused_start()
    wait_until(lambda: manager.messages, "the start has begun")
    assert manager.states() == []


def test_check_tells_nothing(make_proxy, manager):
    import subprocess
    proxy = make_proxy(environment={"NOTIFY_SOCKET": manager.address})
    proxy.write_config()
    subprocess.run([proxy.binary, "--check", "--config", proxy.config_file], env=proxy.environment, check=True, timeout=60)
    assert not manager.messages


@pytest.mark.parametrize("way", ["signal", "admin"])
def test_reload_is_told_with_its_time_and_its_end(make_proxy, manager, way):
    proxy = make_proxy(environment={"NOTIFY_SOCKET": manager.address}).start()
    if way == "signal":
        proxy.process.send_signal(signal.SIGHUP)
    else:
        proxy.reload()
    manager.wait_for(["READY", "RELOADING", "READY"])
    message, = (each for each in manager.messages if "RELOADING" in each)
    assert re.fullmatch(r"\d+", message["MONOTONIC_USEC"])
    assert manager.status() == "reloaded: 0 plugins in force"


def test_refused_reload_ends_too(make_proxy, manager):
    proxy = make_proxy(environment={"NOTIFY_SOCKET": manager.address}).start()
    proxy.write_config("nonsense")
    proxy.process.send_signal(signal.SIGHUP)
    manager.wait_for(["READY", "RELOADING", "READY"])
    assert manager.status() == "not reloaded: 0 plugins in force, as before"


def test_stopping_is_told_while_sessions_end(make_proxy, manager):
    proxy = make_proxy(environment={"NOTIFY_SOCKET": manager.address}).start()
    with proxy.connect() as session:
        session.query("BEGIN").expect_ok()
        proxy.process.send_signal(signal.SIGTERM)
        manager.wait_for(["READY", "STOPPING"])
        assert "within 30000 ms" in manager.status()
        proxy.process.send_signal(signal.SIGHUP)
        session.query("COMMIT").expect_ok()
    proxy.stop()
    assert manager.states() == ["READY", "STOPPING"]


def test_watchdog_hears_of_the_process_until_it_hangs(make_proxy, manager):
    proxy = make_proxy(environment={"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "100000"}).start()
    wait_until(lambda: manager.count("WATCHDOG") >= 5, "signs of life")
    with proxy.connect() as session:
        session.query("BEGIN").expect_ok()
        proxy.process.send_signal(signal.SIGTERM)
        manager.wait_for(["READY", "STOPPING"])
        told = manager.count("WATCHDOG")
        wait_until(lambda: manager.count("WATCHDOG") >= told + 3, "signs of life while sessions end")


def test_watchdog_of_another_process_is_none(make_proxy, manager):
    proxy = make_proxy(environment={"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}).start()
    proxy.reload()
    manager.wait_for(["READY", "RELOADING", "READY"])
    assert manager.count("WATCHDOG") == 0


def test_abstract_socket(make_proxy, tmp_path):
    manager = Manager(tmp_path, name=f"@heliosproxy-test-{os.getpid()}")
    make_proxy(environment={"NOTIFY_SOCKET": manager.address}).start()
    manager.wait_for(["READY"])


@pytest.mark.parametrize("address, why", [("nonsense", "is neither a path nor an abstract socket"),
                                          ("/nowhere/notify", "cannot be told: No such file")])
def test_manager_that_cannot_be_told_is_a_warning(make_proxy, address, why):
    proxy = make_proxy(environment={"NOTIFY_SOCKET": address}).start()
    proxy.connect().close()
    proxy.reload()
    assert proxy.log.count(why) == 1


def test_passed_sockets_are_used_and_stay_when_the_proxy_goes(make_proxy):
    port = free_port()
    with listening(("127.0.0.1", port)) as tcp:
        proxy = make_proxy(listen__addresses=[f"127.0.0.1:{port}"])
        folder = os.path.join(proxy.directory, "sockets")
        os.mkdir(folder)
        proxy.config["listen.unix_socket_dir"] = folder
        path = f"{folder}/.s.PGSQL.{port}"
        with listening(path) as unix:
            activate(proxy, {"tcp": tcp, "unix": unix})
            for _ in range(2):
                # Who comes while no proxy is there waits, and is refused by nobody.
                with socket.create_connection(("127.0.0.1", port)) as early:
                    proxy.start()
                    assert proxy.port == port and f"listening on {path}" in proxy.log
                    early.sendall(bytes([0, 0, 0, 8, 4, 210, 22, 47]))
                    assert early.recv(1) == b"N"
                with proxy.connect() as session:
                    session.query("SELECT 1").expect_ok()
                with Wire(folder, port, user="postgres", database="demo") as session:
                    session.query("SELECT 1").expect_ok()
                proxy.stop()
            assert os.path.exists(path)


def test_clients_that_come_while_the_proxy_drains_wait_for_the_next_one(make_proxy):
    port = free_port()
    with listening(("127.0.0.1", port)) as tcp:
        proxy = make_proxy(listen__addresses=[f"127.0.0.1:{port}"])
        activate(proxy, {"tcp": tcp})
        proxy.start()
        with proxy.connect() as session:
            session.query("BEGIN").expect_ok()
            proxy.process.send_signal(signal.SIGTERM)
            proxy.wait_for_log("shutting down")
            waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
            session.query("SELECT 1").expect_ok()
            session.query("COMMIT").expect_ok()
        proxy.stop()
        proxy.start()
        for client in waiting:
            client.sendall(bytes([0, 0, 0, 8, 4, 210, 22, 47]))
            assert client.recv(1) == b"N"
            client.close()


def test_socket_that_no_address_is_like_is_an_error_that_names_it(make_proxy):
    with listening(("127.0.0.1", 0)) as tcp:
        proxy = make_proxy()
        activate(proxy, {"stray": tcp})
        port = tcp.getsockname()[1]
        assert f'passes the socket "stray", which listens on 127.0.0.1:{port}, and [listen] has no such address' in proxy.refused_start()


def test_socket_that_does_not_listen_is_an_error_that_names_it(make_proxy):
    with socket.socket() as mute:
        proxy = make_proxy()
        activate(proxy, {"mute": mute})
        assert 'socket "mute" of the service manager' in proxy.refused_start()


def test_sockets_of_another_process_are_left_alone(make_proxy):
    proxy = make_proxy(environment={"LISTEN_PID": "1", "LISTEN_FDS": "2"}).start()
    proxy.connect().close()


def test_nonsense_in_the_environment_is_an_error(make_proxy):
    proxy = make_proxy(environment={"WATCHDOG_USEC": "soon"})
    assert "WATCHDOG_USEC=soon: must be a number from 0 to 86400000000" in proxy.refused_start()
