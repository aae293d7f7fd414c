"""What is seen while a chain runs: fan-outs folded, a table in a terminal, lines elsewhere."""

from __future__ import annotations

import os
import pty
import subprocess

import pytest

from chainlab.cli.board import Board
from chainlab.cli.output import safe, seconds, tokens
from chainlab.events import AttemptStarted, Event, StepFinished, StepSkipped, StepStarted, TokenDelta
from tests.cli.conftest import Project
from tests.patience import LIMIT_S


def started(path: str, sort: str) -> Event:
    return StepStarted("r", path, path, "prompt", sort, (), None, 0, model="m")


def test_items_of_a_fan_out_are_one_row_with_counts() -> None:
    board = Board()
    for item in range(4):
        board.take(started(f"summarise[{item}]", f"0001.00000{item}.0000"))
    for item in range(3):
        board.take(AttemptStarted("r", f"summarise[{item}]", 1, "first", 0))
    board.take(TokenDelta("r", "summarise[2]", 1, "x"))
    board.take(StepFinished("r", "summarise[0]", "ok", 0, 5, attempts=1, tokens_in=10, tokens_out=4))
    board.take(StepFinished("r", "summarise[1]", "failed", 0, 5, attempts=2))
    (row,) = board.rows.values()
    assert dict(row.counts) == {"ok": 1, "failed": 1, "running": 1, "waiting": 1}
    assert (row.status, row.depth, row.tokens_in, row.written) == ("running", 1, 10, 5)


def test_rows_stand_as_the_chain_declares_them_whenever_they_began() -> None:
    board = Board()
    for path, sort in (("last", "0002"), ("each", "0001"), ("inner[0]", "0001.000000.0000"), ("first", "0000")):
        board.take(started(path, sort))
    board.take(StepSkipped("r", "never", "never", "code", "0003", "first", 0))
    assert [row.path for row in board.in_order()] == ["first", "each", "inner", "last", "never"]
    assert board.rows["never"].status == "skipped"


def test_a_terminal_gets_a_table_that_ends_whole(project: Project) -> None:
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        project.command("run", "brief.py", "text=x"),
        cwd=project.folder,
        env=project.environment(TERM="xterm-256color", PYTHONUTF8="1"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    try:
        while piece := os.read(ours, 65_536):
            seen += piece
    except OSError:  # how Linux says that the other side has closed
        pass
    finally:
        os.close(ours)
    assert child.wait(LIMIT_S) == 0
    picture = seen.decode()
    assert "summarise" in picture and " ×2" in picture
    assert picture.count("✓") >= 4
    assert "about tea / about bread" in picture


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [(None, ""), (1_500, "1.5 ms"), (840_000, "840 ms"), (999_600, "1.0 s"), (3_200_000, "3.2 s"), (125e6, "2 m 05 s")],
)
def test_durations_are_short(microseconds: int | None, text: str) -> None:
    assert seconds(microseconds) == text


def test_counts_that_nobody_made_are_not_shown() -> None:
    assert [tokens(None, None), tokens(0, 7), tokens(5, 6)] == ["", "7 out", "5 in, 6 out"]


def test_control_characters_and_lone_surrogates_become_visible() -> None:
    assert safe("a\tb\n\x1b[2J\u202e\udc80é") == "a\tb\n\\u001b[2J\\u202e\\udc80é"
