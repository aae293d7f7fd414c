"""Keeping over HTTP: the patch is always shown; files are written only where the server was started for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chainlab import Edit, Lab, Request, ScriptedBackend
from chainlab.inspector.workbench import Allowed, Workbench
from tests.inspector.desk import Desk, desk, fresh_key, over
from tests.lab.replays import Model
from tests.source.author import HEAD, declare

CHAINS = """
@prompt("List the topics of {{ text }}", model="small")
def extract(text: str) -> str: return fill()

@prompt(f"Judge {{{{ topics }}}} {1 + 1} times")
def judge(topics: str) -> str: return fill()

@chain
def brief(text: str) -> str:
    return judge(extract(text))
"""
NEW = "Name every topic of {{ text }}"


@dataclass
class Project:
    """An author's project: a chain that ran, and a fork of that run with an edited template."""

    root: Path
    database: Path
    run: str
    fork: str

    @property
    def source(self) -> str:
        return (self.root / "chains.py").read_text()

    def lab(self) -> Lab:
        return Lab.open(self.database, default_model=ScriptedBackend(_said))


def _said(request: Request) -> str:
    return f"heard: {request.messages[-1]['content']}"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    (tmp_path / "chainlab.toml").touch()
    (tmp_path / "chains.py").write_text(HEAD + CHAINS)
    monkeypatch.chdir(tmp_path)
    module = declare(tmp_path / "chains.py")
    made = Project(tmp_path, tmp_path / "t.db", "", "")
    with made.lab() as lab:
        run = lab.run_sync(module.brief, text="tea")
        fork = lab.replay_sync(run, edits=[Edit(step="extract", template=NEW)])
        made.run, made.fork = run.id, fork.id
    yield made


def at_work(project: Project, *, write: bool = False) -> Any:
    """An inspector over the project."""
    return over(project.database, Workbench(project.lab, Allowed(write=write)), Model())


async def keep(at: Desk, run: str, key: str | None = None, **body: Any) -> Any:
    return await at.post(f"runs/{run}/keep", {"idempotency_key": key or fresh_key(), **body})


async def test_the_patch_is_shown_and_nothing_is_written(project: Project) -> None:
    before = project.source
    async with at_work(project) as at:
        shown = (await at.get(f"runs/{project.fork}/keep")).json()
        (patch,) = shown["patches"]
        assert patch["file"] == "chains.py"
        assert f'+@prompt("{NEW}", model="small")' in patch["diff"].split("\n")
        assert (shown["kept_at"], shown["applied"], shown["may_apply"], shown["refused"]) == (None, [], False, None)
        assert at.run(project.fork).kept_at is None and project.source == before


async def test_a_text_that_no_patch_can_place_is_there_to_be_copied(project: Project) -> None:
    with project.lab() as lab:
        fork = lab.replay_sync(project.run, edits=[Edit(step="judge", template="Be fair to {{ topics }}")]).id
    async with at_work(project) as at:
        shown = (await at.get(f"runs/{fork}/keep")).json()
    (problem,) = shown["problems"]
    assert (problem["path"], problem["text"]) == ("judge", "Be fair to {{ topics }}")
    assert problem["where"].startswith("chains.py:") and problem["problem"]["code"] == "patch-computed"
    assert shown["patches"] == []


async def test_a_fork_is_kept_without_writing(project: Project) -> None:
    before = project.source
    async with at_work(project) as at:
        reply = await keep(at, project.fork)
        assert reply.status_code == 200 and reply.json()["patches"] and reply.json()["applied"] == []
        assert at.run(project.fork).kept_at == reply.json()["kept_at"] > 0
        assert (await keep(at, project.fork)).json()["kept_at"] == reply.json()["kept_at"]  # once and for all
    assert project.source == before


async def test_nothing_is_written_by_a_server_that_may_not(project: Project) -> None:
    before = project.source
    async with at_work(project) as at:
        reply = await keep(at, project.fork, apply=True)
        assert (reply.status_code, reply.json()["error"]["code"]) == (403, "no_write")
        assert "--allow-write" in reply.json()["error"]["message"]
        assert at.run(project.fork).kept_at is None
    assert project.source == before


async def test_a_server_that_may_writes_the_patch_into_the_authors_file(project: Project) -> None:
    before, key = project.source, fresh_key()
    async with at_work(project, write=True) as at:
        assert (await at.get(f"runs/{project.fork}/keep")).json()["may_apply"]
        reply = (await keep(at, project.fork, key, apply=True)).json()
        assert reply["applied"] == ["chains.py"] and reply["kept_at"] > 0
        assert project.source == before.replace("List the topics of {{ text }}", NEW) != before
        again = (await keep(at, project.fork, key, apply=True)).json()
        assert (again["applied"], again["kept_at"]) == ([], reply["kept_at"]) and len(again["in_place"]) == 1


async def test_a_file_that_has_changed_since_is_left_alone(project: Project) -> None:
    changed = project.source.replace("List the topics", "Write down the topics")
    (project.root / "chains.py").write_text(changed)
    async with at_work(project, write=True) as at:
        reply = (await keep(at, project.fork, apply=True)).json()
        assert reply["applied"] == [] and [one["problem"]["code"] for one in reply["problems"]] == ["patch-changed"]
    assert project.source == changed


async def test_what_is_no_fork_or_is_not_there_is_refused(project: Project) -> None:
    async with at_work(project, write=True) as at:
        for run, status, code in (
            (project.run, 409, "no-fork"),
            ("nothing", 404, "run-not-found"),
            ("last", 404, "run-not-found"),
        ):
            for reply in (await at.get(f"runs/{run}/keep"), await keep(at, run, apply=True)):
                assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
                assert str(project.root) not in reply.text


async def test_a_fork_that_failed_is_not_kept(project: Project) -> None:
    with Lab.open(project.database, default_model=ScriptedBackend(lambda request: RuntimeError("no"))) as lab:
        fork = lab.replay_sync(project.run, edits=[Edit(step="judge", seed=1)], on_drift="reuse").id
    async with at_work(project) as at:
        assert (await at.get(f"runs/{fork}/keep")).json()["refused"]["code"] == "fork-failed"
        reply = await keep(at, fork)
        assert (reply.status_code, reply.json()["error"]["code"]) == (409, "fork-failed")
        assert at.run(fork).kept_at is None


async def test_a_server_that_only_shows_keeps_nothing(project: Project) -> None:
    async with desk(project.database, allowed=Allowed(replay=False, write=True)) as at:
        for reply in (await at.get(f"runs/{project.fork}/keep"), await keep(at, project.fork)):
            assert (reply.status_code, reply.json()["error"]["code"]) == (403, "read_only")


@pytest.mark.parametrize("field", ["file", "path", "root", "force", "diff", "text"])
async def test_a_page_cannot_say_which_file_or_what_is_written(project: Project, field: str) -> None:
    async with at_work(project, write=True) as at:
        reply = await keep(at, project.fork, **{field: "/etc/passwd"})
        assert (reply.status_code, reply.json()["error"]["code"]) == (422, "invalid_request")
