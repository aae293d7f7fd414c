"""What the API answers, over a real store filled by real runs."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any
from urllib.parse import quote

import httpx
import jsonschema
import pytest
from fastapi import FastAPI

from chainlab.events import AttemptFinished, AttemptStarted, RunFinished, RunStarted, StepFinished, StepStarted
from chainlab.inspector.convert import MAX_BYTES
from chainlab.inspector.models import AttemptView, Input, StepRow
from chainlab.trace import AttemptRow, InputRow, StepSummary
from chainlab.values.codec import Value, decode
from chainlab.values.ids import new_id, now_us
from tests.inspector.conftest import Story
from tests.inspector.story import HOSTILE, TEXT, TOPICS, XSS, repeat


async def get(client: httpx.AsyncClient, path: str, **query: Any) -> Any:
    reply = await client.get(path, params=query)
    assert reply.status_code == 200, reply.text
    return reply.json()


def step_url(run_id: str, path: str) -> str:
    return f"/api/runs/{run_id}/steps/{quote(path, safe='/')}"


async def test_runs_come_newest_first_and_page_by_page(client: httpx.AsyncClient) -> None:
    whole = (await get(client, "/api/runs", limit=200))["runs"]
    assert [run["started_at"] for run in whole] == sorted((run["started_at"] for run in whole), reverse=True)
    paged: list[Any] = []
    after = None
    while True:
        page = await get(client, "/api/runs", limit=4, **({"after": after} if after else {}))
        paged.extend(page["runs"])
        after = page["next"]
        if after is None:
            break
        assert len(page["runs"]) == 4
    assert [run["id"] for run in paged] == [run["id"] for run in whole]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"status": "failed", "chain": "brief"}, ["failed"]),
        ({"text": "output-invalid"}, ["failed"]),
        ({"tag": "docs", "status": "ok"}, ["ok"]),
        ({"status": "running"}, ["running"]),
        ({"chain": "triage"}, ["triage"]),
        ({"text": "100% _nothing_"}, []),
    ],
)
async def test_filters_narrow_the_list(
    client: httpx.AsyncClient, story: Story, query: dict[str, str], names: list[str]
) -> None:
    found = [run["id"] for run in (await get(client, "/api/runs", **query))["runs"]]
    assert found == [story.ids[name] for name in names]


async def test_chains_are_listed(client: httpx.AsyncClient) -> None:
    assert {"brief", "triage", "repeat", "translate_lines", XSS} == set(await get(client, "/api/chains"))


async def test_a_failed_run_says_where_to_look_first(client: httpx.AsyncClient, story: Story) -> None:
    view = await get(client, f"/api/runs/{story.ids['failed']}")
    assert view["failed_path"] == "critique"
    assert view["run"]["error"]["code"] == "output-invalid"
    assert [step["path"] for step in view["steps"] if step["status"] == "skipped"] == ["word_count"]
    assert json.loads(view["inputs"][0]["value"]["text"]) == TEXT + "\n\nfail"
    assert view["output"] is None


async def test_the_graph_folds_the_items_of_each(client: httpx.AsyncClient, story: Story) -> None:
    graph = (await get(client, f"/api/runs/{story.ids['fold']}"))["graph"]
    assert [(node["path"], node["parent"]) for node in graph["nodes"]] == [("each", None), ("translate", "each")]
    assert graph["nodes"][1]["counts"] == [{"status": "failed", "count": 3}, {"status": "ok", "count": 37}]


async def test_the_graph_shows_branches_rounds_and_sub_chains(client: httpx.AsyncClient, story: Story) -> None:
    graph = (await get(client, f"/api/runs/{story.ids['triage']}"))["graph"]
    nodes = {node["path"]: node for node in graph["nodes"]}
    assert [(path, nodes[path]["role"]) for path in nodes if nodes[path]["parent"] == "route"] == [
        ("refund", "refund"),
        ("bug", "bug"),
        ("general", "other"),
    ]
    assert nodes["polish/refine"]["parent"] == "polish"
    assert nodes["polish/judge"]["counts"] == [{"status": "ok", "count": 2}]
    assert nodes["bug"]["counts"] == [{"status": "skipped", "count": 1}]
    edges = {(edge["source"], edge["target"]) for edge in graph["edges"]}
    assert edges == {("classify", "when"), ("classify", "route"), ("route", "polish")}


async def test_every_step_of_every_run_can_be_read(client: httpx.AsyncClient, story: Story) -> None:
    for run_id in story.ids.values():
        for step in (await get(client, f"/api/runs/{run_id}"))["steps"]:
            view = await get(client, step_url(run_id, step["path"]))
            assert view["row"]["path"] == step["path"]


async def test_a_prompt_shows_what_each_variable_printed(client: httpx.AsyncClient, story: Story) -> None:
    view = await get(client, step_url(story.ids["ok"], "summarise[1]"))
    (attempt,) = view["attempts"]
    assert [message["role"] for message in attempt["messages"]] == ["system", "user"]
    segments = attempt["messages"][1]["segments"]
    assert {s["variable"]: s["text"] for s in segments if s["variable"]} == {"topic": TOPICS[1], "text": TEXT}
    assert "".join(s["text"] for s in segments) == f"Summarise what the text says about {TOPICS[1]}.\n\n{TEXT}"
    assert {(i["name"], i["from_path"]) for i in view["inputs"]} == {("topic", "extract"), ("text", "$input")}


async def test_a_definition_says_what_the_author_wrote_and_where(client: httpx.AsyncClient, story: Story) -> None:
    definition = (await get(client, step_url(story.ids["ok"], "draft")))["definition"]
    (template,) = definition["templates"]
    assert template["template"].endswith("- {{ note }}{% endfor %}")
    assert template["place"]["file"].endswith("story.py") and template["place"]["line"] > 1
    settings = {each["name"]: each["value"] for each in definition["settings"]}
    assert (settings["model"], settings["temperature"], settings["max_tokens"]) == ("big", "0.7", "600")
    assert definition["arguments"] == [{"name": "notes", "value": "each"}]


async def test_every_attempt_is_told_with_its_reason(client: httpx.AsyncClient, story: Story) -> None:
    view = await get(client, step_url(story.ids["failed"], "critique"))
    assert [(a["n"], a["reason"], a["status"]) for a in view["attempts"]] == [
        (1, "first", "failed"),
        (2, "validation", "failed"),
        (3, "validation", "failed"),
    ]
    assert view["attempts"][0]["reply"]["text"].startswith("Sure!")
    assert len(view["attempts"][1]["messages"]) > len(view["attempts"][0]["messages"])


async def test_a_run_tells_when_its_tries_were_made(client: httpx.AsyncClient, story: Story) -> None:
    steps = {step["path"]: step for step in (await get(client, f"/api/runs/{story.ids['failed']}"))["steps"]}
    tries = steps["critique"]["tries"]
    assert [(each["n"], each["reason"]) for each in tries] == [(1, "first"), (2, "validation"), (3, "validation")]
    assert sorted(each["started_at"] for each in tries) == [each["started_at"] for each in tries]
    assert steps["draft"]["tries"] == []
    assert (await get(client, step_url(story.ids["failed"], "critique")))["row"]["tries"] == tries


async def test_a_reply_is_shown_also_when_the_answer_around_it_is_large(
    client: httpx.AsyncClient, story: Story
) -> None:
    run_id, at, journal = new_id(), now_us(), story.store.journal()
    journal.emit(RunStarted(run_id, "repeat", repeat.spec.hash, Value({}), Value({}), (), at))
    journal.emit(StepStarted(run_id, "echo", "echo", "prompt", "0000", (), None, at))
    journal.emit(AttemptStarted(run_id, "echo", 1, "first", at))
    answer = Value({"text": "short", "logprobs": [{"token": "short", "logprob": -0.1, "bytes": "x" * MAX_BYTES}]})
    journal.emit(AttemptFinished(run_id, "echo", 1, "ok", 5, response=answer))
    journal.emit(StepFinished(run_id, "echo", "ok", at, 5, output=Value("short"), attempts=1))
    journal.emit(RunFinished(run_id, "ok", at, 9))
    await journal.durable()
    (attempt,) = (await get(client, step_url(run_id, "echo")))["attempts"]
    assert (attempt["reply"]["text"], attempt["raw"]["cut"]) == ("short", True)


@pytest.mark.parametrize("length", [20, 200, MAX_BYTES + 9])
async def test_an_answer_that_is_nothing_but_a_reply_is_not_shown_twice(
    client: httpx.AsyncClient, story: Story, length: int
) -> None:
    run_id, at, journal, said = new_id(), now_us(), story.store.journal(), "x" * length
    journal.emit(RunStarted(run_id, "repeat", repeat.spec.hash, Value({}), Value({}), (), at))
    journal.emit(StepStarted(run_id, "echo", "echo", "prompt", "0000", (), None, at))
    journal.emit(AttemptStarted(run_id, "echo", 1, "first", at))
    journal.emit(AttemptFinished(run_id, "echo", 1, "ok", 5, response=Value(said)))
    journal.emit(StepFinished(run_id, "echo", "ok", at, 5, output=Value(said), attempts=1))
    journal.emit(RunFinished(run_id, "ok", at, 9))
    await journal.durable()
    (attempt,) = (await get(client, step_url(run_id, "echo")))["attempts"]
    assert attempt["reply"]["text"] == said[:MAX_BYTES]
    if length <= MAX_BYTES:
        assert attempt["raw"] is None
    else:  # the way to all of it
        assert (attempt["raw"]["cut"], attempt["raw"]["hash"]) == (True, Value(said).hash.hex())


async def test_a_step_that_has_not_begun_shows_its_template(client: httpx.AsyncClient, story: Story) -> None:
    view = await get(client, step_url(story.ids["running"], "critique"))
    assert view["row"] is None
    assert view["definition"]["templates"][0]["template"].startswith("Critique")


async def test_a_large_value_is_cut_and_the_whole_can_be_fetched(client: httpx.AsyncClient, story: Story) -> None:
    value = (await get(client, step_url(story.ids["huge"], "echo")))["inputs"][0]["value"]
    assert (value["cut"], len(value["text"]), value["size"]) == (True, MAX_BYTES, 200_007)
    reply = await client.get(f"/api/payloads/{value['hash']}")
    assert decode(reply.content) == "huge " + "x" * 200_000
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["content-disposition"].startswith("attachment; ")
    assert "immutable" in reply.headers["cache-control"]


async def test_a_large_prompt_is_cut_with_its_size_given(client: httpx.AsyncClient, story: Story) -> None:
    (attempt,) = (await get(client, step_url(story.ids["huge"], "echo")))["attempts"]
    printed = attempt["messages"][0]["segments"][-1]
    assert (len(printed["text"]), printed["size"]) == (MAX_BYTES, 200_005)


async def test_hostile_text_arrives_as_it_was(client: httpx.AsyncClient, story: Story) -> None:
    output = (await get(client, step_url(story.ids["hostile"], "echo")))["output"]
    assert json.loads(output["text"]) == " | ".join(HOSTILE)


async def test_odd_values_travel_as_their_text(client: httpx.AsyncClient, story: Story) -> None:
    view = await get(client, f"/api/runs/{story.ids['rows']}")
    assert f'"big":{2**70}' in view["output"]["text"] and '"nan":NaN' in view["output"]["text"]


async def test_a_chain_that_cannot_be_read_leaves_the_run_readable(client: httpx.AsyncClient, story: Story) -> None:
    view = await get(client, f"/api/runs/{story.ids['rows']}")
    assert view["graph"] is None and "chain cannot be read" in view["graph_problem"]
    assert len(view["steps"]) == 3


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/runs/nothing", 404),
        ("/api/runs/nothing/steps/x", 404),
        ("/api/runs/a%2fb/steps/../../health", 404),
        ("/api/payloads/" + "0" * 40, 404),
        ("/api/payloads/zz", 422),
        ("/api/runs/" + "x" * 65, 422),
        ("/api/runs?limit=0", 422),
        ("/api/runs?limit=100000", 422),
        ("/api/runs?limit=99999999999999999999999", 422),
        ("/api/runs?status=nothing", 422),
        ("/api/runs?after=%00", 422),
        ("/api/runs?text=" + "x" * 201, 422),
        ("/api/nothing", 404),
        ("/nothing", 404),
    ],
)
async def test_every_error_has_one_shape(client: httpx.AsyncClient, path: str, status: int) -> None:
    reply = await client.get(path)
    assert reply.status_code == status
    assert set(reply.json()) == {"error"} and set(reply.json()["error"]) == {"code", "message"}


async def test_a_step_that_the_run_does_not_have_is_not_found(client: httpx.AsyncClient, story: Story) -> None:
    for path in ("nothing", "summarise[99]", "../../health", "critique@7", "%"):
        assert (await client.get(step_url(story.ids["ok"], path))).status_code == 404


async def test_nothing_new_costs_no_body(client: httpx.AsyncClient, story: Story) -> None:
    for path in ("/api/runs", f"/api/runs/{story.ids['ok']}", step_url(story.ids["ok"], "draft")):
        # The tag moves on now and then by itself; twice in a row it does not.
        again = [await _ask_again(client, path) for _ in range(2)]
        assert (304, b"") in again


async def _ask_again(client: httpx.AsyncClient, path: str) -> tuple[int, bytes]:
    tag = (await client.get(path)).headers["etag"]
    reply = await client.get(path, headers={"if-none-match": tag})
    return reply.status_code, reply.content


async def test_answers_are_what_the_schema_says(app: FastAPI, client: httpx.AsyncClient, story: Story) -> None:
    schema = app.openapi()
    asked = {
        "/api/health": "/api/health",
        "/api/chains": "/api/chains",
        "/api/runs": "/api/runs",
        **{f"/api/runs/{run_id}": "/api/runs/{run_id}" for run_id in story.ids.values()},
        step_url(story.ids["failed"], "critique"): "/api/runs/{run_id}/steps/{path}",
        step_url(story.ids["triage"], "polish/refine"): "/api/runs/{run_id}/steps/{path}",
    }
    for url, template in asked.items():
        answer = schema["paths"][template]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.validate(await get(client, url), answer | {"components": schema["components"]})


def test_views_leave_out_no_field_of_the_trace() -> None:
    def names(kind: Any) -> set[str]:
        return {field.name for field in fields(kind)}

    assert names(AttemptRow) - names(AttemptView) == {"reply_text"}
    assert names(InputRow) == names(Input)
    left_out = names(StepSummary) - names(StepRow)
    assert left_out == {"run_id", "step", "sort", "backend", "adapter", "reuse_key", "output_hash", "change"}
