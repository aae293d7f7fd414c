"""Which step of one run corresponds to which of the other: by path, items by what they are, renamed steps by key. Pure.

The work of a step is named by its reuse key: equal key, same definition, inputs and model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from chainlab.compare.facts import RunFacts, StepFacts
from chainlab.compare.items import Translation, items_of

Pair: TypeAlias = tuple[StepFacts | None, StepFacts | None]


def align(a: RunFacts, b: RunFacts) -> tuple[Pair, ...]:
    """The steps of both runs, each once, in the order of b; what only a has stands where it stood in a."""
    there = {step.row.path: step for step in b.steps}
    translation = Translation(items_of(a), items_of(b))
    found: dict[str, StepFacts] = {}  # by path of a
    left: list[tuple[StepFacts, str]] = []
    for step in a.steps:
        path = translation.path(step)
        other = None if path is None else there.pop(path, None)
        if other is not None:
            found[step.row.path] = other
        else:
            left.append((step, path or step.row.path))
    _renamed(left, there, found, a, b)
    return _in_order(a.steps, b.steps, found)


def _renamed(
    left: Sequence[tuple[StepFacts, str]],
    there: dict[str, StepFacts],
    found: dict[str, StepFacts],
    a: RunFacts,
    b: RunFacts,
) -> None:
    """Match what is left by key; a step of which some instances were renamed so takes its other ones with it."""
    by_key: dict[tuple[str, str], list[StepFacts]] = defaultdict(list)
    for other in there.values():
        if other.row.reuse_key is not None:
            by_key[other.row.kind, other.row.reuse_key].append(other)
    only_a = {step.static for step in a.steps} - {step.static for step in b.steps}
    only_b = {step.static for step in b.steps} - {step.static for step in a.steps}
    names: dict[str, str] = {}
    for step, _ in left:
        same = by_key.get((step.row.kind, step.row.reuse_key or ""))
        if same:
            other = same.pop(0)
            found[step.row.path] = there.pop(other.row.path)
            if step.static in only_a and other.static in only_b:
                names.setdefault(step.static, other.static)
    for step, path in left:
        new = names.get(step.static)
        if step.row.path not in found and new is not None:
            head, slash, last = path.rpartition("/")
            old_name, new_name = step.static.rpartition("/")[2], new.rpartition("/")[2]
            moved = there.pop(f"{head}{slash}{new_name}{last[len(old_name) :]}", None)
            if moved is not None:
                found[step.row.path] = moved


def _in_order(
    steps_a: Iterable[StepFacts], steps_b: Iterable[StepFacts], found: dict[str, StepFacts]
) -> tuple[Pair, ...]:
    after: dict[str | None, list[StepFacts]] = defaultdict(list)  # by path of b: what only a has follows it
    partner: dict[str, StepFacts] = {}
    last: str | None = None
    for step in steps_a:
        other = found.get(step.row.path)
        if other is None:
            after[last].append(step)
        else:
            last = other.row.path
            partner[last] = step
    pairs: list[Pair] = [(step, None) for step in after[None]]
    for step in steps_b:
        pairs.append((partner.get(step.row.path), step))
        pairs += [(gone, None) for gone in after[step.row.path]]
    return tuple(pairs)
