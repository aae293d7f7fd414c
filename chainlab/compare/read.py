"""Two runs of a store, compared and opened at one step. The only part of comparing that loads values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic import BaseModel, ValidationError

from chainlab.compare.comparison import Comparison, StepComparison, compare, model_settings
from chainlab.compare.difference import Side, StepDiff, diff_data, diff_inputs, diff_step
from chainlab.compare.facts import RunFacts, StepFacts
from chainlab.compare.sequence import Effort
from chainlab.errors import ChainError, StoreError
from chainlab.spec.chain import ChainSpec, StepSpec, load, walk
from chainlab.spec.edit import INPUT, Edit, apply_edits
from chainlab.spec.path import static_path
from chainlab.trace import RunHashes, StepHashes, TraceReader
from chainlab.values.near import did_you_mean

_NOTHING = StepHashes()
LARGEST = 16 << 20
"""Bytes of a value above which it is not loaded: `ValueDiff.kind` is `unread`."""


def read_facts(reader: TraceReader, run_id: str) -> RunFacts:
    """A run without its values, in a fixed number of queries. Raises StoreError `run-not-found`."""
    trace = reader.trace(run_id, max_bytes=0)
    if trace is None:
        raise StoreError(f"no run {run_id!r}", code="run-not-found", remedy="list them with `chainlab runs`")
    hashes = reader.hashes(run_id)
    spec = _spec(reader, trace.run.spec_hash)
    definitions = {} if spec is None else dict(walk(spec.steps))
    special = _special(spec, hashes, tuple(step.path for step in trace.steps))
    return RunFacts(
        run=trace.run,
        spec=spec,
        inputs=hashes.steps.get(INPUT, _NOTHING).inputs,
        output=trace.output,
        steps=tuple(
            StepFacts(
                row,
                hashes.steps.get(row.path, _NOTHING),
                special.get(row.path) or definitions.get(static_path(row.path)),
            )
            for row in trace.steps
        ),
    )


def read_comparison(
    reader: TraceReader, a: str, b: str, *, step: str | None = None, any_chain: bool = False
) -> Comparison:
    """Compare two runs by id and open one step: that at the path `step`, else the first divergence.

    Raises StoreError: `run-not-found`; `other-chain` when the runs are of different chains, unless `any_chain`;
    `step-not-found`.
    """
    before, after = read_facts(reader, a), read_facts(reader, b)
    if before.run.chain != after.run.chain and not any_chain:
        raise StoreError(
            f"run {a} is of the chain {before.run.chain!r}, run {b} of {after.run.chain!r}",
            code="other-chain",
            remedy="compare runs of one chain, or ask for it: any_chain=True, --any-chain",
        )
    found = compare(before, after)
    chosen = _chosen(found, step)
    return _with_values(
        reader, replace(found, opened=None if chosen is None else open_step(reader, before, after, chosen))
    )


def open_step(reader: TraceReader, a: RunFacts, b: RunFacts, step: StepComparison) -> StepDiff:
    """One step of a comparison in full. An output that was taken over is not loaded: it is the same value."""
    whole = step.verdict != "reused"
    here = _side(reader, a, None if step.a is None else step.a.path, whole)
    there = _side(reader, b, None if step.b is None else step.b.path, whole)
    return diff_step(here, there, model_settings(here.facts, there.facts))


def _chosen(found: Comparison, path: str | None) -> StepComparison | None:
    wanted = path or found.first_divergence
    if wanted is None:
        return None
    step = found.step(wanted)
    if step is None:
        known = [step.path for step in found.steps]
        raise StoreError(
            f"neither run has a step {wanted!r}",
            code="step-not-found",
            remedy=did_you_mean(wanted, known) or f"their steps are {', '.join(known[:20])}",
        )
    return step


def _side(reader: TraceReader, run: RunFacts, path: str | None, whole: bool) -> Side:
    facts = next((step for step in run.steps if step.row.path == path), None)
    if facts is None or not whole:
        return Side(facts)
    return Side(facts, reader.step(run.run.id, facts.row.path, max_bytes=LARGEST))


def _with_values(reader: TraceReader, found: Comparison) -> Comparison:
    """How the runs' own inputs and output differ."""
    if not found.inputs and not found.output_differs:
        return found
    a, b = reader.trace(found.a.id, max_bytes=LARGEST), reader.trace(found.b.id, max_bytes=LARGEST)
    if a is None or b is None:  # removed meanwhile
        return found
    effort = Effort()
    output = diff_data(a.output, b.output, effort) if a.output is not None and b.output is not None else None
    return replace(found, input_diffs=diff_inputs(a.inputs, b.inputs, effort), output=output)


def _spec(reader: TraceReader, spec_hash: str) -> ChainSpec | None:
    body = reader.spec(spec_hash)
    try:
        return None if body is None else load(body)
    except ValidationError:  # of another version: its runs stay comparable by their rows
        return None


class _Made(BaseModel):
    """An edit that made a fork, and what the step got then (hashes): it stays with its item, which may move."""

    edit: Edit
    inputs: dict[str, str] = {}


class _MadeBy(BaseModel):
    """What is stored with a fork, as far as it says which steps are others at one path."""

    edits: tuple[_Made, ...] = ()
    inherited: tuple[_Made, ...] = ()


def _special(spec: ChainSpec | None, hashes: RunHashes, paths: tuple[str, ...]) -> Mapping[str, StepSpec]:
    """Definitions of steps that were edited at one path only (an item, a round): the chain does not have them."""
    if spec is None or hashes.edits is None:
        return {}
    try:
        by = _MadeBy.model_validate(hashes.edits)
        single = [made for made in (*by.inherited, *by.edits) if made.edit.changes_step and not _declared(made.edit)]
        placed = [made.edit.model_copy(update={"step": _place(made, hashes, paths)}) for made in single]
        return apply_edits(spec, placed, paths).replaced
    except (ValidationError, ChainError):  # as with the chain
        return {}


def _declared(edit: Edit) -> bool:
    return edit.step == static_path(edit.step)


def _place(made: _Made, hashes: RunHashes, paths: tuple[str, ...]) -> str:
    """Where the edited item stands in this run: where the same inputs came; else where it was edited."""

    def got(path: str) -> dict[str, str]:
        return {given.name: given.hash for given in hashes.steps.get(path, _NOTHING).inputs}

    here = [path for path in paths if static_path(path) == static_path(made.edit.step) and got(path) == made.inputs]
    return here[0] if here and made.edit.step not in here else made.edit.step
