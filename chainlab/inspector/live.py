"""One look at the store for all open pages: what has changed in it, told to each of them. Knows no route and no SQL.

The look begins with the first page and ends with the last. A page that does not read costs no memory: what it has not
taken is one `Moved`, of a limited size, and places in texts that are held once.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time

from chainlab.inspector.live_models import Moved, MovedRun, Written
from chainlab.inspector.refused import Refused
from chainlab.inspector.workbench import closing
from chainlab.inspector.writing import Key, Writing
from chainlab.trace import Changed, TraceReader

MOST_RUNS = 256  # named in one frame; with more, a page asks for all that it shows
MOST_LISTENERS = 256
SOON_S, LATER_S = 0.1, 0.5  # between two looks: while something moves, and at most
LOST_S = 2.0  # between two looks at whether processes are gone

log = logging.getLogger("chainlab.inspector")

_MARK = re.compile(r"(?:([0-9a-z]{1,40}):([0-9]{1,18}):)?([0-9]{1,18})")


class Listener:
    """One open page: what it has not been told yet."""

    def __init__(self, writing: Writing, first: Moved) -> None:
        self._writing = writing
        self._moved: Moved | None = first
        self._written: dict[Key, tuple[int, int]] = {}
        self._news = asyncio.Event()
        self._news.set()
        self._over = False

    def put(self, moved: Moved) -> None:
        """Note what has changed."""
        self._moved = moved if self._moved is None else merged(self._moved, moved)
        self._news.set()

    def stir(self) -> None:
        """A model has written something."""
        self._news.set()

    def end(self) -> None:
        """There will be nothing more."""
        self._over = True
        self._news.set()

    async def take(self, patience: float) -> list[Moved | Written] | None:
        """All news, waited for so many seconds (then: none). None: it is over."""
        try:
            async with asyncio.timeout(patience):
                await self._news.wait()
        except TimeoutError:
            return []
        if self._over:
            return None
        moved, self._moved = self._moved, None
        written, more = self._writing.news(self._written)
        if not more:
            self._news.clear()
        return [*(() if moved is None else (moved,)), *written]


class Live:
    """The look at one store, and who is told. Used in one event loop."""

    def __init__(self, reader: TraceReader, writing: Writing | None = None) -> None:
        self._reader = reader
        self._writing = Writing() if writing is None else writing
        self._writing.told = self._stir
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._at: Changed | None = None  # what everybody who listens has been told
        self._lost: frozenset[str] = frozenset()
        self._looking = asyncio.Lock()  # a page that joins must be told exactly what the next look will not tell it
        self._closed = False

    @property
    def listening(self) -> int:
        """How many pages listen."""
        return len(self._listeners)

    @property
    def looks(self) -> bool:
        """Whether anybody looks at the store."""
        return self._task is not None

    def name(self, change: int) -> str:
        """A change number with the store it is of: what a page says where it was."""
        return "" if self._at is None else f"{self._at.store}:{self._at.epoch}:{change}"

    async def join(self, after: str | None) -> Listener:
        """Listen from where a page was, as `name` told it; None: it knows nothing. `leave` must follow.

        Raises Refused, StoreError.
        """
        if self._closed:
            raise closing()
        if len(self._listeners) >= MOST_LISTENERS:
            raise Refused(503, "too_many_pages", f"{MOST_LISTENERS} pages listen already; close some.")
        async with self._looking:
            if self._at is None or self._task is None:
                self._at = await asyncio.to_thread(self._reader.changed, None)
                self._lost = frozenset(run for run, _ in await asyncio.to_thread(self._reader.lost))
            listener = Listener(self._writing, await self._since(after, self._at))
            if self._closed:
                raise closing()
            self._listeners.add(listener)
            if self._task is None:
                self._task = asyncio.create_task(self._tail())
            return listener

    def leave(self, listener: Listener) -> None:
        """Listen no more. The last one ends the look."""
        self._listeners.discard(listener)
        if not self._listeners and self._task is not None:
            self._task.cancel()
            self._task = None

    def close(self) -> None:
        """End all listening: the server ends."""
        self._closed = True
        self._end()

    async def _since(self, after: str | None, at: Changed) -> Moved:
        """What a page has to be told first: everything up to where the others are."""
        mark = None if after is None else _MARK.fullmatch(after)
        if mark is None or (mark[1] is not None and (mark[1], int(mark[2])) != (at.store, at.epoch)):
            return Moved(at.change, resync=True)
        found = await asyncio.to_thread(self._reader.changed, int(mark[3]), upto=at.change, most=MOST_RUNS)
        # While it was away, processes may have gone; that has no change number.
        lost = [MovedRun(*run) for run in await asyncio.to_thread(self._reader.lost)]
        return merged(_moved(found), Moved(at.change, tuple(lost), batches=bool(lost)))

    async def _tail(self) -> None:
        pause, lost_at = SOON_S, time.monotonic() + LOST_S
        try:
            while True:
                await asyncio.sleep(pause)
                has_moved = await self._look()
                if time.monotonic() >= lost_at:
                    await self._look_for_lost()
                    lost_at = time.monotonic() + LOST_S
                pause = SOON_S if has_moved else min(LATER_S, 1.5 * pause)
        except Exception:  # pages come again, and are told what is wrong with the store then
            log.exception("the store cannot be looked at")
            self._task = None
            self._end()

    async def _look(self) -> bool:
        async with self._looking:
            assert self._at is not None
            found = await asyncio.to_thread(self._reader.changed, self._at.change, most=MOST_RUNS)
            has_moved = found.change != self._at.change
            self._at = found
        if has_moved:
            self._tell(_moved(found))
        return has_moved

    async def _look_for_lost(self) -> None:
        lost = await asyncio.to_thread(self._reader.lost)
        new = tuple(MovedRun(*run) for run in lost if run[0] not in self._lost)
        self._lost = frozenset(run for run, _ in lost)
        if new and self._at is not None:
            self._tell(Moved(self._at.change, new, batches=True))

    def _tell(self, moved: Moved) -> None:
        for listener in self._listeners:
            listener.put(moved)

    def _stir(self) -> None:
        for listener in self._listeners:
            listener.stir()

    def _end(self) -> None:
        for listener in self._listeners:
            listener.end()


def merged(before: Moved, after: Moved) -> Moved:
    """Two frames as one, which names at most so many runs."""
    runs = {run.id: run for run in (*before.runs, *after.runs)}
    resync = before.resync or after.resync or len(runs) > MOST_RUNS
    batches = before.batches or after.batches
    return Moved(max(before.change, after.change), () if resync else tuple(runs.values()), batches, resync)


def _moved(found: Changed) -> Moved:
    runs = tuple(MovedRun(run, chain) for run, chain in found.runs)
    return Moved(found.change, runs, found.batches, found.too_many)
