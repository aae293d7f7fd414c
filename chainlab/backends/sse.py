"""Server-sent events out of a body of bytes (the HTML standard, section 9.2). Knows no model and no JSON.

Splits at line feeds only: text may hold other line separators. An event whose id was seen before is dropped: a proxy
that reconnects sends the last ones again. Without ids, a repeated event cannot be told from one that is meant.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event. `name` is `message` when the server gives none."""

    data: bytes
    name: str = "message"


async def server_events(blocks: AsyncIterable[bytes]) -> AsyncGenerator[ServerEvent, None]:
    """The events of a body, in order. Comments (pings) give none."""
    rest = b""
    lines: list[bytes] = []
    seen: set[bytes] = set()
    async for block in blocks:
        *whole, rest = (rest + block).split(b"\n") if b"\n" in block else [rest + block]
        for line in whole:
            line = line.removesuffix(b"\r")
            if line:
                lines.append(line)
                continue
            event = _event(lines, seen)
            lines = []
            if event is not None:
                yield event
    event = _event([*lines, rest.removesuffix(b"\r")], seen)  # a server that ends without an empty line
    if event is not None:
        yield event


def _event(lines: list[bytes], seen: set[bytes]) -> ServerEvent | None:
    data: list[bytes] = []
    name, ident = "message", b""
    for line in lines:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode("utf-8", "replace")
        elif field == b"id":
            ident = value
    if not data or (ident and ident in seen):
        return None
    if ident:
        seen.add(ident)
    return ServerEvent(b"\n".join(data), name)
