# SPDX-License-Identifier: Apache-2.0
"""Every command of docs/admin-api.md does what the document shows, typed as it stands there (but for the port)."""

import json
import os
import re
import subprocess

import pytest
from test_admin_access import make_certificate
from test_docs import code_blocks, document
from test_plugins import files_of

DOCUMENT = "docs/admin-api.md"
BLOCKS = code_blocks(DOCUMENT, "sh")
TLS_BLOCK = "--cacert"
TOKEN_BLOCK = "openssl rand"


def steps(block):
    """[(command, the lines that it shows)]: what a command shows follows it, each line behind "# "."""
    found, command, shown = [], [], []
    for line in block.splitlines() + ["# "]:
        if line.startswith("# "):
            shown.append(line[2:])
        else:
            if shown:
                found.append(("\n".join(command), shown))
                command, shown = [], []
            command.append(line)
    return found + [("\n".join(command), [text for text in shown if text])]


def type_in(command, port, folder, **variables):
    """Runs the command in bash; what it printed."""
    script = re.sub(r"localhost:9090", f"localhost:{port}", command)
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, capture_output=True, timeout=120,
                          env={**os.environ, "no_proxy": "*", **variables}, check=False)
    assert done.returncode == 0, f"{command}\n{done.stderr.decode()}"
    return done.stdout.decode("utf-8", "replace")


def test_all_blocks_are_known():
    assert sum(TOKEN_BLOCK in block for block in BLOCKS) == 1
    assert sum(TLS_BLOCK in block for block in BLOCKS) == 1
    commands = "".join(BLOCKS).count("curl -s")
    assert commands >= 14 and commands == document(DOCUMENT).count("curl -s"), "a command outside of a block"


@pytest.mark.parametrize("block", [block for block in BLOCKS if "curl" in block and TLS_BLOCK not in block])
def test_commands_show_what_they_say(start_proxy, tmp_path, block):
    proxy = start_proxy(plugins=files_of("cost-governor"))
    (tmp_path / "table.bin").write_bytes(bytes(range(256)))
    proxy.admin.put("cost-governor", "tenant:globex:budget", '{"day":1}')
    proxy.admin.put("my-plugin", "made", "1")
    proxy.admin.delete("my-plugin", "made")
    if "prefix=tenant" in block:
        proxy.admin.put("cost-governor", "tenant:acme:budget", '{"day":1}')
    for command, shown in steps(block):
        printed = type_in(command, proxy.admin.port, tmp_path)
        printed = printed.replace('"engine":"epoll"', '"engine":"io_uring"')  # whichever this machine offers
        if shown:
            assert printed.strip().splitlines() == shown
        elif "| jq" in command or command.startswith("next="):
            assert printed.strip()


def test_tokens_and_tls_as_documented(make_proxy, tmp_path):
    printed = type_in(next(block for block in BLOCKS if TOKEN_BLOCK in block) + 'echo "$TOKEN"\n', 0, tmp_path)
    digest, secret = re.fullmatch(r"([0-9a-f]{64})  -\n([0-9a-f]{64})\n", printed).groups()
    make_certificate(tmp_path, "admin")
    (tmp_path / "billing.token").write_text("b" * 40)
    (tmp_path / "billing.token").chmod(0o600)
    text = next(block for block in code_blocks(DOCUMENT, "toml") if "admin.tokens" in block)
    text = text.replace("0.0.0.0:9090", "127.0.0.1:0").replace("/etc/heliosproxy/", "")
    text = re.sub(r'sha256 = "\w+"', f'sha256 = "{digest}"', text)
    proxy = make_proxy()
    proxy.directory, made = str(tmp_path), proxy.directory
    proxy.write_config = lambda: (tmp_path / "proxy.toml").write_text('[listen]\naddresses = ["127.0.0.1:0"]\n' + text)
    try:
        proxy.start()
        command = next(block for block in BLOCKS if TLS_BLOCK in block)
        answer = json.loads(type_in(command, proxy.admin.port, tmp_path, TOKEN=secret))
        assert answer["name"] == "heliosproxy"
        proxy.stop()
    finally:
        proxy.directory = made
