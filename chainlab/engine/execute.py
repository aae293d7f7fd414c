"""Plan -> events and an outcome.

A step begins the moment its own inputs are there; what it hands on is committed first.

One driver task per branch: it works on a step, reports its end together with the beginning of what follows, waits once
until both are durable, and goes on with the first of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from chainlab.engine.code_step import begin_code
from chainlab.engine.each import begin_each
from chainlab.engine.flow import begin_chain, begin_route, begin_when
from chainlab.engine.gate import Gate
from chainlab.engine.meter import Meter, past
from chainlab.engine.prompt_step import begin_prompt
from chainlab.engine.refine import begin_refine
from chainlab.engine.render import Renderer
from chainlab.engine.replaying import Replaying, give, settle
from chainlab.engine.state import CodeHandle, Leaf, State, chain_budget
from chainlab.errors import ChainError, ConfigError, ErrorInfo
from chainlab.events import BatchPlace, Binding, RunFinished, RunStarted, RunStatus
from chainlab.frames import Frame, Fresh, Slot, const_slot
from chainlab.plan import Plan
from chainlab.protocols import Journal, ResolvedModel, Results
from chainlab.spec.budget import Budget
from chainlab.values.codec import Json, Value
from chainlab.values.ids import monotonic_us, now_us
from chainlab.values.redact import Redactor
from chainlab.values.types import Accept

_BEGIN = {
    "prompt": begin_prompt,
    "code": begin_code,
    "each": begin_each,
    "when": begin_when,
    "route": begin_route,
    "refine": begin_refine,
    "chain": begin_chain,
}
T = TypeVar("T")

_LAST_WORDS_S = 1.0  # how long a cancelled run may take to write that it is


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an execution came to."""

    run_id: str
    status: RunStatus
    output: Value | None
    error: ErrorInfo | None = None
    error_path: str = ""
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """An execution to make: the plan, its inputs, and everything the plan's names stand for.

    `models` and `accepts` are by static path; `code` are the author's functions by static path; `gates` by backend
    name. `budget` is what the run may take, `budgets` what chains may, by name. `results` are outputs of earlier runs,
    for steps that may take them. `make_ready` is awaited once the run is recorded: for who must know the run before its
    models are there.
    """

    plan: Plan
    inputs: Mapping[str, Json]
    run_id: str
    models: Mapping[str, Sequence[ResolvedModel]]
    gates: Mapping[str, Gate]
    code: Mapping[str, CodeHandle]
    accepts: Mapping[str, Accept]
    tags: tuple[str, ...] = ()
    stream: bool = False
    fork: Fork | None = None
    replaying: Replaying | None = None
    renderer: Renderer | None = None
    make_ready: Callable[[], Awaitable[None]] | None = None
    budget: Budget | None = None
    budgets: Mapping[str, Budget] = field(default_factory=dict)
    results: Results | None = None
    redactor: Redactor | None = None

    @property
    def deadline(self) -> float | None:
        """Seconds after which the run ends, done or not."""
        limits = (self.budget, chain_budget(self.plan.spec, self.budgets))
        return min(
            (limit.deadline for limit in limits if limit is not None and limit.deadline is not None), default=None
        )


@dataclass(frozen=True, slots=True)
class Fork:
    """What a run is a fork of, and by which edits; its place in a batch."""

    parent_run_id: str
    root_run_id: str
    edits: Value
    kind: str = "replay"
    label: str | None = None
    batch: BatchPlace | None = None
    idempotency_key: str | None = None


