# SPDX-License-Identifier: Apache-2.0
"""Logins of the proxy's own ([auth]): who is let in by its host rules, and how it then logs in to the server."""

import json
import os
import pwd
import re
import signal
import struct
import subprocess
import time
import tomllib

import pytest
from harness.certificates import make_certificate
from harness.clients import psql_with
from harness.postgres import PASSWORD
from harness.scram import Scram
from harness.waiting import wait_until
from harness.wire import Raw, Wire, WireError, cstring, fields_of, message, query_message, startup_packet

ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture(scope="session")
def secrets(postgres):
    """What the server keeps of each user's password."""
    with postgres.connect() as admin:
        rows = admin.query("SELECT rolname, rolpassword FROM pg_authid WHERE rolpassword IS NOT NULL").expect_ok().rows
    return dict(rows)


class Files:
    """pg_hba.conf, pg_ident.conf and userlist.txt of a proxy, in its folder."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), 0o600)

    def users(self, secrets):
        self.write("userlist.txt", "".join(f'"{user}" "{secret}"\n' for user, secret in secrets.items()))


@pytest.fixture
def proxy_with(make_proxy, secrets):
    """proxy_with(rules, users=..., maps=..., **settings): a started proxy with these host rules; by default it has the
    server's own secrets."""
    def start(rules, users=None, maps=None, **settings):
        proxy = make_proxy(auth__hba_file="pg_hba.conf", auth__user_file="userlist.txt",
                           **({"auth__ident_file": "pg_ident.conf"} if maps else {}), **settings)
        proxy.files = Files(proxy.directory)
        proxy.files.write("pg_hba.conf", rules)
        proxy.files.users(secrets if users is None else users)
        if maps:
            proxy.files.write("pg_ident.conf", maps)
        return proxy.start()
    return start


def refusal(connect):
    """The fields of the error that a login gets."""
    with pytest.raises(WireError) as refused:
        connect().close()
    return refused.value.fields


def logs_in(proxy, user, password=PASSWORD, **more):
    with proxy.connect(user=user, password=password, **more) as session:
        return session.query("SELECT current_user").value() == user


# By what, and into which server. (The server asks by_password for a password in clear, by_md5 for md5, and so on.)

WAYS = [
    # method of the proxy, what userlist.txt has, users for whom that opens the server
    ("scram-sha-256", "the server's", {"by_scram"}),
    ("scram-sha-256", "the password", {"by_password", "by_md5", "by_scram"}),
    ("md5", "the server's", {"by_md5", "by_scram"}),
    ("md5", "the password", {"by_password", "by_md5", "by_scram"}),
    ("password", "the server's", {"by_password", "by_md5", "by_scram"}),
    ("password", "the password", {"by_password", "by_md5", "by_scram"}),
]


@pytest.mark.parametrize("method, known, opened", WAYS)
def test_every_method_with_every_secret(proxy_with, secrets, method, known, opened):
    users = secrets if known == "the server's" else {user: PASSWORD for user in secrets}
    proxy = proxy_with(f"host all all 127.0.0.1/32 {method}\n", users, auth__allow_cleartext_passwords=True)
    for user in ("by_password", "by_md5", "by_scram"):
        wrong = refusal(lambda user=user: proxy.connect(user=user, password="wrong"))
        assert (wrong["C"], wrong["M"]) == ("28P01", f'password authentication failed for user "{user}"')
        if user in opened:
            assert logs_in(proxy, user), user
        elif method == "scram-sha-256" and user == "by_md5":
            # Of an md5 hash there is no way to a verifier, so nobody can prove anything.
            assert refusal(lambda user=user: proxy.connect(user=user, password=PASSWORD))["C"] == "28P01"
        else:
            told = refusal(lambda user=user: proxy.connect(user=user, password=PASSWORD))
            assert told["C"] == "28000" and told["M"].startswith("could not log in to the server: the server asks for"), told


def test_psql_logs_in_by_scram_and_the_proxy_with_what_it_has_shown(proxy_with):
    proxy = proxy_with("host all all 127.0.0.1/32 scram-sha-256\n")
    done = psql_with(proxy.port, "SELECT current_user", user="by_scram", password=PASSWORD)
    assert done.stdout == "by_scram\n", done.stderr
    done = psql_with(proxy.port, "SELECT 1", user="by_scram", password="wrong")
    assert 'password authentication failed for user "by_scram"' in done.stderr


