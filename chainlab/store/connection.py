"""Opens SQLite files: raw connections with the store's settings, and a typed error for every way it can fail.

Knows pragmas and paths, no table. A connection that writes checkpoints; readers never do (two checkpointers met a bug
in SQLite before 3.51.3, and a reader's checkpoint would stall a page).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path

from chainlab.errors import StoreError

APPLICATION_ID = 0x63686C62  # "chlb": tells a trace database from any other SQLite file
BUSY_SECONDS = 30.0
PAGE_BYTES = 4096
CHECKPOINT_PAGES = 8000  # 32 MB of log: fewer stalls, and pages that are written again and again are copied once

_OLDEST = (3, 38, 0)  # RETURNING, json_each


def open_writer(path: Path) -> sqlite3.Connection:
    """A connection that writes. Autocommit; the caller says BEGIN IMMEDIATE."""
    with explained(path):
        connection = _connect(path, "rw")
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA journal_size_limit = 67108864")
            connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        except BaseException:
            connection.close()
            raise
        return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write."""
    with explained(path):
        connection = _connect(path, "ro")
        try:
            connection.execute("PRAGMA wal_autocheckpoint = 0")
        except BaseException:
            connection.close()
            raise
        return connection


def create_file(path: Path) -> None:
    """Make an empty database file that only its owner can read; nothing happens when it exists.

    A missing folder is made when it is `.chainlab`; such a folder keeps itself out of git.
    """
    if path.exists():
        return
    folder = path.parent
    try:
        if folder.name == ".chainlab":
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=0o700)
            with contextlib.suppress(FileExistsError):
                os.close(os.open(folder / ".gitignore", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
                (folder / ".gitignore").write_text("*\n")
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except (FileNotFoundError, NotADirectoryError):
        raise StoreError(
            f"the folder of the trace database does not exist: {folder}",
            code="store-no-folder",
            file=str(path),
            remedy=f"mkdir -p {folder}, or name another file with --db or CHAINLAB_DB",
        ) from None
    except OSError as problem:
        raise StoreError(
            f"the trace database cannot be created: {problem.strerror}",
            code="store-unreadable",
            file=str(path),
            remedy="allow this user to write in the folder, or name another file with --db or CHAINLAB_DB",
        ) from None


def prepare_file(path: Path) -> None:
    """Give a new file its page size and its write-ahead log; both last as long as the file."""
    with explained(path):
        connection = _connect(path, "rw")
        try:
            give_up = time.monotonic() + BUSY_SECONDS
            while True:
                try:
                    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
                    connection.execute("PRAGMA journal_mode = WAL")
                    return
                except sqlite3.OperationalError as problem:
                    # Changing the journal mode does not wait for another process that does the same.
                    if not _is(problem, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or time.monotonic() > give_up:
                        raise
                time.sleep(0.01)
        finally:
            connection.close()


def check_path(path: Path) -> None:
    """Raise StoreError when nothing usable stands at the path."""
    if path.is_dir():
        raise StoreError(
            "a folder stands where the trace database should be",
            code="store-not-a-database",
            file=str(path),
            remedy="name a file, such as traces.db",
        )
    if sqlite3.sqlite_version_info < _OLDEST:
        raise StoreError(
            f"SQLite {sqlite3.sqlite_version} is too old: 3.38 or newer is needed",
            code="store-old-sqlite",
            file=str(path),
            remedy="use a Python that is built with a newer SQLite",
        )


class explained(contextlib.AbstractContextManager[None]):
    """Turns what SQLite says about a file into a StoreError: what, where, what to do."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __exit__(self, kind: object, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, sqlite3.Error):
            raise store_error(problem, self._path) from problem


def store_error(problem: sqlite3.Error, path: Path) -> StoreError:
    """The StoreError of an SQLite error."""
    code, message, remedy = meaning(problem)
    return StoreError(message, code=code, file=str(path), remedy=remedy)


def meaning(problem: BaseException) -> tuple[str, str, str]:
    """Code, message and remedy of what SQLite says."""
    if _is(problem, sqlite3.SQLITE_NOTADB):
        return (
            "store-not-a-database",
            "the file is not a trace database",
            "name another file with --db or CHAINLAB_DB, or move this one away",
        )
    if _is(problem, sqlite3.SQLITE_CORRUPT):
        return (
            "store-damaged",
            f"the trace database is damaged: {problem}",
            "move the file away with its -wal and -shm; `sqlite3 FILE .recover` saves what can be read",
        )
    if _is(problem, sqlite3.SQLITE_FULL):
        return ("store-full", "no space is left for the trace database", "free space on its disk, then run again")
    if _is(problem, sqlite3.SQLITE_READONLY):
        return (
            "store-read-only",
            "the trace database cannot be written",
            "make the file and its folder writable, or name another file with --db or CHAINLAB_DB",
        )
    if _is(problem, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return (
            "store-unreadable",
            "the trace database cannot be opened",
            "check that the file exists and that this user may read and write it and its folder",
        )
    if _is(problem, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return (
            "store-busy",
            f"another process held the trace database for more than {BUSY_SECONDS:.0f} seconds",
            "end the program that keeps a transaction open on it",
        )
    if _is(problem, sqlite3.SQLITE_IOERR):
        return ("store-io", f"the disk failed the trace database: {problem}", "check free space, quota and the disk")
    return ("store", f"the trace database failed: {problem}", "")


def _is(problem: BaseException, *primary: int) -> bool:
    code = getattr(problem, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF) in primary


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False)
