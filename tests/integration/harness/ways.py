# SPDX-License-Identifier: Apache-2.0
"""Two ways to a server: directly, and through a proxy with a plugin that has every hook and objects to nothing."""

import os
from contextlib import contextmanager

from .postgres import SOURCE_DIR, Postgres
from .proxy import Proxy

PLUGIN = os.path.join(SOURCE_DIR, "tests/guests/allows.wat")
DIRECT, PROXIED = "direct", "proxied"


class Way:
    def __init__(self, postgres, proxy):
        self.postgres, self.proxy = postgres, proxy
        self.port = proxy.port if proxy else postgres.port

    def check_judged(self):
        """How often hooks were called; a comparison in which none ran would prove nothing."""
        metrics = self.proxy.admin.get("/metrics").body.decode()
        calls = sum(float(line.split()[-1]) for line in metrics.splitlines()
                    if line.startswith("helios_plugin_calls_total"))
        assert calls > 0, metrics
        return round(calls)


def _proxy_of(postgres, config):
    proxy = Proxy({"server.host": "127.0.0.1", "server.port": postgres.port, **config})
    proxy.install(PLUGIN)
    # Whatever a session does is judged, not its queries alone.
    proxy.write_plugin_file("allows.toml", 'statements = "all"\n')
    return proxy


@contextmanager
def way(which, config=None, **settings):
    """A new server with these settings; if `which` is PROXIED, behind a proxy with this configuration."""
    postgres, proxy = Postgres(**settings), None
    try:
        with open(os.path.join(postgres.data, "pg_hba.conf"), "a", encoding="utf-8") as hba:
            hba.write("host replication all 127.0.0.1/32 trust\n")
        postgres.start()
        if which == PROXIED:
            proxy = _proxy_of(postgres, config or {})
            proxy.start()
        yield Way(postgres, proxy)
        if proxy:
            proxy.stop()
    finally:
        if proxy:
            proxy.remove()
        postgres.remove()
