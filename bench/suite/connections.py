# SPDX-License-Identifier: Apache-2.0
"""What connections cost: memory while they are idle, and how fast they can be made."""

import os
import resource
import socket
import subprocess
import sys
import time

from .process import cpu_time, resident_kib
from .startup import READY, STARTUP, encrypt

HERE = os.path.dirname(os.path.abspath(__file__))


def raise_descriptor_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class IdleServer:
    """Greets everybody as PostgreSQL does and says nothing more: PostgreSQL itself would need a process for each."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, os.path.join(HERE, "idle_server.py")], stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
        self.directory = ""

    def stop(self):
        self.process.kill()
        self.process.wait()


def open_clients(contender, count):
    """`count` sessions that have seen ReadyForQuery."""
    clients = []
    for _ in range(count):
        client = socket.create_connection(("127.0.0.1", contender.port))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as libpq
        if contender.certificate:
            client = encrypt(client)
        client.sendall(STARTUP)
        clients.append(client)
    for client in clients:
        answer = b""
        while not answer.endswith(READY):
            piece = client.recv(4096)
            assert piece, "the session was refused"
            answer += piece
    return clients


def memory_per_idle_client(contender, counts):
    """KiB of resident memory per idle client, for each of the counts."""
    before = resident_kib(contender.pid)
    clients = []
    found = {}
    for count in counts:
        while len(clients) < count:  # not all at once: what is asked for is how much they take when they are idle
            clients += open_clients(contender, min(100, count - len(clients)))
        found[count] = (resident_kib(contender.pid) - before) / count
    for client in clients:
        client.close()
    return found


def connection_rate(contender, seconds=2.0):
    """Sessions per second made and ended one after the other, and the proxy's CPU microseconds for each."""
    done = 0
    before = cpu_time(contender.pid)
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        for client in open_clients(contender, 1):
            client.sendall(b"X\0\0\0\x04")
            client.close()
        done += 1
    elapsed = time.monotonic() - started
    return done / elapsed, (cpu_time(contender.pid) - before).total * 1e6 / done
