"""The palette: whatever there is to go to, found by typing, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Inspector
from tests.browser.looks import faults

pytestmark = pytest.mark.browser


def opened(page: Page, typed: str) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Go to")).to_be_focused()
    page.keyboard.type(typed)


def test_a_screen_a_chain_a_step_and_a_run_are_found_by_their_names(page: Page, inspector: Inspector) -> None:
    page.goto(inspector.url("#/runs"))
    expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    opened(page, "batch")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Batches", exact=True)).to_be_visible()
    opened(page, "brief chain")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("chain=brief"))
    page.goto(inspector.run("failed"))
    expect(page.get_by_role("heading", name="brief")).to_be_visible()
    opened(page, "word_count")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("step=word_count"))
    opened(page, inspector.ids["ok"])  # whole: runs of one moment begin alike
    expect(page.get_by_role("dialog").get_by_role("option")).to_have_count(1)
    expect(page.get_by_role("dialog").get_by_role("option")).to_contain_text(inspector.ids["ok"][:12])
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(inspector.ids["ok"]))


def test_arrows_choose_escape_closes_and_the_focus_goes_back(page: Page, inspector: Inspector) -> None:
    page.goto(inspector.url("#/runs"))
    keys = page.get_by_role("button", name="Keys")
    keys.focus()
    opened(page, "")
    options = page.get_by_role("dialog").get_by_role("option")
    expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    assert faults(page) == ""
    page.keyboard.type("zzzz")
    expect(page.get_by_text("Nothing is called that.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("combobox", name="Go to")).to_have_count(0)
    expect(keys).to_be_focused()
