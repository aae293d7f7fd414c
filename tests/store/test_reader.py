"""The reader on a real SQLite file: lists, pages, one run, one step, and runs whose process is gone."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from chainlab.events import Event
from chainlab.store.process import Process, is_dead, this_process
from chainlab.store.reader import SqliteReader
from chainlab.store.requests import messages_of, printed
from chainlab.store.store import Store
from chainlab.trace import RequestSegment, RunOrder, RunSummary, TraceReader, TryTime
from chainlab.values.codec import Value
from tests.patience import until
from tests.store import facts


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "t.db", project="demo") as opened:
        yield opened


def tell(store: Store, *events: Event) -> None:
    async def main() -> None:
        for event in events:
            store.journal().emit(event)
        await store.journal().durable()

    asyncio.run(main())


def change(store: Store, statement: str, *values: Any) -> None:
    connection = sqlite3.connect(store.path)
    with connection:
        connection.execute(statement, values)
    connection.close()


def ids(store: Store, **filters: Any) -> list[str]:
    return [run.id for run in store.reader.runs(**filters)]


def test_a_sqlite_reader_is_a_trace_reader(store: Store) -> None:
    reader: TraceReader = store.reader
    assert reader.runs() == ()


def test_an_empty_database_answers_every_question(store: Store) -> None:
    reader = store.reader
    assert (reader.find("last"), reader.trace("x"), reader.step("x", "y"), reader.chains()) == ((), None, None, ())
    assert (reader.payload("00" * 20), reader.payload("no hex"), reader.spec("00")) == (None, None, None)
    assert reader.change() == (1, 0)


def test_runs_are_listed_newest_first_and_paged_without_gaps_or_repeats(store: Store) -> None:
    # Every three runs share a moment: the id decides among them.
    tell(store, *[facts.run_started(f"r{i:02}", started_at=1000 + i // 3) for i in range(20)])
    pages, after = [], None
    while page := store.reader.runs(limit=7, after=after):
        pages.append([run.id for run in page])
        after = page[-1].id
    assert sum(pages, []) == [f"r{i:02}" for i in reversed(range(20))]
    assert [len(page) for page in pages] == [7, 7, 6]


def test_the_tries_of_steps_with_several_are_told_without_what_was_said(store: Store) -> None:
    tell(
        store,
        facts.run_started("r1"),
        facts.step_started("r1", "once"),
        facts.attempt_started("r1", "once"),
        facts.attempt_finished("r1", "once"),
        facts.step_started("r1", "twice"),
        facts.attempt_started("r1", "twice", started_at=5),
        facts.attempt_finished("r1", "twice", status="failed", ttft_us=70),
        facts.attempt_started("r1", "twice", 2, started_at=900),
    )
    assert store.reader.tries("r1") == {
        "twice": (
            TryTime(1, "first", "failed", 5, 800, 70),
            TryTime(2, "validation", "running", 900, None, None),
        )
    }
    tell(store, facts.run_finished("r1", status="cancelled"))
    assert store.reader.tries("r1")["twice"][1].status == "interrupted"  # nobody will close it any more
    assert store.reader.tries("no-such-run") == {}


def test_runs_are_narrowed_by_chain_status_tag_and_text(store: Store) -> None:
    tell(
        store,
        facts.run_started("r1", started_at=1, tags=("nightly",), label="A 100% try"),
        facts.run_finished("r1"),
        facts.run_started("r2", started_at=2, chain="other"),
        facts.run_finished(
            "r2", status="failed", error=facts.failed("quota exceeded", "rate_limit"), error_path="draft"
        ),
        facts.run_started("r3", started_at=3, tags=("nightly", "eu")),
    )
    assert ids(store, chain="brief") == ["r3", "r1"]
    assert ids(store, status="failed") == ["r2"]
    assert ids(store, status="running") == ["r3"]
    assert ids(store, tag="nightly") == ["r3", "r1"]
    assert ids(store, tag="nightly", status="ok") == ["r1"]
    assert ids(store, text="QUOTA") == ["r2"]
    assert ids(store, text="100%") == ["r1"]
    assert ids(store, text="rate_l") == ["r2"]
    assert ids(store, text="othe") == ["r2"]
    assert store.reader.chains() == ("brief", "other")
    (failed,) = store.reader.runs(status="failed")
    assert failed.error is not None
    assert (failed.error.code, failed.error.message, failed.error.path) == ("rate_limit", "quota exceeded", "draft")
    assert store.reader.runs(tag="eu")[0].tags == ("eu", "nightly")


def test_a_reader_of_a_project_lists_that_project_only(store: Store) -> None:
    tell(store, facts.run_started("r1"))
    demo, other = SqliteReader(store.path, project="demo"), SqliteReader(store.path, project="other")
    assert [run.id for run in demo.runs()] == ["r1"]
    assert (other.runs(), other.find("last"), other.chains()) == ((), (), ())
    demo.close()
    other.close()


def test_a_run_is_found_by_id_prefix_last_and_last_failed(store: Store) -> None:
    tell(
        store,
        facts.run_started("06aaa1", started_at=1),
        facts.run_finished("06aaa1", status="failed", error=facts.failed()),
        facts.run_started("06aab2", started_at=2),
        facts.run_started("07zzz3", started_at=3),
    )
    find = store.reader.find
    assert find("06aaa1") == ("06aaa1",)
    assert find(" 07ZZ ") == ("07zzz3",)
    assert set(find("06a")) == {"06aaa1", "06aab2"}
    assert find("last") == ("07zzz3",)
    assert find("last-failed") == ("06aaa1",)
    assert (find("nothing"), find(""), find("%")) == ((), (), ())


def test_a_trace_has_the_run_its_inputs_output_and_steps_in_order(store: Store) -> None:
    tell(
        store,
        facts.run_started("r1", {"text": facts.LONG, "n": 2}),
        facts.step_started("r1", "b", sort="00002"),
        facts.step_started("r1", "a", sort="00010"),
        facts.step_started("r1", "c", sort="00001"),
        facts.run_finished("r1", output={"title": "é"}),
    )
    trace = store.reader.trace("r1")
    assert trace is not None
    assert [step.path for step in trace.steps] == ["c", "b", "a"]
    assert [(given.name, given.value.size, given.value.hash is None) for given in trace.inputs] == [
        ("n", 1, True),
        ("text", len(facts.LONG) + 2, False),
    ]
    assert trace.output is not None
    assert (trace.output.text, trace.output.size, trace.output.hash) == ('{"title":"é"}', 14, None)
    assert trace.run.spec_hash == facts.SPEC_HASH.hex()
    assert store.reader.spec(trace.run.spec_hash) == b'{"format":"chainlab-1","name":"brief"}'


def test_a_value_above_the_asked_size_is_named_and_fetched_by_its_hash(store: Store) -> None:
    tell(store, facts.run_started("r1"), facts.step_started("r1"), facts.step_finished("r1", output=facts.LONG))
    step = store.reader.step("r1", "draft", max_bytes=100)
    assert step is not None and step.output is not None and step.output.hash is not None
    assert (step.output.text, step.inputs[0].value.text) == (None, None)
    assert step.output.size == len(facts.LONG) + 2
    assert store.reader.payload(step.output.hash) == Value(facts.LONG).body


def test_a_step_shows_exactly_what_was_sent_and_what_came_back(store: Store) -> None:
    tell(
        store,
        facts.run_started("r1"),
        facts.step_started("r1"),
        facts.attempt_started("r1"),
        facts.attempt_finished("r1", status="failed", text="{", error=facts.failed("not JSON", "invalid")),
        facts.attempt_started("r1", n=2),
        facts.attempt_finished("r1", n=2, text="All good.", finish_reason="stop", served_model="smol-2", ttft_us=5),
        facts.step_finished("r1", output="All good.", attempts=2, tokens_in=14),
    )
    step = store.reader.step("r1", "draft")
    assert step is not None
    first, second = step.attempts
    assert [message.role for message in second.messages] == ["system", "user"]
    assert second.messages[1].segments == (
        RequestSegment("Summarise: "),
        RequestSegment(facts.LONG, "text"),
        RequestSegment("\nAbout "),
        RequestSegment("dogs", "topic"),
    )
    assert second.parameters == {"temperature": 0.2}
    assert (second.reply_text, second.finish_reason, second.served_model) == ("All good.", "stop", "smol-2")
    assert (first.reason, second.reason) == ("first", "validation")
    assert first.error is not None and first.error.code == "invalid"
    assert (step.summary.attempts, step.summary.tokens_in, step.summary.status) == (2, 14, "ok")
    assert (step.inputs[0].from_path, step.inputs[0].from_field) == ("$input", ".text")


def test_a_python_step_has_an_attempt_without_a_request(store: Store) -> None:
    tell(
        store,
        facts.run_started("r1"),
        facts.step_started("r1", step_kind="code", model=None, backend=None),
        facts.attempt_started("r1", request=None),
        facts.attempt_finished("r1", response=None),
    )
    step = store.reader.step("r1", "draft")
    assert step is not None
    (attempt,) = step.attempts
    assert (attempt.messages, attempt.parameters, attempt.reply, attempt.reply_text) == ((), None, None, None)


def test_a_segment_prints_the_part_of_a_payload_that_its_path_names() -> None:
    value = {"section": {"body": "as it is\n", "tags": ["ä", 1, True, None]}}
    stored = {"ab": Value(value).body}

    def text(at: list[str | int]) -> str:
        body = {"messages": [{"role": "user", "segments": [{"p": "ab", "at": at, "v": "s"}]}]}
        return messages_of(body, stored.get)[0].segments[0].text

    assert text(["section", "body"]) == "as it is\n"
    assert text(["section", "tags"]) == '["ä", 1, true, null]'
    assert text(["section", "tags", 2]) == "true"
    assert "nothing" in text(["section", "nothing"])
    gone = messages_of({"messages": [{"role": "user", "segments": [{"p": "cd"}]}]}, stored.get)
    assert gone[0].segments[0].text == "[payload cd is not in the store]"
    assert printed(None) == "null"


def test_the_change_rises_with_every_commit(store: Store) -> None:
    epoch, before = store.reader.change()
    tell(store, facts.run_started("r1"))
    assert store.reader.change() == (epoch, before + 1)


def test_a_run_of_a_dead_process_is_shown_as_interrupted_and_so_are_its_open_steps(store: Store) -> None:
    tell(store, facts.run_started("r1"), facts.step_started("r1", "a"), facts.step_finished("r1", "a"))
    tell(store, facts.step_started("r1", "b"), facts.run_started("r2"), facts.run_finished("r2"))
    assert ids(store, status="running") == ["r1"]

    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    change(store, "UPDATE processes SET pid = ?, pid_started = 1", process.pid)

    assert (ids(store, status="running"), ids(store, status="interrupted")) == ([], ["r1"])
    assert {run.id: run.status for run in store.reader.runs()} == {"r1": "interrupted", "r2": "ok"}
    trace, step = store.reader.trace("r1"), store.reader.step("r1", "b")
    assert trace is not None and step is not None
    assert {s.path: s.status for s in trace.steps} == {"a": "ok", "b": "interrupted"}
    assert (trace.run.status, step.summary.status) == ("interrupted", "interrupted")
    connection = sqlite3.connect(store.path)
    assert connection.execute("SELECT status FROM runs WHERE id = 'r1'").fetchone() == (
        "running",
    )  # shown, not written
    connection.close()


@pytest.mark.parametrize(
    ("change_to", "shown"),
    [
        ("pid_started = pid_started - 1", "interrupted"),
        ("boot_id = 'before the restart'", "interrupted"),
        ("ended_at = seen_at", "interrupted"),
        ("host = 'elsewhere', pid = 999999999, boot_id = 'x'", "running"),
        ("pid_started = 0", "running"),
        ("version = '0'", "running"),
    ],
)
def test_a_process_is_dead_only_when_that_is_sure(store: Store, change_to: str, shown: str) -> None:
    if "pid_started" in change_to and not Path("/proc/self/stat").exists():
        pytest.skip("the start of a process is known on Linux only")
    tell(store, facts.run_started("r1"))
    change(store, f"UPDATE processes SET {change_to}")
    assert store.reader.runs()[0].status == shown


def test_this_process_lives_and_a_zombie_does_not() -> None:
    assert not is_dead(this_process())
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        from chainlab.store.process import _started

        known = Process(this_process().host, this_process().boot_id, process.pid, _started(process.pid) or 0)
        assert not is_dead(known)
        assert not is_dead(known)
        process.kill()
        until(lambda: is_dead(known), "the end of a killed process")  # ended, not yet waited for
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("order", get_args(RunOrder))
def test_every_order_is_paged_without_gaps_or_repeats(store: Store, order: RunOrder) -> None:
    tell(store, *[facts.run_started(f"r{i:02}", started_at=1000 + i // 3) for i in range(20)])
    for i in range(20):  # two or three runs have the same of each; one has neither a duration nor a cost
        change(
            store,
            "UPDATE runs SET duration_us = ?, tokens_in = ?, tokens_out = ?, cost_nano = ? WHERE id = ?",
            *((None, 0, 0, None) if i == 5 else (7 * i % 10, i % 9, i % 4, 3 * i % 8)),
            f"r{i:02}",
        )
    pages, after = [], None
    while page := store.reader.runs(limit=7, after=after, order=order):
        pages.append(page)
        after = page[-1].id
    runs = [run for page in pages for run in page]

    def key(run: RunSummary) -> tuple[int, str]:
        most = {"slowest": run.duration_us, "tokens": run.tokens_in + run.tokens_out, "cost": run.cost_nano}
        by = most.get(order, run.started_at)
        return (-1 if by is None else by, run.id)

    assert len(runs) == 20 and [len(page) for page in pages] == [7, 7, 6]
    assert runs == sorted(store.reader.runs(), key=key, reverse=order != "oldest")


def test_lists_read_no_payload(store: Store) -> None:
    tell(store, facts.run_started("r1"), facts.run_finished("r1", output=facts.LONG))
    change(store, "DROP TABLE payloads")
    assert ids(store) == ["r1"]
    assert store.reader.find("last") == ("r1",)


def test_lists_walk_an_index_and_sort_nothing(store: Store) -> None:
    connection = sqlite3.connect(store.path)
    for where in ("", "WHERE project = 'demo'"):
        plan = connection.execute(
            f"EXPLAIN QUERY PLAN SELECT * FROM runs {where} ORDER BY started_at DESC, id DESC LIMIT 50"
        ).fetchall()
        assert "USING INDEX" in plan[0][3] and len(plan) == 1, plan
    connection.close()


def test_many_threads_read_while_one_writes(store: Store) -> None:
    problems: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                for run in store.reader.runs(limit=5):
                    trace = store.reader.trace(run.id)
                    assert trace is not None
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(60):
        tell(store, facts.run_started(f"r{i}"), facts.step_started(f"r{i}"), facts.run_finished(f"r{i}"))
    stop.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(store.reader.runs(limit=100)) == 60


def test_a_reader_sees_a_crashed_writers_file_without_writing(tmp_path: Path) -> None:
    code = (
        "import os, sys, asyncio; from chainlab.store.store import Store; from tests.store import facts\n"
        "journal = Store.open(sys.argv[1]).journal()\n"
        "async def main(): journal.emit(facts.run_started('r1')); await journal.durable(); os._exit(9)\n"
        "asyncio.run(main())"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "t.db")]).returncode == 9
    before = (tmp_path / "t.db").read_bytes()
    with Store.open(tmp_path / "t.db") as store:
        assert [(run.id, run.status) for run in store.reader.runs()] == [("r1", "interrupted")]
    assert (tmp_path / "t.db").read_bytes() == before


def test_a_closed_reader_says_so(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "t.db")
    store.close()
    with pytest.raises(Exception, match="closed"):
        store.reader.runs()
    assert os.path.exists(tmp_path / "t.db")
