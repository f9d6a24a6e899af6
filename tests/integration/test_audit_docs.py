# SPDX-License-Identifier: Apache-2.0
"""Every command of docs/audit.md does what the document shows, typed as it stands there, and `audit export` fills a table of
a real server with exactly what was said."""

import json
import os
import re
import shutil
import subprocess

import pytest
from harness.clients import environment, psql
from harness.proxy import BINARY
from harness.waiting import wait_until
from test_admin_docs import steps
from test_docs import code_blocks, document
from test_kv_command import run_cli
from test_plugins import files_of

BLOCKS = code_blocks("docs/audit.md", "sh")
# What differs from run to run, in the order in which it is replaced.
VARYING = [(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME"), (r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID"), (r"[0-9a-f]{64}", "SHA256"),
           (r"\d+\.\d{3} ms", "DURATION"), (r"fingerprint  [0-9a-f]{16}", "FINGERPRINT"), (r"retry in [\d.]+s", "RETRY"),
           (r'"(process|configuration|sha256|body_hmac|version|client)":"[^"]*"', r"\1")]


def normal(lines):
    text = "\n".join(line.rstrip() for line in lines)
    for pattern, name in VARYING:
        text = re.sub(pattern, name, text)
    return text


@pytest.fixture(scope="module")
def story(postgres, tmp_path_factory):
    """A proxy with the four statements that the document is about."""
    from harness.proxy import Proxy
    proxy = Proxy({"server.host": "127.0.0.1", "server.port": postgres.port, "state.directory": "state",
                   "state.anchors": [{"stream": "audit-chain/trail", "file": "anchors"}]})
    try:
        for name in ("audit-chain", "rate-limit"):
            for file in files_of(name):
                proxy.install(file)
        proxy.start()
        proxy.admin.put("rate-limit", "config", json.dumps({"burst": 2, "tokens": 1, "period_ms": 3600000}))
        psql(proxy.port, "SELECT 40 + 2 AS answer", "SELECT 1 / 0", "SELECT 'one too many'",
             options="-c helios.tenant_id=acme", check=False)
        psql(proxy.port, "SELECT 'of globex'", options="-c helios.tenant_id=globex")
        wait_until(lambda: os.path.exists(os.path.join(proxy.directory, "anchors")), "an anchor")
        yield proxy
        proxy.stop()
    finally:
        proxy.remove()


def test_all_commands_stand_in_blocks():
    verbs = re.findall(r"heliosproxy audit (\w+)", "".join(BLOCKS))
    assert set(verbs) == {"verify", "head", "events", "search", "why", "export"}
    assert "audit follow" in document("docs/audit.md")


@pytest.mark.parametrize("block", BLOCKS)
def test_commands_show_what_they_say(story, postgres, tmp_path, block):
    where = f" --url http://127.0.0.1:{story.admin.port}"
    server = {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PGUSER": "postgres", "PGDATABASE": "demo"}
    shutil.copy(os.path.join(story.directory, "anchors"), tmp_path)
    script = ""
    for command, _ in steps(block):
        script += re.sub(r"\bheliosproxy audit (\w+)", rf"{BINARY} audit \1{where}", command) + "\necho END\n"
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, capture_output=True, text=True,
                          timeout=120, env=environment(**server), check=False)
    assert done.returncode == 0, done.stderr
    printed = done.stdout.split("END\n")[:-1]
    for (command, shown), text in zip(steps(block), printed, strict=True):
        assert normal(text.splitlines()) == normal(shown), command


def audit(proxy, *words, **more):
    return run_cli("audit", *words, "--url", f"http://127.0.0.1:{proxy.admin.port}", **more)


def load(postgres, script, status=0):
    done = subprocess.run(["psql", "-q", "-X", "-h", "127.0.0.1", "-p", str(postgres.port), "-U", "postgres", "-d", "demo"],
                          input=script, capture_output=True, text=True, timeout=120, env=environment(), check=False)
    assert done.returncode == status, done.stderr
    return done.stderr


def rows(postgres, text):
    with postgres.connect(database="demo") as session:
        return session.query(text).expect_ok().rows


