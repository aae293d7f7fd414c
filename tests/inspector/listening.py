"""A page that listens to an application, without a network: it may stop reading, and close. Knows no test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI

from chainlab.inspector import tokens
from chainlab.inspector.live import Live
from chainlab.inspector.security import Security
from tests.inspector.conftest import PORT
from tests.patience import turns_until


@dataclass(frozen=True)
class Event:
    """One event: its name, its id (None: it has none), its data."""

    name: str
    id: str | None
    data: Any


@dataclass
class Page:
    """What a page has been told. `reads` cleared: it stops reading; `gone` set: it is closed."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    ended: bool = False
    reads: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def events(self) -> list[Event]:
        """All events so far, whole ones."""
        return [_event(block) for block in self.body.decode().split("\n\n")[:-1]]

    def told(self, name: str) -> list[Any]:
        """The data of all events with a name."""
        return [event.data for event in self.events if event.name == name]

    @property
    def runs(self) -> list[str]:
        """The runs that were told to have moved, in order."""
        return [run["id"] for frame in self.told("moved") for run in frame["runs"]]

    @property
    def last(self) -> str | None:
        """The id to go on from."""
        return next((event.id for event in reversed(self.events) if event.id is not None), None)

    async def begun(self) -> None:
        """Wait for the first frame: from then on nothing is missed."""
        await turns_until(lambda: self.events or self.ended, "the first frame")


def _event(block: str) -> Event:
    parts = dict(line.split(": ", 1) for line in block.splitlines())
    return Event(parts["event"], parts.get("id"), json.loads(parts["data"]))


def live_of(app: FastAPI) -> Live:
    """Who tells the pages of an application."""
    live = app.state.live
    assert isinstance(live, Live)
    return live


@asynccontextmanager
async def listening(app: FastAPI, after: str | None = None, **headers: str) -> AsyncIterator[Page]:
    """A page that listens until the block ends. `headers` go with its request; `last_event_id` is Last-Event-ID."""
    security: Security = app.state.security
    session = tokens.mint(security.secret, "session")
    sent = {"host": f"127.0.0.1:{PORT}", "cookie": f"{security.cookie}={session}"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": "/api/events", "raw_path": b"/api/events", "root_path": "",
        "query_string": urlencode({} if after is None else {"after": after}).encode(),
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
    }  # fmt: skip
    page = Page()
    page.reads.set()
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await page.gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        await page.reads.wait()
        if message["type"] == "http.response.start":
            page.status = message["status"]
            page.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        else:
            page.body += message["body"]
            page.ended = not message.get("more_body", False)

    task = asyncio.create_task(app(scope, receive, send))
    try:
        yield page
    finally:
        page.gone.set()
        await asyncio.wait({task}, timeout=60)
        task.result()
