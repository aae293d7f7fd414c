"""Reads traces from SQLite, one short read transaction a question. Writes nothing; loads no SQLAlchemy and no Alembic.

A run whose process is gone is shown as `interrupted`, and so are its open steps: computed on reading, never written,
for only the owner may say how a run ended.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chainlab.errors import StoreError
from chainlab.store import batch_reading, change_reading
from chainlab.store.connection import explained, open_reader
from chainlab.store.reading import ATTEMPT, LIVE, RUN, STEP, Reading, step_of, unhex
from chainlab.trace import (
    BatchRecord,
    BatchRun,
    BatchSummary,
    Changed,
    RunHashes,
    RunOrder,
    RunRecord,
    RunSummary,
    StepTrace,
    Trace,
    TryTime,
)

_ORDERS: Mapping[RunOrder, tuple[str, bool]] = {
    "newest": ("{}.started_at", True),
    "oldest": ("{}.started_at", False),
    "slowest": ("coalesce({}.duration_us, -1)", True),
    "tokens": ("{0}.tokens_in + {0}.tokens_out", True),
    "cost": ("coalesce({}.cost_nano, -1)", True),
}
"""What runs are sorted by, and whether the most comes first. The id decides between equals, and ids sort by time."""

_inherited: list[sqlite3.Connection] = []  # of a parent process: closing one here would drop the parent's locks


class SqliteReader:
    """trace.TraceReader on a SQLite file. Safe to use from every thread; `project` narrows lists to one project."""

    def __init__(self, path: Path, *, project: str | None = None) -> None:
        self.path = path
        self.project = project
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._pid = os.getpid()
        self._closed = False

    def close(self) -> None:
        """Release the connections. Idempotent."""
        with self._lock:
            self._closed = True
            while self._idle:
                self._idle.pop().close()

    def runs(
        self,
        *,
        chain: str | None = None,
        status: str | None = None,
        tag: str | None = None,
        text: str | None = None,
        limit: int = 50,
        after: str | None = None,
        order: RunOrder = "newest",
    ) -> tuple[RunSummary, ...]:
        """A page of runs; `after`: the id of the last one before it; `text` matches id, chain, label, error."""
        key, falling = _ORDERS[order]
        with self.reading() as read:
            where: list[str] = []
            values: list[Any] = []

            def only(condition: str, *given: Any) -> None:
                where.append(condition)
                values.extend(given)

            if self.project is not None:
                only("r.project = ?", self.project)
            if chain is not None:
                only("r.chain = ?", chain)
            if tag is not None:
                only("r.id IN (SELECT run_id FROM run_tags WHERE tag = ?)", tag)
            if text:
                pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
                columns = ("r.id", "r.chain", "r.label", "r.error_code", "r.error_message", "r.error_path")
                only("(" + " OR ".join(f"{c} LIKE ? ESCAPE '\\'" for c in columns) + ")", *[pattern] * len(columns))
            if status is not None:
                self._only_status(read, status, only)
            if after is not None:
                sign = "<" if falling else ">"
                only(
                    f"({key.format('r')}, r.id) {sign} (SELECT {key.format('a')}, a.id FROM runs a WHERE a.id = ?)",
                    after,
                )
            condition = " WHERE " + " AND ".join(where) if where else ""
            way = "DESC" if falling else "ASC"
            sort = f"{key.format('r')} {way}, r.id {way}"
            rows = read.all(f"SELECT {RUN} FROM runs r{condition} ORDER BY {sort} LIMIT ?", *values, limit)
            return read.summaries(rows)

    def find(self, wanted: str) -> tuple[str, ...]:
        """Ids that a person's `wanted` means: a whole id, a prefix, `last`, `last-failed`. More than one: ambiguous."""
        wanted = wanted.strip().lower()
        if not wanted:
            return ()
        narrow, given = ("WHERE project = ?", [self.project]) if self.project is not None else ("WHERE 1", [])
        with self.reading() as read:
            if wanted in ("last", "last-failed"):
                failed = " AND status = 'failed'" if wanted == "last-failed" else ""
                query = f"SELECT id FROM runs {narrow}{failed} ORDER BY started_at DESC, id DESC LIMIT 1"
                return tuple(row[0] for row in read.all(query, *given))
            whole = read.all("SELECT id FROM runs WHERE id = ?", wanted)
            # '{' follows 'z': the end of every id that begins so. A handful tells that a prefix is ambiguous.
            rows = whole or read.all(
                "SELECT id FROM runs WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 10", wanted, wanted + "{"
            )
            return tuple(row[0] for row in rows)

    def trace(self, run_id: str, *, max_bytes: int = 65_536) -> Trace | None:
        """A run with its inputs, output and steps; None: there is none."""
        with self.reading() as read:
            rows = read.all(f"SELECT {RUN} FROM runs r WHERE r.id = ?", run_id)
            if not rows:
                return None
            (run,) = read.summaries(rows)
            steps = read.all(f"SELECT {STEP} FROM steps s WHERE s.run_id = ? ORDER BY s.sort, s.path", run_id)
            over = run.status not in ("queued", "running")
            return Trace(
                run=run,
                inputs=read.inputs(run_id, "$input", max_bytes),
                output=read.output("runs", "t.id = ?", max_bytes, run_id),
                steps=tuple(step_of(row, over) for row in steps),
            )

    def step(self, run_id: str, path: str, *, max_bytes: int = 65_536) -> StepTrace | None:
        """A step with its inputs, output and attempts; None: there is none."""
        with self.reading() as read:
            rows = read.all(f"SELECT {STEP} FROM steps s WHERE s.run_id = ? AND s.path = ?", run_id, path)
            owner = read.all("SELECT status, process_id FROM runs WHERE id = ?", run_id)
            if not rows or not owner:
                return None
            over = read.status(*owner[0]) not in ("queued", "running")
            attempts = read.all(
                f"SELECT {ATTEMPT} FROM attempts a WHERE a.run_id = ? AND a.path = ? ORDER BY a.n", run_id, path
            )
            return StepTrace(
                summary=step_of(rows[0], over),
                inputs=read.inputs(run_id, path, max_bytes),
                output=read.output("steps", "t.run_id = ? AND t.path = ?", max_bytes, run_id, path),
                attempts=tuple(read.attempt(row, over, max_bytes) for row in attempts),
            )

    def tries(self, run_id: str) -> Mapping[str, tuple[TryTime, ...]]:
        """By path: the tries of the steps that have more than one, in one query and without what was said."""
        with self.reading() as read:
            return read.tries(run_id)

    def record(self, run_id: str) -> RunRecord | None:
        """A run as a replay needs it, with every output in memory; None: there is none, or its chain is not stored."""
        with self.reading() as read:
            rows = read.all(f"SELECT {RUN} FROM runs r WHERE r.id = ?", run_id)
            return read.record(read.summaries(rows)[0]) if rows else None

    def hashes(self, run_id: str) -> RunHashes:
        """What all steps of a run got and asked, in few queries and without any value. No such run: empty."""
        with self.reading() as read:
            return read.hashes(run_id)

    def by_idempotency_key(self, key: str) -> str | None:
        """The id of the run that was begun under this key; None: there is none."""
        with self.reading() as read:
            found = read.all("SELECT id FROM runs WHERE idempotency_key = ?", key)
            return found[0][0] if found else None

    def batch(self, batch_id: str) -> BatchRecord | None:
        """A batch with what it was asked to do; None: there is none."""
        with self.reading() as read:
            return batch_reading.batch(read, batch_id)

    def batches(
        self, *, chain: str | None = None, kind: str | None = None, limit: int = 50, after: str | None = None
    ) -> tuple[BatchSummary, ...]:
        """Newest first; `after`: the id of the last batch of the page before."""
        with self.reading() as read:
            return batch_reading.batches(read, self.project, chain, kind, limit, after)

    def batch_runs(self, batch_id: str) -> tuple[BatchRun, ...]:
        """The runs of a batch in the order they began; a place that was cut off comes once for every go."""
        with self.reading() as read:
            return batch_reading.batch_runs(read, batch_id)

    def find_batch(self, wanted: str) -> tuple[str, ...]:
        """Ids that a person's `wanted` means: a whole id, a prefix, `last`. More than one: ambiguous."""
        with self.reading() as read:
            return batch_reading.find_batch(read, wanted, self.project)

    def batch_by_key(self, key: str) -> str | None:
        """The id of the batch that was begun under this idempotency key; None: there is none."""
        with self.reading() as read:
            found = read.all("SELECT id FROM batches WHERE idempotency_key = ?", key)
            return found[0][0] if found else None

    def payload(self, hash_hex: str) -> bytes | None:
        """The bytes of a payload; None: there is none (values up to 100 bytes stand in their rows)."""
        with self.reading() as read:
            return read.payload(hash_hex)

    def spec(self, spec_hash_hex: str) -> bytes | None:
        """The ChainSpec's JSON bytes."""
        with self.reading() as read:
            found = read.all(
                "SELECT p.body FROM specs s JOIN payloads p ON p.hash = s.payload_hash WHERE s.hash = ?",
                unhex(spec_hash_hex),
            )
            return found[0][0] if found else None

    def chains(self) -> tuple[str, ...]:
        """The names of all chains that ran, sorted."""
        with self.reading() as read:
            if self.project is None:
                rows = read.all("SELECT DISTINCT chain FROM runs ORDER BY chain")
            else:
                rows = read.all("SELECT DISTINCT chain FROM runs WHERE project = ? ORDER BY chain", self.project)
            return tuple(row[0] for row in rows)

    def change(self) -> tuple[int, int]:
        """(epoch, change): rises with every commit."""
        with self.reading() as read:
            ((epoch, change),) = read.all("SELECT epoch, change FROM store")
            return epoch, change

    def changed(self, after: int | None, *, upto: int | None = None, most: int = 256) -> Changed:
        """What has changed after a change number, up to another one; `after` None: only where the store is."""
        with self.reading() as read:
            return change_reading.changed(read, self.project, after, upto, most)

    def lost(self, *, most: int = 256) -> tuple[tuple[str, str], ...]:
        """Id and chain of open runs whose process is gone. No commit says so: it is found by looking."""
        with self.reading() as read:
            return change_reading.lost(read, self.project, most)

    def _only_status(self, read: Reading, status: str, only: Any) -> None:
        dead = read.dead()
        marks = ", ".join("?" * len(dead))
        orphaned = f"(r.status IN {LIVE} AND r.process_id IN ({marks}))"
        match status:
            case "interrupted":
                only(f"(r.status = 'interrupted' OR {orphaned})", *dead)
            case "queued" | "running":
                only(f"(r.status = ? AND NOT coalesce({orphaned}, 0))", status, *dead)
            case _:
                only("r.status = ?", status)

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        with explained(self.path):
            connection = self._take()
            try:
                connection.execute("BEGIN")
                try:
                    yield Reading(connection)
                finally:
                    connection.execute("COMMIT")
            except BaseException:
                connection.close()
                raise
            with self._lock:
                if self._closed:
                    connection.close()
                else:
                    self._idle.append(connection)

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise StoreError(
                    "the store is closed", code="store-closed", file=str(self.path), remedy="open it again"
                )
            if self._pid != os.getpid():
                _inherited.extend(self._idle)
                self._idle, self._pid = [], os.getpid()
            if self._idle:
                return self._idle.pop()
        return open_reader(self.path)
