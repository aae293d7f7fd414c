"""What a change may carry, and who may ask for one: from the route table, so that a new route or field fails here."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from chainlab import Lab
from chainlab.inspector import tokens
from chainlab.inspector.app import create_app
from chainlab.inspector.security import CSRF_HEADER, Security
from chainlab.inspector.workbench import Allowed, Workbench
from tests.inspector.conftest import BASE, PAGE, PORT, Story, browser
from tests.inspector.desk import NEW, Desk, desk, fresh_key, over, recorded
from tests.inspector.listening import listening
from tests.lab.replays import Model

EDIT = {
    "step", "template", "system", "model", "temperature", "max_tokens", "top_p", "seed", "stop", "bind", "inputs",
    "output",
}  # fmt: skip
HOW = {"edits", "scope", "on_drift", "on_effects"}
BATCH = HOW | {"kind", "runs", "chain", "last", "status", "tag", "k"}

# Every field of every request. Texts are templates (`template`, `system`), names of what is recorded or registered,
# JSON values (`inputs`, `output`), a few words; none of them is a path, code, or an address.
FIELDS: Mapping[str, set[str]] = {
    "POST /api/runs/{run_id}/preview": HOW | {"step"} | {f"edits.{name}" for name in EDIT},
    "POST /api/runs/{run_id}/replay": HOW | {"idempotency_key"} | {f"edits.{name}" for name in EDIT},
    "POST /api/runs/{run_id}/keep": {"apply", "idempotency_key"},
    "POST /api/batches/preview": BATCH | {f"edits.{name}" for name in EDIT},
    "POST /api/batches": BATCH | {"idempotency_key"} | {f"edits.{name}" for name in EDIT},
    "POST /api/batches/{batch_id}/cancel": set(),
    "POST /api/batches/{batch_id}/resume": {"idempotency_key"},
}


@pytest.fixture(scope="module")
def schema(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def changes(schema: dict[str, Any]) -> dict[str, Any]:
    """Every operation that is no reading."""
    return {
        f"{method.upper()} {path}": operation
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
        if method not in ("get", "head")
    }


def fields(node: Any, schema: dict[str, Any], before: str = "") -> Iterator[str]:
    """The names of all fields that a body may have, below lists, options and models; of maps with free keys, none."""
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        yield from fields(schema["components"]["schemas"][name], schema, before)
    for part in (*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ()), node.get("items")):
        if part is not None:
            yield from fields(part, schema, before)
    for name, inner in node.get("properties", {}).items():
        yield before + name
        yield from fields(inner, schema, f"{before}{name}.")


def bodies(schema: dict[str, Any]) -> dict[str, set[str]]:
    found = {}
    for name, operation in changes(schema).items():
        content = operation.get("requestBody", {}).get("content", {})
        assert set(content) <= {"application/json"}, name
        found[name] = {field for media in content.values() for field in fields(media["schema"], schema)}
    return found


def test_every_field_of_every_change_is_one_of_the_list(schema: dict[str, Any]) -> None:
    assert bodies(schema) == FIELDS


def test_every_model_of_a_change_takes_no_other_field(schema: dict[str, Any]) -> None:
    names = [name for name in schema["components"]["schemas"] if name.startswith("Asked") or name == "Edit"]
    assert len(names) >= 6
    for name in names:
        assert schema["components"]["schemas"][name]["additionalProperties"] is False, name


def test_free_keys_are_names_of_variables_and_inputs_only(schema: dict[str, Any]) -> None:
    maps = {
        f"{name}.{field}"
        for name, model in schema["components"]["schemas"].items()
        if name.startswith("Asked") or name == "Edit"
        for field, inner in model.get("properties", {}).items()
        if any("additionalProperties" in part for part in (inner, *inner.get("anyOf", ())))
    }
    assert maps == {"Edit.bind", "Edit.inputs"}


def test_a_path_or_a_query_names_ids_and_words_only(schema: dict[str, Any]) -> None:
    given = {
        parameter["name"]
        for operations in schema["paths"].values()
        for operation in operations.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] in ("path", "query")
    }
    assert given == {
        "run_id", "batch_id", "payload_hash", "path", "chain", "status", "tag", "text", "limit", "after", "a", "b",
        "step", "any_chain", "kind", "order",
    }  # fmt: skip  # `path` is a step's


# -- who may ask -------------------------------------------------------------------------------------------------------


def requests(run: str, fork: str, batch: str) -> dict[str, tuple[str, Any]]:
    """A request of every change that is right, and would do something."""
    edits = {"edits": [NEW], "idempotency_key": fresh_key()}
    return {
        "POST /api/runs/{run_id}/preview": (f"/api/runs/{run}/preview", {"edits": [NEW]}),
        "POST /api/runs/{run_id}/replay": (f"/api/runs/{run}/replay", edits),
        "POST /api/runs/{run_id}/keep": (f"/api/runs/{fork}/keep", {"idempotency_key": fresh_key()}),
        "POST /api/batches/preview": ("/api/batches/preview", {"edits": [NEW], "runs": [run]}),
        "POST /api/batches": ("/api/batches", edits | {"runs": [run]}),
        "POST /api/batches/{batch_id}/cancel": (f"/api/batches/{batch}/cancel", {}),
        "POST /api/batches/{batch_id}/resume": (f"/api/batches/{batch}/resume", {"idempotency_key": fresh_key()}),
    }


WRONG: Mapping[str, tuple[dict[str, str | None], int]] = {
    "no credential": ({"cookie": None}, 401),
    "a session of another server": ({"cookie": f"chainlab_{PORT}=x.y"}, 401),
    "another host": ({"host": "evil.example"}, 421),
    "another port": ({"host": f"127.0.0.1:{PORT + 1}"}, 421),
    "another origin": ({"origin": "http://evil.example"}, 403),
    "the origin null": ({"origin": "null"}, 403),
    "no origin": ({"origin": None}, 403),
    "plain text": ({"content-type": "text/plain"}, 415),
    "a form": ({"content-type": "application/x-www-form-urlencoded"}, 415),
    "no content type": ({"content-type": None}, 415),
    "no token": ({CSRF_HEADER: None}, 403),
    "a wrong token": ({CSRF_HEADER: "x"}, 403),
}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "t.db"


@pytest.fixture
def ids(database: Path) -> tuple[str, str, str]:
    """A run, a fork of it, and a backtest of both."""
    from chainlab import Edit

    (run,) = recorded(database)
    with Model().open(database) as lab:
        fork = lab.replay_sync(run, edits=[Edit.model_validate(NEW)]).id
        batch = lab.backtest_sync(lab.plan_backtest([Edit(step="critique", seed=1)], runs=[run])).id
    return run, fork, batch


async def send(at: Desk, path: str, body: Any, wrong: Mapping[str, str | None]) -> httpx.Response:
    """A change, right but for some headers."""
    right: dict[str, str | None] = {
        "cookie": "; ".join(f"{name}={value}" for name, value in at.page.cookies.items()),
        "origin": BASE,
        "content-type": "application/json",
        CSRF_HEADER: at.csrf,
    }
    headers = {name: value for name, value in {**right, **wrong}.items() if value is not None}
    async with browser(at.app) as client:
        return await client.post(path, content=httpx.Request("POST", BASE, json=body).content, headers=headers)


async def test_every_change_asked_for_by_the_wrong_one_is_refused_and_nothing_is_done(
    database: Path, ids: tuple[str, str, str], schema: dict[str, Any]
) -> None:
    opened = 0

    def open_lab() -> Lab:
        nonlocal opened
        opened += 1
        return Model().open(database)

    asked = requests(*ids)
    assert set(asked) == set(changes(schema))
    async with over(database, Workbench(open_lab, Allowed(write=True)), Model()) as at:
        before = at.store.reader.change()
        for why, (headers, status) in WRONG.items():
            for name, (path, body) in asked.items():
                reply = await send(at, path, body, headers)
                assert reply.status_code == status, (name, why, reply.text)
        assert (at.store.reader.change(), opened) == (before, 0)
        for name, (path, body) in asked.items():  # the very same requests, with nothing wrong
            reply = await send(at, path, body, {})
            assert reply.status_code in (200, 202), (name, reply.text)
        assert at.store.reader.change() > before and opened == 1


async def test_reading_changes_nothing(database: Path, ids: tuple[str, str, str], schema: dict[str, Any]) -> None:
    run, fork, batch = ids
    async with desk(database, allowed=Allowed(write=True)) as at:
        with sqlite3.connect(database) as connection:
            ((payload,),) = connection.execute("SELECT hex(hash) FROM payloads LIMIT 1")
        named = {"run_id": fork, "batch_id": batch, "path": "critique", "payload_hash": payload.lower()}
        before = at.store.reader.change()
        for path, operations in schema["paths"].items():
            if "get" not in operations or path == "/api/events":
                continue
            query = {"a": run, "b": fork} if "compare" in path else {}
            reply = await at.get(path.removeprefix("/api/").replace(":path", "").format(**named), **query)
            assert reply.status_code == 200, (path, reply.text)
        async with listening(at.app, "0") as page:  # that one has no end
            await page.begun()
            assert page.status == 200
        assert at.store.reader.change() == before
        assert at.model.asked == []


async def test_without_a_workbench_every_change_is_refused(story: Story, schema: dict[str, Any]) -> None:
    security = Security(port=PORT)
    app = create_app(story.store.reader, security=security, assets=PAGE)
    headers = {"authorization": f"Bearer {tokens.bearer(security.secret)}"}
    async with browser(app) as client:
        for path, body in requests("a" * 20, "b" * 20, "c" * 20).values():
            reply = await client.post(path, json=body, headers=headers)
            assert (reply.status_code, reply.json()["error"]["code"]) == (403, "read_only"), path
