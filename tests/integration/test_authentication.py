# SPDX-License-Identifier: Apache-2.0
"""The server authenticates the client; the proxy passes the conversation through."""

import pytest
from harness.clients import psql
from harness.postgres import PASSWORD
from harness.wire import CANCEL_REQUEST, GSSENC_REQUEST, SSL_REQUEST, WireError, startup_packet
import struct


@pytest.fixture
def proxy(start_proxy):
    return start_proxy()


@pytest.mark.parametrize("user", ["by_password", "by_md5", "by_scram"])
def test_right_password_is_let_in(proxy, user):
    with proxy.connect(user=user, password=PASSWORD) as session:
        assert session.query("SELECT current_user").value() == user


@pytest.mark.parametrize("user", ["by_password", "by_md5", "by_scram"])
def test_wrong_password_gets_the_servers_answer(proxy, user):
    with pytest.raises(WireError) as refusal:
        proxy.connect(user=user, password="wrong")
    assert refusal.value.fields["C"] == "28P01"
    assert refusal.value.fields["M"] == f'password authentication failed for user "{user}"'


def test_psql_authenticates_by_scram(proxy):
    assert psql(proxy.port, "SELECT current_user", user="by_scram", password=PASSWORD).stdout == "by_scram\n"


def test_rejected_user_gets_the_servers_answer(proxy):
    with pytest.raises(WireError) as refusal:
        proxy.connect(user="nobody")
    assert refusal.value.fields["C"] == "28000"


def test_unknown_database_gets_the_servers_answer(proxy):
    with pytest.raises(WireError) as refusal:
        proxy.connect(database="atlantis")
    assert refusal.value.fields["C"] == "3D000"


def test_plugins_do_not_disturb_authentication(start_proxy, counter):
    proxy = start_proxy(plugins=[counter])
    with proxy.connect(user="by_scram", password=PASSWORD, options="-c helios.tenant_id=acme") as session:
        session.query("SELECT 1").expect_ok()
    assert proxy.admin.value("counter", "acme") == "1"


@pytest.mark.parametrize("request_code", [SSL_REQUEST, GSSENC_REQUEST])
def test_encryption_is_declined_and_the_session_goes_on(proxy, request_code):
    with proxy.raw() as client:
        client.send(struct.pack("!ii", 8, request_code))
        assert client.exactly(1) == b"N"
        client.send(startup_packet({"user": "postgres", "database": "demo"}))
        kind, body = client.message()
        assert (kind, body) == (b"R", struct.pack("!i", 0))


def test_both_encryptions_are_declined_one_after_the_other(proxy):
    with proxy.raw() as client:
        client.send(struct.pack("!ii", 8, GSSENC_REQUEST))
        assert client.exactly(1) == b"N"
        client.send(struct.pack("!ii", 8, SSL_REQUEST))
        assert client.exactly(1) == b"N"
        client.send(startup_packet({"user": "postgres", "database": "demo"}))
        assert client.message()[0] == b"R"


def test_cancel_request_with_an_unknown_key_is_closed_without_a_word(proxy):
    with proxy.raw() as client:
        client.send(struct.pack("!iiii", 16, CANCEL_REQUEST, 1, 2))
        client.expect_closed()
