"""Replaying and comparing as a person does: in Chromium, by keyboard, before a server that carries out real replays."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from chainlab.inspector.link import running, state_file
from chainlab.store.store import Store
from tests.browser.bench import SLOWLY, Mode, bench, gate
from tests.browser.conftest import Inspector, Watched, need_page, open_context
from tests.browser.looks import LOOKS, look
from tests.inspector.story import TEXT, XSS, write_story

pytestmark = pytest.mark.browser

MENDED = "\n\nAnswer with JSON."


@dataclass(frozen=True)
class Bench(Inspector):
    """An inspector that carries out replays, and its database."""

    database: Path

    def forks(self, name: str = "failed") -> int:
        """How many forks a run has by now."""
        with Store.open(self.database) as store:
            return sum(run.parent_run_id == self.ids[name] for run in store.reader.runs(limit=200))


Served = Callable[[Mode], Bench]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serves a copy of the story; one server for each mode."""
    need_page()
    original = tmp_path_factory.mktemp("story") / "traces.db"
    ids = write_story(original, many=0)
    begun: dict[Mode, Bench] = {}
    with ExitStack() as stack:

        def serve(mode: Mode) -> Bench:
            if mode not in begun:
                database = tmp_path_factory.mktemp(mode) / "traces.db"
                shutil.copy(original, database)
                stack.enter_context(bench(database, mode))
                state = running(state_file(database))
                assert state is not None
                begun[mode] = Bench(state, ids, database)
            return begun[mode]

        yield serve


Opened = Callable[..., tuple[Page, Bench]]


@pytest.fixture
def opened(chromium: Browser, served: Served) -> Iterator[Opened]:
    """Opens a page with a session of its own. It must end without errors and without requests to anywhere else."""
    all_watched: list[Watched] = []
    with ExitStack() as stack:

        def open_page(mode: Mode = "replays", theme: str = "light", width: int = 1280) -> tuple[Page, Bench]:
            server = served(mode)
            context, watched = open_context(chromium, server, theme=theme, width=width)
            stack.callback(context.close)
            all_watched.append(watched)
            return context.new_page(), server

        yield open_page
    assert all_watched == [Watched([], [])] * len(all_watched)


def edit(page: Page, server: Bench, name: str = "failed", step: str = "critique") -> None:
    """Open a step in the editor, by its key; the caret is then at the end of its template."""
    page.goto(server.run(name, f"?step={step}"))
    expect(page.get_by_role("button", name="Replay R")).to_be_visible()
    page.keyboard.press("r")
    expect(page.get_by_role("heading", name=f"Replay {step}")).to_be_visible()


def template(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Template of the step")


def run_button(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile(r"^Run\b"))


def test_a_failed_step_is_edited_run_and_compared_by_keyboard_alone(opened: Opened) -> None:
    page, server = opened()
    page.goto(server.run("failed"))
    expect(page.get_by_role("button", name="Replay R")).to_be_visible()
    page.keyboard.press("r")
    expect(template(page)).to_be_focused()
    page.keyboard.type(MENDED)
    preview = page.get_by_role("region", name="Prompt preview")
    expect(preview).to_contain_text("older than the harbour it serves.\n\nAnswer with JSON.")
    expect(preview.locator("mark")).to_have_attribute("title", "{{ article }} from draft")
    will = page.get_by_role("region", name="What will run")
    expect(will.get_by_role("listitem").filter(has_text="summarise")).to_contain_text("×5")
    expect(will.get_by_role("listitem").filter(has_text="critique")).to_contain_text("edited")
    expect(will.get_by_role("listitem").filter(has_text="word_count")).to_contain_text("runs")
    expect(page.get_by_text("1 call · cost unknown")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Compare brief")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"#/compare\?a={server.ids['failed']}&b=\w+$"))
    expect(page.get_by_text("b is a fork of a")).to_be_visible()
    expect(page.get_by_role("heading", level=2)).to_have_text("critique")
    expect(page.get_by_role("region", name="Template: user").locator("ins")).to_have_text("Answer with JSON.")
    expect(page.get_by_role("region", name="Error")).to_contain_text("output-invalid")
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=2)).to_have_text("word_count")
    expect(page).to_have_url(re.compile("step=word_count"))
    page.keyboard.press("k")
    expect(page.get_by_role("heading", level=2)).to_have_text("critique")
    page.keyboard.press("x")
    expect(page.get_by_text("a is a fork of b")).to_be_visible()
    expect(page.get_by_role("region", name="Template: user").locator("del")).to_have_text("Answer with JSON.")


def test_a_fork_is_shown_while_it_runs_and_gives_way_to_the_comparison(opened: Opened) -> None:
    page, server = opened()
    gate(server.database).unlink(missing_ok=True)
    edit(page, server)
    page.keyboard.type(f"{MENDED} Do it {SLOWLY}.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The comparison opens when this run ends.")).to_be_visible()
    expect(page.get_by_role("button", name="critique, prompt, running")).to_be_visible()
    expect(page.get_by_role("button", name="Replay R")).to_have_count(0)
    gate(server.database).touch()
    expect(page.get_by_role("heading", name="Compare brief")).to_be_visible()


