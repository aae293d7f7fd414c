"""Writes batches of rows on one connection: one transaction each, fenced. Knows no queue, no thread and no event.

A run that another process took over is lost to this one: its rows are dropped. Who calls holds the connection alone.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from chainlab.errors import StoreError
from chainlab.store import statements as sql
from chainlab.store.connection import BUSY_SECONDS, CHECKPOINT_PAGES, PAGE_BYTES, explained, open_writer
from chainlab.store.process import this_process, version
from chainlab.store.rows import Batch
from chainlab.values.ids import new_id, now_us

HEARTBEAT_SECONDS = 5.0

_PAGES_AT_LEAST = 11  # that a transaction writes, one of a single step included
_ROWS_A_PAGE = 20
_REMEMBERED = 1000  # names of payloads
_UNKNOWN = -1


class Writer:
    """The connection of a process that writes, and the process's row in the database."""

    def __init__(self, path: Path) -> None:
        self.process_id = new_id()
        self.commits = 0
        self.running: set[str] = set()  # runs of this process that have not ended
        self._seen = time.monotonic()
        self._version = _UNKNOWN  # of the database, as this connection last saw it; its own commits do not change it
        self._change = 0  # the last number that it issued
        self._stored: set[bytes] = set()  # payloads that are there for certain while nobody else writes
        self._specs: set[bytes] = set()
        self._pages = 0  # in the log since the last checkpoint, about
        self._patient = True
        self._path = path
        self._connection = self._open(path)

    def _open(self, path: Path) -> sqlite3.Connection:
        process, now = this_process(), now_us()
        connection = open_writer(path)
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
            with explained(path):
                connection.execute("PRAGMA wal_autocheckpoint = 0")  # a commit must not stop for one: `checkpoint`
                connection.execute("BEGIN IMMEDIATE")
                sql.PROCESS.run(connection, [row])
                connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    # -- writing -----------------------------------------------------------------------------------------------------

    def write(self, batch: Batch, *, wait: bool) -> set[str]:
        """Commit a batch; the runs that are lost. Raises sqlite3.Error, at once where it may not `wait` and another
        process is writing."""
        connection = self._connection
        if wait is not self._patient:
            self._be_patient(wait)
        connection.execute("BEGIN IMMEDIATE")
        # Where nobody else has written since the last commit, nobody can have taken a run over, issued a change number,
        # or pruned a payload.
        version: int = connection.execute("PRAGMA data_version").fetchone()[0]
        alone = version == self._version
        self._version = _UNKNOWN  # until it is written: whatever comes in between, the next transaction looks
        change = self._number(batch, alone)
        self._leave_out_stored(batch, alone)
        _run_all(connection, ((sql.PAYLOAD, batch.payloads), (sql.SPEC, batch.specs)))
        begun = sql.RUN.run(connection, batch.runs.values()) if batch.runs else 0
        lost: set[str] = set()
        if not alone or begun < len(batch.runs):  # a new run may find its place taken in any case
            lost = self._lost(set(batch.runs) if alone else batch.run_ids() | self.running)
            if lost:
                batch.without(lost)
        _run_all(
            connection,
            (
                (sql.RUN_TAG, batch.tags),
                (sql.STEP, batch.steps),
                (sql.UPDATE_STEP, batch.steps_done),
                (sql.UPDATE_STEP, batch.steps_made),
                (sql.RESULT, batch.results),
                (sql.UPDATE_STEP, batch.steps_touched),
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
        self._version, self._change = version, change
        self._stored.update(batch.payloads)  # `|=` with the keys of a dict would copy the set
        self._specs.update(batch.specs)
        self._pages += _PAGES_AT_LEAST + batch.size // PAGE_BYTES + batch.count // _ROWS_A_PAGE
        self.commits += 1
        if batch.runs:
            self.running.update(run for run, row in batch.runs.items() if row.get("finished_at") is None)
        if batch.runs_done:
            self.running.difference_update(batch.runs_done)
        return lost

    def _number(self, batch: Batch, alone: bool) -> int:
        """Give every row that changes a change number of its own; the last of them."""
        changing = batch.changing()
        if alone:
            last = self._change + len(changing)
            self._connection.execute(sql.SET_CHANGE, (last,))
        else:
            last = self._connection.execute(sql.TICK, (len(changing),)).fetchone()[0]
        for number, row in enumerate(changing, last - len(changing) + 1):
            row["change"] = number
        return last

    def _leave_out_stored(self, batch: Batch, alone: bool) -> None:
        """Payloads go in with the rows that name them, unless they are there for certain."""
        if not alone or len(self._stored) > _REMEMBERED:
            self._stored.clear()
            self._specs.clear()
            return
        for name in batch.payloads.keys() & self._stored:
            del batch.payloads[name]
        for name in batch.specs.keys() & self._specs:
            del batch.specs[name]

    def roll_back(self) -> None:
        """Give up a transaction, if one is open."""
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _be_patient(self, wait: bool) -> None:
        self._connection.execute(f"PRAGMA busy_timeout = {round(1000 * BUSY_SECONDS) if wait else 0}")
        self._patient = wait

    def _lost(self, touched: set[str]) -> set[str]:
        asked = (self.process_id, json.dumps(list(touched)))
        ours = self._connection.execute(sql.OURS, asked).fetchall()
        return touched - {run for (run,) in ours} if len(ours) != len(touched) else set()

    # -- the log, and the process row: best effort, for nothing is lost without ---------------------------------------

    @property
    def is_log_long(self) -> bool:
        """Whether it is time for `checkpoint`."""
        return self._pages >= CHECKPOINT_PAGES

    def copy_log(self) -> None:
        """Copy the log into the database, as far as it has come: beside commits, on a connection of its own.

        This waits for the disk, and most of what `checkpoint` has to do is done by it.
        """
        with contextlib.suppress(sqlite3.Error, StoreError):
            copier = open_writer(self._path)
            try:
                copier.execute("PRAGMA wal_checkpoint(PASSIVE)")
            finally:
                copier.close()

    def checkpoint(self) -> None:
        """Copy the rest of the log, and begin it anew with the next commit."""
        self._pages = 0
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        self.beat()  # whoever writes first after it waits for the disk once more

    def beat(self) -> None:
        """Say in the process row that this process lives."""
        with contextlib.suppress(sqlite3.Error):
            self._be_patient(True)
            self._connection.execute(sql.SEEN, (now_us(), self.process_id))
            self._seen = time.monotonic()

    def close(self) -> None:
        """Say goodbye in the process row, and close the connection."""
        with contextlib.suppress(sqlite3.Error):
            now = now_us()
            self._be_patient(True)
            self._connection.execute(sql.ENDED, (now, now, self.process_id))
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()


def _run_all(connection: sqlite3.Connection, work: Iterable[tuple[sql.Statement, Mapping[Any, sql.Row]]]) -> None:
    for statement, rows in work:
        if rows:
            statement.run(connection, rows.values())
