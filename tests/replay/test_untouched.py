"""Random replays on a real database: not a byte of the run that is replayed, nor of any other, is written to."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chainlab.errors import ChainError
from chainlab.store.store import Store
from tests.replay.chains import random_chain
from tests.replay.changes import random_change
from tests.replay.memory import Bench
from tests.replay.property import SCOPES

CASES = 60

_TABLES = {
    "runs": "id",
    "run_tags": "run_id",
    "steps": "run_id",
    "step_inputs": "run_id",
    "attempts": "run_id",
}


def rows_of(connection: sqlite3.Connection, run_id: str) -> dict[str, list[Any]]:
    """Every row of a run, every column of it, and the payloads that they name."""
    found = {
        table: connection.execute(f"SELECT * FROM {table} WHERE {key} = ? ORDER BY 1, 2", (run_id,)).fetchall()
        for table, key in _TABLES.items()
    }
    named = {value for rows in found.values() for row in rows for value in row if isinstance(value, bytes)}
    found["payloads"] = [
        row
        for name in sorted(named)
        for row in connection.execute("SELECT hash, codec, size, body FROM payloads WHERE hash = ?", (name,))
    ]
    return found


async def generations(rng: random.Random, bench: Bench, run_id: str) -> AsyncIterator[str]:
    """A run, a fork of it, a fork of the fork: the id of each once it has ended."""
    spec = random_chain(rng)
    inputs = {"text": "hello " * 40, "items": [rng.choice("abc") for _ in range(rng.randint(0, 4))]}
    _, record = await bench.run(spec, inputs, run_id)
    yield run_id
    for name in "ab":
        change = random_change(rng, spec, record)
        on_drift = "refuse" if change.spec == spec else "rerun"
        try:
            ready = bench.ready(record, change.edits, spec=change.spec, scope=rng.choice(SCOPES), on_drift=on_drift)
        except ChainError as refused:
            assert refused.code == "bad-edit"  # of one item, where the output of all is set by hand
            return
        assert ready.refused is None, ready.refused
        _, record, _ = await bench.replay(ready, run_id + name)
        spec = ready.plan.spec
        yield run_id + name


@pytest.mark.parametrize("part", range(2))
async def test_no_byte_of_an_earlier_run_is_written_to(tmp_path: Path, part: int) -> None:
    path = tmp_path / "traces.db"
    with Store.open(path, project="") as store, sqlite3.connect(path) as connection:
        before: dict[str, dict[str, list[Any]]] = {}
        for seed in range(part, CASES, 2):
            first = f"{seed:019d}"
            async for run_id in generations(random.Random(seed), Bench(beside=store.journal()), first):
                for other in (first, f"{first}a"):
                    assert before.get(other) in (None, rows_of(connection, other)), f"seed {seed}: {other}"
                before[run_id] = rows_of(connection, run_id)
        assert len(before) > CASES
        assert all(rows["steps"] and rows["payloads"] for rows in before.values())
        assert all(rows_of(connection, run_id) == rows for run_id, rows in before.items())
    connection.close()
