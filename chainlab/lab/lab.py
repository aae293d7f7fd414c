"""Lab: a project's configuration, backends and trace store, bound together; runs chains and finds runs again."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from chainlab.backends.registry import ModelRegistry
from chainlab.config import Config, default_db, load_config
from chainlab.declare.runnable import Runnable, reset_runner, use_runner
from chainlab.engine.execute import Call, Outcome, execute
from chainlab.engine.limits import Limit
from chainlab.errors import ChainlabError, ErrorInfo, StoreError, quiet
from chainlab.events import BackendProgress
from chainlab.lab import default, loops
from chainlab.lab.link import trace_link
from chainlab.lab.prepare import Prepared, prepare
from chainlab.lab.streams import Listener, open_stream
from chainlab.messages import Progress
from chainlab.protocols import Backend, Journal
from chainlab.run import Failure, Run, RunStream, StepResult, say_failure
from chainlab.store.reader import SqliteReader
from chainlab.store.store import Store
from chainlab.trace import StepSummary, TraceReader
from chainlab.values.codec import Json, decode
from chainlab.values.ids import new_id
from chainlab.values.redact import Redactor
from chainlab.values.types import from_json

if TYPE_CHECKING:
    from typing import Self

P = ParamSpec("P")
R = TypeVar("R")


class Lab:
    """Runs chains and keeps their traces. Use as a context manager: every chain inside the block runs in this lab."""

    def __init__(self, config: Config, store: Store, models: ModelRegistry) -> None:
        self.config = config
        self.store = store
        self.models = models
        self._prepared: dict[int, tuple[Any, Prepared]] = {}
        self._ready: set[tuple[str, str]] = set()
        self._limits: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Limit]] = WeakKeyDictionary()
        self._runners = loops.Runners()
        self._tokens: list[Any] = []
        self._closed = False
        default.opened(self)

    @classmethod
    def open(cls, path: str | PathLike[str] | None = None, /, *, default_model: str | Backend | None = None) -> Self:
        """Open a lab on a trace database (default: the project's).

        `default_model`: a backend instance answers every step, whatever model it names; a model reference serves the
        steps that name none. Raises ConfigError, StoreError.
        """
        config = load_config()
        models = ModelRegistry(config, default_model)
        if isinstance(default_model, str):
            models.resolve(default_model)
        place = Path(path) if path is not None else default_db(config.root)
        store = Store.open(place, project=config.root.name, redactor=Redactor(models.secrets()))
        return cls(config, store, models)

    # -- running -----------------------------------------------------------------------------------------------------

    async def run(self, what: Runnable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Run[R]:
        """Run a chain, prompt or step to its end; a failed run is returned too.

        Raises ChainError for wrong inputs and ConfigError for unknown models, before anything is written.
        """
        return await self._run(*self._begin(what, args, kwargs), None)

    def run_sync(self, what: Runnable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Run[R]:
        """Run and wait, also where an event loop is running already; a failure's first line goes to stderr."""
        run = self._wait(self._run(*self._begin(what, args, kwargs), None))
        say_failure(run)
        return run

    def stream(self, what: Runnable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> RunStream[R]:
        """Run, giving events as they happen; `await .run()` for the result."""
        begun = self._begin(what, args, kwargs)
        return open_stream(lambda listener: self._run(*begun, listener))

    def _begin(
        self, what: Runnable[P, R], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[dict[str, Json], Prepared]:
        """Everything that can be refused, before anything is awaited or written."""
        self._check_open()
        try:
            return what.bind_inputs(args, kwargs), self._prepare(what)
        except ChainlabError as error:
            raise quiet(error) from None

    async def _run(self, inputs: dict[str, Json], ready: Prepared, listener: Listener | None) -> Run[Any]:
        run_id = new_id()
        await self._make_ready(ready, run_id, listener)
        journal: Journal = self.store.journal()
        if listener is not None:
            journal = listener.beside(journal)
        call = Call(
            plan=ready.plan,
            inputs=inputs,
            run_id=run_id,
            models=ready.models,
            limits=self._limits_of(ready),
            code=ready.program.code,
            accepts=ready.accepts,
            stream=listener is not None,
        )
        outcome = await execute(call, journal)
        return self._result(outcome, ready)

    def _prepare(self, what: Runnable[P, R]) -> Prepared:
        found = self._prepared.get(id(what))
        if found is None or found[0] is not what:
            if len(self._prepared) > 256:
                self._prepared.clear()
            found = self._prepared[id(what)] = (what, prepare(what.program(), self.models))
        return found[1]

    async def _make_ready(self, ready: Prepared, run_id: str, listener: Listener | None) -> None:
        """Let backends load what the run needs, telling the listener how far they are."""
        for name, (backend, model) in ready.backends.items():
            if (name, model) in self._ready:
                continue

            def report(progress: Progress, backend: Backend = backend) -> None:
                if listener is not None:
                    listener.put(BackendProgress(run_id, backend.name, progress.what, progress.done, progress.total))

            await backend.prepare(model, report)
            self._ready.add((name, model))

    def _limits_of(self, ready: Prepared) -> Mapping[str, Limit]:
        limits = self._limits.setdefault(asyncio.get_running_loop(), {})
        for backend, _ in ready.backends.values():
            if backend.name not in limits:
                limits[backend.name] = Limit(backend.concurrency)
        return limits

    def _result(self, outcome: Outcome, ready: Prepared) -> Run[Any]:
        program = ready.program
        failure = None
        if outcome.error is not None:
            link = trace_link(self.store.path, outcome.run_id, outcome.error_path or None)
            failure = Failure(outcome.error_path, outcome.error, outcome.attempt, link)
        return Run(
            id=outcome.run_id,
            chain=program.spec.name,
            status=outcome.status,
            output=outcome.output.json if outcome.output is not None else None,
            decode=lambda value: from_json(program.result, value),
            failure=failure,
            steps=lambda: self._steps(outcome.run_id),
        )

    def _wait(self, work: Coroutine[Any, Any, Run[R]]) -> Run[R]:
        return self._runners.run(work)

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("this lab is closed", code="lab-closed", remedy="open another with Lab.open(...)")

    # -- reading -----------------------------------------------------------------------------------------------------

    @property
    def reader(self) -> TraceReader:
        """The store's traces."""
        return self.store.reader

    def get(self, run_id: str, /) -> Run[Any]:
        """A recorded run by id or by what a person types (a prefix, `last`, `last-failed`); its output is plain JSON.

        Raises StoreError `run-not-found`.
        """
        found = self.reader.find(run_id)
        if len(found) != 1:
            raise StoreError(
                f"no run {run_id!r}" if not found else f"{run_id!r} means {len(found)} runs",
                code="run-not-found",
                file=str(self.store.path),
                remedy="list them with `chainlab runs`" if not found else "give more characters of the id",
            )
        run = self._stored(found[0])
        assert run is not None
        return run

    def runs(
        self, *, chain: str | None = None, status: str | None = None, limit: int = 50, after: str | None = None
    ) -> Sequence[Run[Any]]:
        """Recorded runs, newest first; `after` is the id of the last run of the page before."""
        rows = self.reader.runs(chain=chain, status=status, limit=limit, after=after)
        return [run for row in rows if (run := self._stored(row.id)) is not None]

    def _stored(self, run_id: str) -> Run[Any] | None:
        trace = self.reader.trace(run_id, max_bytes=1 << 40)
        if trace is None:
            return None
        row = trace.run
        failure = None
        if row.error is not None:
            link = trace_link(self.store.path, run_id, row.error.path)
            failure = Failure(row.error.path or "", ErrorInfo(row.error.code, row.error.message), 0, link)
        output: Json = decode(trace.output.text) if trace.output and trace.output.text is not None else None
        return Run(
            id=run_id,
            chain=row.chain,
            status=row.status,
            output=output,
            decode=lambda value: value,
            failure=failure,
            steps=lambda: self._steps(run_id),
            parent_id=row.parent_run_id,
        )

    def _steps(self, run_id: str) -> Mapping[str, StepResult]:
        if not self._closed:
            return _read_steps(self.store.reader, run_id)
        reader = SqliteReader(self.store.path)  # a run is looked at after its lab is closed, too
        try:
            return _read_steps(reader, run_id)
        finally:
            reader.close()

    # -- life --------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._tokens.append(use_runner(self))
        return self

    def __exit__(self, t: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None, /) -> None:
        self._leave()
        self.close()

    async def __aenter__(self) -> Self:
        self._tokens.append(use_runner(self))
        return self

    async def __aexit__(
        self, t: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None, /
    ) -> None:
        self._leave()
        await self.models.aclose()
        self.close()

    def _leave(self) -> None:
        if self._tokens:
            reset_runner(self._tokens.pop())

    def close(self) -> None:
        """Write what is left and let go of models, connections and threads. Idempotent."""
        if self._closed:
            return
        self._closed = True
        default.closed(self)
        self._runners.close(self.models.aclose)
        self.store.close()


def _read_steps(reader: TraceReader, run_id: str) -> Mapping[str, StepResult]:
    trace = reader.trace(run_id)
    return {} if trace is None else {row.path: _step_result(reader, row, run_id) for row in trace.steps}


def _step_result(reader: TraceReader, row: StepSummary, run_id: str) -> StepResult:
    body = reader.step(run_id, row.path, max_bytes=1 << 40)
    text = body.output.text if body is not None and body.output is not None else None
    return StepResult(
        path=row.path,
        kind=row.kind,
        status=row.status,
        output=decode(text) if text is not None else None,
        error=ErrorInfo(row.error.code, row.error.message) if row.error else None,
        cause_path=row.cause_path,
        model=row.model,
        attempts=row.attempts,
        duration_us=row.duration_us,
        tokens_in=row.tokens_in,
        tokens_out=row.tokens_out,
    )
