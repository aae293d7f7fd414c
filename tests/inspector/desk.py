"""An inspector that carries out changes, and the page that asks it: a real store, no network. Knows no test."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from chainlab.inspector import tokens
from chainlab.inspector.app import create_app
from chainlab.inspector.security import CSRF_HEADER, Security
from chainlab.inspector.workbench import Allowed, Workbench
from chainlab.sandbox.limits import Limits
from chainlab.store.store import Store
from chainlab.trace import RunSummary
from tests.inspector.conftest import BASE, PAGE, PORT, browser
from tests.lab.replays import Model, brief
from tests.patience import turns_until

NEW = {"step": "critique", "template": "Be kind about {{ article }}"}


def fresh_key() -> str:
    """An idempotency key, as a page makes one for each click."""
    return secrets.token_hex(16)


@dataclass
class Desk:
    """An inspector and its page. `model` answers every call of this inspector, and remembers them."""

    app: FastAPI
    store: Store
    bench: Workbench
    model: Model
    page: httpx.AsyncClient
    csrf: str

    async def get(self, path: str, **query: Any) -> httpx.Response:
        """Ask for something."""
        return await self.page.get(f"/api/{path}", params=query)

    async def post(self, path: str, body: Any) -> httpx.Response:
        """Ask for a change, as the page does."""
        return await self.page.post(f"/api/{path}", json=body, headers={"origin": BASE, CSRF_HEADER: self.csrf})

    async def preview(self, run_id: str, *edits: dict[str, Any], **how: Any) -> Any:
        """A preview; it must be answered."""
        reply = await self.post(f"runs/{run_id}/preview", {"edits": edits, **how})
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def replay(self, run_id: str, *edits: dict[str, Any], key: str | None = None, **how: Any) -> httpx.Response:
        """Begin a replay, under a fresh key unless one is given."""
        return await self.post(f"runs/{run_id}/replay", {"edits": edits, "idempotency_key": key or fresh_key(), **how})

    async def forked(self, run_id: str, *edits: dict[str, Any], **how: Any) -> RunSummary:
        """A replay, begun and waited for."""
        reply = await self.replay(run_id, *edits, **how)
        assert reply.status_code == 202, reply.text
        return await self.end_of(reply.json()["run_id"])

    async def end_of(self, run_id: str) -> RunSummary:
        """A run once it has ended."""
        await turns_until(lambda: self.run(run_id).status not in ("queued", "running"), f"the end of {run_id}")
        return self.run(run_id)

    def run(self, run_id: str) -> RunSummary:
        """A run's row."""
        trace = self.store.reader.trace(run_id)
        assert trace is not None
        return trace.run

    def runs(self) -> int:
        """How many runs there are."""
        return len(self.store.reader.runs(limit=1000))


@asynccontextmanager
async def desk(
    database: Path, model: Model | None = None, allowed: Allowed | None = None, *, limits: Limits | None = None
) -> AsyncIterator[Desk]:
    """An inspector over a database."""
    model = model or Model()
    bench = Workbench(lambda: model.open(database), allowed, limits=limits)
    async with over(database, bench, model) as made:
        yield made


@asynccontextmanager
async def over(database: Path, bench: Workbench, model: Model) -> AsyncIterator[Desk]:
    """An inspector with a workbench of its own."""
    with Store.open(database) as store:
        security = Security(port=PORT)
        app = create_app(store.reader, security=security, assets=PAGE, bench=bench)
        async with browser(app) as page:
            await page.get("/start", params={"token": tokens.mint(security.secret, "start")})
            csrf = tokens.csrf(security.secret, page.cookies[security.cookie])
            try:
                yield Desk(app, store, bench, model, page, csrf)
            finally:
                await bench.aclose()


def recorded(database: Path, *texts: str, model: Model | None = None) -> list[str]:
    """Runs of `brief` on these texts (one run by default); their ids."""
    with (model or Model()).open(database) as lab:
        return [lab.run_sync(brief, text).id for text in texts or ("a letter",)]
