"""Whole payloads, as plain text to save: never something that a browser would run or draw."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from chainlab.inspector.routes.deps import NotHere, PayloadHash, Reader

router = APIRouter()


@router.get("/payloads/{payload_hash}", response_class=PlainTextResponse)
def payload(payload_hash: PayloadHash, reader: Reader) -> Response:
    """The bytes that a hash names. They never change, so a browser may keep them."""
    body = reader.payload(payload_hash)
    if body is None:
        raise NotHere("payload with this hash")
    headers = {
        "content-disposition": f'attachment; filename="{payload_hash[:12]}.json.txt"',
        "cache-control": "private, max-age=31536000, immutable",
    }
    return Response(body, media_type="text/plain; charset=utf-8", headers=headers)
