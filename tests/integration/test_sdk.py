# SPDX-License-Identifier: Apache-2.0
"""The same counter on every SDK: C++ alone, C++ with a C and C++ library, Rust; fresh and reused instances."""

import os
import shutil
import threading

import pytest
from harness.waiting import wait_until

BUILD_DIR = os.environ.get("HELIOS_BUILD_DIR", "build/dev")
SDKS = {"cpp": "counter.wasm", "libcpp": "counter-libcpp.wasm", "rust": "counter-rust.wasm"}
CLIENTS, STATEMENTS = 4, 25


@pytest.mark.parametrize("instance", ["fresh", "reuse"])
@pytest.mark.parametrize("sdk", SDKS)
def test_counter_counts_exactly_and_blocks(make_proxy, sdk, instance, tmp_path):
    built = os.path.join(BUILD_DIR, "guests", SDKS[sdk])
    if not os.path.exists(built):
        pytest.skip(f"{SDKS[sdk]} was not built: no compiler for it (tools/dev setup)")
    plugin = tmp_path / "count.wasm"
    shutil.copy(built, plugin)
    proxy = make_proxy(plugins=[str(plugin)])
    proxy.write_plugin_file("count.toml", f'instance = "{instance}"\n')
    proxy.start()

    def work():
        with proxy.connect(options="-c helios.tenant_id=acme") as session:
            for number in range(STATEMENTS):
                session.query(f"SELECT {number}").expect_ok()

    threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with proxy.connect(options="-c helios.tenant_id=globex") as session:
        assert "forbidden here" in session.query("SELECT 'forbidden'").error["M"]
        session.query("SELECT 1").expect_ok()
    assert proxy.admin.value("count", "acme") == str(CLIENTS * STATEMENTS)
    assert proxy.admin.value("count", "globex") == "1"
    shown = {each["name"]: each for each in proxy.admin.get("/plugins").json}["count"]
    assert shown["failures"] == 0, shown["last_error"]


@pytest.mark.parametrize("built", ["entries.wasm", "entries-libcpp.wasm", "entries-rust.wasm"])
def test_entries_buckets_and_scans_work(make_proxy, built, tmp_path):
    path = os.path.join(BUILD_DIR, "guests", built)
    if not os.path.exists(path):
        pytest.skip(f"{built} was not built: no compiler for it (tools/dev setup)")
    plugin = tmp_path / "entries.wasm"
    shutil.copy(path, plugin)
    proxy = make_proxy(plugins=[str(plugin)])
    proxy.start()
    with proxy.connect() as session:
        session.query("SELECT 'first'").expect_ok()
        # The key "short" lives for a millisecond, which a quick machine does not need for the next statement.
        wait_until(lambda: "short" not in proxy.admin.get("/admin/kv/entries/").json["keys"], "the key to expire")
        session.query("SELECT 'second'").expect_ok()
    refused = proxy.admin.request("PUT", "/admin/kv/entries/refused", b"today")
    assert (refused.status, refused.json) == (422, {"error": 'the plugin "entries" refuses this value: not today'})
    assert proxy.admin.request("PUT", "/admin/kv/entries/zero", b"today").status == 200
    assert proxy.admin.get("/admin/kv/entries/").json["keys"] == ["bucket", "once", "spent", "zero"]
    shown = {each["name"]: each for each in proxy.admin.get("/plugins").json}["entries"]
    assert shown["failures"] == 0, shown["last_error"]
