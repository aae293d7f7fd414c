"""plan_replay: a record and edits -> a checked plan of what runs again and what is reused. Pure: runs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from chainlab.errors import ReplayError
from chainlab.plan import Plan, replace_step
from chainlab.replay.decide import Decider, OnDrift, OnEffects, Rules, Scope, Standing
from chainlab.replay.drift import describe_drift, drift_kinds
from chainlab.replay.foresee import Seen, foresee
from chainlab.replay.planned import Drift, ReplayPlan, World
from chainlab.replay.recorded import Recorded, usable
from chainlab.spec.chain import ChainSpec, CodeStep, PromptStep, StepSpec, load, walk
from chainlab.spec.edit import Edited
from chainlab.spec.path import static_path
from chainlab.trace import RunRecord
from chainlab.values.codec import Value


@dataclass(frozen=True, slots=True)
class Asked:
    """What a replay is asked to do. `current`: the chain is the author's own of now, not the stored one."""

    scope: Scope = "descendants"
    on_drift: OnDrift = "refuse"
    on_effects: OnEffects = "refuse"
    current: bool = False


def plan_replay(record: RunRecord, edited: Edited, world: World, asked: Asked, plan: Plan) -> ReplayPlan:
    """Think a replay through: what runs, what is reused, what has drifted. `plan`: the edited chain, made ready.

    Raises nothing for drift: `refusal` says what stops it.
    """
    rules = Rules(asked.scope, asked.on_drift, asked.on_effects, edited.forced)
    recorded = Recorded(record.steps, whole=record.run.status == "ok" and record.run.error is None)
    replaced = {
        path: replace_step(plan.by_path[static_path(path)], step, path) for path, step in edited.replaced.items()
    }
    outputs = {path: Value(output) for path, output in edited.outputs.items()}
    inputs = {**edited.spec.defaults, **record.inputs, **edited.inputs}
    fresh = frozenset(edited.inputs)
    standing = tuple(
        Standing(
            old.path,
            old.inputs,
            None if old.step is None else replace_step(plan.by_path[static_path(old.path)], old.step, old.path),
            None if old.step is not None else Value(old.output),
        )
        for old in edited.lasting
    )

    def walked(own: frozenset[str] | None) -> tuple[Seen, ...]:
        decider = Decider(recorded, rules, standing, own=own)
        return foresee(plan, inputs, recorded, decider, world, replaced, outputs, fresh)

    seen, own = _with_own(walked)
    return ReplayPlan(
        run_id=record.run.id,
        plan=plan,
        inputs={name: inputs[name] for name in edited.spec.inputs if name in inputs},
        rules=rules,
        steps=tuple(one.planned for one in seen),
        drift=tuple(_drift(seen, record, recorded, world, asked)),
        unverifiable=_unverifiable(seen, world),
        notes=(*edited.notes, *_without_effect(seen, rules.forced, plan), *_notes(seen, world)),
        recorded=recorded,
        replaced=replaced,
        outputs=outputs,
        standing=standing,
        own=own,
        known={
            one.planned.path: one.inputs
            for one in seen
            if one.inputs is not None and one.planned.kind == "prompt" and one.planned.action == "execute"
        },
        fresh_inputs=fresh,
    )


def _with_own(walked: Callable[[frozenset[str] | None], tuple[Seen, ...]]) -> tuple[tuple[Seen, ...], frozenset[str]]:
    """The steps, and whose record is for themselves: who comes first must not take it from who has not changed."""
    seen = walked(frozenset())
    if not any(_takes_from_others(one) for one in seen):
        return seen, _unchanged(seen)
    own = _unchanged(walked(None))
    return walked(own), own


def _takes_from_others(one: Seen) -> bool:
    return one.verdict is not None and one.verdict.why == "moved"


def _unchanged(seen: tuple[Seen, ...]) -> frozenset[str]:
    return frozenset(
        one.planned.path for one in seen if one.verdict is not None and one.verdict.why == "same" and one.planned.sure
    )


def refusal(plan: ReplayPlan, world: World) -> ReplayError | None:
    """Why a plan may not be carried out; None: it may."""
    # Drift first: what follows a drifted step would run for that reason alone.
    blocking = [drift for drift in plan.drift if drift.blocks]
    if blocking:
        more = f" (and {len(blocking) - 1} more)" if len(blocking) > 1 else ""
        return ReplayError(
            f"{blocking[0].note}{more}",
            code="drift",
            path=blocking[0].path,
            expected="steps outside the edit to be what was recorded",
            got=", ".join(f"{drift.path}: {' '.join(drift.kinds)}" for drift in blocking[:5]),
            remedy=_drift_remedy(plan, blocking),
            plan=plan,
        )
    for one in plan.steps:
        if one.kind != "code" or one.action not in ("execute", "decide"):
            continue
        code = world.code.get(static_path(one.path))
        if code is None or code.hash is None:
            why = (code and code.why_not) or "its module is not loaded"
            return ReplayError(
                f"the Python step {one.path!r} would run again, and its function is not at hand: {why}",
                code="no-code",
                path=one.path,
                expected="a process that has the author's module",
                remedy=_code_remedy(plan.spec, one.path),
                plan=plan,
            )
    for one in plan.steps:
        if one.why == "effects" and plan.rules.on_effects == "refuse" and _effects(plan, one.path) == "ask":
            return ReplayError(
                f"{one.path!r} has effects (effects='ask') and would run again",
                code="effects",
                path=one.path,
                remedy="say on_effects='run' (--on-effects run) to repeat them, or 'skip' to leave the step out",
                plan=plan,
            )
    return None


