"""`chainlab replay`: every option, what is said before and after, exit codes, and refusals without a call or a row."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import Any

import pytest

from tests.cli.conftest import Project
from tests.cli.test_run import runs_in

MODULE = ("--module", "brief.py")


@pytest.fixture
def recorded(project: Project) -> str:
    """A run of the project's chain; its id."""
    said = project.run("run", "brief.py", "text=tea", "--json")
    assert said.code == 0, said.err
    return str(json.loads(said.out)["run"])


def replay(project: Project, *words: str) -> dict[str, Any]:
    """A replay that is ok, as one JSON object."""
    said = project.run("replay", "last", *words, "--json")
    assert (said.code, said.err) == (0, ""), said.err
    told: dict[str, Any] = json.loads(said.out)
    return told


def test_a_replay_says_what_will_run_runs_it_and_how_to_compare(project: Project, recorded: str) -> None:
    calls = project.stub.calls
    said = project.run("replay", "last", "--step", "summarise[1]", "--template", "Note on {{ topic }}!", *MODULE)
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert [line for line in lines if line.startswith("run ")] == [
        "run     summarise[1]  (edited)",
        "run     shout  (follows)",
    ]
    assert "reuse   2 steps" in lines and "calls   1, cost unknown" in lines
    assert [line.split()[1] for line in lines if line.startswith("reused ")] == ["extract", "summarise[0]"]
    assert "about tea / about bread!" in lines
    fork = next(line for line in lines if line.startswith("diff")).split()[-1]
    assert project.stub.calls == calls + 1
    assert said.err == ""
    shown = project.run("diff", fork)
    assert (shown.code, "first difference: summarise[1]" in shown.out) == (1, True)
    assert recorded in shown.out


def test_every_part_of_a_prompt_can_be_edited(project: Project, recorded: str) -> None:
    project.write("new.j2", "From a file: {{ topic }}")
    project.write("system.txt", "Be brief.")
    told = replay(project, "--step", "summarise", "--template", "@new.j2", "--system", "@system.txt", "--model",
                  "typed", "--temperature", "0.5", "--max-tokens", "9", "--seed", "7", *MODULE)  # fmt: skip
    shown = json.loads(project.run("show", told["run"], "summarise[0]", "--json").out)
    attempt = json.dumps(shown["tries"][0])
    for words in ("From a file: ", "Be brief.", '"temperature": 0.5', '"max_tokens": 9', '"seed": 7'):
        assert words in attempt
    assert shown["model"] == "typed"


def test_a_new_variable_is_bound(project: Project, recorded: str) -> None:
    edit = ("--step", "summarise", "--template", "{{ topic }} of {{ text }} {{ all }}")
    told = replay(project, *edit, "--bind", "text=text", "--bind", "all=extract.topics[0]", *MODULE)
    assert told["output"] == "about tea / about tea"


def test_inputs_and_outputs_are_set_by_hand(project: Project, recorded: str) -> None:
    assert replay(project, "--step", "shout", "--input", "times=2", "--input", "tone=loud", *MODULE)["output"] == (
        "ABOUT TEA / ABOUT BREAD / ABOUT TEA / ABOUT BREAD"
    )
    assert replay(project, "--step", "shout", "--input", 'notes:=["a"]', *MODULE)["output"] == "A / A"  # loud, still
    assert replay(project, "--step", "shout", "--output", '"my own words"')["output"] == "my own words"
    project.write("topics.json", '{"topics": ["jam"]}')
    told = replay(project, "--step", "extract", "--output", "@topics.json", *MODULE)
    assert told["steps"]["ok"] == 1  # one summary; the last step is still set by hand


def test_the_runs_own_inputs_are_edited(project: Project, recorded: str) -> None:
    told = replay(project, "--step", "$input", "--input", "tone=loud", *MODULE)
    assert told["output"] == "ABOUT TEA / ABOUT BREAD"
    assert told["steps"] == {"total": 4, "ok": 1, "failed": 0, "skipped": 0, "reused": 3}


def test_several_edits_come_as_json(project: Project, recorded: str) -> None:
    project.write(
        "edits.json", json.dumps([{"step": "summarise[0]", "output": "one"}, {"step": "summarise[1]", "seed": 1}])
    )
    assert replay(project, "--edits", "@edits.json", *MODULE)["output"] == "one / about bread"
    both = replay(project, "--edits", '[{"step": "summarise[0]", "output": "two"}]', "--step", "shout", "--input",
                  "tone=loud", *MODULE)  # fmt: skip
    assert both["output"] == "TWO / ABOUT BREAD"


def test_a_failed_run_is_resumed(project: Project) -> None:
    assert project.run("run", "brief.py", "text=x", "--model", "summarise=wrong").code == 0
    said = project.run("run", "brief.py", "text=x", "--model", "extract=wrong")
    assert said.code == 1
    failed = project.run("replay", "last-failed", *MODULE)
    assert failed.code == 1  # with the same model it fails again
    assert failed.err.count("failed at extract") == 1
    assert "run     extract  (failed before)" in failed.out
    told = replay(project, "--step", "extract", "--model", "typed", *MODULE)
    assert (told["status"], told["output"]) == ("ok", "about tea / about bread")


