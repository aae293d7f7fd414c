"""Live updates as a person sees them: in Chromium, before a real server, with runs of other processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from chainlab import Lab, ScriptedBackend
from tests.browser.bench import ROOT, gate
from tests.browser.conftest import PATIENCE_MS, need_page
from tests.browser.looks import faults
from tests.browser.typed import typed
from tests.inspector.story import repeat
from tests.patience import until

pytestmark = pytest.mark.browser

_ELSEWHERE = """
import sys
from pathlib import Path
from chainlab import Lab, ScriptedBackend
from tests.inspector.story import repeat
from tests.patience import turns_until

async def reply(request):
    if len(sys.argv) > 3:
        await turns_until(Path(sys.argv[3]).exists, "the open gate")
    return "said elsewhere"

with Lab.open(sys.argv[1], default_model=ScriptedBackend(reply)) as lab:
    for text in sys.argv[2].split(","):
        lab.run_sync(repeat, text)
"""

# Connections that a test can cut, and the change numbers of all frames with a run in them.
_CUT = """
  const sources = [];
  window.__told = [];
  window.EventSource = class extends EventSource {
    constructor(url) {
      super(url);
      sources.push(this);
      this.addEventListener("moved", (event) => {
        const { change, runs } = JSON.parse(event.data);
        if (runs.length > 0) window.__told.push(change);
      });
    }
  };
  window.__cut = () => sources.at(-1).dispatchEvent(new Event("error"));
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    need_page()
    return tmp_path / "traces.db"


def recorded(database: Path, *texts: str) -> list[str]:
    """Runs of `repeat`; their ids."""
    with Lab.open(database, default_model=ScriptedBackend(lambda _: "said")) as lab:
        return [lab.run_sync(repeat, text).id for text in texts]


@contextmanager
def elsewhere(database: Path, texts: str, waits_for: Path | None = None) -> Iterator[None]:
    """Another process that makes runs of `repeat`; with `waits_for`, once that file is there. Waits for its end."""
    command = [sys.executable, "-c", _ELSEWHERE, str(database), texts, *([] if waits_for is None else [str(waits_for)])]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        yield
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


