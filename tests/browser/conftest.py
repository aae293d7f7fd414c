"""A real browser before a real server with real runs in its store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from chainlab.inspector.assets import STATIC
from chainlab.inspector.link import InspectorState, running, start_url, state_file
from chainlab.store.store import Store
from hatch_build import STAMP, ui_digest
from tests.inspector.server import server
from tests.inspector.story import write_hostile_rows, write_running, write_story
from tests.patience import LIMIT_S

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")

PATIENCE_MS = 1000 * LIMIT_S
expect.set_options(timeout=PATIENCE_MS)


def need(there: bool, what: str) -> None:
    """Skip with the reason; where CI is set, nothing may be missing."""
    if not there:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(what)


def need_page() -> None:
    """Skip, or fail, where the page that would be tested is not the one of these sources."""
    built = (STATIC / STAMP).read_text().strip() if (STATIC / STAMP).is_file() else ""
    need(built == ui_digest(ROOT / "inspector_ui"), "the inspector's page is not built, or is old: `make ui`")


@dataclass(frozen=True)
class Inspector:
    """A running inspector and the ids of the runs it shows."""

    state: InspectorState
    ids: dict[str, str]

    def start(self) -> str:
        """An address that opens a session."""
        return start_url(self.state)

    def url(self, hash_url: str) -> str:
        """A place in the page."""
        return f"{self.state.url}/{hash_url}"

    def run(self, name: str, query: str = "") -> str:
        """The page of one of the story's runs."""
        return self.url(f"#/runs/{self.ids[name]}{query}")


@pytest.fixture(scope="session")
def inspector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspector]:
    need_page()
    database = tmp_path_factory.mktemp("browser") / ".chainlab" / "traces.db"
    database.parent.mkdir()
    ids = write_story(database)
    with Store.open(database) as store:
        ids["rows"] = write_hostile_rows(store)
        ids["running"] = write_running(store)
        with server(database):
            state = running(state_file(database))
            assert state is not None
            yield Inspector(state, ids)


# Not for the session: Playwright keeps a loop running in this thread, which asynchronous tests could not bear.
@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    need(CHROMIUM.exists(), f"there is no Chromium at {CHROMIUM}: `apt-get install chromium`")
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE_MS)
    yield browser
    browser.close()


@dataclass
class Watched:
    """What a page did that it should not have: errors told in its console, requests to anywhere else."""

    troubles: list[str]
    elsewhere: list[str]


def open_context(
    chromium: Browser, inspector: Inspector, *, theme: str = "light", width: int = 1280, height: int = 800
) -> tuple[BrowserContext, Watched]:
    """A context with a session, in a theme and size."""
    context = chromium.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    watched = Watched([], [])
    context.on("console", lambda m: watched.troubles.append(m.text) if m.type in ("error", "warning") else None)
    context.on("weberror", lambda error: watched.troubles.append(str(error.error)))
    context.on(
        "request",
        lambda r: None if r.url.startswith((inspector.state.url, "data:")) else watched.elsewhere.append(r.url),
    )
    page = context.new_page()
    page.goto(inspector.start())
    page.get_by_role("heading", name="Runs").wait_for()
    page.close()
    return context, watched


@pytest.fixture
def page(chromium: Browser, inspector: Inspector) -> Iterator[Page]:
    """A page with a session, at 1280 by 800. It must end without errors and without requests to anywhere else."""
    context, watched = open_context(chromium, inspector)
    yield context.new_page()
    context.close()
    assert watched == Watched([], [])
