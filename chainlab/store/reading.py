"""One read transaction: rows to the frozen data of `trace.py`. Knows SQL and columns, opens nothing.

Remembers within the transaction which processes are gone, so that every row of an answer says the same.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from chainlab.store.process import Process, is_dead
from chainlab.store.requests import messages_of
from chainlab.trace import (
    AttemptRow,
    Datum,
    Failure,
    InputHash,
    InputRow,
    RequestMessage,
    RunHashes,
    RunRecord,
    RunSummary,
    StepHashes,
    StepRecord,
    StepSummary,
    TryTime,
    reply_text,
)
from chainlab.values.codec import Json, decode

RUN = (
    "r.id, r.project, r.chain, r.spec_hash, r.status, r.kind, r.label, r.parent_run_id, r.root_run_id, r.error_code,"
    " r.error_message, r.error_path, r.started_at, r.finished_at, r.duration_us, r.steps_total, r.steps_ok,"
    " r.steps_failed, r.steps_skipped, r.steps_reused, r.tokens_in, r.tokens_out, r.cost_nano, r.change, r.process_id,"
    " r.output_hash, r.kept_at"
)
STEP = (
    "s.run_id, s.path, s.step, s.kind, s.sort, s.status, s.model, s.backend, s.adapter, s.reuse_key, s.output_hash,"
    " s.origin_run_id, s.origin_path, s.cause_path, s.error_code, s.error_message, s.attempts, s.started_at,"
    " s.finished_at, s.duration_us, s.queue_us, s.ttft_us, s.tokens_in, s.tokens_out, s.cost_nano, s.change"
)
ATTEMPT = (
    "a.n, a.reason, a.status, a.request_hash, a.request_text, a.response_hash, a.response_text, a.http_status,"
    " a.error_code, a.error_message,"
    " a.finish_reason, a.served_model, a.backend, a.base, a.adapter, a.started_at, a.duration_us, a.ttft_us,"
    " a.tokens_in, a.tokens_out, a.cost_nano, a.tokens_cached, a.gauges, a.adapter_hash, a.model"
)
LIVE = "('queued', 'running')"


class Reading:
    """One read transaction: what it asks, and what it remembers of the answers."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        self._connection = connection
        self._dead: dict[str, bool] = {}

    def all(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """Every row of a query."""
        return self._connection.execute(query, values).fetchall()

    def dead(self) -> list[str]:
        """The processes that are gone and left runs open."""
        rows = self.all(f"SELECT DISTINCT process_id FROM runs WHERE status IN {LIVE} AND process_id IS NOT NULL")
        return [row[0] for row in rows if self._is_dead(row[0])]

    def status(self, status: str, process_id: str | None) -> str:
        """A run's status as it is shown."""
        if status in ("queued", "running") and process_id is not None and self._is_dead(process_id):
            return "interrupted"
        return status

    def summaries(self, rows: list[sqlite3.Row]) -> tuple[RunSummary, ...]:
        """Runs with their tags, as they are shown."""
        tags: dict[str, list[str]] = {row["id"]: [] for row in rows}
        marks = ", ".join("?" * len(tags))
        for run_id, tag in self.all(f"SELECT run_id, tag FROM run_tags WHERE run_id IN ({marks}) ORDER BY tag", *tags):
            tags[run_id].append(tag)
        return tuple(_run(row, self.status(row["status"], row["process_id"]), tuple(tags[row["id"]])) for row in rows)

    def inputs(self, run_id: str, path: str, max_bytes: int) -> tuple[InputRow, ...]:
        """The parameters of a step, or of the run (`$input`)."""
        rows = self.all(
            "SELECT i.name, i.from_path, i.from_field, i.hash, i.value_text, p.size,"
            " CASE WHEN p.size <= ? THEN p.body END"
            " FROM step_inputs i LEFT JOIN payloads p ON p.hash = i.hash AND i.value_text IS NULL"
            " WHERE i.run_id = ? AND i.path = ? ORDER BY i.name",
            max_bytes,
            run_id,
            path,
        )
        return tuple(InputRow(row["name"], _datum(*row[3:]), row["from_path"], row["from_field"]) for row in rows)

    def output(self, table: str, which: str, max_bytes: int, *key: str) -> Datum | None:
        """The output of a run or step."""
        rows = self.all(
            "SELECT t.output_hash, t.output_text, p.size, CASE WHEN p.size <= ? THEN p.body END"
            f" FROM {table} t LEFT JOIN payloads p ON p.hash = t.output_hash AND t.output_text IS NULL WHERE {which}",
            max_bytes,
            *key,
        )
        return _datum(*rows[0]) if rows and rows[0][0] is not None else None

    def record(self, run: RunSummary) -> RunRecord | None:
        """A run as a replay needs it; None: its chain is not stored."""
        specs = self.all(
            "SELECT p.body FROM specs s JOIN payloads p ON p.hash = s.payload_hash WHERE s.hash = ?",
            unhex(run.spec_hash),
        )
        edits = self.all("SELECT p.body FROM runs r JOIN payloads p ON p.hash = r.edits_hash WHERE r.id = ?", run.id)
        if not specs:
            return None
        bound: dict[str, dict[str, bytes]] = {}
        for path, name, hashed in self.all("SELECT path, name, hash FROM step_inputs WHERE run_id = ?", run.id):
            bound.setdefault(path, {})[name] = hashed
        took = self.all(
            "SELECT i.path, coalesce(CAST(i.value_text AS BLOB), p.body) FROM step_inputs i"
            " JOIN steps s ON s.run_id = i.run_id AND s.path = i.path"
            " LEFT JOIN payloads p ON p.hash = i.hash AND i.value_text IS NULL"
            " WHERE i.run_id = ? AND s.kind IN ('each', 'when', 'route')",
            run.id,
        )
        decided = {path: decode(body) for path, body in took if body is not None}
        inputs = self.all(
            "SELECT i.name, coalesce(CAST(i.value_text AS BLOB), p.body) FROM step_inputs i"
            " LEFT JOIN payloads p ON p.hash = i.hash AND i.value_text IS NULL"
            " WHERE i.run_id = ? AND i.path = '$input'",
            run.id,
        )
        rows = self.all(
            "SELECT s.path, s.step, s.kind, s.status, s.reuse_key, s.model, s.backend, s.adapter, s.output_hash,"
            " coalesce(CAST(s.output_text AS BLOB), p.body) AS body, s.origin_run_id, s.origin_path, s.duration_us,"
            " s.tokens_in, s.tokens_out FROM steps s"
            " LEFT JOIN payloads p ON p.hash = s.output_hash AND s.output_text IS NULL"
            " WHERE s.run_id = ? ORDER BY s.sort, s.path",
            run.id,
        )
        over = run.status not in ("queued", "running")
        return RunRecord(
            run=run,
            spec=specs[0][0],
            inputs={name: decode(body) for name, body in inputs if body is not None},
            steps=tuple(
                _record(row, run.id, bound.get(row["path"], {}), decided.get(row["path"]), over) for row in rows
            ),
            edits=decode(edits[0][0]) if edits else None,
        )

    def hashes(self, run_id: str) -> RunHashes:
        """What all steps of a run got and asked, without any value."""
        inputs: dict[str, list[InputHash]] = {}
        for path, name, hashed, from_path, from_field in self.all(
            "SELECT path, name, hash, from_path, from_field FROM step_inputs WHERE run_id = ? ORDER BY path, name",
            run_id,
        ):
            inputs.setdefault(path, []).append(InputHash(name, hashed.hex(), from_path, from_field))
        first: dict[str, str | None] = {}
        last: dict[str, sqlite3.Row] = {}
        for row in self.all(
            "SELECT path, request_hash, backend, model, adapter, adapter_hash FROM attempts WHERE run_id = ?"
            " ORDER BY path, n",
            run_id,
        ):
            first.setdefault(row["path"], _hex(row["request_hash"]))
            last[row["path"]] = row
        steps = {path: StepHashes(tuple(found)) for path, found in inputs.items()}
        for path, row in last.items():
            steps[path] = StepHashes(
                steps[path].inputs if path in steps else (),
                first[path],
                row["backend"],
                row["model"],
                row["adapter"],
                _hex(row["adapter_hash"]),
            )
        edits = self.all("SELECT p.body FROM runs r JOIN payloads p ON p.hash = r.edits_hash WHERE r.id = ?", run_id)
        return RunHashes(steps, decode(edits[0][0]) if edits else None)

    def tries(self, run_id: str) -> dict[str, tuple[TryTime, ...]]:
        """By path: the tries of the steps that have more than one."""
        found: dict[str, tuple[TryTime, ...]] = {}
        owner = self.all("SELECT status, process_id FROM runs WHERE id = ?", run_id)
        over = bool(owner) and self.status(*owner[0]) not in ("queued", "running")
        # The table's key is (run_id, path, n): a second try is looked up, not searched for.
        rows = self.all(
            "SELECT a.path, a.n, a.reason, a.status, a.started_at, a.duration_us, a.ttft_us FROM attempts a"
            " WHERE a.run_id = ? AND EXISTS (SELECT 1 FROM attempts b WHERE b.run_id = a.run_id AND b.path = a.path"
            " AND b.n = 2) ORDER BY a.path, a.n",
            run_id,
        )
        for path, n, reason, status, started_at, duration_us, ttft_us in rows:
            shown: Any = "interrupted" if over and status == "running" else status
            found[path] = (*found.get(path, ()), TryTime(n, reason, shown, started_at, duration_us, ttft_us))
        return found

    def payload(self, hash_hex: str) -> bytes | None:
        """The bytes of a payload."""
        found = self.all("SELECT body FROM payloads WHERE hash = ?", unhex(hash_hex))
        return found[0][0] if found else None

    def attempt(self, row: sqlite3.Row, over: bool, max_bytes: int) -> AttemptRow:
        """An attempt with its request and reply. `over`: its run has ended, so nobody will close it any more."""
        messages, parameters = self._request(row["request_hash"], row["request_text"])
        reply, text = self._reply(row["response_hash"], row["response_text"], max_bytes)
        return AttemptRow(
            n=row["n"],
            reason=row["reason"],
            status="interrupted" if over and row["status"] == "running" else row["status"],
            messages=messages,
            parameters=parameters,
            reply=reply,
            reply_text=text,
            http_status=row["http_status"],
            error=_failure(row, None),
            finish_reason=row["finish_reason"],
            served_model=row["served_model"],
            backend=row["backend"],
            base=row["base"],
            adapter=row["adapter"],
            started_at=row["started_at"],
            duration_us=row["duration_us"],
            ttft_us=row["ttft_us"],
            tokens_in=row["tokens_in"],
            tokens_out=row["tokens_out"],
            cost_nano=row["cost_nano"],
            tokens_cached=row["tokens_cached"],
            gauges=None if row["gauges"] is None else decode(row["gauges"]),
            adapter_hash=_hex(row["adapter_hash"]),
            model=row["model"],
        )

    def _request(self, hashed: bytes | None, inline: str | None) -> tuple[tuple[RequestMessage, ...], Json]:
        body = inline or (None if hashed is None else self.payload(hashed.hex()))
        if body is None:
            return (), None
        request = decode(body)
        return messages_of(request, self.payload), request.get("parameters")

    def _reply(self, hashed: bytes | None, inline: str | None, max_bytes: int) -> tuple[Datum | None, str | None]:
        if hashed is None:
            return None, None
        rows = self.all(
            "SELECT size, CASE WHEN size <= ? THEN body END FROM payloads WHERE hash = ?", max_bytes, hashed
        )
        reply = _datum(hashed, inline, *(rows[0] if rows else (None, None)))
        if reply.text is None:
            return reply, None
        return reply, reply_text(decode(reply.text))

    def _is_dead(self, process_id: str) -> bool:
        if process_id not in self._dead:
            rows = self.all(
                "SELECT host, boot_id, pid, pid_started, ended_at IS NOT NULL AS ended FROM processes WHERE id = ?",
                process_id,
            )
            self._dead[process_id] = not rows or is_dead(Process(*rows[0]))
        return self._dead[process_id]


def _run(row: sqlite3.Row, status: Any, tags: tuple[str, ...]) -> RunSummary:
    return RunSummary(
        id=row["id"],
        project=row["project"],
        chain=row["chain"],
        spec_hash=row["spec_hash"].hex(),
        status=status,
        kind=row["kind"],
        label=row["label"],
        parent_run_id=row["parent_run_id"],
        root_run_id=row["root_run_id"],
        error=_failure(row, row["error_path"]),
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        duration_us=row["duration_us"],
        steps_total=row["steps_total"],
        steps_ok=row["steps_ok"],
        steps_failed=row["steps_failed"],
        steps_skipped=row["steps_skipped"],
        steps_reused=row["steps_reused"],
        tokens_in=row["tokens_in"],
        tokens_out=row["tokens_out"],
        cost_nano=row["cost_nano"],
        tags=tags,
        change=row["change"],
        output_hash=_hex(row["output_hash"]),
        kept_at=row["kept_at"],
    )


def _record(row: sqlite3.Row, run_id: str, inputs: dict[str, bytes], took: Json, over: bool) -> StepRecord:
    return StepRecord(
        path=row["path"],
        step=row["step"],
        kind=row["kind"],
        status=_status(row["status"], over),
        reuse_key=row["reuse_key"],
        model=row["model"],
        backend=row["backend"],
        adapter=row["adapter"],
        inputs=inputs,
        output_hash=row["output_hash"],
        output_body=row["body"],
        took=took,
        origin=(row["origin_run_id"] or run_id, row["origin_path"] or row["path"]),
        duration_us=row["duration_us"],
        tokens_in=row["tokens_in"],
        tokens_out=row["tokens_out"],
    )


def _status(status: Any, over: bool) -> Any:
    """No step of a run that is over is still at work: nobody was there to say how it ended."""
    return "interrupted" if over and status in ("queued", "running") else status


def step_of(row: sqlite3.Row, over: bool) -> StepSummary:
    """A step's row."""
    return StepSummary(
        run_id=row["run_id"],
        path=row["path"],
        step=row["step"],
        kind=row["kind"],
        sort=row["sort"],
        status=_status(row["status"], over),
        model=row["model"],
        backend=row["backend"],
        adapter=row["adapter"],
        reuse_key=_hex(row["reuse_key"]),
        output_hash=_hex(row["output_hash"]),
        origin_run_id=row["origin_run_id"],
        origin_path=row["origin_path"],
        cause_path=row["cause_path"],
        error=_failure(row, row["path"]),
        attempts=row["attempts"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        duration_us=row["duration_us"],
        queue_us=row["queue_us"],
        ttft_us=row["ttft_us"],
        tokens_in=row["tokens_in"],
        tokens_out=row["tokens_out"],
        cost_nano=row["cost_nano"],
        change=row["change"],
    )


def _failure(row: sqlite3.Row, path: str | None) -> Failure | None:
    return None if row["error_code"] is None else Failure(row["error_code"], row["error_message"] or "", path)


def _datum(hashed: bytes, inline: str | None, size: int | None, body: bytes | None) -> Datum:
    if inline is not None:
        return Datum(len(inline.encode()), None, inline)
    return Datum(size or 0, hashed.hex(), None if body is None else body.decode())


def _hex(hashed: bytes | None) -> str | None:
    return None if hashed is None else hashed.hex()


def unhex(text: str) -> bytes:
    """The bytes of a hash written in hex; what is not hex names nothing."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
