"""A hundred hostile texts in every field and key of a trace, in a real browser: none runs, none calls elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from chainlab.inspector.link import running, state_file
from chainlab.store.store import Store
from tests.browser.conftest import Inspector, Watched, need_page, open_context
from tests.browser.hostile import TEXTS, name_of, write_hostile_run, write_marked_run
from tests.browser.looks import faults
from tests.inspector.server import server

pytestmark = pytest.mark.browser

MADE_BY_TEXT = (
    "main script, main iframe, main object, main embed, main base, main meta, main link, main style, main form[action],"
    " main img, main video, main audio, main marquee, main math, main a[href^='javascript' i], main a[href^='data' i]"
)
STEPS = range(0, len(TEXTS), 18)


@pytest.fixture(scope="module")
def inspector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspector]:
    need_page()
    database = tmp_path_factory.mktemp("hostile") / "traces.db"
    with Store.open(database) as store:
        ids = {"marked": write_marked_run(store), "hostile": write_hostile_run(store)}
        with server(database):
            state = running(state_file(database))
            assert state is not None
            yield Inspector(state, ids)


def settle(page: Page) -> None:
    page.locator("main h1, main h2").first.wait_for()
    page.wait_for_timeout(30)


def open_all(page: Page) -> None:
    """Open whatever is closed, as far as it goes."""
    for _ in range(3):
        closed = page.locator("main summary, main [aria-expanded=false]").all()
        for one in closed[:30]:
            if one.is_visible():
                one.evaluate("element => element.click()")


def test_there_are_more_than_a_hundred() -> None:
    assert len(set(TEXTS)) >= 100


def test_none_of_them_runs_or_calls_elsewhere(chromium: Browser, inspector: Inspector) -> None:
    context, watched = open_context(chromium, inspector)
    context.add_init_script("window.__hit = 0")
    page = context.new_page()
    seen: list[int] = []

    def look() -> None:
        settle(page)
        assert page.evaluate("window.__hit") == 0
        assert page.locator(MADE_BY_TEXT).count() == 0, page.url
        seen.append(len(page.locator("main").inner_text()))

    page.goto(inspector.url("#/runs"))
    look()
    for view in ("graph", "timeline", "steps"):
        page.goto(inspector.run("hostile", f"?view={view}"))
        look()
    open_all(page)
    look()
    page.goto(inspector.url("#/runs"))
    look()
    page.goto(inspector.run("hostile", "?view=steps"))
    for index in STEPS:
        page.goto(inspector.run("hostile", f"?view=steps&step={quote(f'{name_of(TEXTS[index])}[{index}]', safe='')}"))
        page.get_by_role("tab").first.wait_for()
        for tab in page.get_by_role("tab").all():
            tab.click()
            open_all(page)
            look()
    page.goto(inspector.url(f"#/compare?a={inspector.ids['hostile']}&b={inspector.ids['hostile']}"))
    look()
    context.close()
    assert watched.elsewhere == []
    assert watched.troubles == []
    assert len(seen) > 30 and max(seen) > 5_000


def test_markdown_is_drawn_when_asked_for_and_loads_and_runs_nothing(chromium: Browser, inspector: Inspector) -> None:
    context, watched = open_context(chromium, inspector)
    context.add_init_script("window.__hit = 0")
    page = context.new_page()
    page.goto(inspector.run("marked", "?step=draft&tab=output"))
    button = page.get_by_role("button", name="Markdown")
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".markdown")).to_have_count(0)
    button.click()
    drawn = page.locator(".markdown")
    expect(drawn.locator("ol li")).to_have_count(2)
    expect(drawn.locator("td strong")).to_have_text("c")
    expect(drawn.locator("ul li")).not_to_have_count(0)
    page.wait_for_timeout(200)
    assert drawn.locator("a, img, script, iframe, object, form, [style], [href], [src]").count() == 0
    assert page.locator(MADE_BY_TEXT).count() == 0
    assert page.evaluate("window.__hit") == 0
    assert faults(page) == ""
    button.click()
    expect(drawn).to_have_count(0)
    context.close()
    assert watched == Watched([], [])


def test_the_control_page_shows_that_they_can(chromium: Browser) -> None:
    """The same texts as HTML: many of them run or call elsewhere, so the test above can fail."""
    context = chromium.new_context()
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    ran = 0
    for text in TEXTS[:25]:
        page = context.new_page()
        page.add_init_script("window.__hit = 0")
        page.set_content(f"<body>{text.replace(chr(0), '')}</body>".encode("utf-8", "replace").decode())
        page.wait_for_timeout(50)
        with suppress(Error):  # one of them leads elsewhere
            ran += bool(page.evaluate("window.__hit"))
        page.close()
    context.close()
    assert ran >= 3
    assert any("elsewhere.invalid" in url for url in asked)


def test_a_hostile_run_is_found_by_its_own_text(chromium: Browser, inspector: Inspector) -> None:
    context, watched = open_context(chromium, inspector)
    page = context.new_page()
    page.goto(inspector.url("#/runs"))
    page.get_by_role("searchbox").fill(TEXTS[0])
    expect(page.get_by_role("link", name=TEXTS[0]).first).to_be_visible()
    context.close()
    assert watched.troubles == []
