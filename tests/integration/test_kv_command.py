# SPDX-License-Identifier: Apache-2.0
"""`heliosproxy kv` against a running proxy: the documented commands, tokens, TLS."""

import os
import re
import subprocess

import pytest
from harness.proxy import BINARY
from test_admin_access import SECRET, certificate, tls_settings, token  # noqa: F401 (a fixture)
from test_admin_docs import steps
from test_docs import code_blocks

BLOCKS = code_blocks("docs/kv-command.md", "sh")


def run_cli(*words, status=0, **variables):
    """What it printed, on standard error where it failed."""
    done = subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
                          env={**os.environ, **variables}, check=False)
    assert done.returncode == status, done.stderr
    return done.stderr if status else done.stdout


def kv(*words, **more):
    return run_cli("kv", *words, **more)


@pytest.mark.parametrize("block", BLOCKS)
def test_commands_show_what_they_say(start_proxy, tmp_path, block):
    proxy = start_proxy()
    url = f"--url http://127.0.0.1:{proxy.admin.port}"
    for command, shown in steps(block):
        script = re.sub(r"^heliosproxy kv", f"{BINARY} kv {url}", command, flags=re.M)
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, capture_output=True, text=True,
                              timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip().splitlines() == shown


def test_token_is_taken_from_a_file_or_the_environment(start_proxy, tmp_path):
    proxy = start_proxy(admin__tokens=[token("all", SECRET)])
    url = f"http://127.0.0.1:{proxy.admin.port}"
    assert "missing or invalid admin bearer token" in kv("--url", url, "ls", "p", status=1)
    assert kv("--url", url, "put", "p", "k", "v", HELIOS_ADMIN_TOKEN=SECRET) == ""
    file = tmp_path / "token"
    file.write_text(SECRET + "\n")
    file.chmod(0o600)
    assert kv("--url", url, "--token-file", str(file), "get", "p", "k") == "v"
    file.chmod(0o644)
    assert str(file) in kv("--url", url, "--token-file", str(file), "get", "p", "k", status=1)


def test_certificate_is_checked(start_proxy, certificate):  # noqa: F811
    proxy = start_proxy(**tls_settings(certificate))
    url = f"https://localhost:{proxy.admin.port}"
    assert kv("--url", url, "--ca", str(certificate[0]), "stats", HELIOS_ADMIN_TOKEN=SECRET).endswith("0 bytes\n")
    assert "certificate verify failed" in kv("--url", url, "stats", status=1, HELIOS_ADMIN_TOKEN=SECRET)
    plain = f"http://localhost:{proxy.admin.port}"
    assert kv("--url", plain, "stats", status=1).startswith(f"heliosproxy: localhost:{proxy.admin.port}: ")


def test_nobody_there_is_one_line(make_proxy):
    from harness.postgres import free_port
    port = free_port()
    assert kv("--url", f"http://127.0.0.1:{port}", "stats", status=1) == \
        f"heliosproxy: 127.0.0.1:{port}: Connection refused\n"


def test_thousands_of_entries_are_paged(start_proxy, tmp_path):
    proxy = start_proxy()
    url = f"http://127.0.0.1:{proxy.admin.port}"
    lines = tmp_path / "lines"
    lines.write_text("".join(f'{{"plugin":"p","key":"k{n:05}","value":"{n}"}}\n' for n in range(2500)))
    assert kv("--url", url, "import", str(lines)) == "2500 set, 0 left alone, 0 expired\n"
    assert kv("--url", url, "export") == lines.read_text()
    assert len(kv("--url", url, "ls", "p").splitlines()) == 2500


def test_backup_is_a_state_that_a_proxy_starts_on(make_proxy, counter, tmp_path):
    backups = tmp_path / "backups"
    first = make_proxy(plugins=[counter], state__directory="state", state__backups=str(backups)).start()
    url = f"http://127.0.0.1:{first.admin.port}"
    with first.connect(options="-c helios.tenant_id=acme") as client:
        for _ in range(7):
            client.query("SELECT 1").expect_ok()
        assert kv("--url", url, "backup", "monday") == f"{backups}/monday\n"
        client.query("SELECT 1").expect_ok()
    assert "monday" in kv("--url", url, "backup", "monday", status=1)
    second = make_proxy(plugins=[counter], state__directory=str(backups / "monday")).start()
    assert second.admin.value("counter", "acme") == "7"
    assert first.admin.value("counter", "acme") == "8"


def test_backup_without_a_folder_for_it_is_refused(start_proxy):
    url = f"http://127.0.0.1:{start_proxy(state__directory='state').admin.port}"
    assert "state.backups names no folder" in kv("--url", url, "backup", "monday", status=1)
