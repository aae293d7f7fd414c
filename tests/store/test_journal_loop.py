"""Who commits: an event loop what is little, the journal's thread whatever would make a loop wait."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator
from functools import partial

import pytest

from chainlab.errors import StoreError
from chainlab.store import journal as journals
from chainlab.store import writer
from chainlab.store.connection import PAGE_BYTES
from chainlab.store.rows import Batch
from chainlab.store.statements import Row, Statement
from chainlab.store.store import Store
from chainlab.store.writer import Writer
from chainlab.values.codec import Value
from tests.patience import turns_until, until
from tests.store import facts
from tests.store.tables import row, rows, tell

LOOP, THREAD = "MainThread", "chainlab-journal"
Write = Callable[..., set[str]]


@pytest.fixture
def wrote(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The thread of each commit that was made."""
    names: list[str] = []
    write = Writer.write

    def watched(self: Writer, batch: Batch, *, wait: bool) -> set[str]:
        lost = write(self, batch, wait=wait)
        names.append(threading.current_thread().name)
        return lost

    monkeypatch.setattr(Writer, "write", watched)
    # Whatever else the machine does: a commit is not called slow, and the thread does nothing unless it is rung.
    monkeypatch.setattr(journals, "_SLOW_SECONDS", 5.0)
    monkeypatch.setattr(journals, "_LINGER_SECONDS", 60.0)
    yield names


def test_a_loop_commits_the_end_of_a_step_and_the_beginning_of_the_next_itself(store: Store, wrote: list[str]) -> None:
    journal = store.journal()
    tell(journal, facts.run_started("r1"), facts.step_started("r1"), facts.attempt_started("r1"))
    tell(journal, facts.attempt_finished("r1"), facts.step_finished("r1"), facts.step_started("r1", "s2"))
    assert wrote == [LOOP, LOOP]


def test_a_run_that_is_alone_is_committed_at_once_but_not_for_long(store: Store, wrote: list[str]) -> None:
    journal = store.journal()

    async def turns(count: int) -> list[bool]:
        """For every step, whether the loop had a turn before it was committed."""
        others: list[int] = []
        had = []
        for i in range(count):
            asyncio.get_running_loop().call_soon(others.append, i)
            journal.emit(facts.step_started("r1", f"s{i}"))
            await journal.durable(alone=True)
            assert row(store, "SELECT count(*) AS n FROM steps") == {"n": i + 1}
            had.append(bool(others))
            others.clear()
        return had

    tell(journal, facts.run_started("r1"))
    assert asyncio.run(turns(2 * journals._AT_ONCE + 2)) == 2 * ([False] * journals._AT_ONCE + [True])
    assert set(wrote) == {LOOP}


def test_runs_that_are_not_alone_share_a_commit(store: Store, wrote: list[str]) -> None:
    journal = store.journal()
    tell(journal, facts.run_started("r1"), facts.run_started("r2"))

    async def step(run: str) -> None:
        journal.emit(facts.step_started(run))
        await journal.durable(alone=True)

    async def main() -> None:
        await asyncio.gather(step("r1"), step("r2"))

    asyncio.run(main())
    assert wrote == [LOOP] * 2


@pytest.mark.parametrize("trouble", ["fenced", "busy", "closed"])
def test_a_run_that_is_alone_is_told_what_is_wrong(store: Store, wrote: list[str], trouble: str) -> None:
    journal = store.journal()
    tell(journal, facts.run_started("r1"))
    other = sqlite3.connect(store.path, isolation_level=None)
    if trouble == "fenced":
        other.execute("UPDATE runs SET process_id = 'other'")
    elif trouble == "busy":
        other.execute("BEGIN IMMEDIATE")

    async def main() -> None:
        journal.emit(facts.step_started("r1"))
        if trouble == "closed":
            journal.close()
        asyncio.get_running_loop().call_soon(lambda: other.in_transaction and other.execute("COMMIT"))
        await journal.durable(alone=True)

    if trouble == "busy":
        asyncio.run(main())
        assert len(wrote) == 2  # by whoever looks first when the other is done
        assert row(store, "SELECT count(*) AS n FROM steps") == {"n": 1}
    else:
        with pytest.raises(StoreError, match=f"store-{trouble}"):
            asyncio.run(main())
    other.close()


