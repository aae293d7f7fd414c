"""Replays of a run: previewed, and begun. Ids, template text and model names come in; never a path, code or URL."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from chainlab.errors import SandboxError
from chainlab.inspector.answer import answer
from chainlab.inspector.chains import Chains
from chainlab.inspector.models import Begun, ModelName, Preview
from chainlab.inspector.plans import WRONG, check_edits, of_template, plan_view, problem_of, refused, rendered
from chainlab.inspector.routes.deps import Bench, NotHere, ParsedChains, RunId
from chainlab.inspector.workbench import Refused
from chainlab.spec.chain import ChainSpec
from chainlab.spec.edit import Edit
from chainlab.spec.template import TemplateError

router = APIRouter()

Key = Annotated[str, Field(pattern=r"^[0-9A-Za-z_-]{16,64}$")]


class Asked(BaseModel):
    """A replay as the page asks for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    edits: tuple[Edit, ...] = Field(default=(), max_length=50)
    scope: Literal["step", "descendants", "changed", "all"] = "descendants"
    on_drift: Literal["refuse", "reuse", "rerun"] = "refuse"
    on_effects: Literal["refuse", "run", "skip"] = "refuse"


class AskedPreview(Asked):
    """The same, and the step whose prompt is wanted."""

    step: str | None = Field(default=None, max_length=1000)


class AskedReplay(Asked):
    """The same, to be carried out: once for every key."""

    idempotency_key: Key


@router.get("/models", response_model=list[ModelName])
async def models(bench: Bench) -> Response:
    """The models that an edit may name."""
    lab = await asyncio.to_thread(bench.lab)
    return answer([ModelName(one.name, one.target, one.ready) for one in lab.models.describe()])


@router.post("/runs/{run_id}/preview", response_model=Preview)
async def preview(run_id: RunId, asked: AskedPreview, bench: Bench, chains: ParsedChains) -> Response:
    """An edit against the recorded inputs: what is wrong with it, what would run, the prompt as it would be sent."""
    problems = await check_edits(bench, _spec(chains, run_id), asked.edits)
    if problems:
        return answer(Preview(tuple(problems), None, None))
    try:
        ready = await bench.plan(run_id, asked.edits, asked.scope, asked.on_drift, asked.on_effects)
    except WRONG as error:
        return answer(Preview((problem_of(error),), None, None))
    view = plan_view(ready, bench.calls_left)
    if asked.step is None:
        return answer(Preview((), view, None))
    try:
        return answer(Preview((), view, await rendered(bench.sandbox, ready, asked.step)))
    except TemplateError as error:
        return answer(Preview((of_template(asked.step, error.problem),), view, None))
    except SandboxError as error:
        raise Refused(503, error.code, error.message) from None


@router.post("/runs/{run_id}/replay", response_model=Begun, status_code=202)
async def replay(run_id: RunId, asked: AskedReplay, bench: Bench, chains: ParsedChains) -> Response:
    """Begin a replay: answers with the new run's id while it runs."""
    for problem in await check_edits(bench, _spec(chains, run_id), asked.edits):
        raise Refused(422, problem.code, problem.message)
    try:
        ready = await bench.plan(run_id, asked.edits, asked.scope, asked.on_drift, asked.on_effects)
        begun, new = await bench.begin(ready, asked.idempotency_key)
    except WRONG as error:
        raise refused(error) from None
    reply = answer(Begun(begun, new))
    reply.status_code = 202
    return reply


def _spec(chains: Chains, run_id: str) -> ChainSpec:
    found = chains.of_run(run_id)
    if found is None:
        raise NotHere(f"run {run_id}")
    if isinstance(found, str):
        raise Refused(422, "bad-spec", found)
    return found
