"""Sync Python steps run in daemon threads: a stuck one never holds up a cancelled run or the exit of the process."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from collections.abc import Callable
from typing import Any

_IDLE_S = 5.0
_jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
_idle = threading.Semaphore(0)


def _work() -> None:
    while True:
        _idle.release()
        try:
            job = _jobs.get(timeout=_IDLE_S)
        except queue.Empty:
            if _idle.acquire(blocking=False):
                return
            job = _jobs.get()  # somebody counted on this thread just now
        job()


async def in_thread(fn: Callable[..., Any], **kwargs: Any) -> Any:
    """Call `fn` in a thread. Cancelling abandons it: its result is discarded."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    def job() -> None:
        result = None
        error: BaseException | None = None
        try:
            result = context.run(fn, **kwargs)
        except StopIteration as stop:  # a future refuses it
            error = RuntimeError(f"StopIteration: {stop.value!r}")
        except BaseException as raised:
            error = raised
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:
            return  # the loop is closed: the run was abandoned

    if not _idle.acquire(blocking=False):
        threading.Thread(target=_work, name="chainlab-step", daemon=True).start()
        _idle.acquire()
    _jobs.put(job)
    return await future