HARD_TEXTS = ["SELECT 'a\tb\\N\n\\.\n'", "SELECT E'\\t\\\\'", "SELECT 'é ü 漢字 🙂'", "SELECT '\r\n|,\"'",
              "SELECT '\x01\x7f\x0b'", "SELECT '\\'", "\\."]


def test_table_has_exactly_what_was_said(make_proxy, postgres):
    proxy = make_proxy(plugins=files_of("audit-chain"), state__directory="state").start()
    with proxy.connect(parameters={"application_name": 'odd \\ "name"'}) as client:
        for text in HARD_TEXTS:
            client.query(text)
    script = audit(proxy, "export", "--format", "sql")
    rows(postgres, "DROP TABLE IF EXISTS helios_audit")
    rows_end = script.index("\\.\nINSERT INTO")
    assert "missing data for column" in load(postgres, script[:rows_end - 40], status=3)
    for cut in (rows_end, script.index("COMMIT;")):
        load(postgres, script[:cut])
        assert rows(postgres, "SELECT to_regclass('helios_audit') IS NULL") == [["t"]], "a script that is cut short"
    load(postgres, script)
    found = rows(postgres, "SELECT statement_text, text_bytes, text_sha256 = encode(sha256(convert_to(statement_text, 'UTF8')), 'hex'),"
                           " application FROM helios_audit ORDER BY number")
    statements = [json.loads(line)["text"] for line in audit(proxy, "export").splitlines()]
    assert [row[0] for row in found] == statements
    assert set(statements) >= set(HARD_TEXTS[:-1])
    assert all(row[2] == "t" and int(row[1]) == len(row[0].encode()) for row in found)
    assert {row[3] for row in found} == {'odd \\ "name"'}


def test_export_again_fills_in_what_was_not_known(make_proxy, postgres):
    proxy = make_proxy(plugins=files_of("audit-chain"), state__directory="state").start()
    rows(postgres, "DROP TABLE IF EXISTS helios_audit")
    with proxy.connect() as client:
        client.query("BEGIN").expect_ok()
        client.query("SELECT 1").expect_ok()
        load(postgres, audit(proxy, "export", "--format", "sql"))
        assert rows(postgres, "SELECT outcome, settlement FROM helios_audit WHERE statement_text = 'SELECT 1'") == [["executed", None]]
        client.query("ROLLBACK").expect_ok()
    load(postgres, audit(proxy, "export", "--format", "sql"))
    assert rows(postgres, "SELECT outcome, settlement FROM helios_audit WHERE statement_text = 'SELECT 1'") == \
        [["executed", "rolled back"]]
    assert rows(postgres, "SELECT count(*), count(settled) FROM helios_audit") == [["3", "3"]]


def test_trail_is_searched_without_a_proxy(make_proxy):
    proxy = make_proxy(plugins=files_of("audit-chain"), state__directory="state").start()
    with proxy.connect() as client:
        client.query("SELECT 1").expect_ok()
    online = audit(proxy, "search", "--json")
    request = json.loads(online)["request"]
    proxy.stop()
    state = ("--state", os.path.join(proxy.directory, "state"))
    assert run_cli("audit", "search", "--json", *state) == online
    why = run_cli("audit", "why", request, *state)
    assert "\noutcome      executed, 1 rows, " in why and "not known" not in why
    assert "follow needs a running proxy" in run_cli("audit", "follow", *state, status=1)


def test_follower_prints_a_statement_while_it_runs_and_again_when_it_has_ended(make_proxy):
    proxy = make_proxy(plugins=files_of("audit-chain"), state__directory="state").start()
    with proxy.connect() as client:
        client.query("BEGIN").expect_ok()
        follower = subprocess.Popen([BINARY, "audit", "follow", "--contains", "to be followed", "--limit", "2", "--json", "--url",
                                     f"http://127.0.0.1:{proxy.admin.port}"], stdout=subprocess.PIPE, text=True)
        client.query("SELECT 'to be followed'").expect_ok()
        first = json.loads(follower.stdout.readline())
        assert first["outcome"] == "executed" and first["settlement"] is None
        client.query("COMMIT").expect_ok()
        assert json.loads(follower.stdout.readline())["settlement"] == "committed"
        assert follower.wait(60) == 0