async def execute(call: Call, journal: Journal) -> Outcome:
    """Execute a plan. Raises ChainError `no-code` before anything is written when a Python step has no function;
    TraceWriteError when the trace cannot be written; CancelledError after writing that the run is cancelled."""
    if call.replaying is None:  # a replay may well never come to a step whose function is not here
        _check_code(call)
    spec = call.plan.spec
    state = State(
        run_id=call.run_id,
        journal=journal,
        models=call.models,
        code=call.code,
        accepts=call.accepts,
        gates=call.gates,
        stream=call.stream,
        fell=None if call.replaying is None else call.replaying.decider.fell,
        renderer=call.renderer,
        results=call.results,
        forced=None if call.replaying is None else call.replaying.decider.rules.asks_again,
        budgets=call.budgets,
        redactor=call.redactor,
    )
    if call.budget is not None:
        state.meters[""] = Meter(call.budget, "the run")
    state.begin_meter("", spec, "")
    fork, replaying = call.fork, call.replaying
    inputs = {name: Value(value) for name, value in call.inputs.items()}
    started = monotonic_us()
    journal.emit(
        RunStarted(
            call.run_id,
            spec.name,
            spec.hash,
            spec.payload,
            Value(dict(call.inputs)),
            tuple(Binding(name, value) for name, value in inputs.items()),
            now_us(),
            tags=tuple(dict.fromkeys((*spec.tags, *call.tags))),
            run_kind="run" if fork is None else fork.kind,
            parent_run_id=None if fork is None else fork.parent_run_id,
            root_run_id=None if fork is None else fork.root_run_id,
            label=None if fork is None else fork.label,
            edits=None if fork is None else fork.edits,
            batch=None if fork is None else fork.batch,
            idempotency_key=None if fork is None else fork.idempotency_key,
        )
    )
    frame = Frame(None, "", "", "")
    for name, value in inputs.items():
        fresh = replaying is not None and name in replaying.fresh_inputs
        frame.slots["input", name] = const_slot(value, "$input", name, fresh)
    return await _Execution(state, started, replaying).go(call, frame)


