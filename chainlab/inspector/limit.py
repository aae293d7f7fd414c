"""How much a request may carry: an ASGI layer that stops reading a body that is too large. Knows no route."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chainlab.inspector.answer import problem

LARGEST_BODY = 4 * 2**20  # bytes: a template and some inputs; a recorded payload is named by its run, never sent back


class _TooLarge(Exception):
    """The body goes on beyond the limit."""


class BodyLayer:
    """The ASGI application around the routes."""

    def __init__(self, app: ASGIApp, *, largest: int = LARGEST_BODY) -> None:
        self._app, self._largest = app, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            if message["type"] == "http.request":
                came += len(message.get("body", b""))
                if came > self._largest:
                    raise _TooLarge
            return message

        try:
            await self._app(scope, counted, send)
        except _TooLarge:  # nothing was answered yet: routes read the whole body first
            told = f"A request may carry {self._largest // 2**20} MB."
            await problem(413, "too_large", told)(scope, receive, send)
