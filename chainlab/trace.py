"""A run as a reader sees it: rows and payloads put together. Frozen data; knows no database and no page.

Times are microseconds since 1970 UTC, durations microseconds, hashes hex text, cost nano-units (None: unknown).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from chainlab.events import AttemptReason, AttemptStatus, RunStatus, StepKind, StepStatus
from chainlab.values.codec import Json


@dataclass(frozen=True, slots=True)
class Failure:
    """A recorded error."""

    code: str
    message: str
    path: str | None = None


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run's row: what lists show. Reads no payload. `position` is its cursor for keyset paging."""

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
    ) -> tuple[RunSummary, ...]:
        """Newest first; `after` is the last id of the page before; `text` matches id, chain, label, error."""
        ...

    def find(self, wanted: str) -> tuple[str, ...]:
        """Ids that a person's `wanted` means: a whole id, a prefix, `last`, `last-failed`. More than one: ambiguous."""
        ...

    def trace(self, run_id: str, *, max_bytes: int = 65_536) -> Trace | None: ...
    def step(self, run_id: str, path: str, *, max_bytes: int = 65_536) -> StepTrace | None: ...
    def payload(self, hash_hex: str) -> bytes | None: ...
    def spec(self, spec_hash_hex: str) -> bytes | None:
        """The ChainSpec's JSON bytes."""
        ...

    def chains(self) -> tuple[str, ...]: ...
    def change(self) -> tuple[int, int]:
        """(epoch, change): rises with every commit."""
        ...
