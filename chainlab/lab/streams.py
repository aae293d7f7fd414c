"""A run as a stream of its events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from chainlab.events import Event
from chainlab.protocols import Journal
from chainlab.run import Run, RunStream

R = TypeVar("R")


class Listener:
    """Gets every event of a run, in order. Safe to call from the thread a backend reports from."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.events: asyncio.Queue[Event | None] = asyncio.Queue()

    def put(self, event: Event | None) -> None:
        """Hand an event on."""
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is self._loop:
            self.events.put_nowait(event)
        else:
            self._loop.call_soon_threadsafe(self.events.put_nowait, event)

    def beside(self, journal: Journal, hear: Callable[[Event], None] | None = None) -> Journal:
        """A journal that tells this listener too, and `hear` when it is given."""
        return _Both(journal, self.put if hear is None else _each(hear, self.put))


def _each(*told: Callable[[Event], None]) -> Callable[[Event], None]:
    def tell(event: Event) -> None:
        for one in told:
            one(event)

    return tell


class _Both:
    """A journal, and who is told beside it."""

    def __init__(self, journal: Journal, tell: Callable[[Event], None]) -> None:
        self._journal, self._tell = journal, tell

    def emit(self, event: Event) -> None:
        """Report to both."""
        self._journal.emit(event)
        self._tell(event)

    def durable(self, *, alone: bool = False) -> Awaitable[None]:
        """When the journal is."""
        return self._journal.durable(alone=alone)


def open_stream(start: Callable[[Listener], Coroutine[Any, Any, Run[R]]]) -> RunStream[R]:
    """A stream that starts its run when it is first iterated or awaited."""
    state: dict[str, Any] = {}

    def begin() -> tuple[Listener, asyncio.Task[Run[R]]]:
        if "task" not in state:
            listener = state["listener"] = Listener()
            task = state["task"] = asyncio.create_task(start(listener))
            task.add_done_callback(lambda _: listener.put(None))
        return state["listener"], state["task"]

    async def events() -> AsyncIterator[Event]:
        listener, task = begin()
        while not state.get("drained"):
            event = await listener.events.get()
            if event is None:
                state["drained"] = True
                break
            yield event
        if task.done() and not task.cancelled() and task.exception() is not None:
            raise task.exception() or RuntimeError()

    async def result() -> Run[R]:
        run: Run[R] = await begin()[1]
        return run

    async def close() -> None:
        task = state.get("task")
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait([task])

    return RunStream(events(), result, close)
