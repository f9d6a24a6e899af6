# SPDX-License-Identifier: Apache-2.0
"""Clients that show a certificate: who is believed, as whom, and what a rule may ask beside it."""

import json
import os
import signal

import pytest
from harness.certificates import Authority, make_certificate
from harness.clients import psql_with
from harness.postgres import PASSWORD
from harness.wire import Wire

RULES = """
hostssl all anna 127.0.0.1/32 cert
hostssl all by_scram 127.0.0.1/32 scram-sha-256 clientcert=verify-ca
hostssl all by_password 127.0.0.1/32 scram-sha-256 clientcert=verify-full
hostssl all postgres 127.0.0.1/32 cert map=operators clientname=DN
hostssl all nobody 127.0.0.1/32 trust
"""
MAPS = 'operators "CN=root,O=Example" postgres\n'


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("proxy"))


@pytest.fixture
def proxy(make_proxy, authority, certificate, postgres, guests):
    proxy = make_proxy([os.path.join(guests, "echo_input.wat")], tls__certificate=certificate.path, tls__key=certificate.key, tls__client_ca=authority.path,
                       tls__client_crl=authority.crl, auth__hba_file="pg_hba.conf", auth__ident_file="pg_ident.conf",
                       auth__user_file="userlist.txt")
    files = {"pg_hba.conf": RULES, "pg_ident.conf": MAPS, "userlist.txt": userlist(postgres)}
    for name, text in files.items():
        path = os.path.join(proxy.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
    return proxy.start()


def userlist(postgres):
    """The password for the one whose server wants to see it, the server's secret for the other one."""
    with postgres.connect() as admin:
        secret = admin.query("SELECT rolpassword FROM pg_authid WHERE rolname = 'by_scram'").value()
    return f'"by_scram" "{secret}"\n"by_password" "{PASSWORD}"\n'


def psql(proxy, user, shown=None, password=None, statement="SELECT current_user"):
    files = {"sslcert": shown.path, "sslkey": shown.key} if shown else {"sslcert": "/nowhere", "sslkey": "/nowhere"}
    return psql_with(proxy.port, statement, user=user, password=password, sslmode="require", **files)


def refused(done, words):
    assert done.returncode != 0 and words in done.stderr, done.stderr


def test_name_in_the_certificate_is_the_users(proxy, authority):
    anna = authority.sign("/O=Example/CN=anna")
    done = psql(proxy, "anna", anna)
    assert done.stdout == "anna\n", done.stderr
    refused(psql(proxy, "anna"), "connection requires a valid client certificate")
    refused(psql(proxy, "anna", authority.sign("/CN=bob")), 'certificate authentication failed for user "anna"')
    for subject in ("/O=anna", "/CN=ANNA", "/CN=anna ", "/CN=bob/CN=anna"):
        refused(psql(proxy, "anna", authority.sign(subject)), "certificate authentication failed")
    done = psql(proxy, "anna", authority.sign("/CN=anna/CN=bob"))  # the first of several counts, as in PostgreSQL
    assert done.stdout == "anna\n", done.stderr


def test_map_and_the_whole_subject(proxy, authority):
    done = psql(proxy, "postgres", authority.sign("/O=Example/CN=root"))
    assert done.stdout == "postgres\n", done.stderr
    for subject in ("/O=Elsewhere/CN=root", "/CN=root", "/O=Example/CN=root/CN=root", "/CN=postgres"):
        refused(psql(proxy, "postgres", authority.sign(subject)), 'certificate authentication failed for user "postgres"')


def test_certificate_beside_a_password(proxy, authority):
    other = authority.sign("/CN=somebody")
    assert psql(proxy, "by_scram", other, PASSWORD).stdout == "by_scram\n"
    refused(psql(proxy, "by_scram", None, PASSWORD), "connection requires a valid client certificate")
    refused(psql(proxy, "by_scram", other, "wrong"), "password authentication failed")
    own = authority.sign("/CN=by_password")
    assert psql(proxy, "by_password", own, PASSWORD).stdout == "by_password\n"
    refused(psql(proxy, "by_password", other, PASSWORD), 'certificate authentication failed for user "by_password"')
    # Who has no password does not learn whose the certificate would have to be.
    refused(psql(proxy, "by_password", other, "wrong"), "password authentication failed")


def test_authority_that_nobody_has_named(proxy, tmp_path):
    stranger = Authority(tmp_path, "stranger").sign("/CN=anna")
    refused(psql(proxy, "anna", stranger), "unknown ca")
    refused(psql(proxy, "nobody", stranger), "unknown ca")
    assert "TLS with a client at 127.0.0.1 failed: certificate verify failed" in proxy.log


def test_certificate_that_signed_itself_is_nobodys(proxy, tmp_path):
    refused(psql(proxy, "anna", make_certificate(tmp_path, "anna")), "unknown ca")


def test_who_has_none_gets_in_where_no_rule_asks(proxy):
    done = psql(proxy, "nobody")
    assert "pg_hba.conf rejects connection" in done.stderr  # by the server: the proxy has let him in


def test_certificate_that_was_taken_back(proxy, authority):
    anna = authority.sign("/CN=anna")
    assert psql(proxy, "anna", anna).stdout == "anna\n"
    authority.revoke(anna)
    assert psql(proxy, "anna", anna).stdout == "anna\n"  # nobody has told the proxy
    proxy.process.send_signal(signal.SIGHUP)
    proxy.wait_for_log("reloaded")
    refused(psql(proxy, "anna", anna), "certificate revoked")
    assert psql(proxy, "anna", authority.sign("/CN=anna")).stdout == "anna\n"


def test_plugins_see_the_subject(proxy, authority, certificate):
    anna = authority.sign("/O=Example, Inc./CN=anna")
    context = certificate.trusting()
    context.load_cert_chain(anna.path, anna.key)
    with Wire("127.0.0.1", proxy.port, user="anna", database="demo", tls=context) as session:
        session.query("SELECT 1").expect_ok()
    seen = json.loads(proxy.admin.value("echo-input", "input"))["hook_context"]["attributes"]
    assert seen["tls.client_subject"] == "CN=anna,O=Example\\, Inc."


WRONG = [({"tls__client_crl": "list.crl"}, "tls.client_crl: needs client_ca"),
         ({"tls__client_ca": "missing.crt"}, "tls.client_ca: "),
         ({"server__sslmode": "require", "server__crl": "list.crl"}, "server.crl: needs root_certificate")]


@pytest.mark.parametrize("settings, told", WRONG)
def test_wrong_configuration(make_proxy, certificate, settings, told):
    proxy = make_proxy(tls__certificate=certificate.path, tls__key=certificate.key, **settings)
    assert told in proxy.refused_start()