@pytest.mark.parametrize(
    ("scope", "steps"),
    [
        ("step", {"ok": 1, "skipped": 0, "reused": 3}),
        ("descendants", {"ok": 4, "skipped": 0, "reused": 0}),
        ("changed", {"ok": 1, "skipped": 0, "reused": 3}),
        ("all", {"ok": 4, "skipped": 0, "reused": 0}),
    ],
)
def test_the_scope_says_what_follows(project: Project, recorded: str, scope: str, steps: dict[str, int]) -> None:
    told = replay(project, "--step", "extract", "--seed", "1", "--scope", scope, *MODULE)
    assert {name: told["steps"][name] for name in steps} == steps  # the same topics come again


def test_a_fork_that_leaves_steps_out_says_so_and_is_ok(project: Project, recorded: str) -> None:
    said = project.run("replay", "last", "--step", "summarise[0]", "--template", "!{{ topic }}", "--scope", "step")
    assert said.code == 0, said.err
    assert "leave   shout  (outside the scope)" in said.out
    assert "outside the scope of this replay" in said.out
    assert said.err == ""


def test_a_plan_runs_nothing_and_says_by_its_exit_code_whether_it_may(project: Project, recorded: str) -> None:
    calls = project.stub.calls
    edit = ("--step", "summarise", "--seed", "1", "--plan")
    said = project.run("replay", "last", *edit)
    assert said.code == 1
    assert "run     summarise ×2  (edited)" in said.out
    assert "its function is not at hand: module 'brief' is not loaded [no-code]" in said.err
    said = project.run("replay", "last", *edit, *MODULE)
    assert (said.code, said.err) == (0, "")
    told = json.loads(project.run("replay", "last", *edit, *MODULE, "--json").out)
    assert (told["run"], told["calls"], told["calls_at_most"], told["cost"], told["refused"]) == (
        recorded, 2, 2, None, None
    )  # fmt: skip
    assert [(step["path"], step["action"], step["why"]) for step in told["steps"]] == [
        ("extract", "reuse", "same"),
        ("summarise[0]", "execute", "edited"),
        ("summarise[1]", "execute", "edited"),
        ("shout", "execute", "downstream"),
    ]
    assert told["steps"][0]["origin"] == {"run": recorded, "path": "extract"}
    told = json.loads(project.run("replay", "last", *edit, "--json").out)
    assert told["refused"]["code"] == "no-code"
    assert (project.stub.calls, runs_in(project)) == (calls, 1)


def test_a_hosted_model_is_noted(project: Project, recorded: str) -> None:
    said = project.run("replay", "last", "--step", "shout", "--output", '"x"', "--plan")
    assert "note    extract: a hosted model may have changed behind its name" in said.out


def test_a_function_that_has_changed_is_told_and_runs_only_when_asked_to(project: Project, recorded: str) -> None:
    text = (project.folder / "brief.py").read_text()
    project.write("brief.py", text.replace('" / ".join(notes * times)', '" | ".join(notes * times)'))
    edit = ("--step", "summarise", "--seed", "1", *MODULE)
    said = project.run("replay", "last", *edit)
    assert (said.code, said.out) == (2, "")
    assert "shout: its function is another one now" in said.err
    assert "--on-drift rerun" in said.err
    assert replay(project, *edit, "--on-drift", "rerun")["output"] == "about tea | about bread"


def test_drift_outside_the_edit_is_told_reused_or_run_again(project: Project, recorded: str) -> None:
    settings = (project.folder / "chainlab.toml").read_text()
    project.write("chainlab.toml", settings.replace('typed = "stub:typed"', 'typed = "stub:typed+tone"'))
    edit = ("--step", "shout", "--input", "tone=loud", *MODULE)
    said = project.run("replay", "last", *edit)
    assert (said.code, said.out) == (2, "")
    assert "extract: adapter changed" in said.err and "[drift]" in said.err
    planned = project.run("replay", "last", *edit, "--plan")
    assert (planned.code, "drift   extract: adapter changed" in planned.out) == (1, True)
    assert replay(project, *edit, "--on-drift", "reuse")["steps"]["reused"] == 3


EFFECTS = """
from chainlab import chain, fill, prompt, step

@prompt("Write to {{ who }}", model="words")
def write(who: str) -> str: return fill()

@step(effects="ask")
def send(letter: str) -> str:
    with open("sent.txt", "a") as file:
        file.write(letter + "\\n")
    return "sent"

@chain
def post(who: str) -> str:
    return send(write(who))
"""


