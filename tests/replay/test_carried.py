"""A replay that is cut off anywhere, and gone on with: together the goes run exactly what one whole replay runs."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from chainlab.events import Event, RunFinished
from chainlab.replay.recorded import usable
from chainlab.trace import RunRecord, StepRecord
from tests.replay.chains import random_chain
from tests.replay.changes import random_change
from tests.replay.memory import Bench, executed, record_of
from tests.replay.property import SCOPES

CASES = 200


def cut_off(rng: random.Random, events: Sequence[Event], run_id: str) -> tuple[Sequence[Event], RunRecord]:
    """What is there of a run whose process was killed: the events up to some point, and the record of them."""
    kept = [*events[: rng.randint(1, len(events) - 1)]]
    return kept, record_of([*kept, RunFinished(run_id, "interrupted", 0, 0)])


def made(goes: Mapping[str, RunRecord]) -> dict[str, StepRecord]:
    """What goes made themselves, by path: as `lab.batches` takes it over."""
    rows = [row for record in goes.values() for row in record.steps if usable(row) and row.origin[0] in goes]
    return {row.path: row for row in rows if row.kind in ("prompt", "code")}


def works(record: RunRecord, paths: set[str]) -> Counter[bytes | None]:
    """What some steps did: of several steps of the same work any may be the one that runs."""
    return Counter(row.reuse_key for row in record.steps if row.path in paths)


async def check_one(seed: int) -> int:
    """Cut the replay of a seed off twice; gives how many steps the last go was spared. Raises AssertionError."""
    rng = random.Random(seed)
    spec = random_chain(rng)
    inputs = {"text": rng.choice(["hello", "bye"]), "items": [rng.choice("abc") for _ in range(rng.randint(0, 4))]}
    bench = Bench()
    _, record = await bench.run(spec, inputs)
    change, scope = random_change(rng, spec, record), rng.choice(SCOPES)
    on_drift = "refuse" if change.spec == spec else "rerun"
    ready = bench.ready(record, change.edits, spec=change.spec, scope=scope, on_drift=on_drift)
    assert ready.refused is None, ready.refused
    whole, whole_record, whole_events = await bench.replay(ready, "whole")

    goes: dict[str, RunRecord] = {}
    spared: Counter[bytes | None] = Counter()
    for run_id in ("go1", "go2"):
        _, _, events = await bench.replay(replace(ready, carried=made(goes)), run_id)
        kept, goes[run_id] = cut_off(rng, events, run_id)
        ok = {row.path for row in goes[run_id].steps if row.status == "ok"}
        spared += works(goes[run_id], executed(kept) & ok)
    last, last_record, events = await bench.replay(replace(ready, carried=made(goes)), "go3")

    assert works(last_record, executed(events)) + spared == works(whole_record, executed(whole_events))
    assert (last.status, last.output and last.output.json) == (whole.status, whole.output and whole.output.json)
    outputs, expected = (
        {row.path: (row.status == "skipped", row.output_hash) for row in one.steps}
        for one in (last_record, whole_record)
    )
    assert outputs == expected
    return spared.total()


@pytest.mark.parametrize("part", range(2))
async def test_a_replay_that_was_cut_off_runs_what_is_left_and_nothing_again(part: int) -> None:
    spared = 0
    for seed in range(part, CASES, 2):
        try:
            spared += await check_one(seed)
        except AssertionError as wrong:
            raise AssertionError(f"seed {seed}: {wrong}") from wrong
    assert spared > CASES // 4  # cutting off leaves something to take over
