"""Writes batches: one begins, goes on, ends. Short transactions of its own beside the journal's; knows no run.

Every write checks that the batch is still this process's (`process_id` is a fence, as it is for runs), and gives the
row a change number in the same transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from chainlab.errors import StoreError
from chainlab.store.connection import explained, open_writer
from chainlab.store.reading import Reading
from chainlab.trace import BatchKind
from chainlab.values.codec import Json, Value
from chainlab.values.ids import now_us
from chainlab.values.redact import Redactor

_INSERT = (
    "INSERT INTO batches (id, project, kind, chain, edits_hash, plan_hash, idempotency_key, status, total, done,"
    " created_at, process_id, change) VALUES (?, ?, ?, ?, ?, ?, ?, 'running', ?, 0, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_PAYLOAD = "INSERT INTO payloads (hash, codec, size, body) VALUES (?, 'json', ?, ?) ON CONFLICT DO NOTHING"


@dataclass(frozen=True, slots=True)
class NewBatch:
    """A batch that begins. `plan` is what it is to do (which runs, how), `edits` what all of its runs are made with."""

    id: str
    kind: BatchKind
    chain: str
    edits: Json
    plan: Json
    total: int
    idempotency_key: str | None = None


class BatchWriter:
    """What a process writes of its batches. Use from any thread; each call is one transaction. All raise StoreError."""

    def __init__(self, path: Path, *, project: str, process_id: str, redactor: Redactor) -> None:
        self._path, self._project, self._process_id, self._redactor = path, project, process_id, redactor

    def begin(self, new: NewBatch) -> bool:
        """Write that a batch begins. False: nothing was written, there is one under this id or idempotency key."""
        edits, plan = (self._redactor.exact.value(Value(part)) for part in (new.edits, new.plan))
        with self._transaction() as connection:
            for value in (edits, plan):
                connection.execute(_PAYLOAD, (value.hash, len(value.body), value.body))
            row = (
                new.id, self._project, new.kind, new.chain, edits.hash, plan.hash, new.idempotency_key, new.total,
                now_us(), self._process_id, _tick(connection),
            )  # fmt: skip
            begun = connection.execute(_INSERT, row).rowcount == 1
            if not begun:
                connection.execute("ROLLBACK")
            return begun

    def take_over(self, batch_id: str) -> None:
        """Make a batch that is not going on this process's, to go on with it.

        Raises StoreError `batch-not-found`, `batch-is-running`.
        """
        with self._transaction() as connection:
            reading = Reading(connection)
            rows = reading.all("SELECT status, process_id FROM batches WHERE id = ?", batch_id)
            if not rows:
                raise StoreError(
                    f"there is no batch {batch_id!r}",
                    code="batch-not-found",
                    file=str(self._path),
                    remedy="a batch says its id when it begins",
                )
            if reading.status(*rows[0]) == "running":
                raise StoreError(
                    f"batch {batch_id} is going on",
                    code="batch-is-running",
                    file=str(self._path),
                    remedy="wait until it has ended, or end its process",
                )
            connection.execute(
                "UPDATE batches SET status = 'running', process_id = ?, finished_at = NULL, change = ? WHERE id = ?",
                (self._process_id, _tick(connection), batch_id),
            )

    def advance(self, batch_id: str, done: int) -> None:
        """Write how many runs of a batch are settled."""
        self._update(batch_id, "done = ?", done)

    def end(self, batch_id: str, status: Literal["done", "cancelled"], done: int, summary: Json) -> None:
        """Write that a batch has ended, and with what."""
        text = self._redactor.exact.value(Value(summary)).body.decode()
        self._update(batch_id, "status = ?, done = ?, summary = ?, finished_at = ?", status, done, text, now_us())

    def _update(self, batch_id: str, what: str, *values: str | int) -> None:
        with self._transaction() as connection:
            changed = connection.execute(
                f"UPDATE batches SET {what}, change = ? WHERE id = ? AND process_id = ?",
                (*values, _tick(connection), batch_id, self._process_id),
            )
            if changed.rowcount != 1:
                raise StoreError(
                    f"batch {batch_id}: another process took it over or deleted it",
                    code="store-fenced",
                    file=str(self._path),
                    remedy="look at the batch in the store before going on with it",
                )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with explained(self._path), closing(open_writer(self._path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            if connection.in_transaction:
                connection.execute("COMMIT")


def _tick(connection: sqlite3.Connection) -> int:
    change: int = connection.execute("UPDATE store SET change = change + 1 RETURNING change").fetchone()[0]
    return change
