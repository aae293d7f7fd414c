"""The code blocks of a document, with what the comment before each asks for. Runs nothing.

A comment stands on the line before a block:

    <!-- file: brief.py -->         written to that file of the project, not run
    <!-- patch: brief.py -->        a diff block: its `-` lines are replaced by its `+` lines in that file
    <!-- refused: ref-bool -->      the block must raise a ChainError with that code
    <!-- run: exit 1 -->            a sh block: every `chainlab` line is run and must end with that code
    <!-- said: in part -->          a text block: its lines stand in what the block before it was told, in this order
    <!-- not run: reason -->        the reason is listed by the test
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_COMMENT = re.compile(r"<!--\s*(file|patch|refused|run|said|not run):\s*(.+?)\s*-->")
_FENCE = re.compile(r"(`{3,})(\w*)")

RUNNABLE = ("python", "sql", "sh", "toml", "diff")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, the line of its first line of text, and the comment before it."""

    document: str
    line: int
    language: str
    text: str
    asks: str = ""
    what: str = ""

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"{self.document}:{self.line}"


def blocks(path: Path, root: Path) -> list[Block]:
    """Every fenced block of a document, in order."""
    name = path.relative_to(root).as_posix()
    found: list[Block] = []
    lines = path.read_text(encoding="utf-8").splitlines()
    comment: re.Match[str] | None = None
    number = 0
    while number < len(lines):
        line = lines[number]
        fence = _FENCE.fullmatch(line)
        if fence is not None:
            end = next(k for k in range(number + 1, len(lines)) if lines[k] == fence[1])
            text = "\n".join(lines[number + 1 : end]) + "\n"
            asks, what = (comment[1], comment[2]) if comment else ("", "")
            found.append(Block(name, number + 2, fence[2], text, asks, what))
            comment, number = None, end
        elif line.strip():
            comment = _COMMENT.fullmatch(line.strip())
        number += 1
    return found
