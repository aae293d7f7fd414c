"""Replay on a real database: forks, origins, resuming, scopes; the original run stays as it is."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chainlab import Edit, Lab, ReplayError, Request, Run, RunFailed, ScriptedBackend, StoreError
from chainlab.events import StepFinished
from tests.lab.replays import Bench, Model, Review, brief, critique, statuses
from tests.patience import turns_until

NEW = Edit(step="critique", template="Be kind about {{ article }}")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    model = Model()
    with model.open(tmp_path / "t.db") as lab:
        yield Bench(lab, model)


# -- forks ------------------------------------------------------------------------------------------------------------


def test_a_fork_runs_the_edited_step_and_reuses_the_rest(bench: Bench) -> None:
    run = bench.run()
    fork, calls = bench.fork(run, NEW)
    assert calls == ["critique"]
    assert fork.output.text == "Be kind about <Summarise tea> / <Summarise bread>"
    assert statuses(fork) == {
        "extract": "reused",
        "each": "ok",
        "summarise[0]": "reused",
        "summarise[1]": "reused",
        "join": "reused",
        "critique": "ok",
    }


def test_a_fork_is_linked_and_its_edits_are_stored(bench: Bench) -> None:
    run = bench.run()
    first, _ = bench.fork(run, NEW)
    second, _ = bench.fork(first, Edit(step="summarise", seed=3))
    assert (first.parent_id, second.parent_id) == (run.id, first.id)
    query = "SELECT id, kind, parent_run_id, root_run_id FROM runs WHERE kind = 'replay' ORDER BY id"
    assert bench.rows(query) == [
        (first.id, "replay", run.id, run.id),
        (second.id, "replay", first.id, run.id),
    ]
    record = bench.lab.reader.record(first.id)
    assert record is not None
    assert [made["edit"] for made in record.edits["edits"]] == [NEW.data()]
    assert (record.edits["scope"], record.edits["on_drift"]) == ("descendants", "refuse")


def test_every_byte_of_the_original_run_stays(bench: Bench) -> None:
    run = bench.run(brief, "a letter " * 20)
    before = bench.everything_of(run)
    assert len(before["steps"]) == 6 and before["payloads"]
    bench.fork(run, NEW)
    bench.fork(run, Edit(step="$input", inputs={"text": "another"}), scope="changed")
    bench.fork(run, scope="all")
    bench.model.fails.add("List")
    bench.fork(run, Edit(step="extract", seed=1))
    assert bench.everything_of(run) == before


def test_a_reused_step_names_where_it_was_made_and_costs_nothing(bench: Bench) -> None:
    run = bench.run()
    fork, _ = bench.fork(run, NEW)
    paths = ("extract", "summarise[0]", "summarise[1]", "join")
    assert bench.origins(fork) == {path: (run.id, path) for path in paths}
    query = "SELECT steps_total, steps_ok, steps_reused, steps_failed, steps_skipped FROM runs WHERE id = ?"
    assert bench.rows(query, fork.id) == [(5, 1, 4, 0, 0)]
    assert bench.rows("SELECT DISTINCT path FROM attempts WHERE run_id = ?", fork.id) == [("critique",)]


def test_the_origin_is_where_an_output_was_made_also_through_forks_of_forks(bench: Bench) -> None:
    run = bench.run()
    first, _ = bench.fork(run, Edit(step="summarise[1]", template="Note {{ topic }}"))
    second, _ = bench.fork(first, NEW)
    third, _ = bench.fork(second, Edit(step="critique", temperature=0.5))
    made = bench.origins(third)
    assert made["extract"] == (run.id, "extract")
    assert made["summarise[0]"] == (run.id, "summarise[0]")
    assert made["summarise[1]"] == (first.id, "summarise[1]")
    assert made["join"] == (first.id, "join")


def test_a_fork_of_a_fork_keeps_the_edits_before_it(bench: Bench) -> None:
    first, _ = bench.fork(bench.run(), Edit(step="summarise", template="Note {{ topic }}"))
    second, calls = bench.fork(first, NEW)
    assert calls == ["critique"]
    assert second.output.text == "Be kind about <Note tea> / <Note bread>"
    assert bench.fork(second)[1] == []


def test_a_run_of_one_prompt_is_replayed_too(bench: Bench) -> None:
    run = bench.run(critique, "an essay")
    fork, calls = bench.fork(run, Edit(step="critique", template="Praise {{ article }}"))
    assert (calls, fork.output.text) == (["critique"], "Praise an essay")


def test_a_finished_run_without_edits_has_nothing_to_run(bench: Bench) -> None:
    fork, calls = bench.fork(bench.run())
    assert calls == []
    assert set(statuses(fork).values()) == {"reused", "ok"}
    assert fork.output == Review(score=5, text="Critique <Summarise tea> / <Summarise bread>")


def test_the_record_of_a_reused_output_says_whose_it_is(tmp_path: Path) -> None:
    backend = ScriptedBackend(Model().reply)
    with Lab.open(tmp_path / "t.db", default_model=backend) as lab:
        run = lab.run_sync(brief.with_(models={"extract": "wise"}), "a letter")
        fork = lab.replay_sync(run, chain=brief, on_drift="reuse")
    assert (fork.steps["extract"].status, fork.steps["extract"].model) == ("reused", "wise")


# -- resuming ---------------------------------------------------------------------------------------------------------


def test_a_failed_run_is_resumed_at_the_failed_step(bench: Bench) -> None:
    bench.model.fails.add("Critique")
    failed = bench.run()
    assert failed.status == "failed"
    bench.model.fails.clear()
    fork, calls = bench.fork(failed)
    assert (fork.status, calls) == ("ok", ["critique"])
    assert bench.lab.get(failed.id).status == "failed"


def test_only_the_failed_items_of_a_fan_out_run_again(bench: Bench) -> None:
    bench.model.topics = ["tea", "bread", "salt"]
    bench.model.fails.add("bread")
    failed = bench.run()
    bench.model.fails.clear()
    fork, calls = bench.fork("last-failed")
    assert (fork.status, calls) == ("ok", ["summarise[1]", "critique"])
    assert fork.parent_id == failed.id


def test_a_fork_that_failed_is_resumed_with_its_edits(bench: Bench) -> None:
    run = bench.run()
    bench.model.fails.add("kind")
    failed, _ = bench.fork(run, Edit(step="summarise[0]", template="Note {{ topic }}"), NEW)
    assert failed.status == "failed"
    bench.model.fails.clear()
    fork, calls = bench.fork(failed)
    assert calls == ["critique"]
    assert fork.output.text == "Be kind about <Note tea> / <Summarise bread>"


async def test_a_cancelled_run_is_resumed(tmp_path: Path) -> None:
    model, released = Model(), asyncio.Event()

    async def reply(request: Request) -> Any:
        if request.step == "summarise[1]":
            await released.wait()
        return model.reply(request)

    async with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(reply)) as lab:
        going = asyncio.create_task(lab.run(brief, "a letter"))
        await turns_until(lambda: "summarise[0]" in dict(model.asked), "the first note")
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going
        cancelled = lab.get("last")
        assert cancelled.status == "cancelled"
        released.set()
        model.take()
        fork = await lab.replay(cancelled)
    assert fork.status == "ok"
    assert model.take() == ["summarise[1]", "critique"]


CHILD = """
import asyncio, sys
from chainlab import Lab, ScriptedBackend
from tests.lab.replays import Model, brief

