"""`rm`: asks where somebody can answer, refuses where nobody can, says what is gone."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Project, on_a_terminal


@pytest.fixture
def ran(project: Project) -> list[str]:
    """A project with two runs; their ids, the newest first."""
    for text in ("tea", "bread"):
        assert project.run("run", "brief.py", f"text={text}").code == 0
    return [run["run"] for run in json.loads(project.run("runs", "--json").out)]


def left(project: Project) -> list[str]:
    return [run["run"] for run in json.loads(project.run("runs", "--json").out)]


def test_a_run_is_deleted_by_its_beginning_and_what_is_gone_is_said(project: Project, ran: list[str]) -> None:
    said = project.run("rm", ran[1], "--yes")
    assert said.code == 0
    assert ran[1] in said.out and "brief" in said.out
    assert "deleted 1 run, 5 steps, " in said.out and " that nothing else used (" in said.out
    assert left(project) == ran[:1]
    assert project.run("show", ran[1]).code == 2


def test_last_and_several_runs_can_be_named_one_of_them_twice(project: Project, ran: list[str]) -> None:
    said = project.run("rm", "last", ran[0], ran[1], "--yes")
    assert (said.code, "deleted 2 runs" in said.out, left(project)) == (0, True, [])


def test_without_a_terminal_and_without_yes_nothing_is_deleted(project: Project, ran: list[str]) -> None:
    said = project.run("rm", "last", stdin="y\n")
    assert (said.code, "[not-confirmed]" in said.err, "--yes" in said.err) == (2, True, True)
    assert left(project) == ran


def test_one_unknown_run_among_others_keeps_all(project: Project, ran: list[str]) -> None:
    said = project.run("rm", "last", "zzz", "--yes")
    assert (said.code, "no run 'zzz'" in said.err) == (2, True)
    assert "beginning of 2 runs" in project.run("rm", ran[0][:4], "--yes").err
    assert left(project) == ran


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"n\n", 1), (b"\n", 1), (b"\x04", 1), (None, 130)])
def test_on_a_terminal_only_a_yes_deletes(project: Project, ran: list[str], answer: bytes | None, code: int) -> None:
    found, seen = on_a_terminal(project, answer, "rm", "last")
    assert found == code, seen
    assert ran[0] in seen and "delete 1 run for good? [y/N]" in seen
    assert "Traceback" not in seen
    assert left(project) == (ran[1:] if code == 0 else ran)


def test_a_run_of_a_living_process_is_refused(project: Project, ran: list[str]) -> None:
    place = project.folder / ".chainlab" / "traces.db"
    own = own_process(place)
    with sqlite3.connect(place) as connection:
        connection.execute("UPDATE runs SET status = 'running', process_id = ? WHERE id = ?", (own, ran[0]))
    connection.close()
    said = project.run("rm", "last", "--yes")
    assert (said.code, "[run-is-running]" in said.err) == (2, True)
    assert left(project) == ran


def own_process(place: Path) -> str:
    """A row for this process, which is alive."""
    from chainlab.store.process import this_process

    me = this_process()
    with sqlite3.connect(place) as connection:
        connection.execute(
            "INSERT INTO processes (id, host, boot_id, pid, pid_started, version, started_at, seen_at)"
            " VALUES ('me', ?, ?, ?, ?, '0', 1, 1)",
            (me.host, me.boot_id, me.pid, me.pid_started),
        )
    connection.close()
    return "me"


def test_a_fork_says_that_its_parent_is_deleted(project: Project, ran: list[str]) -> None:
    with sqlite3.connect(project.folder / ".chainlab" / "traces.db") as connection:
        connection.execute("UPDATE runs SET parent_run_id = ? WHERE id = ?", (ran[1], ran[0]))
    connection.close()
    assert f"fork of {ran[1]}\n" in project.run("show", ran[0]).out
    assert project.run("rm", ran[1], "--yes").code == 0
    assert f"fork of {ran[1]} (deleted)" in project.run("show", ran[0]).out
