"""Backtest: the same edits on many recorded runs, each forked from its own record; and a table of what became of them.

What failing means: a run fails that did not end ok; a run that ended ok fails by the steps that its `each` dropped or
kept. Compared are the run before and its fork:

    fixed           it failed before, and does not now; or: it did not end ok, and now does
    broken          it did not fail before, and does now; or: more of its items fail; or: it ended ok, and now does not
    still-failing   it failed before, and fails now, with as many items or fewer
    changed, same   neither fails; the output is another one, or the same
    refused         the fork was not made, and why
    pending         it has no fork that has ended

With scope "step" no fork has an output of its own: then the edited steps are compared instead of the runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

from chainlab.errors import ChainError, ConfigError, ReplayError
from chainlab.lab.batches import How, Member, Place, Refusal, refusal_of, settled, think_through
from chainlab.lab.estimate import Estimate, Forecast, estimate, forecast
from chainlab.protocols import Models
from chainlab.spec.edit import Edit
from chainlab.spec.path import static_path
from chainlab.trace import BatchRecord, BatchStatus, RunSummary, TraceReader
from chainlab.values.codec import Json

BacktestVerdict: TypeAlias = Literal["fixed", "broken", "changed", "same", "still-failing", "refused", "pending"]

_PAGE = 200


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run of a backtest, thought through. `refused`: why it will not be made (then there are no calls)."""

    run: RunSummary
    calls: int
    calls_at_most: int
    refused: Refusal | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BacktestPlan:
    """A backtest, thought through before anything runs: its runs in order, and about what they take."""

    chain: str
    edits: tuple[Edit, ...]
    how: How
    runs: tuple[PlannedRun, ...]
    estimate: Estimate

    @property
    def cost_nano(self) -> int | None:
        """About what it costs, in billionths of a unit of the prices; None: not known, which is not 0."""
        return self.estimate.cost_nano

    @property
    def refused(self) -> tuple[PlannedRun, ...]:
        """The runs that will not be made."""
        return tuple(one for one in self.runs if one.refused is not None)


@dataclass(frozen=True, slots=True)
class Side:
    """How a run ended: its status, and how many of its steps failed on the way."""

    status: str
    steps_failed: int


@dataclass(frozen=True, slots=True)
class BacktestRow:
    """What became of one run: `run_id` before, `fork_id` now; `code` and `message` say why it is refused or fails."""

    run_id: str
    fork_id: str | None
    verdict: BacktestVerdict
    before: Side | None = None
    after: Side | None = None
    code: str | None = None
    message: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    duration_us: int | None = None


@dataclass(frozen=True, slots=True)
class Backtest:
    """A backtest as it stands. `done` of `total` runs are settled; `rows` are in the order of the plan."""

    id: str
    chain: str
    status: BatchStatus
    total: int
    done: int
    edits: tuple[Edit, ...]
    how: How
    rows: tuple[BacktestRow, ...]
    created_at: int
    finished_at: int | None

    @property
    def counts(self) -> Mapping[BacktestVerdict, int]:
        """How many rows have which verdict."""
        return Counter(row.verdict for row in self.rows)

    @property
    def failing(self) -> bool:
        """Whether anything is broken or still failing."""
        return any(row.verdict in ("broken", "still-failing") for row in self.rows)


# -- before it runs ----------------------------------------------------------------------------------------------------


def pick_runs(
    reader: TraceReader, *, chain: str, last: int, status: str | None = None, tag: str | None = None
) -> tuple[str, ...]:
    """The last runs of a chain that have ended and are no forks, newest first."""
    found: list[str] = []
    for run in _pages(reader, chain, status, tag):
        if run.parent_run_id is None and run.status not in ("queued", "running"):
            found.append(run.id)
        if len(found) == last:
            break
    return tuple(found)


