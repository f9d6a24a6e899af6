# SPDX-License-Identifier: Apache-2.0
"""rate-limit on a real server: one bucket for whatever the grammar takes for one statement, and tokens of what never ran."""

import json

import pytest
from harness.shared import running_proxy
from test_plugins import files_of

LIMITED = "53400"


@pytest.fixture
def proxy(postgres):
    with running_proxy(postgres.port, files_of("rate-limit")) as proxy:
        yield proxy
        (plugin,) = proxy.admin.get("/plugins").json
        assert plugin["failures"] == 0, plugin["last_error"]


def limit(proxy, per, burst):
    config = {"per": per, "burst": burst, "tokens": 1, "period_ms": 3600000}
    proxy.admin.put("rate-limit", "config", json.dumps(config))


@pytest.mark.parametrize("other", ["SELECT $$b$$", "SELECT E'\\''", "select /* x */ 'c'", "SELECT 'd' -- x"])
def test_statement_is_the_same_however_it_is_written(proxy, other):
    limit(proxy, "statement", 1)
    with proxy.connect() as session:
        session.query("SELECT 'a'").expect_ok()
        assert session.query(other).sqlstate == LIMITED
        session.query("SELECT relname FROM pg_class LIMIT 1").expect_ok()


def test_in_lists_of_any_length_are_one_statement(proxy):
    limit(proxy, "statement", 1)
    with proxy.connect() as session:
        session.query("SELECT 1 WHERE 1 IN (1)").expect_ok()
        assert session.query("SELECT 1 WHERE 1 IN (1, 2, 3)").sqlstate == LIMITED


def test_prepared_statement_has_the_bucket_of_its_text(proxy):
    limit(proxy, "statement", 2)
    with proxy.connect() as session:
        session.query("SELECT 'a'").expect_ok()
        session.prepared("SELECT 'b'").expect_ok()
        assert session.prepared("SELECT 'c'").sqlstate == LIMITED


def test_token_of_a_refused_message_is_given_back(proxy):
    limit(proxy, "user", 2)
    with proxy.connect() as session:
        for _ in range(3):
            assert session.query("SELECT 1; SELECT 2; SELECT 3").sqlstate == LIMITED
        session.query("SELECT 1; SELECT 2").expect_ok()
        assert session.query("SELECT 1").sqlstate == LIMITED
