"""Run: what came of an execution. Data with one rule: no output is read by accident from a run that failed."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from chainlab.errors import ErrorInfo, RunFailed, quiet
from chainlab.values.codec import Json

if TYPE_CHECKING:
    from typing import Self

    from chainlab.events import Event, RunStatus, StepKind, StepStatus

R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step of a run. `output` is JSON (None unless ok), `duration_us` microseconds."""

    path: str
    kind: StepKind
    status: StepStatus
    output: Json = None
    error: ErrorInfo | None = None
    cause_path: str | None = None
    model: str | None = None
    attempts: int = 0
    duration_us: int | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a run is not ok: the first step that failed and its error."""

    path: str
    error: ErrorInfo
    attempt: int = 0
    link: str | None = None


class Run(Generic[R_co]):
    """One execution, ended or being read. `output` is typed by the chain's annotation."""

    __slots__ = ("_decode", "_load_steps", "_output", "_steps", "chain", "failure", "id", "parent_id", "status")

    def __init__(
        self,
        *,
        id: str,
        chain: str,
        status: RunStatus,
        output: Json,
        decode: Callable[[Json], R_co],
        failure: Failure | None,
        steps: Callable[[], Mapping[str, StepResult]],
        parent_id: str | None = None,
    ) -> None:
        self.id = id
        self.chain = chain
        self.status: RunStatus = status
        self.failure = failure
        self.parent_id = parent_id
        self._output = output
        self._decode = decode
        self._load_steps = steps
        self._steps: Mapping[str, StepResult] | None = None

    @property
    def output(self) -> R_co:
        """The chain's result, as its annotated type.

        Raises RunFailed unless the run is ok; also for a replay that left out the steps that make the result.
        """
        if self.failure is not None:
            raise quiet(self._failed(self.failure)) from None
        self.raise_for_status()
        return self._decode(self._output)

    @property
    def decode(self) -> Callable[[Json], R_co]:
        """Turns the result's JSON into its annotated type: a fork of this run gives the same type."""
        return self._decode

    @property
    def steps(self) -> Mapping[str, StepResult]:
        """Every step by path, in order."""
        if self._steps is None:
            self._steps = self._load_steps()
        return self._steps

    def raise_for_status(self) -> Self:
        """Raise RunFailed unless the run is ok; gives the run back."""
        if self.status == "ok":
            return self
        failure = self.failure or Failure("", ErrorInfo(self.status, f"the run is {self.status}"))
        raise quiet(self._failed(failure)) from None

    def _failed(self, failure: Failure) -> RunFailed:
        error = failure.error
        return RunFailed(
            self,
            path=failure.path,
            code=error.code,
            message=error.message,
            attempt=failure.attempt,
            expected=error.expected,
            got=error.got,
            remedy=error.remedy,
            retryable=error.retryable,
            file=error.file,
            line=error.line,
            link=failure.link,
        )

    def __repr__(self) -> str:
        return f"<Run {self.id} of {self.chain}: {self.status}>"


class RunStream(Generic[R_co]):
    """A run in progress: iterate its events, `await .run()` for the result (it drains what is left)."""

    __slots__ = ("_close", "_events", "_result")

    def __init__(
        self,
        events: AsyncIterator[Event],
        result: Callable[[], Awaitable[Run[R_co]]],
        close: Callable[[], Awaitable[None]],
    ) -> None:
        self._events = events
        self._result = result
        self._close = close

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events

    async def run(self) -> Run[R_co]:
        """The run, when it has ended."""
        async for _ in self._events:
            pass
        return await self._result()

    async def aclose(self) -> None:
        """Cancel the run if it is still going on."""
        await self._close()


def say_failure(run: Run[Any]) -> None:
    """Print the one line of a failed run to stderr, so that a run for its side effects does not fail in silence."""
    if run.status == "ok" or run.failure is None:
        return
    where = f" at {run.failure.path}" if run.failure.path else ""
    sys.stderr.write(f"chainlab: run {run.id} {run.status}{where}: {run.failure.error.message.splitlines()[0]}\n")
