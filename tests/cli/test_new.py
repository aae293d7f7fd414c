"""`new`: the folder that it makes holds a chain that is right, typed, and runs; nothing is written over."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chainlab.cli import starter_chain
from chainlab.config.read import load_config
from tests.cli.conftest import Project

ROOT = Path(__file__).parents[2]


def test_the_folder_is_made_and_the_next_commands_are_said(project: Project) -> None:
    said = project.run("new", "my first")
    folder = project.folder / "my first"
    assert (said.code, said.err) == (0, "")
    assert sorted(file.name for file in folder.iterdir()) == ["chain.py", "chainlab.toml"]
    assert "cd 'my first'" in said.out and "chainlab run chain.py" in said.out
    assert load_config(folder).models["small"].ref.name == "embedded"


@pytest.mark.parametrize("there", ["a folder", "an empty folder", "a file"])
def test_nothing_is_written_over(project: Project, there: str) -> None:
    place = project.folder / "mine"
    if there == "a file":
        place.write_text("kept")
    else:
        place.mkdir()
    if there == "a folder":
        (place / "chain.py").write_text("kept")
    said = project.run("new", "mine")
    assert (said.code, "[exists]" in said.err) == (2, True)
    assert [file.read_text() for file in (place, place / "chain.py") if file.is_file()] in ([], ["kept"])


def test_a_folder_that_cannot_be_made_is_an_error_that_says_what_to_make_first(project: Project) -> None:
    said = project.run("new", "not/there")
    assert (said.code, "[no-folder]" in said.err) == (2, True)
    assert f"make {project.folder / 'not'} first" in said.err


def test_the_chain_passes_the_check_command(project: Project) -> None:
    project.run("new", "first")
    said = project.run("check", "first/chain.py")
    assert (said.code, "chain   brief(text)" in said.out) == (0, True), said.err


def test_the_chain_has_three_prompts_a_fan_out_and_a_typed_result() -> None:
    spec = starter_chain.brief.spec
    assert [step.kind for step in spec.steps] == ["prompt", "each", "prompt"]
    assert spec.output_schema["title"] == "Conclusion"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_chain_is_clean_under_mypy_strict(project: Project) -> None:
    project.run("new", "first")
    options = ["--strict", "--config-file=", "--follow-imports=silent", "--explicit-package-bases"]
    cache = ["--cache-dir", str(ROOT / ".mypy_cache" / "user_files")]
    command = [sys.executable, "-m", "mypy", *options, *cache, str(project.folder / "first" / "chain.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=580)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.model
def test_the_chain_runs_on_the_built_in_model(project: Project) -> None:
    assert project.run("new", "first").code == 0
    folder = project.folder / "first"
    kept = {name: value for name, value in os.environ.items() if name != "CHAINLAB_DB"}
    done = subprocess.run(
        project.command("run", "chain.py"), cwd=folder, env=kept, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert (folder / ".chainlab" / "traces.db").exists()
    steps = [line.split()[:2] for line in done.stdout.splitlines() if line.startswith("ok ")]
    assert ["ok", "extract"] in steps and ["ok", "each"] in steps and ["ok", "note[0]"] in steps
    assert steps[-1] == ["ok", "conclude"]
