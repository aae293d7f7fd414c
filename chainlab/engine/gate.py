"""The gate to a backend: how many calls may be in flight, how many a minute, and when none may. Shared by all runs of
a lab; first come, first served.

A backend that answers "too many requests" is paused for everybody, not for the step that asked. Retries draw on a
budget that calls fill: a backend that is down is not asked four times as often for it.
"""

from __future__ import annotations

import asyncio
from collections import deque

from chainlab.protocols import Limits

_MINUTE = 60.0
_RETRY_CALLS = 5  # that pay for one retry
_RETRY_START = 10 * _RETRY_CALLS  # paid for from the beginning
_RETRY_MOST = 100 * _RETRY_CALLS


class Gate:
    """Places at a backend. `take` gives one at once if there is one; else wait for `place`."""

    __slots__ = (
        "_free", "_limits", "_paused_until", "_requests", "_retries", "_timed", "_timer", "_tokens", "_waiting",
    )  # fmt: skip

    def __init__(self, places: int, limits: Limits | None = None) -> None:
        self._free = places
        self._limits = limits or Limits()
        self._timed = self._limits != Limits()
        self._paused_until = 0.0
        self._requests: deque[float] = deque()  # when those of the last minute were sent
        self._tokens: deque[tuple[float, int]] = deque()  # and how many tokens they took
        self._retries = _RETRY_START
        self._waiting: deque[tuple[asyncio.Future[None], int]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def timed(self) -> bool:
        """Whether the number of tokens matters: then callers say how many they expect."""
        return self._timed

    def take(self, tokens: int = 0) -> bool:
        """Take a place if one is free. `tokens`: how many the call is expected to take."""
        held_up = self._timed or self._paused_until
        if self._free > 0 and not self._waiting and (not held_up or self._wait_s(tokens) <= 0):
            self._free -= 1
            self._note(tokens)
            return True
        return False

    async def place(self, tokens: int = 0) -> None:
        """Wait for a place and take it."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((future, tokens))
        self._pump()
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.give()
            raise

    async def again(self, tokens: int = 0) -> None:
        """Wait until who holds a place may call once more."""
        while (wait := self._wait_s(tokens)) > 0:  # noqa: ASYNC110  # it is the clock that is waited for
            await asyncio.sleep(wait)
        self._note(tokens)

    def give(self) -> None:
        """Give a place back; the longest waiting gets it."""
        self._free += 1
        if self._waiting:
            self._pump()

    def pause(self, seconds: float) -> None:
        """Let nobody call for so long: the backend asked for it."""
        self._paused_until = max(self._paused_until, asyncio.get_running_loop().time() + seconds)

    def may_retry(self) -> bool:
        """Take one of the retries that are left. False: there is none, and trying again would only add to the load."""
        if self._retries < _RETRY_CALLS:
            return False
        self._retries -= _RETRY_CALLS
        return True

    def used(self, expected: int, tokens: int) -> None:
        """Note what a call really took."""
        if self._timed and tokens > expected:
            self._tokens.append((asyncio.get_running_loop().time(), tokens - expected))

    def _note(self, tokens: int) -> None:
        if self._retries < _RETRY_MOST:
            self._retries += 1
        if self._timed:
            now = asyncio.get_running_loop().time()
            self._requests.append(now)
            self._tokens.append((now, tokens))

    def _pump(self) -> None:
        while self._waiting and self._free > 0:
            future, tokens = self._waiting[0]
            if future.done():
                self._waiting.popleft()
                continue
            wait = self._wait_s(tokens)
            if wait > 0:
                if self._timer is not None:
                    self._timer.cancel()
                self._timer = asyncio.get_running_loop().call_later(wait, self._pump)
                return
            self._waiting.popleft()
            self._free -= 1
            self._note(tokens)
            future.set_result(None)

    def _wait_s(self, tokens: int) -> float:
        """How long before a call of so many tokens may be made; 0: now."""
        if not self._timed and not self._paused_until:
            return 0.0
        now = asyncio.get_running_loop().time()
        wait = self._paused_until - now
        if self._timed:
            wait = max(wait, self._rate_wait(now, tokens))
        elif wait <= 0:
            self._paused_until = 0.0
        return wait

    def _rate_wait(self, now: float, tokens: int) -> float:
        while self._requests and self._requests[0] <= now - _MINUTE:
            self._requests.popleft()
        while self._tokens and self._tokens[0][0] <= now - _MINUTE:
            self._tokens.popleft()
        wait = 0.0
        calls, most = self._limits.requests_per_minute, self._limits.tokens_per_minute
        if calls is not None and len(self._requests) >= calls:
            wait = self._requests[0] + _MINUTE - now
        if most is not None and self._tokens and sum(count for _, count in self._tokens) + tokens > most:
            wait = max(wait, self._tokens[0][0] + _MINUTE - now)
        return wait
