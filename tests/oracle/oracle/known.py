# SPDX-License-Identifier: Apache-2.0
"""Divergences that are known: known.toml. A row excuses its own shape and nothing else."""

import os
import re
import tomllib

from .conversation import Conversation
from .messages import read_step

FILE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "known.toml")


class Row:
    def __init__(self, table):
        self.kinds, self.what, self.shape = table["kinds"], table["what"], table["shape"]
        self.says = table.get("says", "")
        self.example = Conversation("known", [read_step(line) for line in table["messages"]], table.get("parameters", {}))

    def excuses(self, divergence):
        """Is it of the row's kinds, and are the row's messages among those of its conversation, in their order?"""
        if divergence.kind not in self.kinds or not re.search(self.says, divergence.what):
            return False
        lines = [f"(?:{line.replace('{own}', self.mark_of(divergence))}).*" for line in self.shape]
        talk = "\n".join(step.words() for step in divergence.conversation.steps)
        return re.search("^" + r"\n(?:.*\n)*?".join(lines), talk, re.MULTILINE) is not None

    @staticmethod
    def mark_of(divergence):
        """Of the statement in question. A DO that puts texts together has its mark in two parts."""
        number = divergence.number
        return "(?!)" if number is None else rf"/(?:' \|\| ')?\*{number}\b[^*]*\*/"


def rows():
    with open(FILE, "rb") as file:
        return [Row(table) for table in tomllib.load(file)["known"]]


def row_of(rows, divergence):
    """The row that excuses it, or None: it is new."""
    return next((row for row in rows if row.excuses(divergence)), None)
