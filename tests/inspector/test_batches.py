"""Batches over HTTP: previewed, begun once for every key, cancelled, gone on with, shown."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from chainlab.inspector.workbench import Allowed
from chainlab.spec.template import Template
from tests.inspector.desk import NEW, Desk, desk, fresh_key, recorded
from tests.lab.replays import Model
from tests.patience import turns_until


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "t.db"


@pytest.fixture
def runs(database: Path) -> list[str]:
    return recorded(database, "one", "two", "three")


async def begin(at: Desk, key: str | None = None, **body: Any) -> Any:
    """A batch of these runs, begun; it must be."""
    reply = await at.post("batches", {"edits": [NEW], "idempotency_key": key or fresh_key(), **body})
    assert reply.status_code == 202, reply.text
    return reply.json()


async def view(at: Desk, batch: str) -> Any:
    reply = await at.get(f"batches/{batch}")
    assert reply.status_code == 200, reply.text
    shape = at.app.openapi()
    schema = shape["paths"]["/api/batches/{batch_id}"]["get"]["responses"]["200"]["content"]["application/json"]
    jsonschema.validate(reply.json(), schema["schema"] | {"components": shape["components"]})
    return reply.json()


async def end_of(at: Desk, batch: str) -> Any:
    def over() -> bool:
        record = at.store.reader.batch(batch)
        return record is not None and record.batch.status != "running" and batch not in at.bench.batches

    await turns_until(over, f"the end of batch {batch}")
    return await view(at, batch)


def gated(model: Model) -> tuple[asyncio.Event, Model]:
    """A model that answers `critique` when the gate is open."""
    gate = asyncio.Event()

    async def answer(said: str) -> Any:
        await gate.wait()
        return {"score": 5, "text": said}

    model.answer = lambda request, said: answer(said)
    return gate, model


# -- preview -----------------------------------------------------------------------------------------------------------


async def test_a_preview_says_which_runs_and_about_what_it_takes(database: Path, runs: list[str]) -> None:
    async with desk(database) as at:
        for asked in ({"chain": "brief"}, {"runs": list(reversed(runs))}):
            reply = await at.post("batches/preview", {"edits": [NEW], **asked})
            plan = reply.json()["plan"]
            assert [one["run"]["id"] for one in plan["runs"]] == list(reversed(runs))
            assert {(one["calls"], one["calls_at_most"], one["refused"]) for one in plan["runs"]} == {(1, 1, None)}
            assert (plan["estimate"]["calls"], plan["estimate"]["cost_nano"], plan["calls_left"]) == (3, None, 1000)
            assert plan["estimate"]["duration_us"] > 0
        (one,) = (await at.post("batches/preview", {"edits": [NEW], "chain": "brief", "last": 1})).json()["plan"][
            "runs"
        ]
        assert one["run"]["id"] == runs[2]
        assert at.runs() == 3 and at.model.asked == []


async def test_a_preview_of_a_noise_control_says_what_it_judges(database: Path, runs: list[str]) -> None:
    async with desk(database) as at:
        body = {"kind": "noise", "edits": [NEW], "runs": runs[:1], "k": 5}
        plan = (await at.post("batches/preview", body)).json()["plan"]
        assert (plan["steps"], plan["k"], plan["level"], plan["estimate"]["calls"]) == (["critique"], 5, 0.05, 10)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"chain": "brief", "runs": ["a"]}, "bad-option"),
        ({}, "bad-option"),
        ({"chain": "nothing"}, "no-runs"),
        ({"runs": ["nothing"]}, "run-not-found"),
        ({"runs": ["last"]}, "run-not-found"),
        ({"kind": "noise", "chain": "brief"}, "bad-option"),
        ({"kind": "noise", "runs": ["a", "b"]}, "bad-option"),
        ({"chain": "brief", "edits": [{"step": "critique", "template": "{{ article"}]}, "template-syntax"),
        ({"chain": "brief", "edits": [{"step": "critique", "template": "x" * 200_001}]}, "too-long"),
    ],
)
async def test_what_is_wrong_with_a_batch_is_told_and_begins_nothing(
    database: Path, runs: list[str], body: dict[str, Any], code: str
) -> None:
    async with desk(database) as at:
        asked = {"edits": [NEW], **body}
        shown = (await at.post("batches/preview", asked)).json()
        assert [one["code"] for one in shown["problems"]] == [code] and shown["plan"] is None
        reply = await at.post("batches", asked | {"idempotency_key": fresh_key()})
        assert reply.status_code in (404, 422) and reply.json()["error"]["code"] == code
        assert (await at.get("batches")).json() == {"batches": [], "next": None}


async def test_runs_that_cannot_be_replayed_are_refused_one_by_one(database: Path, runs: list[str]) -> None:
    async with desk(database) as at:
        edits = [{"step": "summarise[1]", "template": "Praise {{ topic }}"}]
        with Model(topics=["tea"]).open(database) as lab:  # a run that has no second item
            from tests.lab.replays import brief

            short = lab.run_sync(brief, "short").id
        plan = (await at.post("batches/preview", {"edits": edits, "runs": [runs[0], short]})).json()["plan"]
        assert [one["refused"] and one["refused"]["code"] for one in plan["runs"]] == [None, "unknown-step"]
        body = {"edits": edits, "runs": [short], "idempotency_key": fresh_key()}
        reply = await at.post("batches", body)
        assert (reply.status_code, reply.json()["error"]["code"]) == (409, "all-refused")


# -- begun -------------------------------------------------------------------------------------------------------------


async def test_a_backtest_is_answered_when_it_has_begun_and_goes_on_after_that(
    database: Path, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[str] = []
    monkeypatch.setattr(Template, "render", lambda self, *_, **__: rendered.append(self.source))
    gate, model = gated(Model())
    async with desk(database, model) as at:
        begun = await begin(at, chain="brief")
        assert begun["new"]
        shown = await view(at, begun["batch_id"])
        assert (shown["batch"]["status"], shown["batch"]["here"], shown["batch"]["total"]) == ("running", True, 3)
        assert {row["verdict"] for row in shown["rows"]} == {"pending"}
        gate.set()
        shown = await end_of(at, begun["batch_id"])
        assert (shown["batch"]["status"], shown["batch"]["done"], shown["batch"]["here"]) == ("done", 3, False)
        assert shown["batch"]["counts"] == [{"verdict": "changed", "count": 3}]
        assert [row["run_id"] for row in shown["rows"]] == list(reversed(runs))
        assert {at.run(row["fork_id"]).parent_run_id for row in shown["rows"]} == set(runs)
        assert shown["edits"] == [{"step": "critique", "says": [{"name": "template", "value": NEW["template"]}]}]
        assert rendered == []  # the sandbox did it


async def test_the_same_key_begins_one_batch(database: Path, runs: list[str]) -> None:
    key = fresh_key()
    async with desk(database) as at:
        begun = await asyncio.gather(*(begin(at, key, chain="brief") for _ in range(4)))
        assert len({one["batch_id"] for one in begun}) == 1 and [one["new"] for one in begun].count(True) == 1
        await end_of(at, begun[0]["batch_id"])
        assert len(at.model.asked) == 3
    async with desk(database) as at:
        assert await begin(at, key, chain="brief") == {"batch_id": begun[0]["batch_id"], "new": False}
        other = await at.post("batches", {"edits": [NEW | {"seed": 1}], "chain": "brief", "idempotency_key": key})
        assert (other.status_code, other.json()["error"]["code"]) == (409, "key_used")
        for less in ({"last": 1}, {"runs": runs[:1]}, {"scope": "step"}, {"on_drift": "rerun"}, {"kind": "noise"}):
            other = await at.post("batches", {"edits": [NEW], "chain": "brief", "idempotency_key": key, **less})
            assert other.status_code in (409, 422), (less, other.text)
        assert at.model.asked == []


async def test_a_noise_control_judges_the_edit(database: Path, runs: list[str]) -> None:
    async with desk(database) as at:
        begun = await begin(at, kind="noise", runs=runs[:1], k=4)
        shown = await end_of(at, begun["batch_id"])
        noise = shown["noise"]
        assert (noise["verdict"]["label"], noise["steps"], noise["k"]) == ("edit", ["critique"], 4)
        assert len(noise["control"]) == len(noise["edited"]) == 4
        (row,) = (await at.get("batches", kind="noise")).json()["batches"]
        assert (row["label"], row["counts"]) == ("edit", [])
        assert (await at.get("batches", kind="backtest")).json()["batches"] == []


async def test_batches_come_newest_first_and_page_by_page(database: Path, runs: list[str]) -> None:
    async with desk(database) as at:
        ids = []
        for run in runs:
            ids.append((await begin(at, runs=[run]))["batch_id"])
            await end_of(at, ids[-1])
        first = (await at.get("batches", limit=2)).json()
        assert [row["id"] for row in first["batches"]] == [ids[2], ids[1]]
        last = (await at.get("batches", limit=2, after=first["next"])).json()
        assert [row["id"] for row in last["batches"]] == [ids[0]] and last["next"] is None


# -- cancelled, gone on with -------------------------------------------------------------------------------------------


async def cut_off(at: Desk, model: Model, runs: list[str]) -> str:
    """A batch of which one run has ended when the others wait for the model."""
    first = asyncio.Event()

    async def answer(said: str) -> Any:
        if not first.is_set():
            first.set()
        else:
            await asyncio.Event().wait()
        return {"score": 5, "text": said}

    model.answer = lambda request, said: answer(said)
    batch: str = (await begin(at, runs=runs))["batch_id"]

    def one_is_done() -> bool:
        record = at.store.reader.batch(batch)
        return record is not None and record.batch.done == 1 and len(model.asked) == 3

    await turns_until(one_is_done, "the first run of the batch")
    return batch


async def test_a_cancelled_batch_keeps_what_has_ended_and_can_be_gone_on_with(database: Path, runs: list[str]) -> None:
    model = Model()
    async with desk(database, model) as at:
        batch = await cut_off(at, model, runs)
        reply = await at.post(f"batches/{batch}/cancel", {})
        assert reply.status_code == 200
        assert (reply.json()["batch"]["status"], reply.json()["batch"]["done"]) == ("cancelled", 1)
        assert sum(one["count"] for one in reply.json()["batch"]["counts"] if one["verdict"] != "pending") == 1
        assert (await at.post(f"batches/{batch}/cancel", {})).json() == reply.json()  # it stays as it is
        model.answer = None
        model.asked.clear()
        body = {"idempotency_key": fresh_key()}
        assert (await at.post(f"batches/{batch}/resume", body)).json() == {"batch_id": batch, "new": True}
        shown = await end_of(at, batch)
        assert (shown["batch"]["status"], shown["batch"]["done"]) == ("done", 3)
        assert len(model.asked) == 2  # what had ended is not called again
        again = await at.post(f"batches/{batch}/resume", {"idempotency_key": fresh_key()})
        assert again.json() == {"batch_id": batch, "new": False}


async def test_the_servers_end_cancels_a_batch_and_another_goes_on_with_it(database: Path, runs: list[str]) -> None:
    model = Model()
    async with desk(database, model) as at:
        batch = await cut_off(at, model, runs)
    async with desk(database) as at:
        assert (await view(at, batch))["batch"]["status"] == "cancelled"
        assert (await at.post(f"batches/{batch}/resume", {"idempotency_key": fresh_key()})).json()["new"]
        assert (await end_of(at, batch))["batch"]["done"] == 3
        assert len(at.model.asked) == 2


async def test_a_batch_that_goes_on_is_not_gone_on_with_nor_cancelled_elsewhere(
    database: Path, runs: list[str]
) -> None:
    model = Model()
    async with desk(database, model) as at, desk(database) as elsewhere:
        batch = await cut_off(at, model, runs)
        for page in (at, elsewhere):
            reply = await page.post(f"batches/{batch}/resume", {"idempotency_key": fresh_key()})
            assert (reply.status_code, reply.json()["error"]["code"]) == (409, "batch-is-running")
        reply = await elsewhere.post(f"batches/{batch}/cancel", {})
        assert (reply.status_code, reply.json()["error"]["code"]) == (409, "batch-is-running")
        assert not (await view(elsewhere, batch))["batch"]["here"]


# -- refusals ----------------------------------------------------------------------------------------------------------


async def test_a_batch_that_is_not_there_is_not_found(database: Path, runs: list[str]) -> None:
    async with desk(database) as at:
        await end_of(at, (await begin(at, runs=runs))["batch_id"])
        for name in ("nothing", "last"):
            replies = [
                await at.get(f"batches/{name}"),
                await at.post(f"batches/{name}/cancel", {}),
                await at.post(f"batches/{name}/resume", {"idempotency_key": fresh_key()}),
            ]
            assert [reply.status_code for reply in replies] == [404] * 3


async def test_a_batch_of_more_calls_than_are_left_is_refused(database: Path, runs: list[str]) -> None:
    async with desk(database, allowed=Allowed(max_calls=2)) as at:
        body = {"edits": [NEW], "runs": runs, "idempotency_key": fresh_key()}
        reply = await at.post("batches", body)
        assert (reply.status_code, reply.json()["error"]["code"]) == (429, "budget")
        assert (await end_of(at, (await begin(at, runs=runs[:2]))["batch_id"]))["batch"]["status"] == "done"
        assert at.bench.budget.left == 0


async def test_a_batch_that_makes_more_calls_than_was_foreseen_is_ended(database: Path, runs: list[str]) -> None:
    model = Model(topics=[f"topic {i}" for i in range(50)])  # two, when it was recorded
    async with desk(database, model, Allowed(max_calls=16)) as at:
        edits = [{"step": "extract", "template": "All topics of {{ text }}"}]
        shown = await end_of(at, (await begin(at, runs=runs, edits=edits))["batch_id"])
        assert shown["batch"]["status"] == "cancelled"
        assert at.bench.budget.left == 0


@pytest.mark.parametrize("field", ["path", "file", "code", "url", "renderer"])
async def test_a_field_that_is_not_known_is_refused(database: Path, runs: list[str], field: str) -> None:
    async with desk(database) as at:
        for path in ("batches", "batches/preview", "batches/nothing/resume"):
            reply = await at.post(path, {"edits": [NEW], "runs": runs, "idempotency_key": fresh_key(), field: "x"})
            assert (reply.status_code, reply.json()["error"]["code"]) == (422, "invalid_request")


async def test_a_server_that_only_shows_shows_batches_and_begins_none(database: Path, runs: list[str]) -> None:
    async with desk(database) as at:
        batch = (await begin(at, runs=runs))["batch_id"]
        await end_of(at, batch)
    async with desk(database, allowed=Allowed(replay=False)) as at:
        assert (await view(at, batch))["batch"]["done"] == 3
        assert len((await at.get("batches")).json()["batches"]) == 1
        asked: list[tuple[str, Any]] = [
            ("batches/preview", {"edits": [NEW], "runs": runs}),
            ("batches", {"edits": [NEW], "runs": runs, "idempotency_key": fresh_key()}),
            (f"batches/{batch}/cancel", {}),
            (f"batches/{batch}/resume", {"idempotency_key": fresh_key()}),
        ]
        for path, body in asked:
            reply = await at.post(path, body)
            assert (reply.status_code, reply.json()["error"]["code"]) == (403, "read_only"), path
