"""The example of a replay: on the built-in model whatever it says, and both of its endings on a script."""

from __future__ import annotations

import os
import runpy
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chainlab import Lab, Request, ScriptedBackend

EXAMPLES = Path(__file__).parents[2] / "examples"
NAME = "05_replay_a_failure"
MARK = "[ref 2041]"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the examples, so that their traces do not land in the repository."""
    return Path(shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns(".chainlab", "__py*")))


def rows(folder: Path, query: str, *values: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(folder / ".chainlab" / "traces.db")
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def held_against_its_promises(folder: Path, said: str) -> None:
    """The first run failed at `post`, every fork of it made no call but those of `write`, and the last one is ok."""
    first, *forks = rows(folder, "SELECT id, status, error_path, parent_run_id FROM runs ORDER BY id")
    assert first[1:] == ("failed", "post", None)
    assert len(forks) in (1, 2)
    assert [fork[1] for fork in forks] == ["failed", "ok"][-len(forks) :]
    assert {fork[3] for fork in forks} == {first[0]}
    for number, fork in enumerate(forks):
        status = dict(rows(folder, "SELECT path, status FROM steps WHERE run_id = ?", fork[0]))
        assert status == {"find": "reused", "write": "reused" if number else "ok", "post": fork[1]}
        called = rows(folder, "SELECT DISTINCT path FROM attempts WHERE run_id = ? AND backend IS NOT NULL", fork[0])
        assert called == ([] if number else [("write",)])
    assert f"\n{MARK}" in said
    assert f"chainlab diff {forks[-1][0]}" in said
    assert [line.split()[1:3] for line in said.splitlines() if line.startswith("plan")] == [
        ["reuse", "find"],
        ["execute", "write"],
        ["execute", "post"],
    ]


@pytest.mark.model
def test_the_failed_run_is_mended_whatever_the_model_says(folder: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "CHAINLAB_DB"}
    command = [sys.executable, f"{NAME}.py"]
    done = subprocess.run(command, cwd=folder, env=kept, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    held_against_its_promises(folder, done.stdout)


@pytest.mark.parametrize("heeds", [True, False], ids=["heeds the edited template", "never does"])
def test_the_edited_template_may_do_and_a_person_always_does(
    folder: Path, heeds: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def reply(request: Request) -> Any:
        if request.step == "find":
            return {"thing": "grinder"}
        return f"{MARK} Sorry." if heeds and MARK in str(request.messages) else "Sorry."

    def opened(*_: object) -> Lab:
        return really(folder / ".chainlab" / "traces.db", default_model=ScriptedBackend(reply))

    really = Lab.open
    (folder / ".chainlab").mkdir()
    monkeypatch.chdir(folder)  # and back, for the example goes into its own folder
    monkeypatch.setattr(Lab, "open", opened)
    runpy.run_path(str(folder / f"{NAME}.py"), run_name="__main__")
    said = capsys.readouterr().out
    held_against_its_promises(folder, said)
    assert ("by hand" in said) != heeds
    assert len(rows(folder, "SELECT id FROM runs")) == (2 if heeds else 3)
