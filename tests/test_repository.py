"""What must never be in the repository: addresses of registries, paths of one machine, files too long."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Put together here, so that this file does not hold what it looks for.
MACHINE_PATH = re.compile(r"(?<![A-Za-z0-9_.])/(?:" + "|".join(("work", "farm", "root", "home/[a-z]")) + r")/")
FETCHED_FROM = re.compile(r'"resolved"\s*:|^[^#]*https?://\S*\.(?:whl|tar\.gz|tgz)')
REGISTRY = re.compile(r"^\s*(?:registry|index-url|extra-index-url|//[^=]*:_auth\w*)\s*=", re.MULTILINE)

MOST_LINES = 600
GENERATED = ("package-lock.json", "openapi.json", "schema.ts", "LICENSE", ".sql", ".svg", ".png", ".txt", ".lock")


def tracked() -> list[Path]:
    """Files that are in git, or would be after `git add .`; in an unpacked sdist there is no git and nothing to say."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def text_of(file: Path) -> str:
    """A file's text; empty for binary files."""
    body = file.read_bytes()
    return "" if b"\0" in body[:8000] else body.decode("utf-8", "replace")


def lines_with(pattern: re.Pattern[str], files: list[Path]) -> list[str]:
    """Every line that a pattern finds, as file:line: text."""
    found = []
    for file in files:
        for number, line in enumerate(text_of(file).splitlines(), 1):
            if pattern.search(line):
                found.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()[:120]}")
    return found


def is_lock(file: Path) -> bool:
    """Files in which a tool writes down what it fetched."""
    return file.name in ("package-lock.json", "npm-shrinkwrap.json") or file.suffix == ".lock" or (
        file.name.startswith("requirements") and file.suffix == ".txt"
    )  # fmt: skip


def test_no_lock_file_says_where_a_package_was_fetched_from() -> None:
    assert lines_with(FETCHED_FROM, [file for file in tracked() if is_lock(file)]) == []


def test_a_lock_file_still_pins_every_package_by_its_content() -> None:
    for lock in (file for file in tracked() if file.name == "package-lock.json"):
        packages = json.loads(lock.read_text())["packages"]
        assert [name for name, held in packages.items() if name and "integrity" not in held] == [], lock


def test_no_settings_file_names_a_registry() -> None:
    settings = [file for file in tracked() if file.name in (".npmrc", "pip.conf", "uv.toml", "pyproject.toml")]
    assert [file.name for file in settings if REGISTRY.search(file.read_text())] == []


def test_no_file_holds_a_path_of_one_machine() -> None:
    assert lines_with(MACHINE_PATH, tracked()) == []


def test_no_file_of_code_is_so_long_that_it_must_be_two() -> None:
    long = {
        str(file.relative_to(ROOT)): count
        for file in tracked()
        if not file.name.endswith(GENERATED) and file.suffix != ".md"
        if (count := len(text_of(file).splitlines())) > MOST_LINES
    }
    assert long == {}


def test_no_secret_database_or_environment_file_is_tracked() -> None:
    wrong = (".db", ".db-wal", ".db-shm", ".env", ".pem", ".key", ".gguf", ".pyc")
    found = [str(file.relative_to(ROOT)) for file in tracked() if file.name.endswith(wrong)]
    assert set(found) <= {"tests/data/lora/route.gguf", "tests/data/lora/ticket.gguf"}  # trained by tests/vllm/train.py


def test_the_ways_to_break_these_rules_are_seen(tmp_path: Path) -> None:
    assert MACHINE_PATH.search("open('/" + "work/main/x')") and MACHINE_PATH.search("/" + "root/.cache/pip")
    assert not MACHINE_PATH.search("https://example.com/" + "work/x") and not MACHINE_PATH.search("src/" + "work/x")
    assert FETCHED_FROM.search('  "resolved": "https://registry.example/x.tgz"')
    assert REGISTRY.search("registry=https://registry.example/\n") and not REGISTRY.search("save-exact=true\n")


def test_the_makefile_and_ci_agree() -> None:
    targets = re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"demo", "test", "lint", "test-kill", "bench", "ui", "clean"} <= set(targets)
    ci = ROOT / ".ci" / "run"
    assert "make test" in ci.read_text() and ci.stat().st_mode & 0o111
