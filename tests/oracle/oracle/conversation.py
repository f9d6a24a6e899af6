# SPDX-License-Identifier: Apache-2.0
"""A conversation: what a client says, message by message, and where it waits. It can be printed as a test."""

from dataclasses import dataclass, field


@dataclass
class Step:
    data: bytes
    source: str  # the expression of the harness that makes the same message
    wait: bool = False
    group: int = 0  # messages that were made together are left out together, first of all


@dataclass
class Conversation:
    name: str
    steps: list = field(default_factory=list)
    parameters: dict = field(default_factory=dict)
    cuts: int = 0  # the seed of the cuts; 0: none

    def replaced(self, steps, **other):
        return Conversation(self.name, steps, other.get("parameters", self.parameters), other.get("cuts", self.cuts))

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
