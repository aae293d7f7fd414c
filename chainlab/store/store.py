"""A trace database, opened: its journal, its reader, its place. SQLAlchemy loads with the first journal."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from chainlab.errors import StoreError
from chainlab.store.migrate import ensure
from chainlab.store.reader import SqliteReader
from chainlab.store.results import StoredResults
from chainlab.values.redact import Redactor

if TYPE_CHECKING:
    from chainlab.store.batches import BatchWriter
    from chainlab.store.journal import SqliteJournal


class Store:
    """One database file. `Store.open(path)` creates or migrates it; `project` labels the runs that are written."""

    def __init__(self, path: Path, *, project: str, redactor: Redactor) -> None:
        self.path = path
        self.project = project
        self.reader = SqliteReader(path)
        self.results = StoredResults(self.reader)
        self.redactor = redactor
        self._journal: SqliteJournal | None = None
        self._lock = threading.Lock()
        self._closed = False

    @classmethod
    def open(cls, path: Path | str, *, project: str = "", redactor: Redactor | None = None) -> Store:
        """Open, create or migrate the database at `path`. Raises StoreError."""
        place = Path(path).expanduser().absolute()
        ensure(place)
        return cls(place, project=project, redactor=redactor or Redactor())

    def journal(self) -> SqliteJournal:
        """The journal: one per store, begun by the first call, replaced after a failure. Raises StoreError."""
        journal = self._journal
        if journal is not None and not journal.failed and not self._closed:
            return journal
        from chainlab.store.journal import SqliteJournal

        with self._lock:
            if self._closed:
                raise StoreError(
                    "the store is closed", code="store-closed", file=str(self.path), remedy="open it again"
                )
            if self._journal is not None and self._journal.failed:
                self._journal.close()
                self._journal = None
            if self._journal is None:
                self._journal = SqliteJournal(self.path, project=self.project, redactor=self.redactor)
            return self._journal

    def batches(self) -> BatchWriter:
        """What writes batches, as the process that the journal says we are. Raises StoreError."""
        from chainlab.store.batches import BatchWriter

        process_id = self.journal().process_id
        return BatchWriter(self.path, project=self.project, process_id=process_id, redactor=self.redactor)

    def close(self) -> None:
        """Write what has come and close every connection. Idempotent."""
        with self._lock:
            self._closed = True
            if self._journal is not None:
                self._journal.close()
                self._journal = None
            self.reader.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
