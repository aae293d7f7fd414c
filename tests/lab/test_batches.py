"""Backtests: which runs, what they come to, and that a batch that is cut off is gone on with, not begun again."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from chainlab import Edit, Lab, ReplayError, Request, ScriptedBackend, StoreError, chain
from chainlab.lab.backtest import Backtest
from chainlab.lab.batches import BatchProgress
from tests.lab.batch_chain import ANSWERS, NEW, asked, brief, many, note, reply, scripted
from tests.patience import turns_until, until


def record(database: Path, topics: Sequence[str] = tuple(ANSWERS)) -> dict[str, str]:
    """A run of `brief` for every topic; their ids."""
    with Lab.open(database, default_model=scripted()) as lab:
        return {topic: lab.run_sync(brief, topic=topic).id for topic in topics}


@chain(name="brief")
def older(topic: str) -> str:
    """The chain as it was before it had a `judge`."""
    return note(topic)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "t.db"


# -- the table ---------------------------------------------------------------------------------------------------------


def test_the_table_says_of_every_run_what_the_edit_did_to_it(database: Path) -> None:
    runs = record(database)
    with Lab.open(database, default_model=(backend := scripted())) as lab:
        lab.run_sync(older, topic="x")
        backend.requests.clear()
        plan = lab.plan_backtest([NEW], chain="brief")
        found = lab.backtest_sync(plan)
    verdicts = {row.run_id: row.verdict for row in found.rows}
    assert {topic: verdicts.pop(run) for topic, run in runs.items()} == {topic: topic for topic in ANSWERS}
    assert list(verdicts.values()) == ["refused"]
    assert found.counts == dict.fromkeys((*ANSWERS, "refused"), 1)
    assert (found.status, found.total, found.done, found.failing) == ("done", 6, 6, True)


def test_every_run_is_forked_at_the_edited_step_from_its_own_record(database: Path) -> None:
    runs = record(database, ["changed 1", "changed 2", "same 3"])
    with Lab.open(database, default_model=(backend := scripted())) as lab:
        found = lab.backtest_sync(lab.plan_backtest([NEW], chain="brief"))
        assert sorted(asked(backend)) == [  # no note is made again
            "Close: 7",
            "Close: 8",
            "Close: 8",
            "New: changed 1",
            "New: changed 2",
            "New: same 3",
        ]
        for row in found.rows:
            assert row.fork_id is not None
            fork = lab.reader.trace(row.fork_id)
            assert fork is not None
            assert (fork.run.parent_run_id, fork.run.kind) == (row.run_id, "backtest")
            assert [step.status for step in fork.steps] == ["reused", "ok", "ok"]
            assert lab.compare(row.run_id, row.fork_id).first_divergence == "judge"
        places = [(one.key, one.go, one.arm, one.sample) for one in lab.reader.batch_runs(found.id)]
    assert sorted(places) == sorted((run, 1, "", 0) for run in runs.values())


def test_failing_rows_say_where_and_why_and_refused_ones_why(database: Path) -> None:
    record(database, ["broken"])
    with Lab.open(database, default_model=scripted()) as lab:
        lab.run_sync(older, topic="x")
        found = lab.backtest_sync(lab.plan_backtest([NEW], chain="brief"))
    refused, broken = found.rows
    assert (refused.fork_id, refused.code) == (None, "unknown-step")
    assert refused.message == "the chain has no step 'judge'"
    assert broken.code == "output-invalid" and str(broken.message).startswith("judge: ")
    assert broken.before is not None and broken.after is not None
    assert (broken.before.status, broken.after.status) == ("ok", "failed")


ITEMS = {"good": '{"score": 1}', "bad": "no JSON"}


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (["good", "good"], ["good", "good"], "same"),
        (["good", "bad"], ["good", "good"], "fixed"),
        (["good", "good"], ["good", "bad"], "broken"),
        (["good", "bad"], ["bad", "bad"], "broken"),
        (["bad", "bad"], ["good", "bad"], "still-failing"),
        (["good", "bad"], ["bad", "good"], "still-failing"),
    ],
)
def test_items_that_an_each_keeps_as_failures_count(
    database: Path, before: list[str], after: list[str], verdict: str
) -> None:
    def answer(request: Request) -> str:
        which, _, number = request.messages[-1]["content"].partition(": ")
        return ITEMS[(before if which == "Item" else after)[int(number)]]

    with Lab.open(database, default_model=ScriptedBackend(answer)) as lab:
        run = lab.run_sync(many, topics=["0", "1"])
        assert run.status == "ok"
        found = lab.backtest_sync(lab.plan_backtest([Edit(step="item", template="New: {{ topic }}")], runs=[run]))
    (row,) = found.rows
    assert row.verdict == verdict
    assert row.before is not None and row.after is not None
    assert (row.before.steps_failed, row.after.steps_failed) == (before.count("bad"), after.count("bad"))


@pytest.mark.parametrize("topic", ANSWERS)
def test_with_scope_step_the_edited_steps_are_compared(database: Path, topic: str) -> None:
    record(database, [topic])
    with Lab.open(database, default_model=(backend := scripted())) as lab:
        found = lab.backtest_sync(lab.plan_backtest([NEW], chain="brief", scope="step"))
    assert asked(backend) == [f"New: {topic}"]
    assert [row.verdict for row in found.rows] == [topic]


# -- which runs, and what they will take -------------------------------------------------------------------------------


def test_the_last_runs_that_have_ended_and_are_no_forks_are_taken_newest_first(database: Path) -> None:
    runs = record(database, ["same 1", "same 2", "fixed 3", "same 4"])
    with Lab.open(database, default_model=scripted()) as lab:
        lab.backtest_sync(lab.plan_backtest([NEW], chain="brief"))  # its forks are runs of the chain, too
        newest = list(runs.values())[::-1]
        assert [one.run.id for one in lab.plan_backtest([NEW], chain="brief").runs] == newest
        assert [one.run.id for one in lab.plan_backtest([NEW], chain="brief", last=2).runs] == newest[:2]
        failed = lab.plan_backtest([NEW], chain="brief", status="failed")
        assert [one.run.id for one in failed.runs] == [runs["fixed 3"]]
        picked = lab.plan_backtest([NEW], runs=[runs["same 1"], runs["same 1"][:19], runs["same 2"]])
        assert [one.run.id for one in picked.runs] == [runs["same 1"], runs["same 2"]]


def test_a_run_that_is_tagged_otherwise_is_left_out(database: Path) -> None:
    with Lab.open(database, default_model=scripted()) as lab:
        lab.run_sync(brief, topic="same")
        tagged = lab.run_sync(brief.with_(tags=["nightly"]), topic="same")
        plan = lab.plan_backtest([NEW], chain="brief", tag="nightly")
    assert [one.run.id for one in plan.runs] == [tagged.id]


def test_a_plan_counts_calls_and_takes_tokens_and_time_from_the_record(database: Path) -> None:
    record(database, ["same 1", "same 2", "fixed 3"])
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE steps SET tokens_in = 100, tokens_out = 10, duration_us = 2000000")
    connection.close()
    with Lab.open(database, default_model=(backend := scripted())) as lab:
        plan = lab.plan_backtest([NEW], chain="brief")
        assert backend.requests == []
        assert lab.reader.batches() == ()
    found = plan.estimate
    assert [(one.calls, one.calls_at_most) for one in plan.runs] == [(2, 2)] * 3
    assert (found.calls, found.calls_at_most, found.unknown) == (6, 6, 0)
    assert (found.tokens_in, found.tokens_out) == (600, 60)  # the close that never ran counts as the others
    assert (found.work_us, found.longest_us) == (12_000_000, 4_000_000)
    assert (found.about_us(1), found.about_us(2), found.about_us(100)) == (12_000_000, 6_000_000, 4_000_000)
    assert plan.cost_nano == 0  # a script sends no bill


def test_what_was_never_recorded_is_unknown_and_not_0(database: Path) -> None:
    record(database, ["fixed"])
    with Lab.open(database, default_model=scripted()) as lab:
        found = lab.plan_backtest([NEW], chain="brief").estimate
    assert (found.tokens_in, found.tokens_out) == (None, None)  # a script counts none
    assert found.unknown == 1  # the close has no record anywhere
    assert found.work_us is not None and found.work_us > 0


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"chain": "nothing"}, "no-runs"),
        ({}, "bad-option"),
        ({"chain": "brief", "runs": ["last"]}, "bad-option"),
        ({"runs": ["last", "brief"]}, "other-chain"),
        ({"chain": "brief", "edits": []}, "no-edits"),
    ],
)
def test_what_cannot_be_a_backtest_is_refused(database: Path, given: dict[str, Any], code: str) -> None:
    runs = record(database, ["same"])
    with Lab.open(database, default_model=scripted()) as lab:
        lab.run_sync(note, "x")
        edits = given.pop("edits", [NEW])
        if "runs" in given:
            given["runs"] = [runs["same"] if run == "brief" else run for run in given["runs"]]
        with pytest.raises(ReplayError) as caught:
            lab.plan_backtest(edits, **given)
    assert caught.value.code == code


def test_a_backtest_in_which_nothing_can_run_is_refused_before_anything_is_written(database: Path) -> None:
    record(database, ["same"])
    with Lab.open(database, default_model=(backend := scripted())) as lab:
        plan = lab.plan_backtest([Edit(step="judge", template="{{ nothing }}")], chain="brief")
        with pytest.raises(ReplayError, match=r"none of 1 runs .* \[template-variable\]") as caught:
            lab.backtest_sync(plan)
        assert (caught.value.code, caught.value.got) == ("all-refused", "nothing")
        assert caught.value.expected and caught.value.remedy
        assert (lab.reader.batches(), backend.requests) == ((), [])


# -- carrying it out ---------------------------------------------------------------------------------------------------


async def test_no_more_runs_go_on_at_once_than_asked_for(database: Path) -> None:
    await asyncio.to_thread(record, database, [f"same {n}" for n in range(9)])
    now = most = 0

    async def counted(request: Request) -> str:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await turns_until(lambda: most == 3, "three runs at once")
        await asyncio.sleep(0.01)  # a fourth, if it may, comes in now
        now -= 1
        return reply(request)

    async with Lab.open(database, default_model=ScriptedBackend(counted)) as lab:
        await lab.backtest(lab.plan_backtest([NEW], chain="brief"), concurrency=3)
    assert most == 3


def test_progress_is_told_run_by_run(database: Path) -> None:
    runs = record(database, ["same", "broken"])
    told: list[BatchProgress] = []
    with Lab.open(database, default_model=scripted()) as lab:
        lab.run_sync(older, topic="x")
        found = lab.backtest_sync(lab.plan_backtest([NEW], chain="brief"), on_progress=told.append)
    assert (told[0].done, told[0].calls, told[0].batch_id) == (0, 0, found.id)
    assert (told[-1].done, told[-1].total, max(one.calls for one in told)) == (3, 3, 3)
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert {one.ended.key: one.ended.run.status for one in told if one.ended} == {
        runs["same"]: "ok",
        runs["broken"]: "failed",
    }
    assert [one.refused[1].code for one in told if one.refused] == ["unknown-step"]


def test_a_batch_can_be_read_while_it_goes_on_and_afterwards(database: Path) -> None:
    record(database, ["same 1", "same 2"])
    seen: list[tuple[str, list[str]]] = []
    with Lab.open(database, default_model=scripted()) as lab:

        def look(progress: BatchProgress) -> None:
            found = lab.batch("last")
            assert isinstance(found, Backtest)
            seen.append((found.status, sorted(row.verdict for row in found.rows)))

        found = lab.backtest_sync(lab.plan_backtest([NEW], chain="brief"), concurrency=1, on_progress=look)
        assert lab.batch(found.id) == lab.batch(found.id[:18]) == found
        with pytest.raises(StoreError, match="there is no batch 'zzz'"):
            lab.batch("zzz")
    assert seen[0] == ("running", ["pending", "pending"])
    assert ("running", ["pending", "same"]) in seen


def test_one_idempotency_key_makes_one_batch(database: Path) -> None:
    record(database, ["same"])
    with Lab.open(database, default_model=(backend := scripted())) as lab:
        plan = lab.plan_backtest([NEW], chain="brief")
        first = asyncio.run(lab.backtest(plan, idempotency_key="k"))
        calls = len(backend.requests)
        again = asyncio.run(lab.backtest(plan, idempotency_key="k"))
        assert (again, len(backend.requests)) == (first, calls)
        assert asyncio.run(lab.backtest(plan, idempotency_key="other")).id != first.id


# -- going on ----------------------------------------------------------------------------------------------------------


async def test_a_cancelled_batch_is_gone_on_with_and_repeats_nothing(database: Path) -> None:
    runs = await asyncio.to_thread(record, database, [f"changed {n}" for n in range(6)])
    reached = asyncio.Event()

    async def stuck(request: Request) -> str:
        if request.messages[-1]["content"].startswith("Close") and len(backend.requests) > 5:
            reached.set()
            await asyncio.sleep(3600)
        return reply(request)

    backend = ScriptedBackend(stuck)
    async with Lab.open(database, default_model=backend) as lab:
        work = asyncio.create_task(lab.backtest(lab.plan_backtest([NEW], chain="brief"), concurrency=2))
        await reached.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        cut = lab.batch("last")
        assert isinstance(cut, Backtest)
        assert (cut.status, cut.counts["pending"]) == ("cancelled", cut.total - cut.done)
        assert 0 < cut.done < 6
    done = {row.run_id for row in cut.rows if row.verdict == "changed"}
    made = {text for text in asked(backend) if text.startswith("New")}  # all of these were answered

    async with Lab.open(database, default_model=(after := scripted())) as lab:
        found = await lab.resume_batch(cut.id)
        assert isinstance(found, Backtest)
    assert (found.status, found.counts) == ("done", {"changed": 6})
    assert not made & set(asked(after))
    assert sorted([*made, *(text for text in asked(after) if text.startswith("New"))]) == sorted(
        f"New: {topic}" for topic in runs
    )
    assert asked(after).count("Close: 8") == 6 - len(done)


def test_going_on_a_second_time_makes_no_call(database: Path) -> None:
    record(database, ["changed", "broken"])
    with Lab.open(database, default_model=scripted()) as lab:
        lab.run_sync(older, topic="x")
        found = lab.backtest_sync(lab.plan_backtest([NEW], chain="brief"))
    with Lab.open(database, default_model=(backend := scripted())) as lab:
        again = lab.resume_batch_sync(found.id)
        assert isinstance(again, Backtest)
        assert (again.rows, again.status, backend.requests) == (found.rows, "done", [])
        assert len(lab.reader.batch_runs(found.id)) == 2


def test_a_batch_that_goes_on_elsewhere_is_not_gone_on_with(database: Path) -> None:
    record(database, ["same"])
    with Lab.open(database, default_model=scripted()) as lab:
        refused: list[str] = []

        def intrude(progress: BatchProgress) -> None:
            if progress.done == 0 and not refused:
                with pytest.raises(StoreError) as caught:
                    lab.store.batches().take_over(progress.batch_id)
                refused.append(caught.value.code)

        lab.backtest_sync(lab.plan_backtest([NEW], chain="brief"), on_progress=intrude)
    assert refused == ["batch-is-running"]


TOPICS = [f"changed {n:02}" for n in range(24)]


@pytest.mark.slow
def test_after_kill_9_no_call_whose_step_was_committed_is_repeated(database: Path, tmp_path: Path) -> None:
    runs = record(database, TOPICS)
    calls = tmp_path / "calls"
    child = subprocess.Popen([sys.executable, "-m", "tests.lab.batch_child", str(database), str(calls)])
    until(lambda: calls.exists() and len(calls.read_text().splitlines()) > 20, "some calls")
    child.kill()
    child.wait()
    before = calls.read_text().splitlines()

    with Lab.open(database, default_model=(backend := scripted())) as lab:
        cut = lab.batch("last")
        assert isinstance(cut, Backtest)
        assert (cut.status, cut.counts["pending"] > 0, cut.done > 0) == ("interrupted", True, True)
        dead = [one for one in lab.reader.batch_runs(cut.id) if one.run.status == "interrupted"]
        safe = {
            (one.key, step.path)
            for one in lab.reader.batch_runs(cut.id)
            for step in lab.get(one.run.id).steps.values()
            if step.status == "ok"
        }
        found = lab.resume_batch_sync(cut.id)
        assert isinstance(found, Backtest)
        places = lab.reader.batch_runs(cut.id)
        again = [(one.key, one.go) for one in places if one.go > 1]
        origins = {
            (row.run_id, step.path, step.origin_run_id)
            for row in found.rows
            if row.fork_id is not None
            for step in (lab.reader.trace(row.fork_id) or pytest.fail("no trace")).steps
            if step.status == "reused"
        }
    topic_of = {run: topic for topic, run in runs.items()}
    after = asked(backend)
    assert found.counts == {"changed": 24}
    # Every committed judgement stays; only what was in flight, at most 3 calls, is made again.
    kept = {f"New: {topic_of[key]}" for key, path in safe if path == "judge"}
    assert kept and not kept & set(after)
    assert len(before) + len(after) <= 2 * 24 + 3
    assert sorted(again) == sorted((one.key, 2) for one in dead)
    # What the dead runs had made is taken over from them, and says so.
    for one in dead:
        if (one.key, "judge") in safe:
            assert (one.key, "judge", one.run.id) in origins
    with Lab.open(database, default_model=(backend := scripted())) as lab:
        assert lab.resume_batch_sync(cut.id) == found
    assert backend.requests == []
