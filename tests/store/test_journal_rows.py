"""The journal on a real SQLite file. Events in, rows out; odd values come back as they went in."""

from __future__ import annotations

import asyncio
import math
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from chainlab.errors import StoreError
from chainlab.events import Event, TokenDelta
from chainlab.store.store import Store
from chainlab.values.codec import Value, decode, encode
from tests.patience import LIMIT_S
from tests.store import facts
from tests.store.tables import row, rows, tell

pytestmark = pytest.mark.usefixtures("committed_by")


def test_a_started_run_is_a_running_row_with_its_spec_tags_and_inputs(store: Store) -> None:
    tell(store.journal(), facts.run_started("r1", {"text": facts.LONG, "n": 3}, tags=("a", "b"), label="first try"))

    run = row(store, "SELECT * FROM runs")
    assert (run["id"], run["project"], run["chain"], run["status"]) == ("r1", "demo", "brief", "running")
    assert (run["root_run_id"], run["label"], run["cost_nano"]) == ("r1", "first try", None)
    assert run["process_id"] == store.journal().process_id
    assert [tag["tag"] for tag in rows(store, "SELECT tag FROM run_tags ORDER BY tag")] == ["a", "b"]
    inputs = {given["name"]: given for given in rows(store, "SELECT * FROM step_inputs WHERE path = '$input'")}
    assert inputs["n"]["value_text"] == "3"
    assert inputs["text"]["value_text"] is None
    assert inputs["text"]["hash"] == Value(facts.LONG).hash
    spec = row(store, "SELECT s.project, p.body FROM specs s JOIN payloads p ON p.hash = s.payload_hash")
    assert decode(spec["body"])["name"] == "brief"


def test_a_step_is_running_before_its_call_and_ok_after_it(store: Store) -> None:
    journal = store.journal()
    tell(journal, facts.run_started("r1"), facts.step_started("r1"), facts.attempt_started("r1"))
    before = row(store, "SELECT * FROM steps")
    assert (before["status"], before["model"], before["finished_at"]) == ("running", "small", None)
    assert row(store, "SELECT status FROM attempts") == {"status": "running"}

    tell(journal, facts.attempt_finished("r1"), facts.step_finished("r1", output="short", tokens_in=7, cost_nano=12))
    after = row(store, "SELECT * FROM steps")
    assert (after["status"], after["output_text"], after["tokens_in"], after["cost_nano"]) == ("ok", '"short"', 7, 12)
    assert (after["started_at"], after["step"]) == (before["started_at"], before["step"])
    attempt = row(store, "SELECT * FROM attempts")
    assert (attempt["status"], attempt["model"], attempt["base"]) == ("ok", "smol", "smol-base")
    assert attempt["tokens_out"] == 3


