# SPDX-License-Identifier: Apache-2.0
"""A guard cannot go missing: required plugins, required tenants, and what a reload says about both."""

import hashlib
import os
import signal
import subprocess

import pytest
from harness.waiting import wait_until
from harness.wire import WireError


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def run_to_the_end(proxy, *words):
    proxy.write_config()
    return subprocess.run([proxy.binary, *words, "--config", proxy.config_file], capture_output=True, text=True, timeout=60,
                          check=False)


def changes(reply):
    return [(change["name"], change["change"]) for change in reply.json["changes"]]


def metrics(proxy, name):
    return [line for line in proxy.admin.get("/metrics").text.splitlines() if line.startswith(name + "{")]


def test_required_plugin_cannot_go_missing(start_proxy, counter):
    proxy = start_proxy(plugins=[counter], plugins__required=[{"name": "counter", "sha256": sha256_of(counter)}])
    path = os.path.join(proxy.plugins, "counter.wasm")
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        os.remove(path)
        reply = proxy.reload()
        assert reply.status == 422 and list(reply.json) == ["error"]
        assert 'proxy.toml:' in reply.json["error"] and 'plugin "counter" is required, and no plugin' in reply.json["error"]
        session.query("SELECT 1").expect_ok()
        proxy.process.send_signal(signal.SIGHUP)
        wait_until(lambda: proxy.log.count("not reloaded: 1 plugins in force, as before") == 2, "both are refused")
        session.query("SELECT 2").expect_ok()
        proxy.install(counter)
        assert changes(proxy.reload()) == [("counter", "kept")]
    assert proxy.admin.value("counter", "acme") == "2"


def test_manifest_of_a_required_plugin_takes_no_hook_away(make_proxy, counter):
    proxy = make_proxy(plugins=[counter])
    proxy.write_plugin_file("counter.toml", 'hooks = ["pre_query"]\n')
    manifest = os.path.join(proxy.plugins, "counter.toml")
    proxy.config["plugins.required"] = [{"name": "counter", "sha256": sha256_of(counter), "manifest_sha256": sha256_of(manifest)}]
    proxy.start()
    assert proxy.admin.get("/plugins").json[0]["manifest_sha256"] == sha256_of(manifest)
    proxy.write_plugin_file("counter.toml", 'statements = "queries"\nhooks = ["pre_query"]\n')
    reply = proxy.reload()
    assert reply.status == 422 and "its manifest has the SHA-256" in reply.json["error"]
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        session.query("SELECT 1").expect_ok()
    assert proxy.admin.value("counter", "acme") == "1"


def test_refused_reload_changes_no_limit_and_no_other_plugin(start_proxy, counter, guests):
    proxy = start_proxy(plugins=[counter], plugins__required=["counter"], kv__max_keys_per_namespace=1)
    proxy.install(os.path.join(guests, "plain.wat"))
    proxy.write_plugin_file("counter.toml", 'on_error = "allow"\n')
    proxy.config["kv.max_keys_per_namespace"] = 2
    proxy.write_config()
    reply = proxy.reload()
    assert reply.status == 422 and 'on_error = "allow"' in reply.json["error"]
    assert [plugin["name"] for plugin in proxy.admin.get("/plugins").json] == ["counter"]
    assert proxy.admin.get("/admin/state").json["limits"]["namespace_keys"] == 1


def test_start_names_everything_that_is_wrong(make_proxy, counter):
    proxy = make_proxy(plugins=[counter], plugins__required=["absent", {"name": "counter", "sha256": "0" * 64}],
                       plugins__optional=["nobody"])
    proxy.write_plugin_file("lone.toml", "order = 1\n")
    proxy.write_plugin_file("chain.wat", "(module")
    for words in ([], ["--check"]):
        done = run_to_the_end(proxy, *words)
        said = [line for line in done.stderr.splitlines() if line.startswith("heliosproxy: ")]
        assert done.returncode == 1 and len(said) == 5, done.stderr
        for line, words_in_it in zip(said, ['"absent" is required', f"has the SHA-256 {sha256_of(counter)}, not 000",
                                            '"nobody" is the name of no plugin', "chain.wat", "lone.toml: a manifest without"]):
            assert words_in_it in line


def test_strict_manifest_needs_a_state_directory(make_proxy, counter):
    proxy = make_proxy(plugins=[counter])
    proxy.write_plugin_file("counter.toml", 'durability = "strict"\n')
    done = run_to_the_end(proxy, "--check")
    assert done.returncode == 1 and "set [state] directory" in done.stderr
    proxy.config["state.directory"] = "state"
    proxy.start()


def test_every_problem_of_a_configuration_is_said_with_its_line(make_proxy):
    proxy = make_proxy()
    proxy.config = {"server.port": 0, "log.level": "loud", "tenant.rules": [{"user": "a", "tenant": "{usr}"}]}
    done = run_to_the_end(proxy, "--check")
    assert done.returncode == 1
    assert [line.split(": ")[1:3] for line in done.stderr.splitlines()] == [
        [f"{proxy.config_file}:1", "server.port"], [f"{proxy.config_file}:2", "log.level"],
        [f"{proxy.config_file}:3", "tenant.rules.tenant"]]


