"""How long a reply may take, part by part: to connect, to the first token, between two tokens, in all.

Only what the model writes moves the clock between tokens: a server that sends pings and no token is silent.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

from chainlab.errors import BackendError

Kind = Literal["connect", "first-token", "between-tokens", "total"]


@dataclass(frozen=True, slots=True)
class Clocks:
    """Limits in seconds. `total` holds for one call, from sending it to the last of its reply."""

    connect: float = 5.0
    first_token: float = 60.0
    between_tokens: float = 30.0
    total: float = 600.0


class Watch:
    """The clocks of one call, as an async context: what runs out of one ends in a BackendError that names it.

    `streams`: tokens come one by one; otherwise there is only the whole.
    """

    def __init__(self, clocks: Clocks, backend: str, *, streams: bool) -> None:
        self._clocks, self._backend, self._streams = clocks, backend, streams
        self._tokens = 0
        self._began = time.monotonic_ns()
        self._end = 0.0
        self._timeout = asyncio.timeout(None)
        self.ttft_us: int | None = None

    async def __aenter__(self) -> Watch:
        now = asyncio.get_running_loop().time()
        self._end = now + self._clocks.total
        first = now + self._clocks.first_token if self._streams else self._end
        self._timeout = asyncio.timeout_at(min(first, self._end))
        await self._timeout.__aenter__()
        return self

    def token(self) -> None:
        """The model wrote something."""
        if self.ttft_us is None:
            self.ttft_us = (time.monotonic_ns() - self._began) // 1000
        self._tokens += 1
        self._timeout.reschedule(min(asyncio.get_running_loop().time() + self._clocks.between_tokens, self._end))

    def whole(self) -> None:
        """The reply comes in one piece after all."""
        self._timeout.reschedule(self._end)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError as ran_out:
            raise self._ran_out() from ran_out

    def _ran_out(self) -> BackendError:
        if not self._streams or asyncio.get_running_loop().time() >= self._end:
            return timed_out(self._backend, "total", self._clocks)
        return timed_out(self._backend, "between-tokens" if self._tokens else "first-token", self._clocks)


def timed_out(backend: str, kind: Kind, clocks: Clocks, body: str | None = None) -> BackendError:
    """The error of a clock that ran out."""
    said = {
        "connect": (f"no connection to {backend} within {clocks.connect:g} s", "connect_timeout"),
        "first-token": (f"{backend} wrote nothing within {clocks.first_token:g} s", "first_token_timeout"),
        "between-tokens": (f"{backend} stopped writing for {clocks.between_tokens:g} s", "token_timeout"),
        "total": (f"{backend} was not done within {clocks.total:g} s", "timeout"),
    }
    message, key = said[kind]
    remedy = f"raise {key} under [backends.{backend}], or lower the load"
    if kind == "connect":
        remedy = f"check that a server answers there, or raise {key} under [backends.{backend}]"
    return BackendError(
        message,
        code=f"timeout-{kind}",
        retryable=kind != "total",
        body=body,
        remedy=remedy,
    )
