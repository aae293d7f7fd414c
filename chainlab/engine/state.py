"""The state of one execution: what is ready to begin, what has begun, what has failed, what it cost."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from chainlab.engine.gate import Gate
from chainlab.engine.meter import Meter
from chainlab.engine.render import Renderer
from chainlab.errors import ErrorInfo
from chainlab.events import Binding, StepFinished, StepSkipped, StepStarted
from chainlab.frames import Frame, Fresh, Slot
from chainlab.plan import PlanBlock, PlanStep, reuse_key
from chainlab.protocols import Journal, ResolvedModel, Results, identity_of
from chainlab.spec.budget import Budget, merged
from chainlab.spec.chain import ChainSpec, CodeStep, PromptStep, RouteStep, SubChain, WhenStep
from chainlab.spec.expr import ConstExpr, Expr, RefExpr
from chainlab.values.codec import Json, Value
from chainlab.values.ids import monotonic_us, now_us
from chainlab.values.redact import Redactor
from chainlab.values.types import Accept, accept_schema

BlockDone = Callable[[Value | None, str | None, Fresh], None]
"""Called with a block's output, or the path of the first step that failed in it; and what of it is new in a replay."""


MadeBy = tuple[str | None, str | None, str | None]
"""Whose output it is: model, backend, adapter."""

_NOBODY: MadeBy = (None, None, None)


class CodeHandle(Protocol):
    """The author's function behind a Python step."""

    @property
    def fn(self) -> Callable[..., Any]: ...
    @property
    def is_async(self) -> bool: ...
    def decode(self, args: Mapping[str, Json]) -> dict[str, Any]: ...
    def encode(self, value: Any) -> Json: ...


def chain_budget(chain: ChainSpec, budgets: Mapping[str, Budget]) -> Budget | None:
    """What a chain may take: as it declares, and where the settings of its name say otherwise, as they say."""
    return merged(chain.budget, budgets.get(chain.name))


class Leaf(Protocol):
    """A step that has begun and has work to do."""

    async def work(self) -> None:
        """Do it, report the end, settle the slot. Cancelled: `cancelled`, and out."""
        ...

    def cancelled(self) -> None:
        """Report that it was cancelled; also when its work had not begun."""
        ...


@dataclass(slots=True)
class Tally:
    """Counts over the leaf steps (prompts and Python steps) of a run. `cost_nano`: None as soon as one is unknown."""

    total: int = 0
    ok: int = 0
    failed: int = 0
    skipped: int = 0
    reused: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_nano: int | None = None
    unpriced: bool = False

    def pay(self, cost: int | None) -> None:
        """Add the cost of a reply, in billionths."""
        self.unpriced = self.unpriced or cost is None
        self.cost_nano = None if self.unpriced else (self.cost_nano or 0) + (cost or 0)