def test_check_without_a_file_says_so(make_proxy):
    done = subprocess.run([make_proxy().binary, "--check"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "no configuration file is named" in done.stderr and not done.stdout


def test_reload_tells_versions_and_digests(start_proxy, counter, obedient):
    proxy = start_proxy(plugins=[counter])
    old, new = sha256_of(counter), sha256_of(obedient)
    assert metrics(proxy, "helios_plugin_info") == [
        f'helios_plugin_info{{plugin="counter",sha256="{old}",state="loaded",version=""}} 1']
    proxy.write_plugin_file("counter.toml", 'version = "2"\n')
    proxy.install(obedient, "counter.wasm")
    proxy.install(counter, "second.wasm")
    reply = proxy.reload()
    assert reply.json["changes"] == [
        {"change": "changed", "name": "counter", "version": "2", "sha256": new, "old_version": None, "old_sha256": old},
        {"change": "added", "name": "second", "version": None, "sha256": old}]
    assert f"reload: plugin counter changed: version 2, SHA-256 {new} takes the place of SHA-256 {old}" in proxy.log
    proxy.write_plugin_file("counter.wat", "(module")
    os.remove(os.path.join(proxy.plugins, "counter.wasm"))
    reply = proxy.reload()
    assert reply.status == 422 and reply.json["errors"] and changes(reply) == [("counter", "removed"), ("second", "kept")]
    assert f'helios_plugin_info{{plugin="counter",sha256="",state="failed",version=""}} 1' in metrics(proxy, "helios_plugin_info")


def test_rules_that_never_bind_anybody_are_seen(start_proxy):
    rules = [{"user": "nobody_*", "tenant": "{*}"}, {"user": "postgres", "tenant": "acme"}, {"user": "*", "tenant": "rest"}]
    proxy = start_proxy(tenant__rules=rules)
    for _ in range(2):
        proxy.connect().close()
    seen = proxy.admin.get("/tenant-rules").json
    assert [rule["matches"] for rule in seen] == [0, 2, 0]
    assert seen[0] == {"user": "nobody_*", "database": "*", "tenant": "{*}", "pinned": True, "matches": 0}
    assert 'helios_tenant_rule_matches_total{database="*",rule="1",tenant="{*}",user="nobody_*"} 0' in metrics(
        proxy, "helios_tenant_rule_matches_total")


WORK = ["SELECT 1", "CREATE TEMP TABLE t (a int)", "BEGIN; SELECT 1", "DECLARE c CURSOR WITH HOLD FOR SELECT 1"]


@pytest.mark.parametrize("with_plugin", [False, True])
def test_nothing_works_without_a_tenant(start_proxy, counter, with_plugin):
    proxy = start_proxy(plugins=[counter] if with_plugin else [], tenant__required=True)
    with proxy.connect() as session:
        for text in WORK:
            reply = session.query(text)
            assert reply.sqlstate == "42501" and "has no tenant" in reply.error["M"]
        for text in ["BEGIN", "SHOW work_mem", "SET work_mem = '1MB'", "ROLLBACK", ""]:
            session.query(text).expect_ok()
        session.query("SELECT set_config('helios.tenant_id', 'acme', false)").expect_ok()
        session.query("SELECT 1").expect_ok()
        session.query("RESET helios.tenant_id").expect_ok()
        assert session.query("SELECT 1").sqlstate == "42501"
        session.query("SET helios.tenant_id = 'acme'").expect_ok()
        session.query("SELECT 1").expect_ok()
        session.query("SELECT set_config('helios.tenant_id', current_user::text, false)").expect_ok()
        assert session.query("SELECT 1").sqlstate == "42501"
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        session.query("SELECT 1").expect_ok()


def test_required_tenant_holds_for_sessions_that_were_there(start_proxy):
    proxy = start_proxy()
    with proxy.connect() as session:
        session.query("SELECT 1").expect_ok()
        proxy.config["tenant.required"] = True
        proxy.write_config()
        assert proxy.reload().status == 200
        assert session.query("SELECT 1").sqlstate == "42501"
        session.query("SET helios.tenant_id = 'acme'").expect_ok()
        session.query("SELECT 1").expect_ok()


def test_user_without_a_way_to_a_tenant_is_told_so(start_proxy):
    proxy = start_proxy(tenant__required=True, tenant__setters=["admin"])
    with proxy.connect() as session:
        reply = session.query("SELECT 1")
        assert reply.sqlstate == "42501" and "[[identity.rules]]" in reply.error["M"]
    with pytest.raises(WireError) as refusal:
        proxy.connect(options="-c helios.tenant_id=acme")
    assert refusal.value.fields["C"] == "42501"
