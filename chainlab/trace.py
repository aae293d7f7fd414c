"""A run as a reader sees it: rows and payloads put together. Frozen data; knows no database and no page.

Times are microseconds since 1970 UTC, durations microseconds, hashes hex text, cost nano-units (None: unknown).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from chainlab.events import AttemptReason, AttemptStatus, RunStatus, StepKind, StepStatus
from chainlab.values.codec import Json, Value, decode


@dataclass(frozen=True, slots=True)
class Failure:
    """A recorded error."""

    code: str
    message: str
    path: str | None = None


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run's row: what lists show. Reads no payload. `position` is its cursor for keyset paging.

    `kept_at`: when a person accepted the fork (microseconds since 1970), else None.
    """

    id: str
    project: str
    chain: str
    spec_hash: str
    status: RunStatus
    kind: str
    label: str | None
    parent_run_id: str | None
    root_run_id: str
    error: Failure | None
    started_at: int
    finished_at: int | None
    duration_us: int | None
    steps_total: int
    steps_ok: int
    steps_failed: int
    steps_skipped: int
    steps_reused: int
    tokens_in: int
    tokens_out: int
    cost_nano: int | None
    tags: tuple[str, ...]
    change: int
    output_hash: str | None = None
    kept_at: int | None = None


@dataclass(frozen=True, slots=True)
class StepSummary:
    """A step's row, without inputs and attempts."""

    run_id: str
    path: str
    step: str
    kind: StepKind
    sort: str
    status: StepStatus
    model: str | None
    backend: str | None
    adapter: str | None
    reuse_key: str | None
    output_hash: str | None
    origin_run_id: str | None
    origin_path: str | None
    cause_path: str | None
    error: Failure | None
    attempts: int
    started_at: int | None
    finished_at: int | None
    duration_us: int | None
    queue_us: int | None
    ttft_us: int | None
    tokens_in: int | None
    tokens_out: int | None
    cost_nano: int | None
    change: int


@dataclass(frozen=True, slots=True)
class Datum:
    """A stored value: its JSON text, size in bytes, and its payload's hash (None: it stands inline).

    `text` is None when the payload is larger than the reader asked for; fetch it by `hash` then.
    """

    size: int
    hash: str | None
    text: str | None


@dataclass(frozen=True, slots=True)
class InputRow:
    """One parameter of a step and where its value came from."""

    name: str
    value: Datum
    from_path: str | None
    from_field: str | None


@dataclass(frozen=True, slots=True)
class RequestSegment:
    """A piece of a rendered message: literal text, or what a variable printed (`variable`, such as `section.body`)."""

    text: str
    variable: str | None = None


@dataclass(frozen=True, slots=True)
class RequestMessage:
    """One message as it was sent, exactly."""

    role: str
    segments: tuple[RequestSegment, ...]


def reply_text(stored: Json) -> str | None:
    """What the model wrote, of a reply as it is stored: that text, or, where there is more, an object with it."""
    text = stored.get("text") if isinstance(stored, dict) else stored
    return text if isinstance(text, str) else None


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One try of a step: the exact request, the raw reply, the error."""

    n: int
    reason: AttemptReason
    status: AttemptStatus
    messages: tuple[RequestMessage, ...]
    parameters: Json
    reply: Datum | None
    reply_text: str | None
    http_status: int | None
    error: Failure | None
    finish_reason: str | None
    served_model: str | None
    backend: str | None
    base: str | None
    adapter: str | None
    started_at: int
    duration_us: int | None
    ttft_us: int | None
    tokens_in: int | None
    tokens_out: int | None
    cost_nano: int | None
    tokens_cached: int | None = None
    gauges: Mapping[str, float] | None = None
    adapter_hash: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class TryTime:
    """When one try of a step was made: what a timeline draws. `started_at` by the wall clock, the rest durations."""

    n: int
    reason: AttemptReason
    status: AttemptStatus
    started_at: int
    duration_us: int | None
    ttft_us: int | None


@dataclass(frozen=True, slots=True)
class StepTrace:
    """Everything about one step of one run."""

    summary: StepSummary
    inputs: tuple[InputRow, ...]
    output: Datum | None
    attempts: tuple[AttemptRow, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """A whole run: its row, its inputs and output, its steps in order."""

    run: RunSummary
    inputs: tuple[InputRow, ...]
    output: Datum | None
    steps: tuple[StepSummary, ...]


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A step as a replay needs it: what it was, what it got (hashes, by parameter), what it gave.

    `took` is what an each, when or route decided by: the items, the truth, the value. `origin` is where the output was
    made: this run and path, or those that it was reused from.
    """

    path: str
    step: str
    kind: StepKind
    status: StepStatus
    reuse_key: bytes | None
    model: str | None
    backend: str | None
    adapter: str | None
    inputs: Mapping[str, bytes]
    output_hash: bytes | None
    output_body: bytes | None
    took: Json
    origin: tuple[str, str]
    duration_us: int | None
    tokens_in: int | None
    tokens_out: int | None

    @property
    def output(self) -> Value | None:
        """What the step gave; None: nothing."""
        if self.output_body is None:
            return None
        return Value(decode(self.output_body), self.output_body, self.output_hash)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as a replay needs it. `edits`: what made it, when it is a fork itself."""

    run: RunSummary
    spec: bytes
    inputs: Mapping[str, Json]
    steps: tuple[StepRecord, ...]
    edits: Json


@dataclass(frozen=True, slots=True)
class InputHash:
    """One parameter of a step, without its value. Equal hashes (of short values, too), equal values."""

    name: str
    hash: str
    from_path: str | None
    from_field: str | None


@dataclass(frozen=True, slots=True)
class StepHashes:
    """What a step got and asked, by hashes: its inputs, the request of its first attempt, and who answered its last."""

    inputs: tuple[InputHash, ...] = ()
    request: str | None = None
    backend: str | None = None
    model: str | None = None
    adapter: str | None = None
    adapter_hash: str | None = None


@dataclass(frozen=True, slots=True)
class RunHashes:
    """A run's hashes by path (`$input`: the run itself). `edits`: what made a fork, as it is stored (else None)."""

    steps: Mapping[str, StepHashes]
    edits: Json


