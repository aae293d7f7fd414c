"""`keep`: a fork's edits as a diff of the author's files, for people, for programs, for `git apply`."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess

import pytest

from chainlab import Edit, Lab, Request, ScriptedBackend
from chainlab.store.reader import SqliteReader
from chainlab.trace import RunSummary
from tests.cli.conftest import CHAIN, Project
from tests.source.author import declare

NEW = "Name the topics: {{ text }}"
DIFF = [
    "--- a/brief.py",
    "+++ b/brief.py",
    '-@prompt("List the topics.\\n\\n{{ text }}", model="typed")',
    f'+@prompt("{NEW}", model="typed")',
]
PATCHED = CHAIN.replace("List the topics.\\n\\n{{ text }}", NEW)


def reply(request: Request) -> object:
    if request.model == "wrong":
        return RuntimeError("no")
    return {"topics": ["tea", "bread"]} if request.step == "extract" else "about it"


def forked(project: Project, *edits: Edit) -> str:
    """A run of the project's chain, and its fork with these edits; the fork's id."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        module = declare(project.folder / "brief.py")
        with Lab.open(default_model=ScriptedBackend(reply)) as lab:
            return lab.replay_sync(module.brief.run_sync(text="tea"), edits=edits).id


@pytest.fixture
def fork(project: Project) -> str:
    return forked(project, Edit(step="extract", template=NEW))


def source(project: Project) -> str:
    return (project.folder / "brief.py").read_text()


def row(project: Project, run: str) -> RunSummary:
    reader = SqliteReader(project.folder / ".chainlab" / "traces.db")
    try:
        trace = reader.trace(run)
    finally:
        reader.close()
    assert trace is not None
    return trace.run


def test_a_fork_is_kept_with_its_diff_and_how_to_apply_it(project: Project, fork: str) -> None:
    said = project.run("keep", "last")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert [line for line in lines if line in DIFF] == DIFF
    assert f"apply it, to 1 file: chainlab keep {fork} --apply" in lines
    assert "\x1b" not in said.out
    assert source(project) == CHAIN


def test_apply_writes_the_file_and_again_there_is_nothing_left(project: Project, fork: str) -> None:
    said = project.run("keep", fork[:-1], "--apply")
    assert (said.code, "written: brief.py" in said.out, source(project)) == (0, True, PATCHED)
    again = project.run("keep", fork, "--apply")
    assert (again.code, source(project)) == (0, PATCHED)
    assert "brief.py:9 has the new text already" in again.out and "written" not in again.out


def test_runs_and_show_tell_that_a_fork_was_kept_and_what_it_came_from(project: Project, fork: str) -> None:
    parent = row(project, fork).parent_run_id
    assert parent is not None
    assert "kept" not in project.run("runs").out + project.run("show", fork).out
    assert project.run("keep", fork).code == 0
    rows = {run["run"]: run for run in json.loads(project.run("runs", "--json").out)}
    assert (rows[fork]["parent"], rows[parent]["parent"], rows[parent]["kept_at_us"]) == (parent, None, None)
    assert rows[fork]["kept_at_us"] > rows[fork]["started_at_us"]
    (kept,) = [line for line in project.run("runs").out.splitlines() if "kept" in line]
    assert fork in kept and "ok, kept" in kept
    shown = [line.strip() for line in project.run("show", fork).out.splitlines()]
    assert f"fork of {parent}" in shown and any(line.startswith("kept 2") for line in shown)


def test_a_plan_accepts_nothing_and_is_a_patch_for_other_tools(project: Project, fork: str) -> None:
    said = project.run("keep", fork, "--plan")
    assert said.code == 0
    assert row(project, fork).kept_at is None and source(project) == CHAIN
    for tool in (["git", "apply", "-"], ["patch", "-p1", "-s"]):
        if shutil.which(tool[0]):
            project.write("brief.py", CHAIN)
            subprocess.run(tool, cwd=project.folder, input=said.out, text=True, check=True, capture_output=True)
            assert source(project) == PATCHED, tool


