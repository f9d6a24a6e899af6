# SPDX-License-Identifier: Apache-2.0
"""[server] host as a name: looked up by the system's resolver, which nss_wrapper gives a hosts file of the test's."""

import os

import pytest
from harness.certificates import make_certificate
from harness.postgres import AS_POSTGRES, Postgres
from harness.proxy import BINARY, is_sanitized
from harness.waiting import wait_until
from harness.wire import WireError

NAME = "db.example"
WRAPPER = "libnss_wrapper.so"  # of Debian's libnss-wrapper


class Hosts:
    """What the names of one proxy mean."""

    def __init__(self, path):
        self.path = str(path)

    def say(self, *addresses):
        """NAME has these, in this order, from now on. (One that is not there would be asked for in the network.)"""
        next_file = self.path + ".next"
        with open(next_file, "w", encoding="ascii") as file:
            file.write("".join(f"{address} {NAME}\n" for address in addresses))
        os.rename(next_file, self.path)


@pytest.fixture
def hosts(tmp_path):
    return Hosts(tmp_path / "hosts")


@pytest.fixture
def named(make_proxy, hosts):
    """named(**settings): a proxy whose server has a name, looked up every second."""
    if is_sanitized(BINARY, "tsan"):
        pytest.skip("nss_wrapper takes the place of functions that the thread sanitizer has replaced")

    def start(**settings):
        options = os.environ.get("ASAN_OPTIONS", "")
        environment = {"LD_PRELOAD": WRAPPER, "NSS_WRAPPER_HOSTS": hosts.path, "NSS_WRAPPER_DISABLE_DEEPBIND": "1",
                       "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0:detect_leaks=0".strip(":")}
        return make_proxy(environment=environment, server__host=NAME, server__dns_ttl_s=1, **settings).start()
    return start


def reached(proxy):
    """The answer of a new session; None: there is none."""
    try:
        with proxy.connect() as session:
            return session.query("SELECT 1").value()
    except WireError as refused:
        assert refused.fields["C"] == "57P03", refused.fields
        return None


def test_name_is_the_server(named, hosts):
    hosts.say("127.0.0.1")
    proxy = named()
    assert reached(proxy) == "1"
    assert f'server="{NAME}:' in proxy.admin.get("/metrics").text


def test_every_address_is_tried(named, hosts):
    hosts.say("127.0.0.7", "127.0.0.1")
    assert reached(named()) == "1"


def test_server_that_has_moved(named, hosts):
    hosts.say("127.0.0.7")
    proxy = named()
    assert reached(proxy) is None
    hosts.say("127.0.0.1")
    wait_until(lambda: reached(proxy) == "1", "the new address is used")


def test_certificate_is_for_the_name(named, hosts, tmp_path):
    hosts.say("127.0.0.1")
    certificate = make_certificate(tmp_path, "named", hosts=(f"DNS:{NAME}",))
    server = Postgres()
    try:
        shown = certificate.copy_for(server.directory, AS_POSTGRES)
        server.settings.update(ssl="on", ssl_cert_file=shown.path, ssl_key_file=shown.key)
        server.start()
        proxy = named(server__port=server.port, server__sslmode="verify-full", server__root_certificate=certificate.path)
        with proxy.connect(database="postgres") as session:
            assert session.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").value() == "t"
    finally:
        server.remove()


@pytest.mark.parametrize("host", ["db..example", "-db", "10.0.0", "a b", "db.example:5432"])
def test_what_is_no_name(make_proxy, host):
    assert "server.host: must be an IP address, a host name, or a folder" in make_proxy(server__host=host).refused_start()
