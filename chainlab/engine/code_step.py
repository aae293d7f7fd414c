"""A Python step at work: the author's function, its inputs and result checked against their types."""

from __future__ import annotations

import asyncio
import traceback
from typing import Any

from chainlab.engine.failure import missing_item
from chainlab.engine.state import CodeHandle, State
from chainlab.engine.threads import in_thread
from chainlab.errors import ErrorInfo
from chainlab.events import AttemptFinished, AttemptStarted, Binding, StepFinished
from chainlab.frames import Frame, Slot
from chainlab.plan import PlanStep
from chainlab.spec import schema as types
from chainlab.spec.chain import CodeStep
from chainlab.values.codec import Value
from chainlab.values.ids import monotonic_us, now_us
from chainlab.values.types import InvalidValue


def begin_code(state: State, step: PlanStep, frame: Frame, slot: Slot) -> None:
    """Bind a Python step, report its start, and put it among the begun."""
    spec = step.spec
    assert isinstance(spec, CodeStep)
    started = monotonic_us()
    state.tally.total += 1
    try:
        bindings = state.bind(frame, spec.args)
    except LookupError as error:
        state.start(step, frame, ())
        state.fail(slot, started, missing_item(error))
        return
    state.start(step, frame, bindings)
    handle = state.code.get(step.path)
    if handle is None:  # only in a replay that came to a step which was not foreseen
        why = f"its function ({spec.module}:{spec.qualname}) is not in this process"
        state.fail(slot, started, ErrorInfo("no-code", why, remedy=f"import {spec.module} before the replay"))
        return
    leaf = state.running[slot.path] = CodeLeaf(state, spec, slot, bindings, handle, started)
    leaf.open_attempt("first")
    state.begun.append(leaf)


class CodeLeaf:
    """One Python step that has begun."""

    __slots__ = ("began", "bindings", "handle", "n", "slot", "spec", "started", "state")

    def __init__(
        self,
        state: State,
        spec: CodeStep,
        slot: Slot,
        bindings: tuple[Binding, ...],
        handle: CodeHandle,
        started: int,
    ) -> None:
        self.state, self.spec, self.slot = state, spec, slot
        self.bindings, self.handle, self.started = bindings, handle, started
        self.n = 0
        self.began = started

    def open_attempt(self, reason: Any) -> None:
        """Report that a try begins."""
        self.n += 1
        self.state.journal.emit(AttemptStarted(self.state.run_id, self.slot.path, self.n, reason, now_us()))

    async def work(self) -> None:
        """Call the function until it gives a value of its type or no try is left."""
        left = self.spec.policy.retries
        try:
            while True:
                self.began = monotonic_us()
                value, error = await self._call()
                self._close("failed" if error else "ok", error)
                if error is None:
                    assert value is not None
                    self.state.tally.ok += 1
                    self.state.succeed(self.slot, self.started, value, attempts=self.n)
                    return
                if not left:
                    self.state.fail(self.slot, self.started, error, attempts=self.n)
                    return
                left -= 1
                self.open_attempt("transport")
                await self.state.journal.durable()
        except asyncio.CancelledError:
            self.cancelled()
            raise

    def cancelled(self) -> None:
        """Report that the step was cancelled, and its try."""
        state = self.state
        if state.running.get(self.slot.path) is not self:
            return
        self._close("cancelled", None)
        took = monotonic_us() - self.started
        state.finish(StepFinished(state.run_id, self.slot.path, "cancelled", now_us(), took, attempts=self.n))

    async def _call(self) -> tuple[Value | None, ErrorInfo | None]:
        fn, timeout = self.handle.fn, self.spec.policy.timeout
        try:
            args = self.handle.decode({binding.name: binding.value.json for binding in self.bindings})
        except InvalidValue as invalid:
            return None, self._error("input-invalid", f"an input does not fit its type: {invalid}")
        positional = _positional(fn, args)
        try:
            async with asyncio.timeout(timeout):
                if self.handle.is_async:
                    result = await fn(*positional, **args)
                else:
                    result = await in_thread(lambda: fn(*positional, **args))
        except TimeoutError as error:
            if timeout is not None:
                return None, self._error(
                    "timeout", f"no result within {timeout:g} s", remedy="raise the step's timeout"
                )
            return None, self._raised(error)
        except asyncio.CancelledError:
            raise
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            return None, self._raised(error)
        try:
            return Value(self.handle.encode(result)), None
        except InvalidValue as invalid:
            got = f"{type(result).__name__} {result!r}"[:200]
            return None, self._error("output-invalid", f"the result does not fit its type: {invalid}", got=got)

    def _raised(self, error: BaseException) -> ErrorInfo:
        """The author's exception, at the author's line."""
        source = self.spec.source
        file, line = (source.file, source.line) if source else (None, None)
        for frame in traceback.extract_tb(error.__traceback__):
            if source and frame.filename == source.file:
                file, line = frame.filename, frame.lineno
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return ErrorInfo("step-raised", text, remedy="correct the function, or its inputs", file=file, line=line)

    def _error(self, code: str, message: str, *, got: str | None = None, remedy: str = "") -> ErrorInfo:
        source = self.spec.source
        return ErrorInfo(
            code,
            message,
            expected=types.describe(self.spec.output) if code == "output-invalid" else None,
            got=got,
            remedy=remedy or "correct the function or its annotations",
            file=source.file if source else None,
            line=source.line if source else None,
        )

    def _close(self, status: Any, error: ErrorInfo | None) -> None:
        took = monotonic_us() - self.began
        self.state.journal.emit(AttemptFinished(self.state.run_id, self.slot.path, self.n, status, took, error=error))


def _positional(fn: Any, args: dict[str, Any]) -> list[Any]:
    """Take the positional-only arguments out of `args`."""
    count = fn.__code__.co_posonlyargcount if hasattr(fn, "__code__") else 0
    return [args.pop(name) for name in fn.__code__.co_varnames[:count]] if count else []
