"""Measuring in rounds, and the words around the numbers: medians, machine, versions, load."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

ROOT = Path(__file__).resolve().parents[2]
SCRATCH = ROOT / ".bench"
LANGGRAPH = SCRATCH / "langgraph"
PHOENIX = SCRATCH / "phoenix"
_PEER = "tests.benchmarks.peer_langgraph"
_WORKER = "tests.benchmarks.worker"

Found: TypeAlias = "dict[str, Any]"


@dataclass(frozen=True)
class Case:
    """A subject, the arguments of its worker, and the worker."""

    subject: str
    arguments: tuple[str, ...]
    module: str = _WORKER


class Failed(Exception):
    """A worker that gave no result; the text is its last line."""


def measure(case: Case, *, seconds: float = 600) -> Found:
    """Run a worker in a process of its own. Raises Failed."""
    peer = case.subject == "langgraph"
    python = str(LANGGRAPH / "bin" / "python") if peer else sys.executable
    command = [python, "-m", _PEER if peer else case.module, case.subject, *case.arguments, "--folder", str(SCRATCH)]
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise Failed(f"stopped after {seconds:.0f} s") from None
    if done.returncode:
        raise Failed((done.stderr.strip().splitlines() or ["no words"])[-1])
    found: Found = json.loads(done.stdout.splitlines()[-1])
    return found | {"load": os.getloadavg()[0]}


def environment() -> dict[str, str]:
    """What a measured process sees: nobody to report to, and bytecode kept on disk, as `pip install` leaves it.

    Where a shell forbids to keep it, every start would compile chainlab's sources anew, but not those of a peer.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"LANGSMITH_TRACING": "false", "DO_NOT_TRACK": "1"}


def in_rounds(cases: Sequence[Case], rounds: int) -> dict[Case, list[Found] | str]:
    """Measure every case once per round, so that what else the machine does meets all of them alike.

    A case that fails is reported by its words.
    """
    found: dict[Case, list[Found] | str] = {case: [] for case in cases}
    for number in range(rounds):
        for case in cases:
            results = found[case]
            if isinstance(results, str):
                continue
            print(f"  round {number + 1} of {rounds}: {case.subject} {' '.join(case.arguments)}", file=sys.stderr)
            try:
                results.append(measure(case))
            except Failed as failure:
                found[case] = str(failure)
    return found


def middle(found: list[Found] | str, key: str) -> float | None:
    """The median over the rounds; None for a case that failed."""
    return None if isinstance(found, str) else float(median(one[key] for one in found))


def ratio(over: list[Found] | str, under: list[Found] | str, key: str) -> float | None:
    """The median of the ratios within each round."""
    if isinstance(over, str) or isinstance(under, str):
        return None
    return float(median(a[key] / b[key] for a, b in zip(over, under, strict=False)))


def number(value: float | None, digits: int = 0, unit: str = "") -> str:
    """A number for a table."""
    return "-" if value is None else f"{value:,.{digits}f}{unit}"


def verdict(value: float | None, goal: float, *, least: bool = False) -> str:
    """Whether a goal is met: at most `goal`, or with `least` at least."""
    if value is None:
        return "not measured"
    return "met" if (value >= goal if least else value <= goal) else "**missed**"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def loads(found: Iterable[list[Found] | str]) -> str:
    """The load averages that the measurements met."""
    met = [one["load"] for results in found if not isinstance(results, str) for one in results]
    return f"load average {min(met):.1f} to {max(met):.1f}" if met else "nothing measured"


def conditions() -> str:
    """Machine and versions."""
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    packages = ", ".join(f"{name} {version(name)}" for name in ("chainlab", "pydantic", "jinja2", "sqlalchemy"))
    return (
        f"{os.cpu_count()} cores of {model}, {platform.system()} {platform.release()}, Python"
        f" {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}, {peer_version()}"
    )


def peer_version() -> str:
    """The peer's versions, or that it is not installed."""
    if not (LANGGRAPH / "bin" / "python").exists():
        return "LangGraph not installed (`python -m tests.benchmarks.peers` installs it)"
    code = (
        "from importlib.metadata import version as v;"
        "print('langgraph', v('langgraph') + ', langgraph-checkpoint-sqlite', v('langgraph-checkpoint-sqlite'))"
    )
    done = subprocess.run([str(LANGGRAPH / "bin" / "python"), "-c", code], capture_output=True, text=True)
    return done.stdout.strip() or "LangGraph cannot be imported"
