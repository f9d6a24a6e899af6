# SPDX-License-Identifier: Apache-2.0
"""A proxy for all tests of a file: where many small tests look at one configuration, starting one for each is most of the
time."""

import contextlib

from conftest import SANITIZER_SETTINGS

from .proxy import Proxy


@contextlib.contextmanager
def running_proxy(port, plugins=(), **settings):
    """A started proxy in front of the server on `port`; stopped, and its end checked, at the end."""
    config = {"server.host": "127.0.0.1", "server.port": port, **SANITIZER_SETTINGS}
    config.update({name.replace("__", "."): value for name, value in settings.items()})
    proxy = Proxy(config)
    for plugin in plugins:
        proxy.install(plugin)
    try:
        yield proxy.start()
        proxy.stop()
    finally:
        proxy.remove()


class Recorded:
    """What the plugin `recorder` has written down since this was made, or since the last look."""

    def __init__(self, proxy):
        self.admin = proxy.admin
        self.seen = self._count()

    def _count(self):
        return int(self.admin.value("recorder", "count") or 0)

    def calls(self):
        """[hook, tenant, text, ...] of each call; the tenant "-" is none."""
        first, self.seen = self.seen, self._count()
        return [self.admin.value("recorder", f"call:{1000000 + n}").split("|") for n in range(first, self.seen)]

    def texts(self):
        return ["|".join(call[2:]) for call in self.calls() if call[0] == "pre"]

    def outcomes(self):
        return [call[-1] for call in self.calls() if call[0] == "post"]
