"""The journal on a real SQLite file. Commits, change numbers, waiting, and the end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from chainlab.errors import StoreError
from chainlab.store.delete import delete_runs
from chainlab.store.store import Store
from chainlab.values.codec import Value
from chainlab.values.ids import new_id
from tests.patience import until
from tests.store import facts
from tests.store.tables import row, rows, tell

pytestmark = pytest.mark.usefixtures("committed_by")

OTHER = "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness."


def test_many_chains_share_commits(store: Store) -> None:
    journal = store.journal()

    async def chain(run: str) -> None:
        journal.emit(facts.run_started(run))
        for i in range(10):
            journal.emit(facts.step_started(run, f"s{i}"))
            await journal.durable()
            journal.emit(facts.step_finished(run, f"s{i}"))
        journal.emit(facts.run_finished(run))
        await journal.durable()

    async def main() -> None:
        await asyncio.gather(*(chain(new_id()) for _ in range(100)))

    asyncio.run(main())
    assert row(store, "SELECT count(*) AS n FROM steps WHERE status = 'ok'") == {"n": 1000}
    assert journal.commits < 200  # 1,100 waits


def test_change_numbers_are_unique_and_rise_with_every_write(store: Store) -> None:
    journal = store.journal()
    highest = 0
    for i in range(20):
        tell(journal, facts.run_started(f"r{i}"), facts.step_started(f"r{i}"), facts.attempt_started(f"r{i}"))
        seen = row(store, "SELECT change FROM steps WHERE run_id = ?", f"r{i}")["change"]
        assert seen > highest
        tell(journal, facts.attempt_finished(f"r{i}"))  # an attempt raises its step's number
        highest = row(store, "SELECT change FROM steps WHERE run_id = ?", f"r{i}")["change"]
        assert highest > seen
    every = rows(store, "SELECT change FROM steps UNION ALL SELECT change FROM runs")
    assert len({r["change"] for r in every}) == len(every) == 40
    assert max(r["change"] for r in every) == row(store, "SELECT change FROM store")["change"]


def test_change_numbers_stay_unique_when_another_process_writes_in_between(store: Store) -> None:
    with Store.open(store.path) as other:
        for i in range(9):
            tell((other if i % 3 == 2 else store).journal(), facts.run_started(f"r{i}"), facts.step_started(f"r{i}"))
    every = [found["change"] for found in rows(store, "SELECT change FROM steps UNION ALL SELECT change FROM runs")]
    assert sorted(every) == list(range(1, 19))
    assert row(store, "SELECT change FROM store") == {"change": 18}


def test_a_value_that_was_pruned_by_another_connection_is_stored_again(store: Store) -> None:
    journal = store.journal()
    for run in ("r1", "r2", "r3"):
        tell(journal, facts.run_started(run, {"text": OTHER}), facts.run_finished(run))
        assert row(store, "SELECT count(*) AS n FROM payloads WHERE hash = ?", Value(OTHER).hash) == {"n": 1}
        delete_runs(store.path, [run])
        assert rows(store, "SELECT 1 FROM payloads") == []
    tell(journal, facts.run_started("r4", {"text": OTHER}))
    assert row(store, "SELECT count(*) AS n FROM specs") == {"n": 1}


def test_what_durable_acknowledged_is_there_for_another_connection(store: Store) -> None:
    journal = store.journal()

    async def main() -> None:
        for i in range(50):
            journal.emit(facts.run_started(f"r{i}"))
            await journal.durable()
            assert len(await asyncio.to_thread(rows, store, "SELECT 1 FROM runs WHERE id = ?", f"r{i}")) == 1

    asyncio.run(main())


def test_an_event_that_nobody_waits_for_is_written_soon(store: Store) -> None:
    journal = store.journal()
    for run in ("r1", "r2"):  # the writer thread listens differently after a silence
        journal.emit(facts.run_started(run))
        until(partial(rows, store, "SELECT 1 FROM runs WHERE id = ?", run), "the row of a lone event")
        until(lambda: journal._sleeping, "the silence")


def test_one_journal_serves_several_loops_in_several_threads(store: Store) -> None:
    journal = store.journal()
    problems: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for i in range(30):
                tell(journal, facts.run_started(f"{name}-{i}"), facts.run_finished(f"{name}-{i}"))
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(f"t{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert row(store, "SELECT count(*) AS n FROM runs WHERE status = 'ok'") == {"n": 120}


def test_a_cancelled_waiter_disturbs_nobody(store: Store) -> None:
    journal = store.journal()

    async def main() -> None:
        async def wait() -> None:
            await journal.durable()

        journal.emit(facts.run_started("r1"))
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await journal.durable()

    asyncio.run(main())
    assert row(store, "SELECT id FROM runs") == {"id": "r1"}


def test_payloads_above_the_limit_of_a_transaction_are_written_in_several(store: Store) -> None:
    journal = store.journal()
    big = ["y" * 12_000_000 + str(i) for i in range(6)]
    tell(journal, facts.run_started("r1", {}), *[facts.step_started("r1", f"s{i}", text) for i, text in enumerate(big)])
    assert journal.commits > 1
    assert row(store, "SELECT count(*) AS n FROM payloads WHERE size > 12000000") == {"n": 6}


def test_closing_writes_what_was_emitted_and_says_goodbye(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "t.db")
    journal = store.journal()
    journal.emit(facts.run_started("r1"))
    store.close()
    assert row(store, "SELECT id FROM runs") == {"id": "r1"}
    process = row(store, "SELECT * FROM processes")
    assert process["pid"] == os.getpid()
    assert process["ended_at"] >= process["started_at"]
    with pytest.raises(StoreError) as caught:
        journal.emit(facts.run_started("r2"))
    assert caught.value.code == "store-closed"


def test_a_process_that_ends_without_closing_loses_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from chainlab.store.store import Store; from tests.store import facts\n"
        "journal = Store.open(sys.argv[1]).journal()\n"
        "for i in range(500): journal.emit(facts.run_started(f'r{i}'))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "t.db")], check=True)
    with Store.open(tmp_path / "t.db") as store:
        assert row(store, "SELECT count(*) AS n FROM runs") == {"n": 500}
        assert row(store, "SELECT ended_at IS NOT NULL AS ended FROM processes") == {"ended": 1}


def test_a_forked_child_is_told_to_open_the_store_itself(tmp_path: Path) -> None:
    code = (
        "import os, sys, threading; from chainlab.errors import StoreError; from chainlab.store.store import Store\n"
        "from tests.store import facts\n"
        "store = Store.open(sys.argv[1]); journal = store.journal(); store.reader.runs()\n"
        # A child forked in the middle of a commit would find SQLite's own locks held for ever: none happens until then.
        "forked, commit = threading.Event(), journal._commit\n"
        "journal._commit = lambda events, wait: (forked.wait(), commit(events, wait))\n"
        "journal.emit(facts.run_started('r1'))\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    try: journal.emit(facts.run_started('r2')); os._exit(1)\n"
        "    except StoreError as problem: assert problem.code == 'store-forked'\n"
        "    store.reader.runs(); store.journal().emit(facts.run_started('child')); store.close(); os._exit(0)\n"
        "forked.set()\n"
        "assert os.waitpid(pid, 0)[1] == 0\n"
        "store.close()"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "t.db")], check=True, timeout=110)
    with Store.open(tmp_path / "t.db") as store:
        assert {r["id"] for r in rows(store, "SELECT id FROM runs")} == {"r1", "child"}
