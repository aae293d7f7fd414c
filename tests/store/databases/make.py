"""Writes the dump of a database of this version. Run by hand, once per version: python -m tests.store.databases.make"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from pathlib import Path

from chainlab.store.connection import APPLICATION_ID
from chainlab.store.migrations import VERSION
from chainlab.store.store import Store
from tests.store import facts


async def fill(store: Store) -> None:
    """One run of two steps, one of them skipped."""
    journal, run = store.journal(), "06h0gxrjzeg6g73yvhtf"
    for event in (
        facts.run_started(run, tags=("nightly",)),
        facts.step_started(run),
        facts.attempt_started(run),
        facts.attempt_finished(run),
        facts.step_finished(run, output=facts.LONG),
        facts.step_skipped(run, "publish", "draft"),
        facts.run_finished(run),
    ):
        journal.emit(event)
    await journal.durable()


def main() -> None:
    """Write `v<version>.sql` beside this file."""
    with tempfile.TemporaryDirectory() as folder:
        with Store.open(Path(folder) / "t.db") as store:
            asyncio.run(fill(store))
        connection = sqlite3.connect(Path(folder) / "t.db")
        with connection:  # nobody's machine
            connection.execute("UPDATE processes SET host = 'elsewhere', boot_id = 'b', pid = 1, pid_started = 1")
        pragmas = f"PRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {VERSION};\n"
        dump = pragmas + "\n".join(connection.iterdump()) + "\n"
        connection.close()
    (Path(__file__).parent / f"v{VERSION}.sql").write_text(dump)


if __name__ == "__main__":
    main()