def test_large_values_are_left_to_the_thread(store: Store, wrote: list[str]) -> None:
    tell(store.journal(), facts.run_started("r1", {"text": "y" * 2 * journals._LITTLE_PAYLOADS}))
    assert wrote == [THREAD]
    assert row(store, "SELECT count(*) AS n FROM runs") == {"n": 1}


def test_of_many_runs_at_once_the_first_go_on_while_others_are_written(store: Store, wrote: list[str]) -> None:
    journal, many = store.journal(), 5 * journals.LARGEST_BATCH
    written: list[int] = []  # how many runs were committed when a run was told that it is

    async def one(number: int) -> None:
        journal.emit(facts.run_started(f"r{number}"))
        await journal.durable()
        written.append(row(store, "SELECT count(*) AS n FROM runs")["n"])

    async def main() -> None:
        await asyncio.gather(*map(one, range(many)))

    asyncio.run(main())
    assert set(wrote) == {LOOP} and len(wrote) == 10  # an event and a waiter each
    assert written == sorted(written)
    assert written[0] == journals.LARGEST_BATCH // 2 and written[-1] == many
    assert len(set(written)) == 10


def test_a_waiter_whose_events_take_several_commits_waits_for_the_last(store: Store, wrote: list[str]) -> None:
    journal, many = store.journal(), 3 * journals.LARGEST_BATCH
    tell(journal, facts.run_started("r1"), *(facts.step_started("r1", f"s{i}") for i in range(many)))
    assert row(store, "SELECT count(*) AS n FROM steps") == {"n": many}
    assert wrote == [LOOP] * 4


def test_a_loop_does_not_wait_for_another_process_that_writes(store: Store, wrote: list[str]) -> None:
    journal = store.journal()
    other = sqlite3.connect(store.path, isolation_level=None)

    async def main() -> int:
        other.execute("BEGIN IMMEDIATE")
        journal.emit(facts.run_started("r1"))
        waiting = asyncio.ensure_future(journal.durable())
        for _ in range(50):
            await asyncio.sleep(0.001)
        assert not waiting.done()
        other.execute("COMMIT")
        return await turns_until(waiting.done, "the commit")

    asyncio.run(main())
    other.close()
    assert wrote == [THREAD]
    until(lambda: not journal._lock.locked(), "the thread's rest")
    tell(journal, facts.run_started("r2"))
    assert wrote == [THREAD, LOOP]


