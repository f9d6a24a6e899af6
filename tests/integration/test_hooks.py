# SPDX-License-Identifier: Apache-2.0
"""Which statements meet their hooks, and that every pre_query gets its one post_query."""

import pytest
from harness.waiting import wait_until
from harness.wire import query_message


@pytest.fixture
def proxy(start_proxy, recorder, counter):
    return start_proxy(plugins=[recorder, counter])


def calls(proxy):
    count = int(proxy.admin.value("recorder", "count") or 0)
    return [proxy.admin.value("recorder", f"call:{1000000 + n}") for n in range(count)]


# (one message, the calls it leads to)
CASES = [
    ("SELECT 1", ["pre|-|SELECT 1", "post|-|SELECT 1|executed"]),
    ("  SELECT 1 ; ", ["pre|-|SELECT 1", "post|-|SELECT 1|executed"]),
    ("", []),
    ("-- nothing", []),
    ("BEGIN", []),
    ("SET TimeZone = 'UTC'; SHOW TimeZone; RESET ALL; DEALLOCATE ALL; LISTEN a; UNLISTEN *", []),
    ("PREPARE p AS SELECT 1; DEALLOCATE p", []),
    ("SELECT 1; SELECT 2",
     ["pre|-|SELECT 1", "pre|-|SELECT 2", "post|-|SELECT 1|executed", "post|-|SELECT 2|executed"]),
    ("SELECT 1/0", ["pre|-|SELECT 1/0", "post|-|SELECT 1/0|failed"]),
    ("SELECT 1; SELECT 1/0; SELECT 3",
     ["pre|-|SELECT 1", "pre|-|SELECT 1/0", "pre|-|SELECT 3", "post|-|SELECT 1|executed", "post|-|SELECT 1/0|failed",
      "post|-|SELECT 3|skipped"]),
    ("SELECT 1; SELECT nothing",
     ["pre|-|SELECT 1", "pre|-|SELECT nothing", "post|-|SELECT 1|executed", "post|-|SELECT nothing|failed"]),
    ("/* app */ SELECT 1;; -- two\n /* ; */ SELECT 2 -- end",
     ["pre|-|/* app */ SELECT 1", "pre|-|-- two\n /* ; */ SELECT 2 -- end", "post|-|/* app */ SELECT 1|executed",
      "post|-|-- two\n /* ; */ SELECT 2 -- end|executed"]),
    ("SELECT ';'; SELECT $$;$$ /* ; */",
     ["pre|-|SELECT ';'", "pre|-|SELECT $$;$$ /* ; */", "post|-|SELECT ';'|executed",
      "post|-|SELECT $$;$$ /* ; */|executed"]),
    ("CREATE TEMP TABLE t (a int)",
     ["pre|-|CREATE TEMP TABLE t (a int)", "post|-|CREATE TEMP TABLE t (a int)|executed"]),
]


@pytest.mark.parametrize("text, expected", CASES, ids=[text[:40] or "empty" for text, _ in CASES])
def test_message_meets_its_hooks(proxy, text, expected):
    with proxy.connect() as session:
        session.query(text)
        # Whoever has the answer finds the state: no waiting here.
        assert calls(proxy) == expected


def test_refusal_by_a_later_plugin_is_an_outcome_too(start_proxy, recorder, counter):
    # By name the counter comes first; the manifest puts it last.
    proxy = start_proxy(plugins=[recorder])
    proxy.install(counter)
    proxy.write_plugin_file("counter.toml", "order = 10\n")
    assert proxy.reload().status == 200
    with proxy.connect() as session:
        assert session.query("SELECT 1; SELECT 'forbidden'; SELECT 3").sqlstate == "42000"
        assert calls(proxy) == [
            "pre|-|SELECT 1", "pre|-|SELECT 'forbidden'",
            "post|-|SELECT 1|refused", "post|-|SELECT 'forbidden'|refused"]


def test_rewrite_to_a_session_statement_has_its_post_query(start_proxy, recorder, obedient):
    proxy = start_proxy(plugins=[recorder, obedient])
    with proxy.connect() as session:
        text = "SELECT 1 /*rewrite: SET helios.tenant_id = 'acme'*/"
        assert session.query(text).expect_ok().tags == ["SET"]
        session.query("SELECT 2").expect_ok()
        assert [call[:4] for call in calls(proxy)] == ["pre|", "post", "pre|", "post"]
        assert calls(proxy)[3] == "post|acme|SELECT 2|executed"
        assert proxy.admin.value("obedient", "count") == "4"


def test_link_that_breaks_is_an_outcome_too(proxy, postgres):
    with proxy.connect(parameters={"application_name": "breaks"}) as session, postgres.connect() as admin:
        session.send(query_message("SELECT pg_sleep(600)"))
        wait_until(lambda: admin.query("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'breaks' "
                                       "AND state = 'active'").value() == "1", "the statement runs")
        admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'breaks'")
        session.until_closed()
    # The server says why it goes: that is a failed statement, not a lost one.
    wait_until(lambda: len(calls(proxy)) == 2, "post_query has run")
    assert calls(proxy)[1] in ("post|-|SELECT pg_sleep(600)|failed", "post|-|SELECT pg_sleep(600)|lost")


def test_client_that_vanishes_leaves_an_outcome(proxy):
    session = proxy.connect()
    session.send(query_message("SELECT pg_sleep(0.3)"))
    wait_until(lambda: len(calls(proxy)) == 1, "pre_query has run")
    session.close()
    wait_until(lambda: len(calls(proxy)) == 2, "post_query has run")
    assert calls(proxy)[1].startswith("post|-|SELECT pg_sleep(0.3)|")


def test_attributes_reach_the_plugin(start_proxy, guests):
    import os
    proxy = start_proxy(plugins=[os.path.join(os.path.dirname(guests), "guests", "echo_input.wat")])
    with proxy.connect(user="anna", parameters={"application_name": "tests"},
                       options="-c helios.tenant_id=acme -c helios.region=eu -c helios.agent_id=bot") as session:
        session.query("SELECT 'x'").expect_ok()
    import json
    context = json.loads(proxy.admin.value("echo-input", "input"))
    assert context["query"] == "SELECT 'x'" and context["is_read_only"] is True
    hook_context = context["hook_context"]
    assert hook_context["database"] == "demo" and hook_context["identity"] == "anna"
    attributes = hook_context["attributes"]
    assert attributes["tenant_id"] == "acme" and attributes["application_name"] == "tests"
    assert attributes["client_ip"] == "127.0.0.1" and attributes["helios.region"] == "eu"
    assert attributes["agent_id"] == "bot" and attributes["helios.tenant_id"] == "acme"
