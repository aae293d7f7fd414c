"""What is handed on is committed first: steps, and the run itself."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chainlab import Lab, Request, chain, each, fill, prompt
from chainlab.errors import TraceWriteError
from chainlab.events import Event, RunFinished, StepFinished

Open = Callable[[Callable[[Request], Any]], Lab]


class SlowJournal:
    """A journal whose commits take a while, each covering what was emitted when it was asked for."""

    def __init__(self, seed: int) -> None:
        self.events: list[Event] = []
        self.committed = 0
        self._random = random.Random(seed)

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def durable(self, *, alone: bool = False) -> Awaitable[None]:
        return self._commit(len(self.events))

    async def _commit(self, upto: int) -> None:
        await asyncio.sleep(self._random.random() * 0.005)
        self.committed = max(self.committed, upto)


@prompt("a {{ text }}")
def first(text: str) -> str:
    return fill()


@prompt("b {{ text }}")
def second(text: str) -> str:
    return fill()


@chain
def wide(texts: list[str]) -> list[str]:
    return each(texts, lambda text: second(first(text)))


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_handed_on_before_it_is_committed(open_lab: Open, seed: int) -> None:
    journal = SlowJournal(seed)

    def reply(request: Request) -> str:
        if request.step.startswith("second"):
            made = f"first{request.step.removeprefix('second')}"
            safe = journal.events[: journal.committed]
            assert any(isinstance(e, StepFinished) and e.path == made for e in safe), f"{made} is not safe yet"
        return request.step

    lab = open_lab(reply)
    lab.store.journal = lambda: journal  # type: ignore[method-assign,assignment,return-value]
    run = lab.run_sync(wide, [str(n) for n in range(8)])
    assert run.status == "ok"
    assert isinstance(journal.events[-1], RunFinished)
    assert journal.committed == len(journal.events)


class FullDisk(SlowJournal):
    """A journal that cannot write any more after a few commits."""

    async def _commit(self, upto: int) -> None:
        await super()._commit(upto)
        if upto > 10:
            raise TraceWriteError("no space left", remedy="make room")


def test_a_trace_that_cannot_be_written_stops_the_run(open_lab: Open) -> None:
    lab = open_lab(lambda request: request.step)
    lab.store.journal = lambda: FullDisk(1)  # type: ignore[method-assign,assignment,return-value]
    with pytest.raises(TraceWriteError):
        lab.run_sync(wide, [str(n) for n in range(8)])