def test_programs_get_one_json_object(project: Project, fork: str) -> None:
    said = project.run("keep", fork, "--apply", "--json")
    assert said.code == 0
    told = json.loads(said.out)
    assert (told["run"], told["chain"], told["applied"]) == (fork, "brief", ["brief.py"])
    (patch,) = told["patches"]
    assert (patch["file"], patch["notes"]) == ("brief.py", [])
    assert [line for line in patch["diff"].splitlines() if line in DIFF] == DIFF
    assert told["kept_at_us"] == row(project, fork).kept_at
    assert [told[name] for name in ("in_place", "problems", "advice", "notes")] == [[], [], [], []]
    assert told["refused"] is None


def test_the_diff_is_coloured_on_a_terminal(project: Project, fork: str) -> None:
    ours, theirs = pty.openpty()
    environment = project.environment(TERM="xterm-256color", PYTHONUTF8="1")
    child = subprocess.Popen(
        project.command("keep", fork), cwd=project.folder, env=environment, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    seen = b""
    try:
        while piece := os.read(ours, 65_536):
            seen += piece
    except OSError:  # how Linux says that the other side has closed
        pass
    finally:
        os.close(ours)
    assert child.wait(60) == 0, seen
    assert b"\x1b[32m" + DIFF[3].encode() in seen and b"\x1b[31m" + DIFF[2].encode() in seen


def test_what_cannot_be_patched_is_shown_to_be_copied_and_ends_with_1(project: Project, fork: str) -> None:
    project.write("brief.py", CHAIN.replace("List the topics", "Tell the topics"))
    before = source(project)
    for words in ((), ("--plan",), ("--apply",)):
        said = project.run("keep", fork, *words)
        assert said.code == 1
        assert "[patch-changed]" in said.out and f"  | {NEW}" in said.out.splitlines()
        assert "apply it" not in said.out and source(project) == before
    assert json.loads(project.run("keep", fork, "--json").out)["problems"][0]["text"] == NEW


def test_an_edited_item_is_told_how_to_become_the_steps(project: Project) -> None:
    fork = forked(project, Edit(step="summarise[1]", template="Sum up {{ topic }}"))
    said = project.run("keep", fork, "--apply")
    assert (said.code, source(project)) == (1, CHAIN)
    assert "summarise[1], user  brief.py:12" in said.out
    assert f"chainlab replay {fork} --step summarise --template @FILE" in said.out


def test_what_the_code_needs_beside_the_text_is_said_with_its_line(project: Project) -> None:
    fork = forked(project, Edit(step="summarise", temperature=0.5))
    said = project.run("keep", fork)
    assert said.code == 0
    assert "  brief.py:12  add temperature=0.5 to the decorator of summarise" in said.out.splitlines()


def test_a_failed_fork_is_refused_without_force(project: Project) -> None:
    fork = forked(project, Edit(step="extract", template=NEW, model="wrong"))
    said = project.run("keep", fork, "--apply")
    assert (said.code, "[fork-failed]" in said.err, "--force" in said.err) == (2, True, True)
    assert source(project) == CHAIN and row(project, fork).kept_at is None
    planned = project.run("keep", fork, "--plan")
    assert (planned.code, "[fork-failed]" in planned.err, DIFF[3] in planned.out) == (1, True, True)
    assert project.run("keep", fork, "--apply", "--force").code == 0
    assert source(project) == PATCHED


def test_wrong_use_is_refused_with_2(project: Project, fork: str) -> None:
    for words, code in (
        ((str(row(project, fork).parent_run_id),), "[no-fork]"),
        (("zzz",), "[run-not-found]"),
        ((fork, "--plan", "--apply"), "[bad-option]"),
    ):
        said = project.run("keep", *words)
        assert (said.code, code in said.err, said.out) == (2, True, "")
    assert project.run("rm", fork, "--yes").code == 0
    assert "[run-not-found]" in project.run("keep", fork).err


def test_a_fork_without_edits_changes_no_source(project: Project) -> None:
    fork = forked(project)
    said = project.run("keep", fork, "--apply")
    assert (said.code, "nothing in the source changes for this fork" in said.out) == (0, True)
    assert row(project, fork).kept_at is not None
