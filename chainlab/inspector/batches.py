"""Backtests and noise controls that the page begins, cancels and goes on with. Knows no route; shows nothing.

A batch goes on in this server; when the server ends it is cancelled, and any process can go on with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from chainlab.errors import ChainError, ConfigError, ReplayError
from chainlab.inspector.asked import AskedBatch, AskedBatchToRun
from chainlab.inspector.models import EditProblem
from chainlab.inspector.plans import Wrong, check_edits, look_at, problems
from chainlab.inspector.refused import Refused
from chainlab.inspector.workbench import LAST_WORDS_S, Workbench, key_used

if TYPE_CHECKING:
    from chainlab.inspector.budget import Claim
    from chainlab.lab.backtest import BacktestPlan
    from chainlab.lab.batches import BatchProgress
    from chainlab.lab.lab import Lab
    from chainlab.lab.noise_control import NoisePlan
    from chainlab.spec.chain import PromptStep
    from chainlab.spec.edit import Edit
    from chainlab.trace import BatchRecord, TraceReader

CONCURRENCY = 4  # runs of a batch at once; backends have limits of their own

Plan: TypeAlias = "BacktestPlan | NoisePlan"
_Tell: TypeAlias = "Callable[[BatchProgress], None]"


async def think_through(bench: Workbench, asked: AskedBatch) -> Plan:
    """A batch, thought through. Raises Wrong, StoreError, SandboxError."""
    with problems(bench):
        lab = await bench.lab()
        check_edits(bench, lab, asked.edits)
        runs = await asyncio.to_thread(_runs, lab, asked)
        both = (asked.edits, ()) if asked.kind == "noise" else (asked.edits,)
        await look_at(bench, await asyncio.to_thread(_prompts, lab.reader, runs, both))
        return await asyncio.to_thread(_plan, lab, asked, runs)


def _runs(lab: Lab, asked: AskedBatch) -> Sequence[str]:
    """The runs that are asked for, each by its whole id."""
    from chainlab.lab.backtest import pick_runs

    if (asked.runs is None) == (asked.chain is None):
        told = "A batch takes its runs by runs or by chain."
        raise Wrong(EditProblem("bad-option", told, None, None, None, None, "Say one of them."))
    if asked.kind == "noise" and (asked.runs is None or len(asked.runs) != 1):
        raise Wrong(
            EditProblem("bad-option", "A noise control is of one run.", None, None, None, None, "Name one run.")
        )
    if asked.chain is not None:
        return pick_runs(lab.reader, chain=asked.chain, last=asked.last, status=asked.status, tag=asked.tag)
    runs = tuple(dict.fromkeys(asked.runs or ()))
    for run in runs:
        if lab.reader.trace(run, max_bytes=0) is None:
            raise ReplayError(f"there is no run {run}", code="run-not-found", remedy="choose among the recorded runs")
    return runs


def _prompts(
    reader: TraceReader, runs: Iterable[str], all_edits: Sequence[Sequence[Edit]]
) -> list[tuple[str, PromptStep]]:
    """Every prompt that thinking these runs through looks at. A run that cannot be replayed is refused by the plan."""
    from chainlab.lab.replaying import read_record, replayed_prompts

    found: list[tuple[str, PromptStep]] = []
    for run in runs:
        for edits in all_edits:
            try:
                found += replayed_prompts(read_record(reader, run), edits)
            except (ReplayError, ChainError, ConfigError):
                continue
    return found


def _plan(lab: Lab, asked: AskedBatch, runs: Sequence[str]) -> Plan:
    if asked.kind == "backtest":
        return lab.plan_backtest(
            asked.edits,
            runs=runs,
            scope=asked.scope or "descendants",
            on_drift=asked.on_drift,
            on_effects=asked.on_effects,
        )
    return lab.plan_noise_control(
        runs[0],
        asked.edits,
        k=asked.k,
        scope=asked.scope or "step",
        on_drift=asked.on_drift,
        on_effects=asked.on_effects,
    )


# -- begun, gone on with, cancelled ------------------------------------------------------------------------------------


async def begin_batch(bench: Workbench, asked: AskedBatchToRun) -> tuple[str, bool]:
    """Begin a batch: its id, and whether it is new. Raises Refused, and ChainlabError: what keeps it from beginning."""
    (begun, new), mine = await bench.once(asked.idempotency_key, asked, lambda: _begin_once(bench, asked))
    return begun, new and mine


async def _begin_once(bench: Workbench, asked: AskedBatchToRun) -> tuple[str, bool]:
    lab = await bench.lab()
    known = await asyncio.to_thread(lab.reader.batch_by_key, asked.idempotency_key)
    if known is not None:
        record = await asyncio.to_thread(_record, lab, known)
        if not _is_of(record, asked):
            raise key_used()
        return known, False
    try:
        plan = await think_through(bench, asked)
    except Wrong as wrong:
        raise wrong.refused() from None

    def work(tell: _Tell) -> Coroutine[Any, Any, Any]:
        return _carry_out(bench, lab, plan, asked.idempotency_key, tell)

    return await _go_on(bench, bench.budget.claim(plan.estimate.calls_at_most), work)


def _is_of(record: BatchRecord, asked: AskedBatch) -> bool:
    """Whether a recorded batch is the one that is asked for. Which runs were the last ones then, nobody can tell."""
    plan, noise = record.plan, asked.kind == "noise"
    how = {
        "scope": asked.scope or ("step" if noise else "descendants"),
        "on_drift": asked.on_drift,
        "on_effects": asked.on_effects,
    }
    if (record.batch.kind, record.edits) != (asked.kind, [edit.data() for edit in asked.edits]) or plan["how"] != how:
        return False
    if noise and plan["k"] != asked.k:
        return False
    runs = [plan["run"]] if noise else plan["runs"]
    if asked.runs is not None:
        return set(runs) == set(asked.runs)
    return len(runs) <= asked.last and asked.chain in (None, record.batch.chain)


def _carry_out(bench: Workbench, lab: Lab, plan: Plan, key: str, tell: _Tell) -> Coroutine[Any, Any, Any]:
    from chainlab.lab.backtest import BacktestPlan

    if isinstance(plan, BacktestPlan):
        return lab.backtest(
            plan, concurrency=CONCURRENCY, on_progress=tell, idempotency_key=key, renderer=bench.sandbox
        )
    return lab.noise_control(
        plan.run_id,
        plan.edits,
        k=plan.k,
        scope=plan.how.scope,
        on_drift=plan.how.on_drift,
        on_effects=plan.how.on_effects,
        concurrency=CONCURRENCY,
        on_progress=tell,
        idempotency_key=key,
        renderer=bench.sandbox,
    )


async def resume_batch(bench: Workbench, batch_id: str, key: str) -> tuple[str, bool]:
    """Go on with a batch: its id, and whether there was anything to go on with.

    Raises Refused, StoreError `batch-not-found`, `batch-is-running`.
    """
    (begun, new), mine = await bench.once(key, ("resume", batch_id), lambda: _resume_once(bench, batch_id))
    return begun, new and mine


async def _resume_once(bench: Workbench, batch_id: str) -> tuple[str, bool]:
    lab = await bench.lab()
    try:
        with problems(bench):
            found = await asyncio.to_thread(_prompts_of, lab.reader, _record(lab, batch_id))
            await look_at(bench, found)
    except Wrong as wrong:
        raise wrong.refused() from None

    def work(tell: _Tell) -> Coroutine[Any, Any, Any]:
        return lab.resume_batch(batch_id, concurrency=CONCURRENCY, on_progress=tell, renderer=bench.sandbox)

    return await _go_on(bench, bench.budget.claim(0), work)  # what is left of it, only going on tells


def _record(lab: Lab, batch_id: str) -> BatchRecord:
    found = lab.reader.batch(batch_id)
    if found is None:
        raise Refused(404, "not_found", f"there is no batch {batch_id}")
    return found


def _prompts_of(reader: TraceReader, record: BatchRecord) -> list[tuple[str, PromptStep]]:
    from chainlab.lab.backtest import edits_of

    edits = edits_of(record)
    if record.batch.kind == "noise":
        return _prompts(reader, [record.plan["run"]], (edits, ()))
    return _prompts(reader, record.plan["runs"], (edits,))


async def _go_on(bench: Workbench, claim: Claim, work: Callable[[_Tell], Coroutine[Any, Any, Any]]) -> tuple[str, bool]:
    """Let a batch go on in the background; its id as soon as it is known, and whether there was anything to do."""
    begun: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def tell(progress: BatchProgress) -> None:
        if not begun.done():
            begun.set_result(progress.batch_id)
            bench.batches[progress.batch_id] = task
        if not claim.has_made(progress.calls):
            task.cancel()

    def ended(_: object) -> None:
        claim.close()
        if begun.done():
            bench.batches.pop(begun.result(), None)

    task = bench.keep(work(tell))
    task.add_done_callback(ended)
    await asyncio.wait({task, begun}, return_when=asyncio.FIRST_COMPLETED)
    if begun.done():
        return begun.result(), True
    return task.result().id, False  # it was there already; or this raises what kept it from beginning


async def cancel_batch(bench: Workbench, batch_id: str) -> None:
    """Cancel a batch that this server carries out, and wait until that is written. One that has ended stays as it is.

    Raises Refused.
    """
    task = bench.batches.get(batch_id)
    if task is not None:
        task.cancel()
        await asyncio.wait({task}, timeout=LAST_WORDS_S)
        return
    lab = await bench.lab()
    record = await asyncio.to_thread(_record, lab, batch_id)
    if record.batch.status == "running":
        raise Refused(409, "batch-is-running", "Another process carries this batch out: end it there.")
