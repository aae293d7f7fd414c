"""What the API answers: frozen data for the page only. Knows no store and no web framework.

Dataclasses, not pydantic models: FastAPI makes the OpenAPI schema from them just the same, and pydantic refuses to
carry lone surrogates, which a trace may hold. Values (JSON of any depth, numbers of any size, NaN) travel as JSON text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from chainlab.events import AttemptReason, AttemptStatus, StepKind, StepStatus
from chainlab.trace import Failure, RunSummary, TryTime


@dataclass(frozen=True, slots=True)
class ProblemDetail:
    """A refusal or a fault, for programs (`code`) and people (`message`)."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """The one shape of every error."""

    error: ProblemDetail


@dataclass(frozen=True, slots=True)
class Health:
    """That the server answers. `change` rises with every commit; `csrf` goes with every change a page makes.

    `replays`: whether it carries out replays, or only shows traces.
    """

    version: str
    epoch: int
    change: int
    csrf: str | None
    replays: bool


@dataclass(frozen=True, slots=True)
class RunPage:
    """Runs, newest first. `next` is the `after` of the next page; None: this was the last."""

    runs: tuple[RunSummary, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Text:
    """Text as it stands in the trace, or its beginning: `size` is all of it in bytes, `cut` that this is not all.

    `hash` names the payload to fetch the whole of, where there is one.
    """

    text: str
    size: int
    cut: bool
    hash: str | None


@dataclass(frozen=True, slots=True)
class Input:
    """One parameter: its value as JSON text and where it came from."""

    name: str
    value: Text
    from_path: str | None
    from_field: str | None


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step in a list. `static` is its place in the declared chain: its path without items and rounds.

    `tries`: when each was made, where there was more than one.
    """

    path: str
    static: str
    kind: StepKind
    status: StepStatus
    model: str | None
    error: Failure | None
    cause_path: str | None
    origin_run_id: str | None
    origin_path: str | None
    attempts: int
    started_at: int | None
    finished_at: int | None
    duration_us: int | None
    queue_us: int | None
    ttft_us: int | None
    tokens_in: int | None
    tokens_out: int | None
    cost_nano: int | None
    tries: tuple[TryTime, ...]


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many instances of a declared step have a status."""

    status: StepStatus
    count: int


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A declared step. `parent` is the step whose body holds it, `role` which body; `detail` stands below its name."""

    path: str
    parent: str | None
    role: str | None
    kind: StepKind
    label: str
    detail: str
    counts: tuple[StatusCount, ...]


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """Data flows from one declared step to another in the same body."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Graph:
    """The declared chain as a drawing needs it."""

    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]


@dataclass(frozen=True, slots=True)
class RunView:
    """A whole run without its steps' values.

    `graph` is None when the stored chain cannot be read; `graph_problem` says why. `failed_path` is the step to open
    first: the cause of the run's failure.
    """

    run: RunSummary
    inputs: tuple[Input, ...]
    output: Text | None
    steps: tuple[StepRow, ...]
    graph: Graph | None
    graph_problem: str | None
    failed_path: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """A line in the author's files."""

    file: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Template:
    """One message of a prompt as its author wrote it."""

    role: Literal["system", "user", "assistant"]
    template: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class Setting:
    """A name and what it is set to, as text: model, sampling, policy, arguments."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Definition:
    """What the stored chain says of a step. `called` is where the chain calls it."""

    kind: StepKind
    name: str
    place: Place | None
    called: Place | None
    templates: tuple[Template, ...]
    arguments: tuple[Setting, ...]
    settings: tuple[Setting, ...]
    output_schema: str | None


@dataclass(frozen=True, slots=True)
class SegmentView:
    """A piece of a rendered message; `variable` printed it. `size` in bytes; `text` is shorter when it was cut."""

    text: str
    size: int
    variable: str | None


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as it was sent."""

    role: str
    segments: tuple[SegmentView, ...]


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One try of a step. `parameters` and `raw` are JSON text; `reply` is what the model wrote.

    `raw` is the backend's whole answer, where there is more to it than `reply` shows.
    """

    n: int
    reason: AttemptReason
    status: AttemptStatus
    messages: tuple[MessageView, ...]
    parameters: Text | None
    reply: Text | None
    raw: Text | None
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
    tokens_cached: int | None
    gauges: Mapping[str, float] | None
    adapter_hash: str | None
    model: str | None


@dataclass(frozen=True, slots=True)
class StepView:
    """Everything about one step of one run. `row` is None for a declared step that this run has not reached."""

    path: str
    row: StepRow | None
    inputs: tuple[Input, ...]
    output: Text | None
    attempts: tuple[AttemptView, ...]
    definition: Definition | None


@dataclass(frozen=True, slots=True)
class EditProblem:
    """What is wrong with an edit. `line` counts within the template; None: the problem is none of a template."""

    code: str
    message: str
    step: str | None
    line: int | None
    expected: str | None
    got: str | None
    remedy: str


@dataclass(frozen=True, slots=True)
class PlannedStepView:
    """What a replay does with a step. `sure` is False where only running will tell."""

    path: str
    static: str
    kind: StepKind
    action: Literal["execute", "reuse", "decide", "leave", "given"]
    why: str
    origin_run_id: str | None
    origin_path: str | None
    sure: bool


@dataclass(frozen=True, slots=True)
class DriftView:
    """A step that is not what was recorded. `blocks`: the replay is refused for it."""

    path: str
    kinds: tuple[str, ...]
    note: str
    blocks: bool


@dataclass(frozen=True, slots=True)
class PlanView:
    """A replay before anything runs. `cost_nano` None: unknown. `calls_left`: what this server may still make."""

    steps: tuple[PlannedStepView, ...]
    calls: int
    calls_at_most: int
    cost_nano: int | None
    calls_left: int
    drift: tuple[DriftView, ...]
    unverifiable: tuple[str, ...]
    notes: tuple[str, ...]
    refused: EditProblem | None


@dataclass(frozen=True, slots=True)
class Preview:
    """An edit against the recorded inputs.

    `messages`: the prompt of the step asked for as it would be sent; None: its inputs are made by steps that run, or it
    does not run. `plan` is None when the edit is wrong.
    """

    problems: tuple[EditProblem, ...]
    plan: PlanView | None
    messages: tuple[MessageView, ...] | None


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that was begun. `new` is False when the same request had begun it before."""

    run_id: str
    new: bool


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model that an edit may name, and where it leads."""

    name: str
    target: str
    ready: bool


@dataclass(frozen=True, slots=True)
class PatchView:
    """A change of one of the author's files as a unified diff, which `git apply` takes."""

    file: str
    line: int
    diff: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnkeptView:
    """A new text that no patch puts into its place, and why: it is for a person to copy. `where`: '' for unknown."""

    path: str
    role: str
    where: str
    text: str
    problem: EditProblem


@dataclass(frozen=True, slots=True)
class AdviceView:
    """Something for a person to do or to know; `where` is `file:line`, '' when no place is known."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class KeepView:
    """What it takes to keep a fork: patches of the author's files as they are now, and what no patch can do.

    `in_place`: where a file has the new text already. `refused`: why it cannot be kept as it is. `kept_at`: when it was
    accepted (microseconds since 1970; None: not yet). `applied`: the files that have just been written. `may_apply`:
    whether this server writes files; else the patch is there to be copied.
    """

    run_id: str
    chain: str
    patches: tuple[PatchView, ...]
    in_place: tuple[str, ...]
    problems: tuple[UnkeptView, ...]
    advice: tuple[AdviceView, ...]
    notes: tuple[str, ...]
    refused: EditProblem | None
    kept_at: int | None
    applied: tuple[str, ...]
    may_apply: bool
