"""Lab: a project's configuration, backends and trace store, bound together; runs chains and finds runs again."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import typing_extensions
from pydantic import ValidationError

from chainlab.backends.registry import ModelRegistry
from chainlab.compare.comparison import Comparison
from chainlab.compare.read import read_comparison
from chainlab.config.place import default_db
from chainlab.config.read import load_config
from chainlab.config.settings import Config
from chainlab.declare.runnable import Runnable
from chainlab.engine.execute import Call, Outcome, execute
from chainlab.engine.render import Renderer
from chainlab.errors import ChainlabError, ErrorInfo, StoreError, quiet
from chainlab.events import Event
from chainlab.lab import default, keeping, loops
from chainlab.lab.access import Access, check_prices
from chainlab.lab.batching import Batching
from chainlab.lab.keeping import KeepPlan
from chainlab.lab.link import trace_link
from chainlab.lab.prepare import Prepared, prepare
from chainlab.lab.replaying import ReadyReplay, read_record, ready_replay
from chainlab.lab.streams import Listener, open_stream
from chainlab.protocols import Backend, Journal
from chainlab.replay.decide import OnDrift, OnEffects, Scope
from chainlab.run import Failure, Run, RunStream, StepResult, say_failure
from chainlab.runner import reset_runner, use_runner
from chainlab.spec.budget import Budget, merged
from chainlab.spec.chain import SourceRef, load, walk
from chainlab.spec.edit import Edit
from chainlab.spec.path import static_path
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
F = typing_extensions.TypeVar("F", default=Any)  # a fork of a run that is named by its id has no type


class Lab(Batching):
    """Runs chains and keeps their traces. Use as a context manager: every chain inside the block runs in this lab."""

    def __init__(self, config: Config, store: Store, models: ModelRegistry, budget: Budget | None = None) -> None:
        self.config = config
        self.store = store
        self.models = models
        self.budget = budget
        self._prepared: dict[int, tuple[Any, Prepared]] = {}
        self._access = Access()
        self._runners = loops.Runners()
        self._tokens: list[Any] = []
        self._hear: Callable[[Event], None] | None = None
        self._closed = False
        default.opened(self)

    @classmethod
    def open(
        cls,
        path: str | PathLike[str] | None = None,
        /,
        *,
        default_model: str | Backend | None = None,
        budget: Budget | None = None,
    ) -> Self:
        """Open a lab on a trace database (default: the project's).

        `default_model`: a backend instance answers every step, whatever model it names; a model reference serves the
        steps that name none. `budget`: what each run may take; what it leaves open is as [budget] in chainlab.toml
        says. Raises ConfigError, StoreError.
        """
        config = load_config()
        models = ModelRegistry(config, default_model)
        if isinstance(default_model, str):
            models.resolve(default_model)
        place = Path(path) if path is not None else default_db(config.root)
        store = Store.open(place, project=config.root.name, redactor=Redactor(models.secrets()))
        return cls(config, store, models, merged(config.budget, budget))

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
            ready = self._prepare(what)
            return what.bind_inputs(args, kwargs), ready
        except ChainlabError as error:
            raise quiet(error) from None

    async def _run(self, inputs: dict[str, Json], ready: Prepared, listener: Listener | None) -> Run[Any]:
        run_id = new_id()
        await self._access.make_ready(ready.choices, run_id, listener)
        call = Call(
            plan=ready.plan,
            inputs=inputs,
            run_id=run_id,
            models=ready.models,
            gates=self._access.gates(ready.choices),
            code=ready.program.code,
            accepts=ready.accepts,
            stream=listener is not None,
            budget=self.budget,
            budgets=self.config.budgets,
            results=self.store.results,
            redactor=self.store.redactor,
        )
        outcome = await execute(call, self._journal(listener))
        program = ready.program
        return self._result(outcome, program.spec.name, lambda value: from_json(program.result, value))

    def overhear(self, hear: Callable[[Event], None]) -> None:
        """Tell this, too, what happens in every run that has a listener, replays and batches included."""
        self._hear = hear

    def _journal(self, listener: Listener | None) -> Journal:
        journal: Journal = self.store.journal()
        return journal if listener is None else listener.beside(journal, self._hear)

    # -- replaying ---------------------------------------------------------------------------------------------------

    async def replay(
        self,
        run: str | Run[F],
        /,
        *,
        edits: Sequence[Edit] = (),
        scope: Scope = "descendants",
        chain: Runnable[..., F] | None = None,
        on_drift: OnDrift = "refuse",
        on_effects: OnEffects = "refuse",
    ) -> Run[F]:
        """Run a recorded run again with edits, as a fork: what was edited or failed and what follows it, no more.

        Without edits, failed, unfinished and interrupted steps run. `scope`: only the `step`, its `descendants` too,
        those whose inputs `changed`, or `all`. `chain`: the author's chain of now instead of the recorded one.
        `on_drift`: what to do about other steps that are not what was recorded. `on_effects`: about steps declared with
        effects="ask". Raises ChainError for wrong edits, ReplayError for a replay that is refused, ConfigError; all
        before any call and before anything is written.
        """
        ready, decode = self._begin_replay(run, edits, scope, chain, on_drift, on_effects)
        return await self._replay(ready, decode, None)

    def replay_sync(
        self,
        run: str | Run[F],
        /,
        *,
        edits: Sequence[Edit] = (),
        scope: Scope = "descendants",
        chain: Runnable[..., F] | None = None,
        on_drift: OnDrift = "refuse",
        on_effects: OnEffects = "refuse",
    ) -> Run[F]:
        """`replay`, and wait; a failure's first line goes to stderr."""
        ready, decode = self._begin_replay(run, edits, scope, chain, on_drift, on_effects)
        fork: Run[F] = self._wait(self._replay(ready, decode, None))
        say_failure(fork)
        return fork

    def replay_stream(self, ready: ReadyReplay) -> RunStream[Any]:
        """Carry out a replay that `plan_replay` thought through, giving events as they happen. Raises ReplayError."""
        if ready.refused is not None:
            raise quiet(ready.refused) from None
        return open_stream(lambda listener: self._replay(ready, _as_it_is, listener))

    def plan_replay(
        self,
        run: str | Run[Any],
        /,
        *,
        edits: Sequence[Edit] = (),
        scope: Scope = "descendants",
        chain: Runnable[..., Any] | None = None,
        on_drift: OnDrift = "refuse",
        on_effects: OnEffects = "refuse",
    ) -> ReadyReplay:
        """What a replay would do: what runs, what is reused, what has drifted, and whether it is refused. Runs nothing.

        Raises as `replay` does, but for refusals: those are in the answer.
        """
        self._check_open()
        try:
            record = read_record(self.reader, self._id_of(run))
            program = None if chain is None else chain.program()
            return ready_replay(
                record,
                edits,
                self.models,
                program=program,
                scope=scope,
                on_drift=on_drift,
                on_effects=on_effects,
            )
        except ChainlabError as error:
            raise quiet(error) from None

    def _begin_replay(
        self,
        run: str | Run[Any],
        edits: Sequence[Edit],
        scope: Scope,
        chain: Runnable[..., Any] | None,
        on_drift: OnDrift,
        on_effects: OnEffects,
    ) -> tuple[ReadyReplay, Callable[[Json], Any]]:
        ready = self.plan_replay(run, edits=edits, scope=scope, chain=chain, on_drift=on_drift, on_effects=on_effects)
        if ready.refused is not None:
            raise quiet(ready.refused) from None
        if chain is not None:
            result = chain.program().result
            return ready, lambda value: from_json(result, value)
        return ready, run.decode if isinstance(run, Run) else _as_it_is

    async def carry_out(
        self,
        ready: ReadyReplay,
        /,
        *,
        run_id: str | None = None,
        idempotency_key: str | None = None,
        renderer: Renderer | None = None,
        listener: Listener | None = None,
    ) -> Run[Any]:
        """Carry out a replay that `plan_replay` thought through; its output is plain JSON.

        `run_id`: the fork's id, chosen by the caller; `idempotency_key`: no second run is recorded under it;
        `renderer` renders every template, for those that came from elsewhere; `listener` hears what happens. The run is
        recorded at once: a model that cannot be made ready makes it fail. Raises ReplayError.
        """
        if ready.refused is not None:
            raise quiet(ready.refused) from None
        ready = replace(ready, fork=replace(ready.fork, idempotency_key=idempotency_key))
        return await self._replay(ready, _as_it_is, listener, run_id, renderer, at_once=True)

    async def _replay(
        self,
        ready: ReadyReplay,
        decode_output: Callable[[Json], Any],
        listener: Listener | None,
        run_id: str | None = None,
        renderer: Renderer | None = None,
        *,
        at_once: bool = False,
    ) -> Run[Any]:
        run_id = run_id or new_id()
        plan = ready.plan
        check_prices(plan.spec, ready.models, self.budget, self.config.budgets)

        def make_ready() -> Coroutine[Any, Any, None]:
            return self._access.make_ready(ready.needed_models(), run_id, listener)

        if not at_once:
            await make_ready()
        call = Call(
            plan=plan.plan,
            inputs=plan.inputs,
            run_id=run_id,
            models=ready.models,
            gates=self._access.gates(ready.models.values()),
            code=ready.code,
            accepts=ready.accepts,
            stream=listener is not None,
            fork=ready.fork,
            replaying=ready.replaying(),
            renderer=renderer,
            make_ready=make_ready if at_once else None,
            budget=self.budget,
            budgets=self.config.budgets,
            # A batch measures what models say: what they said before is no sample.
            results=None if ready.fork.batch is not None else self.store.results,
            redactor=self.store.redactor,
        )
        outcome = await execute(call, self._journal(listener))
        return self._result(outcome, plan.spec.name, decode_output, plan.run_id)

    # -- keeping -----------------------------------------------------------------------------------------------------

    def plan_keep(self, fork: str | Run[Any], /) -> KeepPlan:
        """What keeping a fork takes: patches of the author's files, what cannot be patched, what else the code needs.

        Writes nothing. Raises StoreError `run-not-found`; PatchError `no-fork`, `fork-live`, `no-spec`.
        """
        self._check_open()
        try:
            return keeping.plan_keep(self.reader, self._id_of(fork), self.config.root)
        except ChainlabError as error:
            raise quiet(error) from None

    def keep(self, fork: str | Run[Any], /, *, apply: bool = False, force: bool = False) -> KeepPlan:
        """Accept a fork, once and for all; with `apply`, first write its patches into the author's files.

        What cannot be patched is in the answer. `force` keeps a fork that did not end ok. Raises as `plan_keep`, and
        PatchError `fork-failed`, `patch-changed`, `patch-write`: then the fork is not noted as kept.
        """
        self._check_open()
        try:
            fork_id = self._id_of(fork)
            return keeping.keep(self.reader, self.store.path, fork_id, self.config.root, apply=apply, force=force)
        except ChainlabError as error:
            raise quiet(error) from None

    def _id_of(self, run: str | Run[Any]) -> str:
        if isinstance(run, Run):
            return run.id
        found = self.reader.find(run)
        if len(found) != 1:
            raise _not_found(run, found, self.store.path)
        return found[0]

    # -- preparing ---------------------------------------------------------------------------------------------------

    def _prepare(self, what: Runnable[P, R]) -> Prepared:
        """All that is the same in every run of a chain, made and checked once."""
        found = self._prepared.get(id(what))
        if found is None or found[0] is not what:
            if len(self._prepared) > 256:
                self._prepared.clear()
            ready = prepare(what.program(), self.models)
            check_prices(ready.plan.spec, ready.models, self.budget, self.config.budgets)
            found = self._prepared[id(what)] = (what, ready)
        return found[1]

    def _result(
        self, outcome: Outcome, chain: str, decode_output: Callable[[Json], Any], parent_id: str | None = None
    ) -> Run[Any]:
        failure = None
        if outcome.error is not None:
            link = trace_link(self.store.path, outcome.run_id, outcome.error_path or None)
            failure = Failure(outcome.error_path, outcome.error, outcome.attempt, link)
        return Run(
            id=outcome.run_id,
            chain=chain,
            status=outcome.status,
            output=outcome.output.json if outcome.output is not None else None,
            decode=decode_output,
            failure=failure,
            steps=lambda: self._steps(outcome.run_id),
            parent_id=parent_id,
        )

    def _wait(self, work: Coroutine[Any, Any, R]) -> R:
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
        many = len(found) > 1
        run = self._stored(found[0]) if len(found) == 1 else None
        if run is None:
            raise StoreError(
                f"{run_id!r} means {len(found)} runs" if many else f"no run {run_id!r}",
                code="run-not-found",
                file=str(self.store.path),
                remedy="give more characters of the id" if many else "list them with `chainlab runs`",
            )
        return run

    def compare(
        self, a: str | Run[Any], b: str | Run[Any], /, *, step: str | None = None, any_chain: bool = False
    ) -> Comparison:
        """Compare two recorded runs: which steps differ and in what, and one of them in full.

        That one is at the path `step`, else the first that differs. A run is a Run, or what `get` takes. Raises
        StoreError `run-not-found`, `step-not-found`, and `other-chain` for runs of two chains unless `any_chain`.
        """
        first, second = (run.id if isinstance(run, Run) else self.get(run).id for run in (a, b))
        return read_comparison(self.reader, first, second, step=step, any_chain=any_chain)

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
            attempts = next((step.attempts for step in trace.steps if step.path == row.error.path), 0)
            error = ErrorInfo.parsed(row.error.code, row.error.message)
            place = _place(self.reader.spec(row.spec_hash), row.error.path or "")
            if place is not None:
                error = replace(error, file=place.file, line=place.line)
            failure = Failure(row.error.path or "", error, attempts, link)
        output: Json = decode(trace.output.text) if trace.output and trace.output.text is not None else None
        return Run(
            id=run_id,
            chain=row.chain,
            status=row.status,
            output=output,
            decode=_as_it_is,
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
        error=ErrorInfo.parsed(row.error.code, row.error.message) if row.error else None,
        cause_path=row.cause_path,
        model=row.model,
        attempts=row.attempts,
        duration_us=row.duration_us,
        tokens_in=row.tokens_in,
        tokens_out=row.tokens_out,
    )


def _place(spec: bytes | None, path: str) -> SourceRef | None:
    """Where the step at a path is declared, as far as the stored chain tells."""
    try:
        step = None if spec is None else dict(walk(load(spec).steps)).get(static_path(path))
    except ValidationError:  # of another version of chainlab
        return None
    return None if step is None else step.source


def _as_it_is(value: Json) -> Any:
    """An output without its type: plain JSON."""
    return value


def _not_found(wanted: str, found: Sequence[str], path: Path) -> StoreError:
    return StoreError(
        f"no run {wanted!r}" if not found else f"{wanted!r} means {len(found)} runs",
        code="run-not-found",
        file=str(path),
        remedy="list them with `chainlab runs`" if not found else "give more characters of the id",
    )
