"""Batches: listed, looked at, previewed, begun, cancelled, gone on with."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from chainlab.inspector.answer import answer
from chainlab.inspector.asked import AskedBatch, AskedBatchToRun, AskedResume
from chainlab.inspector.batch_models import BatchBegun, BatchPage, BatchPreview, BatchView
from chainlab.inspector.batch_views import batch_plan_view, batch_row, batch_view
from chainlab.inspector.batches import begin_batch, cancel_batch, resume_batch, think_through
from chainlab.inspector.plans import Wrong
from chainlab.inspector.routes.deps import Bench, NotHere, Reader
from chainlab.trace import BatchKind, TraceReader

router = APIRouter(prefix="/batches")

BatchId = Annotated[str, Path(pattern=r"^[0-9A-Za-z_-]{1,64}$")]


@router.get("", response_model=BatchPage)
def batches(
    request: Request,
    reader: Reader,
    chain: Annotated[str | None, Query(max_length=200)] = None,
    kind: BatchKind | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(pattern=r"^[0-9A-Za-z_-]{1,64}$")] = None,
) -> Response:
    """Batches, newest first."""
    # One more than asked for, to know whether there is a next page.
    found = reader.batches(chain=chain, kind=kind, limit=limit + 1, after=after)
    page = tuple(batch_row(one, _here(request)) for one in found[:limit])
    return answer(BatchPage(page, page[-1].id if len(found) > limit else None))


@router.post("/preview", response_model=BatchPreview)
async def preview(asked: AskedBatch, bench: Bench) -> Response:
    """What a batch would do: which runs, which of them are refused, and about what it takes."""
    try:
        return answer(BatchPreview((), batch_plan_view(bench, await think_through(bench, asked))))
    except Wrong as wrong:
        return answer(BatchPreview(wrong.problems, None))


@router.post("", response_model=BatchBegun, status_code=202)
async def begin(asked: AskedBatchToRun, bench: Bench) -> Response:
    """Begin a batch: answers with its id while it goes on."""
    return answer(BatchBegun(*await begin_batch(bench, asked)), status=202)


@router.get("/{batch_id}", response_model=BatchView)
def batch(request: Request, batch_id: BatchId, reader: Reader) -> Response:
    """A batch as it stands: what became of its runs."""
    return answer(_view(reader, batch_id, request))


@router.post("/{batch_id}/cancel", response_model=BatchView)
async def cancel(request: Request, batch_id: BatchId, bench: Bench, reader: Reader) -> Response:
    """Cancel a batch that this server carries out; what has ended stays, and it can be gone on with."""
    await cancel_batch(bench, batch_id)
    return answer(await asyncio.to_thread(_view, reader, batch_id, request))


@router.post("/{batch_id}/resume", response_model=BatchBegun, status_code=202)
async def resume(batch_id: BatchId, asked: AskedResume, bench: Bench) -> Response:
    """Go on with a batch that was cut off: what has ended is not called again."""
    return answer(BatchBegun(*await resume_batch(bench, batch_id, asked.idempotency_key)), status=202)


def _view(reader: TraceReader, batch_id: str, request: Request) -> BatchView:
    record = reader.batch(batch_id)
    if record is None:
        raise NotHere(f"batch {batch_id}")
    return batch_view(reader, record, _here(request))


def _here(request: Request) -> frozenset[str]:
    bench = request.app.state.bench
    return frozenset() if bench is None else frozenset(bench.batches)
