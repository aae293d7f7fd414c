"""Makes a file into a trace database of this code's version, or says why not. Knows files and versions, no rows.

The cheap question comes first: an up-to-date database is known by two pragmas, without SQLAlchemy and Alembic.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from chainlab.errors import StoreError
from chainlab.store.connection import (
    APPLICATION_ID,
    check_path,
    create_file,
    explained,
    open_reader,
    open_writer,
    prepare_file,
)
from chainlab.store.migrations import VERSION
from chainlab.values.ids import new_id


def ensure(path: Path) -> None:
    """Create or migrate the database at `path`. Raises StoreError: store-newer, store-not-a-database, and more."""
    check_path(path)
    create_file(path)
    if version_of(path) < VERSION:
        _upgrade(path)


def version_of(path: Path) -> int:
    """The version of the database at `path`; 0: an empty file. Raises StoreError when it is newer or not ours."""
    with explained(path):
        if path.stat().st_size == 0:
            return 0
        connection = open_reader(path)
        try:
            return _version(connection, path)
        finally:
            connection.close()


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    owner: int = connection.execute("PRAGMA application_id").fetchone()[0]
    if owner != APPLICATION_ID:
        if version or owner or connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            raise StoreError(
                "the file is a database of another program",
                code="store-not-a-database",
                file=str(path),
                remedy="name another file with --db or CHAINLAB_DB",
            )
        return 0
    if version > VERSION:
        raise StoreError(
            f"the trace database has version {version}; this chainlab knows versions up to {VERSION}",
            code="store-newer",
            file=str(path),
            remedy="pip install --upgrade chainlab, or name another file with --db or CHAINLAB_DB",
        )
    return version


def _upgrade(path: Path) -> None:
    import sqlalchemy as sa

    from chainlab.store.migrations import upgrade

    prepare_file(path)
    engine = sa.create_engine("sqlite://", creator=lambda: open_writer(path), poolclass=sa.NullPool)

    # The driver would begin late and not lock; two processes that open a new file at once must take turns.
    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    try:
        with engine.begin() as connection:
            raw: Any = connection.connection.dbapi_connection
            found = _version(raw, path)
            if found >= VERSION:
                return  # another process was first
            upgrade(connection)
            if found == 0:
                connection.exec_driver_sql("INSERT INTO store (id, epoch, change) VALUES (?, 1, 0)", (new_id(),))
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
    except sa.exc.DBAPIError as problem:
        with explained(path):
            raise problem.orig or problem from problem
    finally:
        engine.dispose()