def test_channel_is_bound(proxy_with, tmp_path):
    """SCRAM-SHA-256-PLUS, which no relay can do."""
    certificate = make_certificate(tmp_path)
    proxy = proxy_with("hostssl all all 127.0.0.1/32 scram-sha-256\n", tls__certificate=certificate.path,
                       tls__key=certificate.key)
    for binding in ("require", "prefer", "disable"):
        done = psql_with(proxy.port, "SELECT current_user", user="by_scram", password=PASSWORD, channel_binding=binding,
                         sslmode="verify-full", sslrootcert=certificate.path)
        assert done.stdout == "by_scram\n", (binding, done.stderr)
    done = psql_with(proxy.port, "SELECT 1", user="by_scram", password=PASSWORD, sslmode="disable")
    assert 'no pg_hba.conf entry for host "127.0.0.1", user "by_scram", database "demo", no encryption' in done.stderr


def test_trust_needs_a_server_that_asks_for_nothing(proxy_with):
    proxy = proxy_with("host all all 127.0.0.1/32 trust\n")
    assert logs_in(proxy, "postgres", password=None)
    told = refusal(lambda: proxy.connect(user="by_scram"))
    assert (told["C"], told["M"]) == ("28000", "could not log in to the server: the server asks for scram-sha-256, and "
                                      'the proxy has no secret of user "by_scram"')
    kept = proxy.admin.get("/refusals").json["refusals"][0]
    assert (kept["user"], kept["sqlstate"], kept["reason"]) == ("by_scram", "28000", told["M"])


def test_passthrough_is_the_servers_login(proxy_with):
    proxy = proxy_with("host all all 127.0.0.1/32 passthrough\n", users={})
    for user in ("by_password", "by_md5", "by_scram"):
        assert logs_in(proxy, user)
        assert refusal(lambda user=user: proxy.connect(user=user, password="wrong"))["C"] == "28P01"


def test_password_that_was_changed_on_the_server_is_said_to_be(proxy_with, postgres):
    with postgres.connect() as admin:
        kept = admin.query("SELECT rolpassword FROM pg_authid WHERE rolname = 'by_scram'").value()
        proxy = proxy_with("host all all 127.0.0.1/32 scram-sha-256\n", {"by_scram": kept})
        admin.query(f"ALTER ROLE by_scram PASSWORD '{PASSWORD}'").expect_ok()  # the same one, with another salt
        told = refusal(lambda: proxy.connect(user="by_scram", password=PASSWORD))
        assert (told["C"], told["M"]) == ("28000", "could not log in to the server: the server has another SCRAM verifier "
                                          "for this user than the proxy: copy it from pg_authid")
        admin.query(f"ALTER ROLE by_scram PASSWORD '{kept}'").expect_ok()
    assert logs_in(proxy, "by_scram")


# Which rule


def test_first_rule_that_fits_decides(proxy_with):
    proxy = proxy_with("host all nobody all reject\n"
                       "host demo,other anna 127.0.0.0/8 trust\n"
                       "host postgres anna all reject\n"
                       "host sameuser all all trust\n")
    assert logs_in(proxy, "anna", password=None)
    told = refusal(lambda: proxy.connect(user="anna", database="postgres"))
    assert (told["C"], told["M"]) == (
        "28000", 'pg_hba.conf rejects connection for host "127.0.0.1", user "anna", database "postgres", no encryption')
    assert "rejects connection" in refusal(lambda: proxy.connect(user="nobody"))["M"]
    told = refusal(lambda: proxy.connect(user="postgres", database="demo"))
    assert (told["C"], told["M"]) == (
        "28000", 'no pg_hba.conf entry for host "127.0.0.1", user "postgres", database "demo", no encryption')
    assert logs_in(proxy, "postgres", password=None, database="postgres")


REPLICATION = {
    "physical": ["true", "t", "TRUE", "yes", "Y", "on", "1"],
    "none": ["false", "f", "fa", "False", "no", "n", "N", "off", "of", "OFF", "0"],
    "bad": ["maybe", "", "o", "offf", "Database", "2", " true"],
}


@pytest.mark.parametrize("kind, word", [(kind, word) for kind, words in REPLICATION.items() for word in words])
def test_replication_is_read_as_the_server_reads_it(proxy_with, kind, word):
    """Else a rule for replication connections would let in somebody who then has a session for SQL."""
    proxy = proxy_with("host replication postgres all trust\nhost all all all reject\n", protocol__replication="pass")
    start = startup_packet({"user": "postgres", "database": "demo", "replication": word})
    with proxy.raw() as client:
        client.send(start)
        answer, body = client.message()
        fields = fields_of(body)
        said = {"physical": ("28000", "no pg_hba.conf entry for replication connection"),  # the server, which has no rule
                "none": ("28000", "pg_hba.conf rejects connection"),
                "bad": ("22023", 'invalid value for parameter "replication"')}[kind]
        assert answer == b"E" and fields["C"] == said[0] and fields["M"].startswith(said[1]), fields


