"""What has changed since a change number, within one read transaction. Knows SQL and columns, opens nothing."""

from __future__ import annotations

from typing import Any

from chainlab.store.reading import LIVE, Reading
from chainlab.trace import Changed

FAR = 20_000
"""Rows. Who is farther behind is not told which runs have changed: asking for everything is cheaper by then."""


def changed(read: Reading, project: str | None, after: int | None, upto: int | None, most: int) -> Changed:
    """What has changed after a change number; `after` None: only where the store is."""
    ((store, epoch, newest),) = read.all("SELECT id, epoch, change FROM store")
    to = newest if upto is None else min(upto, newest)
    if after is None or after == to:
        return Changed(store, epoch, to)
    if after > to or to - after > FAR:  # a number that this store has not reached is another store's
        return Changed(store, epoch, to, batches=True, too_many=True)
    only, named = ("", []) if project is None else (" AND r.project = ?", [project])
    span: list[Any] = [after, to]
    rows = read.all(
        f"SELECT r.id, r.chain FROM runs r WHERE r.change > ? AND r.change <= ?{only}"
        " UNION SELECT r.id, r.chain FROM steps s JOIN runs r ON r.id = s.run_id"
        f" WHERE s.change > ? AND s.change <= ?{only}"
        " UNION SELECT key, NULL FROM tombstones WHERE change > ? AND change <= ? AND kind = 'run' LIMIT ?",
        *span, *named, *span, *named, *span, most + 1,
    )  # fmt: skip
    ((batches,),) = read.all(
        "SELECT EXISTS (SELECT 1 FROM batches WHERE change > ? AND change <= ?)"
        " OR EXISTS (SELECT 1 FROM tombstones WHERE change > ? AND change <= ? AND kind <> 'run')",
        *span,
        *span,
    )
    if len(rows) > most:
        return Changed(store, epoch, to, batches=bool(batches), too_many=True)
    return Changed(store, epoch, to, tuple((row[0], row[1]) for row in rows), bool(batches))


def lost(read: Reading, project: str | None, most: int) -> tuple[tuple[str, str], ...]:
    """Runs that are open and whose process is gone, newest first: nobody commits that, so no change number tells it."""
    dead = read.dead()
    if not dead:
        return ()
    marks = ", ".join("?" * len(dead))
    only, named = ("", []) if project is None else (" AND r.project = ?", [project])
    rows = read.all(
        f"SELECT r.id, r.chain FROM runs r WHERE r.status IN {LIVE} AND r.process_id IN ({marks}){only}"
        " ORDER BY r.started_at DESC, r.id DESC LIMIT ?",
        *dead, *named, most,
    )  # fmt: skip
    return tuple((row[0], row[1]) for row in rows)
