"""`chainlab run`: files, chains, inputs, models, exit codes, and what is said on which stream."""

from __future__ import annotations

import json
import sqlite3

import pytest

from tests.cli.conftest import Project


def runs_in(project: Project) -> int:
    path = project.folder / ".chainlab" / "traces.db"
    if not path.exists():
        return 0
    with sqlite3.connect(path) as connection:
        count: int = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    connection.close()
    return count


def test_a_run_says_every_step_then_its_output_and_where_its_trace_is(project: Project) -> None:
    said = project.run("run", "brief.py:brief", "text=tea and bread")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    ended = [line.split()[1] for line in lines if line.startswith("ok ")]
    assert sorted(ended) == ["each", "extract", "shout", "summarise[0]", "summarise[1]"]
    assert "about tea / about bread" in lines
    assert lines[-1].startswith("trace  chainlab inspect ")
    assert said.err == ""


def test_the_only_chain_of_a_file_need_not_be_named(project: Project) -> None:
    assert project.run("run", "brief.py", "text=x").code == 0


def test_inputs_take_their_types_from_the_chain(project: Project) -> None:
    said = project.run("run", "brief.py", "text=5", "times=2", "tone=loud", "--json")
    assert json.loads(said.out)["output"] == "ABOUT TEA / ABOUT BREAD / ABOUT TEA / ABOUT BREAD"


def test_inputs_come_from_files_standard_input_and_json(project: Project) -> None:
    project.write("in.txt", "from a file\n")
    for argument, stdin in (("text=@in.txt", ""), ("text=@-", "typed"), ('text:="json"', "")):
        assert project.run("run", "brief.py", argument, stdin=stdin).code == 0


def test_prompts_and_steps_run_alone(project: Project) -> None:
    said = project.run("run", "brief.py:summarise", "topic=jam", "--json")
    assert json.loads(said.out)["output"] == "about jam"
    said = project.run("run", "brief.py:shout", 'notes:=["a"]', "times=1", "tone=loud", "--json")
    assert json.loads(said.out)["output"] == "A"


def test_another_model_for_a_step_is_used(project: Project) -> None:
    said = project.run("run", "brief.py", "text=x", "--model", "summarise=typed", "--json")
    assert json.loads(said.out)["output"].startswith('{"topics"')


def test_json_is_one_object_and_nothing_else(project: Project) -> None:
    said = project.run("run", "brief.py", "text=x", "--json")
    told = json.loads(said.out)
    assert (told["status"], told["error"], told["steps"]["ok"]) == ("ok", None, 4)
    assert said.err == ""


def test_a_failed_run_exits_with_1_and_says_one_error(project: Project) -> None:
    said = project.run("run", "brief.py", "text=x", "--model", "extract=wrong")
    assert said.code == 1
    assert said.err.count("failed at extract") == 1
    assert "Traceback" not in said.err
    assert "[output-invalid]" in said.err
    assert len(said.err.splitlines()) <= 10
    assert "skipped   shout" in said.out


def test_a_failed_run_is_one_json_object_too(project: Project) -> None:
    said = project.run("run", "brief.py", "text=x", "--model", "extract=wrong", "--json")
    told = json.loads(said.out)
    assert said.code == 1
    assert (told["status"], told["output"], told["error"]["code"], told["error"]["path"]) == (
        "failed",
        None,
        "output-invalid",
        "extract",
    )


REFUSED = {
    "no such file": (["run", "brif.py", "text=x"], "did you mean 'brief.py'?"),
    "no such chain": (["run", "brief.py:breif", "text=x"], "did you mean 'brief'?"),
    "no such input": (["run", "brief.py", "txet=x"], "did you mean 'text'?"),
    "an input is missing": (["run", "brief.py"], "add text=..."),
    "an input has no name": (["run", "brief.py", "hello"], "text=hello"),
    "an input is given twice": (["run", "brief.py", "text=a", "text=b"], "given twice"),
    "an input is no JSON": (["run", "brief.py", "text=a", "times=many"], "write times:=3"),
    "an input is of the wrong type": (["run", "brief.py", "text=a", "tone=cold"], "'loud' or 'soft'"),
    "an input's file is missing": (["run", "brief.py", "text=@nope.txt"], "No such file"),
    "no such step": (["run", "brief.py", "text=x", "--model", "extrat=words"], "did you mean 'extract'?"),
    "no such model": (["run", "brief.py", "text=x", "--model", "extract=wrods"], "did you mean 'words'?"),
    "a model without a step": (["run", "brief.py", "text=x", "--model", "words"], "STEP=REF"),
    "no such folder for the database": (["run", "brief.py", "text=x", "--db", "no/where.db"], "does not exist"),
    "no argument": (["run"], "Missing argument"),
    "no such command": (["rum"], "No such command"),
}


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_wrong_use_exits_with_2_says_what_to_do_and_calls_no_model(case: str, project: Project) -> None:
    arguments, words = REFUSED[case]
    before = project.stub.calls
    said = project.run(*arguments)
    assert said.code == 2
    assert words in said.err
    assert "Traceback" not in said.err
    assert said.out == ""
    assert (project.stub.calls, runs_in(project)) == (before, 0)


def test_a_refused_run_is_one_json_object_as_well(project: Project) -> None:
    said = project.run("run", "brief.py", "--json")
    assert said.code == 2
    assert json.loads(said.out)["error"]["code"] == "run-input"


def test_two_chains_in_a_file_must_be_told_apart(project: Project) -> None:
    project.write("two.py", (project.folder / "brief.py").read_text() + "\nsecond = brief.with_(name='second')\n")
    said = project.run("run", "two.py", "text=x")
    assert said.code == 2
    assert "brief, second" in said.err


def test_a_file_that_raises_shows_its_own_traceback_and_no_other(project: Project) -> None:
    project.write("broken.py", "import nothing_like_this\n")
    said = project.run("run", "broken.py")
    assert said.code == 2
    assert "ModuleNotFoundError" in said.err
    assert "importlib" not in said.err and "chainlab/cli" not in said.err


def test_a_file_with_the_name_of_a_loaded_module_is_refused(project: Project) -> None:
    project.write("json.py", "x = 1\n")
    said = project.run("check", "json.py")
    assert said.code == 2
    assert "rename the file" in said.err


def test_an_unknown_model_points_to_the_files_own_settings(project: Project) -> None:
    inner = project.folder / "inner"
    inner.mkdir()
    (inner / "own.py").write_text((project.folder / "brief.py").read_text().replace('"words"', '"special"'))
    (inner / "chainlab.toml").write_text('[models]\nspecial = "embedded"\n')
    said = project.run("run", "inner/own.py", "text=x")
    assert said.code == 2
    assert str(inner / "chainlab.toml") in said.err


def test_what_a_model_writes_cannot_order_the_terminal_about(project: Project) -> None:
    said = project.run("run", "brief.py:summarise", "topic=x", "--model", "summarise=nasty")
    assert said.code == 0
    assert "\\u001b[2J[bold]a\\u0007b[/bold]" in said.out
    assert "\x1b" not in said.out


def test_the_whole_traceback_is_there_when_asked_for(project: Project) -> None:
    said = project.run("run", "brief.py", CHAINLAB_TRACEBACK="full")
    assert "Traceback" in said.err