def test_replication_said_twice_is_refused(proxy_with):
    proxy = proxy_with("host replication postgres all trust\nhost all all all reject\n", protocol__replication="pass")
    with proxy.raw() as client:
        client.send(_twice())
        assert fields_of(client.message()[1])["C"] == "22023"


def _twice():
    body = struct.pack("!i", 196608) + b"user\0postgres\0database\0demo\0replication\0true\0replication\0false\0\0"
    return struct.pack("!i", len(body) + 4) + body


def test_only_who_has_proved_himself_takes_a_place(proxy_with):
    proxy = proxy_with("host all all 127.0.0.1/32 scram-sha-256\n", limits__max_user_connections=1)
    with proxy.raw() as client:
        client.send(startup_packet({"user": "by_scram", "database": "demo"}))
        assert client.message()[0] == b"R"
        assert logs_in(proxy, "by_scram")


def test_only_who_has_proved_himself_is_told_of_his_block(proxy_with):
    proxy = proxy_with("host all all 127.0.0.1/32 scram-sha-256\n")
    body = json.dumps({"reason": "fraud case 4711"})
    answer = proxy.admin.request("PUT", "/blocks/user/by_scram", body, {"Content-Type": "application/json"})
    assert answer.status == 200, answer.text
    wrong = refusal(lambda: proxy.connect(user="by_scram", password="wrong"))
    assert wrong["C"] == "28P01" and "4711" not in str(wrong)
    told = refusal(lambda: proxy.connect(user="by_scram", password=PASSWORD))
    assert told["C"] == "28000" and "4711" in told["M"]


def test_password_does_not_cross_the_network_in_clear(proxy_with, tmp_path):
    certificate = make_certificate(tmp_path)
    proxy = proxy_with("host all all 127.0.0.1/32 password\n", tls__certificate=certificate.path, tls__key=certificate.key)
    told = refusal(lambda: proxy.connect(user="by_scram", password=PASSWORD))
    assert told["C"] == "28000" and "a password would cross the network in clear" in told["M"]
    assert logs_in(proxy, "by_scram", tls=certificate.trusting())


def test_peer_with_and_without_a_map(proxy_with, tmp_path):
    folder = tmp_path
    while folder != folder.parent and str(folder) != "/tmp":
        folder.chmod(0o755)
        folder = folder.parent
    proxy = proxy_with("local all anna peer map=staff\nlocal all all peer\nhost all all all reject\n",
                       maps=f"staff {ME} anna\n", listen__unix_socket_dir=str(tmp_path))

    def connect(user):
        return Wire(str(tmp_path), proxy.port, user=user)
    with connect("anna") as session:
        assert session.query("SELECT current_user").value() == "anna"
    told = refusal(lambda: connect("postgres"))
    assert (told["C"], told["M"]) == ("28000", 'Peer authentication failed for user "postgres"')


# Who is unknown


def conversation(proxy, user, password="wrong"):
    """What the proxy says to somebody who tries by SCRAM: kinds, salt, error; and how long it took."""
    began = time.perf_counter()
    with proxy.raw() as client:
        client.send(startup_packet({"user": user, "database": "demo"}))
        kind, body = client.message()
        said = [(kind, body)]
        client.send(message(b"p", cstring("SCRAM-SHA-256") + struct.pack("!i", 11) + b"n,,n=,r=abc"))
        kind, body = client.message()
        first = body[4:].decode()
        salt = re.search(r"s=([^,]+)", first)[1]
        said.append((kind, re.sub(r"r=[^,]+|s=[^,]+", "", first)))
        nonce = re.search(r"r=([^,]+)", first)[1]
        client.send(message(b"p", f"c=biws,r={nonce},p={'A' * 43}=".encode()))
        kind, body = client.message()
        said.append((kind, {key: value.replace(user, "USER") for key, value in fields_of(body).items() if key != "D"}))
        client.expect_closed()
    return said, salt, time.perf_counter() - began


