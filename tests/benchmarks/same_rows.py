"""Whether `floor_dag_durable` really writes what chainlab writes: both run once, and their tables are compared."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from itertools import count
from pathlib import Path
from typing import Any, get_args

from tests.benchmarks import workload
from tests.benchmarks.subjects import Shape, subject

_STEPS = 40
_COMPARED = {
    "runs": "chain, status, kind, output_hash, output_text, spec_hash IS NOT NULL, inputs_hash, steps_total, steps_ok",
    "steps": "path, step, kind, sort, status, model, backend, length(reuse_key), output_hash, output_text, attempts",
    "step_inputs": "path, name, hash, value_text, from_path, from_field",
    "attempts": "path, n, reason, status, backend, model, request_hash, request_text, response_hash,"
    " response_text, finish_reason",
    "payloads": "hash, codec, size, body",
}


def compare() -> str:
    """Compare chain and fan-out. Raises AssertionError with the first difference."""
    rows = 0
    for shape in get_args(Shape):
        ours, floor = (_rows(name, shape) for name in ("chainlab", "floor_dag_durable"))
        for table in _COMPARED:
            assert len(ours[table]) == len(floor[table]), (shape, table, len(ours[table]), len(floor[table]))
            for one, other in zip(ours[table], floor[table], strict=True):
                assert one == other, f"{shape}, {table}:\n{one}\n{other}"
            rows += len(ours[table])
    return f"checked: {rows} rows of five tables are equal"


def _rows(name: str, shape: Shape) -> dict[str, list[Any]]:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_run(name, shape, Path(folder)))
        file = next(Path(folder).glob("*.db"))
        connection = sqlite3.connect(file)
        found = {
            table: connection.execute(f"SELECT {columns} FROM {table} ORDER BY {columns}").fetchall()
            for table, columns in _COMPARED.items()
        }
        connection.close()
        return found


async def _run(name: str, shape: Shape, folder: Path) -> None:
    workload.numbers = count()  # the same replies for both
    made = subject(name, shape, _STEPS, folder, 0.0)
    await made.run()
    made.close()


if __name__ == "__main__":
    print(compare())
