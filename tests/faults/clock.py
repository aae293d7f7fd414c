"""An event loop for long waits on real sockets: when nothing happens for a moment, its clock jumps to the next timer.

Its time runs as the real one does, and then some. Knows no test.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

QUIET_S = 0.02
"""Silence after which nothing more is expected before the next timer: loopback and a commit take less."""


class _Waiter(selectors.DefaultSelector):
    skipped = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None or timeout <= QUIET_S:
            return super().select(timeout)
        ready = super().select(QUIET_S)
        if not ready:
            self.skipped += timeout - QUIET_S
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._waiter = _Waiter()
        super().__init__(self._waiter)

    def time(self) -> float:
        return super().time() + self._waiter.skipped


def on_a_leaping_clock(work: Coroutine[Any, Any, T]) -> T:
    """Run: a wait of an hour takes a moment, in the order in which it would."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work)
