"""How many calls a backend may have in flight. Shared by all runs of a lab; first come, first served."""

from __future__ import annotations

import asyncio
from collections import deque


class Limit:
    """Places at a backend. `take` gives one at once if there is one; else wait for `place`."""

    __slots__ = ("_free", "_waiting")

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Take a place if one is free."""
        if self._free > 0 and not self._waiting:
            self._free -= 1
            return True
        return False

    async def place(self) -> None:
        """Wait for a place and take it."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.give()
            raise

    def give(self) -> None:
        """Give a place back; the longest waiting gets it."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                return
        self._free += 1
