"""How one text became another: whole lines, and in changed lines the words. Knows nothing of runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from chainlab.compare.sequence import Effort, common

LARGEST = 8_000_000  # characters of both texts together, above which lines are not looked at
_MANY_WORDS = 400_000  # words of both sides of one change, above which words are not looked at
_LITTLE = 0.2  # share of equal text below which a change is shown as a whole: marked words would only confuse

# A word, one character of a script without spaces, a stretch of white space, one sign: together, every character.
_ALONE = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORDS = re.compile(rf"[{_ALONE}]|[^\W{_ALONE}]+|\s+|[^\w\s]")

Coarse: TypeAlias = Literal["words", "lines", "text"]
"""What was too much to be compared: the words of a change; all lines; anything but the common beginning and end."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a chunk. `changed`: the other side has not got it."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Chunk:
    """Successive lines: in both texts, or only in the first (`removed`), or only in the second (`added`).

    The spans joined are the exact text, line breaks included. `line_a`, `line_b`: the number of its first line, from 1.
    """

    op: Literal["same", "removed", "added"]
    spans: tuple[Span, ...]
    line_a: int | None
    line_b: int | None

    @property
    def text(self) -> str:
        """The exact text."""
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True, slots=True)
class TextDiff:
    """Two texts as chunks in order: all but `added` joined are the first, all but `removed` the second.

    `removed`, `added`: how many lines. `coarse`: what was too much to be compared (None: nothing), so that more is
    shown as changed than is.
    """

    chunks: tuple[Chunk, ...]
    removed: int
    added: int
    coarse: Coarse | None = None

    @property
    def same(self) -> bool:
        """Whether the texts are equal."""
        return not self.removed and not self.added


def diff_texts(before: str, after: str, effort: Effort | None = None) -> TextDiff:
    """Compare two texts, line by line and in changed lines word by word, in bounded time."""
    if before == after:
        return TextDiff(_chunks([("same", (Span(before, False),))]), 0, 0)
    effort = effort or Effort()
    if len(before) + len(after) > LARGEST:
        return _ends(before, after)
    a, b = _lines(before), _lines(after)
    runs, whole = common(a, b, effort)
    coarse: Coarse | None = None if whole else "lines"
    parts: list[_Part] = []
    removed = added = x = y = 0
    for i, j, length in [*runs, (len(a), len(b), 0)]:
        gone, new = "".join(a[x:i]), "".join(b[y:j])
        old_spans, new_spans, words = _words(gone, new, effort)
        coarse = coarse if words else coarse or "words"
        parts += [("removed", old_spans), ("added", new_spans), ("same", (Span("".join(a[i : i + length]), False),))]
        removed, added = removed + i - x, added + j - y
        x, y = i + length, j + length
    return TextDiff(_chunks(parts), removed, added, coarse)


_Part: TypeAlias = tuple[Literal["same", "removed", "added"], tuple[Span, ...]]


def _chunks(parts: list[_Part]) -> tuple[Chunk, ...]:
    """Parts with their line numbers, without the empty ones."""
    found: list[Chunk] = []
    line_a = line_b = 1
    for op, spans in parts:
        spans = tuple(span for span in spans if span.text)
        if not spans:
            continue
        found.append(Chunk(op, spans, None if op == "added" else line_a, None if op == "removed" else line_b))
        breaks = sum(span.text.count("\n") for span in spans)
        line_a += breaks if op != "added" else 0
        line_b += breaks if op != "removed" else 0
    return tuple(found)


def _lines(text: str) -> list[str]:
    """The lines of a text with their breaks; joined they are the text."""
    *whole, rest = text.split("\n")
    lines = [line + "\n" for line in whole]
    return [*lines, rest] if rest else lines


def _words(gone: str, new: str, effort: Effort) -> tuple[tuple[Span, ...], tuple[Span, ...], bool]:
    """The words of a change, each side as spans. False: they were too many."""
    every = (Span(gone, True),), (Span(new, True),)
    if not gone or not new:
        return *every, True
    a, b = _WORDS.findall(gone), _WORDS.findall(new)
    if len(a) + len(b) > _MANY_WORDS:
        return *every, False
    runs, whole = common(a, b, effort)
    kept = [run for run in runs if not "".join(a[run[0] : run[0] + run[2]]).isspace()]
    equal = sum(len(word) for i, _, length in kept for word in a[i : i + length])
    if 2 * equal < _LITTLE * (len(gone) + len(new)):
        return *every, whole
    return _spans(a, [(i, n) for i, _, n in kept]), _spans(b, [(j, n) for _, j, n in kept]), whole


def _spans(words: list[str], equal: list[tuple[int, int]]) -> tuple[Span, ...]:
    found: list[Span] = []
    at = 0
    for start, length in [*equal, (len(words), 0)]:
        found.append(Span("".join(words[at:start]), True))
        found.append(Span("".join(words[start : start + length]), False))
        at = start + length
    return tuple(span for span in found if span.text)


def _ends(before: str, after: str) -> TextDiff:
    """Huge texts: their common beginning and end, in whole lines, and one change between."""
    head = _common_head(before, after)
    head = before.rfind("\n", 0, head) + 1
    a, b = before[head:], after[head:]
    tail = _common_tail(a, b)
    cut = a.find("\n", len(a) - tail) + 1
    # A line is whole where a line break stands before it, on both sides.
    tail = len(a) - cut if cut else 0
    gone, new = a[: len(a) - tail], b[: len(b) - tail]
    parts: list[_Part] = [
        ("same", (Span(before[:head], False),)),
        ("removed", (Span(gone, True),)),
        ("added", (Span(new, True),)),
        ("same", (Span(a[len(a) - tail :], False),)),
    ]
    return TextDiff(_chunks(parts), _count(gone), _count(new), "text")


def _count(text: str) -> int:
    return text.count("\n") + (1 if text and not text.endswith("\n") else 0)


def _common_head(a: str, b: str) -> int:
    """The length of the common beginning, by halving: comparing slices is far faster than comparing characters."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_tail(a: str, b: str) -> int:
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[len(a) - middle : len(a) - low] == b[len(b) - middle : len(b) - low]:
            low = middle
        else:
            high = middle - 1
    return low
