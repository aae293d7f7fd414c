"""Notes that a run was accepted. One short transaction beside the journal's; knows one column, no patch and no file."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from chainlab.errors import StoreError
from chainlab.store.connection import explained, open_writer


def mark_kept(path: Path, run_id: str, at: int) -> int:
    """Note that a run was accepted `at` this time (microseconds since 1970); gives back when it first was.

    A run that was accepted before stays as it is, and gets no new change number. Raises StoreError `run-not-found`, and
    what SQLite says.
    """
    with explained(path), closing(open_writer(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            found = connection.execute("SELECT kept_at FROM runs WHERE id = ?", (run_id,)).fetchone()
            if found is None:
                raise StoreError(
                    f"there is no run {run_id!r}",
                    code="run-not-found",
                    file=str(path),
                    remedy="list the runs with `chainlab runs`",
                )
            if found[0] is None:
                (change,) = connection.execute("UPDATE store SET change = change + 1 RETURNING change").fetchone()
                connection.execute("UPDATE runs SET kept_at = ?, change = ? WHERE id = ?", (at, change, run_id))
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        return at if found[0] is None else int(found[0])
