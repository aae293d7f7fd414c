"""Blocking work off the event loop, in threads that nobody waits for. Knows nothing of what the work is.

`asyncio.to_thread` would do, were it not that its threads are joined at exit: a model in the middle of a long prompt
would hold up Ctrl-C for as long as that takes.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")

Post: TypeAlias = Callable[..., None]
"""Calls a function on the event loop that waits for the work; does nothing once nobody waits any more."""


async def off_loop(work: Callable[[threading.Event, Post], T], name: str) -> T:
    """Run `work(abandoned, post)` in a daemon thread. Cancelling sets `abandoned` and leaves at once."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    abandoned = threading.Event()

    def post(call: Callable[..., Any], *args: Any) -> None:
        def unless_abandoned() -> None:
            if not future.done():
                call(*args)

        try:
            loop.call_soon_threadsafe(unless_abandoned)
        except RuntimeError:  # the loop is closed: whoever waited has gone
            abandoned.set()

    def run() -> None:
        try:
            result = work(abandoned, post)
        except BaseException as error:
            post(future.set_exception, error)
        else:
            post(future.set_result, result)

    threading.Thread(target=run, name=name, daemon=True).start()
    try:
        return await future
    except asyncio.CancelledError:
        abandoned.set()
        raise
