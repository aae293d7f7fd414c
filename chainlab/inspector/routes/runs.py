"""Runs and their steps."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from chainlab.events import RunStatus
from chainlab.inspector.answer import answer, unchanged
from chainlab.inspector.convert import attempt, datum, input_, shortened, step_row, tries_of
from chainlab.inspector.definition import define
from chainlab.inspector.graph import draw
from chainlab.inspector.models import RunPage, RunView, StepView
from chainlab.inspector.routes.deps import NotHere, ParsedChains, Reader, RunId
from chainlab.spec.chain import ChainSpec
from chainlab.spec.path import static_path
from chainlab.trace import RunOrder, Trace, TraceReader

router = APIRouter(prefix="/runs")

_LOOK_AGAIN_NS = 10_000_000_000

Filter = Annotated[str | None, Query(max_length=200)]
Known = Annotated[str | None, Header(alias="if-none-match", max_length=100)]


@router.get("", response_model=RunPage, responses={304: {"description": "Nothing new since the given tag"}})
def runs(
    reader: Reader,
    chain: Filter = None,
    status: RunStatus | None = None,
    tag: Filter = None,
    text: Filter = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(pattern=r"^[0-9A-Za-z_-]{1,64}$")] = None,
    order: RunOrder = "newest",
    known: Known = None,
) -> Response:
    """Runs. Lists read no payloads."""
    mark = _tag(reader)
    if known == mark:
        return unchanged(mark)
    # One more than asked for, to know whether there is a next page.
    found = reader.runs(chain=chain, status=status, tag=tag, text=text, limit=limit + 1, after=after, order=order)
    page = tuple(replace(run, error=shortened(run.error)) for run in found[:limit])
    return answer(RunPage(page, page[-1].id if len(found) > limit else None), tag=mark)


@router.get("/{run_id}", response_model=RunView, responses={304: {"description": "Nothing new since the given tag"}})
def run(run_id: RunId, reader: Reader, chains: ParsedChains, known: Known = None) -> Response:
    """A run with its steps and the drawing of its chain, without its steps' values."""
    mark = _tag(reader)
    if known == mark:
        return unchanged(mark)
    trace = reader.trace(run_id)
    if trace is None:
        raise NotHere(f"run {run_id}")
    tries = reader.tries(run_id)
    spec = chains.get(trace.run.spec_hash)
    view = RunView(
        run=trace.run,
        inputs=tuple(input_(row, reader) for row in trace.inputs),
        output=None if trace.output is None else datum(trace.output, reader),
        steps=tuple(step_row(step, tries.get(step.path, ())) for step in trace.steps),
        graph=draw(spec, trace.steps) if isinstance(spec, ChainSpec) else None,
        graph_problem=spec if isinstance(spec, str) else None,
        failed_path=_failed_path(trace),
    )
    return answer(view, tag=mark)


@router.get(
    "/{run_id}/steps/{path:path}",
    response_model=StepView,
    responses={304: {"description": "Nothing new since the given tag"}},
)
def step(run_id: RunId, path: str, reader: Reader, chains: ParsedChains, known: Known = None) -> Response:
    """A step with its values and attempts, and what the run's chain says of it."""
    mark = _tag(reader)
    if known == mark:
        return unchanged(mark)
    trace = reader.step(run_id, path)
    spec = chains.of_run(run_id)
    definition = define(spec, static_path(path)) if isinstance(spec, ChainSpec) else None
    if trace is not None:
        view = StepView(
            path=path,
            row=step_row(trace.summary, tries_of(trace.attempts), whole=True),
            inputs=tuple(input_(row, reader) for row in trace.inputs),
            output=None if trace.output is None else datum(trace.output, reader),
            attempts=tuple(attempt(row, reader) for row in trace.attempts),
            definition=definition,
        )
    elif definition is not None and path == static_path(path):
        view = StepView(path, None, (), None, (), definition)
    else:
        raise NotHere(f"step {path!r} in run {run_id}")
    return answer(view, tag=mark)


def _tag(reader: TraceReader) -> str:
    # Taken before reading: a commit in between gives newer data under the older tag, which costs one more read.
    # The clock is in it since some news makes no commit: that a run's process died is seen on reading.
    epoch, change = reader.change()
    return f'"{epoch}:{change}:{time.monotonic_ns() // _LOOK_AGAIN_NS}"'


def _failed_path(trace: Trace) -> str | None:
    named = trace.run.error.path if trace.run.error is not None else None
    if named is not None and any(step.path == named for step in trace.steps):
        return named
    return next((step.path for step in trace.steps if step.status == "failed"), None)
