"""Waiting for a state instead of for a time. The limit is one that only a broken program reaches. Knows no test."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

LIMIT_S = 60.0
"""Longer than anything here takes on the slowest and busiest machine."""


def until(condition: Callable[[], object], what: str) -> None:
    """Look until the condition holds. Fails after a minute, naming what did not come."""
    give_up = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < give_up, f"{what}: not within {LIMIT_S:g} s"
        time.sleep(0.005)


async def turns_until(condition: Callable[[], object], what: str) -> int:
    """Leave the event loop to others until the condition holds; how many turns that took."""
    give_up = time.monotonic() + LIMIT_S
    turns = 0
    while not condition():
        assert time.monotonic() < give_up, f"{what}: not within {LIMIT_S:g} s"
        await asyncio.sleep(0.001)
        turns += 1
    return turns


class _Waiter(selectors.DefaultSelector):
    """A selector that lets the clock jump instead of waiting."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(None if timeout is None else 0)
        if not ready and timeout is not None:
            self.skipped += timeout
        return ready


class _Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock moves only when nothing is left to do before the next timer."""

    def __init__(self) -> None:
        self._waiter = _Waiter()
        super().__init__(self._waiter)

    def time(self) -> float:
        return self._waiter.skipped


def on_a_still_clock(work: Coroutine[Any, Any, T]) -> T:
    """Run without waiting: every `sleep` and `timeout` ends in its order and at its exact time, on any machine.

    For work that waits for timers only: a socket or a thread would be overtaken by the clock.
    """
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)
