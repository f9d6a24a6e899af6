# SPDX-License-Identifier: Apache-2.0
"""What a service manager does for a service: it hears of its state, and passes it sockets. As systemd does it, without systemd."""

import fcntl
import os
import socket
import threading

from .waiting import wait_until

# Above what a shell may use by itself.
FIRST_FREE = 100


class Manager:
    """Listens on a notification socket; `name`: of an abstract one, else a path in `directory`."""

    def __init__(self, directory, name=None):
        self.address = name or os.path.join(directory, "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + name[1:] if name else self.address)
        self.messages = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            lines = self._socket.recv(65536).decode().split("\n")
            self.messages.append(dict(line.split("=", 1) for line in lines))

    def states(self):
        """What was told, in order, without what is only for people and what comes all the time."""
        return [state for message in self.messages for state in ("READY", "RELOADING", "STOPPING") if state in message]

    def count(self, key):
        return sum(key in message for message in self.messages)

    def wait_for(self, states):
        wait_until(lambda: self.states() == states, f"{states}, told was {self.messages}")

    def status(self):
        return [message["STATUS"] for message in self.messages if "STATUS" in message][-1]


def activate(proxy, sockets):
    """Lets `proxy` find `sockets` ({name: listening socket}) as its descriptors 3 and up when it starts."""
    high = [fcntl.fcntl(each.fileno(), fcntl.F_DUPFD, FIRST_FREE) for each in sockets.values()]
    redirections = " ".join(f"{3 + i}<&{number}" for i, number in enumerate(high))
    wrapper = os.path.join(proxy.directory, "activated")
    with open(wrapper, "w", encoding="utf-8") as script:
        script.write(f"#!/bin/bash\nexec {redirections}\n" + "".join(f"exec {number}<&-\n" for number in high) +
                     f"export LISTEN_PID=$$ LISTEN_FDS={len(high)} LISTEN_FDNAMES={':'.join(sockets)}\n"
                     f"exec {proxy.binary} \"$@\"\n")
    os.chmod(wrapper, 0o755)
    proxy.binary = wrapper
    proxy.pass_fds = tuple(high)