def test_effects_are_asked_about(project: Project) -> None:
    project.write("post.py", EFFECTS)
    assert project.run("run", "post.py", "who=Ada").code == 0
    edit = ("--step", "write", "--template", "Greet {{ who }}", "--module", "post.py")
    said = project.run("replay", "last", *edit)
    assert (said.code, "'send' has effects" in said.err) == (2, True)
    assert project.run("replay", "last", *edit, "--on-effects", "skip").code == 0
    assert (project.folder / "sent.txt").read_text() == "about Ada\n"
    said = project.run("replay", "last", "--on-effects", "run", "--module", "post.py")
    assert said.code == 0, said.err
    assert (project.folder / "sent.txt").read_text() == "about Ada\nabout Ada\n"


REFUSED: dict[str, tuple[list[str], str]] = {
    "no such run": (["nope"], "no run 'nope'"),
    "no run": ([], "Missing argument"),
    "no such step": (["last", "--step", "sumarise", "--seed", "1"], "did you mean 'summarise'?"),
    "a step and no edit": (["last", "--step", "extract"], "nothing of 'extract' is edited"),
    "an edit and no step": (["last", "--template", "x"], "name it with --step STEP"),
    "no such file": (["last", "--step", "extract", "--template", "@nope.j2"], "No such file"),
    "a wrong variable": (["last", "--step", "summarise", "--template", "{{ topik }}"], "did you mean `topic`?"),
    "a value of the chain": (["last", "--step", "summarise", "--template", "{{ topic }}{{ text }}"], "bind it: "),
    "a wrong bind": (["last", "--step", "summarise", "--template", "x", "--bind", "text"], "--bind topics=extract"),
    "a circle": (["last", "--step", "extract", "--template", "{{ x }}", "--bind", "x=shout"], "in a circle"),
    "an unknown model": (["last", "--step", "extract", "--model", "wrods"], "did you mean 'words'?"),
    "an unknown input": (["last", "--step", "shout", "--input", "tme=2"], "there is no input 'tme'"),
    "an input of another type": (["last", "--step", "shout", "--input", 'times:="x"'], "input 'times' does not fit"),
    "an output that is no JSON": (["last", "--step", "shout", "--output", "words"], "text goes in quotes"),
    "an output of another type": (["last", "--step", "shout", "--output", "5"], "does not fit its type"),
    "edits that are no JSON": (["last", "--edits", "{"], "--edits is not JSON"),
    "edits that are no list": (["last", "--edits", "{}"], "no JSON list"),
    "an edit of nothing known": (["last", "--edits", '[{"step": "extract", "templat": "x"}]'], "templat"),
    "two edits of one thing": (
        ["last", "--edits", '[{"step": "extract", "seed": 1}]', "--step", "extract", "--seed", "2"], "say it once"
    ),
    "a negative temperature": (["last", "--step", "extract", "--temperature", "-1"], "temperature"),
    "no such scope": (["last", "--scope", "steps"], "did you mean 'step'?"),
    "no such way with drift": (["last", "--on-drift", "ignore"], "refuse, reuse, rerun"),
    "no such way with effects": (["last", "--on-effects", "yes"], "refuse, run, skip"),
    "no such module": (["last", "--module", "breif.py"], "did you mean 'brief.py'?"),
    "a function that is not there": (["last", "--step", "summarise", "--seed", "1"], "--module"),
    "an unknown option": (["last", "--tempalte", "x"], "No such option"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_wrong_use_exits_with_2_says_what_to_do_and_calls_no_model(project: Project, recorded: str, case: str) -> None:
    words, told = REFUSED[case]
    calls = project.stub.calls
    said = project.run("replay", *words)
    assert said.code == 2, said
    assert told in said.err
    assert "Traceback" not in said.err and len(said.err.splitlines()) <= 12
    assert said.out == ""
    assert (project.stub.calls, runs_in(project)) == (calls, 1)


@pytest.mark.parametrize(
    "words", [["--step", "extrat", "--seed", "1"], ["--step", "summarise", "--seed", "1"]], ids=str
)
def test_a_refused_replay_is_one_json_object_as_well(project: Project, recorded: str, words: list[str]) -> None:
    said = project.run("replay", "last", *words, "--json")
    assert said.code == 2
    told = json.loads(said.out)
    assert (told["run"], told["status"]) == (None, "refused")
    assert told["error"]["code"] in ("unknown-step", "no-code")
    assert said.err != ""


def test_ctrl_c_cancels_the_fork_which_can_be_resumed(project: Project, recorded: str) -> None:
    project.stub.began.clear()
    command = project.command("replay", "last", "--step", "summarise[1]", "--model", "slow", *MODULE)
    child = subprocess.Popen(
        command,
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert project.stub.began.wait(60)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "is recorded as cancelled" in err and "Traceback" not in err
    runs = json.loads(project.run("runs", "--json").out)
    assert [(run["status"], run["parent"]) for run in runs] == [("cancelled", recorded), ("ok", None)]
    told = replay(project, "--step", "summarise[1]", "--model", "words", *MODULE)
    assert told["steps"] == {"total": 4, "ok": 2, "failed": 0, "skipped": 0, "reused": 2}
