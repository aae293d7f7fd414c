"""Every example runs on the built-in model, from any folder: states, never words."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.model

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("[0-9]*.py"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the examples, so that their traces do not land in the repository."""
    return Path(shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns(".chainlab", "__py*")))


def run(folder: Path, name: str) -> str:
    """Run an example as its first lines say; what it printed."""
    kept = {key: value for key, value in os.environ.items() if key != "CHAINLAB_DB"}
    done = subprocess.run(
        [sys.executable, f"{name}.py"], cwd=folder, env=kept, capture_output=True, text=True, timeout=110
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(folder / ".chainlab" / "traces.db")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_there_are_three_examples() -> None:
    assert NAMES == ["01_first_chain", "02_fan_out", "03_typed_outputs"]


def test_the_first_chain_is_ok(folder: Path) -> None:
    assert run(folder, "01_first_chain").strip()
    assert rows(folder, "SELECT path, status FROM steps ORDER BY sort") == [("describe", "ok"), ("advertise", "ok")]


def test_the_fan_out_runs_once_for_every_review(folder: Path) -> None:
    run(folder, "02_fan_out")
    steps = rows(folder, "SELECT path, status, model FROM steps WHERE kind = 'prompt' ORDER BY sort")
    assert steps == [(f"summarise[{item}]", "ok", "writer") for item in range(3)]
    assert rows(folder, "SELECT status FROM steps WHERE path = 'numbered'") == [("ok",)]


def test_a_broken_rule_is_a_failed_attempt_that_is_said_back_and_the_run_ends_ok(folder: Path) -> None:
    said = run(folder, "03_typed_outputs")
    assert rows(folder, "SELECT status FROM runs") == [("ok",)]
    tries = rows(folder, "SELECT n, reason, status, error_code FROM attempts WHERE path = 'subject[0]' ORDER BY n")
    assert tries[0] == (1, "first", "failed", "output-invalid")
    assert tries[1][:2] == (2, "validation")
    ended = {
        str(path): str(status) for path, status in rows(folder, "SELECT path, status FROM steps WHERE kind = 'prompt'")
    }
    assert set(ended.values()) <= {"ok", "failed"}
    assert f"subject[0]: {ended['subject[0]']} after {len(tries)} attempt(s)" in said
    assert rows(folder, "SELECT status FROM steps WHERE path = 'inbox'") == [("ok",)]


def test_the_examples_run_from_elsewhere_too(tmp_path: Path, folder: Path) -> None:
    run_from = tmp_path / "elsewhere"
    run_from.mkdir()
    done = subprocess.run(
        [sys.executable, str(folder / "02_fan_out.py")], cwd=run_from, capture_output=True, text=True, timeout=110
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_every_example_passes_the_check_command(folder: Path, name: str) -> None:
    command = [sys.executable, "-P", "-m", "chainlab.cli.main", "check", f"{name}.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
