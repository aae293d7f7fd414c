"""What the work costs without chainlab: a DAG executor; `floor_dag_logged`, the same with a log that nobody waits for.

`execute` runs one task per branch and counts in-degrees. `LoggedLog` puts one row per step into an unbounded queue (the
idea of the kit's baseline). `floor_durable.py` has the log that is waited for.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.benchmarks.workload import prompt_of

Model = Callable[[str], Awaitable[str]]


class Log(Protocol):
    """What the executor tells."""

    def run_started(self, run: int, text: Any) -> None: ...
    def started(self, run: int, step: int, text: str) -> None: ...
    def finished(self, run: int, step: int, text: str, reply: str, began: int) -> None: ...
    def run_finished(self, run: int, output: Any, steps: int) -> None: ...
    def durable(self) -> Awaitable[None] | None: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Dag:
    """Steps by number; `needs` their upstreams. `joins`: the last step, which only gathers."""

    needs: Sequence[Sequence[int]]
    feeds: Sequence[Sequence[int]]
    joins: int | None = None

    @classmethod
    def chain(cls, n: int) -> Dag:
        """Every step takes the output of the one before."""
        return cls([[i - 1] if i else [] for i in range(n)], [[i + 1] if i + 1 < n else [] for i in range(n)])

    @classmethod
    def fan(cls, n: int) -> Dag:
        """All steps take the input; the last one gathers."""
        return cls([*([] for _ in range(n)), list(range(n))], [*([n] for _ in range(n)), []], n)


async def execute(dag: Dag, log: Log, model: Model, run: int, inputs: Sequence[str]) -> Any:
    """Run a DAG. A step begins when its upstreams are done and, if the log asks for that, when they are written."""
    return await _Execution(dag, log, model, run, inputs).go()


class _Execution:
    def __init__(self, dag: Dag, log: Log, model: Model, run: int, inputs: Sequence[str]) -> None:
        self.dag, self.log, self.model, self.run, self.inputs = dag, log, model, run, inputs
        self.out: list[Any] = [None] * len(dag.needs)
        self.missing = [len(needs) for needs in dag.needs]

    async def go(self) -> Any:
        dag, log = self.dag, self.log
        first = [step for step, needs in enumerate(dag.needs) if not needs]
        log.run_started(self.run, self.inputs[0] if dag.joins is None else self.inputs)
        for step in first:
            log.started(self.run, step, self.inputs[step])
        await self.written()
        async with asyncio.TaskGroup() as self.tasks:
            for step in first:
                self.tasks.create_task(self.branch(step))
        return self.out[-1]

    async def branch(self, step: int) -> None:
        """A step, and then the first of what it makes ready; the others get tasks of their own."""
        dag, log, out = self.dag, self.log, self.out
        while True:
            began = time.monotonic_ns()
            text = self.text_of(step)
            out[step] = await self.model(prompt_of(text))
            log.finished(self.run, step, text, out[step], began)
            ready = self.ready_after(step)
            last = not dag.feeds[step]
            if ready and ready[0] == dag.joins:
                out[dag.joins] = [out[need] for need in dag.needs[dag.joins]]
                last = True
            if last:
                log.run_finished(self.run, out[-1], len(out) - (dag.joins is not None))
                await self.written()
                return
            if not ready:
                return  # nothing is handed on: whoever hands on waits for this, too
            for other in ready:
                log.started(self.run, other, self.text_of(other))
            await self.written()
            for other in ready[1:]:
                self.tasks.create_task(self.branch(other))
            step = ready[0]

    def ready_after(self, step: int) -> list[int]:
        ready = []
        for other in self.dag.feeds[step]:
            self.missing[other] -= 1
            if not self.missing[other]:
                ready.append(other)
        return ready

    def text_of(self, step: int) -> str:
        needs = self.dag.needs[step]
        text: str = self.out[needs[0]] if needs else self.inputs[step]
        return text

    async def written(self) -> None:
        waiting = self.log.durable()
        if waiting is not None:
            await waiting


class NoLog:
    """Nothing is kept."""

    def run_started(self, run: int, text: Any) -> None:
        """Nothing."""

    def started(self, run: int, step: int, text: str) -> None:
        """Nothing."""

    def finished(self, run: int, step: int, text: str, reply: str, began: int) -> None:
        """Nothing."""

    def run_finished(self, run: int, output: Any, steps: int) -> None:
        """Nothing."""

    def durable(self) -> None:
        """Nobody waits."""

    def flush(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class LoggedLog(NoLog):
    """One row per step to a queue; a thread writes what has come. Nobody waits: a crash loses the tail."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: queue.SimpleQueue[tuple[Any, ...] | threading.Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def finished(self, run: int, step: int, text: str, reply: str, began: int) -> None:
        """The step, its prompt and its reply."""
        took = time.monotonic_ns() - began
        self._queue.put((run, step, f"step{step}", "fake", "ok", time.time_ns(), took, prompt_of(text), reply))

    def flush(self) -> None:
        """Wait until everything said so far is written."""
        written = threading.Event()
        self._queue.put(written)
        written.wait()

    def close(self) -> None:
        """Write the rest."""
        self._queue.put(None)
        self._thread.join()

    def _write(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")
        connection.execute("create table step(run, i, name, model, status, began, took, prompt, reply)")
        connection.execute("create index step_run on step(run)")
        last: tuple[Any, ...] | threading.Event | None = ()
        while last is not None:
            rows = []
            last = self._queue.get()
            while isinstance(last, tuple):
                rows.append(last)
                if len(rows) == 2000 or self._queue.empty():
                    break
                last = self._queue.get()
            connection.execute("begin")
            connection.executemany("insert into step values (?,?,?,?,?,?,?,?,?)", rows)
            connection.execute("commit")
            if isinstance(last, threading.Event):
                last.set()
        connection.close()
