"""Several processes write one file at once: nobody fails, nothing is lost, every change number is its own."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

from chainlab.store.store import Store

WRITERS, CHAINS, STEPS = 4, 5, 30

WRITER = """
import asyncio, sys
from chainlab.store.store import Store
from tests.store import facts

async def main(store, name, chains, steps):
    journal = store.journal()
    async def chain(run):
        journal.emit(facts.run_started(run))
        for i in range(steps):
            journal.emit(facts.step_started(run, f"s{i}", facts.LONG + str(i)))  # the same payloads in every process
            await journal.durable()
            journal.emit(facts.step_finished(run, f"s{i}", facts.LONG + run))
        journal.emit(facts.run_finished(run))
        await journal.durable()
    await asyncio.gather(*(chain(f"{name}-{i}") for i in range(chains)))

with Store.open(sys.argv[1]) as store:
    asyncio.run(main(store, sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
"""


def test_four_processes_write_one_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), f"w{i}", str(CHAINS), str(STEPS)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(WRITERS)
    ]
    with Store.open(path) as store:
        seen = 0
        while any(writer.poll() is None for writer in writers):
            changed = store.reader.change()[1]
            assert changed >= seen
            seen = changed
            store.reader.runs(limit=10)
    for writer in writers:
        _, problems = writer.communicate()
        assert (writer.returncode, problems) == (0, "")

    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM runs WHERE status = 'ok'").fetchone() == (WRITERS * CHAINS,)
    done = WRITERS * CHAINS * STEPS
    assert connection.execute("SELECT count(*) FROM steps WHERE status = 'ok'").fetchone() == (done,)
    every = "SELECT count(*), count(DISTINCT change) FROM (SELECT change FROM runs UNION ALL SELECT change FROM steps)"
    total, distinct = connection.execute(every).fetchone()
    assert total == distinct == done + WRITERS * CHAINS
    shared = connection.execute("SELECT count(*) FROM payloads").fetchone()
    assert shared == (1 + 1 + STEPS + WRITERS * CHAINS,)  # the spec, the runs' text, the steps' inputs, the outputs
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
