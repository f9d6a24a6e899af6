# SPDX-License-Identifier: Apache-2.0
"""What the last lines of a test run say: how many tests there were, why some were skipped, and how to repeat what failed."""

import os
import subprocess
import sys
from xml.sax.saxutils import escape

SUMMARY = os.path.join(os.environ["HELIOS_SOURCE_DIR"], "tools", "lib", "test_summary.py")
SUITE = "[==========] 3 tests from 1 test suite ran. (4 ms total)\n[  PASSED  ] 3 tests."
FAILED_SUITE = """a.cpp:3: Failure
[  FAILED  ] Portals.one (1 ms)
[==========] 2 tests from 1 test suite ran. (4 ms total)
[  PASSED  ] 1 test.
[  FAILED  ] 1 test, listed below:
[  FAILED  ] Portals.one"""
SKIPPING_SUITE = """a.cpp:9: Skipped
no io_uring here
[==========] 2 tests from 1 test suite ran. (4 ms total)
[  PASSED  ] 1 test.
[  SKIPPED ] 1 test, listed below:
[  SKIPPED ] Ring.one"""


def entry(name, output, status="run", skipped=None):
    said = f'<skipped message="{skipped}"/>' if skipped else ""
    return f'<testcase name="{name}" status="{status}">{said}<system-out>{escape(output)}</system-out></testcase>'


def summary(tmp_path, *entries, preset="dev"):
    file = tmp_path / "tests.xml"
    file.write_text("<testsuite>" + "".join(entries) + "</testsuite>")
    done = subprocess.run([sys.executable, SUMMARY, file, preset], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout.splitlines()


def test_suites_files_and_scripts_are_counted(tmp_path):
    assert summary(tmp_path, entry("session.Portals", SUITE), entry("integration.relay", "....\n4 passed in 1.20s"),
                   entry("check.format", "check_format: ok")) == (0, ["8 passed, 0 failed, 0 skipped: tests, in 3 groups"])


def test_what_failed_is_named_with_the_command_that_repeats_it(tmp_path):
    status, lines = summary(tmp_path, entry("session.Portals", FAILED_SUITE, "fail"), entry(
        "integration.relay", "FAILED tests/a.py::test_b - x\n1 failed, 3 passed in 61.20s (0:01:01)", "fail"), preset="tsan")
    assert status == 0 and lines == [
        "failed: session.Portals Portals.one", r"    repeat it alone: tools/dev test --preset tsan -R '^session\.Portals$' -V",
        "failed: integration.relay tests/a.py::test_b", r"    repeat it alone: tools/dev test --preset tsan -R '^integration\.relay$' -V",
        "4 passed, 2 failed, 0 skipped: tests, in 2 groups"]


def test_group_that_ended_without_a_word_has_failed(tmp_path):
    _, lines = summary(tmp_path, entry("session.Portals", "AddressSanitizer: heap-use-after-free", "fail"))
    assert lines[-1] == "0 passed, 1 failed, 0 skipped: tests, in 1 groups"
    _, lines = summary(tmp_path, entry("session.Portals", SUITE + "\nLeakSanitizer: detected memory leaks", "fail"))
    assert lines[-1] == "3 passed, 1 failed, 0 skipped: tests, in 1 groups"


def test_skipped_tests_say_why(tmp_path):
    _, lines = summary(tmp_path, entry("net.Ring", SKIPPING_SUITE), entry(
        "integration.relay", "SKIPPED [1] tests/a.py:7: no IPv6 here\n1 passed, 1 skipped in 0.10s"),
        entry("tools.as_postgres", "no user namespaces here", "notrun", "SKIP_RETURN_CODE=77"))
    assert lines == ["skipped in net.Ring: no io_uring here", "skipped in integration.relay: tests/a.py:7: no IPv6 here",
                     "skipped in tools.as_postgres: no user namespaces here", "2 passed, 0 failed, 3 skipped: tests, in 3 groups"]


def test_what_could_not_be_run_has_failed(tmp_path):
    status, lines = summary(tmp_path, entry("session.Portals", "Unable to find executable: x", "notrun", "Unable to find executable"))
    assert lines[0] == "failed: session.Portals" and lines[-1] == "0 passed, 1 failed, 0 skipped: tests, in 1 groups"


def test_run_without_a_test_is_an_error(tmp_path):
    assert summary(tmp_path)[0] == 1