RunOrder: TypeAlias = Literal["newest", "oldest", "slowest", "tokens", "cost"]
"""How a list of runs is sorted: by when they began, or with the longest, the most tokens, the dearest first."""

BatchKind: TypeAlias = Literal["backtest", "noise"]
BatchStatus: TypeAlias = Literal["running", "done", "cancelled", "interrupted"]


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """A batch's row. `done` of `total` runs are settled: ended or refused. `summary`: what came of it (None: not yet).

    `interrupted` is computed on reading: the process that made it is gone.
    """

    id: str
    project: str
    kind: BatchKind
    chain: str
    status: BatchStatus
    total: int
    done: int
    summary: Json
    created_at: int
    finished_at: int | None
    change: int


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """A batch with what it was asked to do: the edits of its runs, and its plan."""

    batch: BatchSummary
    edits: Json
    plan: Json


@dataclass(frozen=True, slots=True)
class BatchRun:
    """A run and its place in a batch. `key` is the run it was made from; `go`: 2 where the first was cut off, ..."""

    key: str
    go: int
    arm: str
    sample: int
    run: RunSummary


@dataclass(frozen=True, slots=True)
class Changed:
    """What has changed in a store up to `change`. `store` and `epoch` say whose change number it is.

    `runs`: id and chain of every run that has changed, itself or in a step; no chain: it was deleted. `batches`: some
    of them have changed. `too_many`: more runs than were asked for, or too far back to tell; `runs` is empty then.
    """

    store: str
    epoch: int
    change: int
    runs: tuple[tuple[str, str | None], ...] = ()
    batches: bool = False
    too_many: bool = False


def batch_key(key: str, go: int) -> str:
    """How a place is written in `batch_key`: `06h0...`, and `06h0...~2` for its second go. Each is taken once."""
    return key if go == 1 else f"{key}~{go}"


class TraceReader(Protocol):
    """Reads traces. Every method is one short read transaction; unknown ids give None."""

    def runs(
        self,
        *,
        chain: str | None = None,
        status: str | None = None,
        tag: str | None = None,
        text: str | None = None,
        limit: int = 50,
        after: str | None = None,
        order: RunOrder = "newest",
    ) -> tuple[RunSummary, ...]:
        """A page of runs; `after` is the last id of the page before; `text` matches id, chain, label, error."""
        ...

    def find(self, wanted: str) -> tuple[str, ...]:
        """Ids that a person's `wanted` means: a whole id, a prefix, `last`, `last-failed`. More than one: ambiguous."""
        ...

    def trace(self, run_id: str, *, max_bytes: int = 65_536) -> Trace | None: ...
    def step(self, run_id: str, path: str, *, max_bytes: int = 65_536) -> StepTrace | None: ...
    def tries(self, run_id: str) -> Mapping[str, tuple[TryTime, ...]]:
        """By path: the tries of the steps that have more than one, in one query and without what was said."""
        ...

    def record(self, run_id: str) -> RunRecord | None:
        """A run with its spec, inputs and every step's output."""
        ...

    def hashes(self, run_id: str) -> RunHashes:
        """What all steps of a run got and asked, in few queries and without any value. No such run: empty."""
        ...

    def by_idempotency_key(self, key: str) -> str | None:
        """The id of the run that was begun under this key."""
        ...

    def batch(self, batch_id: str) -> BatchRecord | None:
        """A batch with what it was asked to do."""
        ...

    def batches(
        self, *, chain: str | None = None, kind: str | None = None, limit: int = 50, after: str | None = None
    ) -> tuple[BatchSummary, ...]:
        """Newest first; `after` is the last id of the page before."""
        ...

    def batch_runs(self, batch_id: str) -> tuple[BatchRun, ...]:
        """The runs of a batch in the order they began; a place that was cut off comes once for every go."""
        ...

    def find_batch(self, wanted: str) -> tuple[str, ...]:
        """Ids that a person's `wanted` means: a whole id, a prefix, `last`. More than one: ambiguous."""
        ...

    def batch_by_key(self, key: str) -> str | None:
        """The id of the batch that was begun under this idempotency key."""
        ...

    def payload(self, hash_hex: str) -> bytes | None: ...
    def spec(self, spec_hash_hex: str) -> bytes | None:
        """The ChainSpec's JSON bytes."""
        ...

    def chains(self) -> tuple[str, ...]: ...
    def change(self) -> tuple[int, int]:
        """(epoch, change): rises with every commit."""
        ...

    def changed(self, after: int | None, *, upto: int | None = None, most: int = 256) -> Changed:
        """What has changed after a change number, up to another one; `after` None: only where the store is."""
        ...

    def lost(self, *, most: int = 256) -> tuple[tuple[str, str], ...]:
        """Id and chain of open runs whose process is gone. No commit says so: it is found by looking."""
        ...
