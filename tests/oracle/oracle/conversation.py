# SPDX-License-Identifier: Apache-2.0
"""A conversation: what a client says, message by message, and where it waits. It can be printed as a test."""

import re
from dataclasses import dataclass, field


@dataclass
class Step:
    data: bytes
    source: str  # the expression of the harness that makes the same message
    wait: bool = False
    group: int = 0  # messages that were made together are left out together, first of all

    def words(self):
        """One line that rows of known.toml are matched with: "P name|text", "B portal|name", "Q text", "E portal", "S"."""
        parts = self.data[5:].split(b"\0")[:2 if self.data[:1] in b"PB" else 1]
        return " ".join((self.data[:1] + b" " + b"|".join(parts)).decode(errors="replace").splitlines()).rstrip()


@dataclass
class Conversation:
    name: str
    steps: list = field(default_factory=list)
    parameters: dict = field(default_factory=dict)
    cuts: int = 0  # the seed of the cuts; 0: none

    def replaced(self, steps, **other):
        return Conversation(self.name, steps, other.get("parameters", self.parameters), other.get("cuts", self.cuts))

    def looks(self):
        """What two conversations have in common that differ in names and numbers: kinds of messages, and keywords."""
        return tuple(" ".join([step.words()[:1], *re.findall(r"\b[A-Z]{3,}\b", step.words())]) for step in self.steps)

    def lines(self):
        return [f"        {step.source},{'  # and waits' if step.wait else ''}" for step in self.steps]

    def as_test(self, divergence):
        """A Python test that holds this conversation again."""
        words = "_".join(divergence.kind.replace("-", " ").split())
        return "\n".join([
            f"def test_{words}(oracle):",
            f'    """{divergence.what}"""',
            f"    oracle.agrees(parameters={self.parameters!r}, cuts={self.cuts}, messages=[",
            *self.lines(), "    ])"])
