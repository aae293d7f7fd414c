"""Where a trace is: the address of an inspector that runs, else the command that starts one."""

from __future__ import annotations

import re
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from chainlab.lab.link import inspect_command, trace_link
from tests.cli.conftest import Project
from tests.patience import LIMIT_S


def test_without_an_inspector_the_command_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CHAINLAB_DB", raising=False)
    (tmp_path / "chainlab.toml").touch()
    assert trace_link(tmp_path / ".chainlab" / "traces.db", "abc") == "chainlab inspect abc"


def test_a_database_that_is_not_the_projects_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    other = tmp_path / "my traces.db"
    assert inspect_command(other, "abc") == f"chainlab inspect abc --db '{other}'"


def test_the_state_of_a_dead_inspector_gives_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    database = tmp_path / ".chainlab" / "traces.db"
    database.parent.mkdir()
    ended = subprocess.Popen(["true"])
    ended.wait()
    state = f'{{"port": 1, "pid": {ended.pid}, "database": "{database}", "secret": "s"}}'
    (database.parent / "inspector.json").write_text(state)
    assert trace_link(database, "abc").startswith("chainlab inspect abc")


def test_while_an_inspector_runs_every_trace_is_a_deep_link_that_works_once(project: Project) -> None:
    assert project.run("run", "brief.py", "text=x").code == 0
    server = subprocess.Popen(
        project.command("inspect", "--no-browser", "--port", "0"),
        cwd=project.folder,
        env=project.environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline().startswith("inspector  http://127.0.0.1:")
        said = project.run("run", "brief.py", "text=x", "--model", "extract=wrong")
        found = re.search(r"trace +(http://127\.0\.0\.1:\d+/start\?token=\S+)#/runs/(\w+)\?step=extract", said.err)
        assert found is not None
        with urllib.request.urlopen(found[1], timeout=LIMIT_S) as answer:
            assert answer.status == 200
        with pytest.raises(urllib.error.HTTPError) as again:
            urllib.request.urlopen(found[1], timeout=LIMIT_S)
        again.value.close()
        assert "an inspector runs already" in project.run("inspect", "last", "--no-browser").out
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=LIMIT_S)
    assert server.returncode == 0
    assert not (project.folder / ".chainlab" / "inspector.json").exists()
    assert "chainlab inspect" in project.run("show", "last").out
