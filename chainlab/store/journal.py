"""The journal on SQLite: events come in, rows go out, everybody who waits is told. Knows no engine and no statement.

`emit` only appends. What has come is committed by the event loop itself, because handing it to a thread and back takes
as long as the commit: at once for a run that is alone, else for everybody who waits by then, in pieces of some
milliseconds, so that the first go on while others are written. Whenever the loop would have to wait for a disk or
another process, the journal's thread does it. A
run that another process took over is fenced: its rows are dropped and its waiters told. A database that cannot be
written stops the journal for good: an acknowledged step is a committed step.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import sqlite3
import threading
import time
import weakref
from collections import deque
from collections.abc import Awaitable, Generator, Iterable
from itertools import repeat, starmap
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias

from chainlab.errors import StoreError, TraceWriteError
from chainlab.events import BackendProgress, Event, TokenDelta
from chainlab.store.connection import meaning
from chainlab.store.rows import Batch, Writing
from chainlab.store.writer import HEARTBEAT_SECONDS, Writer
from chainlab.values.redact import Redactor

LARGEST_BATCH = 200  # events and waiters, some milliseconds: larger ones only make waiters wait
LARGEST_PAYLOADS = 32 * 2**20  # bytes in one transaction

_LITTLE_PAYLOADS = 256 * 2**10  # bytes
_AT_ONCE = 16  # commits for a run that is alone, before whatever else is in the loop gets its turn
_SLOW_SECONDS = 0.01  # a loop that committed itself and took so long leaves it to the thread
_EVENT_SECONDS = 0.0001  # more for each event: a slow machine is no slow disk
_LEAVE_SECONDS = 1.0  # for this long
_LINGER_SECONDS = 0.05  # how long the thread listens for who rings only; then it also wakes for a lone `emit`

_OF_THE_FILE = (sqlite3.OperationalError, sqlite3.DatabaseError, sqlite3.InternalError, OSError, MemoryError)

_Waiter: TypeAlias = "tuple[asyncio.AbstractEventLoop, asyncio.Future[None], str | None]"
_Trouble: TypeAlias = "tuple[str, str, str]"  # code, message, remedy


class _Emitter(threading.local):
    """The run that this thread spoke of last: whose waiter the next `durable` is."""

    run_id: str | None = None


class _ForTheThread(Exception):
    """What a loop does not write itself: too much, or something is in the way."""


class SqliteJournal:
    """protocols.Journal on a SQLite file that is up to date. Shared by every event loop and thread of the process."""

    def __init__(self, path: Path, *, project: str = "", redactor: Redactor | None = None) -> None:
        self.path = path
        self._writer = Writer(path)
        self.process_id = self._writer.process_id
        self._writing = Writing(self.process_id, project, redactor or Redactor())
        self._queue: deque[Event | _Waiter] = deque()
        self._lock = threading.Lock()  # of the writer, and of what is taken out of the queue
        self._taken: list[Event | _Waiter] = []  # until it is committed
        self._promised: asyncio.AbstractEventLoop | None = None  # the loop that will look at the queue
        self._at_once = 0  # commits in a row that were made at once
        self._left_until = 0.0  # loops leave everything to the thread
        self._bell: SimpleQueue[None] = SimpleQueue()  # an Event, written in Python, costs 20 µs more for every commit
        self._rung = False
        self._emitter = _Emitter()
        self._sleeping = False
        self._closing = False
        self._closed = False
        self._refusing = False  # any of the three below; one cheap test for `emit`
        self._error: tuple[_Trouble, BaseException] | None = None
        self._fenced: dict[str, _Trouble] = {}
        self._thread = threading.Thread(target=self._write_forever, name="chainlab-journal", daemon=True)
        self._thread.start()
        _open_journals.add(self)

    @property
    def failed(self) -> bool:
        """Whether this journal has stopped for good."""
        return self._error is not None

    @property
    def commits(self) -> int:
        """How many there were."""
        return self._writer.commits

    def emit(self, event: Event) -> None:
        """Take an event. Returns at once; raises TraceWriteError after a failed write, StoreError after `close`."""
        if self._refusing:
            self._refuse(event.run_id)
        if event.__class__ is TokenDelta or event.__class__ is BackendProgress:
            return
        self._queue.append(event)  # atomic: no lock
        self._emitter.run_id = event.run_id
        if self._sleeping:
            self._ring()

    def durable(self, *, alone: bool = False) -> Awaitable[None]:
        """Done when everything that this thread emitted before is committed. `alone`: the run does nothing else."""
        run_id = self._emitter.run_id
        if self._refusing:
            self._refuse(run_id)
        if alone and self._is_written_at_once():
            if self._refusing:
                self._refuse(run_id)
            return _DONE
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._queue.append((loop, future, run_id))
        if self._closed:  # meanwhile, by another thread: nobody looks at the queue any more
            future.cancel()
            self._refuse(run_id)
        if self._promised is not loop:  # not now: others that are ready in this turn share the commit
            self._promised = loop
            loop.call_soon(self._write_here, loop)
        return future

    def close(self) -> None:
        """Write what has come, say goodbye in the process row, stop the thread. Idempotent."""
        if self._closed:
            return
        self._closed = self._closing = self._refusing = True
        self._ring()
        self._thread.join()
        while self._is_pending():  # from a thread that emitted while this one closed
            events, late = self._next()
            self._fence({event.run_id for event in events}, ("store-closed", "the store was closed", "open it again"))
            self._taken.clear()
            self._acknowledge(late)
        _open_journals.discard(self)

    # ---- in the event loop

    def _is_written_at_once(self) -> bool:
        """Write where there is nobody to share a commit with: a turn of the loop costs a tenth of a step."""
        if self._promised is not None or self._at_once >= _AT_ONCE or len(self._writer.running) > 1:
            self._at_once = 0
            return False
        self._at_once += 1
        return self._write_some() and not self._is_pending()

    def _write_here(self, loop: asyncio.AbstractEventLoop) -> None:
        self._promised = None
        if self._write_some() and self._queue:  # whoever is ready by now goes on first
            self._promised = loop
            loop.call_soon(self._write_here, loop)

    def _write_some(self) -> bool:
        """Write what has come first, if nothing has to be waited for. False: it is left to the thread."""
        if not self._is_pending():
            return True
        began = time.monotonic()
        if began < self._left_until or self._closing or not self._lock.acquire(blocking=False):
            self._ring()
            return False
        try:
            if self._closed:  # meanwhile, and the connection with it
                return False
            events, waiters = self._next()
            self._settle(events, waiters, wait=False)
        except _ForTheThread:
            self._ring()
            return False
        except BaseException:  # Ctrl-C: what was taken is still there
            self._writer.roll_back()
            self._ring()
            raise
        finally:
            self._lock.release()
        if time.monotonic() - began > _SLOW_SECONDS + len(events) * _EVENT_SECONDS:
            self._left_until = time.monotonic() + _LEAVE_SECONDS
        if self._writer.is_log_long:
            self._ring()
        return True

    # ---- in the thread

    def _write_forever(self) -> None:
        while True:
            self._await_work()
            while self._is_pending():
                with self._lock:
                    self._settle(*self._next(), wait=True)
                self._shorten_log()
            self._shorten_log()
            if self._closing:
                break
        with self._lock:
            self._writer.close()

    def _shorten_log(self) -> None:
        if self._writer.is_log_long and self._error is None:
            self._writer.copy_log()
            with self._lock:
                self._writer.checkpoint()

    def _await_work(self) -> None:
        # Only who rings wakes the thread at first. After a silence a lone `emit` wakes it too; the thread then gives
        # the loop, which mostly comes to write itself, a moment.
        if not self._heard(_LINGER_SECONDS) and not self._is_pending():
            self._sleeping = True
            if not self._is_pending():
                while not self._heard(HEARTBEAT_SECONDS if self._writer.running else None):
                    with self._lock:
                        self._writer.beat()
            self._sleeping = False
            if not self._closing:
                self._heard(_LINGER_SECONDS / 5)

    def _ring(self) -> None:
        if not self._rung:
            self._rung = True
            self._bell.put(None)

    def _heard(self, seconds: float | None) -> bool:
        try:
            self._bell.get(timeout=seconds)
        except Empty:
            return False
        self._rung = False  # before the queue is looked at: what comes from now on rings again
        return True

    # ---- in either; who has the lock

    def _is_pending(self) -> bool:
        return bool(self._queue or self._taken)

    def _next(self) -> tuple[list[Event], list[_Waiter]]:
        """What is to be written next. It stays taken until it is."""
        events: list[Event] = []
        waiters: list[_Waiter] = []
        queue, taken = self._queue, self._taken
        if not taken:  # in one go: an interrupt finds each in one of the two
            taken.extend(starmap(queue.popleft, repeat((), min(len(queue), LARGEST_BATCH))))
        for item in taken:
            if type(item) is tuple:
                waiters.append(item)
            else:
                events.append(item)  # type: ignore[arg-type]  # mypy does not narrow on `type() is`
        return events, waiters

    def _settle(self, events: list[Event], waiters: list[_Waiter], *, wait: bool) -> None:
        """Commit, then acknowledge. Tests override this to acknowledge too early."""
        self._commit(events, wait)
        if waiters:
            self._acknowledge(waiters)
        self._taken.clear()  # last: whatever interrupts this, who waits is told, once

    def _commit(self, events: list[Event], wait: bool = True) -> None:
        if self._error is not None or not events:
            return
        try:
            self._write(events, wait)
        except Exception as problem:
            self._writer.roll_back()
            if not wait:
                raise _ForTheThread from problem
            if type(problem) in _OF_THE_FILE:
                self._fail(problem)
                return
            # One event that no database takes must not stop the other runs: each run on its own.
            by_run: dict[str, list[Event]] = {}
            for event in events:
                by_run.setdefault(event.run_id, []).append(event)
            if len(by_run) > 1:
                for some in by_run.values():
                    self._commit(some)
            else:
                message = f"an event of this run cannot be stored: {problem!r}"
                self._fence(by_run, ("store-bad-event", message, "report this as a bug of chainlab"))

    def _write(self, events: list[Event], wait: bool) -> None:
        batch = Batch(self._writing)
        most = LARGEST_PAYLOADS if wait else _LITTLE_PAYLOADS
        fenced = self._fenced
        for event in events:
            if fenced and event.run_id in fenced:
                continue
            batch.add(event)
            if batch.size > most:
                if not wait:
                    raise _ForTheThread
                self._transact(batch, wait)
                batch = Batch(self._writing)
        self._transact(batch, wait)

    def _transact(self, batch: Batch, wait: bool) -> None:
        lost = self._writer.write(batch, wait=wait) if batch.count else ()
        if lost:
            self._fence(
                lost,
                (
                    "store-fenced",
                    "another process took this run over or deleted it; what this process still did is not recorded",
                    "look at the run in the store before running it again",
                ),
            )

    # ---- when it goes wrong

    def _fence(self, runs: Iterable[str], trouble: _Trouble) -> None:
        for run in runs:
            self._fenced[run] = trouble
            self._writer.running.discard(run)
        self._refusing = True

    def _fail(self, problem: BaseException) -> None:
        self._error = (meaning(problem), problem)
        self._refusing = True

    def _acknowledge(self, waiters: list[_Waiter]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[None], StoreError | None]]] = {}
        for loop, future, run_id in waiters:
            by_loop.setdefault(loop, []).append((future, self._trouble(run_id) if self._refusing else None))
        here = asyncio._get_running_loop()
        for loop, answers in by_loop.items():
            if loop is here:
                _answer(answers)
                continue
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits there any more
                loop.call_soon_threadsafe(_answer, answers)

    def _trouble(self, run_id: str | None) -> StoreError | None:
        # A new exception for everyone: one that is raised twice gathers tracebacks.
        if self._error is not None:
            (code, message, remedy), cause = self._error
            error = TraceWriteError(message, code=code, file=str(self.path), remedy=remedy)
            error.__cause__ = cause
            return error
        if run_id is not None and run_id in self._fenced:
            code, message, remedy = self._fenced[run_id]
            return StoreError(f"run {run_id}: {message}", code=code, file=str(self.path), remedy=remedy)
        return None

    def _refuse(self, run_id: str | None) -> None:
        trouble = self._trouble(run_id)
        if trouble is None and self._closed:
            trouble = StoreError(
                "the store is closed", code="store-closed", file=str(self.path), remedy="open it again"
            )
        if trouble is not None:
            raise trouble

    def _forked(self) -> None:
        # The child has the queue but no thread, and must not touch the parent's connection.
        self._error = (
            (
                "store-forked",
                "this process was forked from one that writes a trace",
                "open the store in the child process",
            ),
            RuntimeError("forked"),
        )
        self._refusing = self._closed = True


class _Done:
    """An awaitable that is done."""

    def __await__(self) -> Generator[Any, Any, None]:
        return
        yield


_DONE = _Done()


def _answer(answers: list[tuple[asyncio.Future[None], StoreError | None]]) -> None:
    for future, error in answers:
        if future.done():  # its task was cancelled
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)


_open_journals: weakref.WeakSet[SqliteJournal] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for journal in list(_open_journals):
        journal.close()


def _after_fork() -> None:
    for journal in list(_open_journals):
        journal._forked()
    _open_journals.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
