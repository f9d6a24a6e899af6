# SPDX-License-Identifier: Apache-2.0
"""The tests of any file, with a relay on both sides of the proxy: `pytest --through=slices`."""

from .relay import Relay

DELAY_SECONDS = 0.002


def cut_up(link):
    link.to_server.cut_up()
    link.to_client.cut_up()


def hold_back(link):
    link.to_server.delay = link.to_client.delay = DELAY_SECONDS


WAYS = {"slices": cut_up, "delay": hold_back}


class Detour:
    """Relays for the proxies of one test; without a way, there are none."""

    def __init__(self, way):
        self._on_link = WAYS[way] if way else None
        self._relays = []

    def to(self, host, port):
        """The port that leads to `host`:`port`. A Unix socket is left as it is."""
        if self._on_link is None or host.startswith("/"):
            return port
        self._relays.append(Relay(host, port, self._on_link))
        return self._relays[-1].port

    def close(self):
        for relay in self._relays:
            relay.close()
