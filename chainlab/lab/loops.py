"""Event loops for `run_sync`: one per calling thread, kept between calls.

A private thread where a loop runs already.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

R = TypeVar("R")
_GOODBYE_S = 1.0  # how long a cancelled run may take to say so before control goes back


class Runners:
    """The loops of one lab."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._private: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """Run to the end. Ctrl-C cancels the work, lets it write that, and raises KeyboardInterrupt."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._runner().run(work, context=contextvars.copy_context())
        return self._elsewhere(work)

    def _runner(self) -> asyncio.Runner:
        runner: asyncio.Runner | None = getattr(self._local, "runner", None)
        if runner is None:
            runner = self._local.runner = asyncio.Runner()
        return runner

    def _elsewhere(self, work: Coroutine[Any, Any, R]) -> R:
        """Run in the private loop thread, for notebooks."""
        future = asyncio.run_coroutine_threadsafe(work, self._private_loop())
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            concurrent.futures.wait([future], timeout=_GOODBYE_S)
            raise

    def _private_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._private is None:
                self._private = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._private.run_forever, name="chainlab-loop", daemon=True)
                self._thread.start()
            return self._private

    def close(self, goodbye: Callable[[], Awaitable[None]]) -> None:
        """Close backends where they were used, then the loops."""

        async def say() -> None:
            await goodbye()

        if self._private is not None:
            future = asyncio.run_coroutine_threadsafe(say(), self._private)
            concurrent.futures.wait([future], timeout=_GOODBYE_S)
            self._private.call_soon_threadsafe(self._private.stop)
            if self._thread is not None:
                self._thread.join(_GOODBYE_S)
            if not self._private.is_running():
                self._private.close()
            self._private = None
        runner: asyncio.Runner | None = getattr(self._local, "runner", None)
        if runner is not None:
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                runner.run(say())
                runner.close()
            self._local.runner = None
