# SPDX-License-Identifier: Apache-2.0
"""A conversation: what a client says, message by message, and where it waits. It can be printed as a test."""

import re
from dataclasses import dataclass, field, replace


@dataclass
class Step:
    data: bytes
    source: str = ""  # the expression of messages.py that makes it
    wait: bool = False

    def words(self):
        """One line that rows of known.toml are matched with: "P name|text", "B portal|name", "Q text", "E portal", "S"."""
        if self.data[:1] == b"!":
            return self.data.decode()
        parts = self.data[5:].split(b"\0")[:2 if self.data[:1] in b"PB" else 1]
        return " ".join((self.data[:1] + b" " + b"|".join(parts)).decode(errors="replace").splitlines())

    def line(self):
        return f"wait({self.source})" if self.wait else self.source


@dataclass
class Conversation:
    name: str
    steps: list = field(default_factory=list)
    parameters: dict = field(default_factory=dict)
    cuts: int = 0  # the seed of the cuts; 0: none
    engine: str = "auto"

    def replaced(self, steps, **other):
        return replace(self, steps=steps, **other)

    def has(self, *words):
        return any(word in step.data for step in self.steps for word in words)

    def looks(self):
        """What two conversations have in common that differ in names and numbers: kinds of messages, and keywords."""
        return tuple(" ".join([step.words()[:1], *re.findall(r"\b[A-Z]{3,}\b", step.words())]) for step in self.steps)

    def as_test(self, divergence):
        """A Python test that holds this conversation again: it fails as long as there is a divergence."""
        name = "test_" + re.sub(r"\W+", "_", f"{divergence.kind} {self.name}")
        options = [f"{name}={value!r}" for name, value, usual in (
            ("parameters", self.parameters, {}), ("cuts", self.cuts, 0), ("engine", self.engine, "auto")) if value != usual]
        return "\n".join([
            f"def {name}(oracle):", f"    # {' '.join(divergence.what.splitlines())}",
            f"    oracle.agrees({', '.join([*options, 'messages=['])}",
            *[f"        {step.line()}," for step in self.steps], "    ])"])
