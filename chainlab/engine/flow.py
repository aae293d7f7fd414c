"""when, route and sub-chains at work: they open bodies and hand on their results; they call nothing themselves."""

from __future__ import annotations

from chainlab.engine.failure import missing_item
from chainlab.engine.state import State
from chainlab.errors import ErrorInfo
from chainlab.events import Binding
from chainlab.frames import Frame, Fresh, Slot, const_slot
from chainlab.plan import PlanStep
from chainlab.spec.chain import RouteStep, SubChain, WhenStep
from chainlab.spec.expr import Expr, RefExpr, evaluate, write_condition
from chainlab.values.codec import Value, encode
from chainlab.values.ids import monotonic_us


def origin(frame: Frame, expr: Expr) -> tuple[str, str]:
    """Where an expression's value comes from, for the bindings of what is made of it."""
    if isinstance(expr, RefExpr):
        slot = frame.find((expr.of, expr.name))
        return slot.path, slot.field_of(expr.path)
    return "", ""


def sort_of(step: PlanStep, frame: Frame) -> str:
    """The sort text of a step in a frame: what is inside it begins with the same."""
    return frame.sort + step.sort


def inner_error(state: State, cause: str) -> ErrorInfo:
    """The error of the step inside that failed first."""
    return state.errors.get(cause) or ErrorInfo("failed", f"{cause} failed")


def _branch(state: State, step: PlanStep, frame: Frame, slot: Slot, started: int, taken: int | None) -> None:
    """Open one body and skip the others; none taken gives None."""
    sort = sort_of(step, frame)
    for number, body in enumerate(step.bodies):
        if number != taken:
            state.skip_block(body, Frame(None, frame.prefix, frame.suffix, f"{sort}.{number}."), slot.path)
    if taken is None:
        state.succeed(slot, started, Value(None))
        return

    def done(value: Value | None, cause: str | None, fresh: Fresh) -> None:
        if cause is not None:
            state.fail(slot, started, inner_error(state, cause), cause)
        else:
            assert value is not None
            slot.fresh = slot.fresh or fresh
            state.succeed(slot, started, value)

    state.open_block(step.bodies[taken], Frame(frame, frame.prefix, frame.suffix, f"{sort}.{taken}."), done)


def begin_when(state: State, step: PlanStep, frame: Frame, slot: Slot) -> None:
    """Decide the condition and open its branch."""
    spec = step.spec
    assert isinstance(spec, WhenStep)
    started = monotonic_us()
    try:
        holds = evaluate(spec.condition, frame.json)
    except LookupError as error:
        state.start(step, frame, ())
        state.fail(slot, started, missing_item(error))
        return
    except TypeError as error:
        state.start(step, frame, ())
        state.fail(slot, started, ErrorInfo("bad-condition", f"{write_condition(spec.condition)}: {error}"))
        return
    state.start(step, frame, (Binding("condition", Value(holds)),))
    taken = 0 if holds else (1 if spec.otherwise is not None else None)
    _branch(state, step, frame, slot, started, taken)


def begin_route(state: State, step: PlanStep, frame: Frame, slot: Slot) -> None:
    """Find the label's branch and open it."""
    spec = step.spec
    assert isinstance(spec, RouteStep)
    started = monotonic_us()
    try:
        value = frame.value(spec.value)
    except LookupError as error:
        state.start(step, frame, ())
        state.fail(slot, started, missing_item(error))
        return
    path, field = origin(frame, spec.value)
    state.start(step, frame, (Binding("value", value, path or None, field or None),))
    wanted = value.body
    for number, case in enumerate(spec.cases):
        if encode(case.label) == wanted:
            _branch(state, step, frame, slot, started, number)
            return
    if spec.otherwise is not None:
        _branch(state, step, frame, slot, started, len(spec.cases))
        return
    labels = ", ".join(repr(case.label) for case in spec.cases)
    state.fail(
        slot, started, ErrorInfo("route-label", "no case for this value", expected=labels, got=repr(value.json)[:100])
    )


def begin_chain(state: State, step: PlanStep, frame: Frame, slot: Slot) -> None:
    """Open a sub-chain with its inputs; its names are its own."""
    spec = step.spec
    assert isinstance(spec, SubChain)
    assert step.sub is not None
    started = monotonic_us()
    try:
        bindings = state.bind(frame, spec.args)
    except LookupError as error:
        state.start(step, frame, ())
        state.fail(slot, started, missing_item(error))
        return
    path = state.start(step, frame, bindings)
    inner = Frame(None, f"{path}/", "", f"{sort_of(step, frame)}.")
    state.begin_meter(inner.prefix, spec.chain, frame.prefix)
    for name, default in spec.chain.defaults.items():
        inner.slots["input", name] = const_slot(Value(default), path, name)
    for binding in bindings:
        inner.slots["input", binding.name] = const_slot(
            binding.value,
            binding.from_path or path,
            (binding.from_field or "") if binding.from_path else binding.name,
            frame.fresh(spec.args[binding.name]),
        )

    def done(value: Value | None, cause: str | None, fresh: Fresh) -> None:
        if cause is not None:
            state.fail(slot, started, inner_error(state, cause), cause)
        else:
            assert value is not None
            slot.fresh = slot.fresh or fresh
            state.succeed(slot, started, value)

    state.open_block(step.sub, inner, done)
