"""The last resort: a fault in the inspector becomes an error of the usual shape, told in the terminal.

An ASGI layer inside the security layer; FastAPI's own handler stands outside it and would answer without its headers.
"""

from __future__ import annotations

import logging
import secrets

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chainlab.inspector.answer import problem

log = logging.getLogger("chainlab.inspector")


class FaultLayer:
    """The ASGI application around the routes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            number = secrets.token_hex(4)
            log.exception("fault %s at %s %s", number, scope.get("method"), scope.get("path"))
            if begun:
                raise
            told = f"The inspector failed; its terminal tells more, under fault {number}."
            await problem(500, "fault", told)(scope, receive, send)