@dataclass(slots=True)
class State:
    """One execution in progress."""

    run_id: str
    journal: Journal
    models: Mapping[str, Sequence[ResolvedModel]]
    code: Mapping[str, CodeHandle]
    accepts: Mapping[str, Accept]
    gates: Mapping[str, Gate]
    stream: bool
    fell: Callable[[Iterable[str]], bool] | None = None  # in a replay: whether any of some steps failed in the record
    renderer: Renderer | None = None
    results: Results | None = None  # outputs kept across runs
    forced: Callable[[str], bool] | None = None  # in a replay: whether a step at a path must run
    meters: dict[str, Meter] = field(default_factory=dict)  # by the prefix of a chain's paths
    budgets: Mapping[str, Budget] = field(default_factory=dict)  # by the name of a chain
    deadline_at: float | None = None  # on the event loop's clock
    tripped: dict[str, ErrorInfo] = field(default_factory=dict)  # backends that this run asks no more, and why
    redactor: Redactor | None = None
    queue: deque[Turn] = field(default_factory=deque)
    begun: list[Leaf] = field(default_factory=list)
    running: dict[str, Leaf | int] = field(default_factory=dict)  # by path: who works on it, or since when it is open
    errors: dict[str, ErrorInfo] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    left: dict[str, ErrorInfo] = field(default_factory=dict)  # what a replay leaves out, and why
    tally: Tally = field(default_factory=Tally)
    _identities: dict[int, bytes] = field(default_factory=dict)  # by the choice of models
    _accepts: dict[str, Accept] = field(default_factory=dict)  # by static path, of prompts whose types are not here

    # -- beginning ---------------------------------------------------------------------------------------------------

    def start(
        self,
        step: PlanStep,
        frame: Frame,
        bindings: tuple[Binding, ...],
        *,
        model: ResolvedModel | None = None,
        key: bytes | None = None,
        made_by: MadeBy | None = None,
    ) -> str:
        """Report that a step begins; gives its path. `made_by`: for a reused output, whatever `model` would say."""
        if made_by is None and model is not None:
            made_by = (model.written or model.model, model.backend.name, model.adapter)
        path = f"{frame.prefix}{step.spec.name}{frame.suffix}"
        self.running[path] = monotonic_us()
        self.journal.emit(
            StepStarted(
                self.run_id,
                path,
                step.step,
                step.kind,
                frame.sort + step.sort,
                bindings,
                self.key_of(step, bindings) if key is None else key,
                now_us(),
                *(made_by or _NOBODY),
            )
        )
        return path

    def key_of(self, step: PlanStep, bindings: tuple[Binding, ...]) -> bytes:
        """The reuse key of a step with these inputs."""
        inputs = [(binding.name, binding.value.hash) for binding in bindings]
        choices = self.models.get(step.path)
        return reuse_key(step, inputs, b"" if choices is None else self._identity(choices))

    def _identity(self, choices: Sequence[ResolvedModel]) -> bytes:
        found = self._identities.get(id(choices))
        if found is None:
            found = self._identities[id(choices)] = identity_of(choices)
        return found

    def accept(self, step: PlanStep) -> Accept:
        """How a prompt's reply is checked: by the author's type, else by the stored schema."""
        found = self.accepts.get(step.path) or self._accepts.get(step.path)
        if found is None:
            assert isinstance(step.spec, PromptStep)
            found = self._accepts[step.path] = accept_schema(step.spec.output)
        return found

    # -- limits ------------------------------------------------------------------------------------------------------

    def begin_meter(self, prefix: str, chain: ChainSpec, above: str) -> None:
        """Count what the steps below a prefix take, where somebody limits it. `above`: the prefix around it."""
        outer = self.meters.get(above)
        budget = chain_budget(chain, self.budgets)
        if budget is not None:
            self.meters[prefix] = Meter(budget, f"chain {chain.name!r}", outer)
        elif outer is not None:
            self.meters[prefix] = outer

    def ends_before(self, seconds: float) -> bool:
        """Whether the run's deadline comes before so many seconds are over."""
        if self.deadline_at is None:
            return False
        return asyncio.get_running_loop().time() + seconds >= self.deadline_at

    def adapter_hash(self, model: ResolvedModel) -> bytes | None:
        """The content's hash of a model's adapter, where its files can be read."""
        return None if model.adapter_hash is None else model.adapter_hash()

    def trip(self, backend: str, error: ErrorInfo) -> None:
        """Ask a backend no more in this run."""
        self.tripped.setdefault(backend, replace(error, message=f"not asked again in this run: {error.message}"))

    # -- ending ------------------------------------------------------------------------------------------------------

    def finish(self, end: StepFinished) -> None:
        """Report the end of a step that has begun."""
        self.running.pop(end.path, None)
        self.journal.emit(end)

    def cancel(self) -> None:
        """Report the end of every step that is still open, what is inside another one first."""
        for path, open_ in reversed(list(self.running.items())):
            if not isinstance(open_, int):
                open_.cancelled()
            else:
                self.finish(StepFinished(self.run_id, path, "cancelled", now_us(), monotonic_us() - open_))

    def succeed(self, slot: Slot, started: int, output: Value, **totals: Any) -> None:
        """Report a step's output and hand it on."""
        self.finish(
            StepFinished(self.run_id, slot.path, "ok", now_us(), monotonic_us() - started, output=output, **totals)
        )
        slot.resolve(output)

    def fail(self, slot: Slot, started: int, error: ErrorInfo, cause: str | None = None, **totals: Any) -> None:
        """Report a step's failure and let its descendants be skipped. `cause`: the step inside it that failed first."""
        error = self.without_secrets(error)
        if cause is not None and cause in self.left:
            took = monotonic_us() - started
            self.finish(StepFinished(self.run_id, slot.path, "skipped", now_us(), took, error=self.left[cause]))
            slot.resolve(None, cause)
            return
        self.finish(
            StepFinished(self.run_id, slot.path, "failed", now_us(), monotonic_us() - started, error=error, **totals)
        )
        if cause is None:
            cause = slot.path
            self.tally.failed += 1
            self.errors[cause] = error
            self.attempts[cause] = totals.get("attempts", 0)
        slot.resolve(None, cause)

    def without_secrets(self, error: ErrorInfo) -> ErrorInfo:
        """An error as it may be shown: what a server or a model answered may repeat a key."""
        if self.redactor is None:
            return error
        message, got = self.redactor.text(error.message), error.got and self.redactor.text(error.got)
        return error if (message, got) == (error.message, error.got) else replace(error, message=message, got=got)

    def leave_out(self, step: PlanStep, frame: Frame, slot: Slot, why: ErrorInfo) -> None:
        """Report that a replay leaves a step out, and let what follows it be skipped."""
        self.left[slot.path] = why
        sort = frame.sort + step.sort
        self.journal.emit(StepSkipped(self.run_id, slot.path, step.step, step.kind, sort, slot.path, now_us(), why))
        self.tally.skipped += 1
        slot.resolve(None, slot.path)

    def skip(self, step: PlanStep, frame: Frame, slot: Slot | None, cause: str, reason_failed: bool) -> None:
        """Report that a step will not run, and the steps known inside it; `cause` is why."""
        spec = step.spec
        path = f"{frame.prefix}{spec.name}{frame.suffix}"
        sort = frame.sort + step.sort
        self.journal.emit(StepSkipped(self.run_id, path, step.step, step.kind, sort, cause, now_us()))
        if isinstance(spec, (PromptStep, CodeStep)):
            self.tally.total += 1
            self.tally.skipped += 1
        if isinstance(spec, (WhenStep, RouteStep)):
            for number, body in enumerate(step.bodies):
                self.skip_block(body, Frame(None, frame.prefix, frame.suffix, f"{sort}.{number}."), cause)
        if isinstance(spec, SubChain) and step.sub is not None:
            self.skip_block(step.sub, Frame(None, f"{path}/", "", f"{sort}."), cause)
        if slot is not None:
            slot.resolve(None, cause)

    def skip_block(self, block: PlanBlock, frame: Frame, cause: str) -> None:
        """Report every step of a body that will not run."""
        for step in block.steps:
            self.skip(step, frame, None, cause, False)

    # -- blocks ------------------------------------------------------------------------------------------------------

    def open_block(self, block: PlanBlock, frame: Frame, done: BlockDone) -> None:
        """Let the steps of a body begin as their inputs are ready; call `done` when all have ended."""
        body = _Body(self, block, frame, done)
        if not block.steps:
            body.finish()
            return
        prefix, suffix = frame.prefix, frame.suffix
        slots = []
        for step in block.steps:
            name = step.spec.name
            slot = frame.slots["step", name] = Slot(f"{prefix}{name}{suffix}", body=body)
            slots.append(slot)
        for step, slot in zip(block.steps, slots, strict=True):
            self._when_ready(step, frame, slot)

    def _when_ready(self, step: PlanStep, frame: Frame, slot: Slot) -> None:
        turn = Turn(self.queue, step, frame, slot)
        for source in step.waits:
            found = frame.find(source)
            if not found.done:
                turn.left += 1
                found.when_done(turn)
        if not turn.left:
            self.queue.append(turn)

    # -- inputs ------------------------------------------------------------------------------------------------------

    def bind(self, frame: Frame, args: Mapping[str, Expr]) -> tuple[Binding, ...]:
        """The value of every parameter and where it comes from. Raises LookupError for a missing key or index."""
        out = []
        for name, expr in args.items():
            if isinstance(expr, RefExpr):
                slot = frame.find((expr.of, expr.name))
                out.append(Binding(name, slot.part(expr.path), slot.path, slot.field_of(expr.path) or None))
            elif isinstance(expr, ConstExpr):
                out.append(Binding(name, Value(expr.value)))
            else:
                out.append(Binding(name, frame.value(expr)))
        return tuple(out)


