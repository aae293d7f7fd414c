"""each at work: opens its body for every item, puts results together in input order."""

from __future__ import annotations

from chainlab.engine.failure import SPENT, missing_item
from chainlab.engine.flow import inner_error, origin, sort_of
from chainlab.engine.state import State
from chainlab.errors import ErrorInfo
from chainlab.events import Binding
from chainlab.frames import Frame, Fresh, Slot, const_slot
from chainlab.plan import PlanStep
from chainlab.spec.chain import EachStep
from chainlab.values.codec import Json, Value
from chainlab.values.ids import monotonic_us


def begin_each(state: State, step: PlanStep, frame: Frame, slot: Slot) -> None:
    """Open the body once for every item."""
    spec = step.spec
    assert isinstance(spec, EachStep)
    started = monotonic_us()
    try:
        items = frame.value(spec.items)
    except LookupError as error:
        state.start(step, frame, ())
        state.fail(slot, started, missing_item(error))
        return
    path, field = origin(frame, spec.items)
    state.start(step, frame, (Binding("items", items, path or None, field or None),))
    if not isinstance(items.json, list):
        wrong = ErrorInfo("bad-iterable", "the items are no list", expected="a list", got=repr(items.json)[:100])
        state.fail(slot, started, wrong)
        return
    fresh = frame.fresh(spec.items)
    fan = _Fan(state, step, slot, started, len(items.json), fresh is True)
    if not items.json:
        fan.finish()
        return
    variable = ("var", f"{spec.name}.item")
    sort = sort_of(step, frame)
    for index, item in enumerate(items.json):
        inner = Frame(frame, frame.prefix, f"{frame.suffix}[{index}]", f"{sort}.{index:06d}.")
        new = fresh if isinstance(fresh, bool) else index in fresh
        inner.slots[variable] = const_slot(Value(item), path or slot.path, f"{field}[{index}]", new)
        state.open_block(step.bodies[0], inner, _Item(fan, index, inner))


class _Fan:
    """The items of one `each` that are under way."""

    __slots__ = ("all_fresh", "causes", "fresh", "left", "results", "slot", "spec", "started", "state", "step")

    def __init__(self, state: State, step: PlanStep, slot: Slot, started: int, count: int, all_fresh: bool) -> None:
        assert isinstance(step.spec, EachStep)
        self.state, self.step, self.spec, self.slot, self.started = state, step, step.spec, slot, started
        self.all_fresh = all_fresh
        self.fresh: set[int] = set()
        self.left = count
        self.results: list[Json] = [None] * count
        self.causes: dict[int, str] = {}  # in the order in which items failed

    def ended(self, index: int, frame: Frame, value: Value | None, cause: str | None, fresh: Fresh) -> None:
        """An item has its result, or has failed."""
        if fresh or self._comes_back(frame):
            self.fresh.add(index)
        if cause is not None:
            self.causes[index] = cause
            self.fresh.add(index)
        elif value is not None:
            self.results[index] = value.json
        self.left -= 1
        if not self.left:
            self.finish()

    def _comes_back(self, frame: Frame) -> bool:
        """Whether the record has no result of this item: then it is a new one, whatever it is made of."""
        fell = self.state.fell
        if fell is None:
            return False
        return fell(f"{frame.prefix}{inner.spec.name}{frame.suffix}" for inner in self.step.bodies[0].steps)

    def finish(self) -> None:
        """All items have ended."""
        out = next((cause for cause in self.causes.values() if cause in self.state.left), None)
        if out is not None:
            self.state.fail(self.slot, self.started, inner_error(self.state, out), out)
            return
        for cause in self.causes.values():
            error = inner_error(self.state, cause)
            if self.spec.on_error == "fail" or error.code in SPENT:
                self.state.fail(self.slot, self.started, error, cause)
                return
        if self.spec.on_error == "keep":
            kept = self.results
        else:
            kept = [result for index, result in enumerate(self.results) if index not in self.causes]
        self.slot.fresh = self._fresh()
        self.state.succeed(self.slot, self.started, Value(kept))

    def _fresh(self) -> Fresh:
        """Which results are new in a replay. An item that is dropped moves the others: then the list as a whole is."""
        if self.all_fresh or (self.causes and self.spec.on_error == "drop" and self.fresh):
            return True
        return frozenset(self.fresh)


class _Item:
    """What hears that an item has ended. Not a closure over both: see `state._Body`."""

    __slots__ = ("fan", "frame", "index")

    def __init__(self, fan: _Fan, index: int, frame: Frame) -> None:
        self.fan, self.index, self.frame = fan, index, frame

    def __call__(self, value: Value | None, cause: str | None, fresh: Fresh) -> None:
        self.fan.ended(self.index, self.frame, value, cause, fresh)