class _Execution:
    """The driver tasks of one run."""

    def __init__(self, state: State, started: int, replaying: Replaying | None) -> None:
        self.state = state
        self.replaying = replaying
        self.started = started
        self.tasks: set[asyncio.Task[None]] = set()
        self.outcome: Outcome | None = None
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.timer: asyncio.TimerHandle | None = None

    def done(self, value: Value | None, cause: str | None, fresh: Fresh) -> None:
        """The chain's own body has ended: report the run's end. It counts once that is durable."""
        left = None if cause is None else self.state.left.get(cause)
        if cause is None:
            self.outcome = Outcome(self.state.run_id, "ok", value)
        elif left is not None:  # nothing failed: what was asked for has run
            self.outcome = Outcome(self.state.run_id, "ok", None, left, cause)
        else:
            error = self.state.errors.get(cause) or ErrorInfo("failed", f"{cause} failed")
            self.outcome = Outcome(self.state.run_id, "failed", None, error, cause, self.state.attempts.get(cause, 0))
        self._report(self.outcome)

    def _report(self, outcome: Outcome) -> None:
        tally = self.state.tally
        self.state.journal.emit(
            RunFinished(
                outcome.run_id,
                outcome.status,
                now_us(),
                monotonic_us() - self.started,
                outcome.output,
                outcome.error,
                outcome.error_path or None,
                tally.total,
                tally.ok,
                tally.failed,
                tally.skipped,
                tally.reused,
                tally.tokens_in,
                tally.tokens_out,
                tally.cost_nano,
            )
        )

    async def go(self, call: Call, frame: Frame) -> Outcome:
        """Drive the run to its end."""
        try:
            refused = None if call.make_ready is None else await self._made_ready(call.make_ready)
            if refused is None:
                self._start_clock(call.deadline)
                self.state.open_block(call.plan.root, frame, self.done)
            else:
                self.outcome = Outcome(call.run_id, "failed", None, refused)
                self._report(self.outcome)
            await self._advance(None)
            if not self.finished.done():
                await self.finished
        except asyncio.CancelledError:
            await self._cancel()
            raise
        except BaseException:
            await self._stop()
            raise
        finally:
            if self.timer is not None:
                self.timer.cancel()
        assert self.outcome is not None
        return self.outcome

    def _start_clock(self, seconds: float | None) -> None:
        """Let the run end after so many seconds, done or not."""
        if seconds is None:
            return
        loop = asyncio.get_running_loop()
        self.state.deadline_at = loop.time() + seconds
        self.timer = loop.call_later(seconds, lambda: self._spawn(self._expire, seconds))

    async def _expire(self, seconds: float) -> None:
        """The deadline has come: end what is under way, and the run with it."""
        task = asyncio.current_task()
        if task is not None:
            self.tasks.discard(task)  # it does not end itself
        await self._stop()
        if self.outcome is None:
            self.state.cancel()
            self.outcome = Outcome(self.state.run_id, "failed", None, past("the run", seconds))
            self._report(self.outcome)
        await self.state.journal.durable()  # also of an end that had come before: who waited for that was cancelled
        if not self.finished.done():
            self.finished.set_result(None)

    async def _made_ready(self, make_ready: Callable[[], Awaitable[None]]) -> ErrorInfo | None:
        """Record the run, then get its models ready; what keeps them from it."""
        await self.state.journal.durable()
        try:
            await make_ready()
        except ConfigError as error:
            return ErrorInfo(error.code, error.message, remedy=error.remedy)
        except Exception as error:  # a backend's own mistake: the run is recorded, and must have an end
            return ErrorInfo("backend-error", f"{type(error).__name__}: {error}", remedy="report the backend")
        return None

    async def _advance(self, leaf: Leaf | None) -> None:
        """Work on a leaf and on what follows it, one after the other; other branches get tasks of their own."""
        state = self.state
        while True:
            if leaf is not None:
                await leaf.work()
            begun = self._drain()
            ended = self.outcome is not None  # asked before the wait: only what was reported by now is then durable
            if leaf is not None and not begun and not ended:
                return  # nothing is handed on: whoever hands on waits for this, too
            await state.journal.durable(alone=len(self.tasks) <= 1)  # this task, or none yet
            if ended:
                if not self.finished.done():
                    self.finished.set_result(None)
                return
            for other in begun[1:] if leaf is not None else begun:
                self._spawn(self._advance, other)
            if leaf is None:
                return
            leaf = begun[0]
            del begun  # a branch of a long run must not keep what it began with

    def _drain(self) -> list[Leaf]:
        """Begin everything that is ready, and what that makes ready."""
        state, replaying = self.state, self.replaying
        queue = state.queue
        while queue:
            turn = queue.popleft()
            step, frame, slot = turn.step, turn.frame, turn.slot
            cause = frame.failed(step.waits)
            if cause is not None and (replaying is None or not give(state, replaying, step, frame, slot)):
                state.skip(step, frame, slot, cause, True)
            if cause is not None:
                continue
            begins = step if replaying is None else settle(state, replaying, step, frame, slot)
            if begins is not None:
                _BEGIN[begins.kind](state, begins, frame, slot)
        begun, state.begun = state.begun, []
        return begun

    def _spawn(self, work: Callable[[T], Coroutine[Any, Any, None]], of: T) -> None:
        self.tasks.add(asyncio.create_task(self._branch(work, of)))

    async def _branch(self, work: Callable[[T], Coroutine[Any, Any, None]], of: T) -> None:
        try:
            await work(of)  # made here: a task that is cancelled before it begins leaves no coroutine behind
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            if not self.finished.done():
                self.finished.set_exception(error)
            if not isinstance(error, Exception):
                raise
        finally:
            task = asyncio.current_task()
            if task is not None:
                self.tasks.discard(task)

    async def _stop(self) -> None:
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_LAST_WORDS_S)

    async def _cancel(self) -> None:
        """Cancel every step, write that the run is cancelled, and give control back within a second."""
        await self._stop()
        if self.outcome is None:
            self.state.cancel()
            self.outcome = Outcome(
                self.state.run_id, "cancelled", None, ErrorInfo("cancelled", "the run was cancelled")
            )
            self._report(self.outcome)
        try:
            await asyncio.wait_for(asyncio.shield(_awaited(self.state.journal)), _LAST_WORDS_S)
        except (TimeoutError, asyncio.CancelledError, Exception):
            return


async def _awaited(journal: Journal) -> None:
    await journal.durable()


def _check_code(call: Call) -> None:
    for path, spec in call.plan.code.items():
        if path not in call.code:
            raise ChainError(
                f"the Python step {path!r} ({spec.module}:{spec.qualname}) has no function in this process",
                code="no-code",
                step=path,
                remedy=f"import {spec.module} and run the chain it declares",
            )


__all__ = ["Call", "Outcome", "Slot", "execute"]
