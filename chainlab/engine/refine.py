"""refine at work: reviews a draft, improves it until it is accepted or the rounds are used up."""

from __future__ import annotations

from functools import partial

from chainlab.engine.failure import missing_item
from chainlab.engine.flow import inner_error, origin, sort_of
from chainlab.engine.state import State
from chainlab.errors import ErrorInfo
from chainlab.events import Binding
from chainlab.frames import Frame, Fresh, Slot, const_slot
from chainlab.plan import PlanBlock, PlanStep
from chainlab.spec.chain import RefineStep
from chainlab.spec.expr import evaluate, write_condition
from chainlab.values.codec import Value
from chainlab.values.ids import monotonic_us


def begin_refine(state: State, step: PlanStep, frame: Frame, slot: Slot) -> None:
    """Begin with the first review."""
    spec = step.spec
    assert isinstance(spec, RefineStep)
    started = monotonic_us()
    try:
        draft = frame.value(spec.draft)
    except LookupError as error:
        state.start(step, frame, ())
        state.fail(slot, started, missing_item(error))
        return
    path, field = origin(frame, spec.draft)
    state.start(step, frame, (Binding("draft", draft, path or None, field or None),))
    first = const_slot(draft, path or slot.path, field, frame.fresh(spec.draft))
    _Loop(state, step, spec, frame, slot, started).review(first, 1)


class _Loop:
    """One refine under way. Round r is the improvement `@r` (from 2 on) and the review `@r`."""

    __slots__ = ("frame", "slot", "spec", "started", "state", "step")

    def __init__(self, state: State, step: PlanStep, spec: RefineStep, frame: Frame, slot: Slot, started: int) -> None:
        self.state, self.step, self.spec = state, step, spec
        self.frame, self.slot, self.started = frame, slot, started

    def review(self, draft: Slot, round_: int) -> None:
        """Review a draft."""
        body = self.step.bodies[0]
        inner = self._open(round_, 1, draft, None)
        self.state.open_block(body, inner, partial(self._reviewed, body, inner, draft, round_))

    def _reviewed(
        self,
        body: PlanBlock,
        inner: Frame,
        draft: Slot,
        round_: int,
        value: Value | None,
        cause: str | None,
        fresh: Fresh,
    ) -> None:
        if value is None:
            self._failed(cause)
            return
        review = const_slot(value, *self._made_by(body, inner), fresh)
        self.slot.fresh = bool(self.slot.fresh) or bool(fresh)
        try:
            accepted = evaluate(self.spec.accept, self._open(round_, 1, draft, review).json)
        except (LookupError, TypeError) as error:
            text = f"{write_condition(self.spec.accept)}: {error}"
            self.state.fail(self.slot, self.started, ErrorInfo("bad-condition", text))
            return
        if accepted or round_ == self.spec.max_rounds:
            self._end(draft, review, accepted, round_)
        else:
            self._improve(draft, review, round_ + 1)

    def _improve(self, draft: Slot, review: Slot, round_: int) -> None:
        body = self.step.bodies[1]
        inner = self._open(round_, 0, draft, review)
        self.state.open_block(body, inner, partial(self._improved, body, inner, round_))

    def _improved(
        self, body: PlanBlock, inner: Frame, round_: int, value: Value | None, cause: str | None, fresh: Fresh
    ) -> None:
        if value is None:
            self._failed(cause)
            return
        self.slot.fresh = bool(self.slot.fresh) or bool(fresh)
        self.review(const_slot(value, *self._made_by(body, inner), fresh), round_)

    def _end(self, draft: Slot, review: Slot, accepted: bool, rounds: int) -> None:
        assert draft.value is not None and review.value is not None
        if not accepted and self.spec.on_limit == "fail":
            error = ErrorInfo(
                "not-accepted",
                f"not accepted after {rounds} round{'s' * (rounds != 1)}: {write_condition(self.spec.accept)}",
                got=review.value.body.decode()[:200],
                remedy="raise max_rounds, or loosen accept",
            )
            self.state.fail(self.slot, self.started, error)
            return
        result = {"value": draft.value.json, "review": review.value.json, "accepted": accepted, "rounds": rounds}
        self.state.succeed(self.slot, self.started, Value(result))

    def _failed(self, cause: str | None) -> None:
        cause = cause or self.slot.path
        self.state.fail(self.slot, self.started, inner_error(self.state, cause), cause)

    def _open(self, round_: int, part: int, draft: Slot, review: Slot | None) -> Frame:
        frame, name = self.frame, self.spec.name
        sort = f"{sort_of(self.step, frame)}.{round_:06d}.{part}."
        inner = Frame(frame, frame.prefix, f"{frame.suffix}@{round_}", sort)
        inner.slots["var", f"{name}.draft"] = draft
        if review is not None:
            inner.slots["var", f"{name}.review"] = review
        return inner

    def _made_by(self, body: PlanBlock, inner: Frame) -> tuple[str, str]:
        """Where a body's output comes from: the step that made it, else the refine itself."""
        path, field = origin(inner, body.output)
        return (path, field) if path else (self.slot.path, "")
