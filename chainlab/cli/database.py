"""The trace database that a command reads: which one, and whether it is there. Never makes one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chainlab.config.place import default_db, find_root
from chainlab.errors import StoreError

if TYPE_CHECKING:
    from chainlab.store.store import Store
    from chainlab.trace import TraceReader


def place(db: Path | None) -> Path:
    """Where the database is: what was named, else the project's."""
    return (db if db is not None else default_db(find_root())).expanduser().absolute()


def open_existing(db: Path | None) -> Store:
    """The store. Raises StoreError `no-traces` when there is no such file."""
    from chainlab.store.store import Store

    path = place(db)
    if not path.exists():
        raise StoreError(
            "there are no traces yet",
            code="no-traces",
            file=str(path),
            remedy="run a chain first (chainlab demo shows one), or name a database with --db PATH",
        )
    return Store.open(path)


def find_run(reader: TraceReader, wanted: str, path: Path) -> str:
    """The one run that a person means: an id, a prefix, `last`, `last-failed`. Raises StoreError `run-not-found`."""
    found = reader.find(wanted)
    if len(found) == 1:
        return found[0]
    if found:
        raise StoreError(
            f"{wanted!r} is the beginning of {len(found)} runs: {', '.join(found[:3])}...",
            code="run-not-found",
            file=str(path),
            remedy="give more characters of the id",
        )
    if wanted in reader.chains():
        raise StoreError(
            f"{wanted!r} is a chain, and a run is needed here",
            code="run-not-found",
            file=str(path),
            remedy=f"take one of its runs: chainlab runs --chain {wanted}",
        )
    none = {"last": "no run yet", "last-failed": "no failed run"}.get(wanted.strip().lower(), f"no run {wanted!r}")
    raise StoreError(
        f"there is {none}",
        code="run-not-found",
        file=str(path),
        remedy="list the runs with `chainlab runs`, or name another database with --db PATH",
    )
