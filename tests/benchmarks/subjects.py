"""The subjects that run in chainlab's own environment: chainlab itself and the floors, all doing the same work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

from tests.benchmarks import floors, workload
from tests.benchmarks.floor_durable import DurableLog

Shape = Literal["chain", "fan"]
SUBJECTS = ("chainlab", "floor_dag", "floor_dag_logged", "floor_dag_durable")


@dataclass(frozen=True)
class Subject:
    """Something to measure: one run, what must be waited for after many, and the end."""

    run: Callable[[], Awaitable[Any]]
    flush: Callable[[], None]
    close: Callable[[], None]


def inputs_of(shape: Shape, n: int) -> list[str]:
    """The texts that the first steps get."""
    return ["hello"] * n if shape == "chain" else [f"{i:05d} what the step of this number is asked" for i in range(n)]


def subject(name: str, shape: Shape, n: int, folder: Path, seconds: float) -> Subject:
    """Build a subject by name."""
    if name == "chainlab":
        return _chainlab(shape, n, folder, seconds)
    dag = floors.Dag.chain(n) if shape == "chain" else floors.Dag.fan(n)
    log = _log(name, shape, n, folder)
    texts, numbers, model = inputs_of(shape, n), count(), workload.model(seconds)
    return Subject(lambda: floors.execute(dag, log, model, next(numbers), texts), log.flush, log.close)


def _log(name: str, shape: Shape, n: int, folder: Path) -> floors.Log:
    match name:
        case "floor_dag":
            return floors.NoLog()
        case "floor_dag_logged":
            return floors.LoggedLog(folder / "log.db")
        case "floor_dag_durable":
            from chainlab.store.migrate import ensure

            ensure(folder / "floor.db")
            return DurableLog(folder / "floor.db", chain_of(shape, n).spec.payload.body, fan=shape == "fan")
        case _:
            raise ValueError(name)


def chain_of(shape: Shape, n: int) -> Any:
    """The chain of a shape."""
    from tests.benchmarks import chains

    return chains.line(n) if shape == "chain" else chains.fan


def _chainlab(shape: Shape, n: int, folder: Path, seconds: float) -> Subject:
    from chainlab import Lab, Request, ScriptedBackend

    texts = inputs_of(shape, n)
    chain = chain_of(shape, n)
    inputs: dict[str, str | Sequence[str]] = {"text": texts[0]} if shape == "chain" else {"texts": texts}
    model = workload.model(seconds)

    def reply(request: Request) -> str | Awaitable[str]:
        backend.requests.clear()  # the script keeps what it was asked; that is not the engine's memory
        return model("") if seconds else workload.answer()

    backend = ScriptedBackend(reply)
    lab = Lab.open(folder / "traces.db", default_model=backend)

    async def run() -> Any:
        return (await lab.run(chain, **inputs)).output

    return Subject(run, lambda: None, lab.close)
