"""A project folder with a chain file and its models, and the command run in it."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.stub import Stub, serving
from tests.forked import Said, chainlab

CHAIN = """
from typing import Literal
from pydantic import BaseModel
from chainlab import chain, each, fill, prompt, step

class Topics(BaseModel):
    topics: list[str]

@prompt("List the topics.\\n\\n{{ text }}", model="typed")
def extract(text: str) -> Topics: return fill()

@prompt("Summarise {{ topic }}", model="words")
def summarise(topic: str) -> str: return fill()

@step
def shout(notes: list[str], times: int, tone: str) -> str:
    return " / ".join(notes * times).upper() if tone == "loud" else " / ".join(notes * times)

@chain
def brief(text: str, times: int = 1, tone: Literal["loud", "soft"] = "soft") -> str:
    found = extract(text)
    return shout(each(found.topics, lambda topic: summarise(topic)), times, tone)
"""

CONFIG = """
default_model = "words"
[models]
typed = "stub:typed"
words = "stub:words"
slow = "stub:slow"
wrong = "stub:wrong"
nasty = "stub:nasty"
[backends.stub]
kind = "openai"
base_url = "{url}"
"""


@dataclass(frozen=True)
class Project:
    """A folder with `brief.py` and `chainlab.toml`."""

    folder: Path
    stub: Stub

    def environment(self, **extra: str) -> dict[str, str]:
        """Nothing of the tester's own settings gets in."""
        dropped = ("CHAINLAB_", "CI", "NO_COLOR", "FORCE_COLOR")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        return {**kept, "COLUMNS": "120", **extra}

    def command(self, *arguments: str) -> list[str]:
        """The command, as its installed script starts it: without the working directory on the path."""
        return [sys.executable, "-P", "-m", "chainlab.cli.main", *arguments]

    def run(self, *arguments: str, stdin: str = "", **extra: str) -> Said:
        """Run the command to its end."""
        return chainlab(arguments, folder=self.folder, environment=self.environment(**extra), stdin=stdin)

    def write(self, name: str, text: str) -> Path:
        """A file in the folder."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path


def on_a_terminal(project: Project, answer: bytes | None, *arguments: str) -> tuple[int, str]:
    """Run the command on a terminal where somebody types an answer (None: Ctrl-C); its exit code and what was seen."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        project.command(*arguments),
        cwd=project.folder,
        env=project.environment(TERM="xterm-256color", PYTHONUTF8="1"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen, asked = b"", False
    try:
        while True:
            # A signal between Python's question and its wait for an answer goes unheard: a person presses again.
            if not select.select([ours], [], [], 2.0 if asked and answer is None else None)[0]:
                child.send_signal(signal.SIGINT)
                continue
            piece = os.read(ours, 65_536)
            if not piece:
                break
            seen += piece
            if b"[y/N]" in seen and not asked:
                asked = True
                if answer is None:
                    child.send_signal(signal.SIGINT)
                else:
                    os.write(ours, answer)
    except OSError:  # how Linux says that the other side has closed
        pass
    finally:
        os.close(ours)
    return child.wait(60), seen.decode()


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    with serving() as found:
        yield found


def make_project(folder: Path, stub: Stub) -> Project:
    """A project in a folder, its models answered by a server."""
    found = Project(folder, stub)
    found.write("brief.py", CHAIN)
    found.write("chainlab.toml", CONFIG.format(url=stub.url))
    return found


@pytest.fixture
def project(tmp_path: Path, stub: Stub) -> Project:
    return make_project(tmp_path, stub)
