"""The list of runs: marked to be compared, narrowed by tag, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Inspector

pytestmark = pytest.mark.browser


def test_two_marked_runs_are_compared_by_one_key_the_older_first(page: Page, inspector: Inspector) -> None:
    page.goto(inspector.url("#/runs?chain=brief"))
    boxes = page.get_by_role("checkbox")
    boxes.nth(0).check()
    expect(page.get_by_text("1 run marked")).to_be_visible()
    boxes.nth(1).check()
    expect(page).to_have_url(re.compile("marked="))
    page.reload()
    expect(page.get_by_text("2 runs marked.")).to_be_visible()
    page.get_by_role("heading", name="Runs").click()
    page.keyboard.press("c")
    expect(page.get_by_role("heading", name="Compare brief")).to_be_visible()


def test_three_marked_runs_are_not_compared_and_marks_are_taken_away(page: Page, inspector: Inspector) -> None:
    page.goto(inspector.url("#/runs"))
    boxes = page.get_by_role("checkbox")
    for index in range(3):
        boxes.nth(index).check()
    expect(page.get_by_text("3 runs marked.")).to_be_visible()
    expect(page.get_by_role("button", name="Compare")).to_have_count(0)
    boxes.nth(0).uncheck()
    expect(page.get_by_role("button", name="Compare")).to_be_visible()
    page.get_by_role("button", name="Unmark").click()
    expect(page.locator("input:checked")).to_have_count(0)


def test_the_order_is_in_the_url_and_goes_on_over_pages(page: Page, inspector: Inspector) -> None:
    page.goto(inspector.url("#/runs"))
    page.get_by_label("Sort").select_option("oldest")
    expect(page).to_have_url(re.compile("order=oldest"))
    page.goto(inspector.url("#/runs?order=slowest"))
    expect(page.get_by_label("Sort")).to_have_value("slowest")
    expect(page.locator("tbody tr").first).to_be_visible()


def test_a_tag_narrows_the_list_and_is_taken_off_again(page: Page, inspector: Inspector) -> None:
    page.goto(inspector.url("#/runs"))
    tag = page.locator("a.tag").first
    name = tag.inner_text()
    tag.click()
    expect(page).to_have_url(re.compile("tag="))
    off = page.get_by_role("button", name=f"Tag {name}")
    expect(off).to_be_visible()
    off.click()
    expect(page).not_to_have_url(re.compile("tag="))
