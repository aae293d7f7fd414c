"""Hears what a run says while it goes on: that it began, and each model call. Loads the lab: import it late."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chainlab.events import AttemptStarted, Event, RunStarted
from chainlab.lab.streams import Listener


class Ear(Listener):
    """Counts calls. `begun` is done when the run has begun; `called` gets the calls so far, each time."""

    def __init__(self, called: Callable[[int], None]) -> None:
        super().__init__()
        self.begun: asyncio.Future[None] = self._loop.create_future()
        self._called, self._calls = called, 0

    def put(self, event: Event | None) -> None:
        """Hear an event. What backends say of themselves comes from other threads, and is of no use here."""
        if isinstance(event, RunStarted) and not self.begun.done():
            self.begun.set_result(None)
        elif isinstance(event, AttemptStarted) and event.request is not None:
            self._calls += 1
            self._called(self._calls)
