"""Installs the peers into virtual environments of their own below `.bench`. `python -m tests.benchmarks.peers`"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from tests.benchmarks.report import LANGGRAPH, PHOENIX

PACKAGES = {
    LANGGRAPH: (
        "LangGraph",
        ("langgraph", "langgraph-checkpoint-sqlite", "aiosqlite"),
        "import aiosqlite, langgraph.graph, langgraph.checkpoint.sqlite.aio",
    ),
    PHOENIX: ("Arize Phoenix", ("arize-phoenix", "opentelemetry-exporter-otlp-proto-http"), "import phoenix.version"),
}


def install(folder: Path) -> bool:
    """Make a peer's environment if it is not there. False, with pip's last words on stderr, when it cannot be made."""
    name, packages, imports = PACKAGES[folder]
    python = folder / "bin" / "python"
    if python.exists() and subprocess.run([python, "-c", imports], capture_output=True).returncode == 0:
        return True
    venv.create(folder, with_pip=True)
    command = [str(python), "-m", "pip", "install", "--quiet", *packages]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(f"{name} cannot be installed:", *done.stderr.strip().splitlines()[-2:], sep="\n  ", file=sys.stderr)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(0 if all([install(folder) for folder in PACKAGES]) else 1)
