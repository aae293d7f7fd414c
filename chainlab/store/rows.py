"""Events to rows: what one transaction writes, the last state of each row only. Knows no connection and no thread.

Secrets leave here, before anything is hashed. A redacted value changes its hash, so requests that name the old one are
rewritten: what a binding says and what a request says stay the same payload.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, TypeAlias

from chainlab.errors import ErrorInfo
from chainlab.events import (
    AttemptFinished,
    AttemptStarted,
    Binding,
    Event,
    RunFinished,
    RunStarted,
    StepFinished,
    StepSkipped,
    StepStarted,
)
from chainlab.store.statements import Row
from chainlab.values.codec import Json, Value, encode
from chainlab.values.redact import Redactor

LONGEST_MESSAGE = 2000
_SHORT_REQUEST = 500  # bytes at most, and it stands in its attempt
_LARGEST = 2**63 - 1

_Columns: TypeAlias = tuple[str, str]
_REQUEST: _Columns = ("request_hash", "request_text")
_RESPONSE: _Columns = ("response_hash", "response_text")
_INPUT: _Columns = ("hash", "value_text")
_OUTPUT: _Columns = ("output_hash", "output_text")


class Writing:
    """What conversion needs to know: whose rows, which project, which secrets. Lives as long as its journal."""

    __slots__ = ("errors", "process_id", "project", "renamed", "values")

    def __init__(self, process_id: str, project: str, redactor: Redactor) -> None:
        self.process_id = process_id
        self.project = project
        self.errors = redactor
        self.values = redactor.exact
        self.renamed: dict[str, str] = {}  # hash before redaction -> hash as stored; empty unless a secret was found


class Batch:
    """The rows of one transaction."""

    __slots__ = (
        "attempts",
        "attempts_done",
        "count",
        "inputs",
        "payloads",
        "results",
        "runs",
        "runs_done",
        "size",
        "specs",
        "steps",
        "steps_done",
        "steps_made",
        "steps_touched",
        "tags",
        "writing",
    )

    def __init__(self, writing: Writing) -> None:
        self.writing = writing
        self.count = self.size = 0  # events that leave rows; bytes of payloads
        self.payloads: dict[bytes, Row] = {}
        self.specs: dict[bytes, Row] = {}
        self.runs: dict[str, Row] = {}
        self.runs_done: dict[str, Row] = {}
        self.tags: dict[tuple[str, str], Row] = {}
        self.steps: dict[tuple[str, str], Row] = {}
        self.steps_done: dict[tuple[str, str], Row] = {}
        self.steps_made: dict[tuple[str, str], Row] = {}
        self.steps_touched: dict[tuple[str, str], Row] = {}
        self.results: dict[tuple[str, str], Row] = {}
        self.inputs: dict[tuple[str, str, str], Row] = {}
        self.attempts: dict[tuple[str, str, int], Row] = {}
        self.attempts_done: dict[tuple[str, str, int], Row] = {}

    def add(self, event: Event) -> None:
        """Take an event in. Token text and progress leave no row."""
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            self.count += 1
            handler(self, event)

    def changing(self) -> list[Row]:
        """The rows that get a change number, each row once."""
        return [
            *self.runs.values(),
            *self.runs_done.values(),
            *self.steps.values(),
            *self.steps_done.values(),
            *self.steps_touched.values(),
        ]

    def run_ids(self) -> set[str]:
        """The runs that the rows are of."""
        steps = (self.steps, self.steps_done, self.steps_touched)
        return {*self.runs, *self.runs_done, *(run_id for rows in steps for run_id, _ in rows)}

    def without(self, runs: Iterable[str]) -> None:
        """Drop every row of some runs. Payloads may stay: nothing names them."""
        for run in runs:
            self.runs.pop(run, None)
            self.runs_done.pop(run, None)
        gone = set(runs)
        by_run: tuple[dict[Any, Row], ...] = (
            self.tags,
            self.steps,
            self.steps_done,
            self.steps_made,
            self.steps_touched,
            self.results,
            self.inputs,
            self.attempts,
            self.attempts_done,
        )
        for rows in by_run:
            for key in [key for key in rows if key[0] in gone]:
                del rows[key]

    def payload(self, value: Value) -> bytes:
        """Store a value as a payload; its hash."""
        name = value.hash
        if name not in self.payloads:
            body = value.body
            self.payloads[name] = {"hash": name, "codec": "json", "size": len(body), "body": body}
            self.size += len(body)
        return name

    def put(self, row: Row, columns: _Columns, clean: Value, *, in_row: bool, of: Value | None = None) -> None:
        """Name a value in a row by its hash, and store it there, as text, or as a payload.

        `clean` has no secrets; `of`: what it was before, where requests may name that.
        """
        hashed, text = columns
        if in_row:
            row[hashed], row[text] = clean.hash, clean.body.decode()
        else:
            row[hashed] = self.payload(clean) if of is None else self.named(of, clean)

    def named(self, value: Value, clean: Value) -> bytes:
        """Store as a payload what a request may name; its hash. `clean`: the value without secrets."""
        if clean is not value:
            self.writing.renamed[value.hash.hex()] = clean.hash.hex()
        return self.payload(clean)

    def bind(self, run_id: str, path: str, bindings: tuple[Binding, ...]) -> None:
        """One row per parameter."""
        values = self.writing.values
        for binding in bindings:
            row: Row = {"run_id": run_id, "path": path, "name": binding.name}
            value = binding.value
            # Decided on what was given, not on what is left of it: a request names as payloads what was long then.
            self.put(row, _INPUT, values.value(value), in_row=value.inline, of=value)
            if binding.from_path is not None:
                row["from_path"] = binding.from_path
            if binding.from_field is not None:
                row["from_field"] = clean_text(binding.from_field)
            self.inputs[run_id, path, binding.name] = row

    def error(self, message: str) -> str:
        """An error's message as it is stored: no secrets, no lone surrogates, not endless."""
        return cut(clean_text(self.writing.errors.text(message)) or "")


