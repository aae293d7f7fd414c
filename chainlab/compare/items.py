"""Which item of an `each` corresponds to which, so that an inserted item does not make all later ones differ.

An item is matched by the work done for it (equal reuse keys), else by its value, else by what its first step got, else
by its neighbours, else by its index. Pure.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from chainlab.compare.facts import RunFacts, StepFacts
from chainlab.spec.chain import EachStep, StepSpec, SubChain, blocks

_MARK = re.compile(r"\[(\d+)\]|@\d+")

Marks: TypeAlias = tuple[str, ...]
"""The instance marks of a path, outermost first: `note[2]@1[5]` has `[2]`, `@1`, `[5]`."""

Fan: TypeAlias = tuple[str, Marks]
"""One `each` at work: its place in the chain and the marks around it."""


def loops_of(steps: Sequence[StepSpec], prefix: str = "", around: tuple[str, ...] = ()) -> Iterator[tuple[str, Loops]]:
    """Every step's place in the chain with the places of the `each` steps around it, outermost first."""
    for step in steps:
        path = prefix + step.name
        yield path, around
        inner = (*around, path) if isinstance(step, EachStep) else around
        for _, body in blocks(step):
            yield from loops_of(body.steps, prefix, inner)
        if isinstance(step, SubChain):
            yield from loops_of(step.chain.steps, f"{path}/", around)


Loops: TypeAlias = tuple[str, ...]


@dataclass(slots=True)
class Items:
    """The items of a run: its steps by fan and index."""

    loops: Mapping[str, Loops]
    fans: dict[Fan, dict[int, list[StepFacts]]] = field(default_factory=dict)
    heads: dict[Fan, StepFacts] = field(default_factory=dict)

    def around(self, step: StepFacts) -> Loops:
        """The `each` steps around a step; where the chain cannot be read, each step counts its own items."""
        count = sum(mark.startswith("[") for mark in marks(step.row.path))
        loops = self.loops.get(step.static, ())
        return loops if len(loops) == count else (step.static,) * count


def marks(path: str) -> Marks:
    """The instance marks of a path."""
    return tuple(found[0] for found in _MARK.finditer(path))


def with_marks(path: str, new: Marks) -> str:
    """A path with other marks, one for one."""
    left = iter(new)
    return _MARK.sub(lambda _: next(left), path)


def items_of(run: RunFacts) -> Items:
    """The steps of a run by item. A step inside several stands in each of them."""
    found = Items({} if run.spec is None else dict(loops_of(run.spec.steps)))
    for step in run.steps:
        own = marks(step.row.path)
        if step.row.kind == "each":
            found.heads[step.static, own] = step
        at = [place for place, mark in enumerate(own) if mark.startswith("[")]
        for loop, place in zip(found.around(step), at, strict=True):
            fan = found.fans.setdefault((loop, own[:place]), {})
            fan.setdefault(int(own[place][1:-1]), []).append(step)
    return found


class Translation:
    """Marks of run a as marks of run b: which index an item has there."""

    def __init__(self, a: Items, b: Items) -> None:
        self._a = a
        self._loops = _same_loops(a, b)
        self._indices: dict[Fan, dict[int, int]] = {}
        for loop, outer in sorted(a.fans, key=lambda fan: len(fan[1])):
            fan = a.fans[loop, outer]
            there = self._marks(next(iter(fan.values()))[0], outer)
            other = (self._loops.get(loop, loop), there or ())
            if there is None or other not in b.fans:
                continue
            head_a, head_b = a.heads.get((loop, outer)), b.heads.get(other)
            self._indices[loop, outer] = _match(
                {index: _Item(index, steps, outer, head_a) for index, steps in fan.items()},
                {index: _Item(index, steps, there, head_b) for index, steps in b.fans[other].items()},
            )

    def path(self, step: StepFacts) -> str | None:
        """Where a step of run a stands in run b; None: its item is not there."""
        own = marks(step.row.path)
        there = self._marks(step, own)
        return None if there is None else step.row.path if there == own else with_marks(step.row.path, there)

    def _marks(self, step: StepFacts, own: Marks) -> Marks | None:
        loops = iter(self._a.around(step))
        there: list[str] = []
        for place, mark in enumerate(own):
            if not mark.startswith("["):
                there.append(mark)
                continue
            index = self._indices.get((next(loops), own[:place]), {}).get(int(mark[1:-1]))
            if index is None:
                return None
            there.append(f"[{index}]")
        return tuple(there)


