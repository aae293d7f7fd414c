"""Carrying a batch out: its runs as forks, some at once, each in its own place; cut off, it is gone on with later.

Knows what a place is, and not what the batch is for. A place is settled when its run has ended (ok or failed) or was
refused. A run that was cut off stays as it is; the next go of its place is another fork of the same run, under
`KEY~2`, that takes over every step which the earlier goes had committed. The database takes each place once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from chainlab.errors import ChainError, ConfigError, ReplayError
from chainlab.events import AttemptStarted, BackendProgress, BatchPlace, Event
from chainlab.lab.replaying import ReadyReplay, read_record, ready_replay
from chainlab.lab.streams import Listener
from chainlab.messages import Progress
from chainlab.protocols import Models
from chainlab.replay.decide import OnDrift, OnEffects, Scope
from chainlab.replay.recorded import usable
from chainlab.run import Run
from chainlab.spec.edit import Edit
from chainlab.store.batches import BatchWriter
from chainlab.trace import BatchKind, BatchRun, RunSummary, StepRecord, TraceReader, batch_key

Place: TypeAlias = tuple[str, str, int]
"""Key, arm, sample."""

_ENDED = frozenset({"ok", "failed"})


@dataclass(frozen=True, slots=True)
class How:
    """What all runs of a batch have in common, as `Lab.replay` takes it."""

    scope: Scope = "descendants"
    on_drift: OnDrift = "refuse"
    on_effects: OnEffects = "refuse"


@dataclass(frozen=True, slots=True)
class Member:
    """A run to be made: a fork of the run `key` with these edits, in its place."""

    key: str
    edits: tuple[Edit, ...]
    arm: str = ""
    sample: int = 0

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.key, self.arm, self.sample


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a run is not made: the parts of the error."""

    code: str
    message: str
    expected: str | None = None
    got: str | None = None
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """How far a batch is. `done` of `total` places are settled, `calls` model calls were sent by this process.

    `ended`: the run that has just ended, with its place; `refused`: the place that was just refused; `preparing`: what
    a backend is loading.
    """

    batch_id: str
    done: int
    total: int
    calls: int = 0
    ended: BatchRun | None = None
    refused: tuple[Place, Refusal] | None = None
    preparing: Progress | None = None


Tell: TypeAlias = Callable[[BatchProgress], None]


@dataclass(frozen=True, slots=True)
class Bench:
    """What carrying out takes of a lab. `replay` carries one replay out, telling a listener."""

    reader: TraceReader
    models: Models
    writer: BatchWriter
    replay: Callable[[ReadyReplay, Listener], Awaitable[Run[Any]]]


def think_through(reader: TraceReader, models: Models, run_id: str, edits: Sequence[Edit], how: How) -> ReadyReplay:
    """One replay of a batch. Raises ReplayError, ChainError, ConfigError: it cannot be made."""
    if not reader.find(run_id):
        raise ReplayError(f"there is no run {run_id} any more", code="run-not-found", remedy="it was deleted")
    return ready_replay(
        read_record(reader, run_id),
        edits,
        models,
        scope=how.scope,
        on_drift=how.on_drift,
        on_effects=how.on_effects,
    )


def refusal_of(error: ReplayError | ChainError | ConfigError) -> Refusal:
    """An error as a batch records it."""
    expected, got = (error.expected, error.got) if not isinstance(error, ConfigError) else (None, None)
    return Refusal(error.code, error.message.partition("\n")[0], expected, got, error.remedy)


def settled(runs: Iterable[BatchRun]) -> dict[Place, BatchRun]:
    """The run of every place whose run has ended."""
    return {(one.key, one.arm, one.sample): one for one in runs if one.run.status in _ENDED}


