"""A replay walked through in the head: recorded outputs where they stand, "not known" where a step will run.

Follows the engine's rules for paths, inputs and freshness; calls nothing. Where only running can tell (which branch,
how many items or rounds), the record's own course is taken and what comes of it is marked as not sure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from chainlab.frames import Frame, Fresh, NotKnown, Slot, const_slot
from chainlab.plan import Plan, PlanBlock, PlanStep, reuse_key
from chainlab.replay.decide import Decider, Standing, Verdict
from chainlab.replay.planned import PlannedStep, World
from chainlab.replay.recorded import Recorded
from chainlab.spec.chain import (
    CodeStep,
    EachStep,
    PromptStep,
    RefineStep,
    RouteStep,
    SubChain,
    WhenStep,
    walk,
)
from chainlab.spec.check import order
from chainlab.spec.expr import Expr, RefExpr, condition_refs, evaluate
from chainlab.spec.path import static_path
from chainlab.values.codec import Json, Value, encode


@dataclass(frozen=True, slots=True)
class Seen:
    """A step as it was foreseen, with the verdict behind it and the plan's step (the replaced one, where it is).

    `inputs`: what it will get, where that is known before.
    """

    planned: PlannedStep
    step: PlanStep
    verdict: Verdict | None
    loose: bool
    inputs: Mapping[str, Value] | None = None


def foresee(
    plan: Plan,
    inputs: Mapping[str, Json],
    recorded: Recorded,
    decider: Decider,
    world: World,
    replaced: Mapping[str, PlanStep],
    outputs: Mapping[str, Value],
    fresh_inputs: frozenset[str],
) -> tuple[Seen, ...]:
    """Every prompt and Python step in the order of a run."""
    frame = Frame(None, "", "", "")
    for name, value in inputs.items():
        frame.slots["input", name] = const_slot(Value(value), "$input", name, name in fresh_inputs)
    eyes = _Eyes(recorded, decider, world, replaced, outputs)
    eyes.block(plan.root, frame, sure=True, loose=False)
    return tuple(eyes.seen)


@dataclass(frozen=True, slots=True)
class _Made:
    """What a body came to. `value` None: not known, or left out (`cause`)."""

    value: Value | None
    fresh: Fresh
    cause: str | None = None


class _Eyes:
    def __init__(
        self,
        recorded: Recorded,
        decider: Decider,
        world: World,
        replaced: Mapping[str, PlanStep],
        outputs: Mapping[str, Value],
    ) -> None:
        self.recorded, self.decider, self.world = recorded, decider, world
        self.replaced, self.outputs = replaced, outputs
        self.seen: list[Seen] = []
        self.partly: dict[Slot, Sequence[Value | None]] = {}  # lists of which only some items are known
        self._orders: dict[int, Sequence[PlanStep]] = {}  # by block

    # `sure`: whether the body runs at all, and this often. `loose`: it need not have run before, so that a step without
    # a record in it is no surprise.

    def block(self, block: PlanBlock, frame: Frame, *, sure: bool, loose: bool) -> _Made:
        """Walk a body."""
        slots = {}
        for step in block.steps:
            name = step.spec.name
            slots[name] = frame.slots["step", name] = Slot(f"{frame.prefix}{name}{frame.suffix}")
        for step in self._in_order(block):
            self._step(step, frame, slots[step.spec.name], sure, loose)
        cause = next((slot.cause for slot in slots.values() if slot.cause is not None), None)
        fresh = frame.fresh(block.output)
        if cause is not None:
            return _Made(None, fresh, cause)
        try:
            return _Made(frame.value(block.output), fresh)
        except (NotKnown, LookupError):
            return _Made(None, fresh)

    def _in_order(self, block: PlanBlock) -> Sequence[PlanStep]:
        """Each step after those it uses; worked out once for all items of an `each`."""
        found = self._orders.get(id(block))
        if found is None:
            by_name = {step.spec.name: step for step in block.steps}
            found = [by_name[spec.name] for spec in order(tuple(step.spec for step in block.steps))]
            self._orders[id(block)] = found
        return found

    def _step(self, step: PlanStep, frame: Frame, slot: Slot, sure: bool, loose: bool) -> None:
        slot.done = True
        by_hand = self.outputs.get(slot.path) or self.outputs.get(static_path(slot.path))
        if by_hand is not None:
            self._give(step, slot, by_hand, sure, loose)
            return
        cause = frame.failed(step.waits)
        if cause is not None:
            self._left(step, frame, slot, cause, loose)
            return
        match step.spec:
            case PromptStep() | CodeStep():
                standing = self._standing(step.spec, frame, slot)
                if standing is not None and standing.output is not None:
                    self._give(step, slot, standing.output, sure, loose)
                    return
                other = standing and standing.step
                self._leaf(other or self.replaced.get(slot.path, step), frame, slot, sure, loose)
            case EachStep():
                self._each(step, step.spec, frame, slot, sure, loose)
            case WhenStep():
                self._when(step, step.spec, frame, slot, sure, loose)
            case RouteStep():
                self._route(step, step.spec, frame, slot, sure, loose)
            case RefineStep():
                self._refine(step, step.spec, frame, slot, sure, loose)
            case SubChain():
                self._chain(step, step.spec, frame, slot, sure, loose)

    def _give(self, step: PlanStep, slot: Slot, output: Value, sure: bool, loose: bool) -> None:
        slot.value, slot.fresh = output, self.decider.rules.is_forced(slot.path)
        if isinstance(step.spec, (PromptStep, CodeStep)):
            planned = PlannedStep(slot.path, step.spec.kind, "given", "by-hand", sure=sure)
            self.seen.append(Seen(planned, step, None, loose))

    def _standing(self, spec: PromptStep | CodeStep, frame: Frame, slot: Slot) -> Standing | None:
        if not self.decider.has_standing:
            return None
        try:
            return self.decider.standing(slot.path, {name: frame.value(expr).hash for name, expr in spec.args.items()})
        except (NotKnown, LookupError):
            return None

    def _left(self, step: PlanStep, frame: Frame, slot: Slot, cause: str, loose: bool) -> None:
        slot.cause = cause
        inside = [(slot.path, step.spec)]
        if isinstance(step.spec, SubChain):
            inside = list(walk(step.spec.chain.steps, f"{slot.path}/"))
        elif not isinstance(step.spec, (PromptStep, CodeStep)):
            inside = [(frame.prefix + path + frame.suffix, spec) for path, spec in walk((step.spec,))]
        for path, spec in inside:
            if isinstance(spec, (PromptStep, CodeStep)):
                planned = PlannedStep(path, spec.kind, "leave", "scope", sure=False)
                self.seen.append(Seen(planned, step, None, loose))

    def _leaf(self, step: PlanStep, frame: Frame, slot: Slot, sure: bool, loose: bool) -> None:
        spec = step.spec
        assert isinstance(spec, (PromptStep, CodeStep))
        effects = spec.effects if isinstance(spec, CodeStep) else "none"
        values: dict[str, Value] | None = None
        try:
            values = {name: frame.value(expr) for name, expr in spec.args.items()}
        except NotKnown:
            verdict = self.decider.unseen(slot.path, effects, fresh=frame.any_fresh(spec.args.values()))
        except LookupError:  # it will fail, and say why
            verdict = Verdict("execute", "downstream")
        else:
            model = self.world.models.get(step.path)
            inputs = {name: value.hash for name, value in values.items()}
            key = reuse_key(step, inputs.items(), b"" if model is None else model.identity)
            fresh = frame.any_fresh(spec.args.values())
            verdict = self.decider.decide(slot.path, key, inputs, fresh=fresh, effects=effects)
        if verdict is None and self.decider.rules.scope == "step":
            # Left out, unless it gets exactly what it got before; so is what follows it.
            slot.cause = slot.path
            planned = PlannedStep(slot.path, spec.kind, "leave", "scope", sure=False)
        elif verdict is None:
            # Where what is new runs, this is new only if it runs: what needs it depends as well.
            slot.fresh = self.decider.rules.scope != "descendants"
            planned = PlannedStep(slot.path, spec.kind, "decide", "depends", sure=sure)
        else:
            origin = verdict.row.origin if verdict.action == "reuse" and verdict.row is not None else None
            planned = PlannedStep(slot.path, spec.kind, verdict.action, verdict.why, origin, sure)
            if verdict.action == "reuse":
                assert verdict.row is not None
                slot.value = verdict.row.output
            elif verdict.action == "execute":
                slot.fresh = True
            else:
                slot.cause = slot.path
        self.seen.append(Seen(planned, step, verdict, loose, values))

    def _settle(self, slot: Slot, made: _Made, fresh: bool) -> None:
        slot.value, slot.cause = made.value, made.cause
        slot.fresh = True if fresh else made.fresh

    def _took(self, path: str) -> Json:
        row = self.recorded.get(path)
        return None if row is None else row.took

    def _each(self, step: PlanStep, spec: EachStep, frame: Frame, slot: Slot, sure: bool, loose: bool) -> None:
        fresh = frame.fresh(spec.items)
        known = self._items(spec.items, frame)
        if known is None:
            taken = self._took(slot.path)
            known = [None] * max(1, len(taken) if isinstance(taken, list) else 1)
            sure, loose = False, True
        made: list[_Made] = []
        loose = loose or bool(fresh)
        for index, item in enumerate(known):
            inner = Frame(frame, frame.prefix, f"{frame.suffix}[{index}]", "")
            item_fresh = fresh if isinstance(fresh, bool) else index in fresh
            inner.slots["var", f"{spec.name}.item"] = _slot(item, slot.path, item_fresh)
            paths = (f"{inner.prefix}{one.spec.name}{inner.suffix}" for one in step.bodies[0].steps)
            back = any(map(self.recorded.fell, paths))
            one = self.block(step.bodies[0], inner, sure=sure, loose=loose or back)
            # An item that came to nothing has a result now: that is new, whatever it is made of.
            made.append(replace(one, fresh=True) if back else one)
        slot.cause = next((one.cause for one in made if one.cause is not None), None)
        if slot.cause is None and sure:
            self._listed(slot, [one.value for one in made], spec.on_error)
        slot.fresh = True if fresh is True else frozenset(i for i, one in enumerate(made) if one.fresh)

    def _items(self, expr: Expr, frame: Frame) -> Sequence[Value | None] | None:
        """The items of a list, as far as they are known; None: not even how many."""
        try:
            items = frame.json(expr)
            return [Value(item) for item in items] if isinstance(items, list) else None
        except (NotKnown, LookupError):
            return self.partly.get(frame.find((expr.of, expr.name))) if _is_whole(expr) else None

    def _listed(self, slot: Slot, values: list[Value | None], on_error: str) -> None:
        known = [value.json for value in values if value is not None]
        if len(known) == len(values):
            slot.value = Value(known)
        elif on_error != "drop":  # what is yet to run may fail, and then every item moves
            self.partly[slot] = values

    def _when(self, step: PlanStep, spec: WhenStep, frame: Frame, slot: Slot, sure: bool, loose: bool) -> None:
        fresh = frame.any_fresh(condition_refs(spec.condition))
        try:
            taken = [0 if evaluate(spec.condition, frame.json) else 1]
        except (NotKnown, LookupError, TypeError):
            before = self._took(slot.path)
            taken = [0 if before else 1] if isinstance(before, bool) else [0, 1]
            sure, loose = False, True
        self._branches(step, frame, slot, [n for n in taken if n < len(step.bodies)], fresh, sure, loose)

    def _route(self, step: PlanStep, spec: RouteStep, frame: Frame, slot: Slot, sure: bool, loose: bool) -> None:
        fresh = bool(frame.fresh(spec.value))
        try:
            value = frame.json(spec.value)
        except (NotKnown, LookupError):
            value = self._took(slot.path)
            sure, loose = False, True
        body = encode(value)
        taken = [n for n, case in enumerate(spec.cases) if encode(case.label) == body]
        if not taken and spec.otherwise is not None:
            taken = [len(spec.cases)]
        self._branches(step, frame, slot, taken, fresh, sure, loose)

    def _branches(
        self, step: PlanStep, frame: Frame, slot: Slot, taken: list[int], fresh: bool, sure: bool, loose: bool
    ) -> None:
        made = [
            self.block(
                step.bodies[number],
                Frame(frame, frame.prefix, frame.suffix, ""),
                sure=sure,
                loose=loose or fresh,
            )
            for number in taken
        ]
        if not made:
            self._settle(slot, _Made(Value(None) if sure else None, False), fresh)
        elif len(made) == 1 and sure:
            self._settle(slot, made[0], fresh)
        else:
            self._settle(slot, _Made(None, True, next((one.cause for one in made if one.cause), None)), fresh)

    def _refine(self, step: PlanStep, spec: RefineStep, frame: Frame, slot: Slot, sure: bool, loose: bool) -> None:
        try:
            draft = _slot(frame.value(spec.draft), slot.path, frame.fresh(spec.draft))
        except (NotKnown, LookupError):
            draft = _slot(None, slot.path, True)
        recorded = self._rounds(step, frame)
        fresh = bool(draft.fresh)
        for round_ in range(1, spec.max_rounds + 1):
            inner = self._round(spec, frame, round_, draft, None)
            reviewed = self.block(step.bodies[0], inner, sure=sure, loose=loose or fresh)
            fresh = fresh or bool(reviewed.fresh)
            review = _slot(reviewed.value, slot.path, reviewed.fresh)
            if reviewed.cause is not None:
                slot.cause = reviewed.cause
                break
            try:
                accepted = evaluate(spec.accept, self._round(spec, frame, round_, draft, review).json)
            except (NotKnown, LookupError, TypeError):
                accepted = round_ >= recorded
                sure, loose = False, True
                if self.decider.rules.scope == "step" and round_ < spec.max_rounds:
                    slot.cause = slot.path  # another round, if it comes to one, is left out
                    break
            if accepted or round_ == spec.max_rounds:
                if sure and draft.value is not None and review.value is not None:
                    slot.value = Value(
                        {
                            "value": draft.value.json,
                            "review": review.value.json,
                            "accepted": accepted,
                            "rounds": round_,
                        }
                    )
                break
            inner = self._round(spec, frame, round_ + 1, draft, review)
            improved = self.block(step.bodies[1], inner, sure=sure, loose=loose or fresh)
            fresh = fresh or bool(improved.fresh)
            if improved.cause is not None:
                slot.cause = improved.cause
                break
            draft = _slot(improved.value, slot.path, improved.fresh)
        slot.fresh = fresh

    def _round(self, spec: RefineStep, frame: Frame, round_: int, draft: Slot, review: Slot | None) -> Frame:
        inner = Frame(frame, frame.prefix, f"{frame.suffix}@{round_}", "")
        inner.slots["var", f"{spec.name}.draft"] = draft
        if review is not None:
            inner.slots["var", f"{spec.name}.review"] = review
        return inner

    def _rounds(self, step: PlanStep, frame: Frame) -> int:
        """How many rounds the record has of this loop."""
        names = [f"{frame.prefix}{inner.spec.name}{frame.suffix}" for inner in step.bodies[0].steps]
        round_ = 1
        while any(self.recorded.get(f"{name}@{round_ + 1}") is not None for name in names):
            round_ += 1
        return round_

    def _chain(self, step: PlanStep, spec: SubChain, frame: Frame, slot: Slot, sure: bool, loose: bool) -> None:
        assert step.sub is not None
        inner = Frame(None, f"{slot.path}/", "", "")
        for name, default in spec.chain.defaults.items():
            inner.slots["input", name] = const_slot(Value(default), slot.path, name)
        for name, expr in spec.args.items():
            try:
                value: Value | None = frame.value(expr)
            except (NotKnown, LookupError):
                value = None
            given = inner.slots["input", name] = _slot(value, slot.path, frame.fresh(expr))
            if _is_whole(expr):
                partly = self.partly.get(frame.find((expr.of, expr.name)))
                if partly is not None:
                    self.partly[given] = partly
        self._settle(slot, self.block(step.sub, inner, sure=sure, loose=loose), False)


def _is_whole(expr: Expr) -> TypeGuard[RefExpr]:
    """Whether an expression is a value itself, not a part of it."""
    return isinstance(expr, RefExpr) and not expr.path


def _slot(value: Value | None, path: str, fresh: Fresh) -> Slot:
    return const_slot(value, path, fresh=fresh)
