# SPDX-License-Identifier: Apache-2.0
"""The files of logins as --check reads them: everything that is wrong is said, with its place."""

import subprocess

from harness.clients import TIMEOUT_SECONDS
from harness.proxy import BINARY


def check(folder, text):
    path = folder / "proxy.toml"
    path.write_text(text)
    done = subprocess.run([BINARY, "--check", "--config", str(path)], capture_output=True, text=True,
                          timeout=TIMEOUT_SECONDS, check=False)
    return done.returncode, done.stderr.replace(str(folder) + "/", "")


def test_everything_that_is_wrong_is_said_at_once(tmp_path):
    (tmp_path / "hba").write_text("host all all 127.0.0.1/33 scram-sha-256\nlocal all all peer map=none\nhost all all all ldap\n")
    (tmp_path / "users").write_text('"ann" no quotes\n')
    (tmp_path / "users").chmod(0o600)
    status, said = check(tmp_path, '[auth]\nhba_file = "hba"\nuser_file = "users"\n')
    assert status != 0
    for place in ("hba:1:", "hba:3:", "users:1:"):
        assert place in said, said
    (tmp_path / "hba").write_text("local all all peer map=none\nhost all all all md5\n")
    status, said = check(tmp_path, '[auth]\nhba_file = "hba"\n')
    assert status != 0
    assert 'hba:1: there is no map "none" in ident_file' in said
    assert "hba:2: method md5 needs [auth] user_file" in said
    (tmp_path / "hba").write_text("hostssl all all all cert\n")
    status, said = check(tmp_path, '[auth]\nhba_file = "hba"\n')
    assert status != 0 and "hba:1: clients are not asked for certificates: set [tls] client_ca" in said
    status, said = check(tmp_path, '[auth]\nuser_file = "users"\n')
    assert status != 0 and "auth.user_file: needs hba_file" in said


def test_key_for_unknown_users_is_a_secret(tmp_path):
    (tmp_path / "hba").write_text("host all all all trust\n")
    (tmp_path / "key").write_text("too short")
    (tmp_path / "key").chmod(0o600)
    status, said = check(tmp_path, '[auth]\nhba_file = "hba"\nmock_key_file = "key"\n')
    assert status != 0 and "key: has only 9 bytes" in said
    (tmp_path / "key").write_text("long enough for all of them")
    (tmp_path / "key").chmod(0o644)
    status, said = check(tmp_path, '[auth]\nhba_file = "hba"\nmock_key_file = "key"\n')
    assert status != 0 and "auth.mock_key_file: " in said and "others may read" in said
    status, said = check(tmp_path, '[auth]\nmock_key_file = "key"\n')
    assert status != 0 and "auth.mock_key_file: needs hba_file" in said


def test_passwords_in_clear_have_a_limit(tmp_path):
    """Each takes a millisecond or two when the file is read."""
    (tmp_path / "hba").write_text("host all all all scram-sha-256\n")
    (tmp_path / "users").write_text("".join(f'"user{number}" "secret"\n' for number in range(10_001)))
    (tmp_path / "users").chmod(0o600)
    status, said = check(tmp_path, '[auth]\nhba_file = "hba"\nuser_file = "users"\n')
    assert status != 0 and "users: has 10001 passwords in clear, more than 10000" in said