model = Model()

async def reply(request):
    if request.step == "critique":
        print("ready", flush=True)
        await asyncio.sleep(600)
    return model.reply(request)

with Lab.open(sys.argv[1], default_model=ScriptedBackend(reply)):
    brief.run_sync("a letter")
"""


def test_a_run_whose_process_was_killed_is_resumed(tmp_path: Path) -> None:
    database = tmp_path / "t.db"
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(database)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    model = Model()
    with model.open(database) as lab:
        run = lab.get("last")
        assert (run.status, run.steps["critique"].status) == ("interrupted", "interrupted")
        fork, calls = Bench(lab, model).fork(run)
    assert (fork.status, calls) == ("ok", ["critique"])


async def test_a_run_that_is_still_going_on_is_not_replayed(tmp_path: Path) -> None:
    begun, released = asyncio.Event(), asyncio.Event()

    async def reply(request: Request) -> str:
        begun.set()
        await released.wait()
        return '{"topics": []}' if request.step == "extract" else '{"score": 1, "text": ""}'

    async with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(reply)) as lab:
        going = asyncio.create_task(lab.run(brief, "a letter"))
        await begun.wait()
        with pytest.raises(ReplayError, match="still running") as caught:
            await lab.replay("last")
        assert caught.value.code == "run-live"
        released.set()
        assert (await going).status == "ok"
        assert len(lab.runs()) == 1


# -- scopes -----------------------------------------------------------------------------------------------------------


def test_scope_step_leaves_out_what_follows_and_has_no_output(bench: Bench) -> None:
    fork, calls = bench.fork(bench.run(), Edit(step="summarise[1]", template="Note {{ topic }}"), scope="step")
    assert calls == ["summarise[1]"]
    assert fork.steps["summarise[1]"].output == "<Note bread>"
    assert statuses(fork, "skipped") == {"join": "skipped", "critique": "skipped"}
    assert (fork.status, fork.steps["join"].error and fork.steps["join"].error.code) == ("ok", "outside-scope")
    with pytest.raises(RunFailed) as caught:
        _ = fork.output
    assert str(caught.value).splitlines()[:2] == [
        f"run {fork.id} has no output: join: it follows an edited step and is outside the scope of this replay"
        " [outside-scope]",
        "  fix       replay this fork: then what was left out runs",
    ]
    assert fork.raise_for_status() is fork


def test_what_scope_step_left_out_runs_when_the_fork_is_replayed(bench: Bench) -> None:
    bench.model.topics = ["tea", "bread"]
    run = bench.run()
    bench.model.topics = ["tea", "salt", "oil"]
    left, _ = bench.fork(run, Edit(step="extract", template="Topics of {{ text }}"), scope="step")
    fork, calls = bench.fork(left)
    assert calls == ["summarise[1]", "summarise[2]", "critique"]
    assert fork.output.text == "Critique <Summarise tea> / <Summarise salt> / <Summarise oil>"


def test_scope_step_reuses_what_gets_the_same_as_before(bench: Bench) -> None:
    fork, calls = bench.fork(bench.run(), Edit(step="extract", seed=7), scope="step")
    assert calls == ["extract"]
    assert fork.output.score == 5  # the same topics came: nothing had to be left out


def test_scope_descendants_runs_everything_that_follows(bench: Bench) -> None:
    _, calls = bench.fork(bench.run(), Edit(step="extract", seed=7))
    assert calls == ["extract", "summarise[0]", "summarise[1]", "critique"]


def test_scope_changed_runs_only_what_gets_something_else(bench: Bench) -> None:
    assert bench.fork(bench.run(), Edit(step="extract", seed=7), scope="changed")[1] == ["extract"]
    bench.model.topics = ["tea", "bread", "salt"]
    _, calls = bench.fork("last", Edit(step="extract", seed=8), scope="changed")
    assert calls == ["extract", "summarise[2]", "critique"]  # a third topic costs one call, and what takes them all


def test_scope_all_runs_everything(bench: Bench) -> None:
    fork, calls = bench.fork(bench.run(), scope="all")
    assert calls == ["extract", "summarise[0]", "summarise[1]", "critique"]
    assert set(statuses(fork).values()) == {"ok"}


# -- ways to ask for one ----------------------------------------------------------------------------------------------


def test_twenty_replays_at_once_do_not_disturb_each_other(bench: Bench) -> None:
    run = bench.run()

    async def many() -> list[Run[Review]]:
        edits = [Edit(step="critique", template=f"{n:02d} {{{{ article }}}}") for n in range(20)]
        return list(await asyncio.gather(*(bench.lab.replay(run, edits=[edit]) for edit in edits)))

    forks = asyncio.run(many())
    assert [fork.output.text[:2] for fork in forks] == [f"{n:02d}" for n in range(20)]
    assert bench.model.take() == ["critique"] * 20
    assert bench.count() == 21
    assert {tuple(bench.origins(fork).values())[0] for fork in forks} == {(run.id, "extract")}


async def test_replay_sync_works_inside_a_running_loop(bench: Bench) -> None:
    fork = bench.lab.replay_sync(await bench.lab.run(brief, "a letter"), edits=[NEW])
    assert fork.output.text.startswith("Be kind")


async def test_a_plan_that_was_looked_at_is_carried_out_with_events(bench: Bench) -> None:
    run = await bench.lab.run(brief, "a letter")
    ready = bench.lab.plan_replay(run, edits=[NEW])
    assert [(step.path, step.why) for step in ready.plan.steps if step.action == "execute"] == [("critique", "edited")]
    stream = bench.lab.replay_stream(ready)
    ended = {event.path: event.status async for event in stream if isinstance(event, StepFinished)}
    assert ended["critique"] == "ok" and ended["extract"] == "reused"
    fork = await stream.run()
    assert fork.output == {"score": 5, "text": "Be kind about <Summarise tea> / <Summarise bread>"}  # plain JSON
    assert fork.parent_id == run.id


def test_a_run_of_another_database_is_not_found(bench: Bench, tmp_path: Path) -> None:
    with Model().open(tmp_path / "other.db") as other:
        run = other.run_sync(brief, "x")
    with pytest.raises(StoreError) as caught:
        bench.lab.replay_sync(run)
    assert caught.value.code == "run-not-found"
    with pytest.raises(StoreError, match="no run 'nowhere'"):
        bench.lab.replay_sync("nowhere")
    assert bench.count() == 0


def test_a_closed_lab_replays_nothing(tmp_path: Path) -> None:
    model = Model()
    with model.open(tmp_path / "t.db") as lab:
        run = lab.run_sync(brief, "x")
    with pytest.raises(StoreError, match="closed"):
        lab.replay_sync(run)


def test_a_replay_by_id_gives_json_and_with_the_chain_its_type(bench: Bench) -> None:
    run = bench.run()
    assert bench.lab.replay_sync(run.id[:18]).output == {"score": 5, "text": run.output.text}
    assert bench.lab.replay_sync(run.id, chain=brief).output == run.output
    assert bench.lab.replay_sync(run).output == run.output