def test_a_wrong_template_shows_the_problem_at_its_line_and_cannot_be_run(opened: Opened) -> None:
    page, server = opened()
    before = server.forks()
    edit(page, server)
    page.keyboard.type("\n{{ artcle }}")
    problem = page.locator(".problem")
    expect(problem).to_contain_text("artcle")
    expect(problem).to_contain_text("expected")
    expect(page.locator(".editor-line.is-wrong")).to_have_text("{{ artcle }}")
    expect(run_button(page)).to_be_disabled()
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+a")
    page.keyboard.type("{% if %}")
    expect(problem).to_contain_text("template-syntax")
    expect(run_button(page)).to_be_disabled()
    problem.get_by_role("button", name="line 1").click()
    expect(template(page)).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Replay critique")).to_be_visible()
    assert server.forks() == before


def test_an_offered_binding_is_taken_by_one_key(opened: Opened) -> None:
    page, server = opened()
    edit(page, server)
    page.keyboard.type("\n{{ text }}")
    expect(page.get_by_role("button", name=re.compile("Bind text"))).to_be_visible()
    page.keyboard.press("Control+.")
    expect(page.get_by_role("list", name="Bound variables").get_by_label("text")).to_have_value("text")
    expect(page.get_by_role("region", name="Prompt preview")).to_contain_text(TEXT[:60])
    expect(run_button(page)).to_be_enabled()


def test_names_are_completed_from_the_recorded_values(opened: Opened) -> None:
    page, server = opened()
    edit(page, server)
    page.keyboard.type(" {{ ar")
    offered = page.get_by_role("listbox").get_by_role("option")
    expect(offered).to_have_text("articlestr")
    page.keyboard.press("Enter")
    page.keyboard.type(" }}")
    expect(template(page)).to_have_value(re.compile(r" \{\{ article \}\}$"))
    page.keyboard.press("Control+Space")
    expect(offered).to_have_count(0)


def test_closing_keeps_the_draft_until_it_is_discarded(opened: Opened) -> None:
    page, server = opened()
    edit(page, server)
    page.keyboard.type(MENDED)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Replay R")).to_be_focused()
    page.reload()
    expect(page.get_by_role("button", name="Replay R")).to_be_visible()
    page.keyboard.press("r")
    expect(template(page)).to_have_value(re.compile("Answer with JSON.$"))
    page.get_by_role("button", name="Discard edits").click()
    expect(template(page)).to_have_value("Critique and revise:\n\n{{ article }}")


