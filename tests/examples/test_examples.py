"""Every example runs on the built-in model, from any folder: states, never words."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from chainlab import Lab, Request, ScriptedBackend
from chainlab.trace import AttemptRow

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]

EXAMPLES = Path(__file__).parents[2] / "examples"
LIMIT_S = 300  # a model on a busy machine takes its time
NAMES = sorted(path.stem for path in EXAMPLES.glob("[0-9]*.py"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the examples, so that their traces do not land in the repository."""
    return Path(shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns(".chainlab", "__py*")))


def run(folder: Path, name: str) -> str:
    """Run an example as its first lines say; what it printed."""
    kept = {key: value for key, value in os.environ.items() if key != "CHAINLAB_DB"}
    done = subprocess.run(
        [sys.executable, f"{name}.py"], cwd=folder, env=kept, capture_output=True, text=True, timeout=LIMIT_S
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(folder / ".chainlab" / "traces.db")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_there_are_six_examples() -> None:
    assert NAMES == [
        "01_first_chain",
        "02_fan_out",
        "03_typed_outputs",
        "04_branch_and_refine",
        "05_replay_a_failure",
        "06_front_page",
    ]


def test_the_first_chain_is_ok(folder: Path) -> None:
    assert run(folder, "01_first_chain").strip()
    assert rows(folder, "SELECT path, status FROM steps ORDER BY sort") == [("describe", "ok"), ("advertise", "ok")]


def test_the_fan_out_runs_once_for_every_review(folder: Path) -> None:
    run(folder, "02_fan_out")
    steps = rows(folder, "SELECT path, status, model FROM steps WHERE kind = 'prompt' ORDER BY sort")
    assert steps == [(f"summarise[{item}]", "ok", "writer") for item in range(3)]
    assert rows(folder, "SELECT status FROM steps WHERE path = 'numbered'") == [("ok",)]


def test_a_broken_rule_is_a_failed_attempt_that_is_said_back_and_the_run_ends_ok(folder: Path) -> None:
    """Whatever the model says: it cannot know the mark before it is told, and may or may not heed what it is told."""
    said = run(folder, "03_typed_outputs")
    assert rows(folder, "SELECT status FROM runs") == [("ok",)]
    ((status, subjects),) = rows(folder, "SELECT status, output FROM v_steps WHERE path = 'inbox'")
    assert (status, [subject[:7] for subject in json.loads(str(subjects))]) == ("ok", ["[shop] ", "[shop] "])
    assert said.count("- [shop] ") >= 2  # once for every message; a model may say it again
    steps = rows(folder, "SELECT path, status, attempts, error_code FROM steps WHERE kind = 'prompt' ORDER BY sort")
    assert [path for path, *_ in steps] == ["subject[0]", "subject[1]"]
    for path, status, attempts, error_code in steps:
        tries = rows(
            folder,
            f"SELECT n, reason, status, error_code, request FROM v_attempts WHERE path = '{path}' ORDER BY n",
        )
        assert tries[0][:4] == (1, "first", "failed", "output-invalid")
        assert [(n, reason) for n, reason, *_ in tries[1:]] == [(2, "validation"), (3, "validation")][: len(tries) - 1]
        assert len(tries) == attempts and attempts in (2, 3)
        assert {tried[2] for tried in tries[:-1]} == {"failed"}
        assert tries[-1][2:4] == (status, error_code)
        assert status == "ok" or attempts == 3
        assert ["it must begin with" in str(request) for *_, request in tries[:2]] == [False, True]
        assert f"{path}: {status} after {attempts} attempt(s)" in said


def test_a_reply_that_heeds_the_feedback_is_taken_and_one_that_never_does_is_replaced(tmp_path: Path) -> None:
    """The same example on a script: which message is kept and which is not is known."""

    def reply(request: Request) -> dict[str, str]:
        corrected = request.step == "subject[1]" and "[shop] A parcel" in str(request.messages[-1]["content"])
        return {"subject": "[shop] A parcel" if corrected else "A parcel"}

    example = runpy.run_path(str(EXAMPLES / "03_typed_outputs.py"))
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(reply)) as lab:
        done = lab.run_sync(example["sort_mail"], ["My grinder broke after a day of use, so what now?", "Where is it?"])
        tries = {path: [a.status for a in attempts_of(lab, done.id, path)] for path in ("subject[0]", "subject[1]")}
    assert done.status == "ok"
    assert done.output == ["[shop] My grinder broke after a day of use,", "[shop] A parcel"]
    assert tries == {"subject[0]": ["failed"] * 3, "subject[1]": ["failed", "ok"]}
    assert done.steps["subject[0]"].status == "failed"


def test_the_front_page_fails_at_its_rule_because_of_its_first_step(folder: Path) -> None:
    assert "chainlab inspect" in run(folder, "06_front_page")
    steps = rows(folder, "SELECT path, status FROM steps ORDER BY sort")
    assert steps == [("name", "ok"), ("summarise", "ok"), ("front_page", "failed")]


def attempts_of(lab: Lab, run_id: str, path: str) -> tuple[AttemptRow, ...]:
    step = lab.reader.step(run_id, path)
    assert step is not None
    return step.attempts


def test_the_examples_run_from_elsewhere_too(tmp_path: Path, folder: Path) -> None:
    run_from = tmp_path / "elsewhere"
    run_from.mkdir()
    done = subprocess.run(
        [sys.executable, str(folder / "02_fan_out.py")], cwd=run_from, capture_output=True, text=True, timeout=LIMIT_S
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_every_example_passes_the_check_command(folder: Path, name: str) -> None:
    command = [sys.executable, "-P", "-m", "chainlab.cli.main", "check", f"{name}.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, done.stderr