class _Body:
    """The steps of a body that is open. Not closures: a fan-out opens thousands of bodies, and the garbage collector
    looks at every cell of every closure."""

    __slots__ = ("block", "cause", "done", "frame", "left", "state")

    def __init__(self, state: State, block: PlanBlock, frame: Frame, done: BlockDone) -> None:
        self.state, self.block, self.frame, self.done = state, block, frame, done
        self.left = len(block.steps)
        self.cause: str | None = None  # of the first failure

    def ended(self, slot: Slot) -> None:
        """A step of the body has its value, or has failed."""
        self.left -= 1
        if self.cause is None or (slot.cause is not None and self.cause in self.state.left):
            self.cause = slot.cause  # a failure says more than a step that was left out
        if not self.left:
            self.finish()

    def finish(self) -> None:
        """All steps have ended."""
        frame = self.frame
        if self.cause is not None:
            self.done(None, self.cause, False)
            return
        try:
            value = frame.value(self.block.output)
        except LookupError as error:
            cause = f"{frame.prefix}$output{frame.suffix}"
            self.state.errors[cause] = ErrorInfo("missing-item", str(error.args[0]), remedy="check the index or key")
            self.done(None, cause, False)
            return
        self.done(value, None, self.state.fell is not None and frame.fresh(self.block.output))


class Turn:
    """A step that is to begin, once the `left` values that it waits for are there: the last puts it in the queue."""

    __slots__ = ("frame", "left", "queue", "slot", "step")

    def __init__(self, queue: deque[Turn], step: PlanStep, frame: Frame, slot: Slot) -> None:
        self.queue, self.step, self.frame, self.slot = queue, step, frame, slot
        self.left = 0

    def __call__(self) -> None:
        self.left -= 1
        if not self.left:
            self.queue.append(self)
