"""The journal on SQLite: one writer thread per store groups commits. Knows no engine; events come in, rows go out.

`emit` only appends. The thread takes what has come, writes it in one transaction and wakes everybody who waited for it,
once per event loop. A run that another process took over is fenced: its rows are dropped and its waiters told. A
database that cannot be written stops the journal for good: an acknowledged step is a committed step.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import os
import sqlite3
import threading
import time
import weakref
from collections import deque
from collections.abc import Awaitable, Iterable, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias

from chainlab.errors import StoreError, TraceWriteError
from chainlab.events import BackendProgress, Event, TokenDelta
from chainlab.store import statements as sql
from chainlab.store.connection import explained, meaning, open_writer
from chainlab.store.process import this_process, version
from chainlab.store.rows import Batch, Writing
from chainlab.values.ids import new_id, now_us
from chainlab.values.redact import Redactor

LARGEST_BATCH = 2000  # events; measured: larger ones only make waiters wait
LARGEST_PAYLOADS = 32 * 2**20  # bytes in one transaction
HEARTBEAT_SECONDS = 5.0

_LINGER_SECONDS = 0.05  # how long the thread listens for `durable` only; then it also wakes for a lone `emit`

_OF_THE_FILE = (sqlite3.OperationalError, sqlite3.DatabaseError, sqlite3.InternalError, OSError, MemoryError)

_Waiter: TypeAlias = "tuple[asyncio.AbstractEventLoop, asyncio.Future[None], str | None]"
_Trouble: TypeAlias = "tuple[str, str, str]"  # code, message, remedy


class _Emitter(threading.local):
    """The run that this thread spoke of last: whose waiter the next `durable` is."""

    run_id: str | None = None


class SqliteJournal:
    """protocols.Journal on a SQLite file that is up to date. Shared by every event loop and thread of the process."""

    def __init__(self, path: Path, *, project: str = "", redactor: Redactor | None = None) -> None:
        self.path = path
        self.process_id = new_id()
        self.commits = 0
        self._writing = Writing(self.process_id, project, redactor or Redactor())
        self._queue: deque[Event | _Waiter] = deque()
        self._bell: SimpleQueue[None] = SimpleQueue()  # an Event, written in Python, costs 20 µs more for every commit
        self._rung = False
        self._emitter = _Emitter()
        self._sleeping = False
        self._closing = False
        self._closed = False
        self._refusing = False  # any of the three below; one cheap test for `emit`
        self._error: tuple[_Trouble, BaseException] | None = None
        self._fenced: dict[str, _Trouble] = {}
        self._running: set[str] = set()
        self._seen = time.monotonic()
        self._version = -1  # of the database, as this connection last saw it; its own commits do not change it
        self._connection = self._open()
        self._thread = threading.Thread(target=self._write_forever, name="chainlab-journal", daemon=True)
        self._thread.start()
        _open_journals.add(self)

    @property
    def failed(self) -> bool:
        """Whether this journal has stopped for good."""
        return self._error is not None

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

    def durable(self) -> Awaitable[None]:
        """Done when everything that this thread emitted before is committed."""
        run_id = self._emitter.run_id
        if self._refusing:
            self._refuse(run_id)
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._queue.append((loop, future, run_id))
        self._ring()
        return future

    def close(self) -> None:
        """Write what has come, say goodbye in the process row, stop the thread. Idempotent."""
        if self._closed:
            return
        self._closed = self._closing = self._refusing = True
        self._ring()
        self._thread.join()
        while self._queue:  # from a thread that emitted while this one closed
            events, late = self._take()
            if events:
                self._fence(
                    {event.run_id for event in events}, ("store-closed", "the store was closed", "open it again")
                )
            self._acknowledge(late)
        _open_journals.discard(self)

    # ---- the writer thread

    def _write_forever(self) -> None:
        queue = self._queue
        while True:
            self._await_work()
            while queue:
                self._settle(*self._take())
            if self._closing:
                break
        self._goodbye()

    def _await_work(self) -> None:
        # Only `durable` wakes the thread at first, so that a finish and the start after it meet in one commit. After
        # a silence a lone `emit` wakes it too; it then gives the `durable` that mostly follows a moment to come.
        queue = self._queue
        if not self._heard(_LINGER_SECONDS) and not queue:
            self._sleeping = True
            if not queue:
                while not self._heard(HEARTBEAT_SECONDS if self._running else None):
                    self._beat()
            self._sleeping = False
            if queue and type(queue[-1]) is not tuple and not self._closing:
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

    def _take(self) -> tuple[list[Event], list[_Waiter]]:
        queue = self._queue
        events: list[Event] = []
        waiters: list[_Waiter] = []
        while queue and len(events) < LARGEST_BATCH:
            item = queue.popleft()
            if type(item) is tuple:
                waiters.append(item)
            else:
                events.append(item)  # type: ignore[arg-type]  # mypy does not narrow on `type() is`
        return events, waiters

    def _settle(self, events: list[Event], waiters: list[_Waiter]) -> None:
        """Commit, then acknowledge. Tests override this to acknowledge too early."""
        self._commit(events)
        self._acknowledge(waiters)

    def _commit(self, events: list[Event]) -> None:
        if self._error is not None or not events:
            return
        try:
            self._write(events)
        except Exception as problem:
            self._roll_back()
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

    def _write(self, events: list[Event]) -> None:
        batch = Batch(self._writing)
        for event in events:
            if self._fenced and event.run_id in self._fenced:
                continue
            batch.add(event)
            if batch.size > LARGEST_PAYLOADS:
                self._transact(batch)
                batch = Batch(self._writing)
        self._transact(batch)

    def _transact(self, batch: Batch) -> None:
        if not batch.touched:
            return
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        changing = batch.changing()
        change: int = connection.execute(sql.TICK, (len(changing),)).fetchone()[0] - len(changing)
        for number, row in enumerate(changing, change + 1):
            row["change"] = number
        # Payloads go in with the rows that name them; what was stored before may have been pruned since.
        _run_all(connection, ((sql.PAYLOAD, batch.payloads), (sql.SPEC, batch.specs), (sql.RUN, batch.runs)))
        # Where nobody else has written since the last commit, nobody can have taken a run over; a new run may find its
        # place taken in any case.
        version: int = connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            lost = self._lost(connection, batch.touched | self._running)
        else:
            lost = self._lost(connection, set(batch.runs)) if batch.runs else set()
        if lost:
            batch.without(lost)
        _run_all(
            connection,
            (
                (sql.RUN_TAG, batch.tags),
                (sql.STEP, batch.steps),
                (sql.FINISH_STEP, batch.steps_done),
                (sql.MADE_BY, batch.steps_made),
                (sql.RESULT, batch.results),
                (sql.TOUCH_STEP, batch.steps_touched),
                (sql.STEP_INPUT, batch.inputs),
                (sql.ATTEMPT, batch.attempts),
                (sql.FINISH_ATTEMPT, batch.attempts_done),
                (sql.FINISH_RUN, batch.runs_done),
            ),
        )
        if time.monotonic() - self._seen > HEARTBEAT_SECONDS:
            self._seen = time.monotonic()
            connection.execute(sql.SEEN, (now_us(), self.process_id))
        connection.execute("COMMIT")
        self._version = version
        self.commits += 1
        self._running |= batch.runs.keys()
        self._running -= batch.runs_done.keys()
        self._running -= {run for run, row in batch.runs.items() if row.get("finished_at") is not None}
        if lost:
            self._fence(
                lost,
                (
                    "store-fenced",
                    "another process took this run over or deleted it; what this process still did is not recorded",
                    "look at the run in the store before running it again",
                ),
            )

    def _lost(self, connection: sqlite3.Connection, touched: set[str]) -> set[str]:
        ours = connection.execute(sql.OURS, (self.process_id, json.dumps(list(touched)))).fetchall()
        return touched - {run for (run,) in ours} if len(ours) != len(touched) else set()

    # ---- when it goes wrong

    def _fence(self, runs: Iterable[str], trouble: _Trouble) -> None:
        for run in runs:
            self._fenced[run] = trouble
            self._running.discard(run)
        self._refusing = True

    def _fail(self, problem: BaseException) -> None:
        self._error = (meaning(problem), problem)
        self._refusing = True
        self._roll_back()

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")

    def _acknowledge(self, waiters: list[_Waiter]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[None], StoreError | None]]] = {}
        for loop, future, run_id in waiters:
            by_loop.setdefault(loop, []).append((future, self._trouble(run_id) if self._refusing else None))
        for loop, answers in by_loop.items():
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

    # ---- the process row

    def _open(self) -> sqlite3.Connection:
        process, now = this_process(), now_us()
        connection = open_writer(self.path)
        row: sql.Row = {
            "id": self.process_id,
            "host": process.host,
            "boot_id": process.boot_id,
            "pid": process.pid,
            "pid_started": process.pid_started,
            "version": version(),
            "started_at": now,
            "seen_at": now,
            "ended_at": None,
        }
        try:
            with explained(self.path):
                connection.execute("BEGIN IMMEDIATE")
                sql.PROCESS.run(connection, [row])
                connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def _beat(self) -> None:
        # Best effort: a heartbeat that cannot be written loses nothing.
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute(sql.SEEN, (now_us(), self.process_id))
            self._seen = time.monotonic()

    def _goodbye(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            now = now_us()
            self._connection.execute(sql.ENDED, (now, now, self.process_id))
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

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


def _run_all(
    connection: sqlite3.Connection, work: Iterable[tuple[sql.Statement | sql.Sparse, Mapping[Any, sql.Row]]]
) -> None:
    for statement, rows in work:
        if rows:
            statement.run(connection, rows.values())


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
