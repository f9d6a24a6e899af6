# SPDX-License-Identifier: Apache-2.0
"""`heliosproxy kv` against a running proxy (the documented commands, tokens, TLS) and against a state directory."""

import os
import re
import subprocess

import pytest
from harness.proxy import BINARY
from test_admin_access import SECRET, certificate, tls_settings, token  # noqa: F401 (a fixture)
from test_admin_docs import steps
from test_docs import code_blocks
from test_plugins import files_of

BLOCKS = code_blocks("docs/kv-command.md", "sh")


def run_cli(*words, status=0, **variables):
    """What it printed, on standard error where it failed."""
    done = subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
                          env={**os.environ, **variables}, check=False)
    assert done.returncode == status, done.stderr
    return done.stderr if status else done.stdout


def kv(*words, **more):
    return run_cli("kv", *words, **more)


def state_of(proxy):
    return os.path.join(proxy.directory, "state")


@pytest.mark.parametrize("block", BLOCKS)
def test_commands_show_what_they_say(start_proxy, tmp_path, block):
    proxy = start_proxy(plugins=files_of("cost-governor"), state__directory="state")
    where = f" --url http://127.0.0.1:{proxy.admin.port}"
    if "--state" in block:
        proxy.stop()
        where = ""
    for command, shown in steps(block):
        script = re.sub(r"\bheliosproxy kv", f"{BINARY} kv{where}", command)
        script = script.replace("/var/lib/heliosproxy", state_of(proxy))
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, capture_output=True, text=True,
                              timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip().splitlines() == shown


def test_token_is_taken_from_a_file_or_the_environment(start_proxy, tmp_path):
    proxy = start_proxy(admin__tokens=[token("all", SECRET)])
    url = f"http://127.0.0.1:{proxy.admin.port}"
    assert "missing or invalid admin bearer token" in kv("--url", url, "ls", "p", status=1)
    assert kv("--url", url, "put", "p", "k", "v", "--new", HELIOS_ADMIN_TOKEN=SECRET) == ""
    file = tmp_path / "token"
    file.write_text(SECRET + "\n")
    file.chmod(0o600)
    assert kv("--url", url, "--token-file", str(file), "get", "p", "k") == "v"
    file.chmod(0o644)
    assert str(file) in kv("--url", url, "--token-file", str(file), "get", "p", "k", status=1)


def test_certificate_is_checked(start_proxy, certificate):  # noqa: F811
    proxy = start_proxy(**tls_settings(certificate))
    url = f"https://localhost:{proxy.admin.port}"
    assert kv("--url", url, "--ca", certificate.path, "stats", HELIOS_ADMIN_TOKEN=SECRET).startswith("(all)\t0 keys")
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
    assert kv("--url", url, "import", "--new", str(lines)) == "2500 set, 0 left alone, 0 expired\n"
    assert kv("--url", url, "export") == lines.read_text()
    assert len(kv("--url", url, "ls", "p").splitlines()) == 2500


def modes_below(folder):
    found = {"folder": {folder.stat().st_mode & 0o777}, "file": set()}
    for path in folder.rglob("*"):
        found["folder" if path.is_dir() else "file"].add(path.stat().st_mode & 0o777)
    return found


def test_backup_is_a_state_that_a_proxy_starts_on(make_proxy, counter, tmp_path):
    backups = tmp_path / "backups"
    first = make_proxy(plugins=[counter], state__directory="state", state__backups=str(backups)).start()
    url = f"http://127.0.0.1:{first.admin.port}"
    with first.connect(options="-c helios.tenant_id=acme") as client:
        for _ in range(7):
            client.query("SELECT 1").expect_ok()
        assert kv("--url", url, "backup", "monday") == f"{backups}/monday\n"
        assert modes_below(backups) == {"folder": {0o700}, "file": {0o600}}
        client.query("SELECT 1").expect_ok()
    assert "monday" in kv("--url", url, "backup", "monday", status=1)
    second = make_proxy(plugins=[counter], state__directory=str(backups / "monday")).start()
    assert second.admin.value("counter", "acme") == "7"
    assert first.admin.value("counter", "acme") == "8"


def test_backup_without_a_folder_for_it_is_refused(start_proxy):
    url = f"http://127.0.0.1:{start_proxy(state__directory='state').admin.port}"
    assert "state.backups names no folder" in kv("--url", url, "backup", "monday", status=1)