def test_unknown_users_cannot_be_told_apart(proxy_with, secrets):
    users = {"by_scram": secrets["by_scram"], "plain": PASSWORD, "hashed": secrets["by_md5"], "empty": ""}
    proxy = proxy_with("host all all 127.0.0.1/32 scram-sha-256\n", users)
    known, salt, _ = conversation(proxy, "by_scram")
    for user in ("nobody_at_all", "plain", "hashed", "empty", "x"):
        said, first_salt, _ = conversation(proxy, user)
        assert said == known, user
        assert conversation(proxy, user)[1] == first_salt != salt, user
        assert len(first_salt) == len(salt)


def test_denied_logins_are_kept(proxy_with):
    proxy = proxy_with("host all all 127.0.0.1/32 scram-sha-256\n")
    refusal(lambda: proxy.connect(user="by_scram", password="wrong"))
    kept = proxy.admin.get("/refusals").json["refusals"][0]
    assert (kept["user"], kept["sqlstate"], kept["reason"]) == (
        "by_scram", "28P01", 'password authentication failed for user "by_scram"')


# What comes instead of a password


@pytest.mark.parametrize("instead, code, what", [
    (query_message("SELECT 1"), "08P01", "expected password response, got message type 81"),
    (message(b"p", b"x" * 70_000), "08P01", "invalid message length"),
    (b"p\0\0\0\x03", "08P01", "invalid message length"),
    (message(b"p", b"nonsense"), "08P01", "malformed SASLInitialResponse"),
    (message(b"p", cstring("SCRAM-SHA-1") + struct.pack("!i", 3) + b"n,,"), "08P01",
     "client selected an invalid SASL authentication mechanism"),
])
def test_anything_else_ends_the_session(proxy_with, instead, code, what):
    proxy = proxy_with("host all all 127.0.0.1/32 scram-sha-256\n")
    with proxy.raw() as client:
        client.send(startup_packet({"user": "by_scram", "database": "demo"}))
        assert client.message() == (b"R", struct.pack("!i", 10) + b"SCRAM-SHA-256\0\0")
        client.send(instead)
        kind, body = client.message()
        fields = fields_of(body)
        assert (kind, fields["S"], fields["C"], fields["M"]) == (b"E", "FATAL", code, what)
        client.expect_closed()


@pytest.mark.parametrize("cut", [0, 1, 4, 5, 9])
def test_client_that_leaves_before_it_has_answered_leaves_nothing(proxy_with, cut):
    proxy = proxy_with("host all all 127.0.0.1/32 md5\n", {"by_md5": PASSWORD})
    with proxy.raw() as client:
        client.send(startup_packet({"user": "by_md5", "database": "demo"}))
        assert client.message()[0] == b"R"
        client.send(message(b"p", cstring("md5" + "0" * 32))[:cut])
    wait_until(lambda: proxy.admin.metric("helios_sessions") == 0, "it is gone")
    assert logs_in(proxy, "by_md5")


def test_what_comes_with_the_password_is_read_once_the_client_is_in(proxy_with):
    proxy = proxy_with("host all all 127.0.0.1/32 password\n", auth__allow_cleartext_passwords=True)
    with proxy.raw() as client:
        client.send(startup_packet({"user": "by_scram", "database": "demo"}))
        assert client.message() == (b"R", struct.pack("!i", 3))
        client.send(message(b"p", cstring(PASSWORD)), query_message("SELECT 42"))
        kinds = b""
        while not kinds.endswith(b"TDCZ"):
            kinds += client.message()[0]
        assert kinds.startswith(b"R")


def test_password_that_nobody_has_asked_for_ends_the_session(proxy_with):
    proxy = proxy_with("host all all 127.0.0.1/32 trust\n")
    with proxy.raw() as client:
        client.send(startup_packet({"user": "postgres", "database": "demo"}), message(b"p", cstring(PASSWORD)))
        messages = client.until_closed()
        assert messages[-1][0] == b"E" and b"08P01" in messages[-1][1]


def mechanism_alone(raw):
    """Names the mechanism and nothing else: what is answered to that, and to what follows."""
    with raw as client:
        client.send(startup_packet({"user": "by_scram", "database": "demo"}))
        assert client.message()[0] == b"R"
        client.send(message(b"p", cstring("SCRAM-SHA-256") + struct.pack("!i", -1)))
        asked = client.message()
        scram = Scram(PASSWORD)
        client.send(message(b"p", scram.first()))
        kind, body = client.message()
        assert kind == b"R", fields_of(body)
        client.send(message(b"p", scram.final(body[4:])))
        return asked, struct.unpack_from("!i", client.message()[1])[0]


