# SPDX-License-Identifier: Apache-2.0
"""A trail whose oldest records have moved to the archive, by a proxy on a real server."""

import os
import re
import shutil

import pytest
from harness.waiting import wait_until
from test_kv_command import run_cli

ABOVE = 40_000  # bytes that streams keep in the state directory
STATEMENTS = 60


@pytest.fixture
def proxy(make_proxy):
    plugin = os.path.join(os.environ["HELIOS_PLUGIN_DIR"], "audit-chain")
    return make_proxy(plugins=[plugin + ".wasm", plugin + ".toml"], state__directory="state", state__archive="archive",
                      state__archive_above_bytes=ABOVE, state__max_stream_bytes=400_000).start()


def run_statements(proxy, count=STATEMENTS):
    with proxy.connect() as client:
        for number in range(count):
            client.query(f"SELECT {number}").expect_ok()


def segments(proxy):
    folder = os.path.join(proxy.directory, "archive/audit-chain/trail")
    return sorted(name for name in os.listdir(folder) if name.endswith(".sst")) if os.path.isdir(folder) else []


def held(proxy):
    return proxy.admin.metric('helios_kv_stream_bytes{namespace="audit-chain"}')


def move(proxy):
    """A reload begins a round."""
    proxy.reload()
    wait_until(lambda: held(proxy) <= ABOVE, "records have moved")


def verify(proxy, *words, status=0):
    return run_cli("audit", "verify", "--url", f"http://127.0.0.1:{proxy.admin.port}", *words, status=status)


def verify_offline(proxy, status=0):
    return run_cli("audit", "verify", "--state", os.path.join(proxy.directory, "state"), "--archive",
                   os.path.join(proxy.directory, "archive"), status=status)


def test_trail_is_whole_wherever_its_records_are(proxy):
    run_statements(proxy)
    move(proxy)
    assert segments(proxy)
    said = verify(proxy)
    assert re.search(r"^(\d+) records, 1 to \1, none changed", said)
    assert f"\n{STATEMENTS} statements, each with its outcome\n" in said
    run_statements(proxy)
    assert f"\n{2 * STATEMENTS} statements, each with its outcome\n" in verify(proxy)
    proxy.kill()
    assert f"\n{2 * STATEMENTS} statements, each with its outcome\n" in verify_offline(proxy)
    proxy.start()
    assert f"\n{2 * STATEMENTS} statements, each with its outcome\n" in verify(proxy)


def test_more_is_recorded_than_max_stream_bytes(proxy):
    for _ in range(8):
        run_statements(proxy)
        move(proxy)
    assert f"\n{8 * STATEMENTS} statements, each with its outcome\n" in verify(proxy)
    assert proxy.admin.metric("helios_archive_segments_total") == len(segments(proxy))


def test_anchor_in_the_archive_is_found(proxy):
    run_statements(proxy, 3)
    anchor = run_cli("audit", "head", "--url", f"http://127.0.0.1:{proxy.admin.port}").strip()
    run_statements(proxy)
    move(proxy)
    verify(proxy, "--anchor", anchor)
    number, digest = anchor.split(":")
    verify(proxy, "--anchor", f"{number}:{digest[::-1]}", status=1)


def test_archive_that_is_gone_is_said_everywhere_and_drops_nothing(proxy):
    run_statements(proxy, 2)
    shutil.rmtree(os.path.join(proxy.directory, "archive"), ignore_errors=True)
    with open(os.path.join(proxy.directory, "archive"), "w", encoding="utf-8") as file:
        file.write("not a folder")
    run_statements(proxy)
    proxy.reload()
    wait_until(lambda: proxy.admin.metric("helios_archive_failures_total") > 0, "a round that failed")
    assert "streams cannot move to the archive" in proxy.log
    assert f"\n{STATEMENTS + 2} statements, each with its outcome\n" in verify(proxy)
    os.remove(os.path.join(proxy.directory, "archive"))
    move(proxy)
    assert f"\n{STATEMENTS + 2} statements, each with its outcome\n" in verify(proxy)


def test_damaged_segment_is_named(proxy):
    run_statements(proxy)
    move(proxy)
    proxy.stop()
    path = os.path.join(proxy.directory, "archive/audit-chain/trail", segments(proxy)[0])
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 3)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 0xFF]))
    assert path in verify_offline(proxy, status=1)
