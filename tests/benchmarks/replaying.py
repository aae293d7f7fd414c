"""What a replay costs: thinking it through, and reusing 999 of 1,000 steps; against the run itself, instant model."""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

from chainlab import Edit, Lab, Request, ScriptedBackend
from tests.benchmarks import workload
from tests.benchmarks.report import SCRATCH, number, table, verdict
from tests.benchmarks.subjects import Shape, chain_of, inputs_of

_N = 1000
_ROUNDS = 5
_SHAPES: tuple[tuple[Shape, str, str], ...] = (
    ("chain", f"chain of {_N}", f"ask~{_N}"),
    ("fan", f"fan-out of {_N}", f"ask[{_N - 1}]"),
)
_GOAL = 1.0  # a replay that calls nothing should not cost more than the run with a model that takes no time


def section(rounds: int = _ROUNDS) -> str:
    """Measure; the section of the report."""
    rows, goals = [], []
    for shape, title, last in _SHAPES:
        found = asyncio.run(_measure(shape, last, rounds))
        run = found["the run itself"]
        for name, (cpu, wall) in found.items():
            rows.append([title, name, number(cpu * 1e3), number(wall * 1e3), number(cpu / run[0], 2)])
        ratio = found["replay that reuses 999"][0] / run[0]
        goals.append([title, number(ratio, 2), f"<= {_GOAL}", verdict(ratio, _GOAL)])
    return "\n\n".join(
        [
            "## Replay",
            f"{rounds} rounds in one process, medians, ms for {_N:,} steps; CPU of all threads. The edit is of the last"
            " step, or of the last item: the rest is reused. The plan reads the record, and the replay does both.",
            table(["shape", "what", "CPU ms", "wall ms", "CPU, of the run's"], rows),
            table(["shape", "CPU, replay / run", "goal", ""], goals),
        ]
    )


async def _measure(shape: Shape, last: str, rounds: int) -> dict[str, tuple[float, float]]:
    """Seconds of CPU and of the clock, by what was done."""
    texts = inputs_of(shape, _N)
    inputs: dict[str, Any] = {"text": texts[0]} if shape == "chain" else {"texts": texts}

    def reply(request: Request) -> str:
        backend.requests.clear()  # the script keeps what it was asked; that is not the engine's memory
        return workload.answer()

    backend = ScriptedBackend(reply)
    edit = Edit(step=last, seed=1)
    with (
        tempfile.TemporaryDirectory(dir=SCRATCH) as folder,
        Lab.open(Path(folder) / "traces.db", default_model=backend) as lab,
    ):
        chain = chain_of(shape, _N)
        run = await lab.run(chain, **inputs)

        async def record() -> None:
            assert lab.reader.record(run.id) is not None

        async def plan() -> None:
            assert lab.plan_replay(run, edits=[edit]).plan.calls == 1

        async def again() -> None:
            await lab.run(chain, **inputs)

        async def replay() -> None:
            assert (await lab.replay(run, edits=[edit])).status == "ok"

        works: dict[str, Callable[[], Awaitable[None]]] = {
            "the run itself": again,
            "reading the record": record,
            "`plan_replay`": plan,
            "replay that reuses 999": replay,
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
        for _ in range(rounds + 1):  # the first is for the caches
            for name, work in works.items():
                gc.collect()
                cpu, wall = time.process_time(), time.perf_counter()
                await work()
                taken[name].append((time.process_time() - cpu, time.perf_counter() - wall))
    return {name: (median(c for c, _ in all_[1:]), median(w for _, w in all_[1:])) for name, all_ in taken.items()}


if __name__ == "__main__":
    SCRATCH.mkdir(exist_ok=True)
    print(section())