def test_mechanism_may_come_alone_as_in_postgresql(proxy_with, postgres):
    proxy = proxy_with("host all all 127.0.0.1/32 scram-sha-256\n")
    by_postgres = mechanism_alone(Raw("127.0.0.1", postgres.port))
    assert by_postgres == ((b"R", struct.pack("!i", 11)), 12)
    assert mechanism_alone(proxy.raw()) == by_postgres


# Reload, and mistakes


def test_rule_for_tls_without_a_certificate_is_warned_of(proxy_with):
    proxy = proxy_with("host all all 127.0.0.1/32 trust\nhostssl all all all scram-sha-256\n")
    warning = r"pg_hba\.conf:2: hostssl fits nobody, for clients have no TLS here: set \[tls\] certificate and key, or write host"
    proxy.wait_for_log(warning)
    done = subprocess.run([proxy.binary, "--check", "--config", proxy.config_file], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0 and re.search(warning, done.stderr + done.stdout), done.stderr
    proxy.files.write("pg_hba.conf", "host all all 127.0.0.1/32 trust\n\n\nhostssl all all all reject\n")
    assert proxy.reload().status == 200
    proxy.wait_for_log(r"pg_hba\.conf:4: hostssl fits nobody")


def test_reload_changes_rules_and_secrets_or_nothing(proxy_with):
    proxy = proxy_with("host all all 127.0.0.1/32 scram-sha-256\n", {"by_scram": "another password"})
    assert refusal(lambda: proxy.connect(user="by_scram", password=PASSWORD))["C"] == "28P01"
    proxy.files.users({"by_scram": PASSWORD})
    assert proxy.reload().status == 200
    assert logs_in(proxy, "by_scram")
    proxy.files.write("pg_hba.conf", "host all all 127.0.0.1/32 scram-sha-265\n")
    answer = proxy.reload()
    assert answer.status != 200
    assert re.search(r"pg_hba\.conf:1:27: .*scram-sha-265", answer.text), answer.text
    assert logs_in(proxy, "by_scram")
    proxy.files.write("pg_hba.conf", "host all all all reject\n")
    proxy.process.send_signal(signal.SIGHUP)
    wait_until(lambda: not _is_let_in(proxy), "it is in force")


def _is_let_in(proxy):
    try:
        return logs_in(proxy, "by_scram")
    except WireError:
        return False


def salt_shown_to(proxy, user):
    """What a client that begins with SCRAM is told."""
    with proxy.raw() as client:
        client.send(startup_packet({"user": user, "database": "demo"}))
        client.message()
        first = b"n,,n=,r=abcdefgh"
        client.send(message(b"p", cstring("SCRAM-SHA-256") + struct.pack("!i", len(first)) + first))
        return re.search(rb"s=([^,]+),", client.message()[1])[1]


def test_proxies_with_one_key_show_unknown_users_the_same(proxy_with, tmp_path):
    keys = []
    for name, secret in (("one", "a secret of this fleet"), ("other", "another secret of 16")):
        keys.append(str(tmp_path / name))
        (tmp_path / name).write_text(secret)
        (tmp_path / name).chmod(0o600)
    rules = "host all all 127.0.0.1/32 scram-sha-256\n"
    first, second, third = (salt_shown_to(proxy_with(rules, auth__mock_key_file=key), "nobody")
                            for key in (keys[0], keys[0], keys[1]))
    assert first == second != third


def test_the_page_as_it_is_typed(make_proxy, postgres, tmp_path):
    """docs/authentication.md: its files, and the statement that prints userlist.txt."""
    with open(os.path.join(os.path.dirname(__file__), "../../docs/authentication.md"), encoding="utf-8") as file:
        page = file.read()
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", page, flags=re.M | re.S)
    (_, settings), (_, rules), (_, users), (_, statement), (_, explained), _ = blocks  # the last: certificates
    proxy = make_proxy(**{f"auth__{key}": value for key, value in tomllib.loads(settings)["auth"].items()})
    files = Files(proxy.directory)
    files.write("pg_hba.conf", rules)
    files.write("userlist.txt", users)
    certificate = make_certificate(tmp_path)
    proxy.config |= {"tls.certificate": certificate.path, "tls.key": certificate.key}
    proxy.start()
    with postgres.connect() as admin:
        printed = admin.query(statement).expect_ok().rows
        admin.query("CREATE ROLE ann LOGIN").expect_ok()
    assert logs_in(proxy, "ann", password="pencil")  # the password of the example, which is RFC 7677's
    files.write("userlist.txt", "".join(row[0] + "\n" for row in printed))
    assert proxy.reload().status == 200
    assert logs_in(proxy, "by_scram")