@contextmanager
def opened(chromium: Browser, start: str) -> Iterator[BrowserContext]:
    """A browser that has been let in."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    let_in(context, start)
    try:
        yield context
    finally:
        context.close()


def let_in(context: BrowserContext, start: str) -> Page:
    page = context.new_page()
    page.goto(start)
    page.get_by_role("heading", name="Runs").wait_for()
    return page


def live(page: Page, word: str = "Live") -> None:
    expect(page.locator(".live-badge")).to_contain_text(word)


def note_reload(page: Page) -> None:
    """From here on the page must be the same one."""
    page.evaluate("window.__same = true")


def test_a_run_of_another_process_appears_and_moves_without_a_reload(chromium: Browser, database: Path) -> None:
    recorded(database, "first")
    with typed(database) as start, opened(chromium, start) as context:
        page = context.pages[0]
        live(page)
        note_reload(page)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        with elsewhere(database, "second", gate(database)):
            running = page.get_by_role("row").filter(has_text="running")
            expect(running).to_have_count(1)
            running.get_by_role("link").first.click()
            expect(page.get_by_role("button", name="echo, prompt, running")).to_be_visible()
            gate(database).touch()
            expect(page.get_by_role("button", name="echo, prompt, ok")).to_be_visible()
            page.get_by_role("tab", name="Output").click()
            expect(page.get_by_role("region", name="Output")).to_contain_text("said elsewhere")
        page.go_back()
        expect(page.get_by_role("row").filter(has_text="running")).to_have_count(0)
        assert page.evaluate("window.__same") is True
        # Nothing moves, nothing is asked for: it polls no more.
        page.wait_for_timeout(1500)
        asked.clear()
        page.wait_for_timeout(6500)
        assert asked == []


def test_a_page_goes_on_when_the_server_was_started_again(chromium: Browser, database: Path) -> None:
    recorded(database, "first")
    with ExitStack() as stack:
        with typed(database) as start:
            context = stack.enter_context(opened(chromium, start))
            page, port = context.pages[0], urlsplit(start).port
            assert port is not None
            live(page)
            note_reload(page)
            expect(page.get_by_role("row")).to_have_count(2)
            events = watched(context)
        live(page, "Reconnecting")
        recorded(database, "second", "third")
        live(page, "Stale")
        with typed(database, port) as start:
            let_in(context, start)  # another secret by now: the person opens the new address, in another tab
            page.bring_to_front()
            live(page)
            expect(page.get_by_role("row")).to_have_count(4)
            recorded(database, "fourth")
            expect(page.get_by_role("row")).to_have_count(5)
            assert page.evaluate("window.__same") is True
            assert events and all("after=" in url for url in events), "it began anew instead of going on"
            context.close()


def test_a_page_whose_connection_is_cut_again_and_again_misses_nothing(chromium: Browser, database: Path) -> None:
    recorded(database, "first")
    with typed(database) as start, opened(chromium, start) as context:
        page = context.new_page()
        page.add_init_script(_CUT)
        page.goto(start.partition("/start")[0])
        context.pages[0].close()  # which led
        live(page)
        note_reload(page)
        events = watched(context)
        for number in range(5):
            page.evaluate("window.__cut()")
            recorded(database, f"{number}")
            live(page)
            expect(page.get_by_role("row")).to_have_count(3 + number)
        assert page.evaluate("window.__same") is True
        assert len(events) >= 5 and all("after=" in url for url in events)
        told = page.evaluate("window.__told")
        assert told == sorted(set(told)), "a frame came twice"


def test_ten_tabs_share_one_connection_and_hand_it_over(chromium: Browser, database: Path) -> None:
    recorded(database, "first")
    with typed(database) as start, opened(chromium, start) as context:
        events = watched(context)
        pages = [context.pages[0]]
        for _ in range(9):
            page = context.new_page()
            page.goto(start.partition("/start")[0])
            pages.append(page)
        for page in pages:
            live(page)
            expect(page.get_by_role("row")).to_have_count(2)
        assert events == []  # the first tab had opened the one there is
        recorded(database, "second")
        for page in pages:
            page.bring_to_front()  # a hidden page draws nothing, and asks when it is looked at
            expect(page.get_by_role("row")).to_have_count(3)
        pages.pop(0).close()
        until(lambda: pages[0].evaluate("1") and len(events) == 1, "another tab to lead")
        assert "after=" in events[0]
        recorded(database, "third")
        for page in pages:
            page.bring_to_front()
            live(page)
            expect(page.get_by_role("row")).to_have_count(4)
        assert len(events) == 1


def test_without_locks_every_tab_has_its_own_connection(chromium: Browser, database: Path) -> None:
    recorded(database, "first")
    with typed(database) as start, opened(chromium, start) as context:
        page = context.new_page()
        page.add_init_script("delete Navigator.prototype.locks")
        page.goto(start.partition("/start")[0])
        live(page)
        assert page.evaluate("'locks' in navigator") is False
        recorded(database, "second")
        expect(page.get_by_role("row")).to_have_count(3)


def test_the_text_of_a_replay_is_seen_while_it_is_written(chromium: Browser, database: Path) -> None:
    (run,) = recorded(database, "first")
    with typed(database) as start, opened(chromium, start) as context:
        page = context.pages[0]
        page.goto(f"{start.partition('/start')[0]}/#/runs/{run}?step=echo")
        expect(page.get_by_role("button", name="Replay R")).to_be_visible()
        page.keyboard.press("r")
        expect(page.get_by_role("textbox", name="Template of the step")).to_be_focused()
        page.keyboard.type(" slowly")
        expect(page.get_by_text("1 call · cost unknown")).to_be_visible()
        page.keyboard.press("Control+Enter")
        text = page.get_by_role("region", name="Text so far")
        expect(text).to_have_text("one two three")
        assert faults(page) == ""
        late = context.new_page()  # a tab that is opened while it is written
        late.goto(page.url)
        expect(late.get_by_role("region", name="Text so far")).to_have_text("one two three")
        gate(database).touch()
        expect(late.get_by_role("region", name="Text so far")).to_have_count(0)
        page.bring_to_front()
        expect(page.get_by_role("heading", name="Compare repeat")).to_be_visible()


def watched(context: BrowserContext) -> list[str]:
    """The addresses of all connections for live updates that are opened from here on."""
    found: list[str] = []

    def note(request: Request) -> None:
        if "/api/events" in request.url:
            found.append(request.url)

    context.on("request", note)
    return found