def test_state_is_read_and_changed_without_a_proxy(make_proxy, counter, tmp_path):
    proxy = make_proxy(plugins=[counter], state__directory="state").start()
    with proxy.connect(options="-c helios.tenant_id=acme") as client:
        for _ in range(7):
            client.query("SELECT 1").expect_ok()
    for key in ("old:1", "old:2", "gone"):
        proxy.admin.put("counter", key, "x")
    proxy.stop()

    state = ("--state", state_of(proxy))
    assert kv("get", "counter", "acme", *state) == "7"
    assert kv("ls", "counter", *state) == "acme\ngone\nold:1\nold:2\n"
    dump = tmp_path / "dump"
    dump.write_text(kv("export", *state))
    assert kv("del", "counter", "gone", *state) == ""
    assert kv("purge", "counter", "--prefix", "old:", *state) == "2 removed\n"
    assert kv("get", "counter", "gone", *state, status=1) == "heliosproxy: key not found\n"
    assert kv("put", "counter", "acme", "40", *state) == ""
    assert "not as the request wants it" in kv("put", "counter", "acme", "0", "--if-absent", *state, status=1)
    assert kv("put", "counter", "soon", "x", "--ttl-ms", "3600000", *state) == ""
    assert kv("incr", "other", "%00%FF", "41", "--encoded", "--new", *state) == "41\n"
    assert kv("incr", "other", "%00%FF", "--encoded", *state) == "42\n"
    assert kv("import", "--if-absent", str(dump), *state) == "3 set, 1 left alone, 0 expired\n"
    assert re.fullmatch(r"counter\t5 keys.*\nother\t1 keys.*\n\(all\)\t6 keys.*\n", kv("stats", *state))
    assert "only a running proxy does this" in kv("backup", "monday", *state, status=1)

    proxy.start()
    url = ("--url", f"http://127.0.0.1:{proxy.admin.port}")
    assert kv("ls", "counter", *url) == "acme\ngone\nold:1\nold:2\nsoon\n"
    assert kv("incr", "other", "%00%FF", "0", "--encoded", *url) == "42\n"
    with proxy.connect(options="-c helios.tenant_id=acme") as client:
        client.query("SELECT 1").expect_ok()
    assert proxy.admin.value("counter", "acme") == "41"


def test_state_of_a_killed_proxy_is_read(make_proxy):
    proxy = make_proxy(state__directory="state").start()
    proxy.admin.put("p", "k", "kept")
    proxy.kill()
    assert kv("get", "p", "k", "--state", state_of(proxy)) == "kept"


def test_state_that_a_proxy_has_open_is_refused(start_proxy):
    proxy = start_proxy(state__directory="state")
    for words in (["stats"], ["put", "p", "k", "v"]):
        said = kv(*words, "--state", state_of(proxy), status=1)
        assert f"is in use by another process (process {proxy.pid})" in said and "--url" in said
        assert said.count("\n") == 1
    proxy.admin.put("p", "k", "v")
    assert proxy.admin.value("p", "k") == "v"


def test_what_is_no_state_directory_is_refused(tmp_path):
    none = tmp_path / "none"
    assert kv("stats", "--state", str(none), status=1) == f"heliosproxy: state directory {none} does not exist\n"
    for words in (["stats"], ["put", "p", "k", "v"]):
        assert kv(*words, "--state", str(tmp_path), status=1) == \
            f"heliosproxy: {tmp_path} is not a state directory: there is no kv/CURRENT in it\n"
    assert not list(tmp_path.iterdir())
    kv("stats", "--state", str(tmp_path), "--url", "http://127.0.0.1:1", status=2)
    kv("stats", "--salvage", status=2)


def test_quotas_of_the_configuration_count_without_a_proxy(make_proxy):
    proxy = make_proxy(state__directory="state", kv__max_value_bytes=1024).start()
    proxy.stop()
    put = ("put", "p", "k", "x" * 1025, "--new", "--state", state_of(proxy))
    assert "kv_max_value_bytes exceeded" in kv(*put, "--config", proxy.config_file, status=1)
    assert kv(*put) == ""


def test_salvage_shows_what_is_left_and_changes_nothing(make_proxy):
    proxy = make_proxy(state__directory="state").start()
    for key in ("first", "second", "third"):
        proxy.admin.put("p", key, key * 100)
    proxy.kill()
    state = state_of(proxy)
    for path in (os.path.join(state, "kv", name) for name in os.listdir(os.path.join(state, "kv"))):
        with open(path, "r+b") as file:
            at = file.read().find(b"second" * 100)
            if at >= 0 and path.endswith(".log"):
                file.seek(at)
                file.write(b"?")
    said = kv("stats", "--state", state, status=1)
    assert "is damaged" in said and f"kv stats --state {state} --salvage" in said
    assert kv("ls", "p", "--state", state, "--salvage") == "first\n"
    assert "only read" in kv("del", "p", "first", "--state", state, "--salvage", status=1)
    assert "is damaged" in kv("ls", "p", "--state", state, status=1)
    proxy.config["state.salvage"] = True
    proxy.start()
    assert proxy.admin.value("p", "first") == "first" * 100
    assert kv("ls", "p", "--url", f"http://127.0.0.1:{proxy.admin.port}") == "first\n"