def _pages(reader: TraceReader, chain: str, status: str | None, tag: str | None) -> Iterator[RunSummary]:
    page = reader.runs(chain=chain, status=status, tag=tag, limit=_PAGE)
    while page:
        yield from page
        page = reader.runs(chain=chain, status=status, tag=tag, limit=_PAGE, after=page[-1].id)


def plan_backtest(
    reader: TraceReader, models: Models, runs: Sequence[str], edits: Sequence[Edit], how: How
) -> BacktestPlan:
    """Think every run of a backtest through. Raises ReplayError: no runs, runs of two chains, no edits."""
    if not edits:
        raise ReplayError(
            "a backtest without an edit tests nothing",
            code="no-edits",
            remedy="give one: edits=[Edit(...)], --step STEP --template TEXT",
        )
    traces = [reader.trace(run, max_bytes=0) for run in dict.fromkeys(runs)]
    rows = [trace.run for trace in traces if trace is not None]
    chains = list(dict.fromkeys(row.chain for row in rows))
    if len(chains) != 1:
        raise ReplayError(
            "there is no run to test on" if not chains else f"these are runs of {len(chains)} chains",
            code="no-runs" if not chains else "other-chain",
            expected="recorded runs of one chain",
            got=", ".join(chains) or None,
            remedy="list the runs with `chainlab runs`",
        )
    planned: list[PlannedRun] = []
    forecasts: list[Forecast] = []
    for row in rows:
        one, expected = _planned(reader, models, row, edits, how)
        planned.append(one)
        forecasts += [expected] if expected is not None else []
    return BacktestPlan(chains[0], tuple(edits), how, tuple(planned), estimate(forecasts))


def _planned(
    reader: TraceReader, models: Models, row: RunSummary, edits: Sequence[Edit], how: How
) -> tuple[PlannedRun, Forecast | None]:
    try:
        ready = think_through(reader, models, row.id, edits, how)
        if ready.refused is not None:
            raise ready.refused
    except (ReplayError, ChainError, ConfigError) as error:
        return PlannedRun(row, 0, 0, refusal_of(error)), None
    expected = forecast(ready)
    return PlannedRun(row, expected.calls, expected.calls_at_most, None, ready.plan.notes), expected


def check_makes_something(plan: BacktestPlan) -> None:
    """Raise ReplayError `all-refused` when no run of a plan would be made."""
    if len(plan.refused) < len(plan.runs):
        return
    first = plan.refused[0]
    assert first.refused is not None
    why = f"{first.refused.message} [{first.refused.code}]"
    raise ReplayError(
        f"none of {len(plan.runs)} runs can be replayed; {first.run.id}: {why}",
        code="all-refused",
        expected=first.refused.expected,
        got=first.refused.got,
        remedy=first.refused.remedy or f"see what stops one: chainlab replay {first.run.id} --plan, with the same edit",
    )


def plan_data(plan: BacktestPlan) -> Json:
    """What is stored of a plan."""
    return {"runs": [one.run.id for one in plan.runs], "how": asdict(plan.how)}


# -- of a stored batch -------------------------------------------------------------------------------------------------


def edits_of(record: BatchRecord) -> tuple[Edit, ...]:
    """The edits that a batch was asked for."""
    return tuple(Edit.model_validate(edit) for edit in record.edits)


def how_of(record: BatchRecord) -> How:
    """How a batch makes its runs."""
    return How(**record.plan["how"])


def members_of(record: BatchRecord) -> tuple[Member, ...]:
    """The runs that a backtest makes."""
    edits = edits_of(record)
    return tuple(Member(run, edits) for run in record.plan["runs"])


