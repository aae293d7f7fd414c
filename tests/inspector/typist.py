"""A model that writes word by word, and waits where a test wants it to. Knows no test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chainlab import Request, ScriptedBackend
from chainlab.messages import Chunk, Response


class Typist(ScriptedBackend):
    """Answers as `reply` says, in pieces. `pause(request, written)` is awaited before each piece."""

    def __init__(self, reply: Callable[[Request], str], pause: Callable[[Request, str], object] | None = None) -> None:
        super().__init__(reply)
        self._pause = pause

    async def send(self, request: Request, on_chunk: Callable[[Chunk], None] | None = None) -> Response:
        """One reply, word by word."""
        whole = (await super().send(request)).text
        written = ""
        for word in whole.split(" "):
            piece = word if written == "" else f" {word}"
            waits = None if self._pause is None else self._pause(request, written)
            if asyncio.iscoroutine(waits):
                await waits
            written += piece
            if on_chunk is not None:
                on_chunk(Chunk(piece))
        return Response(whole, "stop")
