# SPDX-License-Identifier: Apache-2.0
"""What operators write is judged by the plugin that reads it: a mistyped setting is refused where it is written, by the admin
interface and on the command line, and never breaks anything."""

import decimal
import http.client
import json
import random
import subprocess
import threading

import pytest
from harness.proxy import BINARY
from harness.shared import running_proxy
from harness.waiting import wait_until
from test_plugins import files_of

PLUGINS = ("cost-governor", "rate-limit", "dedup")
MAX_WINDOW_MS = 1 << 52
BAD_GUEST = """(module
  (import "env" "field_length" (func $length (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "helios_abi_version") (result i32) (i32.const 2))
  (func (export "check_write") (result i32)
    (if (i32.eq (call $length (i32.const 17)) (i32.const 4)) (then unreachable))
    (loop (br 0))
    (i32.const 0)))
"""


@pytest.fixture(scope="module")
def proxy(postgres):
    with running_proxy(postgres.port, [file for name in PLUGINS for file in files_of(name)]) as proxy:
        yield proxy


def put(proxy, path, value, **headers):
    """As a person sends it, who has said nothing about new namespaces."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return proxy.admin.request("PUT", f"/admin/kv/{path}", value, {"Helios-New-Namespace": None, **named})


def kv(proxy, *words):
    done = subprocess.run([BINARY, "kv", *words, "--url", f"http://127.0.0.1:{proxy.admin.port}"], capture_output=True,
                          text=True, timeout=60, check=False)
    return done.returncode, done.stderr


def checks(proxy, plugin, outcome):
    label = f'helios_plugin_write_checks_total{{outcome="{outcome}",plugin="{plugin}"}} '
    line, = [line for line in proxy.admin.get("/metrics").text.splitlines() if line.startswith(label)]
    return int(line.rsplit(" ", 1)[1])


def test_counter_that_would_stand_where_a_setting_belongs_is_refused(proxy):
    path = "/admin/kv/cost-governor/tenant:counted:budget"
    answer = proxy.admin.request("POST", path, '{"increment":1}', {"Helios-New-Namespace": None})
    assert answer.status == 422 and 'the plugin "cost-governor" refuses this value: budget: ' in answer.json["error"]
    assert proxy.admin.get(path).status == 404
    forced = proxy.admin.request("POST", path, '{"increment":1}', {"Helios-Force": "true"})
    assert (forced.status, forced.json["value"]) == (200, 1)


@pytest.mark.parametrize("path,value,reason", [
    ("cost-governor/tenant:acme:budget", '{"minut":1.0}', "budget: field `minut` is not known; did you mean `minute`?"),
    ("cost-governor/tenant:acme:budget", '{"day":"10"}', "budget: field `day` must be a number, and is a text"),
    ("cost-governor/tenant:acme:budget", "", "budget: the value is empty; it must be a JSON object"),
    ("cost-governor/tenant:acme:budgt", '{"day":1}', "there is no such key here; there are `tenant:<id>:budget`, "
     "`tenant:<id>:usage`, `config:windows` and `config:reserve`"),
    ("rate-limit/config", '{"burst":-1,"tokens":1,"period_ms":1000}',
     "limit: field `burst` must be a whole number of 0 or more"),
    ("dedup/config", '{"window_ms":500,"writes_onyl":true}',
     "config: field `writes_onyl` is not known; did you mean `writes_only`?"),
])
def test_mistyped_setting_is_refused_and_named(proxy, path, value, reason):
    plugin = path.split("/")[0]
    before = checks(proxy, plugin, "refused")
    answer = put(proxy, path, value)
    assert (answer.status, answer.json) == (422, {"error": f'the plugin "{plugin}" refuses this value: {reason}'})
    assert proxy.admin.bytes_of(*path.split("/")) is None
    status, said = kv(proxy, "put", *path.split("/"), value)
    assert (status, said) == (1, f'heliosproxy: the plugin "{plugin}" refuses this value: {reason}\n')
    assert checks(proxy, plugin, "refused") == before + 2


def test_budgets_as_documented_are_taken(proxy):
    before = checks(proxy, "cost-governor", "allowed")
    value = '{"minute":1.0,"hour":10.0,"day":100.0}'
    assert put(proxy, "cost-governor/tenant:globex:budget", value).json == {"ok": True}
    assert kv(proxy, "put", "helios_plugin_cost_governor", "tenant:globex:budget", value) == (0, "")
    assert checks(proxy, "cost-governor", "allowed") == before + 2


def test_forced_value_is_written_counted_and_logged(proxy):
    path, value = "rate-limit/config:initech", '{"burst":"secret"}'
    assert put(proxy, path, value, Helios_Force="true").status == 200
    assert proxy.admin.value(*path.split("/")) == value
    assert kv(proxy, "put", *path.split("/"), value) == (1, 'heliosproxy: the plugin "rate-limit" refuses this value: '
                                                         "limit: field `burst` must be a whole number, and is a text\n")
    assert kv(proxy, "put", *path.split("/"), value, "--force") == (0, "")
    assert checks(proxy, "rate-limit", "forced") == 2
    proxy.wait_for_log(r"admin: audit: anybody from \S+: PUT /admin/kv/rate-limit/config:initech, 18 bytes, forced: 200")
    proxy.wait_for_log(r'plugin rate-limit: was not asked about the write of "config:initech", which was forced')
    proxy.wait_for_log(r'plugin rate-limit: refuses the write of "config:initech", which does not happen: limit: field')
    assert "secret" not in proxy.log


def test_what_stands_there_already_is_told_once(proxy):
    """By each worker's instance; this proxy may have several."""
    proxy.admin.put("dedup", "config", '{"window_ms":1,"note":"ours"}', is_forced=True)
    with proxy.connect(options="-c helios.tenant_id=umbrella") as session:
        for number in range(20):
            session.query(f"SELECT {number}").expect_ok()
    proxy.admin.delete("dedup", "config")
    assert proxy.log.count('plugin dedup: "config" would be refused today: field `note` is not known') == 1