def _run_started(batch: Batch, event: RunStarted) -> None:
    writing = batch.writing
    run_id = event.run_id
    spec = batch.payload(writing.values.value(event.spec))
    batch.specs[event.spec_hash] = {
        "hash": event.spec_hash,
        "project": writing.project,
        "chain": clean_text(event.chain),
        "payload_hash": spec,
        "first_seen_at": event.started_at,
    }
    row: Row = {
        "id": run_id,
        "project": writing.project,
        "chain": clean_text(event.chain),
        "spec_hash": event.spec_hash,
        "status": "running",
        "kind": event.run_kind,
        "root_run_id": event.root_run_id or run_id,
        "inputs_hash": writing.values.value(event.inputs).hash,
        "started_at": event.started_at,
        "process_id": writing.process_id,
    }
    if event.label is not None:
        row["label"] = clean_text(event.label)
    if event.parent_run_id is not None:
        row["parent_run_id"] = event.parent_run_id
    if event.edits is not None:
        row["edits_hash"] = batch.payload(writing.values.value(event.edits))
    if event.idempotency_key is not None:
        row["idempotency_key"] = event.idempotency_key
    if event.batch is not None:
        place = event.batch
        row |= {"batch_id": place.batch_id, "batch_key": place.key, "arm": place.arm, "sample": place.sample}
    batch.runs[run_id] = row
    for tag in event.tags:
        batch.tags[run_id, tag] = {"run_id": run_id, "tag": clean_text(tag)}
    batch.bind(run_id, "$input", event.bindings)


def _run_finished(batch: Batch, event: RunFinished) -> None:
    done: Row = {
        "status": event.status,
        "finished_at": event.finished_at,
        "duration_us": event.duration_us,
        "steps_total": event.steps_total,
        "steps_ok": event.steps_ok,
        "steps_failed": event.steps_failed,
        "steps_skipped": event.steps_skipped,
        "steps_reused": event.steps_reused,
        "tokens_in": whole(event.tokens_in),
        "tokens_out": whole(event.tokens_out),
    }
    _ended(batch, done, event.output, event.error)
    if event.error_path is not None:
        done["error_path"] = event.error_path
    if event.cost_nano is not None:
        done["cost_nano"] = whole(event.cost_nano)
    begun = batch.runs.get(event.run_id)
    if begun is not None:
        begun.update(done)
    else:
        done["key_id"] = event.run_id
        batch.runs_done[event.run_id] = done


