"""One random case: a chain is run, changed and replayed, and the replay is held against the brute-force model."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chainlab.spec.chain import ChainSpec, CodeStep, PromptStep, RefineStep, RouteStep, WhenStep, walk
from chainlab.spec.edit import Edited, apply_edits
from chainlab.spec.path import static_path
from chainlab.trace import RunRecord
from tests.replay.chains import random_chain
from tests.replay.changes import Change, random_change
from tests.replay.memory import Bench, executed, fake
from tests.replay.oracle import Done, Rule, World, what_it_is

SCOPES = ("descendants", "descendants", "changed", "all", "step")


async def check_one(seed: int) -> str:
    """Run the case of a seed; gives what it was. Raises AssertionError."""
    rng = random.Random(seed)
    spec = random_chain(rng)
    inputs = {"text": rng.choice(["hello", "bye"]), "items": [rng.choice("abc") for _ in range(rng.randint(0, 4))]}
    broken = _broken(rng, spec) if rng.random() < 0.3 else None
    bench = Bench([broken[0]] if broken else [])
    outcome, record = await bench.run(spec, inputs)
    old = World(fake, fails=frozenset([broken[1]] if broken else []))
    first = old.run(spec, inputs)
    assert (outcome.status == "ok") == (not first.bad), "the engine and the model disagree on the first run"
    change = random_change(rng, spec, record)
    bench.fails = ()
    past = Past({done.path: done for done in old.done}, frozenset(old.fell))
    fork = await _replay(bench, record, past, spec, change, rng.choice(SCOPES))
    # What is edited once more stands on what stands already. Edits of single items are for `test_settled`.
    if change.kind not in _OF_DECLARED:
        return change.kind
    again = random_change(rng, fork.spec, fork.record, _OF_DECLARED)
    await _replay(bench, fork.record, fork.past, fork.spec, again, rng.choice(SCOPES[:-1]), "again")
    return f"{change.kind}, {again.kind}"


_OF_DECLARED = ("template", "model", "sampling", "output", "output", "items", "bind")


@dataclass(frozen=True)
class Past:
    """What the model knows of a recorded run: its steps, those that failed, the outputs that were set by hand."""

    steps: dict[str, Done]
    fell: frozenset[str] = frozenset()
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Forked:
    """A fork, as its record and as the model knows it."""

    record: RunRecord
    past: Past
    spec: ChainSpec


def _broken(rng: random.Random, spec: ChainSpec) -> tuple[str, str] | None:
    """A step that fails in the first run: a word that only its requests hold, and what the step is."""
    leaves = [step for _, step in walk(spec.steps) if isinstance(step, (PromptStep, CodeStep))]
    step = rng.choice(leaves)
    if isinstance(step, CodeStep):
        return step.code_hash, what_it_is(step)
    return step.messages[0].template.split()[0], what_it_is(step)


async def _replay(
    bench: Bench, record: RunRecord, past: Past, spec: ChainSpec, change: Change, scope: str, name: str = "fork"
) -> Forked:
    untouched = copy.deepcopy(record)
    mine = change.spec == spec  # the author has changed nothing: nothing may be taken for drift
    ready = bench.ready(record, change.edits, spec=change.spec, scope=scope, on_drift="refuse" if mine else "rerun")
    assert ready.refused is None, ready.refused
    outcome, fork, events = await bench.replay(ready, name)
    assert record == untouched
    edited = apply_edits(change.spec, change.edits, [row.path for row in record.steps])
    inputs, new = {**record.inputs, **edited.inputs}, frozenset(edited.inputs)
    given = {path: output for path, output in past.given.items() if path not in edited.forced} | dict(edited.outputs)
    rule = Rule(scope, edited.forced, past.steps, given=given, fell=past.fell, own=None)
    alone = _World(edited, rule)
    alone.run(edited.spec, inputs, new)
    model = _World(edited, replace(rule, own=frozenset(alone.unchanged), taken=set()))
    value = model.run(edited.spec, inputs, new)
    did = executed(events)
    works = {done.path: done.work for done in model.done}
    # Of several steps of the same work any may be the one that runs: the works are compared, each as often as it ran.
    assert all(path in works for path in did), f"ran {sorted(did - works.keys())}, which no run comes to"
    too_many = Counter(works[path] for path in did) - model.executed
    too_few = model.executed - Counter(works[path] for path in did)
    assert not too_many and not too_few, f"too many {too_many}, too few {too_few}"
    if value.bad:
        assert outcome.output is None
    else:
        assert outcome.status == "ok" and outcome.output is not None, outcome
        assert outcome.output.json == value.json, "the output is not that of a full run"
    outputs = {done.path: done.output for done in model.done}
    for row in fork.steps:
        if row.kind in ("prompt", "code") and row.status in ("ok", "reused") and row.path in outputs:
            assert row.output is not None and row.output.json == json.loads(outputs[row.path]), row.path
    twins = {work for work, times in Counter(works.values()).items() if times > 1}
    alike = {path for path, work in works.items() if work in twins}
    _foreseen(ready.plan, did, alike, {row.path: row.status for row in fork.steps})
    return Forked(fork, Past({done.path: done for done in model.done}, given=given), ready.plan.spec)


def _foreseen(plan: Any, ran: set[str], alike: set[str], status: dict[str, str]) -> None:
    """What was said for sure before has come about. Which of several steps of the same work runs is not said."""
    for step in plan.steps:
        if not step.sure or step.action == "decide" or step.path in alike:
            continue
        if step.action == "execute":
            assert step.path in ran, f"{step.path} was to run"
        else:
            assert step.path not in ran, f"{step.path} was not to run"
        if step.action in ("reuse", "given"):
            assert status[step.path] == "reused", step.path
    sure = {step.path for step in plan.steps if step.sure}
    loose = {static_path(step.path) for step in plan.steps if not step.sure or step.action == "decide"}
    loose |= {  # how many rounds a loop takes, and which branch, is not known before
        static_path(f"{path.removesuffix(step.name)}{inner}")
        for path, step in walk(plan.spec.steps)
        if isinstance(step, (RefineStep, RouteStep, WhenStep))
        for inner, _ in walk((step,))
    }
    for path in ran - sure:
        assert static_path(path) in loose, f"{path} ran and was not foreseen"


class _World(World):
    """The model with edits of single items."""

    def __init__(self, edited: Edited, rule: Rule) -> None:
        super().__init__(fake, rule=rule)
        self.replaced = edited.replaced

    def _leaf(self, step: Any, env: Any, path: str) -> Any:
        return super()._leaf(self.replaced.get(path, step), env, path)
