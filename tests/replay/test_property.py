"""Thousands of random chains, changed and replayed, against the brute-force model: exactly the right steps run."""

from __future__ import annotations

import pytest

from tests.replay.property import check_one

CASES = 4000
PARTS = 8


@pytest.mark.timeout(900)  # 20 s alone, minutes on a busy machine
@pytest.mark.parametrize("part", range(PARTS))
async def test_a_replay_runs_exactly_the_right_steps_and_gives_what_a_full_run_gives(part: int) -> None:
    kinds: dict[str, int] = {}
    for seed in range(part, CASES, PARTS):
        try:
            kind = await check_one(seed)
        except AssertionError as wrong:
            raise AssertionError(f"seed {seed}: {wrong}") from wrong
        kinds[kind] = kinds.get(kind, 0) + 1
    assert len(kinds) == 15, kinds  # every kind of change was made
