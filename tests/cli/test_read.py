"""`check`, `runs`, `show`, `models`: what is there, told to people and to programs."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import pytest

from tests.cli.conftest import Project


@pytest.fixture
def ran(project: Project) -> str:
    """A project in which one run is ok and then one has failed; the id of the first."""
    first = json.loads(project.run("run", "brief.py", "text=tea", "--json").out)
    assert project.run("run", "brief.py", "text=x", "--model", "extract=wrong").code == 1
    return str(first["run"])


def test_check_lists_what_a_file_declares_and_calls_no_model(project: Project) -> None:
    before = project.stub.calls
    said = project.run("check", "brief.py")
    assert said.code == 0
    assert "chain   brief(text, times, tone)  4 steps" in said.out
    assert "prompt  extract(text)" in said.out
    assert project.stub.calls == before


def test_check_reports_every_wrong_file_with_its_line(project: Project) -> None:
    bad = 'from chainlab import fill, prompt\n\n@prompt("{{ nam }}")\ndef hello(name: str) -> str: return fill()\n'
    path = project.write("bad.py", bad)
    said = project.run("check", "brief.py", "bad.py", "bad.py")
    assert said.code == 2
    assert said.err.count(f"{path}:3") == 2
    assert "did you mean `name`?" in said.err
    assert "chain   brief" in said.out


def test_runs_lists_the_newest_first(project: Project, ran: str) -> None:
    rows = project.run("runs").out.splitlines()
    assert ["failed", "ok"] == [row.split()[1] for row in rows[1:3]]
    assert ran in rows[2]


def test_runs_can_be_narrowed_and_read_by_programs(project: Project, ran: str) -> None:
    assert [run["status"] for run in json.loads(project.run("runs", "--json").out)] == ["failed", "ok"]
    assert [run["run"] for run in json.loads(project.run("runs", "--status", "ok", "--json").out)] == [ran]
    assert json.loads(project.run("runs", "--chain", "other", "--json").out) == []
    assert len(json.loads(project.run("runs", "--limit", "1", "--json").out)) == 1
    assert project.run("runs", "--status", "fialed").code == 2


def test_no_runs_yet_is_no_error_and_makes_no_database(project: Project) -> None:
    said = project.run("runs")
    assert (said.code, "no runs yet" in said.out) == (0, True)
    assert json.loads(project.run("runs", "--json").out) == []
    assert not (project.folder / ".chainlab").exists()
    said = project.run("show", "last")
    assert (said.code, "[no-traces]" in said.err) == (2, True)


def test_a_run_is_found_by_id_prefix_and_last(project: Project, ran: str) -> None:
    failed = json.loads(project.run("show", "last", "--json").out)
    assert failed["status"] == "failed"
    assert json.loads(project.run("show", "last-failed", "--json").out) == failed
    shown = project.run("show", ran)
    assert shown.code == 0
    assert "about tea / about bread" in shown.out
    said = project.run("show", "zzz")
    assert (said.code, "no run 'zzz'" in said.err) == (2, True)
    assert "beginning of 2 runs" in project.run("show", ran[:4]).err


def test_a_step_shows_template_prompt_inputs_reply_and_output(project: Project, ran: str) -> None:
    said = project.run("show", ran, "summarise[1]")
    for part in (
        f"template, user  {project.folder / 'brief.py'}",
        "Summarise {{ topic }}",
        "topic  from extract",
        "user: Summarise bread",
        "about bread",
        "7 in, 3 out",
    ):
        assert part in said.out
    told = json.loads(project.run("show", ran, "summarise[1]", "--json").out)
    assert told["tries"][0]["messages"] == [{"role": "user", "content": "Summarise bread"}]
    assert (told["output"], told["template"][0]["text"]) == ("about bread", "Summarise {{ topic }}")


def test_a_failed_step_shows_every_attempt_and_what_was_said_back(project: Project, ran: str) -> None:
    said = project.run("show", "last", "extract")
    assert "2 attempts" in said.out
    assert "prompt of attempt 2, what was added" in said.out
    assert "does not fit the required type" in said.out
    assert said.out.count("[output-invalid]") == 3  # both attempts, and the step


def test_a_step_that_is_not_there_names_those_that_are(project: Project, ran: str) -> None:
    assert "did you mean 'extract'?" in project.run("show", ran, "extrat").err
    assert "it ran 2 times: summarise[0], summarise[1]" in project.run("show", ran, "summarise").err


def test_models_says_what_is_ready_and_shows_no_key(project: Project) -> None:
    project.write("chainlab.toml", (project.folder / "chainlab.toml").read_text() + 'api_key_env = "MY_KEY"\n')
    assert "set MY_KEY" in project.run("models").out
    said = project.run("models", "--json", MY_KEY="sk-very-secret")
    ready = {model["name"]: model["ready"] for model in json.loads(said.out)["models"]}
    assert ready["words"] is True
    assert "sk-very-secret" not in said.out


def test_help_loads_neither_the_engine_nor_the_inspector(project: Project) -> None:
    heavy = ["sqlalchemy", "networkx", "fastapi", "httpx", "rich", "alembic", "uvicorn"]
    code = f"import sys, chainlab.cli.main; print([m for m in sys.modules if m.split('.')[0] in {heavy}])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert project.run("--help").code == 0


def test_output_that_nobody_reads_or_that_cannot_be_written_is_no_failed_run(project: Project, ran: str) -> None:
    command = " ".join(shlex.quote(word) for word in project.command("show", ran))
    shell = ["bash", "-c", f"{command} | true; exit ${{PIPESTATUS[0]}}"]
    unheard = subprocess.run(shell, cwd=project.folder, env=project.environment(), capture_output=True, text=True)
    assert (unheard.returncode, unheard.stderr) == (141, "")
    shell = ["bash", "-c", f"{command} > /dev/full"]
    unwritten = subprocess.run(shell, cwd=project.folder, env=project.environment(), capture_output=True, text=True)
    assert unwritten.returncode == 74
    assert "cannot be written" in unwritten.stderr and "Traceback" not in unwritten.stderr
