"""Does what a document tells its reader to do, in a project folder of its own. Knows blocks, not documents."""

from __future__ import annotations

import re
import shlex
import sqlite3
import subprocess
import sys
import types
from collections.abc import Sequence
from pathlib import Path

import pytest

from chainlab import ChainError
from chainlab.config.read import parse_config
from tests.docs.blocks import Block
from tests.forked import clean_environment

DATABASE = Path(".chainlab") / "traces.db"


class Reader:
    """Follows a document from its first block to its last: one Python namespace, one project folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.module = types.ModuleType(f"doc_{name}")
        self.module.__file__ = str(folder / f"{name}.py")
        sys.modules[self.module.__name__] = self.module  # annotations are resolved through it
        self.told = ""

    def play(self, block: Block) -> None:
        """Do what one block asks for."""
        match block.asks, block.language:
            case "not run", _:
                return
            case "file", _:
                (self.folder / block.what).write_text(block.text)
            case "patch", _:
                self._patch(block)
            case "refused", _:
                with pytest.raises(ChainError) as caught:
                    self._python(block)
                assert caught.value.code == block.what, f"{block.place}: {caught.value}"
                self.told = str(caught.value)
            case "said", _:
                self._said(block)
            case "run", _:
                self._shell(block)
            case _, "python":
                self._python(block)
            case _, "sql":
                self._sql(block)
            case _, "toml":
                parse_config(block.text, self.folder, self.folder / "chainlab.toml")
            case _:
                assert block.language not in ("sh", "diff"), f"{block.place}: say run, patch or `not run: reason`"

    def _python(self, block: Block) -> None:
        # In a file of its own: errors name its lines, and the lint over chain bodies reads its source.
        file = self.folder / f"{self.module.__name__}_{block.line}.py"
        file.write_text(block.text)
        exec(compile(block.text, str(file), "exec", dont_inherit=True), self.module.__dict__)

    def _patch(self, block: Block) -> None:
        lines = block.text.splitlines()
        old = "\n".join(line[1:] for line in lines if line[:1] in "- ")
        new = "\n".join(line[1:] for line in lines if line[:1] in "+ ")
        file = self.folder / block.what
        text = file.read_text()
        assert text.count(old) == 1, f"{block.place}: {block.what} does not hold {old!r} once"
        file.write_text(text.replace(old, new))

    def _shell(self, block: Block) -> None:
        wanted = int(block.what.removeprefix("exit "))
        for line in block.text.splitlines():
            words = shlex.split(line, comments=True)
            if not words:
                continue
            assert words[0] == "chainlab", f"{block.place}: only chainlab commands are run"
            done = chainlab(words[1:], self.folder)
            self.told = f"{done.stdout}\n{done.stderr}"
            assert done.returncode == wanted, f"{block.place}: {line}\n{self.told}"

    def _said(self, block: Block) -> None:
        told = iter(_plain(self.told))
        for line in _plain(block.text):
            assert line in told, f"{block.place}: {line!r} does not stand there, or not here, in\n{self.told}"

    def _sql(self, block: Block) -> None:
        connection = sqlite3.connect(f"file:{self.folder / DATABASE}?mode=ro", uri=True)
        try:
            for statement in block.text.split(";"):
                if statement.strip():
                    assert connection.execute(statement).fetchall(), f"{block.place}: no rows:\n{statement}"
        finally:
            connection.close()

    def close(self) -> None:
        """Forget the document's module."""
        del sys.modules[self.module.__name__]


def _plain(text: str) -> list[str]:
    """Lines without the folder, and the made-up name, of the file that a message names."""
    return [re.sub(r"^(  at {8}).*?(:\d+)?$", r"\1", line.rstrip()) for line in text.splitlines() if line.strip()]


def chainlab(words: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """The command, as a reader without a terminal runs it."""
    # A test edits a file twice in a second, which no person does, and Python tells bytecode's age by the second.
    env = clean_environment() | {"CI": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "chainlab.cli.main", *words]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300)
