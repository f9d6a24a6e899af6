# SPDX-License-Identifier: Apache-2.0
"""heliosproxy explain-login: what a login would meet, without making it."""

import os
import re
import subprocess

import pytest
from harness.certificates import make_certificate
from harness.clients import TIMEOUT_SECONDS
from harness.proxy import BINARY

SCRAM = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
RULES = """local all all peer map=m
hostssl all ann 10.0.0.0/8 scram-sha-256
hostssl all cat 10.0.0.0/8 cert clientname=CN
host all bob all scram-sha-256
host all dan all md5
host replication all all trust
host all eve all reject
host all fay all password
"""


@pytest.fixture
def explain(tmp_path):
    """explain(*words) -> (did it say that he is let in, what it said)."""
    proxy = make_certificate(tmp_path, "proxy")
    files = {"pg_hba.conf": RULES, "pg_ident.conf": "m root postgres\n",
             "userlist.txt": f'"ann" "{SCRAM}"\n"dan" "md5d41d8cd98f00b204e9800998ecf8427e"\n', "proxy.toml": f"""
[tls]
certificate = "{proxy.path}"
key = "{proxy.key}"
client_ca = "{proxy.path}"
[auth]
hba_file = "pg_hba.conf"
ident_file = "pg_ident.conf"
user_file = "userlist.txt"
[[identity.rules]]
user = "a*"
tenant = "acme"
"""}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)

    def run(*words):
        done = subprocess.run([BINARY, "--config", str(tmp_path / "proxy.toml"), "explain-login", *words], capture_output=True,
                              text=True, timeout=TIMEOUT_SECONDS, check=False)
        return done.returncode == 0, done.stdout + done.stderr
    return run


CASES = [
    ("--user ann --address 10.1.2.3 --tls", True, "pg_hba.conf:2: hostssl all ann 10.0.0.0/8 scram-sha-256"),
    ("--user ann --address 10.1.2.3 --tls", True, "user_file has a SCRAM verifier for this user"),
    ("--user ann --address 10.1.2.3 --tls", True, 'rule 1, helios.tenant_id = "acme"'),
    ("--user ann --address 10.1.2.3", False, "none fits"),
    ("--user ann --address 11.1.2.3 --tls", False, "none fits"),
    ("--user bob --address ::1", False, "user_file has nothing for this user, so that nobody gets in as him"),
    ("--user dan --address ::1", True, "by md5; user_file has an md5 hash for this user"),
    ("--user eve --address ::1 --database demo", False, "this line rejects"),
    ("--user eve --address ::1 --replication", True, "by trust"),
    ("--user fay --address ::1", False, "his password would cross the network in clear"),
    ("--user fay --address ::1 --tls", False, "user_file has nothing for this user, so that nobody gets in as him"),
    ("--user cat --address 10.1.2.3 --tls", False, "he has to show a certificate, and --cert names none"),
    ("--user postgres --os-user root", True, 'OS user "root" may be this user'),
    ("--user postgres --os-user ann", False, 'OS user "ann" is not this user'),
    ("--user postgres", False, "(--os-user)"),
    ("--user ann --address nowhere --tls", False, "none fits"),
]


@pytest.mark.parametrize("words, is_let_in, said", CASES)
def test_rule_that_is_met(explain, words, is_let_in, said):
    let_in, text = explain(*words.split())
    assert said in text, text
    assert let_in == is_let_in, text
    assert re.search(r"^result    " + ("let in" if is_let_in else "refused"), text, re.MULTILINE)


def test_certificate(explain, tmp_path):
    for name, is_let_in in (("cat", True), ("dog", False)):
        certificate = make_certificate(tmp_path, name)
        let_in, text = explain("--user", "cat", "--address", "10.1.2.3", "--tls", "--cert", certificate.path)
        assert let_in == is_let_in and f'the certificate\'s name, "{name}", ' in text, text


def test_what_is_wrong_is_said(explain, tmp_path):
    assert "--user is required" in explain("--address", "::1")[1]
    assert explain("--user", "cat", "--cert", str(tmp_path / "missing.crt"))[1].startswith("heliosproxy: ")
    (tmp_path / "pg_hba.conf").write_text("host all all nowhere trust\n")
    let_in, text = explain("--user", "ann")
    assert not let_in and "pg_hba.conf:1:" in text


def test_the_page_shows_what_it_prints(tmp_path):
    """docs/authentication.md: its files, its command, its answer."""
    with open(os.path.join(os.path.dirname(__file__), "../../docs/authentication.md"), encoding="utf-8") as file:
        page = file.read()
    blocks = re.findall(r"^```\w*\n(.*?)^```", page, flags=re.M | re.S)
    certificate = make_certificate(tmp_path, "proxy")
    tls = f'[tls]\ncertificate = "{certificate.path}"\nkey = "{certificate.key}"\n'
    for name, text in zip(("proxy.toml", "pg_hba.conf", "userlist.txt"), (tls + blocks[0], blocks[1], blocks[2])):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    command = re.search(r"`heliosproxy (--config proxy.toml explain-login .*?)`", page)[1]
    done = subprocess.run([BINARY, *command.split()], cwd=tmp_path, capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
                          check=False)
    assert re.sub(r"rule      \S*/", "rule      ", done.stdout) == blocks[4], done.stdout + done.stderr
