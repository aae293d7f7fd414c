"""What changes, told to a page as it happens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from chainlab.inspector.live_models import Moved, Written
from chainlab.inspector.routes.deps import LiveUpdates
from chainlab.inspector.sse import EventStream

router = APIRouter()

Mark = Annotated[str | None, Query(max_length=100)]
LastId = Annotated[str | None, Header(alias="last-event-id", max_length=100)]


@router.get(
    "/events",
    response_class=EventStream,
    status_code=200,
    responses={200: {"model": Moved | Written, "description": "Events `moved` (with an id), `written` and `ping`"}},
)
async def events(live: LiveUpdates, after: Mark = None, last: LastId = None) -> Response:
    """Server-sent events, from the id that a page was told last (`Last-Event-ID`, or `after`) without a gap."""
    return EventStream(live, last or after)