def _step_started(batch: Batch, event: StepStarted) -> None:
    key = (event.run_id, event.path)
    batch.steps_done.pop(key, None)
    batch.steps_touched.pop(key, None)
    row: Row = {
        "run_id": event.run_id,
        "path": event.path,
        "step": _name(event.step),
        "kind": event.step_kind,
        "sort": event.sort,
        "status": "running",
        "reuse_key": event.reuse_key,
        "started_at": event.started_at,
    }
    if event.model is not None or event.backend is not None:
        row |= _made_by((event.model, event.backend, event.adapter))
    batch.steps[key] = row
    batch.bind(event.run_id, event.path, event.bindings)


def _step_skipped(batch: Batch, event: StepSkipped) -> None:
    row: Row = {
        "run_id": event.run_id,
        "path": event.path,
        "step": clean_text(event.step),
        "kind": event.step_kind,
        "sort": event.sort,
        "status": "skipped",
        "cause_path": event.cause_path,
        "finished_at": event.at,
    }
    _ended(batch, row, None, event.reason)
    key = (event.run_id, event.path)
    batch.steps_done.pop(key, None)
    batch.steps_touched.pop(key, None)
    batch.steps[key] = row


def _step_finished(batch: Batch, event: StepFinished) -> None:
    key = (event.run_id, event.path)
    done: Row = {
        "status": event.status,
        "attempts": event.attempts,
        "finished_at": event.finished_at,
        "duration_us": event.duration_us,
    }
    _ended(batch, done, event.output, event.error)
    if event.queue_us is not None:
        done["queue_us"] = event.queue_us
    _used(done, event)
    if event.origin_run_id is not None:
        done["origin_run_id"], done["origin_path"] = event.origin_run_id, event.origin_path
    begun = batch.steps.get(key)
    if begun is not None:
        begun.update(done)
    else:
        done["key_run_id"], done["key_path"] = key
        batch.steps_done[key] = done
        batch.steps_touched.pop(key, None)
    if event.made_by is not None:
        made = _made_by(event.made_by)
        if begun is not None:
            begun.pop("adapter", None)
            begun.update(made)
        else:
            batch.steps_made[key] = {"adapter": None, **made, "key_run_id": key[0], "key_path": key[1]}
    # What holds a secret is stored without it: a later run must not get it so.
    if event.cache_key is not None and event.output is not None and done["output_hash"] == event.output.hash:
        batch.results[key] = {
            "key": event.cache_key, "run_id": key[0], "path": key[1], "created_at": event.finished_at,
        }  # fmt: skip


def _attempt_started(batch: Batch, event: AttemptStarted) -> None:
    row: Row = {
        "run_id": event.run_id,
        "path": event.path,
        "n": event.n,
        "reason": event.reason,
        "status": "running",
        "process_id": batch.writing.process_id,
        "started_at": event.started_at,
    }
    if event.request is not None:
        values = batch.writing.values
        for literal in event.request.literals:
            batch.named(literal, values.value(literal))
        request = _request(batch, event.request.body)
        batch.put(row, _REQUEST, request, in_row=len(request.body) <= _SHORT_REQUEST)
    if event.model is not None or event.backend is not None:
        row |= _made_by((event.model, event.backend, event.adapter))
    if event.base is not None:
        row["base"] = clean_text(event.base)
    if event.adapter_hash is not None:
        row["adapter_hash"] = event.adapter_hash
    batch.attempts[event.run_id, event.path, event.n] = row
    _touch(batch, event.run_id, event.path, event.n)