def test_drift_stops_a_replay_until_a_person_says_what_to_do(opened: Opened) -> None:
    page, server = opened("drifted")
    edit(page, server)
    page.keyboard.type(MENDED)
    expect(page.get_by_role("list", name="Drift")).to_contain_text("draft")
    expect(run_button(page)).to_be_disabled()
    page.get_by_label("Stop here").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Run them again as they are now")).to_be_checked()
    expect(page.get_by_text("2 calls · cost unknown")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_text("1 call · cost unknown")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Compare brief")).to_be_visible()
    expect(page.get_by_role("heading", level=2)).to_have_text("critique")


def test_an_output_is_set_by_hand_and_checked_against_its_type(opened: Opened) -> None:
    page, server = opened()
    edit(page, server)
    page.get_by_role("button", name="Output by hand").click()
    output = page.get_by_role("textbox", name="Output of the step")
    expect(output).to_have_value('Sure! Here is the JSON:\n{"score": "high"}')  # what the model wrote
    output.fill('{"score": ')
    expect(page.locator(".problem")).to_contain_text("not JSON")
    page.wait_for_timeout(600)  # longer than it waits while somebody types: what is no JSON must never be sent
    output.fill('{"score": "high", "issues": [], "revised": "three good words"}')
    expect(page.locator(".problem")).to_contain_text("score")
    expect(run_button(page)).to_be_disabled()
    output.fill('{"score": 5, "issues": [], "revised": "three good words"}')
    expect(page.get_by_text("your output")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Compare brief")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("critique"))).to_contain_text("by-hand")
    page.keyboard.press("j")
    expect(page.get_by_role("region", name="Output")).to_contain_text("3")


def test_one_item_is_edited_or_all_of_them(opened: Opened) -> None:
    page, server = opened()
    edit(page, server, "ok", "summarise[1]")
    template(page).press_sequentially(" In one line.")
    runs = page.locator(".plan-step.does-execute .plan-path")
    expect(runs).to_have_text(["summarise[1]", "draft", "critique", "word_count"])
    page.get_by_label("Every summarise").check()
    expect(runs).to_have_text(["summarise×4", "draft", "critique", "word_count"])
    page.get_by_label("Scope").select_option("This step only")
    expect(runs).to_have_text(["summarise×4"])


def test_an_untouched_good_step_has_nothing_to_run(opened: Opened) -> None:
    page, server = opened()
    edit(page, server, "ok", "critique")
    expect(page.get_by_text("Nothing would run")).to_be_visible()
    expect(run_button(page)).to_be_disabled()


def test_a_failed_run_is_resumed_without_an_edit(opened: Opened) -> None:
    page, server = opened()
    page.goto(server.run("failed"))
    page.get_by_role("button", name="Resume").press("Enter")
    expect(page.get_by_role("heading", name="Compare brief")).to_be_visible()
    expect(page.get_by_role("heading", name="No step differs")).to_be_visible()  # it fails as it did before
    page.get_by_role("region", name="Run b").get_by_role("link").first.click()
    expect(page.get_by_role("link", name="Compare with parent")).to_be_visible()
    page.keyboard.press("d")
    expect(page.get_by_role("heading", name="Compare brief")).to_be_visible()
    page.goto(server.run("failed"))
    page.get_by_text(re.compile(r"^\d+ forks?$")).click()
    expect(page.get_by_role("link", name=re.compile("^Compare with ")).first).to_be_visible()


def test_only_what_differs_is_listed_when_asked(opened: Opened) -> None:
    page, server = opened()
    edit(page, server)
    page.keyboard.type(MENDED)
    page.keyboard.press("Control+Enter")
    rows = page.get_by_role("list", name="Steps of both runs").get_by_role("listitem")
    expect(rows).to_have_count(10)
    expect(rows.filter(has_text="reused")).to_have_count(7)
    page.keyboard.press("o")
    expect(rows).to_have_count(2)
    expect(page).to_have_url(re.compile("only=differing"))


def test_a_server_that_only_shows_has_no_replays(opened: Opened) -> None:
    page, server = opened("reads")
    page.goto(server.run("failed"))
    expect(page.get_by_role("heading", level=2)).to_have_text("critique")
    expect(page.get_by_role("button", name="Keys")).to_be_visible()
    page.keyboard.press("r")
    expect(page.get_by_role("button", name=re.compile("Replay|Resume"))).to_have_count(0)
    expect(page.get_by_role("heading", name="Replay")).to_have_count(0)
    client = page.context.request
    csrf = client.get(f"{server.state.url}/api/health").json()["csrf"]
    reply = client.post(
        f"{server.state.url}/api/runs/{server.ids['failed']}/preview",
        data={"edits": []},
        headers={"x-chainlab-csrf": csrf, "origin": server.state.url},
    )
    assert (reply.status, reply.json()["error"]["code"]) == (403, "read_only")


def test_hostile_text_stays_text_in_the_editor_and_in_the_comparison(opened: Opened) -> None:
    page, server = opened()
    page.add_init_script("window.__hit = 0")
    edit(page, server, "hostile", "echo")
    page.keyboard.type("{% raw %}" + XSS + "{% endraw %}")
    expect(page.get_by_role("region", name="Prompt preview")).to_contain_text("onerror=")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Compare repeat")).to_be_visible()
    expect(page.get_by_role("region", name="Output", exact=True).first).to_contain_text("onerror=")
    assert page.evaluate("window.__hit") == 0
    assert page.locator("main img, main script, main a[href^='javascript']").count() == 0


def test_the_keys_stand_on_a_sheet(opened: Opened) -> None:
    page, server = opened()
    page.goto(server.run("failed"))
    expect(page.get_by_role("button", name="Replay R")).to_be_visible()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    expect(sheet).to_contain_text("replay the step")
    page.keyboard.press("r")  # not heard below the sheet
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    expect(page.get_by_role("button", name="Replay R")).to_be_visible()


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_no_new_screen_has_an_accessibility_fault_or_runs_over_its_edge(
    opened: Opened, tmp_path: Path, theme: str, width: int
) -> None:
    page, server = opened(theme=theme, width=width)

    def seen(name: str) -> None:
        look(page, f"{name}-{theme}-{width}", tmp_path)

    edit(page, server)
    expect(page.get_by_text("as it would be sent")).to_be_visible()
    page.keyboard.type(MENDED + " {{ a")
    expect(page.get_by_role("listbox")).to_be_visible()
    seen("completion")
    page.keyboard.press("Escape")
    expect(page.locator(".problem")).to_be_visible()
    seen("problem")
    for _ in "{{ a":
        page.keyboard.press("Backspace")
    expect(run_button(page)).to_be_enabled()
    seen("replay")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Compare brief")).to_be_visible()
    expect(page.get_by_role("heading", level=2)).to_have_text("critique")
    seen("compare")
    page.get_by_role("link", name="Open in b").click()
    expect(page.get_by_role("link", name="Compare with parent")).to_be_visible()
    seen("fork")
    page.goto(server.url(f"#/compare?a={server.ids['ok']}&b={server.ids['failed']}&step=draft"))
    expect(page.get_by_role("region", name="Prompt: user")).to_be_visible()
    seen("compare-text")
    page.keyboard.press("?")
    seen("keys")
    page.keyboard.press("Escape")
    edit(page, server, "ok", "word_count")
    expect(page.get_by_role("textbox", name="Output of the step")).to_be_visible()
    seen("output")
    page.goto(server.url(f"#/compare?a={server.ids['ok']}&b={server.ids['ok']}"))
    expect(page.get_by_role("heading", name="No step differs")).to_be_visible()
    seen("compare-same")
