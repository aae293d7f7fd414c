"""What changes need: a lab and a sandbox, opened with the first of them, and the work that goes on. One per server.

Nothing here is loaded when the inspector starts: reading traces needs none of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from chainlab.inspector.budget import Budget
from chainlab.inspector.refused import Refused
from chainlab.inspector.told import Teller
from chainlab.inspector.writing import Writing

if TYPE_CHECKING:
    from chainlab.lab.lab import Lab
    from chainlab.sandbox.limits import Limits
    from chainlab.sandbox.sandbox import Sandbox

T = TypeVar("T")

LAST_WORDS_S = 2.0  # how long work that is cut off by the server's end may take to say so
_REMEMBERED = 4096  # templates that the sandbox found sound


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a server may do for its page. `max_calls`: model calls in its life; `write`: it may patch source files."""

    replay: bool = True
    write: bool = False
    max_calls: int = 1000


class Workbench:
    """Holds what changes need. `open_lab` opens the lab on the server's own database; `limits` are the sandbox's.

    Used in one event loop.
    """

    def __init__(
        self, open_lab: Callable[[], Lab], allowed: Allowed | None = None, *, limits: Limits | None = None
    ) -> None:
        self.allowed = allowed if allowed is not None else Allowed()
        self.budget = Budget(self.allowed.max_calls)
        self.batches: dict[str, asyncio.Task[Any]] = {}
        self.sound: OrderedDict[bytes, None] = OrderedDict()
        self.writing = Writing()
        self._open_lab, self._limits = open_lab, limits
        self._lab: Lab | None = None
        self._sandbox: Sandbox | None = None
        self._teller = Teller()
        self._opening = threading.Lock()
        self._under_way: dict[str, tuple[object, asyncio.Task[Any]]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def lab(self) -> Lab:
        """The lab. Raises ConfigError, StoreError when it cannot be opened."""
        return await asyncio.to_thread(self._opened)

    def _opened(self) -> Lab:
        with self._opening:
            if self._lab is None:
                lab = self._lab = self._open_lab()
                places = {lab.store.path.absolute().parent: "(the database's folder)", lab.config.root: "."}
                self._teller = Teller(places, lab.models.secrets())
                self.writing.hide(lab.models.secrets())
                lab.overhear(self.writing.hear)
            return self._lab

    @property
    def sandbox(self) -> Sandbox:
        """Where templates of the page are looked at and rendered."""
        if self._sandbox is None:
            from chainlab.sandbox.sandbox import Sandbox

            self._sandbox = Sandbox(self._limits)
        return self._sandbox

    def told(self, words: str) -> str:
        """Words of an error, fit for the page."""
        return self._teller.text(words)

    def remember(self, template: bytes) -> None:
        """Note that the sandbox found a template sound, under a hash of all that it looked at."""
        self.sound[template] = None
        if len(self.sound) > _REMEMBERED:
            self.sound.popitem(last=False)

    # -- work that goes on ---------------------------------------------------------------------------------------------

    async def once(self, key: str, asked: object, work: Callable[[], Coroutine[Any, Any, T]]) -> tuple[T, bool]:
        """Do something, and whether it was this request that did: one that repeats another's key waits for that one.

        Goes on when the request is given up. Raises as the work; Refused when the key is that of another request.
        """
        known = self._under_way.get(key)
        if known is None:
            task = self.keep(work())
            self._under_way[key] = asked, task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        elif known[0] != asked:
            raise key_used()
        else:
            task = known[1]
        try:
            return await asyncio.shield(task), known is None
        except asyncio.CancelledError:
            if task.cancelled():
                raise closing() from None
            raise

    def keep(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin work that goes on without the request that asked for it. Raises Refused when the server ends."""
        if self._closed:
            work.close()
            raise closing()
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits is told; what was recorded says it, too

    async def aclose(self) -> None:
        """Cancel what goes on, let it write that, and let go of everything."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=LAST_WORDS_S)
        if self._sandbox is not None:
            await self._sandbox.aclose()
        if self._lab is not None:
            with contextlib.suppress(Exception):
                await self._lab.models.aclose()
            self._lab.close()


def key_used() -> Refused:
    """An idempotency key came twice, with two requests."""
    return Refused(409, "key_used", "Another request had this idempotency key; take a fresh one for each.")


def closing() -> Refused:
    """The server ends."""
    return Refused(503, "closing", "The inspector is ending.")