def test_a_loop_that_was_slow_leaves_it_to_the_thread_for_a_while(
    store: Store, wrote: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = store.journal()
    monkeypatch.setattr(journals, "_LEAVE_SECONDS", 60.0)
    monkeypatch.setattr(journals, "_SLOW_SECONDS", 0.5)
    write = journal._writer.write

    def slowly(batch: Batch, *, wait: bool) -> set[str]:
        time.sleep(2 * journals._SLOW_SECONDS)
        return write(batch, wait=wait)

    with monkeypatch.context() as patch:
        patch.setattr(journal._writer, "write", slowly)
        tell(journal, facts.run_started("r1"))
    tell(journal, facts.run_started("r2"))
    journal._left_until = 0.0
    until(lambda: not journal._lock.locked(), "the thread's rest")
    tell(journal, facts.run_started("r3"))
    assert wrote == [LOOP, THREAD, LOOP]


def test_only_the_thread_copies_the_log_and_begins_it_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = store.journal()
    monkeypatch.setattr(writer, "CHECKPOINT_PAGES", 100)
    checkpoint, by = journal._writer.checkpoint, list[str]()

    def watched() -> None:
        checkpoint()
        by.append(threading.current_thread().name)

    monkeypatch.setattr(journal._writer, "checkpoint", watched)
    for i in range(200):
        tell(journal, facts.run_started(f"r{i}", {"text": facts.LONG}))
    until(lambda: not journal._writer.is_log_long, "the last copy of the log")
    assert len(by) > 5
    assert set(by) == {THREAD}
    pages = store.path.with_name(store.path.name + "-wal").stat().st_size / PAGE_BYTES
    assert pages < 1000  # 200 commits of a dozen and more
    assert row(store, "SELECT count(*) AS n FROM runs") == {"n": 200}


def test_a_loop_commits_while_the_thread_copies_the_log(
    store: Store, wrote: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = store.journal()
    monkeypatch.setattr(writer, "CHECKPOINT_PAGES", 100)
    copy_log, copied, go_on = journal._writer.copy_log, threading.Event(), threading.Event()

    def held() -> None:
        copy_log()
        copied.set()
        go_on.wait(10)

    monkeypatch.setattr(journal._writer, "copy_log", held)
    tell(journal, facts.run_started("r1"))
    for i in range(20):
        tell(journal, facts.step_started("r1", f"s{i}"))
    assert copied.wait(10)
    wrote.clear()
    for i in range(20, 30):
        tell(journal, facts.step_started("r1", f"s{i}"))
    assert wrote == [LOOP] * 10
    go_on.set()
    until(lambda: not journal._writer.is_log_long, "the rest of the log")
    assert row(store, "SELECT count(*) AS n FROM steps") == {"n": 30}


def test_many_runs_go_on_while_the_thread_copies_the_log(
    store: Store, wrote: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = store.journal()
    monkeypatch.setattr(writer, "CHECKPOINT_PAGES", 10)
    copying, go_on = threading.Event(), threading.Event()

    def held() -> None:
        copying.set()
        go_on.wait(10)

    monkeypatch.setattr(journal._writer, "copy_log", held)
    tell(journal, facts.run_started("r0"))
    assert copying.wait(10)
    tell(journal, facts.run_started("r1"), *(facts.step_started("r1", f"s{i}") for i in range(500)))
    assert set(wrote) == {LOOP} and len(wrote) > 3
    go_on.set()


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupt_in_a_commit_loses_nothing(store: Store, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    journal = store.journal()
    write, connection = journal._writer.write, journal._writer._connection

    def interrupted(batch: Batch, *, wait: bool) -> set[str]:
        monkeypatch.undo()
        if when == "before":
            connection.execute("BEGIN IMMEDIATE")
        else:
            write(batch, wait=wait)
        raise KeyboardInterrupt

    monkeypatch.setattr(journal._writer, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tell(journal, facts.run_started("r1"), facts.step_started("r1"))
    until(partial(rows, store, "SELECT 1 FROM steps"), "what was interrupted")
    tell(journal, facts.step_finished("r1"), facts.run_finished("r1"))
    assert row(store, "SELECT status FROM runs") == {"status": "ok"}


def test_a_commit_that_fails_in_the_middle_leaves_no_number_and_no_payload_behind(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = store.journal()
    tell(journal, facts.run_started("r1"))
    run, calls = Statement.run, list[int]()

    def failing(self: Statement, connection: sqlite3.Connection, rows: Collection[Row]) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise sqlite3.IntegrityError("as if")
        return run(self, connection, rows)

    monkeypatch.setattr(Statement, "run", failing)
    tell(journal, facts.run_started("r2", {"text": facts.LONG}), facts.step_started("r2", value=facts.LONG))
    assert len(calls) > 2
    tell(journal, facts.run_started("r3", {"text": facts.LONG}), facts.step_started("r3", value=facts.LONG))
    every = [found["change"] for found in rows(store, "SELECT change FROM steps UNION ALL SELECT change FROM runs")]
    assert len(set(every)) == len(every)
    assert row(store, "SELECT change FROM store") == {"change": max(every)}
    assert row(store, "SELECT count(*) AS n FROM payloads WHERE hash = ?", Value(facts.LONG).hash) == {"n": 1}


def test_a_loop_that_ends_before_it_looks_keeps_nobody_waiting(store: Store) -> None:
    journal = store.journal()
    loop = asyncio.new_event_loop()

    async def begin() -> None:
        journal.emit(facts.run_started("r1"))
        journal.durable()
        await asyncio.sleep(60)

    task = loop.create_task(begin())
    loop.call_soon(loop.stop)
    loop.run_forever()  # one turn: it has promised, and will not keep it
    assert journal._promised is loop
    tell(journal, facts.run_started("r2"))
    until(lambda: len(rows(store, "SELECT 1 FROM runs")) == 2, "both runs")
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()


def test_the_goodbye_waits_for_another_process_that_writes(store: Store, wrote: list[str]) -> None:
    tell(store.journal(), facts.run_started("r1"))
    assert wrote == [LOOP]  # it would not have waited
    other = sqlite3.connect(store.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    soon = threading.Timer(0.2, other.execute, ["COMMIT"])
    soon.start()
    store.close()
    soon.join()
    assert row(store, "SELECT ended_at IS NOT NULL AS said FROM processes") == {"said": 1}
    other.close()
