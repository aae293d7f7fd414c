"""Batches and their runs as `trace.py` has them, within one read transaction. Knows SQL and columns, opens nothing."""

from __future__ import annotations

import sqlite3
from typing import Any

from chainlab.store.reading import RUN, Reading
from chainlab.trace import BatchRecord, BatchRun, BatchSummary
from chainlab.values.codec import decode

_BATCH = (
    "b.id, b.project, b.kind, b.chain, b.status, b.total, b.done, b.summary, b.created_at, b.finished_at, b.change,"
    " b.process_id"
)


def batch(read: Reading, batch_id: str) -> BatchRecord | None:
    """A batch with what it was asked to do."""
    rows = read.all(
        f"SELECT {_BATCH}, e.body AS edits, p.body AS plan FROM batches b"
        " JOIN payloads e ON e.hash = b.edits_hash JOIN payloads p ON p.hash = b.plan_hash WHERE b.id = ?",
        batch_id,
    )
    if not rows:
        return None
    return BatchRecord(_summary(read, rows[0]), decode(rows[0]["edits"]), decode(rows[0]["plan"]))


def batches(
    read: Reading, project: str | None, chain: str | None, kind: str | None, limit: int, after: str | None
) -> tuple[BatchSummary, ...]:
    """A page, newest first: ids sort by time."""
    asked = {"b.project = ?": project, "b.chain = ?": chain, "b.kind = ?": kind, "b.id < ?": after}
    given = {condition: value for condition, value in asked.items() if value is not None}
    where = " WHERE " + " AND ".join(given) if given else ""
    rows = read.all(f"SELECT {_BATCH} FROM batches b{where} ORDER BY b.id DESC LIMIT ?", *given.values(), limit)
    return tuple(_summary(read, row) for row in rows)


def batch_runs(read: Reading, batch_id: str) -> tuple[BatchRun, ...]:
    """The runs of a batch in the order they began."""
    rows = read.all(
        f"SELECT {RUN}, r.batch_key, r.arm, r.sample FROM runs r WHERE r.batch_id = ? ORDER BY r.started_at, r.id",
        batch_id,
    )
    return tuple(_placed(row, run) for row, run in zip(rows, read.summaries(rows), strict=True))


def find_batch(read: Reading, wanted: str, project: str | None) -> tuple[str, ...]:
    """Ids that a person's `wanted` means."""
    wanted = wanted.strip().lower()
    if not wanted:
        return ()
    if wanted == "last":
        return tuple(row.id for row in batches(read, project, None, None, 1, None))
    # '{' follows 'z': the end of every id that begins so.
    rows = read.all("SELECT id FROM batches WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 10", wanted, wanted + "{")
    return tuple(row["id"] for row in rows)


def _summary(read: Reading, row: sqlite3.Row) -> BatchSummary:
    status: Any = read.status(row["status"], row["process_id"])
    return BatchSummary(
        id=row["id"],
        project=row["project"],
        kind=row["kind"],
        chain=row["chain"],
        status=status,
        total=row["total"],
        done=row["done"],
        summary=None if row["summary"] is None else decode(row["summary"]),
        created_at=row["created_at"],
        finished_at=row["finished_at"],
        change=row["change"],
    )


def _placed(row: sqlite3.Row, run: Any) -> BatchRun:
    key, _, go = row["batch_key"].partition("~")
    return BatchRun(key, int(go or 1), row["arm"], row["sample"], run)
