"""`inspect`: what its options make of the server."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from tests.cli.conftest import Project
from tests.inspector.desk import fresh_key
from tests.inspector.siege import Page
from tests.patience import LIMIT_S

PRAISE = {"step": "summarise", "template": "Praise {{ topic }}"}


@contextmanager
def inspecting(project: Project, *arguments: str) -> Iterator[tuple[Page, str]]:
    """The inspector started with these arguments: its page, and its first address."""
    process = subprocess.Popen(
        project.command("inspect", "--no-browser", "--port", "0", *arguments),
        cwd=project.folder,
        env=project.environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        assert said.startswith("inspector  http://127.0.0.1:"), said
        page = Page(said.removeprefix("inspector  ").strip())
        with closing(page.client):
            yield page, said
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0


@pytest.fixture
def run(project: Project) -> str:
    assert project.run("run", "brief.py", "text=x").code == 0
    found = re.search(r"\b06\w{18}\b", project.run("runs").out)
    assert found is not None
    return found[0]


def refused(page: Page, run: str) -> Any:
    """Why a replay of the Python step would be refused; None: it would not."""
    plan = page.post(f"runs/{run}/preview", {"edits": [PRAISE]}).json()["plan"]
    return plan["refused"] and plan["refused"]["code"]


def test_python_steps_run_in_replays_where_the_file_is_given(project: Project, run: str) -> None:
    with inspecting(project) as (page, _):
        assert refused(page, run) == "no-code"
    with inspecting(project, "brief.py", "last") as (page, said):
        assert f"#/runs/{run}" in said  # the file, then the run to open
        assert refused(page, run) is None


def test_a_server_says_what_it_may_do(project: Project, run: str) -> None:
    with inspecting(project, "--max-calls", "7") as (page, _):
        assert page.post(f"runs/{run}/preview", {}).json()["plan"]["calls_left"] == 7
        reply = page.post(f"runs/{run}/keep", {"apply": True, "idempotency_key": fresh_key()})
        assert (reply.status_code, reply.json()["error"]["code"]) == (403, "no_write")
        with inspecting(project, "--read-only") as (other, _):  # another than the one that runs
            assert not other.client.get("/api/health").json()["replays"]
            assert other.post(f"runs/{run}/preview", {}).status_code == 403
    with inspecting(project, "--allow-write") as (page, _):
        reply = page.post(f"runs/{run}/keep", {"apply": True, "idempotency_key": fresh_key()})
        assert (reply.status_code, reply.json()["error"]["code"]) == (409, "no-fork")


def test_read_only_and_allow_write_contradict_each_other(project: Project) -> None:
    said = project.run("inspect", "--read-only", "--allow-write")
    assert said.code == 2 and "contradict" in said.err