def read_backtest(reader: TraceReader, record: BatchRecord, refused: Mapping[Place, Refusal] | None = None) -> Backtest:
    """A backtest as it stands; `refused` as far as this process knows. One that has ended is read from its summary."""
    batch = record.batch
    if refused is None and batch.status in ("done", "cancelled") and batch.summary is not None:
        rows = tuple(_row_of(data) for data in batch.summary["rows"])
    else:
        rows = tuple(_rows(reader, record, refused or {}))
    return Backtest(
        id=batch.id,
        chain=batch.chain,
        status=batch.status,
        total=batch.total,
        done=sum(row.verdict != "pending" for row in rows),
        edits=edits_of(record),
        how=how_of(record),
        rows=rows,
        created_at=batch.created_at,
        finished_at=batch.finished_at,
    )


def backtest_summary(found: Backtest) -> Json:
    """What is stored of a result: counts and rows."""
    return {"counts": dict(found.counts), "rows": [asdict(row) for row in found.rows]}


def _row_of(data: Json) -> BacktestRow:
    sides = {name: None if data[name] is None else Side(**data[name]) for name in ("before", "after")}
    return BacktestRow(**{**data, **sides})


def _rows(reader: TraceReader, record: BatchRecord, refused: Mapping[Place, Refusal]) -> Iterator[BacktestRow]:
    forks = settled(reader.batch_runs(record.batch.id))
    how, steps = how_of(record), [edit.step for edit in edits_of(record)]
    for run in record.plan["runs"]:
        place = (run, "", 0)
        fork = forks.get(place)
        if fork is not None:
            yield _compared(reader, run, fork.run, steps if how.scope == "step" else None)
        elif place in refused:
            yield BacktestRow(run, None, "refused", code=refused[place].code, message=refused[place].message)
        else:
            yield BacktestRow(run, None, "pending")


# -- before and after --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _End:
    """What a run came to, or the edited steps of one."""

    ok: bool
    failed: int
    output: object


def verdict(before: _End, after: _End) -> BacktestVerdict:
    """What an edit did to one run."""
    if before.ok != after.ok:
        return "fixed" if after.ok else "broken"
    if not after.ok:
        return "still-failing"
    if after.failed > before.failed:
        return "broken"
    if after.failed:
        return "still-failing"
    if before.failed:
        return "fixed"
    return "same" if before.output == after.output else "changed"


def _compared(reader: TraceReader, run_id: str, fork: RunSummary, steps: Sequence[str] | None) -> BacktestRow:
    trace = reader.trace(run_id, max_bytes=0)
    if trace is None:
        gone = Refusal("run-not-found", "the run before was deleted: there is nothing to compare with")
        return BacktestRow(run_id, fork.id, "refused", code=gone.code, message=gone.message)
    run = trace.run
    before, after = (_end(run), _end(fork)) if steps is None else (_end_of(reader, one, steps) for one in (run, fork))
    error = fork.error if fork.status != "ok" else None
    return BacktestRow(
        run_id=run_id,
        fork_id=fork.id,
        verdict=verdict(before, after),
        before=Side(run.status, run.steps_failed),
        after=Side(fork.status, fork.steps_failed),
        code=None if error is None else error.code,
        message=None if error is None else _line(error.path, error.message),
        tokens_in=fork.tokens_in,
        tokens_out=fork.tokens_out,
        duration_us=fork.duration_us,
    )


def _line(path: str | None, message: str) -> str:
    first = message.partition("\n")[0]
    return f"{path}: {first}" if path else first


def _end(run: RunSummary) -> _End:
    return _End(run.status == "ok", run.steps_failed, run.output_hash)


def _end_of(reader: TraceReader, run: RunSummary, steps: Sequence[str]) -> _End:
    """The same of the edited steps alone. A step of a declared path stands at several; its name means it, too."""
    trace = reader.trace(run.id, max_bytes=0)
    rows = [row for row in trace.steps if {row.path, static_path(row.path), row.step} & set(steps)] if trace else []
    failed = sum(row.status == "failed" for row in rows)
    ended = [row for row in rows if row.status in ("ok", "reused", "cached")]
    return _End(len(ended) == len(rows) > 0, failed, [(row.path, row.output_hash) for row in ended])
