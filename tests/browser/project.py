"""A folder with a chain in it, as users have it: its runs made by the command line, its inspector begun there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chainlab.inspector.link import running, state_file
from chainlab.store.reader import SqliteReader
from chainlab.trace import RunSummary
from tests.browser.conftest import Inspector
from tests.forked import Said, chainlab, clean_environment


@dataclass(frozen=True)
class Project(Inspector):
    """A folder and its inspector."""

    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / ".chainlab" / "traces.db"

    def runs(self) -> tuple[RunSummary, ...]:
        """All runs, newest first."""
        reader = SqliteReader(self.database)
        try:
            return reader.runs(limit=1000)
        finally:
            reader.close()

    def statuses(self, run_id: str) -> dict[str, str]:
        """What became of each step of a run."""
        reader = SqliteReader(self.database)
        try:
            trace = reader.trace(run_id)
        finally:
            reader.close()
        assert trace is not None
        return {step.path: step.status for step in trace.steps}


def chainlab_in(folder: Path, *arguments: str) -> Said:
    """Run a command in a folder."""
    return chainlab(arguments, folder=folder, environment=clean_environment(), seconds=300)


@contextmanager
def inspecting(folder: Path, *options: str) -> Iterator[Project]:
    """Inspect a folder's runs until the block ends."""
    command = [sys.executable, "-P", "-m", "chainlab.cli.main", "inspect", "--no-browser", "--port", "0", *options]
    with subprocess.Popen(
        command, cwd=folder, env=clean_environment(), stdout=subprocess.PIPE, text=True, stderr=subprocess.STDOUT
    ) as server:
        assert server.stdout is not None
        told = ""
        for line in server.stdout:
            told += line
            if "http" in line:
                break
        state = running(state_file(folder / ".chainlab" / "traces.db"))
        assert state is not None, told
        try:
            yield Project(state, {}, folder)
        finally:
            server.kill()
