"""How one JSON value became another: text by text, everything else by path. Knows nothing of runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from chainlab.compare.sequence import Effort, common
from chainlab.compare.text import TextDiff, diff_texts
from chainlab.values.codec import Json, encode

Path: TypeAlias = tuple[str | int, ...]

_MANY_CHANGES = 2_000  # above it the value is told as one change
_LONG_LIST = 50_000  # items of both sides together, above which a list is told as one change
_DEEPEST = 100  # levels, below which a value is told as one change


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `path_a` is where it stands in the first value (None: added), `path_b` in the second.

    They differ where items were inserted or removed before it. `text`: how a text became another.
    """

    kind: Literal["added", "removed", "changed"]
    path_a: Path | None
    path_b: Path | None
    before: Json
    after: Json
    text: TextDiff | None = None


@dataclass(frozen=True, slots=True)
class ValueDiff:
    """How a value became another.

    `text`: both are text; else `changes` tells. `reordered`: objects have their keys in another order (it reaches a
    prompt). `coarse`: there was too much to compare, and a change tells of more than differs. `unread`: a value is too
    large to be loaded, and nothing is known but that they differ.
    """

    kind: Literal["same", "text", "json", "unread"]
    text: TextDiff | None = None
    changes: tuple[Change, ...] = ()
    reordered: bool = False
    coarse: bool = False


def diff_values(before: Json, after: Json, effort: Effort | None = None) -> ValueDiff:
    """Compare two JSON values, in bounded time."""
    effort = effort or Effort()
    if isinstance(before, str) and isinstance(after, str):
        text = diff_texts(before, after, effort)
        return ValueDiff("same") if text.same else ValueDiff("text", text, coarse=text.coarse is not None)
    found = _Found(effort)
    _compare(found, before, after, (), (), 0)
    if len(found.changes) > _MANY_CHANGES:
        whole = Change("changed", (), (), before, after)
        return ValueDiff("json", changes=(whole,), reordered=found.reordered, coarse=True)
    if not found.changes and not found.reordered:
        return ValueDiff("same")
    return ValueDiff("json", None, tuple(found.changes), found.reordered, found.coarse)


def only(kind: Literal["added", "removed"], value: Json) -> ValueDiff:
    """A value that one side has and the other has not."""
    added = kind == "added"
    change = Change(
        kind, None if added else (), () if added else None, None if added else value, value if added else None
    )
    return ValueDiff("json", changes=(change,))


@dataclass(slots=True)
class _Found:
    effort: Effort
    changes: list[Change] = field(default_factory=list)
    reordered: bool = False
    coarse: bool = False


def _compare(found: _Found, before: Json, after: Json, at: Path, to: Path, depth: int) -> None:
    if len(found.changes) > _MANY_CHANGES:
        return
    deep = depth == _DEEPEST
    if isinstance(before, dict) and isinstance(after, dict) and not deep:
        _objects(found, before, after, at, to, depth)
    elif isinstance(before, list) and isinstance(after, list) and not deep:
        _lists(found, before, after, at, to, depth)
    elif not _equal(before, after):
        text = None
        if isinstance(before, str) and isinstance(after, str):
            text = diff_texts(before, after, found.effort)
            found.coarse |= text.coarse is not None
        found.coarse |= deep and isinstance(before, (dict, list))
        found.changes.append(Change("changed", at, to, before, after, text))


def _objects(found: _Found, before: dict[str, Json], after: dict[str, Json], at: Path, to: Path, depth: int) -> None:
    for key, value in before.items():
        if key in after:
            _compare(found, value, after[key], (*at, key), (*to, key), depth + 1)
        else:
            found.changes.append(Change("removed", (*at, key), None, value, None))
    for key, value in after.items():
        if key not in before:
            found.changes.append(Change("added", None, (*to, key), None, value))
    if [key for key in before if key in after] != [key for key in after if key in before]:
        found.reordered = True


def _lists(found: _Found, before: list[Json], after: list[Json], at: Path, to: Path, depth: int) -> None:
    if len(before) + len(after) > _LONG_LIST:
        if not _equal(before, after):
            found.changes.append(Change("changed", at, to, before, after))
            found.coarse = True
        return
    runs, whole = common([encode(item) for item in before], [encode(item) for item in after], found.effort)
    found.coarse |= not whole
    x = y = 0
    for i, j, length in [*runs, (len(before), len(after), 0)]:
        while x < i and y < j:  # between what is equal, items correspond in order
            _compare(found, before[x], after[y], (*at, x), (*to, y), depth + 1)
            x, y = x + 1, y + 1
        for k in range(x, i):
            found.changes.append(Change("removed", (*at, k), None, before[k], None))
        for k in range(y, j):
            found.changes.append(Change("added", None, (*to, k), None, after[k]))
        x, y = i + length, j + length


def _equal(before: Json, after: Json) -> bool:
    """Equal as stored: 1 is not 1.0 and not true, NaN is NaN."""
    return type(before) is type(after) and encode(before) == encode(after)
