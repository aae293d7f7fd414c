"""Replays of a run: previewed, and begun."""

from __future__ import annotations

from fastapi import APIRouter, Response

from chainlab.inspector.answer import answer
from chainlab.inspector.asked import AskedPreview, AskedReplay
from chainlab.inspector.models import Begun, ModelName, Preview
from chainlab.inspector.plans import preview as previewed
from chainlab.inspector.replays import begin_replay
from chainlab.inspector.routes.deps import Bench, RunId

router = APIRouter()


@router.get("/models", response_model=list[ModelName])
async def models(bench: Bench) -> Response:
    """The models that an edit may name."""
    lab = await bench.lab()
    known = lab.models.registered()
    found = [one for one in lab.models.describe() if known is None or one.name in known]
    return answer([ModelName(one.name, one.target, one.ready) for one in found])


@router.post("/runs/{run_id}/preview", response_model=Preview)
async def preview(run_id: RunId, asked: AskedPreview, bench: Bench) -> Response:
    """An edit against the recorded inputs: what is wrong with it, what would run, the prompt as it would be sent."""
    return answer(await previewed(bench, run_id, asked))


@router.post("/runs/{run_id}/replay", response_model=Begun, status_code=202)
async def replay(run_id: RunId, asked: AskedReplay, bench: Bench) -> Response:
    """Begin a replay: answers with the new run's id while it runs."""
    return answer(Begun(*await begin_replay(bench, run_id, asked)), status=202)
