"""Server-sent events: an answer that goes on until its page is gone or the server ends. Knows frames, and no store.

A response of its own and no generator: whatever ends it, it says so itself and at once, also to a page that stopped
reading.
"""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chainlab.inspector.answer import encoded
from chainlab.inspector.live import Listener, Live
from chainlab.inspector.live_models import Moved, Written

PING_S = 15.0
TOGETHER_S = 0.05  # what comes within it is sent together


class EventStream(Response):
    """What a page is told, from where it was."""

    media_type = "text/event-stream"

    def __init__(self, live: Live, after: str | None, *, ping_s: float = PING_S) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._live, self._after, self._ping_s = live, after, ping_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        listener = await self._live.join(self._after)
        both = [asyncio.create_task(self._tell(listener, send)), asyncio.create_task(_gone(receive))]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._live.leave(listener)
            for task in both:
                task.cancel()
        await asyncio.wait(both)
        if not both[0].cancelled():
            both[0].result()  # raises what went wrong

    async def _tell(self, listener: Listener, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        while (news := await listener.take(self._ping_s)) is not None:
            # `send` waits while the page does not read; meanwhile its news become one frame.
            text = b"".join(map(self._event, news)) or b"event: ping\ndata: {}\n\n"
            await send({"type": "http.response.body", "body": text, "more_body": True})
            await asyncio.sleep(TOGETHER_S)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _event(self, frame: Moved | Written) -> bytes:
        # Only what is stored has a number to go on from. JSON has no line breaks outside of its texts, nor in them.
        if isinstance(frame, Moved):
            head = f"event: moved\nid: {self._live.name(frame.change)}\n".encode()
        else:
            head = b"event: written\n"
        return head + b"data: " + encoded(frame) + b"\n\n"


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
