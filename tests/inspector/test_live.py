"""What pages are told as it happens: from other processes, after a gap, to whom, and at what cost."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from chainlab import Lab, Request
from chainlab.events import AttemptFinished, Event, RunFinished, TokenDelta
from chainlab.inspector import live as live_module
from chainlab.inspector.app import create_app
from chainlab.inspector.live import MOST_RUNS, Live, merged
from chainlab.inspector.live_models import Moved, MovedRun
from chainlab.inspector.security import CSP, Security
from chainlab.inspector.sse import EventStream
from chainlab.inspector.workbench import Workbench
from chainlab.inspector.writing import AT_ONCE, LONGEST, Writing
from chainlab.store.change_reading import FAR
from chainlab.store.delete import delete_runs
from chainlab.store.store import Store
from tests.inspector.conftest import PAGE, PORT
from tests.inspector.desk import NEW, fresh_key, over, recorded
from tests.inspector.listening import Page, listening, live_of
from tests.inspector.server import server
from tests.inspector.typist import Typist
from tests.lab.replays import Model
from tests.patience import LIMIT_S, turns_until, until
from tests.store import facts


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / ".chainlab" / "traces.db"
    path.parent.mkdir()
    return path


@pytest.fixture
def store(database: Path) -> Iterator[Store]:
    with Store.open(database) as opened:
        yield opened


@pytest.fixture
def app(store: Store) -> FastAPI:
    made = create_app(store.reader, security=Security(port=PORT), assets=PAGE)
    made.state.security = made.state.security
    return made


async def tell(store: Store, *events: Event) -> None:
    for event in events:
        store.journal().emit(event)
    await store.journal().durable()


_ELSEWHERE = """
import asyncio, sys
from pathlib import Path
from chainlab.store.store import Store
from tests.store import facts

async def main(database, stays, *runs):
    with Store.open(Path(database)) as store:
        for run in runs:
            store.journal().emit(facts.run_started(run))
            store.journal().emit(facts.step_started(run))
        await store.journal().durable()
        if stays == "stays":
            print("begun", flush=True)
            sys.stdin.read()
        for run in runs:
            store.journal().emit(facts.step_finished(run))
            store.journal().emit(facts.run_finished(run))
        await store.journal().durable()

