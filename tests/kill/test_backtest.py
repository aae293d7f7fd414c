"""kill -9 in the middle of a backtest on the built-in model: gone on with, it repeats no call that was committed.

Six runs; `make test-kill`, which sets `KILLS`, takes fifty.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from chainlab import Lab
from chainlab.cli.show_backtest import say_backtest
from chainlab.lab.backtest import Backtest
from tests.kill.backtest_child import CONCURRENCY, zoo

RUNS = 50 if "KILLS" in os.environ else 6


def ask(database: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


ANSWERED = (
    "SELECT substr(r.batch_key, 1, 20), a.path FROM attempts a JOIN runs r ON r.id = a.run_id"
    " WHERE r.batch_id IS NOT NULL AND a.status = 'ok'"
)
CALLS = "SELECT count(*) FROM attempts a JOIN runs r ON r.id = a.run_id WHERE r.batch_id IS NOT NULL"


async def record(database: Path) -> None:
    """The runs that are tested."""
    async with Lab.open(database) as lab:
        await asyncio.gather(*(lab.run(zoo, place=f"island {n}") for n in range(RUNS)))


@pytest.mark.model
@pytest.mark.timeout(1200)
def test_a_backtest_that_is_killed_half_way_is_gone_on_with_and_repeats_nothing(tmp_path: Path) -> None:
    database = tmp_path / "t.db"
    asyncio.run(record(database))
    child = subprocess.Popen([sys.executable, "-m", "tests.kill.backtest_child", str(database), str(RUNS)])
    try:
        while len(ask(database, ANSWERED)) < RUNS and child.poll() is None:  # half of all calls
            time.sleep(0.02)
    finally:
        child.kill()
        child.wait()
    committed, sent = ask(database, ANSWERED), ask(database, CALLS)[0][0]
    assert len(committed) < 2 * RUNS, "it was over before it was killed"

    with Lab.open(database) as lab:
        cut = lab.batch("last")
        assert isinstance(cut, Backtest)
        assert (cut.status, cut.done < RUNS) == ("interrupted", True)
        found = lab.resume_batch_sync(cut.id, concurrency=CONCURRENCY)
        assert isinstance(found, Backtest)
        assert (found.status, found.done, len(found.rows)) == ("done", RUNS, RUNS)
    answered = ask(database, ANSWERED)
    assert len(answered) == len(set(answered)) == 2 * RUNS  # every call of every run was answered once
    assert set(committed) <= set(answered)
    calls = ask(database, CALLS)[0][0]
    assert calls - 2 * RUNS == sent - len(committed) <= CONCURRENCY  # only what was in flight was sent again

    with Lab.open(database) as lab:
        assert lab.resume_batch_sync(found.id) == found
    assert ask(database, CALLS)[0][0] == calls
    say_backtest(found)
    print(
        f"kill -9 of a backtest over {RUNS} runs: {len(committed)} calls committed, {sent - len(committed)} in flight"
    )
