"""Every file in right/ and the six reference chains in chains/ are correct: their declaration raises nothing."""

from __future__ import annotations

import cProfile
import json
import runpy
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from chainlab import Chain, ChainSpec, chain, fill, prompt

HERE = Path(__file__).parent
FILES = [*sorted((HERE / "right").glob("*.py")), *sorted((HERE / "chains").glob("*.py"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_right_file_gives_no_alarm(path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        runpy.run_path(str(path), run_name=f"right_{path.stem}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_right_chain_is_data_that_survives_json(path: Path) -> None:
    names = runpy.run_path(str(path), run_name=f"right_{path.stem}")
    for found in (value for value in names.values() if isinstance(value, Chain)):
        spec = found.spec
        assert ChainSpec.model_validate_json(spec.model_dump_json()) == spec
        assert found.mermaid().strip()


def test_there_are_enough_right_files_and_all_six_chains() -> None:
    assert len(list((HERE / "right").glob("*.py"))) >= 25
    assert len(list((HERE / "chains").glob("*.py"))) == 6


_ALL = """
import json, runpy, sys
from pathlib import Path

files = [*Path(sys.argv[1]).glob("*.py"), *Path(sys.argv[2]).glob("*.py")]
for path in files:
    runpy.run_path(str(path), run_name=f"right_{path.stem}")
print(json.dumps(sorted(set(sys.argv[3:]) & sys.modules.keys())))
"""


def test_declaring_loads_no_backend_and_writes_nothing(tmp_path: Path) -> None:
    modules = ["httpx", "xllamacpp", "chainlab.engine", "chainlab.lab.lab", "sqlalchemy", "networkx"]
    done = subprocess.run(
        [sys.executable, "-c", _ALL, str(HERE / "right"), str(HERE / "chains"), *modules],
        cwd=tmp_path, capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1]) == []
    assert list(tmp_path.iterdir()) == []


def test_declaring_under_a_profiler_leaves_it_running() -> None:
    profiler = cProfile.Profile()
    profiler.enable()
    try:

        @prompt("Say {{ word }}.")
        def say(word: str) -> str:
            return fill()

        @chain
        def talk(word: str) -> str:
            return say(word)

        after = "what is called after the declaration".upper()
    finally:
        profiler.disable()
    assert after and any("upper" in str(entry.code) for entry in profiler.getstats())
