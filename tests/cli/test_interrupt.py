"""Ctrl-C: the run is written as cancelled, the exit code is 130, and nobody waits for the model."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chainlab.store.store import Store
from tests.cli.conftest import Project
from tests.patience import LIMIT_S, until


def states(folder: Path) -> dict[str, str]:
    """The state of the run, by its chain's name, and of every step that works itself, by its path."""
    steps = "SELECT path, status FROM steps WHERE kind IN ('prompt', 'code')"
    connection = sqlite3.connect(folder / ".chainlab" / "traces.db")
    try:
        return dict(connection.execute(f"SELECT chain, status FROM runs UNION ALL {steps}"))
    finally:
        connection.close()


def interrupted(child: subprocess.Popen[str], started: float) -> tuple[str, str]:
    """Send Ctrl-C; what the child said to its end, which comes at once: measured by how long its beginning took."""
    beginning, sent = time.monotonic() - started, time.monotonic()
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=LIMIT_S)
    assert child.returncode == 130, err
    assert time.monotonic() - sent < max(5, 5 * beginning)
    return out, err


@pytest.mark.parametrize("json_too", [False, True], ids=["lines", "json"])
def test_ctrl_c_cancels_the_run_and_exits_with_130_at_once(project: Project, json_too: bool) -> None:
    project.stub.began.clear()
    extra = ["--json"] if json_too else []
    started = time.monotonic()
    child = subprocess.Popen(
        project.command("run", "brief.py", "text=x", "--model", "extract=slow", *extra),
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert project.stub.began.wait(LIMIT_S)
    out, err = interrupted(child, started)
    found = states(project.folder)
    assert (found["brief"], found["extract"]) == ("cancelled", "cancelled")
    assert "Traceback" not in err
    if json_too:
        assert json.loads(out)["status"] == "cancelled"
    else:
        assert "is recorded as cancelled" in err


@pytest.mark.model
def test_ctrl_c_in_the_middle_of_the_built_in_models_work_ends_at_once_and_cleanly(tmp_path: Path) -> None:
    started = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "chainlab.cli.main", "demo", "--no-serve"],
        cwd=tmp_path,
        env={**os.environ, "CI": "1", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    while not child.stdout.readline().startswith("ok        split"):
        assert child.poll() is None
    until(lambda: states(tmp_path).get("summarise[0]") == "running", "a part that the model reads")
    interrupted(child, started)
    with Store.open(tmp_path / ".chainlab" / "traces.db") as store:
        (run,) = store.reader.runs()
        trace = store.reader.trace(run.id)
    assert trace is not None and run.status == "cancelled"
    # Whichever step the model was at: it may have gone on in the moment before the signal came. A step whose row was
    # written, and that had not begun to wait for the model when the signal came, is shown as interrupted.
    shown = {step.status for step in trace.steps}
    assert shown <= {"ok", "cancelled", "interrupted"} and shown != {"ok"}
