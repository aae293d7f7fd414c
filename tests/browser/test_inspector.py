"""The inspector as a person meets it: in Chromium, by mouse and by keyboard, in both themes and two widths."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from chainlab.inspector.assets import STATIC
from tests.browser.conftest import Inspector, Watched, open_context
from tests.browser.looks import LOOKS, look, settle
from tests.inspector.story import TOPICS, XSS
from tests.patience import until

pytestmark = pytest.mark.browser

SCREENS = {
    "runs": "#/runs",
    "empty": "#/runs?text=nothing-has-this-name",
    "failed": "#/runs/{failed}",
    "steps": "#/runs/{failed}?view=steps&step=critique&tab=attempts",
    "prompt": "#/runs/{ok}?step=summarise%5B1%5D",
    "template": "#/runs/{ok}?step=draft&tab=definition",
    "inputs": "#/runs/{ok}?step=critique&tab=inputs",
    "output": "#/runs/{ok}?step=critique&tab=output",
    "branches": "#/runs/{triage}?step=polish/judge%402",
    "skipped": "#/runs/{failed}?step=word_count",
    "running": "#/runs/{running}",
    "not-begun": "#/runs/{running}?step=critique",
    "hostile": "#/runs/{rows}",
    "huge": "#/runs/{huge}?step=echo&tab=inputs",
    "missing": "#/runs/nothing",
}


def test_a_failed_run_opens_at_its_cause(page: Page, inspector: Inspector) -> None:
    page.goto(inspector.url("#/runs"))
    page.get_by_role("row").filter(has_text="critique:").locator(".row-link").click()
    expect(page.get_by_role("heading", name="brief")).to_be_visible()
    why = page.get_by_role("group", name="Why the step failed")
    expect(why).to_contain_text("output-invalid")
    expect(page.get_by_role("tab", name="Raw reply")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("region", name="Reply")).to_contain_text('{"score": "high"}')


def test_the_url_says_run_step_and_tab(page: Page, inspector: Inspector) -> None:
    page.goto(inspector.run("ok"))
    page.get_by_role("button", name=re.compile("^draft,")).click()
    expect(page).to_have_url(re.compile(r"step=draft"))
    page.get_by_role("tab", name="Template").click()
    expect(page).to_have_url(re.compile(r"step=draft&tab=definition"))
    page.reload()
    expect(page.get_by_role("tabpanel")).to_contain_text("{% for note in notes %}")
    expect(page.get_by_role("tabpanel")).to_contain_text(re.compile(r"story\.py:\d+"))
    page.go_back()  # turning tabs leaves no history; choosing a step does
    expect(page).to_have_url(inspector.run("ok"))


def test_a_prompt_marks_what_its_variables_printed(page: Page, inspector: Inspector) -> None:
    page.goto(inspector.run("ok", "?step=summarise%5B1%5D"))
    marked = page.locator("mark")
    expect(marked).to_have_count(2)
    expect(marked.first).to_have_text(TOPICS[1])
    expect(marked.first).to_have_attribute("title", re.compile(r"^\{\{ topic \}\} from extract"))
    page.get_by_role("button", name="topic", exact=True).click()
    expect(marked.first).to_have_class("is-lit")


def test_items_of_a_fan_out_are_one_box_and_one_walk(page: Page, inspector: Inspector) -> None:
    page.goto(inspector.run("fold"))
    expect(page.get_by_role("button", name="translate, prompt, 3 failed, 37 ok")).to_be_visible()
    expect(page.get_by_role("heading", name="translate[5]")).to_be_visible()
    page.get_by_role("link", name="Next: translate[6]").click()
    expect(page.get_by_role("heading", name="translate[6]")).to_be_visible()


def test_the_page_is_walked_by_keyboard_alone(page: Page, inspector: Inspector) -> None:
    page.goto(inspector.run("failed", "?view=steps"))
    heading = page.get_by_role("heading", level=2)
    expect(heading).to_have_text("critique")
    settle(page)
    page.keyboard.press("k")
    expect(heading).to_have_text("draft")
    page.keyboard.press("e")
    expect(heading).to_have_text("critique")
    page.keyboard.press("j")
    expect(heading).to_have_text("word_count")
    page.get_by_role("navigation", name="View").get_by_role("link", name="Graph").focus()
    page.keyboard.press("Enter")
    page.locator(".node.is-selected").focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator(".node:focus")).to_have_attribute("data-path", "critique")
    page.keyboard.press("Enter")
    expect(heading).to_have_text("critique")
    page.get_by_role("tab", name="Raw reply").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Attempts")).to_be_focused()


def test_a_skipped_step_says_because_of_what(page: Page, inspector: Inspector) -> None:
    page.goto(inspector.run("failed", "?step=word_count"))
    page.get_by_text("Skipped because of").get_by_role("link", name="critique").click()
    expect(page.get_by_role("heading", level=2)).to_have_text("critique")


def test_filters_are_kept_in_the_url_and_runs_come_page_by_page(page: Page, inspector: Inspector) -> None:
    page.goto(inspector.url("#/runs"))
    rows = page.locator("table.runs tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_role("button", name="Load more").click()
    expect(rows).to_have_count(60 + len(inspector.ids))
    page.get_by_label("Chain").select_option("triage")
    expect(page).to_have_url(re.compile("chain=triage"))
    expect(rows).to_have_count(1)
    page.get_by_label("Chain").select_option("")
    page.get_by_label("Search").fill("output-invalid")
    expect(page).to_have_url(re.compile("text=output-invalid"))
    expect(rows).to_have_count(1)
    page.get_by_label("Search").fill("nothing-has-this-name")
    expect(page.get_by_role("heading", name="No run matches")).to_be_visible()


def test_the_rest_of_a_large_value_can_be_loaded(page: Page, inspector: Inspector) -> None:
    page.goto(inspector.run("huge", "?step=echo&tab=inputs"))
    expect(page.get_by_role("note")).to_contain_text("Cut after 64 kB of 195 kB")
    page.get_by_role("button", name="Load all").click()
    expect(page.get_by_role("note")).to_have_count(0)
    assert len(page.get_by_role("region", name="Value of text").inner_text()) > 200_000


def test_the_theme_is_turned_and_remembered(page: Page, inspector: Inspector) -> None:
    page.goto(inspector.url("#/runs"))
    button = page.get_by_role("button", name=re.compile("System|Light|Dark"))
    button.click()
    button.click()
    expect(button).to_have_text("Dark")
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"


def test_without_a_session_the_page_says_how_to_get_one(chromium: Browser, inspector: Inspector) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(inspector.url("#/runs"))
    expect(page.get_by_role("alert")).to_contain_text("chainlab inspect")
    context.close()


def test_a_deep_link_opens_its_step_and_keeps_no_token(chromium: Browser, inspector: Inspector) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(inspector.start() + f"#/runs/{inspector.ids['ok']}?step=draft")
    expect(page.get_by_role("heading", level=2)).to_have_text("draft")
    expect(page).to_have_url(inspector.run("ok", "?step=draft"))
    context.close()


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_no_screen_has_an_accessibility_fault_or_runs_over_its_edge(
    chromium: Browser, inspector: Inspector, tmp_path: Path, theme: str, width: int
) -> None:
    context, watched = open_context(chromium, inspector, theme=theme, width=width)
    page = context.new_page()
    for name, place in SCREENS.items():
        page.goto(inspector.url(place.format(**inspector.ids)))
        settle(page)
        look(page, f"{name}-{theme}-{width}", tmp_path)
    context.close()
    # The browser itself tells of the 404 that the last screen is about.
    assert [told for told in watched.troubles if "404" not in told] == []
    assert watched.elsewhere == []


@pytest.mark.parametrize("name", ["rows", "hostile"])
def test_hostile_text_is_only_text(page: Page, inspector: Inspector, name: str) -> None:
    page.add_init_script("window.__hit = 0")
    page.goto(inspector.url("#/runs"))
    expect(page.get_by_role("link", name=XSS).first).to_be_visible()
    page.goto(inspector.run(name))
    settle(page)
    page.get_by_text("Inputs and output of the run").click()
    for link in page.locator(".step-line").all():
        link.click()
        settle(page)
    for tab in page.get_by_role("tab").all():
        tab.click()
        settle(page)
        for closed in page.locator("summary, [aria-expanded=false]").all():
            closed.click()
    expect(page.locator("body")).to_contain_text("onerror=")
    assert page.evaluate("window.__hit") == 0
    assert page.locator("main img, main script, main a[href^='javascript']").count() == 0


def test_the_control_page_shows_that_the_text_would_run(chromium: Browser) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.set_content(f"<body>{XSS}</body>")
    page.wait_for_function("window.__hit === 1")
    context.close()


def test_a_lost_server_leaves_what_was_loaded(chromium: Browser, inspector: Inspector) -> None:
    context, _ = open_context(chromium, inspector)
    page = context.new_page()
    page.route("**/api/events*", lambda route: route.abort())  # so it asks from time to time
    page.goto(inspector.run("ok"))
    expect(page.get_by_role("heading", name="brief")).to_be_visible()
    page.route("**/api/**", lambda route: route.abort())
    expect(page.get_by_text("What you see is from before").first).to_be_visible()
    expect(page.get_by_role("heading", name="brief")).to_be_visible()
    page.unroute("**/api/**")
    expect(page.get_by_text("What you see is from before")).to_have_count(0)
    context.close()


def test_the_page_keeps_within_its_budget() -> None:
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in STATIC.rglob("*") if path.is_file()}
    assert sum(size for name, size in sizes.items() if name.endswith(".js")) <= 450_000
    first = (STATIC / "index.html").read_text()
    named = [name for name in sizes if name == "index.html" or f"/{name}" in first]
    assert {Path(name).suffix for name in named} >= {".html", ".js", ".css"}
    assert len(named) < len(sizes)  # the rest is loaded when somebody asks for it
    assert sum(sizes[name] for name in named) <= 170_000


def test_a_context_tells_of_requests_elsewhere(chromium: Browser, inspector: Inspector) -> None:
    context, watched = open_context(chromium, inspector)
    page = context.new_page()
    page.goto(inspector.url("#/runs"))
    page.evaluate("fetch('http://127.0.0.1:9/x').catch(() => 0)")

    def told() -> bool:
        page.wait_for_timeout(20)  # events come while it waits
        return watched != Watched([], [])

    until(told, "word of the request")
    context.close()
