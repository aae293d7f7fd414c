"""Ctrl-C: the run is written as cancelled, the exit code is 130, and control comes back within a second."""

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

from tests.cli.conftest import Project


def states(folder: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(folder / ".chainlab" / "traces.db")
    try:
        runs = connection.execute("SELECT chain, status FROM runs").fetchall()
        return runs + connection.execute("SELECT path, status FROM steps").fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("json_too", [False, True], ids=["lines", "json"])
def test_ctrl_c_cancels_the_run_and_exits_with_130_within_a_second(project: Project, json_too: bool) -> None:
    project.stub.began.clear()
    extra = ["--json"] if json_too else []
    child = subprocess.Popen(
        project.command("run", "brief.py", "text=x", "--model", "extract=slow", *extra),
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert project.stub.began.wait(20)
    time.sleep(0.1)
    sent = time.monotonic()
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=20)
    took = time.monotonic() - sent
    assert child.returncode == 130
    assert ("brief", "cancelled") in states(project.folder)
    assert ("extract", "cancelled") in states(project.folder)
    assert "Traceback" not in err
    assert took < 1.5  # a second, and what a busy machine adds
    if json_too:
        assert json.loads(out)["status"] == "cancelled"
    else:
        assert "is recorded as cancelled" in err


@pytest.mark.model
def test_ctrl_c_in_the_middle_of_the_built_in_models_work_ends_at_once_and_cleanly(tmp_path: Path) -> None:
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
    time.sleep(0.5)  # it reads the first parts now, which takes seconds
    sent = time.monotonic()
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=20)
    assert (child.returncode, time.monotonic() - sent < 1.5) == (130, True), err
    assert ("digest", "cancelled") in states(tmp_path)
    assert ("summarise[0]", "cancelled") in states(tmp_path)