def number_text(dice):
    digits = "".join(dice.choice("0123456789") for _ in range(dice.randrange(1, 18))).lstrip("0") or "0"
    text = dice.choice(["", "", "-"]) + digits
    if dice.random() < 0.5:
        text += "." + "".join(dice.choice("0005") for _ in range(dice.randrange(1, 6)))
    if dice.random() < 0.5:
        text += dice.choice("eE") + dice.choice(["", "+", "-"]) + str(dice.randrange(0, 20))
    return text


def test_numbers_mean_what_python_reads(proxy):
    dice = random.Random(20261130)
    taken = 0
    for _ in range(250):
        text = number_text(dice)
        number = decimal.Decimal(text)
        assert json.loads(text) is not None
        is_good = number == number.to_integral_value() and 1 <= number <= MAX_WINDOW_MS
        answer = put(proxy, "dedup/config", f'{{"window_ms":{text}}}')
        assert answer.status == (200 if is_good else 422), (text, answer.text)
        taken += is_good
    assert 25 < taken < 225
    proxy.admin.delete("dedup", "config")


def test_mistyped_namespace_is_not_made(proxy):
    answer = put(proxy, "cost-govenor/tenant:acme:budget", '{"day":1}')
    assert answer.status == 404
    assert answer.json["error"].startswith('there is no namespace "cost-govenor"; did you mean "cost-governor"? to make')
    status, said = kv(proxy, "put", "cost-govenor", "key", "value")
    assert status == 1 and said.endswith("(heliosproxy kv: --new)\n")
    assert "cost-govenor" not in proxy.admin.get("/admin/state").text
    assert kv(proxy, "put", "brand-new", "key", "anything", "--new") == (0, "")
    assert kv(proxy, "put", "brand-new", "other", "anything") == (0, "")


def test_plugin_that_cannot_answer_refuses_and_holds_nobody_up(make_proxy):
    proxy = make_proxy()
    proxy.write_plugin_file("bad.wat", BAD_GUEST)
    proxy.write_plugin_file("bad.toml", 'on_error = "allow"\n')
    proxy.start()
    trapped = put(proxy, "bad/key", "trap")
    assert trapped.status == 422 and "could not judge this value, so it is not written (trap: " in trapped.text
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(put(proxy, "bad/key", "for ever")))
    waiting.start()
    while waiting.is_alive():
        assert proxy.admin.get("/healthz").status == 200
    waiting.join()
    assert answers[0].status == 422 and "(timeout after " in answers[0].text and "Helios-Force: true" in answers[0].text
    assert proxy.admin.bytes_of("bad", "key") is None
    assert put(proxy, "bad/key", "trap", Helios_Force="true").status == 200
    assert checks(proxy, "bad", "failed") == 2
    assert proxy.admin.get("/readyz").status == 200


def test_proxy_ends_while_a_write_is_judged(make_proxy):
    proxy = make_proxy(plugins__limits__timeout_ms=1000)
    proxy.write_plugin_file("bad.wat", BAD_GUEST)
    proxy.start()
    raised = []

    def write():
        try:
            raised.append(put(proxy, "bad/key", "for ever"))
        except (OSError, http.client.HTTPException) as error:
            raised.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    wait_until(lambda: proxy.admin.metric("helios_plugin_calls_total") == 1, "the hook to begin")
    proxy.stop()  # looks for reports of sanitizers
    writer.join()
    assert len(raised) == 1 and isinstance(raised[0], Exception)