asyncio.run(main(*sys.argv[1:]))
"""


def elsewhere(database: Path, *runs: str) -> None:
    """Write runs in another process, and wait for its end."""
    subprocess.run([sys.executable, "-c", _ELSEWHERE, str(database), "ends", *runs], check=True)


def killed_soon(database: Path, run: str) -> subprocess.Popen[bytes]:
    """Another process that has begun a run when it says so, and then goes on with nothing."""
    command = [sys.executable, "-c", _ELSEWHERE, str(database), "stays", run]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


# -- what is told ------------------------------------------------------------------------------------------------------


async def test_runs_that_another_process_writes_are_told(app: FastAPI, store: Store) -> None:
    async with listening(app) as page:
        await page.begun()
        await asyncio.to_thread(elsewhere, store.path, "r1", "r2")
        await turns_until(lambda: {"r1", "r2"} <= set(page.runs), "both runs")
        assert {"id": "r1", "chain": "brief"} in page.told("moved")[1]["runs"]
        assert page.told("moved")[-1]["change"] == store.reader.change()[1]
        assert not any(frame["batches"] for frame in page.told("moved")[1:])


async def test_a_page_that_knows_nothing_is_told_to_ask_for_everything(app: FastAPI, store: Store) -> None:
    await tell(store, facts.run_started("r1"))
    async with listening(app) as page:
        await page.begun()
        assert page.told("moved") == [
            {"change": store.reader.change()[1], "runs": [], "batches": False, "resync": True}
        ]


async def test_a_deleted_run_is_told_without_its_chain(app: FastAPI, store: Store) -> None:
    await tell(store, facts.run_started("r1"), facts.run_finished("r1"))
    async with listening(app) as page:
        await page.begun()
        await asyncio.to_thread(delete_runs, store.path, ["r1"])
        await turns_until(lambda: page.runs, "the deleted run")
        assert page.told("moved")[-1]["runs"] == [{"id": "r1", "chain": None}]


async def test_a_run_whose_process_was_killed_is_told_though_nobody_commits_it(
    app: FastAPI, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "LOST_S", 0.1)
    process = killed_soon(store.path, "r1")
    assert process.stdout is not None
    try:
        await asyncio.to_thread(process.stdout.readline)
        async with listening(app) as page:
            await page.begun()
            process.kill()
            process.wait()
            await turns_until(lambda: page.runs == ["r1"], "the lost run")
            last = page.last
        async with listening(app, last) as page:  # and who was away meanwhile
            await page.begun()
            assert page.runs == ["r1"]
    finally:
        process.kill()
        process.communicate()


async def test_nothing_new_is_a_ping(app: FastAPI) -> None:
    body = b""

    async def receive() -> Any:
        await asyncio.sleep(LIMIT_S)

    async def send(message: Any) -> None:
        nonlocal body
        body += message.get("body", b"")

    task = asyncio.create_task(EventStream(live_of(app), None, ping_s=0.01)({"type": "http"}, receive, send))
    await turns_until(lambda: body.count(b"event: ping\ndata: {}\n\n") > 2, "pings")
    task.cancel()
    await asyncio.wait({task})
    assert live_of(app).listening == 0


# -- from where a page was ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["after", "last-event-id"])
async def test_a_page_goes_on_from_where_it_was_without_a_gap_and_without_a_repeat(
    app: FastAPI, store: Store, by: str
) -> None:
    async def written() -> None:
        for number in range(60):
            await tell(store, facts.run_started(f"r{number:02}"), facts.run_finished(f"r{number:02}"))
            await asyncio.sleep(0.02)

    async with listening(app) as page:
        await page.begun()
        last = page.last
    writing = asyncio.create_task(written())
    runs: list[str] = []
    ids = [str(last)]
    while not writing.done() or len(set(runs)) < 60:
        assert last is not None
        async with listening(app, last) if by == "after" else listening(app, "1", last_event_id=last) as page:
            # Cut off after one frame that names a run: once at each of many moments.
            await turns_until(lambda page=page: page.runs or (writing.done() and page.events), "another run")  # type: ignore[misc]
        assert not any(frame["resync"] for frame in page.told("moved"))
        runs += page.runs
        ids += [str(event.id) for event in page.events if event.name == "moved"]
        last = page.last
    await writing
    assert sorted(set(runs)) == [f"r{number:02}" for number in range(60)]
    # Begun and ended in one commit or two: a run moves twice at most, and is told no more often.
    assert max(map(runs.count, runs)) <= 2
    changes = [int(one.rpartition(":")[2]) for one in ids]
    assert changes == sorted(changes)


async def test_two_pages_are_told_the_same_whenever_they_came(app: FastAPI, store: Store) -> None:
    async with listening(app) as first:
        await first.begun()
        await tell(store, facts.run_started("r1"))
        await turns_until(lambda: first.runs, "the first run")
        async with listening(app, first.last) as second:
            await second.begun()
            assert second.runs == []
            await tell(store, facts.run_started("r2"))
            await turns_until(lambda: first.runs == ["r1", "r2"] and second.runs == ["r2"], "the second run")
            assert first.last == second.last


async def test_more_runs_than_a_frame_names_are_told_as_everything(app: FastAPI, store: Store) -> None:
    async with listening(app) as page:
        await page.begun()
        last = page.last
    await tell(store, *[facts.run_started(f"r{number:03}") for number in range(MOST_RUNS)])
    async with listening(app, last) as page:
        await page.begun()
        assert len(page.runs) == MOST_RUNS and not page.told("moved")[0]["resync"]
    await tell(store, facts.run_started("one-more"))
    async with listening(app, last) as page:
        await page.begun()
        assert page.runs == [] and page.told("moved")[0]["resync"]
        assert page.last is not None and page.last.endswith(f":{store.reader.change()[1]}")


@pytest.mark.parametrize("after", ["another-store:1:1", "anotherstore:1:1", "999999999", "x", "", "1:1", "-1", "٣"])
async def test_who_was_elsewhere_is_told_to_ask_for_everything(app: FastAPI, store: Store, after: str) -> None:
    await tell(store, facts.run_started("r1"), facts.run_started("r2"))
    async with listening(app, after) as page:
        await page.begun()
        assert page.told("moved")[0]["resync"] and page.runs == []


async def test_who_is_far_behind_is_not_told_what_has_changed(app: FastAPI, store: Store) -> None:
    await tell(store, facts.run_started("r1"))
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE store SET change = change + ?", (FAR + 1,))
    connection.close()
    async with listening(app, "0") as page:
        await page.begun()
        assert page.told("moved")[0]["resync"]


def test_frames_together_name_every_run_once_and_never_too_many() -> None:
    first = Moved(1, (MovedRun("a", "x"), MovedRun("b", "x")))
    both = merged(first, Moved(2, (MovedRun("b", None),), batches=True))
    assert both == Moved(2, (MovedRun("a", "x"), MovedRun("b", None)), batches=True)
    many = Moved(3, tuple(MovedRun(f"c{number}", "x") for number in range(MOST_RUNS)))
    assert merged(first, many) == Moved(3, resync=True)
    assert merged(Moved(9, resync=True), first) == Moved(9, resync=True)


# -- to whom -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"cookie": ""}, 401),
        ({"cookie": f"chainlab_{PORT}=wrong"}, 401),
        ({"host": "evil.example"}, 421),
        ({"host": f"evil.example:{PORT}", "origin": "http://evil.example"}, 421),
    ],
)
async def test_a_stranger_is_told_nothing(app: FastAPI, headers: dict[str, str], status: int) -> None:
    async with listening(app, **headers) as page:
        await page.begun()
        assert (page.status, page.ended) == (status, True)
        assert live_of(app).listening == 0 and not live_of(app).looks


async def test_the_answer_carries_the_headers_of_all_answers(app: FastAPI) -> None:
    async with listening(app) as page:
        await page.begun()
        assert page.status == 200
        assert page.headers["content-type"].startswith("text/event-stream")
        assert page.headers["content-security-policy"] == CSP
        assert page.headers["cache-control"] == "no-store"
        assert "content-length" not in page.headers
        assert not [name for name in page.headers if name.startswith("access-control-")]


async def test_too_many_pages_are_refused(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "MOST_LISTENERS", 1)
    async with listening(app) as first:
        await first.begun()
        async with listening(app) as second:
            await turns_until(lambda: second.ended, "the refusal")
            assert second.status == 503 and b"too_many_pages" in second.body
        assert live_of(app).listening == 1


# -- at what cost ------------------------------------------------------------------------------------------------------


class Counting:
    """A reader that counts how often somebody asks what has changed."""

    def __init__(self, store: Store) -> None:
        self.asked = 0
        self._reader = store.reader

    def changed(self, *given: Any, **more: Any) -> Any:
        self.asked += 1
        return self._reader.changed(*given, **more)

    def lost(self, **more: Any) -> Any:
        return self._reader.lost(**more)


async def test_all_pages_share_one_look_which_begins_with_the_first_and_ends_with_the_last(store: Store) -> None:
    reader: Any = Counting(store)
    live = Live(reader)
    assert (live.looks, reader.asked) == (False, 0)
    listeners = [await live.join(None) for _ in range(10)]
    began, before = time.monotonic(), reader.asked
    await asyncio.sleep(1)
    looks, took = reader.asked - before, time.monotonic() - began
    assert 1 <= looks <= took / live_module.SOON_S + 1
    for listener in listeners:
        assert live.looks
        live.leave(listener)
    assert (live.looks, live.listening) == (False, 0)
    after = reader.asked
    await asyncio.sleep(0.3)
    assert reader.asked <= after + 1  # the one that was under way


async def test_a_page_that_is_closed_is_forgotten_at_once_also_when_it_does_not_read(
    app: FastAPI, store: Store
) -> None:
    async with listening(app) as page:
        await page.begun()
        page.reads.clear()
        await tell(store, facts.run_started("r1"))
        await asyncio.sleep(0.3)
        assert live_of(app).listening == 1
        page.gone.set()
        await turns_until(lambda: live_of(app).listening == 0, "the end of the page")
        assert not live_of(app).looks


async def test_a_page_that_does_not_read_is_one_frame_behind_however_much_happens(app: FastAPI, store: Store) -> None:
    async with listening(app) as slow, listening(app) as quick:
        await slow.begun()
        await quick.begun()
        slow.reads.clear()
        for part in range(10):
            await tell(store, *[facts.run_started(f"r{part}-{number}") for number in range(100)])
            await turns_until(lambda part=part: f"r{part}-0" in quick.runs, "the quick page")  # type: ignore[misc]
        slow.reads.set()
        await turns_until(lambda: slow.last == quick.last, "the slow page")
        # One frame may have been on its way when it stopped reading; all the rest is one more.
        assert len(slow.told("moved")) <= 3
        assert slow.told("moved")[-1]["resync"]


async def test_the_log_of_the_database_does_not_grow_because_pages_listen(app: FastAPI, store: Store) -> None:
    log = store.path.with_name(f"{store.path.name}-wal")

    def emptied() -> bool:
        """Whether nobody reads from the log, so that all of it can be given back."""
        connection = sqlite3.connect(store.path, timeout=0)
        try:
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            connection.close()
        return not busy and log.stat().st_size == 0

    async with listening(app) as page, listening(app) as stalled:
        await page.begun()
        await stalled.begun()
        stalled.reads.clear()
        for number in range(20):
            await tell(store, *[facts.run_started(f"r{number}-{each}") for each in range(20)])
            await asyncio.sleep(0.02)
        await turns_until(lambda: "r19-19" in page.runs or page.told("moved")[-1]["resync"], "the last run")
        assert log.stat().st_size > 0
        await turns_until(emptied, "an empty log")
        stalled.reads.set()


async def test_a_store_that_fails_ends_the_connections_and_says_so_to_who_comes_again(
    app: FastAPI, store: Store
) -> None:
    async with listening(app) as page:
        await page.begun()
        store.reader.close()
        await turns_until(lambda: page.ended, "the end of the connection")
    async with listening(app, page.last) as page:
        await turns_until(lambda: page.ended, "the answer")
        assert page.status == 500
    assert live_of(app).listening == 0 and not live_of(app).looks


# -- a server of its own -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_the_end_of_the_server_does_not_wait_for_pages_that_listen(database: Path, sent: signal.Signals) -> None:
    Store.open(database).close()
    with server(database) as (process, url), httpx.Client(trust_env=False, timeout=LIMIT_S) as client:
        client.get(url)
        with client.stream("GET", f"{url.partition('/start')[0]}/api/events") as reply:
            lines = reply.iter_lines()
            assert next(lines) == "event: moved"
            began = time.monotonic()
            process.send_signal(sent)
            assert list(lines)[-1] == ""  # a whole answer, not one that was cut off
            process.wait(LIMIT_S)
            assert time.monotonic() - began < 2.5


def test_a_page_goes_on_where_it_was_when_the_server_was_started_again(database: Path) -> None:
    Store.open(database).close()

    def one(start: str, after: str | None) -> tuple[str, str]:
        with httpx.Client(trust_env=False, timeout=LIMIT_S) as client:
            client.get(start)
            query = {} if after is None else {"after": after}
            with client.stream("GET", f"{start.partition('/start')[0]}/api/events", params=query) as reply:
                lines = reply.iter_lines()
                assert next(lines) == "event: moved"
                return next(lines).removeprefix("id: "), next(lines)

    with server(database) as (_, start):
        last, _ = one(start, None)
    elsewhere(database, "r1")
    with server(database) as (_, start):
        told, data = one(start, last)
    assert told != last and '"id":"r1"' in data and '"resync":false' in data


def test_pages_that_come_and_go_leave_no_connection_and_no_memory_behind(database: Path) -> None:
    Store.open(database).close()
    with server(database) as (process, url), httpx.Client(trust_env=False, timeout=LIMIT_S) as client:
        client.get(url)
        address = f"{url.partition('/start')[0]}/api/events"

        def come_and_go(times: int) -> None:
            for _ in range(times):
                with client.stream("GET", address) as reply:
                    assert next(reply.iter_lines()) == "event: moved"

        come_and_go(20)
        before = _resident(process.pid)
        come_and_go(200)
        until(lambda: _connections(process.pid) <= 4, "the end of all connections")
        assert _resident(process.pid) - before < 16 * 2**20


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _connections(pid: int) -> int:
    places = Path(f"/proc/{pid}/fd").iterdir()
    return sum(os.readlink(place).startswith("socket:") for place in places if place.is_symlink())


# -- what models write -------------------------------------------------------------------------------------------------


def delta(text: str, path: str = "draft", n: int = 1) -> TokenDelta:
    return TokenDelta("r1", path, n, text)


def test_text_is_told_in_pieces_that_know_their_place() -> None:
    writing, told = Writing(), dict[Any, Any]()
    writing.hear(delta("Hello "))
    writing.hear(delta("w\U0001f600rld"))
    (first,), _ = writing.news(told)
    assert (first.run, first.path, first.n, first.at, first.text) == ("r1", "draft", 1, 0, "Hello w\U0001f600rld")
    writing.hear(delta("!"))
    (second,), more = writing.news(told)
    assert (second.at, second.text, more) == (12, "!", False)  # a page counts the face as two
    assert writing.news(told) == ([], False)
    assert [one.text for one in writing.news({})[0]] == ["Hello w\U0001f600rld!"]  # who comes later is told all


def test_what_has_ended_is_forgotten() -> None:
    writing, told = Writing(), dict[Any, Any]()
    for path in ("a", "b", "c"):
        writing.hear(delta("x", path))
    writing.news(told)
    writing.hear(AttemptFinished("r1", "a", 1, "ok", 5))
    assert writing.news(told) == ([], False) and {key[1] for key in told} == {"b", "c"}
    writing.hear(RunFinished("r1", "cancelled", 1, 1))
    assert writing.news(told) == ([], False) and told == {}


def test_text_has_a_limit_for_each_try_and_for_each_frame() -> None:
    writing, told = Writing(), dict[Any, Any]()
    for _ in range(100):
        writing.hear(delta("x" * 5000))
    writing.hear(delta("y", "other"))
    first, more = writing.news(told)
    assert [len(one.text) for one in first] == [AT_ONCE] and more
    second, more = writing.news(told)
    assert LONGEST <= AT_ONCE + len(second[0].text) <= LONGEST + 5000 and second[1].text == "y" and not more


def test_no_secret_is_told_even_one_that_comes_in_pieces() -> None:
    writing = Writing()
    writing.hide(["sk-very-secret", "none"])
    told: dict[Any, Any] = {}
    seen = ""
    for piece in ("none of s", "k-ve", "ry-sec", "ret, sk-very-open"):
        writing.hear(delta(piece))
        seen += "".join(one.text for one in writing.news(told)[0])
        assert "sk-v" not in seen or "sk-very-open" in seen
    assert seen == "none of [redacted], sk-very-open"


def _slow(database: Path, gate: asyncio.Event) -> Workbench:
    """A workbench whose model stops before its fourth word until the gate is open."""
    model = Model()

    async def wait() -> None:
        await gate.wait()

    def pause(request: Request, written: str) -> object:
        return wait() if written.count(" ") == 2 else None

    def reply(request: Request) -> str:
        said = model.reply(request)
        return said if isinstance(said, str) else json.dumps(said)

    return Workbench(lambda: Lab.open(database, default_model=Typist(reply, pause)))


async def test_the_text_of_a_replay_is_told_while_it_is_written(database: Path) -> None:
    (run,) = await asyncio.to_thread(recorded, database)
    gate = asyncio.Event()
    async with over(database, _slow(database, gate), Model()) as desk:
        async with listening(desk.app) as page:
            await page.begun()
            fork = (await desk.replay(run, NEW)).json()["run_id"]
            await turns_until(lambda: page.told("written"), "the first words")
            async with listening(desk.app, page.last) as late:
                await turns_until(lambda: _text(late) == _text(page) != "", "the same words, to who came later")
            assert _text(page).startswith('{"score": 5, "text":')
            assert {(one["run"], one["path"], one["n"]) for one in page.told("written")} == {(fork, "critique", 1)}
            trace = desk.store.reader.step(fork, "critique")
            assert trace is not None and trace.attempts[0].reply is None  # not stored
            gate.set()
            assert (await desk.end_of(fork)).status == "ok"
            await turns_until(lambda: fork in page.runs, "the run")
            assert all(event.id is None for event in page.events if event.name == "written")


async def test_the_text_of_a_batch_is_told_too(database: Path) -> None:
    runs = await asyncio.to_thread(recorded, database, "one", "two")
    gate = asyncio.Event()
    async with over(database, _slow(database, gate), Model()) as desk, listening(desk.app) as page:
        await page.begun()
        body = {"edits": [NEW], "idempotency_key": fresh_key(), "kind": "backtest", "runs": runs}
        batch = (await desk.post("batches", body)).json()["batch_id"]
        await turns_until(lambda: len({one["run"] for one in page.told("written")}) == 2, "the words of both runs")
        gate.set()
        await turns_until(lambda: batch not in desk.bench.batches, "the end of the batch")
        await turns_until(lambda: any(frame["batches"] for frame in page.told("moved")), "the batch")


def _text(page: Page) -> str:
    """What a page has put together."""
    text = ""
    for one in page.told("written"):
        assert one["at"] <= len(text)
        text = text[: one["at"]] + one["text"]
    return text
