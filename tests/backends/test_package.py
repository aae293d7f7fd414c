"""A backend of a package: the one of docs/backends.md, installed as a package is, and what may be wrong with one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chainlab import ConfigError, Lab, fill, prompt
from tests.docs.blocks import blocks

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = """
[models]
shout = "shouter:loud"
[backends.shouter]
kind = "command"
options = { command = ["python3", "-c", "%s"] }
"""
SHOUT = "import sys; print(sys.stdin.read().upper(), end='')"


@prompt("say {{ word }}", model="shout", retries=0)
def say(word: str) -> str:
    return fill()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Installs a package with a module `command_backend`, and writes the settings."""
    site = tmp_path / "site"
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(site)

    def install(code: str, program: str = SHOUT) -> None:
        info = site / "shouting-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shouting\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[chainlab.backends]\ncommand = command_backend:CommandBackend\n")
        (site / "command_backend.py").write_text(code)
        (tmp_path / "chainlab.toml").write_text(SETTINGS % program)

    yield install
    sys.modules.pop("command_backend", None)


def of_the_docs() -> str:
    (block,) = (block for block in blocks(ROOT / "docs" / "backends.md", ROOT) if "class CommandBackend" in block.text)
    return block.text


def test_the_one_of_the_docs_runs(installed: Callable[..., None], tmp_path: Path) -> None:
    code = of_the_docs()
    assert len([line for line in code.splitlines() if line.strip()]) <= 30
    installed(code)
    with Lab.open(tmp_path / "t.db") as lab:
        run = lab.run_sync(say, word="hello")
        assert run.output == "SAY HELLO"
        step = lab.reader.step(run.id, "say")
        assert step is not None
        assert (step.attempts[0].backend, step.attempts[0].model) == ("shouter", "loud")


def test_its_failures_are_retried_as_it_says(installed: Callable[..., None], tmp_path: Path) -> None:
    installed(of_the_docs().replace("kind, pinned", "transport_retries = 1\n    kind, pinned"), "raise SystemExit(3)")
    with Lab.open(tmp_path / "t.db") as lab:
        run = lab.run_sync(say, word="hello")
        assert run.failure is not None and run.failure.error.code == "unavailable"
        step = lab.reader.step(run.id, "say")
        assert step is not None and len(step.attempts) == 2


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "class CommandBackend:\n    def __init__(self, settings): self.name = settings.options['nothing']",
            "KeyError",
        ),
        ("class CommandBackend:\n    def __init__(self, settings): self.name = 'x'", "has no kind"),
        ("raise RuntimeError('broken package')", "broken package"),
        ("", "CommandBackend"),
    ],
    ids=["options", "members", "module", "name"],
)
def test_one_that_is_broken(code: str, words: str, installed: Callable[..., None], tmp_path: Path) -> None:
    installed(code)
    with Lab.open(tmp_path / "t.db") as lab, pytest.raises(ConfigError, match=words) as error:
        lab.run_sync(say, word="x")
    assert error.value.code == "backend-broken"


def test_a_kind_that_nothing_provides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "chainlab.toml").write_text('[models]\nshout = "x:loud"\n[backends.x]\nkind = "opnai"\n')
    monkeypatch.chdir(tmp_path)
    with Lab.open(tmp_path / "t.db") as lab, pytest.raises(ConfigError) as error:
        lab.run_sync(say, word="x")
    assert error.value.code == "unknown-kind"
    assert "did you mean 'openai'" in (error.value.remedy or "")
