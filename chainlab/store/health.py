"""How a trace database is: looked at, never made, migrated or repaired. Knows pragmas and files, no row.

`chainlab doctor` asks. A damaged or foreign file is an answer here; only what SQLite cannot even say is an error.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from chainlab.errors import StoreError
from chainlab.store.connection import explained, open_reader, open_writer

LARGE_LOG = 64 * 2**20  # bytes; the log is cut to this size whenever it is begun again

_WITHDRAWN = {(3, 52, 0)}
_WAL_RESET_FIXED = (3, 51, 3)
_WAL_RESET_FIXED_TOO = {(3, 44): 6, (3, 50): 7}  # releases of older lines that have the repair


def known_trouble(version: tuple[int, int, int]) -> str | None:
    """What is known to be wrong with a version of SQLite, for a database that several processes write; None: nothing.

    See "The WAL-reset bug" in SQLite's page on write-ahead logging.
    """
    if version in _WITHDRAWN:
        return "this release was withdrawn by its makers"
    if version >= _WAL_RESET_FIXED or version[2] >= _WAL_RESET_FIXED_TOO.get(version[:2], 1 << 20):
        return None
    return "when several processes write at once, a rare fault of SQLite before 3.51.3 can damage the database"


def damage(path: Path) -> tuple[str, ...]:
    """What SQLite's quick check finds, at most ten lines; empty: nothing. Reads the whole file. Raises StoreError."""
    with explained(path), closing(open_reader(path)) as connection:
        found = [str(line) for (line,) in connection.execute("PRAGMA quick_check(10)")]
    return () if found == ["ok"] else tuple(found)


def log_size(path: Path) -> int:
    """Bytes in the write-ahead log."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size
    except FileNotFoundError:
        return 0


def cannot_write(path: Path, seconds: float) -> StoreError | None:
    """Why nothing could be written now; None: it could. Takes the write lock for a moment, and gives it back."""
    try:
        with explained(path), closing(open_writer(path)) as connection:
            connection.execute(f"PRAGMA busy_timeout = {round(1000 * seconds)}")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("UPDATE store SET change = change")  # a file that cannot be written says so only here
            connection.execute("ROLLBACK")
    except StoreError as error:
        return error
    return None
