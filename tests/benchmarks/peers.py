"""Installs the peer into a virtual environment of its own, `.bench/langgraph`. `python -m tests.benchmarks.peers`"""

from __future__ import annotations

import subprocess
import sys
import venv

from tests.benchmarks.report import LANGGRAPH

PACKAGES = ("langgraph", "langgraph-checkpoint-sqlite", "aiosqlite")


def install() -> bool:
    """Make the environment if it is not there. False, with pip's last words on stderr, when it cannot be made."""
    python = LANGGRAPH / "bin" / "python"
    if python.exists() and _imports(str(python)):
        return True
    venv.create(LANGGRAPH, with_pip=True)
    command = [str(python), "-m", "pip", "install", "--quiet", *PACKAGES]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print("LangGraph cannot be installed:", *done.stderr.strip().splitlines()[-2:], sep="\n  ", file=sys.stderr)
    return done.returncode == 0


def _imports(python: str) -> bool:
    code = "import aiosqlite, langgraph.graph, langgraph.checkpoint.sqlite.aio"
    return subprocess.run([python, "-c", code], capture_output=True).returncode == 0


if __name__ == "__main__":
    sys.exit(0 if install() else 1)
