"""`backtest` and `noise`: what they say before they call anything, the table, exit codes, and going on after Ctrl-C."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chainlab.store.store import Store
from tests.cli.conftest import Project, make_project, on_a_terminal
from tests.cli.stub import Stub

EDIT = ("--step", "summarise", "--template", "Now about {{ topic }} again", "--module", "brief.py")


@pytest.fixture(scope="module")
def recorded(stub: Stub, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with two runs."""
    project = make_project(tmp_path_factory.mktemp("recorded"), stub)
    for text in ("tea", "bread"):
        assert project.run("run", "brief.py", f"text={text}").code == 0
    return project.folder / ".chainlab" / "traces.db"


@pytest.fixture
def ran(project: Project, recorded: Path) -> list[str]:
    """The project has two runs; their ids, the newest first. No call is counted of them."""
    (project.folder / ".chainlab").mkdir()
    shutil.copy(recorded, project.folder / ".chainlab" / "traces.db")
    project.stub.calls = 0
    with Store.open(recorded) as store:
        return [run.id for run in store.reader.runs()]


def table(said: str) -> dict[str, str]:
    """The verdict of every run, as the table has them."""
    lines = [line.split() for line in said.splitlines()]
    return {words[2]: words[1] for words in lines if len(words) > 2 and words[0] in "✗✓~=!○"}


def test_the_last_runs_of_a_chain_are_tested_and_each_has_its_row(project: Project, ran: list[str]) -> None:
    said = project.run("backtest", "brief", *EDIT, "--yes")
    assert said.code == 0, said
    assert "test    2 runs of brief\ncalls   4, about 28 tokens in, 12 out, about " in said.out
    assert ", cost unknown\n" in said.out
    assert table(said.out) == dict.fromkeys(ran, "changed")
    assert "\n2 changed\nbatch  " in said.out
    assert f"\ndiff   chainlab diff {ran[0]} " in said.out
    assert project.stub.calls == 4  # two topics in each, nothing else


def test_a_run_that_the_edit_breaks_makes_the_exit_code_1(project: Project, ran: list[str]) -> None:
    wrong = ("--step", "extract", "--model", "wrong", "--module", "brief.py")
    said = project.run("backtest", ran[0], *wrong, "--yes", "--json")
    assert said.code == 1
    found = json.loads(said.out)
    assert (found["counts"], found["failing"], found["status"], found["cost"]) == ({"broken": 1}, True, "done", None)
    (row,) = found["rows"]
    assert (row["run"], row["verdict"], row["code"]) == (ran[0], "broken", "output-invalid")
    assert project.run("diff", row["run"], row["fork"]).code == 1


def test_a_plan_calls_nothing_and_says_what_is_refused_and_why(project: Project, ran: list[str]) -> None:
    edit = EDIT[:4]  # without the module
    said = project.run("backtest", "brief", *edit, "--plan")
    assert said.code == 1  # the Python step after it cannot run
    assert "test    0 runs of brief, 2 refused\n" in said.out
    assert "refused 2 runs: the Python step 'shout' would run again" in said.out
    found = json.loads(project.run("backtest", "brief", *EDIT, "--plan", "--json", "--last", "1").out)
    assert (found["calls"], found["calls_at_most"], found["tokens_in"], found["cost"]) == (2, 2, 14, None)
    assert [(run["run"], run["calls"], run["refused"]) for run in found["runs"]] == [(ran[0], 2, None)]
    said = project.run("backtest", "brief", *edit, "--yes")
    assert (said.code, "[all-refused]" in said.err) == (2, True)
    assert project.stub.calls == 0


def test_where_nobody_can_answer_nothing_is_called_without_yes(project: Project, ran: list[str]) -> None:
    for extra in ((), ("--json",)):
        said = project.run("backtest", "brief", *EDIT, *extra, stdin="y\n")
        assert (said.code, "[not-confirmed]" in said.err, "up to 4 calls" in said.err) == (2, True, True)
    assert project.stub.calls == 0


@pytest.mark.parametrize(("answer", "code", "calls"), [(b"y\n", 0, 4), (b"\n", 1, 0)])
def test_on_a_terminal_only_a_yes_spends(
    project: Project, ran: list[str], answer: bytes, code: int, calls: int
) -> None:
    found, seen = on_a_terminal(project, answer, "backtest", "brief", *EDIT)
    assert (found, project.stub.calls) == (code, calls), seen
    assert "make up to 4 calls? [y/N]" in seen


