# SPDX-License-Identifier: Apache-2.0

import os
import sys

import pytest

# Beside other tests on a busy machine an answer may take its time.
os.environ.setdefault("HELIOS_ORACLE_HANG", "30")
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from oracle.place import Place  # noqa: E402, first: it finds the harness
from oracle.conversation import Conversation, Step  # noqa: E402
from oracle.runner import Runner  # noqa: E402


@pytest.fixture(scope="session")
def runner():
    with Place() as place:
        yield Runner(place)


class Oracle:
    """What printed tests call."""

    def __init__(self, runner):
        self.runner = runner

    def divergences(self, messages, **options):
        steps = [each if isinstance(each, Step) else Step(each) for each in messages]
        return self.runner.run([Conversation("printed", steps, **options)])

    def agrees(self, messages, **options):
        """Holds the conversation; hooks have seen what the server did, and the client's answers are the server's."""
        found = self.divergences(messages, **options)
        assert not found, "\n".join(f"{each.kind}: {each.what}" for each in found)


@pytest.fixture
def oracle(runner):
    return Oracle(runner)
