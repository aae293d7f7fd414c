"""An HTTP server that answers as it is told, byte by byte, in the event loop of the test. Knows no fault by name."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Call:
    """One request that came, and the connection to answer on."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    writer: asyncio.StreamWriter
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def step(self) -> str:
        """The step that asks: its name stands in its prompt."""
        return str(self.body["messages"][0]["content"]).partition(":")[0]

    # -- ways to answer ------------------------------------------------------------------------------------------------

    async def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, status: int = 200, kind: str = "application/json", *more: str) -> None:
        """A status line and headers."""
        lines = [f"HTTP/1.1 {status} X", f"content-type: {kind}", *more]
        await self.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def whole(
        self, body: Any, status: int = 200, *more: str, kind: str = "application/json", length: int | None = None
    ) -> None:
        """An answer in one piece. `length`: what the header says, where that is not the truth."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        await self.head(status, kind, f"content-length: {len(data) if length is None else length}", *more)
        await self.write(data)

    async def events(self, *data: str | bytes, ends: bool = True) -> None:
        """A stream of events. It ends where the connection does."""
        await self.head(200, "text/event-stream", "connection: close")
        for one in data:
            await self.write(b"data: " + (one if isinstance(one, bytes) else one.encode()) + b"\n\n")
        if ends:
            self.writer.close()

    async def reset(self) -> None:
        """Break the connection: the peer reads a reset."""
        await asyncio.sleep(0)
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Answer = Callable[[Call], Awaitable[None]]


@dataclass
class Server:
    """A running server: where, what came, and what it answers by default and at one step."""

    url: str
    answer: Answer
    calls: list[Call] = field(default_factory=list)

    def count(self, step: str) -> int:
        """How many requests a step has sent."""
        return sum(call.step == step for call in self.calls)


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[Server]:
    """A server on a free port of the loopback."""
    running = Server("", answer)
    open_: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_.add(task)
        try:
            ahead = b""
            while (call := await _read(reader, writer, ahead)) is not None:
                running.calls.append(call)
                watching = asyncio.create_task(_watch(reader, call))
                try:
                    await running.answer(call)
                finally:
                    watching.cancel()
                if writer.is_closing():
                    return
                ahead = watching.result() if watching.done() and not watching.cancelled() else b""
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            open_.discard(task)
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    running.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    try:
        yield running
    finally:
        listening.close()
        for task in list(open_):
            task.cancel()
        await asyncio.gather(*open_, return_exceptions=True)


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ahead: bytes) -> Call | None:
    try:
        head = ahead + await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Call(first.split()[1], headers, json.loads(body) if body else {}, writer)


async def _watch(reader: asyncio.StreamReader, call: Call) -> bytes:
    """Note that the client went away. Of one that waits for its answer nothing else comes."""
    try:
        found = await reader.read(1)
    except ConnectionError:
        found = b""
    if not found:
        call.gone.set()
    return found
