"""plan_replay: a record and edits -> a checked plan of what runs again and what is reused. Pure: runs nothing."""

from __future__ import annotations

from dataclasses import dataclass

from chainlab.errors import ReplayError
from chainlab.plan import Plan, PlanStep, ready, replace_step
from chainlab.replay.decide import Decider, OnDrift, OnEffects, Rules, Scope, Standing
from chainlab.replay.drift import describe_drift, drift_kinds
from chainlab.replay.foresee import Seen, foresee
from chainlab.replay.planned import Drift, ReplayPlan, World
from chainlab.replay.recorded import Recorded, usable
from chainlab.spec.chain import ChainSpec, CodeStep, load, walk
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


def plan_replay(record: RunRecord, edited: Edited, world: World, asked: Asked) -> ReplayPlan:
    """Think a replay through: what runs, what is reused, what has drifted.

    Raises nothing for drift: `refusals` says what stops it.
    """
    rules = Rules(asked.scope, asked.on_drift, asked.on_effects, edited.forced)
    plan = ready(edited.spec)
    recorded = Recorded(record.steps, whole=record.run.status == "ok")
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
    decider = Decider(recorded, rules, standing)
    seen = foresee(plan, inputs, recorded, decider, world, replaced, outputs, fresh)
    return ReplayPlan(
        run_id=record.run.id,
        plan=plan,
        inputs={name: inputs[name] for name in edited.spec.inputs if name in inputs},
        rules=rules,
        steps=tuple(one.planned for one in seen),
        drift=tuple(_drift(seen, _stored(record), recorded, world, asked)),
        unverifiable=_unverifiable(seen, world),
        notes=(*edited.notes, *_notes(seen, world)),
        recorded=recorded,
        replaced=replaced,
        outputs=outputs,
        standing=standing,
        known={
            one.planned.path: one.inputs
            for one in seen
            if one.inputs is not None and one.planned.kind == "prompt" and one.planned.action == "execute"
        },
        fresh_inputs=fresh,
    )


def refusal(plan: ReplayPlan, world: World) -> ReplayError | None:
    """Why a plan may not be carried out; None: it may."""
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
                remedy="say on_effects='run' to repeat them, or on_effects='skip' to leave the step out",
                plan=plan,
            )
    blocking = [drift for drift in plan.drift if drift.blocks]
    if blocking:
        more = f" (and {len(blocking) - 1} more)" if len(blocking) > 1 else ""
        return ReplayError(
            f"{blocking[0].note}{more}",
            code="drift",
            path=blocking[0].path,
            expected="steps outside the edit to be what was recorded",
            got=", ".join(f"{drift.path}: {' '.join(drift.kinds)}" for drift in blocking[:5]),
            remedy="on_drift='rerun' runs them again, on_drift='reuse' takes what was recorded",
            plan=plan,
        )
    return None


def _stored(record: RunRecord) -> Plan:
    return ready(load(record.spec))


def _drift(seen: tuple[Seen, ...], stored: Plan, recorded: Recorded, world: World, asked: Asked) -> list[Drift]:
    found = []
    for one in seen:
        path, verdict = one.planned.path, one.verdict
        before = stored.by_path.get(static_path(path))
        if verdict is not None and (verdict.why == "drift" or (verdict.why == "new" and not one.loose)):
            row = verdict.row
            model = world.models.get(one.step.path)
            kinds = drift_kinds(before, one.step, row, model)
            found.append(Drift(path, kinds, describe_drift(path, kinds, row, model), asked.on_drift == "refuse"))
        elif one.planned.action in ("execute", "decide") and _other_code(before, one.step) and not asked.current:
            note = f"{path}: its function is another one now than when it was recorded, and it would run"
            found.append(Drift(path, ("code",), note, asked.on_drift != "rerun"))
    gone = set(stored.by_path) - {static_path(one.planned.path) for one in seen}
    for row_path in sorted(recorded.paths()):
        row = recorded.get(row_path)
        lost = static_path(row_path) in gone and row is not None and row.kind in ("prompt", "code") and usable(row)
        if lost and asked.current and not any(other.planned.origin == row.origin for other in seen if row):
            note = f"{row_path}: the chain does not have this step any more"
            found.append(Drift(row_path, ("missing",), note, blocks=False))
    return found


def _other_code(before: PlanStep | None, now: PlanStep) -> bool:
    return (
        before is not None
        and isinstance(before.spec, CodeStep)
        and isinstance(now.spec, CodeStep)
        and before.spec.code_hash != now.spec.code_hash
    )


def _unverifiable(seen: tuple[Seen, ...], world: World) -> tuple[str, ...]:
    """Reused replies of models that may have changed behind their name."""
    reused = [one for one in seen if one.planned.action == "reuse" and one.planned.kind == "prompt"]
    return tuple(one.planned.path for one in reused if not _pinned(world, one.step.path))


def _pinned(world: World, path: str) -> bool:
    model = world.models.get(path)
    return model is None or model.pinned


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
