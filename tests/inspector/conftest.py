"""A store with a story in it, and the application over it, spoken to without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from chainlab.inspector import tokens
from chainlab.inspector.app import create_app
from chainlab.inspector.assets import Asset
from chainlab.inspector.security import Security
from chainlab.store.store import Store
from tests.inspector.story import write_hostile_rows, write_running, write_story

PORT = 8642
BASE = f"http://127.0.0.1:{PORT}"
PAGE = {
    "/": Asset(b"<!doctype html><title>page</title>", "text/html; charset=utf-8", "no-cache"),
    "/assets/app.js": Asset(b"1", "text/javascript; charset=utf-8", "public, immutable"),
}


@dataclass(frozen=True)
class Story:
    """A filled store and the ids of its runs."""

    store: Store
    ids: dict[str, str]


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    path: Path = tmp_path_factory.mktemp("story") / "traces.db"
    ids = write_story(path, many=8)
    with Store.open(path) as store:
        ids["rows"] = write_hostile_rows(store)
        ids["running"] = write_running(store)
        yield Story(store, ids)


@pytest.fixture(scope="module")
def security() -> Security:
    return Security(port=PORT)


@pytest.fixture(scope="module")
def app(story: Story, security: Security) -> FastAPI:
    return create_app(story.store.reader, security=security, assets=PAGE)


def browser(app: FastAPI) -> httpx.AsyncClient:
    """A client that goes straight to the application. `trust_env` off: it would load certificates, each time."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE, trust_env=False)


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client without any credential."""
    async with browser(app) as client:
        yield client


@pytest.fixture
async def client(app: FastAPI, security: Security) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a session, opened as a browser does."""
    async with browser(app) as client:
        reply = await client.get("/start", params={"token": tokens.mint(security.secret, "start")})
        assert reply.status_code == 303
        yield client
