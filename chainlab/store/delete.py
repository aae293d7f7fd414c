"""Deletes runs, and what nothing refers to when they are gone, in one transaction. Knows tables, no event, no command.

Mark and sweep, of the deleted runs' payloads only: what they name is doomed, unless a row or a request that stays names
it, too. Holding the write lock makes it safe: a writer stores a payload in the transaction that first names it. A fork
that reused an output names the same payload, and keeps it. A batch goes with the last of its runs, unless it is going
on. What is deleted leaves a tombstone with a change number.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chainlab.errors import StoreError
from chainlab.store.connection import explained, open_writer
from chainlab.store.reading import Reading, unhex
from chainlab.store.requests import payloads_of

# Every column that may hold the name of a payload; requests name payloads in their bodies, too.
REFERENCES = (
    ("runs", "inputs_hash"),
    ("runs", "output_hash"),
    ("runs", "edits_hash"),
    ("steps", "output_hash"),
    ("step_inputs", "hash"),
    ("attempts", "request_hash"),
    ("attempts", "response_hash"),
    ("specs", "payload_hash"),
    ("batches", "edits_hash"),
    ("batches", "plan_hash"),
)

_BY_RUN = {
    "runs": "id", "run_tags": "run_id", "steps": "run_id", "step_inputs": "run_id", "attempts": "run_id",
    "results": "run_id",
}  # fmt: skip
_REQUESTS = (
    "SELECT body FROM payloads WHERE hash IN (SELECT request_hash FROM attempts{0})"
    " UNION ALL SELECT CAST(request_text AS BLOB) FROM attempts{0} {1} request_text IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class Deleted:
    """What is gone. `payload_bytes`: the size of the payloads; the file does not shrink, its space is used again."""

    runs: tuple[str, ...]
    steps: int
    specs: int
    batches: int
    payloads: int
    payload_bytes: int


def delete_runs(path: Path, ids: Sequence[str]) -> Deleted:
    """Delete runs by their whole ids; all of them or none.

    Raises StoreError: `run-not-found`; `run-is-running` for a run whose process may still write it; what SQLite says.
    """
    connection = open_writer(path)
    try:
        with explained(path):
            connection.execute("PRAGMA secure_delete = ON")  # what a person deletes is overwritten in the file
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("BEGIN IMMEDIATE")
            try:
                deleted = _delete(connection, tuple(dict.fromkeys(ids)), path)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
            return deleted
    finally:
        connection.close()


def _delete(connection: sqlite3.Connection, ids: tuple[str, ...], path: Path) -> Deleted:
    connection.execute("CREATE TEMP TABLE gone (id TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.execute("CREATE TEMP TABLE doomed (hash BLOB PRIMARY KEY) WITHOUT ROWID")
    connection.executemany("INSERT INTO gone VALUES (?)", ((run,) for run in ids))
    _check(connection, ids, path)
    _mark(connection)
    specs = connection.execute(
        "SELECT hash, payload_hash FROM specs WHERE hash IN (SELECT spec_hash FROM runs WHERE id IN gone)"
    ).fetchall()
    batches = [
        batch
        for (batch,) in connection.execute(
            "SELECT DISTINCT batch_id FROM runs WHERE id IN gone AND batch_id IS NOT NULL"
        )
    ]
    gone = {
        table: connection.execute(f"DELETE FROM {table} WHERE {column} IN gone").rowcount
        for table, column in _BY_RUN.items()
    }
    unused = [
        (spec, payload)
        for spec, payload in specs
        if connection.execute("SELECT 1 FROM runs WHERE spec_hash = ? LIMIT 1", (spec,)).fetchone() is None
    ]
    connection.executemany("DELETE FROM specs WHERE hash = ?", ((spec,) for spec, _ in unused))
    _doom(connection, (payload for _, payload in unused))
    emptied = _delete_batches(connection, batches)
    _spare(connection)
    count, size = connection.execute(
        "SELECT count(*), coalesce(sum(size), 0) FROM payloads WHERE hash IN doomed"
    ).fetchone()
    connection.execute("DELETE FROM payloads WHERE hash IN doomed")
    _bury(connection, [*(("run", run) for run in ids), *(("batch", batch) for batch in emptied)])
    return Deleted(ids, gone["steps"], len(unused), len(emptied), count, size)


def _check(connection: sqlite3.Connection, ids: tuple[str, ...], path: Path) -> None:
    """Refuse what is not there, and what somebody may still write."""
    reading = Reading(connection)
    rows = {row["id"]: row for row in reading.all("SELECT id, status, process_id FROM runs WHERE id IN gone")}
    for run in ids:
        if run not in rows:
            raise StoreError(
                f"there is no run {run!r}",
                code="run-not-found",
                file=str(path),
                remedy="list the runs with `chainlab runs`",
            )
        if reading.status(rows[run]["status"], rows[run]["process_id"]) in ("queued", "running"):
            raise StoreError(
                f"run {run} is still running",
                code="run-is-running",
                file=str(path),
                remedy="end its process, or wait until it has ended",
            )


def _delete_batches(connection: sqlite3.Connection, ids: Sequence[str]) -> list[str]:
    """Delete those of some batches that have no run left and are not going on; their ids."""
    reading = Reading(connection)
    emptied = []
    for batch in ids:
        rows = reading.all(
            "SELECT status, process_id, edits_hash, plan_hash FROM batches WHERE id = ?"
            " AND NOT EXISTS (SELECT 1 FROM runs WHERE batch_id = ?)",
            batch,
            batch,
        )
        for status, process_id, *payloads in rows:
            if reading.status(status, process_id) != "running":
                connection.execute("DELETE FROM batches WHERE id = ?", (batch,))
                _doom(connection, payloads)
                emptied.append(batch)
    return emptied


def _mark(connection: sqlite3.Connection) -> None:
    """Every payload that the runs name: in their rows, and in their requests."""
    for table, column in REFERENCES:
        if table in _BY_RUN:
            connection.execute(
                f"INSERT OR IGNORE INTO doomed SELECT {column} FROM {table}"
                f" WHERE {_BY_RUN[table]} IN gone AND {column} IS NOT NULL"
            )
    requests = connection.execute(_REQUESTS.format(" WHERE run_id IN gone", "AND"))
    _doom(connection, [unhex(name) for (body,) in requests for name in payloads_of(body)])


def _spare(connection: sqlite3.Connection) -> None:
    """Take out what the rows that stay name, and then what their requests name."""
    for table, column in REFERENCES:
        connection.execute(f"DELETE FROM doomed WHERE hash IN (SELECT {column} FROM {table} WHERE {column} IN doomed)")
    doomed = {hashed.hex() for (hashed,) in connection.execute("SELECT hash FROM doomed")}
    if not doomed:
        return
    requests = connection.execute(_REQUESTS.format("", "WHERE"))
    spared = {name for (body,) in requests for name in payloads_of(body) if name in doomed}
    connection.executemany("DELETE FROM doomed WHERE hash = ?", ((unhex(name),) for name in spared))


def _doom(connection: sqlite3.Connection, hashes: Iterable[bytes]) -> None:
    connection.executemany("INSERT OR IGNORE INTO doomed VALUES (?)", ((hashed,) for hashed in hashes))


def _bury(connection: sqlite3.Connection, gone: Sequence[tuple[str, str]]) -> None:
    """Issue a change number for everything that is deleted (kind and id), as for every changed row."""
    counted = connection.execute("UPDATE store SET change = change + ? RETURNING change", (len(gone),)).fetchone()
    first = counted[0] - len(gone) + 1
    rows = [(first + place, kind, key) for place, (kind, key) in enumerate(gone)]
    connection.executemany("INSERT INTO tombstones (change, kind, key) VALUES (?, ?, ?)", rows)
