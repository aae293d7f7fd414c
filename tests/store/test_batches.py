"""Batches in the store: one row each, one change counter, a fence, and what deleting the runs does to them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from chainlab.errors import StoreError
from chainlab.events import BatchPlace
from chainlab.store.batches import BatchWriter, NewBatch
from chainlab.store.delete import delete_runs
from chainlab.store.store import Store
from chainlab.trace import batch_key
from chainlab.values.redact import Redactor
from tests.store import facts
from tests.store.tables import row, rows, tell


def new(batch: str = "b1", **more: object) -> NewBatch:
    """A backtest of two runs."""
    fields: dict[str, object] = {
        "id": batch,
        "kind": "backtest",
        "chain": "brief",
        "edits": [{"step": "draft", "template": facts.LONG}],
        "plan": {"runs": ["r1", "r2"]},
        "total": 2,
    }
    return NewBatch(**(fields | more))  # type: ignore[arg-type]  # the fields that a test changes


def member(store: Store, run: str, key: str, *, go: int = 1, batch: str = "b1", ended: bool = True) -> None:
    """A run in its place."""
    place = BatchPlace(batch, batch_key(key, go))
    tell(store.journal(), facts.run_started(run, batch=place, parent_run_id=key), facts.step_started(run))
    if ended:
        tell(store.journal(), facts.step_finished(run), facts.run_finished(run))


def kill(store: Store) -> None:
    """As if the process that writes were gone."""
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE processes SET ended_at = 1")
    connection.close()


def problem(work: object, *given: object) -> str:
    """The code of the error that a call ends with."""
    with pytest.raises(StoreError) as caught:
        work(*given)  # type: ignore[operator]  # any method of a writer
    return caught.value.code


def test_a_batch_is_read_as_it_was_written(store: Store) -> None:
    writer = store.batches()
    assert writer.begin(new())
    found = store.reader.batch("b1")
    assert found is not None
    assert (found.edits, found.plan) == ([{"step": "draft", "template": facts.LONG}], {"runs": ["r1", "r2"]})
    assert (found.batch.status, found.batch.done, found.batch.total, found.batch.summary) == ("running", 0, 2, None)
    assert (found.batch.project, found.batch.chain, found.batch.kind) == ("demo", "brief", "backtest")

    writer.advance("b1", 1)
    writer.end("b1", "done", 2, {"counts": {"same": 2}, "odd": "\ud800\0"})
    found = store.reader.batch("b1")
    assert found is not None and found.batch.finished_at is not None
    assert (found.batch.status, found.batch.done) == ("done", 2)
    assert found.batch.summary == {"counts": {"same": 2}, "odd": "\ud800\0"}
    assert store.reader.batch("b2") is None


def test_every_change_of_a_batch_has_a_change_number_of_its_own(store: Store) -> None:
    writer = store.batches()
    seen = [store.reader.change()[1]]
    for change in (
        lambda: writer.begin(new()),
        lambda: writer.advance("b1", 1),
        lambda: writer.end("b1", "cancelled", 1, None),
        lambda: writer.take_over("b1"),
    ):
        change()
        seen.append(row(store, "SELECT change FROM batches")["change"])
    first = seen[0]
    assert seen == [first, first + 1, first + 2, first + 3, first + 4]
    assert store.reader.change()[1] == first + 4


def test_a_batch_is_listed_and_found_as_runs_are(store: Store) -> None:
    writer = store.batches()
    for batch, chain in (("06aa1", "brief"), ("06aa2", "other"), ("06ab3", "brief")):
        writer.begin(new(batch, chain=chain))
    listed = [found.id for found in store.reader.batches()]
    assert listed == ["06ab3", "06aa2", "06aa1"]
    assert [found.id for found in store.reader.batches(chain="brief", limit=1)] == ["06ab3"]
    assert [found.id for found in store.reader.batches(after="06ab3")] == ["06aa2", "06aa1"]
    assert store.reader.batches(kind="noise") == ()
    assert store.reader.find_batch("last") == store.reader.find_batch("06AB") == ("06ab3",)
    assert store.reader.find_batch("06aa") == ("06aa2", "06aa1")
    assert store.reader.find_batch("zz") == store.reader.find_batch(" ") == ()


def test_runs_of_a_batch_come_with_their_places_and_goes(store: Store) -> None:
    store.batches().begin(new())
    member(store, "f1", "r1", ended=False)
    member(store, "f2", "r2")
    member(store, "f3", "r1", go=2)
    found = [(one.run.id, one.key, one.go, one.arm, one.sample) for one in store.reader.batch_runs("b1")]
    assert found == [("f1", "r1", 1, "", 0), ("f2", "r2", 1, "", 0), ("f3", "r1", 2, "", 0)]
    assert rows(store, "SELECT batch_key FROM runs ORDER BY id") == [
        {"batch_key": "r1"},
        {"batch_key": "r2"},
        {"batch_key": "r1~2"},
    ]


def test_a_place_is_taken_once(store: Store) -> None:
    store.batches().begin(new())
    member(store, "f1", "r1")
    assert problem(member, store, "f2", "r1") == "store-fenced"
    assert [one.run.id for one in store.reader.batch_runs("b1")] == ["f1"]


def test_one_idempotency_key_begins_one_batch(store: Store) -> None:
    writer = store.batches()
    assert writer.begin(new("b1", idempotency_key="k"))
    change, payloads = store.reader.change(), rows(store, "SELECT hash FROM payloads")
    assert not writer.begin(new("b2", idempotency_key="k", edits=[{"step": "other"}]))
    assert (store.reader.change(), rows(store, "SELECT hash FROM payloads")) == (change, payloads)
    assert (store.reader.batch_by_key("k"), store.reader.batch_by_key("x")) == ("b1", None)


def test_a_batch_whose_process_is_gone_is_interrupted_and_can_be_taken_over(store: Store, tmp_path: Path) -> None:
    store.batches().begin(new())
    with Store.open(store.path) as other:
        assert problem(other.batches().take_over, "b1") == "batch-is-running"
        assert problem(other.batches().take_over, "b2") == "batch-not-found"
    kill(store)
    assert [found.status for found in store.reader.batches()] == ["interrupted"]
    with Store.open(store.path) as other:
        writer = other.batches()
        writer.take_over("b1")
        assert [found.status for found in other.reader.batches()] == ["running"]
        assert problem(store.batches().advance, "b1", 1) == "store-fenced"
        writer.end("b1", "done", 2, None)


def test_keys_of_the_configuration_are_taken_out_of_a_batch(tmp_path: Path) -> None:
    with Store.open(tmp_path / "t.db", redactor=Redactor(["hunter2hunter2"])) as store:
        edits = [{"step": "draft", "template": "say hunter2hunter2"}]
        store.batches().begin(new(edits=edits, plan={"note": "hunter2hunter2"}))
        store.batches().end("b1", "done", 0, {"why": "hunter2hunter2"})
    assert b"hunter2" not in (tmp_path / "t.db").read_bytes()


def test_a_batch_goes_with_the_last_of_its_runs(store: Store) -> None:
    store.batches().begin(new())
    member(store, "f1", "r1")
    member(store, "f2", "r2")
    store.batches().end("b1", "done", 2, None)
    assert delete_runs(store.path, ["f1"]).batches == 0
    assert store.reader.batch("b1") is not None  # its edits are still there to read
    assert delete_runs(store.path, ["f2"]).batches == 1
    assert store.reader.batch("b1") is None
    assert rows(store, "SELECT kind, key FROM tombstones ORDER BY change") == [
        {"kind": "run", "key": "f1"},
        {"kind": "run", "key": "f2"},
        {"kind": "batch", "key": "b1"},
    ]
    assert rows(store, "SELECT hash FROM payloads") == []


def test_a_batch_that_goes_on_stays_when_its_runs_are_deleted(store: Store) -> None:
    store.batches().begin(new())
    member(store, "f1", "r1")
    assert delete_runs(store.path, ["f1"]).batches == 0
    found = store.reader.batch("b1")
    assert found is not None and found.edits == new().edits


def test_a_writer_says_why_the_file_cannot_be_written(tmp_path: Path) -> None:
    with Store.open(tmp_path / "t.db") as store:
        process_id = store.journal().process_id
    (tmp_path / "t.db").unlink()
    writer = BatchWriter(tmp_path / "t.db", project="", process_id=process_id, redactor=Redactor())
    assert problem(writer.begin, new()) == "store-unreadable"
