"""A fork that ended ok, replayed without edits, runs nothing: whatever it was edited by still stands."""

from __future__ import annotations

import random

import pytest

from tests.replay.chains import random_chain
from tests.replay.changes import Change, random_change
from tests.replay.memory import Bench, executed

CASES = 200
PARTS = 2


async def check_one(seed: int) -> str | None:
    """Run the case of a seed; gives what it was, None when the fork left steps out. Raises AssertionError."""
    rng = random.Random(seed)
    spec = random_chain(rng)
    inputs = {"text": "hello", "items": [rng.choice("abc") for _ in range(rng.randint(0, 4))]}
    bench = Bench()
    _, record = await bench.run(spec, inputs)
    first, second = random_change(rng, spec, record), random_change(rng, spec, record)
    change = first if first.spec != spec or second.spec != spec else _both(first, second)
    ready = bench.ready(
        record,
        change.edits,
        spec=change.spec,
        scope=rng.choice(["descendants", "all"]),
        on_drift="refuse" if change.spec == spec else "rerun",
    )
    assert ready.refused is None, ready.refused
    outcome, fork, _ = await bench.replay(ready)
    if outcome.output is None:
        return None
    again = bench.ready(fork, (), spec=ready.plan.spec)
    assert again.refused is None, f"{change.edits}: {again.refused}"
    outcome_again, _, events = await bench.replay(again, "again")
    assert executed(events) == set(), f"{change.edits}: ran {executed(events)}"
    assert outcome_again.output is not None and outcome_again.output.json == outcome.output.json
    return change.kind


def _both(first: Change, second: Change) -> Change:
    """Two changes at once, where they are of different steps."""
    taken = {edit.step.split("[")[0].split("@")[0] for edit in first.edits}
    more = [edit for edit in second.edits if edit.step.split("[")[0].split("@")[0] not in taken]
    return Change(f"{first.kind}+{second.kind}" if more else first.kind, first.spec, [*first.edits, *more])


@pytest.mark.parametrize("part", range(PARTS))
async def test_a_fork_that_ended_has_nothing_left_to_run(part: int) -> None:
    kinds = set()
    for seed in range(part, CASES, PARTS):
        try:
            kinds.add(await check_one(seed))
        except AssertionError as wrong:
            raise AssertionError(f"seed {seed}: {wrong}") from wrong
    assert len(kinds) > 20, kinds
