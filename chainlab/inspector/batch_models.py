"""What the API answers about batches: frozen data for the page only. Knows no store, no lab and no web framework."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chainlab.inspector.models import EditProblem, Setting
from chainlab.trace import BatchKind, BatchStatus, RunSummary


@dataclass(frozen=True, slots=True)
class PlannedRunView:
    """One run of a batch before it is made. `refused`: why it will not be made (then there are no calls)."""

    run: RunSummary
    calls: int
    calls_at_most: int
    refused: EditProblem | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EstimateView:
    """About what a batch takes, from what was recorded; None: nothing is known. `cost_nano` None: unknown.

    `calls` will be made for sure, `calls_at_most` perhaps. `unknown`: calls that nothing is known of; the sums are
    without them. `duration_us`: of the whole batch, several runs at once.
    """

    calls: int
    calls_at_most: int
    tokens_in: int | None
    tokens_out: int | None
    duration_us: int | None
    unknown: int
    cost_nano: int | None


@dataclass(frozen=True, slots=True)
class BatchPlanView:
    """A batch before anything runs. `runs`: of a backtest; `steps`, `k`, `level`: of a noise control.

    `calls_left`: what this server may still make.
    """

    kind: BatchKind
    chain: str
    runs: tuple[PlannedRunView, ...]
    steps: tuple[str, ...]
    k: int | None
    level: float | None
    notes: tuple[str, ...]
    estimate: EstimateView
    calls_left: int


@dataclass(frozen=True, slots=True)
class BatchPreview:
    """A batch, thought through; `plan` is None when what was asked for is wrong."""

    problems: tuple[EditProblem, ...]
    plan: BatchPlanView | None


@dataclass(frozen=True, slots=True)
class BatchBegun:
    """A batch that was begun or gone on with. `new` is False when there was nothing to do, or the same request did."""

    batch_id: str
    new: bool


@dataclass(frozen=True, slots=True)
class VerdictCount:
    """How many runs of a backtest have a verdict."""

    verdict: str
    count: int


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A batch in a list. `done` of `total` runs have ended or were refused.

    `counts`: of a backtest that has ended. `label`: of a noise control that is done (edit, noise or too-few). `here`:
    this server carries it out, so it can be cancelled here.
    """

    id: str
    kind: BatchKind
    chain: str
    status: BatchStatus
    total: int
    done: int
    counts: tuple[VerdictCount, ...]
    label: str | None
    created_at: int
    finished_at: int | None
    here: bool


@dataclass(frozen=True, slots=True)
class BatchPage:
    """Batches, newest first. `next` is the `after` of the next page; None: this was the last."""

    batches: tuple[BatchRow, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class EditView:
    """An edit as it is stored: its step, and what it says, by name, as text (inputs and outputs as JSON)."""

    step: str
    says: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class SideView:
    """How a run ended: its status, and how many of its steps failed on the way."""

    status: str
    steps_failed: int


@dataclass(frozen=True, slots=True)
class BacktestRowView:
    """What became of one run: `run_id` before, `fork_id` now; `code` and `message` say why it is refused or fails."""

    run_id: str
    fork_id: str | None
    verdict: Literal["fixed", "broken", "changed", "same", "still-failing", "refused", "pending"]
    before: SideView | None
    after: SideView | None
    code: str | None
    message: str | None
    tokens_in: int
    tokens_out: int
    duration_us: int | None


@dataclass(frozen=True, slots=True)
class NoiseVerdictView:
    """What the outputs of a noise control show; `note` says how it was found and what is odd about the outputs."""

    label: Literal["edit", "noise", "too-few"]
    p_value: float
    level: float
    n_control: int
    n_edited: int
    permutations: int
    note: str


@dataclass(frozen=True, slots=True)
class NoiseView:
    """A noise control as it stands. `verdict` None: not all runs have ended. `control`, `edited`: their runs' ids."""

    run_id: str
    steps: tuple[str, ...]
    k: int
    level: float
    verdict: NoiseVerdictView | None
    control: tuple[str, ...]
    edited: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch as it stands: `rows` of a backtest, in the order of its plan; `noise` of a noise control."""

    batch: BatchRow
    edits: tuple[EditView, ...]
    scope: str
    on_drift: str
    on_effects: str
    rows: tuple[BacktestRowView, ...]
    noise: NoiseView | None
