"""Forks that the page keeps: patches shown, the fork accepted, files written where the server may. Knows no route.

Whose files these are decides whoever starts the server (--allow-write); the page names a fork, never a file.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pydantic import ValidationError

from chainlab.inspector.asked import AskedKeep
from chainlab.inspector.models import AdviceView, KeepView, PatchView, UnkeptView
from chainlab.inspector.plans import Wrong, look_at, problem_of
from chainlab.inspector.refused import Refused
from chainlab.inspector.workbench import Workbench

if TYPE_CHECKING:
    from chainlab.lab.keeping import KeepPlan
    from chainlab.lab.lab import Lab
    from chainlab.spec.chain import PromptStep

_NO_WRITE = "This inspector writes no files: start it with --allow-write, or copy the patch."


async def plan_keep(bench: Workbench, run_id: str) -> KeepView:
    """What keeping a fork takes. Writes nothing. Raises Refused, StoreError, PatchError."""
    from chainlab.lab import keeping

    lab = await _looked_at(bench, run_id)
    return _view(bench, await asyncio.to_thread(keeping.plan_keep, lab.reader, run_id, lab.config.root))


async def keep(bench: Workbench, run_id: str, asked: AskedKeep) -> KeepView:
    """Accept a fork; with `apply`, write its patches first. Raises Refused, StoreError, PatchError."""
    if asked.apply and not bench.allowed.write:
        raise Refused(403, "no_write", _NO_WRITE)
    found, _ = await bench.once(asked.idempotency_key, (run_id, asked), lambda: _keep(bench, run_id, asked.apply))
    return found


async def _keep(bench: Workbench, run_id: str, apply: bool) -> KeepView:
    from chainlab.lab import keeping

    lab = await _looked_at(bench, run_id)
    root, store = lab.config.root, lab.store.path
    return _view(bench, await asyncio.to_thread(lambda: keeping.keep(lab.reader, store, run_id, root, apply=apply)))


async def _looked_at(bench: Workbench, run_id: str) -> Lab:
    """The lab, once the sandbox has seen the fork's templates: what they use is read from them."""
    lab = await bench.lab()
    try:
        await look_at(bench, await asyncio.to_thread(_prompts, lab, run_id), whole=True)
    except Wrong as wrong:
        raise wrong.refused() from None
    return lab


def _prompts(lab: Lab, run_id: str) -> list[tuple[str, PromptStep]]:
    from chainlab.spec.chain import PromptStep, load, walk

    trace = lab.reader.trace(run_id, max_bytes=0)
    body = None if trace is None else lab.reader.spec(trace.run.spec_hash)
    if body is None:
        return []  # keeping says so
    try:
        spec = load(body)
    except ValidationError:
        return []  # the same
    return [(path, step) for path, step in walk(spec.steps) if isinstance(step, PromptStep)]


def _view(bench: Workbench, plan: KeepPlan) -> KeepView:
    return KeepView(
        run_id=plan.run_id,
        chain=plan.chain,
        patches=tuple(PatchView(one.file, one.line, one.diff, one.notes) for one in plan.patches),
        in_place=plan.in_place,
        problems=tuple(
            UnkeptView(one.path, one.role, bench.told(one.where), one.text, problem_of(bench, one.error))
            for one in plan.problems
        ),
        advice=tuple(AdviceView(bench.told(one.where), bench.told(one.what)) for one in plan.advice),
        notes=tuple(map(bench.told, plan.notes)),
        refused=None if plan.refused is None else problem_of(bench, plan.refused),
        kept_at=plan.kept_at,
        applied=plan.applied,
        may_apply=bench.allowed.write,
    )
