"""Emitting, and reading rows back, for the journal's tests."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

from chainlab.events import Event
from chainlab.store.journal import SqliteJournal
from chainlab.store.store import Store


def tell(journal: SqliteJournal, *events: Event) -> None:
    """Emit and wait until it is committed."""

    async def main() -> None:
        for event in events:
            journal.emit(event)
        await journal.durable()

    asyncio.run(main())


def rows(store: Store, query: str, *values: Any) -> list[dict[str, Any]]:
    connection = sqlite3.connect(store.path)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute(query, values)]
    finally:
        connection.close()


def row(store: Store, query: str, *values: Any) -> dict[str, Any]:
    (found,) = rows(store, query, *values)
    return found
