"""Outputs kept across runs, found by everything that was sent for them. Reads; the journal writes them."""

from __future__ import annotations

from chainlab.protocols import Kept
from chainlab.store.reader import SqliteReader
from chainlab.values.codec import Value, decode


class StoredResults:
    """protocols.Results on a trace database."""

    def __init__(self, reader: SqliteReader) -> None:
        self._reader = reader

    async def find(self, key: bytes) -> Kept | None:
        """The output kept under this key. One read by primary key: not worth a thread."""
        with self._reader.reading() as read:
            rows = read.all(
                "SELECT s.run_id, s.path, s.output_hash, coalesce(CAST(s.output_text AS BLOB), p.body) AS body"
                " FROM results r JOIN steps s ON s.run_id = r.run_id AND s.path = r.path"
                " LEFT JOIN payloads p ON p.hash = s.output_hash AND s.output_text IS NULL"
                " WHERE r.key = ? AND s.status = 'ok'",
                key,
            )
        if not rows or rows[0]["body"] is None:
            return None
        row = rows[0]
        return Kept(Value(decode(row["body"]), row["body"], row["output_hash"]), row["run_id"], row["path"])
