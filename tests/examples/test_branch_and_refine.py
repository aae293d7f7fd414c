"""The example of branches and a bounded loop: on the built-in model whatever it says, and every way on a script."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chainlab import Lab, Run, ScriptedBackend
from chainlab.cli.load import load_file
from chainlab.messages import Request

EXAMPLES = Path(__file__).parents[2] / "examples"
NAME = "04_branch_and_refine"
BRANCHES = {"complaint": "apologise", "question": "answer", "thanks": "thank"}


@pytest.mark.model
def test_one_branch_is_taken_the_rounds_are_bounded_and_the_run_is_ok_whatever_the_model_says(tmp_path: Path) -> None:
    folder = tmp_path / "examples"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns(".chainlab", "__py*"))
    kept = {name: value for name, value in os.environ.items() if name != "CHAINLAB_DB"}
    command = [sys.executable, f"{NAME}.py"]
    done = subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr

    connection = sqlite3.connect(folder / ".chainlab" / "traces.db")
    assert connection.execute("SELECT chain, status FROM runs").fetchall() == [("reply", "ok")]
    steps = dict(connection.execute("SELECT path, status FROM steps ORDER BY sort").fetchall())
    causes = dict(connection.execute("SELECT path, cause_path FROM steps WHERE status = 'skipped'").fetchall())
    connection.close()
    assert sorted(steps[branch] for branch in BRANCHES.values()) == ["ok", "skipped", "skipped"]
    assert sorted(steps[branch] for branch in ("sign", "hand_over")) == ["ok", "skipped"]
    assert set(causes.values()) == {"route", "when"}
    reviews = sum(path.startswith("count@") for path in steps)
    assert 1 <= reviews <= 3
    rounds = [f"count@{n}" for n in range(1, reviews + 1)] + [f"shorten@{n}" for n in range(2, reviews + 1)]
    always = ["sort", "route", *BRANCHES.values(), "refine", "when", "sign", "hand_over"]
    assert sorted(steps) == sorted([*always, *rounds])
    assert all(f"{path:<12} {status}" in done.stdout for path, status in steps.items())


def scripted(tmp_path: Path, kind: str, drafts: dict[str, str]) -> Run[Any]:
    """The example's chain on replies that are written down: the label, and a draft by its step's path."""

    def said(request: Request) -> Any:
        return {"kind": kind} if request.step == "sort" else drafts[request.step]

    module = load_file(EXAMPLES / f"{NAME}.py")
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(said)) as lab:
        return lab.run_sync(module.reply, message="Hello")


@pytest.mark.parametrize("kind", list(BRANCHES))
def test_every_label_has_its_branch(tmp_path: Path, kind: str) -> None:
    run = scripted(tmp_path, kind, {"apologise": "We are sorry.", "answer": "It is on its way."})
    assert run.status == "ok"
    ended = {label: run.steps[branch].status for label, branch in BRANCHES.items()}
    assert ended == {label: "ok" if label == kind else "skipped" for label in BRANCHES}
    assert (run.steps["sign"].status, "shorten@2" in run.steps) == ("ok", False)


def test_a_draft_is_shortened_until_it_fits(tmp_path: Path) -> None:
    run = scripted(tmp_path, "question", {"answer": "word " * 90, "shorten@2": "word " * 50, "shorten@3": "word " * 40})
    assert [run.steps[f"count@{n}"].output["words"] for n in (1, 2, 3)] == [90, 50, 40]
    assert (run.steps["sign"].status, run.steps["hand_over"].status) == ("ok", "skipped")


def test_a_draft_that_never_fits_is_left_to_a_person(tmp_path: Path) -> None:
    run = scripted(tmp_path, "question", dict.fromkeys(("answer", "shorten@2", "shorten@3"), "word " * 90))
    assert (run.status, run.steps["sign"].status, run.steps["hand_over"].status) == ("ok", "skipped", "ok")
    assert run.output.startswith("[90 words, at most 40 are allowed")
    assert "shorten@4" not in run.steps