async def carry_on(
    batch_id: str,
    kind: BatchKind,
    members: Sequence[Member],
    how: How,
    bench: Bench,
    concurrency: int,
    tell: Tell | None,
) -> Mapping[Place, Refusal]:
    """Make every run that is not there yet; what was refused, by place.

    Cancelling it cancels the runs, which write so. Raises what stops a lab: StoreError, ConfigError of a backend.
    """
    runs = bench.reader.batch_runs(batch_id)
    work = _Work(batch_id, kind, len(members), how, bench, tell, len(settled(runs)))
    left = iter([member for member in members if member.place not in settled(runs)])
    work.tell()

    async def keep_going() -> None:
        for member in left:  # one iterator for all: each takes the next
            await work.make(member, [one for one in runs if (one.key, one.arm, one.sample) == member.place])

    tasks = [asyncio.create_task(keep_going()) for _ in range(max(1, concurrency))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    return work.refused


class _Work:
    """One going on of a batch, and how far it is."""

    def __init__(
        self, batch_id: str, kind: BatchKind, total: int, how: How, bench: Bench, tell: Tell | None, done: int
    ) -> None:
        self.batch_id, self.kind, self.how, self.bench = batch_id, kind, how, bench
        self.progress = BatchProgress(batch_id, done, total)
        self.refused: dict[Place, Refusal] = {}
        self._tell = tell
        self._thinking = asyncio.Lock()  # one at a time: the first to name a model builds its backend

    async def make(self, member: Member, earlier: Sequence[BatchRun]) -> None:
        """Make one run, or note why it is refused."""
        try:
            async with self._thinking:
                ready = await asyncio.to_thread(self._ready, member, earlier)
            if ready.refused is not None:
                raise ready.refused
        except (ReplayError, ChainError, ConfigError) as error:
            why = self.refused[member.place] = refusal_of(error)
            await self._advance()
            self.tell(refused=(member.place, why))
            return
        run = await self.bench.replay(ready, _Ear(self))
        await self._advance()
        row = self.bench.reader.trace(run.id, max_bytes=0)
        if row is not None:  # else it was deleted at once
            self.tell(ended=BatchRun(member.key, len(earlier) + 1, member.arm, member.sample, row.run))

    def _ready(self, member: Member, earlier: Sequence[BatchRun]) -> ReadyReplay:
        bench = self.bench
        ready = think_through(bench.reader, bench.models, member.key, member.edits, self.how)
        place = BatchPlace(self.batch_id, batch_key(member.key, len(earlier) + 1), member.arm, member.sample)
        fork = replace(ready.fork, kind=self.kind, batch=place)
        return replace(ready, fork=fork, carried=_carried(bench.reader, [one.run for one in earlier]))

    async def _advance(self) -> None:
        self.progress = replace(self.progress, done=self.progress.done + 1)
        await asyncio.to_thread(self.bench.writer.advance, self.batch_id, self.progress.done)

    def heard(self, event: Event) -> None:
        """Note what a run says."""
        if isinstance(event, AttemptStarted) and event.request is not None:
            self.progress = replace(self.progress, calls=self.progress.calls + 1)
            self.tell()
        elif isinstance(event, BackendProgress):
            self.tell(preparing=Progress(event.what, event.done, event.total))

    def tell(
        self,
        *,
        ended: BatchRun | None = None,
        refused: tuple[Place, Refusal] | None = None,
        preparing: Progress | None = None,
    ) -> None:
        """Say how far it is."""
        if self._tell is not None:
            self._tell(replace(self.progress, ended=ended, refused=refused, preparing=preparing))


class _Ear(Listener):
    """Hears what the runs of a batch say, in the loop's thread."""

    def __init__(self, work: _Work) -> None:
        super().__init__()
        self._work = work

    def put(self, event: Event | None) -> None:
        """Note an event."""
        if isinstance(event, BackendProgress):
            self._loop.call_soon_threadsafe(self._work.heard, event)
        elif event is not None:
            self._work.heard(event)


def _carried(reader: TraceReader, goes: Sequence[RunSummary]) -> Mapping[str, StepRecord]:
    """What the earlier goes of a place made themselves, by path. What they took over from the source costs nothing."""
    own = {run.id for run in goes}
    records = [record for run in goes if (record := reader.record(run.id)) is not None]
    return {step.path: step for record in records for step in record.steps if usable(step) and step.origin[0] in own}
