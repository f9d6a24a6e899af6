# SPDX-License-Identifier: Apache-2.0
"""Waiting for a condition, never for a time."""

import time

POLL_SECONDS = 0.02
DEADLINE_SECONDS = 60.0


def wait_until(condition, what, deadline=DEADLINE_SECONDS):
    """Returns the first true value of condition(); fails with `what` when there was none in time."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"still not so after {deadline:g} s: {what}")
        time.sleep(POLL_SECONDS)
