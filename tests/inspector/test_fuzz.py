"""Requests out of the API schema, good and bad, before a server that carries out changes: none is a fault of its."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from chainlab.inspector.link import running, state_file
from chainlab.inspector.schema import openapi_text
from chainlab.inspector.tokens import bearer
from tests.browser.bench import bench
from tests.inspector.story import write_story

EXAMPLES = 25
ENDLESS = {"/api/events"}  # a stream; test_live.py asks it


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """An inspector in a process of its own: its address, and the token of a program."""
    folder = tmp_path_factory.mktemp("fuzz")
    write_story(folder / "made.db", many=0)
    database = shutil.copy(folder / "made.db", folder / "traces.db")
    with bench(Path(database), "replays"):
        state = running(state_file(Path(database)))
        assert state is not None
        yield state.url, bearer(state.secret)


def operations() -> list[Any]:
    schema = schemathesis.openapi.from_dict(json.loads(openapi_text()))
    found: list[Any] = list(schema.get_all_operations())
    return [one.ok() for one in found]


def test_no_request_of_the_schema_is_a_fault_of_the_server(server: tuple[str, str]) -> None:
    url, token = server
    seen: Counter[int] = Counter()
    asked = [one for one in operations() if one.path not in ENDLESS]
    assert len(asked) >= 15
    for operation in asked:

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:
            reply = case.call(base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=60)
            seen[reply.status_code] += 1
            assert reply.status_code < 500, f"{case.method} {case.formatted_path}: {reply.text[:300]}"
            assert "application/json" in reply.headers.get("content-type", "") or reply.status_code in (200, 304)

        check()
    assert seen[200] > 50 and seen[422] > 10, seen  # neither all nothing nor all refused