def _attempt_finished(batch: Batch, event: AttemptFinished) -> None:
    key = (event.run_id, event.path, event.n)
    error = event.error
    done: Row = {"status": event.status, "duration_us": event.duration_us}
    status = event.http_status or (error.http_status if error is not None else None)
    if event.response is not None:
        # What a server answers to a refused call may repeat the call's headers; what a model wrote is the user's.
        refused = (event.http_status or 0) >= 400 or (error is not None and (error.http_status or 0) >= 400)
        redactor = batch.writing.errors if refused else batch.writing.values
        response = redactor.value(event.response)
        batch.put(done, _RESPONSE, response, in_row=response.inline)
    _ended(batch, done, None, error)
    if status is not None:
        done["http_status"] = whole(status)
    if event.finish_reason is not None:
        done["finish_reason"] = _name(event.finish_reason)
    if event.served_model is not None:
        done["served_model"] = _name(event.served_model)
    _used(done, event)
    if event.tokens_cached is not None:
        done["tokens_cached"] = whole(event.tokens_cached)
    if event.gauges is not None:
        done["gauges"] = encode(event.gauges).decode()
    begun = batch.attempts.get(key)
    if begun is not None:
        begun.update(done)
    else:
        done["key_run_id"], done["key_path"], done["key_n"] = key
        batch.attempts_done[key] = done
    _touch(batch, event.run_id, event.path, event.n)


def _ended(batch: Batch, row: Row, output: Value | None, error: ErrorInfo | None) -> None:
    """What came of it: an output, or an error."""
    if output is not None:
        batch.put(row, _OUTPUT, batch.writing.values.value(output), in_row=output.inline, of=output)
    if error is not None:
        row["error_code"], row["error_message"] = clean_text(error.code), batch.error(error.text)


def _used(row: Row, event: StepFinished | AttemptFinished) -> None:
    """What it took, as far as the backend said."""
    if event.ttft_us is not None:
        row["ttft_us"] = whole(event.ttft_us)
    if event.tokens_in is not None:
        row["tokens_in"] = whole(event.tokens_in)
    if event.tokens_out is not None:
        row["tokens_out"] = whole(event.tokens_out)
    if event.cost_nano is not None:
        row["cost_nano"] = whole(event.cost_nano)


@lru_cache(maxsize=256)
def _made_by(made_by: tuple[str | None, str | None, str | None]) -> Row:
    """Model, backend, adapter. One row for all who ask: it is copied from, never changed."""
    model, backend, adapter = made_by
    row: Row = {"model": clean_text(model), "backend": clean_text(backend)}
    if adapter is not None:
        row["adapter"] = clean_text(adapter)
    return row


def _touch(batch: Batch, run_id: str, path: str, n: int) -> None:
    # An attempt has no change number of its own: it raises its step's.
    key = (run_id, path)
    begun = batch.steps.get(key)
    if begun is not None:
        begun["attempts"] = n
    elif key not in batch.steps_done:
        batch.steps_touched[key] = {"key_run_id": run_id, "key_path": path, "attempts": n}


def _request(batch: Batch, body: Value) -> Value:
    clean = batch.writing.values.value(body)
    renamed = batch.writing.renamed
    if not renamed:
        return clean
    json = clean.json
    changed = {**json, "messages": [_renamed(message, renamed) for message in json.get("messages", ())]}
    return clean if changed == json else Value(changed)


def _renamed(message: Json, renamed: dict[str, str]) -> Json:
    segments = [
        {**segment, "p": renamed.get(segment["p"], segment["p"])}
        if isinstance(segment, dict) and "p" in segment
        else segment
        for segment in message.get("segments", ())
    ]
    return {**message, "segments": segments}


def clean_text(text: str | None) -> str | None:
    """A text that every database takes: lone surrogates and NUL as escapes."""
    if text is None or (text.isascii() and "\0" not in text):
        return text
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


_name = lru_cache(maxsize=1024)(clean_text)  # of steps, models, backends: the same ones again and again


def cut(text: str) -> str:
    """A text of bounded length, visibly cut."""
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"


def whole(number: int | None) -> int | None:
    """A number that a 64-bit column takes: servers say what they like."""
    if number is None or -_LARGEST <= number <= _LARGEST:
        return number
    return _LARGEST if number > 0 else -_LARGEST


_HANDLERS: dict[type, Callable[[Batch, Any], None]] = {
    RunStarted: _run_started,
    RunFinished: _run_finished,
    StepStarted: _step_started,
    StepSkipped: _step_skipped,
    StepFinished: _step_finished,
    AttemptStarted: _attempt_started,
    AttemptFinished: _attempt_finished,
}
