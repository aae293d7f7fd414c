"""What has changed since a change number, and which open runs have lost their process."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from chainlab.events import Event
from chainlab.store.change_reading import FAR
from chainlab.store.delete import delete_runs
from chainlab.store.reader import SqliteReader
from chainlab.store.store import Store
from tests.store import facts


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "t.db", project="demo") as opened:
        yield opened


def tell(store: Store, *events: Event) -> int:
    """Write events; the change number after them."""

    async def main() -> None:
        for event in events:
            store.journal().emit(event)
        await store.journal().durable()

    asyncio.run(main())
    return store.reader.change()[1]


def runs(store: Store, after: int, upto: int | None = None) -> set[str]:
    return {run for run, _ in store.reader.changed(after, upto=upto).runs}


def test_a_run_has_changed_when_its_row_or_one_of_its_steps_has(store: Store) -> None:
    first = tell(store, facts.run_started("r1"), facts.run_started("r2"))
    second = tell(store, facts.step_started("r1"))
    third = tell(store, facts.run_finished("r2"))
    assert (runs(store, 0), runs(store, first), runs(store, second), runs(store, third)) == (
        {"r1", "r2"},
        {"r1", "r2"},
        {"r2"},
        set(),
    )
    assert runs(store, first, second) == {"r1"}
    assert store.reader.changed(first).runs[0][1] == "brief"


def test_asked_without_a_number_it_says_where_the_store_is(store: Store) -> None:
    change = tell(store, facts.run_started("r1"))
    found = store.reader.changed(None)
    assert (found.change, found.runs, found.too_many) == (change, (), False)
    assert (found.epoch, found.change) == store.reader.change() and found.store


def test_a_deleted_run_has_changed_and_has_no_chain(store: Store) -> None:
    change = tell(store, facts.run_started("r1"), facts.run_finished("r1"))
    delete_runs(store.path, ["r1"])
    assert store.reader.changed(change).runs == (("r1", None),)


def test_more_runs_than_asked_for_and_a_number_too_far_back_are_told_as_too_many(store: Store) -> None:
    change = tell(store, *[facts.run_started(f"r{number}") for number in range(4)])
    assert len(store.reader.changed(0, most=4).runs) == 4
    found = store.reader.changed(0, most=3)
    assert (found.too_many, found.runs, found.change) == (True, (), change)
    assert store.reader.changed(change + 1).too_many  # this store has never been there
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE store SET change = change + ?", (FAR,))
    connection.close()
    assert store.reader.changed(change - 1).too_many and not store.reader.changed(change).too_many


def test_a_reader_of_a_project_is_told_of_its_runs_only(store: Store) -> None:
    tell(store, facts.run_started("r1"), facts.step_started("r1"))
    other = SqliteReader(store.path, project="other")
    assert (runs(store, 0), other.changed(0).runs) == ({"r1"}, ())
    other.close()


def test_open_runs_whose_process_is_gone_are_lost(store: Store) -> None:
    tell(store, facts.run_started("r1"), facts.run_started("r2"), facts.run_started("r3"), facts.run_finished("r3"))
    assert store.reader.lost() == ()
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE processes SET pid = 999999999")
    connection.close()
    assert set(store.reader.lost()) == {("r1", "brief"), ("r2", "brief")}
    assert len(store.reader.lost(most=1)) == 1
