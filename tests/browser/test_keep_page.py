"""From a failed run to a kept fix in three actions, and the same edit on other runs: a real project, its own server.

The project is a folder with a chain in it; its model is a server that does as it is told when the prompt asks nicely.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Watched, need_page, open_context
from tests.browser.looks import faults, look
from tests.browser.project import Project, chainlab_in, inspecting

pytestmark = pytest.mark.browser

CHAIN = """from typing import Literal

from chainlab import chain, fill, prompt


@prompt("Name the mood of: {{ text }}", retries=0)
def mood(text: str) -> Literal["glad", "sad"]:
    return fill()


@prompt("Write a line that is {{ mood }}.", retries=0)
def line(mood: str) -> str:
    return fill()


@chain
def song(text: str) -> str:
    return line(mood(text))
"""
ASKED = "Name the mood of: {{ text }}"


class _Model(BaseHTTPRequestHandler):
    """Answers "glad" to who says please, and at length to everybody else."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        prompt = body["messages"][-1]["content"]
        text = "glad" if "please" in prompt.lower() else f"I think that {prompt}"
        chunk = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": "stop"}]}
        usage = {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 3}}
        data = "".join(f"data: {json.dumps(one)}\n\n" for one in (chunk, usage)).encode() + b"data: [DONE]\n\n"
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def served(folder: Path, *options: str, runs: int = 1) -> Iterator[Project]:
    """A project in a folder, its runs made, its inspector begun."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Model) as model:
        Thread(target=model.serve_forever, daemon=True).start()
        try:
            (folder / "song.py").write_text(CHAIN)
            (folder / "chainlab.toml").write_text(
                'default_model = "near:m"\n[backends.near]\nkind = "openai"\nstructured = "none"\n'
                f'base_url = "http://127.0.0.1:{model.server_port}/v1"\n'
            )
            for number in range(runs):
                assert chainlab_in(folder, "run", "song.py", f"text=day {number}").code == 1
            with inspecting(folder, *options) as project:
                yield project
        finally:
            model.shutdown()


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Iterator[Any]:
    """Opens a page before a project. It must end without errors and without requests to anywhere else."""
    need_page()
    watched: list[Watched] = []
    with ExitStack() as stack:

        def open_page(*options: str, theme: str = "light", width: int = 1280, runs: int = 1) -> tuple[Page, Project]:
            project = stack.enter_context(served(tmp_path, *options, runs=runs))
            context, seen = open_context(chromium, project, theme=theme, width=width)
            watched.append(seen)
            stack.callback(context.close)
            page = context.new_page()
            page.goto(project.url("#/runs"))
            return page, project

        yield open_page
    assert watched == [Watched([], [])] * len(watched)


def source(project: Project) -> str:
    return (project.folder / "song.py").read_text()


def mend(page: Page) -> None:
    """Open the newest run, which failed, and say please."""
    page.get_by_role("link", name="song").first.click()
    expect(page.get_by_role("button", name="Replay R")).to_be_visible()
    page.keyboard.press("r")
    expect(page.get_by_role("textbox", name="Template of the step")).to_be_focused()
    page.keyboard.type(" One word, please.")


def test_a_failed_run_is_mended_and_kept_in_three_actions_and_the_file_is_written(opened: Any) -> None:
    page, project = opened("--allow-write")
    mend(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Compare song")).to_be_visible()
    page.keyboard.press("Shift+K")
    pane = page.get_by_role("region", name="Keep the fork")
    expect(pane.get_by_text(re.compile("^Kept now"))).to_be_visible()
    patch = pane.get_by_role("region", name="Patch of song.py")
    expect(patch).to_contain_text(f'+@prompt("{ASKED} One word, please.", retries=0)')
    assert ASKED + '"' in source(project)  # kept, and nothing written yet
    pane.get_by_role("button", name="Write 1 patch to the files").click()
    expect(pane.get_by_text("Stands in the files already: song.py:6.")).to_be_visible()  # it has looked once more
    expect(pane.get_by_text(re.compile("written to song.py"))).to_be_visible()
    assert f'@prompt("{ASKED} One word, please.", retries=0)' in source(project)
    page.reload()
    expect(page.get_by_role("button", name="Kept: see the patch")).to_be_visible()


def test_without_leave_to_write_the_patch_is_there_to_be_copied(opened: Any) -> None:
    page, project = opened(theme="dark")
    mend(page)
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Keep").click()
    pane = page.get_by_role("region", name="Keep the fork")
    expect(pane.get_by_text(re.compile("^Kept now"))).to_be_visible()
    expect(pane.get_by_role("button", name="Copy patch")).to_be_visible()
    expect(pane.get_by_text("This server writes no files")).to_be_visible()
    assert faults(page) == ""
    expect(pane.get_by_role("button", name=re.compile("^Write"))).to_have_count(0)
    assert source(project) == CHAIN


def test_an_address_opens_the_pane_and_accepts_nothing(opened: Any) -> None:
    page, _ = opened()
    mend(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Compare song")).to_be_visible()
    page.goto(f"{page.url}&pane=keep")
    pane = page.get_by_role("region", name="Keep the fork")
    expect(pane.get_by_role("button", name="Keep this fork")).to_be_visible()
    expect(pane.get_by_text(re.compile("^Kept"))).to_have_count(0)


def test_an_edit_is_tried_on_the_last_runs_and_each_leads_to_its_comparison(opened: Any) -> None:
    page, _ = opened(runs=20)
    mend(page)
    page.get_by_text("Try it on other runs").click()
    page.get_by_label("How many").fill("20")
    page.get_by_role("button", name="See what it takes").click()
    expect(page.get_by_text(re.compile(r"^20 runs · 40 calls"))).to_be_visible()
    assert faults(page) == ""
    page.get_by_role("button", name="Run the backtest").click()
    expect(page.get_by_role("heading", name="Backtest of song")).to_be_visible()
    expect(page.get_by_text("done: 20 of 20 runs")).to_be_visible()
    fixed = page.get_by_role("button", name="20 fixed")
    fixed.click()
    expect(page).to_have_url(re.compile("show=fixed"))
    assert faults(page) == ""
    page.get_by_role("link", name=re.compile("^Compare")).first.click()
    expect(page.get_by_text("b is a fork of a")).to_be_visible()
    page.get_by_role("link", name="Runs").first.click()
    page.get_by_role("link", name="Batches").click()
    expect(page.get_by_role("cell", name="20 fixed")).to_be_visible()
    assert faults(page) == ""


def test_an_edit_is_tried_on_the_marked_runs_on_a_narrow_screen(opened: Any, tmp_path: Path) -> None:
    page, _ = opened(runs=3, theme="dark", width=390)
    for index in range(2):
        page.get_by_role("checkbox").nth(index).check()
    page.get_by_role("heading", name="Runs").click()
    page.keyboard.press("g")
    expect(page.get_by_role("textbox", name="Template of the step")).to_be_focused()
    page.keyboard.type(" One word, please.")
    expect(page.get_by_text("Try it on the 2 runs marked")).to_be_visible()
    page.get_by_role("button", name="See what it takes").click()
    expect(page.get_by_text(re.compile(r"^2 runs · 4 calls"))).to_be_visible()
    look(page, "try-dark-390", tmp_path)
    page.get_by_role("button", name="Run the backtest").click()
    expect(page.get_by_text("done: 2 of 2 runs")).to_be_visible()
    look(page, "batch-dark-390", tmp_path)
    page.get_by_role("link", name="Runs").first.click()
    page.get_by_role("link", name="Batches").click()
    expect(page.get_by_role("cell", name="2 fixed")).to_be_visible()
    look(page, "batches-dark-390", tmp_path)


def test_whether_it_is_the_edit_or_chance(opened: Any) -> None:
    page, _ = opened(theme="dark")
    mend(page)
    page.get_by_text("Try it on other runs").click()
    page.get_by_label("What", exact=True).select_option("noise")
    page.get_by_role("button", name="See what it takes").click()
    expect(page.get_by_text(re.compile("^8 runs each way"))).to_be_visible()
    page.get_by_role("button", name="Run the noise control").click()
    expect(page.get_by_role("heading", name="Noise control of song")).to_be_visible()
    expect(page.get_by_text(re.compile("^done: 16 of 16 runs"))).to_be_visible()
    expect(page.get_by_role("region", name="Verdict")).to_be_visible()
    assert faults(page) == ""
