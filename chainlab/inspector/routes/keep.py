"""Keeping a fork: what it takes, and doing it."""

from __future__ import annotations

from fastapi import APIRouter, Response

from chainlab.inspector.answer import answer
from chainlab.inspector.asked import AskedKeep
from chainlab.inspector.keeps import keep as kept
from chainlab.inspector.keeps import plan_keep
from chainlab.inspector.models import KeepView
from chainlab.inspector.routes.deps import Bench, RunId

router = APIRouter(prefix="/runs/{run_id}/keep")


@router.get("", response_model=KeepView)
async def plan(run_id: RunId, bench: Bench) -> Response:
    """What keeping a fork takes in the author's files: patches to apply or to copy, and what else the code needs."""
    return answer(await plan_keep(bench, run_id))


@router.post("", response_model=KeepView)
async def keep(run_id: RunId, asked: AskedKeep, bench: Bench) -> Response:
    """Accept a fork; with `apply`, and where the server may, write its patches first."""
    return answer(await kept(bench, run_id, asked))
