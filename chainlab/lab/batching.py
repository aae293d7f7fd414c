"""What a lab does with batches: plan a backtest, run it, judge an edit against noise, go on with what was cut off."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from chainlab.errors import ChainlabError, ReplayError, StoreError, quiet
from chainlab.lab import backtest as backtests
from chainlab.lab import noise_control as controls
from chainlab.lab.backtest import Backtest, BacktestPlan
from chainlab.lab.batches import Bench, How, Member, Place, Refusal, Tell, carry_on, settled
from chainlab.lab.noise_control import NoiseControl, NoisePlan
from chainlab.replay.decide import OnDrift, OnEffects, Scope
from chainlab.spec.edit import Edit
from chainlab.store.batches import BatchWriter, NewBatch
from chainlab.trace import BatchRecord
from chainlab.values.codec import Json
from chainlab.values.ids import new_id

if TYPE_CHECKING:
    from chainlab.backends.registry import ModelRegistry
    from chainlab.engine.render import Renderer
    from chainlab.lab.replaying import ReadyReplay
    from chainlab.lab.streams import Listener
    from chainlab.run import Run
    from chainlab.store.store import Store

T = TypeVar("T")

Batch: TypeAlias = Backtest | NoiseControl
"""A batch as it stands."""


class Batching(ABC):
    """The part of a Lab that makes many forks at once."""

    store: Store
    models: ModelRegistry

    def plan_backtest(
        self,
        edits: Sequence[Edit],
        /,
        *,
        runs: Sequence[str | Run[Any]] | None = None,
        chain: str | None = None,
        last: int = 20,
        status: str | None = None,
        tag: str | None = None,
        scope: Scope = "descendants",
        on_drift: OnDrift = "refuse",
        on_effects: OnEffects = "refuse",
    ) -> BacktestPlan:
        """What the same edits on many runs would do: which runs, which are refused, about what it takes. Runs nothing.

        `runs`: these; else the `last` ones of a `chain` that have ended and are no forks, narrowed by `status` and
        `tag`. Scope and the rest as for `replay`. Raises ReplayError, StoreError `run-not-found`.
        """
        self._check_open()
        if (runs is None) == (chain is None):
            raise ReplayError(
                "a backtest takes its runs by runs= or by chain=",
                code="bad-option",
                got="both" if runs is not None else "neither",
                remedy='say one: chain="brief", last=50',
            )
        reader = self.store.reader
        try:
            if chain is not None:
                ids: Sequence[str] = backtests.pick_runs(reader, chain=chain, last=last, status=status, tag=tag)
            else:
                ids = [self._id_of(run) for run in runs or ()]
            return backtests.plan_backtest(reader, self.models, ids, edits, How(scope, on_drift, on_effects))
        except ChainlabError as error:
            raise quiet(error) from None

    async def backtest(
        self,
        plan: BacktestPlan,
        /,
        *,
        concurrency: int = 4,
        on_progress: Tell | None = None,
        idempotency_key: str | None = None,
        renderer: Renderer | None = None,
    ) -> Backtest:
        """Carry a backtest out, `concurrency` runs at once; what became of each run.

        Cancelled (Ctrl-C), it can be gone on with: `resume_batch`. Under an `idempotency_key` that was used before, the
        batch of then is given as it stands and nothing runs. Raises ReplayError `all-refused` before anything is
        written.
        """
        backtests.check_makes_something(plan)
        new = NewBatch(
            new_id(),
            "backtest",
            plan.chain,
            [edit.data() for edit in plan.edits],
            backtests.plan_data(plan),
            len(plan.runs),
            idempotency_key,
        )
        found = await self._begin_batch(new, concurrency, on_progress, renderer)
        assert isinstance(found, Backtest)
        return found

    def backtest_sync(
        self, plan: BacktestPlan, /, *, concurrency: int = 4, on_progress: Tell | None = None
    ) -> Backtest:
        """`backtest`, and wait."""
        return self._wait(self.backtest(plan, concurrency=concurrency, on_progress=on_progress))

    def plan_noise_control(
        self,
        run: str | Run[Any],
        edits: Sequence[Edit],
        /,
        *,
        k: int = 8,
        level: float = 0.05,
        scope: Scope = "step",
        on_drift: OnDrift = "refuse",
        on_effects: OnEffects = "refuse",
    ) -> NoisePlan:
        """What a noise control would run, and what to know of it. Runs nothing; raises as `noise_control` does."""
        self._check_open()
        how = How(scope, on_drift, on_effects)
        try:
            return controls.plan_noise_control(self.store.reader, self.models, self._id_of(run), edits, how, k, level)
        except ChainlabError as error:
            raise quiet(error) from None

    async def noise_control(
        self,
        run: str | Run[Any],
        edits: Sequence[Edit],
        /,
        *,
        k: int = 8,
        level: float = 0.05,
        scope: Scope = "step",
        on_drift: OnDrift = "refuse",
        on_effects: OnEffects = "refuse",
        concurrency: int = 4,
        on_progress: Tell | None = None,
        idempotency_key: str | None = None,
        renderer: Renderer | None = None,
    ) -> NoiseControl:
        """Whether edits change what a run gives by more than sampling noise: k replays without them, k with them.

        Each with a seed of its own, the edited prompts forced. `scope` "step": only they run, and their outputs are
        judged; else the outputs of the runs. `level`: of edits that change nothing, this share is called an edit.
        Raises as `replay` does, before anything is written: also for a k too small and edits of what does not sample.
        """
        plan = self.plan_noise_control(
            run, edits, k=k, level=level, scope=scope, on_drift=on_drift, on_effects=on_effects
        )
        new = NewBatch(
            new_id(),
            "noise",
            plan.chain,
            [edit.data() for edit in plan.edits],
            controls.plan_data(plan),
            2 * k,
            idempotency_key,
        )
        found = await self._begin_batch(new, concurrency, on_progress, renderer)
        assert isinstance(found, NoiseControl)
        return found

    def noise_control_sync(
        self,
        run: str | Run[Any],
        edits: Sequence[Edit],
        /,
        *,
        k: int = 8,
        level: float = 0.05,
        scope: Scope = "step",
        on_drift: OnDrift = "refuse",
        on_effects: OnEffects = "refuse",
        concurrency: int = 4,
        on_progress: Tell | None = None,
    ) -> NoiseControl:
        """`noise_control`, and wait."""
        work = self.noise_control(
            run,
            edits,
            k=k,
            level=level,
            scope=scope,
            on_drift=on_drift,
            on_effects=on_effects,
            concurrency=concurrency,
            on_progress=on_progress,
        )
        return self._wait(work)

    async def resume_batch(
        self,
        batch_id: str,
        /,
        *,
        concurrency: int = 4,
        on_progress: Tell | None = None,
        renderer: Renderer | None = None,
    ) -> Batch:
        """Go on with a batch that was cut off: what has not ended runs, what was committed is not called again.

        One in which nothing is left makes no call. Raises StoreError `batch-not-found`, `batch-is-running`.
        """
        self._check_open()
        try:
            record = self._batch_record(batch_id)
            if record.batch.status == "done" and not _left(record, self.store):
                return _read(self.store, record)
            writer = self.store.batches()
            await asyncio.to_thread(writer.take_over, record.batch.id)
            return await self._go_on_with(record, writer, concurrency, on_progress, renderer)
        except ChainlabError as error:
            raise quiet(error) from None

    def resume_batch_sync(self, batch_id: str, /, *, concurrency: int = 4, on_progress: Tell | None = None) -> Batch:
        """`resume_batch`, and wait."""
        return self._wait(self.resume_batch(batch_id, concurrency=concurrency, on_progress=on_progress))

    def batch(self, batch_id: str, /) -> Batch:
        """A batch as it stands, by id or what a person types (a prefix, `last`). Raises StoreError."""
        return _read(self.store, self._batch_record(batch_id))

    # -- at work -----------------------------------------------------------------------------------------------------

    async def _begin_batch(
        self, new: NewBatch, concurrency: int, tell: Tell | None, renderer: Renderer | None
    ) -> Batch:
        self._check_open()
        try:
            writer = self.store.batches()
            if not await asyncio.to_thread(writer.begin, new):
                assert new.idempotency_key is not None  # ids are never used twice
                known = self.store.reader.batch_by_key(new.idempotency_key)
                return _read(self.store, self._batch_record(known or new.id))
            return await self._go_on_with(self._batch_record(new.id), writer, concurrency, tell, renderer)
        except ChainlabError as error:
            raise quiet(error) from None

    async def _go_on_with(
        self, record: BatchRecord, writer: BatchWriter, concurrency: int, tell: Tell | None, renderer: Renderer | None
    ) -> Batch:
        """Make the runs that are left, and write how the batch ended."""

        async def replay(ready: ReadyReplay, listener: Listener) -> Run[Any]:
            return await self._replay(ready, _as_it_is, listener, None, renderer)

        batch_id = record.batch.id
        bench = Bench(self.store.reader, self.models, writer, replay)
        members, how = _members(record), backtests.how_of(record)
        refused: Mapping[Place, Refusal] = {}
        try:
            refused = await carry_on(batch_id, record.batch.kind, members, how, bench, concurrency, tell)
            if record.batch.kind == "noise" and refused:
                why = next(iter(refused.values()))
                raise ReplayError(f"a run of the control is refused: {why.message}", code=why.code)
        except BaseException:
            with contextlib.suppress(StoreError):  # what went wrong first is what is told
                self._end_batch(batch_id, writer, "cancelled", refused)
            raise
        return await asyncio.to_thread(self._end_batch, batch_id, writer, "done", refused)

    def _end_batch(self, batch_id: str, writer: BatchWriter, status: Any, refused: Mapping[Place, Refusal]) -> Batch:
        found = _read(self.store, self._batch_record(batch_id), refused)
        writer.end(batch_id, status, found.done, _summary(found))
        return _read(self.store, self._batch_record(batch_id))

    def _batch_record(self, wanted: str) -> BatchRecord:
        found = self.store.reader.find_batch(wanted)
        record = self.store.reader.batch(found[0]) if len(found) == 1 else None
        if record is None:
            raise StoreError(
                f"{wanted!r} means {len(found)} batches" if len(found) > 1 else f"there is no batch {wanted!r}",
                code="batch-not-found",
                file=str(self.store.path),
                remedy="give more characters of the id" if len(found) > 1 else "a batch says its id when it begins",
            )
        return record

    # -- of the lab --------------------------------------------------------------------------------------------------

    @abstractmethod
    def _check_open(self) -> None: ...

    @abstractmethod
    def _id_of(self, run: str | Run[Any]) -> str: ...

    @abstractmethod
    def _wait(self, work: Coroutine[Any, Any, T]) -> T: ...

    @abstractmethod
    async def _replay(
        self,
        ready: ReadyReplay,
        decode_output: Any,
        listener: Listener | None,
        run_id: str | None = None,
        renderer: Renderer | None = None,
    ) -> Run[Any]: ...


def _members(record: BatchRecord) -> tuple[Member, ...]:
    return backtests.members_of(record) if record.batch.kind == "backtest" else controls.members_of(record)


def _left(record: BatchRecord, store: Store) -> bool:
    """Whether any place has no run that ended: of a batch that is done, what was refused or deleted."""
    ended = settled(store.reader.batch_runs(record.batch.id))
    return any(member.place not in ended for member in _members(record))


def _read(store: Store, record: BatchRecord, refused: Mapping[Place, Refusal] | None = None) -> Batch:
    if record.batch.kind == "backtest":
        return backtests.read_backtest(store.reader, record, refused)
    return controls.read_noise_control(store.reader, record)


def _summary(found: Batch) -> Json:
    return backtests.backtest_summary(found) if isinstance(found, Backtest) else controls.noise_summary(found)


def _as_it_is(value: Json) -> Any:
    return value
