"""`diff`: two recorded runs, told to people and to programs."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
from typing import Any

import pytest

from chainlab.store.store import Store
from tests.cli.conftest import Project
from tests.compare.runs import ran, reused
from tests.store import facts


def run(project: Project, *words: str) -> str:
    """Run the chain; its id."""
    return str(json.loads(project.run("run", "brief.py", *words, "--json").out)["run"])


@pytest.fixture
def pair(project: Project) -> tuple[str, str]:
    """Two runs of a chain: the second louder, with another model for the summaries."""
    first = run(project, "text=tea")
    said = project.run("run", "brief.py", "text=tea", "tone=loud", "--model", "summarise=typed", "--json")
    return first, str(json.loads(said.out)["run"])


@pytest.fixture
def fork(project: Project) -> tuple[str, str]:
    """A run and its fork, and a run of another chain (`stranger`), written row by row."""
    long = "It rains in Bergen.\n" * 10

    async def write(store: Store) -> None:
        events = [
            facts.run_started("parent"),
            *ran("parent", "a_outline", long),
            *ran("parent", "draft", long + "It is cold.\n"),
            facts.run_finished("parent", "x"),
            facts.run_started("fork", parent_run_id="parent", root_run_id="parent"),
            *reused("fork", "a_outline", long, "parent"),
            *ran("fork", "draft", long + "It is warm.\n", key="edited"),
            facts.run_finished("fork", "x"),
            facts.run_started("stranger", chain="other"),
            facts.run_finished("stranger", "x"),
        ]
        for event in events:
            store.journal().emit(event)
        await store.journal().durable()

    with Store.open(project.folder / ".chainlab" / "traces.db") as store:
        asyncio.run(write(store))
    return "parent", "fork"


def test_two_runs_are_shown_with_a_mark_per_step_and_the_first_difference(
    project: Project, pair: tuple[str, str]
) -> None:
    said = project.run("diff", *pair)
    assert said.code == 1
    lines = said.out.splitlines()
    assert lines[0] == "brief"
    assert all(run in said.out for run in pair)
    marks = {words[1]: words[0] for line in lines if (words := line.split()) and words[0] in ("=", "~", "+", "-")}
    assert (marks["extract"], marks["summarise[0]"], marks["shout"]) == ("=", "~", "~")
    assert "first difference: summarise[0]" in said.out
    assert "model: stub:words → stub:typed" in said.out
    assert "input tone" in said.out and "- soft" in said.out and "+ loud" in said.out
    assert "\x1b" not in said.out


def test_another_step_is_shown_when_named(project: Project, pair: tuple[str, str]) -> None:
    said = project.run("diff", *pair, "shout")
    assert said.code == 1
    assert "input tone  from the input of the chain" in said.out
    assert "first difference" not in said.out
    assert "input notes  from each" in said.out
    said = project.run("diff", *pair, "shuot")
    assert (said.code, "did you mean 'shout'?" in said.err) == (2, True)


def test_a_run_is_equal_to_itself(project: Project, fork: tuple[str, str]) -> None:
    said = project.run("diff", "fork", "fork")
    assert (said.code, "the runs are equal" in said.out) == (0, True)
    assert json.loads(project.run("diff", "fork", "fork", "--json").out)["equal"] is True


def test_a_fork_alone_is_compared_with_its_parent(project: Project, fork: tuple[str, str]) -> None:
    said = project.run("diff", "fork")
    assert said.code == 1
    assert "b is a fork of a" in said.out
    assert "↺  a_outline  reused" in said.out
    assert [line for line in said.out.splitlines() if line.startswith(("- ", "+ "))] == [
        "- It is cold.",
        "+ It is warm.",
    ]
    assert "… 7 lines" in said.out
    assert "reused from parent a_outline: the same output" in project.run("diff", *fork, "a_outline").out
    said = project.run("diff", "parent")
    assert (said.code, "[no-parent]" in said.err) == (2, True)


def test_long_runs_list_what_differs_only(project: Project) -> None:
    count = 60

    async def write(store: Store) -> None:
        for run_id in ("one", "two"):
            store.journal().emit(facts.run_started(run_id))
            for n in range(count):
                changed = run_id == "two" and n == 30
                for event in ran(run_id, f"note[{n}]", "other" if changed else "same", sort=f"0.{n:03}"):
                    store.journal().emit(event)
            store.journal().emit(facts.run_finished(run_id))
        await store.journal().durable()

    with Store.open(project.folder / ".chainlab" / "traces.db") as store:
        asyncio.run(write(store))
    said = project.run("diff", "one", "two")
    assert [line.split()[1] for line in said.out.splitlines() if line.startswith(("=", "~"))] == ["note[30]"]
    assert "59 same  1 changed  (the same ones are not listed; --all lists them)" in said.out
    assert project.run("diff", "one", "two", "--all").out.count("\n=") == 59


def test_programs_get_everything(project: Project, pair: tuple[str, str]) -> None:
    said = project.run("diff", *pair, "--json")
    assert said.code == 1
    told: dict[str, Any] = json.loads(said.out)
    assert (told["a"]["run"], told["b"]["run"], told["relation"]) == (*pair, None)
    assert told["first_divergence"] == "summarise[0]"
    steps = {step["path"]: step for step in told["steps"]}
    assert steps["extract"]["verdict"] == "same"
    assert steps["summarise[0]"]["differs"] == ["model", "output"]
    assert steps["summarise[0]"]["a"]["tokens_in"] == 7
    assert told["opened"]["settings"][0]["name"] == "model"
    assert [given["name"] for given in told["inputs"]] == ["tone"]


def test_wrong_use_is_2(project: Project, fork: tuple[str, str]) -> None:
    assert project.run("diff").code == 2
    said = project.run("diff", "fork", "zzz")
    assert (said.code, "[run-not-found]" in said.err) == (2, True)
    said = project.run("diff", "fork", "stranger")
    assert (said.code, "[other-chain]" in said.err) == (2, True)
    assert project.run("diff", "fork", "stranger", "--any-chain").code == 1


def test_a_terminal_gets_colours_and_no_orders_of_a_model(project: Project) -> None:
    first = run(project, "text=tea")
    assert project.run("run", "brief.py", "text=tea", "--model", "summarise=nasty").code == 0
    ours, theirs = pty.openpty()
    started = subprocess.Popen(
        project.command("diff", first, "last"),
        cwd=project.folder,
        env=project.environment(TERM="xterm-256color"),
        stdout=theirs,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65_536)
        except OSError:  # the end, on Linux
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert started.wait(60) == 1
    assert b"\x1b[" in shown  # colours
    assert b"\x1b[2J" not in shown and b"\x07" not in shown
    assert b"\\u001b[2J[bold]a" in shown
