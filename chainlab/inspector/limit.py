"""How much a request may carry: an ASGI layer that reads a body before the routes do, and no more than that of it.

Before them, since FastAPI makes a bad request of whatever goes wrong while it reads. Knows no route.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chainlab.inspector.answer import problem

LARGEST_BODY = 4 * 2**20  # bytes: a template and some inputs; a recorded payload is named by its run, never sent back


class BodyLayer:
    """The ASGI application around the routes."""

    def __init__(self, app: ASGIApp, *, largest: int = LARGEST_BODY) -> None:
        self._app, self._largest = app, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = bytearray()
        more = _declared(scope) <= self._largest
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return  # the client is gone
            body += message.get("body", b"")
            more = message.get("more_body", False) and len(body) <= self._largest
        if max(len(body), _declared(scope)) > self._largest:
            told = f"A request may carry {self._largest // 2**20} MB."
            await problem(413, "too_large", told)(scope, receive, send)
            return
        await self._app(scope, _first({"type": "http.request", "body": bytes(body), "more_body": False}, receive), send)


def _declared(scope: Scope) -> int:
    """How much a request says it carries; 0: it does not say."""
    values = [value for name, value in scope["headers"] if name.lower() == b"content-length"]
    return max((int(value[:20]) for value in values if value.isdigit()), default=0)


def _first(message: Message, receive: Receive) -> Receive:
    """What is received, with this message before it."""
    given = [message]

    async def received() -> Message:
        return given.pop() if given else await receive()

    return received
