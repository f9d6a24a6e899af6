# SPDX-License-Identifier: Apache-2.0
"""What the documents show works as they show it."""

import os
import re
import subprocess

import pytest
from harness.proxy import BINARY

ROOT = os.environ.get("HELIOS_SOURCE_DIR", os.getcwd())


def document(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def code_blocks(name, language):
    return re.findall(rf"^```{language}\n(.*?)^```", document(name), flags=re.M | re.S)


# Tables that may be there several times, each with what one needs.
ARRAYS = {
    "identity.rules": 'agent = "x"\n',
    "tenant.rules": 'tenant = "x"\n',
    "tls.certificates": 'certificate = "c"\nkey = "k"\n',
    "state.anchors": 'stream = "a/b"\nfile = "f"\n',
    "admin.tokens": f'name = "x"\nsha256 = "{"0" * 64}"\nscopes = ["read"]\n',
}


def documented_keys():
    """{section: [(key, default)]} of docs/configuration.md."""
    sections = {}
    for title, body in re.findall(r"^##+ \[([^\]]+)\]\]?\n(.*?)(?=^##|\Z)", document("docs/configuration.md"),
                                  flags=re.M | re.S):
        sections[title.lstrip("[")] = re.findall(r"^\| `(\w+)` \| `?([^|]*?)`? \|", body, flags=re.M)
    return sections


def check(tmp_path, text):
    path = tmp_path / "proxy.toml"
    path.write_text(text)
    return subprocess.run([BINARY, "--check", "--config", str(path)], capture_output=True, text=True, timeout=60)


def test_every_documented_default_is_accepted(tmp_path):
    lines = []
    for section, keys in documented_keys().items():
        if section not in ARRAYS:
            lines += [f"[{section}]"] + [f"{key} = {default}" for key, default in keys]
    done = check(tmp_path, "\n".join(lines) + "\n")
    assert done.returncode == 0, done.stderr


def test_keys_that_take_a_restart_are_named():
    reload_section = document("docs/operations.md").split("## Reload\n")[1].split("\n## ")[0]
    named = re.findall(r"`(\w+\.\w+)`", reload_section.split("takes a restart`)")[1])
    kept = re.findall(r'keep\("([\w.]+)"', document("src/config/restart_keys.cpp"))
    assert named == kept


@pytest.mark.parametrize("section", documented_keys())
def test_no_key_is_left_out(tmp_path, section):
    header = f"[[{section}]]" if section in ARRAYS else f"[{section}]"
    done = check(tmp_path, f"{header}\nno_such_key = 1\n" + ARRAYS.get(section, ""))
    assert done.returncode != 0
    known = done.stderr.split("known here: ")[1].strip().split(", ")
    documented = [key for key, _ in documented_keys()[section]]
    subsections = {name.split(".")[1] for name in documented_keys() if name.startswith(section + ".")}
    assert sorted(known) == sorted(set(documented) | subsections)


def test_every_section_is_there(tmp_path):
    done = check(tmp_path, "no_such_section = 1\n")
    known = done.stderr.split("known here: ")[1].strip().split(", ")
    assert sorted(known) == sorted({name.split(".")[0] for name in documented_keys()})


@pytest.mark.parametrize("name", ["README.md", "docs/writing-plugins.md"])
def test_plugins_compile(tmp_path, name):
    blocks = [block for block in code_blocks(name, "cpp") if "#include" in block]
    assert blocks
    for block in blocks:
        source = tmp_path / "plugin.cpp"
        source.write_text(block)
        subprocess.run(["clang++-19", "--target=wasm32", "-O2", "-std=c++20", "-nostdlib", "-ffreestanding",
                        "-fno-exceptions", "-Wl,--no-entry", "-I", os.path.join(ROOT, "abi"), str(source), "-o",
                        str(tmp_path / "plugin.wasm")], check=True, timeout=120)


def test_plugins_in_rust_compile(tmp_path):
    found = subprocess.run(["bash", os.path.join(ROOT, "deps", "locate.sh"), "guest_rust"], capture_output=True,
                           text=True, timeout=60, check=False).stdout.strip()
    library = os.path.join(os.environ.get("HELIOS_BUILD_DIR", "build/dev"), "guests", "rust", "libhelios_plugin.rlib")
    if not found or not os.path.exists(library):
        pytest.skip("no compiler for plugins in Rust (tools/dev setup)")
    blocks = code_blocks("docs/writing-plugins.md", "rust")
    assert blocks
    for block in blocks:
        source = tmp_path / "plugin.rs"
        source.write_text(block)
        subprocess.run([os.path.join(found, "bin", "rustc"), "--edition", "2021", "--target", "wasm32-unknown-unknown",
                        "-D", "warnings", "-C", "panic=abort", "-C", "linker=wasm-ld-19", "--crate-type", "cdylib",
                        "--extern", f"helios_plugin={library}", "-C", "link-arg=--no-fatal-warnings", str(source), "-o",
                        str(tmp_path / "plugin.wasm")], check=True, timeout=120)


@pytest.mark.parametrize("name", ["README.md", "docs/identity.md", "docs/tenants.md"])
def test_configurations_are_accepted(tmp_path, name):
    (tmp_path / "plugins").mkdir()
    blocks = code_blocks(name, "toml")
    assert blocks
    for block in blocks:
        done = check(tmp_path, block)
        assert done.returncode == 0, done.stderr


def test_sql_of_helios_kv(start_proxy, counter):
    proxy = start_proxy(plugins=[counter], kv_sql__readers=["postgres"])
    proxy.admin.put("counter", "tenant:acme:usage", "100")
    with proxy.connect() as session:
        statements = [text for block in code_blocks("docs/helios-kv.md", "sql")
                      for text in block.split(";") if text.strip()]
        assert len(statements) >= 5
        for statement in statements:
            session.query(statement).expect_ok()


def test_plugin_of_the_abi_page_works_as_shown(make_proxy):
    (text,) = code_blocks("docs/plugin-abi.md", "wat")
    proxy = make_proxy()
    proxy.write_plugin_file("whole.wat", text.replace("1000000", "3"))
    proxy.start()
    with proxy.connect(options="-c helios.tenant_id=acme") as session:
        for _ in range(3):
            session.query("SELECT 1").expect_ok()
        assert "enough is enough" in session.query("SELECT 1").error["M"]


def test_abi_page_has_every_call_of_the_header():
    declared = re.findall(r'HELIOS_IMPORT\("(\w+)"\)', document("abi/helios_abi2.h"))
    section = document("docs/plugin-abi.md").split("## Imports of `env`\n")[1].split("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", section, flags=re.M)) == sorted(declared)


def test_chain_of_a_stream_is_computed_by_hand():
    block, = code_blocks("docs/state.md", "sh")
    commands = "\n".join(line for line in block.splitlines() if not line.startswith("# "))
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], capture_output=True, text=True, timeout=60,
                          check=True)
    assert done.stdout.splitlines() == [line[2:] for line in block.splitlines() if line.startswith("# ")]
