# SPDX-License-Identifier: Apache-2.0
"""Who may in, as whom and how many: authenticate hooks, fixed tenants, limits on connections and times."""

import json

import pytest
from harness.waiting import wait_until
from harness.wire import WireError

FRAME = """(module
  (memory (export "memory") 1)
  (data (i32.const 64) "{data}")
  (func (export "alloc") (param $size i32) (result i32) (i32.const 8192))
  (func (export "dealloc") (param i32 i32))
  (func (export "{hook}") (param $ptr i32) (param $len i32) (result i64) (i64.const {answer})))
"""


def guest(hook, answer):
    """A guest whose hook always gives the same answer."""
    text = json.dumps(answer)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return FRAME.format(hook=hook, data=escaped, answer=64 << 32 | len(text.encode()))


@pytest.fixture
def proxy_with(make_proxy, tmp_path, counter):
    def start(hook, answer, **settings):
        path = tmp_path / "fixed.wat"
        path.write_text(guest(hook, answer))
        return make_proxy(plugins=[str(path), counter], kv_sql__readers=["postgres"], **settings).start()
    return start


def test_denied_client_is_turned_away_before_the_server(proxy_with):
    proxy = proxy_with("authenticate", {"action": "denied", "message": "not you"})
    with pytest.raises(WireError) as refused:
        proxy.connect()
    assert refused.value.fields["C"] == "28000" and "not you" in refused.value.fields["M"]


def test_identity_pins_the_tenant(proxy_with):
    proxy = proxy_with("authenticate", {"action": "success", "identity": {
        "user_id": "1", "username": "postgres", "roles": ["admin"], "tenant_id": "acme"}})
    with proxy.connect() as session:
        session.query("SELECT 1").expect_ok()
        assert session.query("SELECT helios.kv('counter', 'acme')").value() == "2"
        assert session.query("SET helios.tenant_id = 'globex'").sqlstate == "42501"


def test_deferring_changes_nothing(proxy_with):
    proxy = proxy_with("authenticate", {"action": "defer"})
    with proxy.connect(options="-c helios.tenant_id=globex") as session:
        session.query("SELECT 1").expect_ok()
        assert proxy.admin.value("counter", "globex") == "1"


ROWS = {"columns": [{"name": "n", "oid": 23}, {"name": "t"}], "rows": [["7", "it's"], ["8", None]]}


def test_cached_rows_are_the_answer(proxy_with):
    proxy = proxy_with("pre_query", {"action": "cached", "data": list(json.dumps(ROWS).encode())})
    with proxy.connect() as session:
        reply = session.query("SELECT 1").expect_ok()
        assert reply.columns == [["n", "t"]] and reply.rows == [["7", "it's"], ["8", None]]
        session.query("BEGIN").expect_ok()
        reply = session.query("SELECT 1").expect_ok()
        assert reply.columns == [["n", "t"]] and reply.rows == [["7", "it's"], ["8", None]]
        session.query("COMMIT").expect_ok()


def test_user_with_too_many_connections(start_proxy):
    proxy = start_proxy(limits__max_user_connections=1)
    with proxy.connect():
        with pytest.raises(WireError) as refused:
            proxy.connect()
        assert refused.value.fields["C"] == "53300"

    def can_connect():
        try:
            with proxy.connect() as session:
                return session.query("SELECT 1").value() == "1"
        except WireError:
            return None

    wait_until(can_connect, "the place of the session that ended is free")


def test_idle_session_ends_in_time(start_proxy):
    proxy = start_proxy(limits__idle_timeout_ms=100)
    with proxy.connect() as session:
        session.query("SELECT 1").expect_ok()
        kind, body = session.message()
        assert kind == b"E" and b"57P05" in body
