"""Thousands of random chains, changed, replayed, and some of their forks once more, against the brute-force model:
exactly the right steps run. `CASES` says how many (400; `make test-long` 4,000)."""

from __future__ import annotations

import os

import pytest

from tests.replay.property import check_one

CASES = int(os.environ.get("CASES", "400"))
PARTS = 2


@pytest.mark.timeout(900)  # 20 s alone, minutes on a busy machine
@pytest.mark.parametrize("part", range(PARTS))
async def test_a_replay_runs_exactly_the_right_steps_and_gives_what_a_full_run_gives(part: int) -> None:
    kinds = set()
    for seed in range(part, CASES, PARTS):
        try:
            kinds.add(await check_one(seed))
        except AssertionError as wrong:
            raise AssertionError(f"seed {seed}: {wrong}") from wrong
    once, twice = {kind.split(",")[0] for kind in kinds}, {kind for kind in kinds if "," in kind}
    assert len(once) == 16, once  # every kind of change was made
    assert len(twice) > 20, twice  # and one more on top of it