def _drift_remedy(plan: ReplayPlan, blocking: Sequence[Drift]) -> str:
    why = {one.path: one.why for one in plan.steps}
    if all(one.kinds == ("code",) and why.get(one.path) != "drift" for one in blocking):  # they run in any case
        return "on_drift='rerun' (--on-drift rerun) runs the functions as they are now"
    return "on_drift='rerun' (--on-drift rerun) runs them again, 'reuse' takes what was recorded"


def _drift(seen: tuple[Seen, ...], record: RunRecord, recorded: Recorded, world: World, asked: Asked) -> list[Drift]:
    suspects = [one for one in seen if _is_other_work(one) or _may_run_code(one)]
    if not suspects and not asked.current:
        return []
    stored = dict(walk(load(record.spec).steps))
    let_pass = isinstance(record.edits, dict) and record.edits.get("on_drift") == "reuse"
    found = []
    for one in suspects:
        path, verdict = one.planned.path, one.verdict
        before = stored.get(static_path(path))
        if verdict is not None and _is_other_work(one):
            model = world.models.get(one.step.path)
            kinds = drift_kinds(before, one.step, verdict.row, model, let_pass=let_pass)
            note = describe_drift(path, kinds, verdict.row, model)
            found.append(Drift(path, kinds, note, asked.on_drift == "refuse"))
        elif _other_code(before, one.step.spec) and not asked.current:
            note = f"{path}: its function is another one now than when it was recorded, and it would run"
            found.append(Drift(path, ("code",), note, asked.on_drift != "rerun"))
    return [*found, *_lost(seen, stored, recorded)] if asked.current else found


def _is_other_work(one: Seen) -> bool:
    return one.verdict is not None and (one.verdict.why == "drift" or (one.verdict.why == "new" and not one.loose))


def _may_run_code(one: Seen) -> bool:
    return one.planned.kind == "code" and one.planned.action in ("execute", "decide")


def _other_code(before: StepSpec | None, now: StepSpec) -> bool:
    return isinstance(before, CodeStep) and isinstance(now, CodeStep) and before.code_hash != now.code_hash


def _lost(seen: tuple[Seen, ...], stored: Mapping[str, StepSpec], recorded: Recorded) -> Iterator[Drift]:
    """Recorded steps that the author's chain of now does not have."""
    gone = set(stored) - {static_path(one.planned.path) for one in seen}
    used = {one.planned.origin for one in seen}
    for path in sorted(recorded.paths()):
        row = recorded.get(path)
        if static_path(path) not in gone or row is None or row.origin in used:
            continue
        if row.kind in ("prompt", "code") and usable(row):
            yield Drift(path, ("missing",), f"{path}: the chain does not have this step any more", blocks=False)


def _unverifiable(seen: tuple[Seen, ...], world: World) -> tuple[str, ...]:
    """Reused replies of models that may have changed behind their name."""
    reused = [one for one in seen if one.planned.action == "reuse" and one.planned.kind == "prompt"]
    return tuple(one.planned.path for one in reused if not _pinned(world, one.step.path))


def _pinned(world: World, path: str) -> bool:
    model = world.models.get(path)
    return model is None or model.pinned


def _without_effect(seen: tuple[Seen, ...], forced: frozenset[str], plan: Plan) -> Iterator[str]:
    """Edits of steps that will not run, as far as can be seen."""
    for path in sorted(forced):
        if not isinstance(plan.by_path[static_path(path)].spec, (PromptStep, CodeStep)):
            continue
        found = [one.planned for one in seen if path in (one.planned.path, static_path(one.planned.path))]
        if not found:
            yield f"{path}: as far as the record tells, this step is not reached, and its edit has no effect"
        elif all(one.action == "leave" for one in found):
            why = "its effects are not repeated" if found[0].why == "effects" else "what it needs is left out"
            yield f"{path}: the edited step does not run: {why}"


def _notes(seen: tuple[Seen, ...], world: World) -> list[str]:
    notes = []
    told: set[str] = set()
    for one in seen:
        static = static_path(one.planned.path)
        runs = one.planned.action in ("execute", "decide")
        if runs and static in world.unchecked and static not in told:
            told.add(static)
            notes.append(
                f"{static}: its type has validators in Python ({world.unchecked[static]}) that are not loaded here; "
                "replies are checked against the JSON Schema only"
            )
    return notes


def _effects(plan: ReplayPlan, path: str) -> str:
    spec = plan.plan.by_path[static_path(path)].spec
    return spec.effects if isinstance(spec, CodeStep) else "none"


def _code_remedy(spec: ChainSpec, path: str) -> str:
    step = dict(walk(spec.steps)).get(static_path(path))
    if isinstance(step, CodeStep) and step.not_portable is not None:
        return "give the chain itself: lab.replay(run, chain=...); to replay without it, move the function to a module"
    place = step.source.file if isinstance(step, CodeStep) and step.source is not None else "the file that declares it"
    return f"start with the module: chainlab replay RUN --module {place}, or import it before lab.replay"