def _same_loops(a: Items, b: Items) -> Mapping[str, str]:
    """Which `each` of a is which of b: one that runs a step of the same place, whatever its own number."""
    found: dict[str, str] = {}
    for static, loops in a.loops.items():
        others = b.loops.get(static, ())
        if len(loops) == len(others):
            for loop, other in zip(loops, others, strict=True):
                found.setdefault(loop, other)
    return found


@dataclass(frozen=True, slots=True)
class _Item:
    index: int
    steps: Sequence[StepFacts]
    outer: Marks
    head: StepFacts | None

    def work(self) -> Hashable:
        """What was done for it."""
        keys = [(self._name(step), step.row.reuse_key) for step in self.steps if step.row.reuse_key is not None]
        return tuple(sorted(keys, key=str)) or None

    def value(self) -> Hashable:
        """What its steps took from it: the parts of the item, with their hashes."""
        items = next((given for given in self.head.hashes.inputs if given.name == "items"), None) if self.head else None
        if self.head is None or items is None:
            return None
        source = items.from_path or self.head.row.path
        field = f"{items.from_field or ''}[{self.index}]"
        parts = {
            (given.from_field[len(field) :], given.hash)
            for step in self._own()
            for given in step.hashes.inputs
            if given.from_path == source and given.from_field is not None and given.from_field.startswith(field)
        }
        return frozenset(parts) or None

    def first(self) -> Hashable:
        """What its first step got."""
        step = next((step for step in self._own() if step.hashes.inputs), None)
        return step and (self._name(step), tuple((given.name, given.hash) for given in step.hashes.inputs))

    def _own(self) -> Iterator[StepFacts]:
        """Its steps that stand in no `each` of their own."""
        depth = len(self.outer) + 1
        for step in self.steps:
            if not any(mark.startswith("[") for mark in marks(step.row.path)[depth:]):
                yield step

    def _name(self, step: StepFacts) -> str:
        """A step's path within the item."""
        depth = len(self.outer) + 1
        return with_marks(step.row.path, (*("[]",) * depth, *marks(step.row.path)[depth:]))


def _match(a: Mapping[int, _Item], b: Mapping[int, _Item]) -> dict[int, int]:
    """Indices of a to indices of b."""
    pairs: dict[int, int] = {}
    taken: set[int] = set()

    def pair(i: int, j: int) -> None:
        pairs[i] = j
        taken.add(j)

    told: tuple[Callable[[_Item], Hashable], ...] = (_Item.work, _Item.value, _Item.first)
    for tell in told:
        left, right = _groups(a, pairs, tell), _groups(b, taken, tell)
        for key in left.keys() & right.keys():
            here, there = left[key], right[key]
            for same in [index for index in here if index in there]:  # where there are several, it stays in its place
                pair(same, same)
                here.remove(same)
                there.remove(same)
            for i, j in zip(here, there, strict=False):
                pair(i, j)
    for i in sorted(a):  # an item that follows a matched one corresponds to what follows there
        follower = pairs[i - 1] + 1 if i - 1 in pairs else 0 if i == 0 else -1
        if i not in pairs and follower in b and follower not in taken:
            pair(i, follower)
    for i in sorted(a):
        if i not in pairs and i in b and i not in taken:
            pair(i, i)
    return pairs


def _groups(
    items: Mapping[int, _Item], matched: Mapping[int, int] | set[int], tell: Callable[[_Item], Hashable]
) -> dict[Hashable, list[int]]:
    found: dict[Hashable, list[int]] = defaultdict(list)
    for index in sorted(items):
        if index not in matched and (key := tell(items[index])) is not None:
            found[key].append(index)
    return found
