"""Batches as the page sees them: planned, in a list, as they stand. Knows no route; begins nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from chainlab.inspector.batch_models import (
    BacktestRowView,
    BatchPlanView,
    BatchRow,
    BatchView,
    EditView,
    EstimateView,
    NoiseVerdictView,
    NoiseView,
    PlannedRunView,
    SideView,
    VerdictCount,
)
from chainlab.inspector.batches import CONCURRENCY, Plan
from chainlab.inspector.models import EditProblem, Setting
from chainlab.inspector.workbench import Workbench
from chainlab.trace import BatchRecord, BatchSummary, TraceReader
from chainlab.values.codec import Json, encode

if TYPE_CHECKING:
    from chainlab.lab.backtest import BacktestRow, BacktestVerdict, Side
    from chainlab.lab.batches import Refusal
    from chainlab.lab.estimate import Estimate
    from chainlab.lab.noise_control import NoiseControl
    from chainlab.noise import Verdict

_LONGEST = 65_536  # characters of one thing that an edit says


def batch_plan_view(bench: Workbench, plan: Plan) -> BatchPlanView:
    """A plan as the page shows it."""
    from chainlab.lab.backtest import BacktestPlan

    left, estimate = bench.budget.left, _estimate(plan.estimate)
    if isinstance(plan, BacktestPlan):
        runs = tuple(
            PlannedRunView(
                one.run, one.calls, one.calls_at_most, _refusal(bench, one.refused), tuple(map(bench.told, one.notes))
            )
            for one in plan.runs
        )
        return BatchPlanView("backtest", plan.chain, runs, (), None, None, (), estimate, left)
    notes = tuple(map(bench.told, plan.notes))
    return BatchPlanView("noise", plan.chain, (), plan.steps, plan.k, plan.level, notes, estimate, left)


def _refusal(bench: Workbench, refused: Refusal | None) -> EditProblem | None:
    if refused is None:
        return None
    expected, got, remedy = (bench.told(said or "") or None for said in (refused.expected, refused.got, refused.remedy))
    return EditProblem(refused.code, bench.told(refused.message), None, None, expected, got, remedy or "")


def _estimate(found: Estimate) -> EstimateView:
    return EstimateView(
        calls=found.calls,
        calls_at_most=found.calls_at_most,
        tokens_in=found.tokens_in,
        tokens_out=found.tokens_out,
        duration_us=found.about_us(CONCURRENCY),
        unknown=found.unknown,
        cost_nano=found.cost_nano,
    )


def batch_row(batch: BatchSummary, here: Collection[str]) -> BatchRow:
    """A batch for a list."""
    found = batch.summary if isinstance(batch.summary, dict) else {}
    verdict = found.get("verdict")
    return BatchRow(
        id=batch.id,
        kind=batch.kind,
        chain=batch.chain,
        status=batch.status,
        total=batch.total,
        done=batch.done,
        counts=_counts(found.get("counts", {})),
        label=verdict["label"] if verdict is not None else None,
        created_at=batch.created_at,
        finished_at=batch.finished_at,
        here=batch.id in here,
    )


def batch_view(reader: TraceReader, record: BatchRecord, here: Collection[str]) -> BatchView:
    """A batch as it stands."""
    from chainlab.lab.backtest import how_of, read_backtest
    from chainlab.lab.noise_control import read_noise_control

    row, how, noise = batch_row(record.batch, here), how_of(record), None
    rows: tuple[BacktestRowView, ...] = ()
    if record.batch.kind == "noise":
        noise = _noise(read_noise_control(reader, record))
    else:
        found = read_backtest(reader, record)
        rows = tuple(map(_row, found.rows))
        # A summary is written at the end: while a batch goes on, the rows know better.
        row = replace(row, counts=_counts(found.counts))
    edits = tuple(map(_edit, record.edits))
    return BatchView(row, edits, how.scope, how.on_drift, how.on_effects, rows, noise)


def _counts(counts: Mapping[BacktestVerdict, int]) -> tuple[VerdictCount, ...]:
    return tuple(VerdictCount(name, count) for name, count in counts.items())


def _edit(data: Json) -> EditView:
    says = []
    for name, value in data.items():
        if name in ("bind", "inputs"):
            says += [Setting(f"{name} {key}", _written(part)) for key, part in (value or {}).items()]
        elif name != "step" and (value is not None or name == "output"):
            says.append(
                Setting(name, value[:_LONGEST] if isinstance(value, str) and name != "output" else _written(value))
            )
    return EditView(data["step"], tuple(says))


def _written(value: Json) -> str:
    return encode(value).decode()[:_LONGEST]


def _row(row: BacktestRow) -> BacktestRowView:
    return BacktestRowView(
        run_id=row.run_id,
        fork_id=row.fork_id,
        verdict=row.verdict,
        before=_side(row.before),
        after=_side(row.after),
        code=row.code,
        message=row.message,
        tokens_in=row.tokens_in,
        tokens_out=row.tokens_out,
        duration_us=row.duration_us,
    )


def _side(side: Side | None) -> SideView | None:
    return None if side is None else SideView(side.status, side.steps_failed)


def _noise(found: NoiseControl) -> NoiseView:
    return NoiseView(
        run_id=found.run_id,
        steps=found.steps,
        k=found.k,
        level=found.level,
        verdict=None if found.verdict is None else _verdict(found.verdict),
        control=found.control,
        edited=found.edited,
        notes=found.notes,
    )


def _verdict(verdict: Verdict) -> NoiseVerdictView:
    return NoiseVerdictView(
        label=verdict.label,
        p_value=verdict.p_value,
        level=verdict.level,
        n_control=verdict.n_control,
        n_edited=verdict.n_edited,
        permutations=verdict.permutations,
        note=verdict.note,
    )
