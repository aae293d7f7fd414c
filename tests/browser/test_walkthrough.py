"""The README's walk-through, as it is told there: a real run on the built-in model that fails, found, mended and kept.

By keyboard alone, and every moment is pictured: `CHAINLAB_SCREENSHOTS=folder`. States are asserted, never words.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Watched, need_page, open_context
from tests.browser.looks import look
from tests.browser.project import Project, chainlab_in, inspecting

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.timeout(600)]

EXAMPLES = Path(__file__).parents[2] / "examples"
FILE = "06_front_page.py"
EDITED = "{{ text }}\n\nTell it again in one short sentence."


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The example's folder, after its run failed, before an inspector that may write there."""
    need_page()
    folder = tmp_path_factory.mktemp("walk") / "examples"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns(".chainlab", "__py*"))
    assert chainlab_in(folder, "run", FILE).code == 1
    with inspecting(folder, FILE, "--allow-write") as found:
        yield found


def tab_to(page: Page, name: str) -> None:
    """Press Tab until a button of that name has the focus."""
    button = page.get_by_role("button", name=name)
    expect(button).to_be_visible()
    for _ in range(60):
        if button.evaluate("button => button === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not come to {name!r}")


def test_a_failed_run_is_understood_mended_and_kept_by_keyboard_alone(
    chromium: Browser, project: Project, tmp_path: Path
) -> None:
    context, watched = open_context(chromium, project)
    page = context.new_page()
    page.goto(project.url("#/runs"))
    page.get_by_role("link", name="page").focus()
    page.keyboard.press("Enter")

    # It opens at the step that failed, and says why.
    expect(page.get_by_role("heading", level=2)).to_have_text("front_page")
    expect(page.get_by_role("group", name="Why the step failed")).to_contain_text("step-raised")
    look(page, "walk-1-why", tmp_path)

    # The step before it: what it was asked, and what it answered.
    page.keyboard.press("k")
    expect(page.get_by_role("heading", level=2)).to_have_text("summarise")
    look(page, "walk-2-cause", tmp_path)

    page.keyboard.press("r")
    editor = page.get_by_role("textbox", name="Template of the step")
    expect(editor).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type(EDITED)
    expect(page.get_by_role("status").filter(has_text="1 call")).to_be_visible()
    look(page, "walk-3-edit", tmp_path)
    page.keyboard.press("Control+Enter")

    # Only it and what follows ran; the rest is reused, and the fork is ok.
    expect(page.get_by_role("heading", name="Compare page")).to_be_visible()
    look(page, "walk-4-compare", tmp_path)
    page.keyboard.press("Shift+K")
    pane = page.get_by_role("region", name="Keep the fork")
    expect(pane.get_by_text(re.compile("^Kept now"))).to_be_visible()
    look(page, "walk-5-keep", tmp_path)
    tab_to(page, "Write 1 patch to the files")
    page.keyboard.press("Enter")
    expect(pane.get_by_text(re.compile(f"written to {FILE}"))).to_be_visible()
    context.close()
    assert watched == Watched([], [])

    source = (project.folder / FILE).read_text()
    assert "Tell it again in one short sentence." in source and "You are an editor" not in source
    forks = project.runs()
    assert [run.status for run in forks] == ["ok", "failed"]
    assert forks[0].parent_run_id == forks[1].id and forks[0].kept_at is not None
    assert project.statuses(forks[0].id) == {"name": "reused", "summarise": "ok", "front_page": "ok"}
    # The patched file does what the fork did.
    assert chainlab_in(project.folder, "run", FILE).code == 0
