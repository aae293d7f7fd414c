"""What is said when a run has ended: its output or its error, and where its trace is. Knows no view."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import typer

from chainlab.cli.board import Board
from chainlab.cli.output import console, plural, pretty, print_json, safe, say_error, seconds, tokens
from chainlab.errors import ChainlabError, RunFailed
from chainlab.run import Run


def exit_code(run: Run[Any] | None) -> int:
    """0 ok, 1 failed, 130 interrupted."""
    if run is None or run.status == "cancelled":
        return 130
    return 0 if run.status == "ok" else 1


def leave(run: Run[Any] | None, board: Board) -> NoReturn:
    """End the command with the run's exit code. Everything is written and closed by now.

    An interrupted process ends at once: an orderly end destroys what the native threads of a model still use, which
    took up to 3 s and crashed now and then (measured on the built-in model: 2 of 11 exits).
    """
    code = exit_code(run)
    if run is None:
        sys.stdout.flush()
        sys.stderr.flush()
        if board.run_id is None:
            time.sleep(0.2)  # a download that was going on ends its own child process within a tenth
        os._exit(code)
    raise typer.Exit(code)


def tell(run: Run[Any] | None, board: Board, database: Path) -> None:
    """The end of a run, for people: output on stdout, errors on stderr."""
    out = console()
    if run is None:
        say_error(_interrupted(board, database))
        return
    if run.status != "ok":
        say_error(failure_text(run))
        return
    ended = board.finished
    assert ended is not None  # it is ok
    out.print()
    if ended.output is None:
        out.print(_left_out(run))
    else:
        out.print(pretty(ended.output.json))
    out.print()
    out.print(f"{safe(run.chain)} ok  " + _summary(board), style="dim")
    out.print(f"trace  {_link(database, run.id)}")


def tell_json(run: Run[Any] | None, board: Board, database: Path) -> None:
    """The end of a run, for programs: one JSON object on stdout."""
    ended = board.finished
    failure = run.failure if run is not None else None
    error = None
    if failure is not None:
        found = failure.error
        error = {
            "code": found.code,
            "message": found.message,
            "path": failure.path or None,
            "expected": found.expected,
            "got": found.got,
            "remedy": found.remedy or None,
            "file": found.file,
            "line": found.line,
        }
    elif run is None:
        error = {"code": "interrupted", "message": "interrupted by Ctrl-C", "path": None}
    print_json(
        {
            "run": board.run_id,
            "chain": board.chain or None,
            "status": run.status if run is not None else "cancelled",
            "output": ended.output.json if ended is not None and ended.output is not None else None,
            "error": error,
            "steps": _counts(board),
            "tokens_in": ended.tokens_in if ended is not None else None,
            "tokens_out": ended.tokens_out if ended is not None else None,
            "duration_us": ended.duration_us if ended is not None else None,
            "trace": _link(database, board.run_id) if board.run_id is not None else None,
        }
    )


@contextmanager
def refusals(*, json: bool) -> Iterator[None]:
    """Tell a refusal to programs, as one JSON object; people are told in the one place for errors."""
    try:
        yield
    except ChainlabError as error:
        if json:
            told = {"code": getattr(error, "code", "error"), "message": getattr(error, "message", str(error))}
            print_json({"run": None, "status": "refused", "output": None, "error": told})
        raise


def failure_text(run: Run[Any]) -> str:
    """The one typed error of a failed run."""
    try:
        run.raise_for_status()
    except RunFailed as error:
        return str(error)
    return f"run {run.id} is {run.status}"


def _left_out(run: Run[Any]) -> str:
    """Why a replay that is ok has no output."""
    assert run.failure is not None
    left, error = run.failure.path, run.failure.error
    return safe(f"no output: {left} is left out: {error.message}\n  fix       {error.remedy}")


def _interrupted(board: Board, database: Path) -> str:
    if board.run_id is None:
        return "interrupted before the run began: nothing was recorded"
    return f"interrupted: run {board.run_id} is recorded as cancelled\n  trace     {_link(database, board.run_id)}"


def _summary(board: Board) -> str:
    ended = board.finished
    assert ended is not None
    parts = [seconds(ended.duration_us), plural(ended.steps_total, "step"), tokens(ended.tokens_in, ended.tokens_out)]
    if ended.steps_reused:
        parts.append(f"{ended.steps_reused} reused")
    if ended.steps_failed:
        parts.append(f"{ended.steps_failed} failed on the way (on_error)")
    return "  ".join(part for part in parts if part)


def _counts(board: Board) -> dict[str, int] | None:
    ended = board.finished
    if ended is None:
        return None
    return {
        "total": ended.steps_total,
        "ok": ended.steps_ok,
        "failed": ended.steps_failed,
        "skipped": ended.steps_skipped,
        "reused": ended.steps_reused,
    }


def _link(database: Path, run_id: str) -> str:
    from chainlab.lab.link import trace_link

    return trace_link(database, run_id)
