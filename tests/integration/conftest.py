# SPDX-License-Identifier: Apache-2.0

import os

import pytest
from harness.postgres import Postgres
from harness.proxy import BINARY, Proxy, is_sanitized
from harness.through import WAYS, Detour

BUILD_DIR = os.environ.get("HELIOS_BUILD_DIR", "build/dev")

# ThreadSanitizer leaves little address space to reserve.
SANITIZER_SETTINGS = {}
if is_sanitized(BINARY, "tsan"):
    SANITIZER_SETTINGS = {"plugins.pool_instances": 16, "plugins.memory_reservation_mb": 32}


def pytest_addoption(parser):
    parser.addoption("--through", choices=sorted(WAYS), help="put relays on both sides of every proxy")


@pytest.fixture
def detour(request):
    made = Detour(request.config.getoption("--through"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def postgres():
    """One PostgreSQL for all tests of the file, with database demo and a user per authentication method."""
    server = Postgres()
    try:
        server.start()
        server.set_up()
        yield server
    finally:
        server.remove()


@pytest.fixture
def make_proxy(postgres, detour):
    """make_proxy(**settings) -> a Proxy in front of `postgres`, not yet started. `plugins`: files to install."""
    made = []

    def make(plugins=(), environment=None, **settings):
        config = {"server.host": "127.0.0.1", "server.port": postgres.port}
        config.update(SANITIZER_SETTINGS)
        config.update({name.replace("__", "."): value for name, value in settings.items()})
        config["server.port"] = detour.to(config["server.host"], config["server.port"])
        proxy = Proxy(config, environment=environment, detour=detour)
        made.append(proxy)
        for plugin in plugins:
            proxy.install(plugin)
        return proxy

    try:
        yield make
        for proxy in made:
            proxy.stop()
    finally:
        for proxy in made:
            proxy.remove()


@pytest.fixture
def start_proxy(make_proxy):
    """Like make_proxy, and started."""
    return lambda **settings: make_proxy(**settings).start()


@pytest.fixture(scope="session")
def counter():
    """A plugin that counts the statements of each tenant under the tenant's name."""
    return os.path.join(BUILD_DIR, "guests", "counter.wasm")


@pytest.fixture(scope="session")
def guests():
    """The folder with hand-written guests (.wat)."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "guests")


@pytest.fixture(scope="session")
def obedient():
    """A plugin that does what a comment in the statement tells it, and writes down what it was shown."""
    return os.path.join(BUILD_DIR, "guests", "obedient.wasm")


@pytest.fixture(scope="session")
def recorder():
    """A plugin that writes down every call of its hooks."""
    return os.path.join(BUILD_DIR, "guests", "recorder.wasm")
