"""What happens in a run, as the engine says it.

Immutable facts that live in the process; the store keeps rows, not events.
"""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from chainlab.errors import ErrorInfo
from chainlab.values.codec import Value
from chainlab.values.fact import fact

StepKind: TypeAlias = Literal["prompt", "code", "each", "when", "route", "refine", "chain"]
RunStatus: TypeAlias = Literal["queued", "running", "ok", "failed", "cancelled", "interrupted"]
StepStatus: TypeAlias = Literal[
    "queued", "running", "ok", "failed", "skipped", "reused", "cached", "cancelled", "interrupted"
]
AttemptStatus: TypeAlias = Literal["running", "ok", "failed", "cancelled", "interrupted"]
AttemptReason: TypeAlias = Literal["first", "transport", "validation", "fallback", "sample", "resume"]


@fact
class Binding:
    """One parameter of a step: the value it got and where from (`from_path` None: a constant; '$input'.

    A chain input).
    """

    name: str
    value: Value
    from_path: str | None = None
    from_field: str | None = None


@fact
class RequestRecord:
    """A request as it is stored: `body` holds everything, with message texts as segments.

    A segment is a literal string, or {"p": hash hex, "at": [path], "v": "name.path"} for text that is (part of) an
    input payload, or {"t": text, "v": "name.path"} for a short value of a variable, or {"p": hash hex} for a long text
    that many requests share: one of the `literals`.
    """

    body: Value
    literals: tuple[Value, ...] = ()


@fact
class BatchPlace:
    """A run's place in a batch: which item (`key`), which arm of the comparison, which sample."""

    batch_id: str
    key: str
    arm: str = ""
    sample: int = 0


@fact
class RunStarted:
    """A run begins.

    `bindings` are the chain's inputs; `spec` is the ChainSpec's JSON and `spec_hash` its content hash.
    """

    kind: ClassVar[str] = "run_started"
    run_id: str
    chain: str
    spec_hash: bytes
    spec: Value
    inputs: Value
    bindings: tuple[Binding, ...]
    started_at: int
    tags: tuple[str, ...] = ()
    run_kind: str = "run"
    parent_run_id: str | None = None
    root_run_id: str | None = None
    label: str | None = None
    edits: Value | None = None
    batch: BatchPlace | None = None
    idempotency_key: str | None = None


@fact
class StepStarted:
    """A step has all its inputs and begins. `queue_us`: microseconds it waited for a free backend place."""

    kind: ClassVar[str] = "step_started"
    run_id: str
    path: str
    step: str
    step_kind: StepKind
    sort: str
    bindings: tuple[Binding, ...]
    reuse_key: bytes | None
    started_at: int
    model: str | None = None
    backend: str | None = None
    adapter: str | None = None


@fact
class StepSkipped:
    """A step will not run in this run: its branch was not taken, `cause_path` failed, or a replay leaves it out.

    `reason` says why a replay does.
    """

    kind: ClassVar[str] = "step_skipped"
    run_id: str
    path: str
    step: str
    step_kind: StepKind
    sort: str
    cause_path: str
    at: int
    reason: ErrorInfo | None = None


@fact
class AttemptStarted:
    """One try of a step begins; `request` is None for Python steps."""

    kind: ClassVar[str] = "attempt_started"
    run_id: str
    path: str
    n: int
    reason: AttemptReason
    started_at: int
    request: RequestRecord | None = None
    backend: str | None = None
    base: str | None = None
    adapter: str | None = None
    model: str | None = None
    adapter_hash: bytes | None = None


@fact
class AttemptFinished:
    """One try of a step ended. `response` is the backend's raw reply: the text that the model wrote, or, where there
    is more to keep, an object with it as `text`.
    """

    kind: ClassVar[str] = "attempt_finished"
    run_id: str
    path: str
    n: int
    status: AttemptStatus
    duration_us: int
    response: Value | None = None
    error: ErrorInfo | None = None
    http_status: int | None = None
    finish_reason: str | None = None
    served_model: str | None = None
    ttft_us: int | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_nano: int | None = None
    tokens_cached: int | None = None
    gauges: dict[str, float] | None = None


@fact
class StepFinished:
    """A step ended: ok, failed, cancelled, reused or cached. Tokens and cost are sums over its attempts.

    `cache_key`: what its output may be found under by later runs. `made_by`: (model, backend, adapter) where it is not
    the first choice that gave it.
    """

    kind: ClassVar[str] = "step_finished"
    run_id: str
    path: str
    status: StepStatus
    finished_at: int
    duration_us: int
    output: Value | None = None
    error: ErrorInfo | None = None
    attempts: int = 0
    queue_us: int | None = None
    ttft_us: int | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_nano: int | None = None
    origin_run_id: str | None = None
    origin_path: str | None = None
    cache_key: bytes | None = None
    made_by: tuple[str, str, str | None] | None = None


@fact
class RunFinished:
    """A run ended. `error_path` is the first step that failed."""

    kind: ClassVar[str] = "run_finished"
    run_id: str
    status: RunStatus
    finished_at: int
    duration_us: int
    output: Value | None = None
    error: ErrorInfo | None = None
    error_path: str | None = None
    steps_total: int = 0
    steps_ok: int = 0
    steps_failed: int = 0
    steps_skipped: int = 0
    steps_reused: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_nano: int | None = None


@fact
class TokenDelta:
    """Streamed text of a running attempt. Never stored; stays in its process."""

    kind: ClassVar[str] = "token_delta"
    run_id: str
    path: str
    n: int
    text: str


@fact
class BackendProgress:
    """A backend prepares itself (downloads or loads a model). Never stored."""

    kind: ClassVar[str] = "backend_progress"
    run_id: str
    backend: str
    what: str
    done: int
    total: int | None


Event: TypeAlias = (
    RunStarted
    | StepStarted
    | StepSkipped
    | AttemptStarted
    | AttemptFinished
    | StepFinished
    | RunFinished
    | TokenDelta
    | BackendProgress
)