WRONG = [
    (("brie", *EDIT), "did you mean 'brief'?"),
    (("last", *EDIT, "--last", "2"), "name the chain alone"),
    (("brief", *EDIT, "--status", "faild"), "failed"),
    (("brief", *EDIT, "--status", "failed"), "[no-runs]"),
    (("brief", *EDIT, "--scope", "stepp"), "did you mean 'step'?"),
    (("brief",), "[no-edits]"),
    ((), "--resume BATCH"),
    (("brief", *EDIT, "--resume", "last"), "--resume BATCH"),
    (("--resume", "zzz"), "[batch-not-found]"),
]


def test_wrong_use_is_said_and_nothing_runs(project: Project, ran: list[str]) -> None:
    for arguments, words in WRONG:
        said = project.run("backtest", *arguments)
        assert said.code == 2, arguments
        assert words in " ".join(said.err.replace("│", " ").split())
    assert project.stub.calls == 0


def interrupted(project: Project, *arguments: str) -> tuple[int, str, str]:
    """Ctrl-C as soon as a call has come; the exit code and what was said."""
    project.stub.began.clear()
    child = subprocess.Popen(
        project.command(*arguments),
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert project.stub.began.wait(60)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    return child.returncode, out, err


def test_ctrl_c_leaves_a_batch_that_the_command_it_names_goes_on_with(project: Project, ran: list[str]) -> None:
    edit = ("--step", "summarise", "--model", "slow", "--module", "brief.py")
    code, _, err = interrupted(project, "backtest", "brief", *edit, "--yes")
    assert code == 130
    assert err.startswith("interrupted: 0 of 2 runs of batch ")
    command = err.split("chainlab ")[1].split()
    assert command[:2] == ["backtest", "--resume"]

    config = project.folder / "chainlab.toml"
    config.write_text(config.read_text().replace('slow = "stub:slow"', 'slow = "stub:words"'))
    project.stub.calls = 0
    said = project.run(*command, "--module", "brief.py")
    assert said.code == 0, said
    assert said.out.startswith(f"go on   batch {command[2]}: 0 of 2 runs are done\n")
    assert table(said.out) == dict.fromkeys(ran, "same")
    assert project.stub.calls == 4

    again = project.run(*command, "--json")
    assert (again.code, json.loads(again.out)["counts"], project.stub.calls) == (0, {"same": 2}, 4)


def test_interrupted_json_is_still_one_object(project: Project, ran: list[str]) -> None:
    edit = ("--step", "summarise", "--model", "slow", "--module", "brief.py")
    code, out, _ = interrupted(project, "backtest", "brief", *edit, "--yes", "--json")
    found = json.loads(out)
    assert (code, found["status"], found["done"], found["total"]) == (130, "cancelled", 0, 2)


# -- noise ---------------------------------------------------------------------------------------------------------


def noise(project: Project, *arguments: str) -> tuple[int, dict[str, Any]]:
    said = project.run("noise", *arguments, "--json")
    assert said.out, said
    return said.code, json.loads(said.out)


def test_noise_says_whether_it_was_the_edit(project: Project, ran: list[str]) -> None:
    said = project.run(
        "noise", "last", "--step", "summarise", "--template", "About {{ topic }} now", "-k", "4", "--yes"
    )
    assert said.code == 0, said
    assert f"judge   summarise of run {ran[0]}: 4 without, 4 with the edit\ncalls   16, about 112 tokens in" in said.out
    assert "your edit  p = 0.029 at level 0.05" in said.out
    assert "the control does not vary at all" in said.out
    assert project.stub.calls == 16
    code, found = noise(project, ran[0], "--step", "summarise", "--template", "Say {{ topic }}", "-k", "4", "--yes")
    assert (code, found["verdict"]["label"], found["verdict"]["p_value"]) == (0, "noise", 1.0)
    assert (len(found["control"]), len(found["edited"]), found["status"]) == (4, 4, "done")


def test_noise_refuses_what_cannot_be_judged_and_plans_without_a_call(project: Project, ran: list[str]) -> None:
    edit = ("--step", "summarise", "--template", "Say {{ topic }}")
    assert "[bad-option]" in project.run("noise", "last", *edit, "-k", "3", "--yes").err
    assert "[no-sampling]" in project.run("noise", "last", "--step", "shout", "--input", "times:=2", "--yes").err
    code, found = noise(project, "last", *edit, "--plan")
    assert (code, found["calls"], found["k"], found["cost"]) == (0, 32, 8, None)
    assert project.run("noise", "last", *edit).code == 2  # nobody can be asked
    assert project.stub.calls == 0
