"""Deleting runs: all of a run goes, nothing that another run needs, and a reader that follows the changes is told."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from chainlab.errors import StoreError
from chainlab.events import RequestRecord
from chainlab.store.delete import REFERENCES, delete_runs
from chainlab.store.schema import metadata
from chainlab.store.store import Store
from chainlab.values.codec import Json, Value, decode
from tests.store import facts
from tests.store.tables import row, rows, tell

OTHER = "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness."
THIRD = (
    "Call me Ishmael. Some years ago, never mind how long precisely, having little or no money in my purse, I sailed."
)

LONG_REST = "and so on " * 60  # with it a request is a payload of its own, and so is its reply


def write(store: Store, run: str, given: Json = facts.LONG, output: Json = "done", rest: str = "", **more: Any) -> None:
    """A run of one step that ends ok; `given` is its input and stands in its request."""
    tell(
        store.journal(),
        facts.run_started(run, {"text": given}, tags=("nightly",), **more),
        facts.step_started(run, value=given),
        facts.attempt_started(run, request=facts.request(given, rest=rest)),
        facts.attempt_finished(run, text=f"{OTHER} A reply of {run}" if rest else f"reply of {run}"),
        facts.step_finished(run, output=output),
        facts.run_finished(run, output=output),
    )


def payloads(store: Store) -> set[str]:
    return {found["hash"].hex() for found in rows(store, "SELECT hash FROM payloads")}


def name(value: Json) -> str:
    return Value(value).hash.hex()


def counts(store: Store) -> dict[str, int]:
    tables = ("runs", "run_tags", "steps", "step_inputs", "attempts", "specs", "payloads", "tombstones")
    return {table: int(row(store, f"SELECT count(*) AS n FROM {table}")["n"]) for table in tables}


def test_everything_of_a_run_goes_and_nothing_of_another(store: Store) -> None:
    write(store, "r1", OTHER)
    before = counts(store), payloads(store)
    write(store, "r2", THIRD)
    gone = payloads(store) - before[1]
    size = row(store, "SELECT sum(size) AS n FROM payloads")["n"]

    deleted = delete_runs(store.path, ["r2"])

    assert (deleted.runs, deleted.steps, deleted.specs, deleted.payloads) == (("r2",), 1, 0, len(gone))
    assert deleted.payload_bytes == size - row(store, "SELECT sum(size) AS n FROM payloads")["n"]
    assert counts(store) == {**before[0], "tombstones": 1}
    assert payloads(store) == before[1]
    assert store.reader.trace("r2") is None
    kept = store.reader.step("r1", "draft")
    assert kept is not None
    assert "".join(part.text for part in kept.attempts[0].messages[1].segments) == f"Summarise: {OTHER}\nAbout dogs"


def test_a_deletion_leaves_tombstones_with_change_numbers_of_their_own(store: Store) -> None:
    for run in ("r1", "r2", "r3"):
        write(store, run)
    epoch, change = store.reader.change()
    delete_runs(store.path, ["r3", "r1", "r3"])
    assert rows(store, "SELECT change, kind, key FROM tombstones ORDER BY change") == [
        {"change": change + 1, "kind": "run", "key": "r3"},
        {"change": change + 2, "kind": "run", "key": "r1"},
    ]
    assert store.reader.change() == (epoch, change + 2)
    write(store, "r4")
    assert row(store, "SELECT min(change) AS n FROM runs WHERE id = 'r4'")["n"] > change + 2


@pytest.mark.parametrize("where", ["input", "output of a step", "output of a run", "reply"])
def test_a_payload_that_another_run_names_stays(store: Store, where: str) -> None:
    write(store, "r1", OTHER, output=THIRD, rest=LONG_REST)
    reply_text = f"{OTHER} A reply of r1"
    shared = name({"text": reply_text, "raw": {"id": 1}}) if where == "reply" else name(THIRD)
    started = facts.run_started("r2", {"text": THIRD if where == "input" else "short"})
    step = facts.step_finished("r2", output=THIRD if where == "output of a step" else "short")
    ended = facts.run_finished("r2", output=THIRD if where == "output of a run" else "short")
    begun = facts.step_started("r2", value="short"), facts.attempt_started("r2", request=None)
    reply = facts.attempt_finished("r2", text=reply_text if where == "reply" else "another reply")
    tell(store.journal(), started, *begun, reply, step, ended)
    assert shared in payloads(store)

    delete_runs(store.path, ["r1"])
    assert shared in payloads(store)
    delete_runs(store.path, ["r2"])
    assert payloads(store) == set()


def test_a_payload_that_only_a_request_of_another_run_names_stays(store: Store) -> None:
    write(store, "r1", OTHER)
    tell(
        store.journal(),
        facts.run_started("r2", {"text": "short"}),
        facts.step_started("r2", value="short"),
        facts.attempt_started("r2", request=facts.request(OTHER)),
        facts.attempt_finished("r2"),
        facts.step_finished("r2"),
        facts.run_finished("r2"),
    )
    delete_runs(store.path, ["r1"])
    assert name(OTHER) in payloads(store)
    delete_runs(store.path, ["r2"])
    assert payloads(store) == set()


def test_a_payload_that_only_a_request_of_the_run_names_goes(store: Store) -> None:
    tell(
        store.journal(),
        facts.run_started("r1", {"text": OTHER}),
        facts.run_finished("r1"),
        facts.run_started("r2", {"text": "short"}),
        facts.step_started("r2", value="short"),
        facts.attempt_started("r2", request=facts.request(OTHER)),
        facts.attempt_finished("r2"),
        facts.run_finished("r2"),
    )
    with sqlite3.connect(store.path) as connection:
        connection.execute("DELETE FROM step_inputs WHERE run_id = 'r1'")  # as if another tool had
    connection.close()
    delete_runs(store.path, ["r2"])
    assert name(OTHER) not in payloads(store)


def test_text_that_looks_like_a_reference_is_none(store: Store) -> None:
    said = f'{{"p":"{name(OTHER)}"}}'
    write(store, "r1", OTHER)
    record = RequestRecord(Value({"messages": [{"role": "user", "segments": [said]}], "parameters": {}}))
    tell(
        store.journal(),
        facts.run_started("r2", {}),
        facts.step_started("r2", value="short"),
        facts.attempt_started("r2", request=record),
        facts.attempt_finished("r2"),
        facts.run_finished("r2"),
    )
    delete_runs(store.path, ["r1"])
    assert name(OTHER) not in payloads(store)


def test_a_fork_of_a_deleted_run_keeps_what_it_reused(store: Store) -> None:
    write(store, "r1", OTHER, output=THIRD)
    tell(
        store.journal(),
        facts.run_started("r2", {"text": OTHER}, run_kind="replay", parent_run_id="r1", root_run_id="r1"),
        facts.step_started("r2", value=OTHER),
        facts.step_finished("r2", output=THIRD, origin_run_id="r1", origin_path="draft"),
        facts.run_finished("r2", output=THIRD),
    )
    delete_runs(store.path, ["r1"])
    trace = store.reader.trace("r2")
    assert trace is not None and trace.output is not None and trace.output.text is not None
    assert (trace.run.parent_run_id, decode(trace.output.text)) == ("r1", THIRD)
    step = store.reader.step("r2", "draft")
    assert step is not None
    assert (step.summary.origin_run_id, step.summary.origin_path) == ("r1", "draft")
    assert [decode(given.value.text or "") for given in step.inputs] == [OTHER]


def test_a_chain_that_no_run_refers_to_any_more_goes_with_its_payload(store: Store) -> None:
    other = Value({"format": "chainlab-1", "name": "other chain", "about": OTHER})
    write(store, "r1")
    write(store, "r2")
    write(store, "r3", spec_hash=b"t" * 20, spec=other)
    assert delete_runs(store.path, ["r1"]).specs == 0
    assert delete_runs(store.path, ["r3"]).specs == 1
    assert other.hash.hex() not in payloads(store)
    assert store.reader.spec(facts.SPEC_HASH.hex()) is not None
    assert delete_runs(store.path, ["r2"]).specs == 1
    assert (payloads(store), counts(store)["specs"]) == (set(), 0)


def test_a_run_of_a_living_process_is_refused_and_nothing_is_deleted(store: Store) -> None:
    write(store, "r1")
    tell(store.journal(), facts.run_started("r2"))
    before = counts(store)
    with pytest.raises(StoreError) as caught:
        delete_runs(store.path, ["r1", "r2"])
    assert (caught.value.code, "r2" in caught.value.message) == ("run-is-running", True)
    assert counts(store) == before


def test_a_run_whose_process_is_gone_can_be_deleted(store: Store) -> None:
    tell(store.journal(), facts.run_started("r1"), facts.step_started("r1"))
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE processes SET ended_at = 1")
    connection.close()
    assert delete_runs(store.path, ["r1"]).steps == 1
    assert payloads(store) == set()


def test_an_id_that_is_no_run_is_refused_and_nothing_is_deleted(store: Store) -> None:
    write(store, "r1")
    before = counts(store)
    with pytest.raises(StoreError) as caught:
        delete_runs(store.path, ["r1", "r"])
    assert caught.value.code == "run-not-found"
    assert counts(store) == before


def test_a_process_whose_run_was_deleted_under_it_is_told_and_writes_nothing_more(store: Store) -> None:
    tell(store.journal(), facts.run_started("r1"))
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE processes SET ended_at = 1")  # as another machine may wrongly believe
    connection.close()
    delete_runs(store.path, ["r1"])
    with pytest.raises(StoreError) as caught:
        tell(store.journal(), facts.step_started("r1"), facts.step_finished("r1"))
    assert caught.value.code == "store-fenced"
    assert counts(store)["steps"] == 0


def test_what_was_deleted_does_not_stand_in_the_file_any_more(tmp_path: Path) -> None:
    with Store.open(tmp_path / "t.db") as store:
        write(store, "r1", OTHER * 200)  # longer than a page
        write(store, "r2", "short")
        delete_runs(store.path, ["r1"])
    assert [file.name for file in tmp_path.iterdir()] == ["t.db"]  # the log went with the last connection
    assert OTHER.encode() not in (tmp_path / "t.db").read_bytes()


def test_every_column_that_could_name_a_payload_is_looked_at() -> None:
    hashes = {
        (table.name, column.name)
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, sa.LargeBinary)
    }
    no_payload = {
        ("payloads", "hash"),
        ("payloads", "body"),
        ("specs", "hash"),
        ("runs", "spec_hash"),
        ("steps", "reuse_key"),
        ("attempts", "adapter_hash"),
        ("results", "key"),
    }
    assert hashes == set(REFERENCES) | no_payload


# -- against the definition: after a deletion there is exactly what the rows that stay lead to ------------------------


def reachable(store: Store) -> set[str]:
    """The slow way: every payload that any row, or any request in it, names."""
    named = {
        found["hash"].hex()
        for table, column in REFERENCES
        for found in rows(store, f"SELECT {column} AS hash FROM {table} WHERE {column} IS NOT NULL")
    }
    for found in rows(
        store, "SELECT body FROM payloads UNION ALL SELECT request_text FROM attempts WHERE request_text IS NOT NULL"
    ):
        body = decode(found["body"])
        for message in body.get("messages", ()) if isinstance(body, dict) else ():
            named |= {part["p"] for part in message["segments"] if isinstance(part, dict) and "p" in part}
    return named


texts = st.sampled_from([OTHER, THIRD, facts.LONG, "short"])


@given(
    st.lists(st.tuples(texts, texts, st.booleans(), st.sampled_from(["", LONG_REST])), min_size=1, max_size=5),
    st.data(),
)
@settings(max_examples=25, deadline=None)
def test_what_stays_is_exactly_what_the_other_runs_lead_to(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[str, str, bool, str]], data: st.DataObject
) -> None:
    with Store.open(tmp_path_factory.mktemp("delete") / "t.db") as store:
        for place, (given_text, output, own_chain, rest) in enumerate(made):
            spec = {"spec_hash": bytes([place]) * 20, "spec": Value({"n": place, "about": output})} if own_chain else {}
            write(store, f"r{place}", given_text, output, rest, **spec)
        runs = [f"r{place}" for place in range(len(made))]
        for run in data.draw(st.permutations(runs)):
            before = payloads(store)
            delete_runs(store.path, [run])
            assert payloads(store) == before & reachable(store)
        assert counts(store) == {**dict.fromkeys(counts(store), 0), "tombstones": len(runs)}


def test_deleting_beside_a_writer_of_the_same_values_leaves_no_hole(store: Store, tmp_path: Path) -> None:
    write(store, "r0", OTHER, THIRD)
    stop = threading.Event()

    def write_on() -> None:
        with Store.open(store.path) as other:
            for number in range(1, 40):
                write(other, f"r{number}", OTHER, THIRD)
        stop.set()

    writer = threading.Thread(target=write_on)
    writer.start()
    while not stop.is_set():
        ended = rows(store, "SELECT id FROM runs WHERE status = 'ok'")
        delete_runs(store.path, [found["id"] for found in ended])
    writer.join()
    write(store, "last", OTHER, THIRD)
    in_rows = (  # named, not stored
        "SELECT inputs_hash AS hash FROM runs UNION SELECT request_hash FROM attempts WHERE request_text IS NOT NULL"
        " UNION SELECT response_hash FROM attempts WHERE response_text IS NOT NULL"
    )
    assert reachable(store) - payloads(store) <= {found["hash"].hex() for found in rows(store, in_rows)}
    assert {name(OTHER), name(THIRD)} <= payloads(store)
    assert rows(store, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]
