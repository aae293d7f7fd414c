"""How a screen must look: no fault that axe finds, nothing cut off or over its edge; and a picture to look at."""

from __future__ import annotations

import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

LOOKS = [(1280, "light"), (390, "dark")]
"""Sizes and themes that every screen is looked at in: each of both once; all four together in `make test-long`."""
if "LONG" in os.environ:
    LOOKS += [(1280, "dark"), (390, "light")]

_WCAG = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
    "elementRef": False,
}

_CUT_OFF = """() => [...document.querySelectorAll('main section, main [role=region], main article, main li, main td')]
    .filter((one) => one.scrollHeight - one.clientHeight > 6 && one.clientHeight > 0
        && !['auto', 'scroll'].includes(getComputedStyle(one).overflowY)
        && getComputedStyle(one).display !== 'inline')
    .map((one) => `${one.tagName}.${one.className}: ${one.clientHeight} of ${one.scrollHeight} pixels`)"""


def settle(page: Page) -> None:
    """Two frames on, what a new address asks for is drawn as loading; then until nothing is."""
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn(0))))")
    expect(page.locator("main").locator("h1, h2, [role=alert]").first).to_be_visible()
    expect(page.locator(".loading")).to_have_count(0)


def faults(page: Page) -> str:
    """The faults against WCAG 2.2 A and AA, in words; empty where there are none."""
    found = Axe().run(page, options=_WCAG)
    return str(found.generate_report()) if found.violations_count else ""


def look(page: Page, name: str, folder: Path) -> None:
    """Check a screen, and keep its picture in `$CHAINLAB_SCREENSHOTS`, or in a folder that is thrown away."""
    expect(page.locator("main .loading")).to_have_count(0)
    page.screenshot(path=Path(os.environ.get("CHAINLAB_SCREENSHOTS", folder)) / f"{name}.png")
    told = faults(page)
    assert told == "", f"{name}: {told}"
    assert page.evaluate(_CUT_OFF) == [], f"{name}: what is in these does not fit, and they do not scroll"
    over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert over <= 0, f"{name} is {over} pixels wider than the screen"