def test_events_of_one_commit_become_one_row_in_its_last_state(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = store.journal()
    following, told = journal._next, threading.Event()

    def next_when_told() -> Any:
        assert told.wait(LIMIT_S)
        return following()

    # A writer that has long been idle begins with the first event; on a busy machine the rest could come too late.
    monkeypatch.setattr(journal, "_next", next_when_told)
    whole_run: list[Event] = [
        facts.run_started("r1"),
        facts.step_started("r1"),
        facts.attempt_started("r1"),
        facts.attempt_finished("r1", status="failed", error=facts.failed(), text="bad"),
        facts.attempt_started("r1", n=2),
        facts.attempt_finished("r1", n=2),
        facts.step_finished("r1", attempts=2),
        facts.run_finished("r1", steps_ok=1),
    ]

    async def main() -> None:
        for event in whole_run:
            journal.emit(event)
        committed = journal.durable()
        told.set()
        await committed

    asyncio.run(main())
    assert journal.commits == 1
    assert row(store, "SELECT status, attempts FROM steps") == {"status": "ok", "attempts": 2}
    assert row(store, "SELECT status, steps_ok, output_text FROM runs") == {
        "status": "ok",
        "steps_ok": 1,
        "output_text": '"done"',
    }
    assert row(store, "SELECT change FROM store") == {"change": 2}  # one step, one run


def test_the_same_events_in_many_commits_give_the_same_rows(tmp_path: Path) -> None:
    events: list[Event] = [
        facts.run_started("r1", tags=("t",)),
        facts.step_started("r1"),
        facts.attempt_started("r1"),
        facts.attempt_finished("r1"),
        facts.step_finished("r1", output=facts.LONG),
        facts.step_skipped("r1", "publish", "draft"),
        facts.run_finished("r1", cost_nano=5),
    ]
    dumps = []
    for name, groups in (("one.db", [events]), ("many.db", [[event] for event in events])):
        with Store.open(tmp_path / name) as store:
            for group in groups:
                tell(store.journal(), *group)
            dumps.append(
                [
                    [{k: v for k, v in r.items() if k not in ("change", "process_id")} for r in rows(store, query)]
                    for query in (
                        "SELECT * FROM runs",
                        "SELECT * FROM steps ORDER BY path",
                        "SELECT * FROM attempts",
                        "SELECT * FROM step_inputs ORDER BY path, name",
                        "SELECT * FROM payloads ORDER BY hash",
                    )
                ]
            )
    assert dumps[0] == dumps[1]


@pytest.mark.parametrize("commits", [1, 2])
def test_a_step_that_another_model_did_without_the_adapter_names_none(store: Store, commits: int) -> None:
    journal = store.journal()
    began: list[Event] = [facts.run_started("r1"), facts.step_started("r1", adapter="tickets")]
    ended = facts.step_finished("r1", made_by=("large", "remote", None))
    if commits == 2:
        tell(journal, *began)
        tell(journal, ended)
    else:
        journal._commit([*began, ended])  # as the thread does that has nothing else to do here
    step = row(store, "SELECT * FROM steps")
    assert (step["model"], step["backend"], step["adapter"]) == ("large", "remote", None)


def test_a_skipped_step_says_what_caused_it(store: Store) -> None:
    tell(store.journal(), facts.run_started("r1"), facts.step_skipped("r1", "publish", "draft"))
    assert row(store, "SELECT status, cause_path, attempts, started_at FROM steps") == {
        "status": "skipped",
        "cause_path": "draft",
        "attempts": 0,
        "started_at": None,
    }


def test_a_closed_attempt_is_never_rewritten(store: Store) -> None:
    journal = store.journal()
    tell(journal, facts.run_started("r1"), facts.step_started("r1"), facts.attempt_started("r1"))
    tell(journal, facts.attempt_finished("r1", text="first"))
    closed = row(store, "SELECT * FROM attempts")
    tell(journal, facts.attempt_finished("r1", text="second", status="failed"), facts.attempt_started("r1"))
    assert row(store, "SELECT * FROM attempts") == closed


def test_token_text_leaves_no_row_and_no_commit(store: Store) -> None:
    journal = store.journal()
    tell(journal, TokenDelta("r1", "draft", 1, "Onc"))
    assert journal.commits == 0


def test_small_values_stand_inline_and_large_ones_once_as_payloads(store: Store) -> None:
    at_limit, above = "x" * 98, "x" * 99  # two quotes make 100 and 101 bytes
    tell(
        store.journal(),
        facts.run_started("r1", {}),
        facts.step_started("r1", "a", at_limit),
        facts.step_started("r1", "b", above),
        facts.step_started("r1", "c", above),
        facts.step_finished("r1", "c", above),
    )
    texts = {r["path"]: r["value_text"] for r in rows(store, "SELECT path, value_text FROM step_inputs")}
    assert texts == {"a": f'"{at_limit}"', "b": None, "c": None}
    stored = rows(store, "SELECT body FROM payloads WHERE size BETWEEN 99 AND 102")
    assert [r["body"].decode() for r in stored] == [f'"{above}"']


def test_a_payload_that_was_pruned_is_stored_again(store: Store) -> None:
    journal = store.journal()
    tell(journal, facts.run_started("r1"), facts.step_started("r1", "a"))
    connection = sqlite3.connect(store.path)
    with connection:
        connection.execute("DELETE FROM payloads")
    connection.close()
    tell(journal, facts.step_started("r1", "b"))
    assert rows(store, "SELECT 1 FROM payloads WHERE hash = ?", Value(facts.LONG).hash)


ODD: Sequence[Any] = [
    "lone \ud800 surrogate " * 10,
    "nul \0 inside",
    "nul \0 inside " * 20,
    2**70,
    [2**70] * 20,
    float("inf"),
    {"\ud83d": ["\udc00", "\x00", "\x7f", "\u2028"]},
    {"b": 1, "a": {"z": None, "": True}},
    "",
    "\ufeffbom and \r\n and \t",
    1e-320,
]


@pytest.mark.parametrize("odd", ODD, ids=lambda value: ascii(value)[:20])
def test_an_odd_value_comes_back_as_it_went_in(store: Store, odd: Any) -> None:
    tell(
        store.journal(),
        facts.run_started("r1", {"odd": odd}),
        facts.step_started("r1", value=odd),
        facts.step_finished("r1", output=odd),
        facts.run_finished("r1", output=odd),
    )
    trace, step = store.reader.trace("r1"), store.reader.step("r1", "draft")
    assert trace is not None and step is not None
    for datum in (trace.inputs[0].value, trace.output, step.inputs[0].value, step.output):
        assert datum is not None and datum.text is not None
        assert encode(decode(datum.text)) == encode(odd)


def test_nan_comes_back_as_nan(store: Store) -> None:
    tell(store.journal(), facts.run_started("r1", {"x": math.nan}))
    trace = store.reader.trace("r1")
    assert trace is not None and trace.inputs[0].value.text is not None
    assert math.isnan(decode(trace.inputs[0].value.text))


def test_odd_texts_in_columns_are_escaped_and_numbers_that_fit_no_column_are_clamped(store: Store) -> None:
    tell(
        store.journal(),
        facts.run_started("r1", label="l\ud800\0", tags=("t\udfff",)),
        facts.step_started("r1", model="m\ud800"),
        facts.attempt_started("r1"),
        facts.attempt_finished("r1", tokens_in=2**70, tokens_out=-(2**70), served_model="s\ud800"),
        facts.step_finished("r1", status="failed", error=facts.failed("broke \ud800 at \0 here")),
    )
    assert row(store, "SELECT label FROM runs") == {"label": "l\\ud800\\x00"}
    assert row(store, "SELECT error_message FROM steps") == {"error_message": "broke \\ud800 at \\x00 here"}
    assert row(store, "SELECT tokens_in FROM attempts") == {"tokens_in": 2**63 - 1}


def test_an_endless_error_message_is_cut(store: Store) -> None:
    tell(
        store.journal(),
        facts.run_started("r1"),
        facts.run_finished("r1", status="failed", error=facts.failed("x" * 9000)),
    )
    message = row(store, "SELECT error_message FROM runs")["error_message"]
    assert len(message) == 2000
    assert message.endswith("…")


def test_an_event_that_cannot_be_stored_stops_its_run_and_no_other(store: Store) -> None:
    journal = store.journal()
    broken = facts.step_finished("bad", output={1, 2})

    async def main() -> Sequence[BaseException | None]:
        async def one(run: str, event: Event) -> None:
            journal.emit(facts.run_started(run))
            journal.emit(event)
            await journal.durable()

        return await asyncio.gather(one("bad", broken), one("good", facts.step_started("good")), return_exceptions=True)

    bad, good = asyncio.run(main())
    assert isinstance(bad, StoreError) and bad.code == "store-bad-event"
    assert good is None
    assert [r["run_id"] for r in rows(store, "SELECT run_id FROM steps")] == ["good"]
