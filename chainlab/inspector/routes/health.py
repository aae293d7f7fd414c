"""That the server answers, and which chains its store knows."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from chainlab.inspector.answer import answer
from chainlab.inspector.models import Health
from chainlab.inspector.routes.deps import Reader, Rules

router = APIRouter()


@router.get("/health", response_model=Health)
def health(request: Request, reader: Reader, rules: Rules) -> Response:
    """Version, the store's change number, the token that this session's changes carry, and whether it replays."""
    epoch, change = reader.change()
    bench = request.app.state.bench
    replays = bench is not None and bench.allowed.replay
    return answer(Health(request.app.version, epoch, change, rules.csrf(request.headers.raw), replays))


@router.get("/chains", response_model=list[str])
def chains(reader: Reader) -> Response:
    """Names of all chains that have runs."""
    return answer(reader.chains())
