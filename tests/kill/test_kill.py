"""kill -9 while many chains run: no acknowledged step is lost. `KILLS` says how often (8; `make test-kill` 100)."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from chainlab.store.store import Store
from chainlab.values.codec import hash_bytes
from tests.patience import until

KILLS = int(os.environ.get("KILLS", "8"))
LONGEST_LINE = 60  # bytes that one acknowledged step may take


@dataclass(frozen=True)
class Tally:
    """What was promised and what is there."""

    acknowledged: int
    lost: int
    damaged: int
    running: int


def kill_often(folder: Path, times: int, *words: str) -> Tally:
    """Start the child, kill it after some more acknowledged steps, at any moment; again, on the same file.

    The control is killed at once: while what it has just acknowledged waits for its commit.
    """
    database, acks = folder / "t.db", folder / "acks"
    acks.touch()
    chance, damaged = random.Random(7), 0
    early = "early" in words
    for k in range(times):
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.kill.child", str(database), str(acks), f"k{k}", *words],
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        wait_for_more(acks, steps=chance.randrange(6, 60 if early else 500))
        if not early:
            time.sleep(chance.random() * 0.02)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        child.stdout.close()
        if k % 10 == 9 or k == times - 1:
            damaged += check(database)
    return count(database, acks, damaged)


def wait_for_more(acks: Path, *, steps: int) -> None:
    enough = acks.stat().st_size + steps * LONGEST_LINE
    until(lambda: acks.stat().st_size >= enough, f"{steps} more acknowledged steps")


def check(database: Path) -> int:
    connection = sqlite3.connect(database)
    found: str = connection.execute("PRAGMA integrity_check").fetchone()[0]
    connection.close()
    return int(found != "ok")


def count(database: Path, acks: Path, damaged: int) -> Tally:
    connection = sqlite3.connect(database)
    recorded = {
        (path, output.hex()): body
        for path, output, body in connection.execute(
            "SELECT s.path, s.output_hash, p.body FROM steps s JOIN attempts a USING (run_id, path)"
            " LEFT JOIN payloads p ON p.hash = s.output_hash WHERE s.status = 'ok' AND a.status = 'ok'"
        )
    }
    running: int = connection.execute("SELECT count(*) FROM steps WHERE status = 'running'").fetchone()[0]
    connection.close()
    promised = [line.split() for line in acks.read_text().splitlines()]
    lost = 0
    for path, output in promised:  # every output is written once, so its hash says which step made it
        body = recorded.get((path, output))
        lost += body is None or hash_bytes(body).hex() != output
    return Tally(len(promised), lost, damaged, running)


@pytest.mark.timeout(60 + KILLS * 30)
@pytest.mark.parametrize("workload", ["journal", "engine", "alone"])
def test_no_acknowledged_step_is_lost_by_kill_9(tmp_path: Path, workload: str) -> None:
    tally = kill_often(tmp_path, KILLS, workload)
    print(f"kill -9 x{KILLS}, {workload}: {tally}")
    assert tally.acknowledged > KILLS * 5
    assert (tally.lost, tally.damaged) == (0, 0)
    with Store.open(tmp_path / "t.db") as store:
        shown = {run.status for run in store.reader.runs(limit=500)}
    assert "interrupted" in shown and shown <= {"interrupted", "ok"}  # nobody is left to finish the others


@pytest.mark.timeout(360)
@pytest.mark.parametrize("workload", ["journal", "engine"])
def test_acknowledging_before_the_commit_is_seen_to_lose_steps(tmp_path: Path, workload: str) -> None:
    tally = kill_often(tmp_path, 10, workload, "early")
    print(f"control x10, {workload}: {tally}")
    assert tally.lost > 0
