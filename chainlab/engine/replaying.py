"""A replay at work: before a step begins, its record may stand for it, or the replay leaves it out.

The decision is `replay.decide`'s; here its outcome becomes events and settled slots.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from chainlab.engine.state import State
from chainlab.errors import ErrorInfo
from chainlab.events import Binding, StepFinished
from chainlab.frames import Frame, NotKnown, Slot
from chainlab.plan import PlanStep, by_hand_key
from chainlab.replay.decide import Decider
from chainlab.spec.chain import CodeStep, EachStep, PromptStep, RefineStep, RouteStep, SubChain, WhenStep
from chainlab.spec.expr import Expr, condition_refs
from chainlab.spec.path import static_path
from chainlab.values.codec import Value
from chainlab.values.ids import now_us

_LEFT = {
    "scope": ErrorInfo(
        "outside-scope",
        "it follows an edited step and is outside the scope of this replay",
        remedy="replay this fork: then what was left out runs",
    ),
    "effects": ErrorInfo(
        "has-effects", "its effects are not repeated in a replay", remedy="set its output by hand to go on from there"
    ),
}


@dataclass(frozen=True, slots=True)
class Replaying:
    """What the engine needs of a replay: who decides, which steps are others at one path, which outputs are given."""

    decider: Decider
    replaced: Mapping[str, PlanStep]
    outputs: Mapping[str, Value]
    fresh_inputs: frozenset[str]


def give(state: State, replaying: Replaying, step: PlanStep, frame: Frame, slot: Slot) -> bool:
    """Hand on the output that a person wrote for this step, whatever became of the others. False: there is none."""
    by_hand = replaying.outputs.get(slot.path) or replaying.outputs.get(static_path(slot.path))
    if by_hand is not None:
        _give(state, replaying, step, frame, slot, by_hand)
    return by_hand is not None


def settle(state: State, replaying: Replaying, step: PlanStep, frame: Frame, slot: Slot) -> PlanStep | None:
    """Settle a step's slot from the record, or leave the step out: None. Else the step that begins as in any run."""
    if give(state, replaying, step, frame, slot):
        return None
    if not isinstance(step.spec, (PromptStep, CodeStep)):
        slot.fresh = frame.any_fresh(_decided_by(step))
        return step
    step = replaying.replaced.get(slot.path, step)
    try:
        if replaying.decider.has_standing:
            standing = replaying.decider.standing(slot.path, _hashes(_bind(state, step, frame)))
            if standing is not None and standing.output is not None:
                _give(state, replaying, step, frame, slot, standing.output)
                return None
            step = (standing and standing.step) or step
        bindings = _bind(state, step, frame)
    except LookupError:
        slot.fresh = True
        return step  # it fails as it begins, and says why
    return step if _begins(state, replaying, step, bindings, frame, slot) else None


def _begins(
    state: State,
    replaying: Replaying,
    step: PlanStep,
    bindings: tuple[Binding, ...],
    frame: Frame,
    slot: Slot,
) -> bool:
    """Whether a prompt or Python step runs. If not, its slot is settled."""
    spec = step.spec
    assert isinstance(spec, (PromptStep, CodeStep))
    key = state.key_of(step, bindings)
    verdict = replaying.decider.decide(
        slot.path,
        key,
        _hashes(bindings),
        fresh=frame.any_fresh(spec.args.values()),
        effects=spec.effects if isinstance(spec, CodeStep) else "none",
    )
    if verdict.action == "execute":
        slot.fresh = True
        return True
    state.tally.total += 1
    if verdict.action == "leave":
        state.leave_out(step, frame, slot, _LEFT["effects" if verdict.why == "effects" else "scope"])
        return False
    row = verdict.row
    assert row is not None
    output = row.output
    assert output is not None
    # The record's key and model go with its output: where drift was let pass, the work is still that of the record.
    state.start(step, frame, bindings, key=row.reuse_key, made_by=(row.model, row.backend, row.adapter))
    run_id, path = row.origin
    state.finish(
        StepFinished(
            state.run_id, slot.path, "reused", now_us(), 0, output=output, origin_run_id=run_id, origin_path=path
        )
    )
    state.tally.reused += 1
    slot.fresh = verdict.why == "carried"
    slot.resolve(output)
    return False


def _give(state: State, replaying: Replaying, step: PlanStep, frame: Frame, slot: Slot, output: Value) -> None:
    """Hand on an output that a person wrote."""
    slot.fresh = replaying.decider.rules.is_forced(slot.path)
    bindings: tuple[Binding, ...] = ()
    with contextlib.suppress(LookupError, NotKnown):
        bindings = _bind(state, step, frame)
    state.start(step, frame, bindings, key=by_hand_key(output.hash))
    state.finish(
        StepFinished(
            state.run_id,
            slot.path,
            "reused",
            now_us(),
            0,
            output=output,
            origin_run_id=state.run_id,
            origin_path=slot.path,
        )
    )
    if isinstance(step.spec, (PromptStep, CodeStep)):
        state.tally.total += 1
        state.tally.reused += 1
    slot.resolve(output)


def _bind(state: State, step: PlanStep, frame: Frame) -> tuple[Binding, ...]:
    return state.bind(frame, step.spec.args) if isinstance(step.spec, (PromptStep, CodeStep)) else ()


def _hashes(bindings: tuple[Binding, ...]) -> dict[str, bytes]:
    return {binding.name: binding.value.hash for binding in bindings}


def _decided_by(step: PlanStep) -> list[Expr]:
    """What decides which bodies of a step run: made anew, all that the step gives is new."""
    match step.spec:
        case WhenStep():
            return list(condition_refs(step.spec.condition))
        case RouteStep():
            return [step.spec.value]
        case RefineStep():
            return [step.spec.draft]
        case EachStep() | SubChain() | PromptStep() | CodeStep():
            return []  # item by item, input by input
