"""Replays that the page begins: once for every key, within the server's budget. Knows no route."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from chainlab.inspector.asked import AskedReplay
from chainlab.inspector.plans import Wrong, think_through
from chainlab.inspector.workbench import Workbench, key_used

if TYPE_CHECKING:
    from chainlab.inspector.budget import Claim
    from chainlab.lab.lab import Lab
    from chainlab.lab.replaying import ReadyReplay

_LOOK_AGAIN_S = 0.005  # the writer commits what it has every 50 ms at the latest


async def begin_replay(bench: Workbench, run_id: str, asked: AskedReplay) -> tuple[str, bool]:
    """Begin a replay: its run's id, once it is recorded, and whether it is new.

    Raises Refused, and ChainlabError: what keeps it from beginning.
    """
    (begun, new), mine = await bench.once(
        asked.idempotency_key, (run_id, asked), lambda: _begin_once(bench, run_id, asked)
    )
    return begun, new and mine


async def _begin_once(bench: Workbench, run_id: str, asked: AskedReplay) -> tuple[str, bool]:
    lab = await bench.lab()
    known = await asyncio.to_thread(lab.reader.by_idempotency_key, asked.idempotency_key)
    if known is not None:
        if not await asyncio.to_thread(_is_of, lab, known, run_id, asked):
            raise key_used()
        return known, False
    try:
        ready = await think_through(bench, run_id, asked)
    except Wrong as wrong:
        raise wrong.refused() from None
    if ready.refused is not None:
        raise ready.refused
    claim = bench.budget.claim(ready.plan.calls_at_most)
    return await _start(bench, lab, ready, claim, asked.idempotency_key)


def _is_of(lab: Lab, known: str, run_id: str, asked: AskedReplay) -> bool:
    """Whether a recorded fork is the replay that is asked for."""
    from chainlab.errors import ChainlabError
    from chainlab.lab.replaying import edits_as_recorded, read_record

    fork = lab.reader.record(known)
    if fork is None or fork.run.parent_run_id != run_id or not isinstance(fork.edits, dict):
        return False
    if any(fork.edits.get(name) != getattr(asked, name) for name in ("scope", "on_drift", "on_effects")):
        return False
    try:
        edits = edits_as_recorded(read_record(lab.reader, run_id), asked.edits)
    except ChainlabError:  # the edits fit that run no more than they did then; or the run is deleted
        return False
    return bool(edits == [one["edit"] for one in fork.edits.get("edits", ())])


async def _start(bench: Workbench, lab: Lab, ready: ReadyReplay, claim: Claim, key: str) -> tuple[str, bool]:
    """Start a run; gives its id when the run can be read. Another process may have begun one under the same key."""
    from chainlab.inspector.ear import Ear
    from chainlab.values.ids import new_id

    def called(calls: int) -> None:
        if not claim.has_made(calls):
            task.cancel()

    run_id, ear = new_id(), Ear(called)
    work = lab.carry_out(ready, run_id=run_id, idempotency_key=key, renderer=bench.sandbox, listener=ear)
    task = bench.keep(work)
    task.add_done_callback(lambda _: claim.close())
    either: set[asyncio.Future[Any]] = {task, ear.begun}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    while (known := await asyncio.to_thread(lab.reader.by_idempotency_key, key)) is None and not task.done():
        await asyncio.wait({task}, timeout=_LOOK_AGAIN_S)
    if known is None:
        task.result()  # raises what kept it from beginning
    return known or run_id, known == run_id
