"""What starting the inspector, or printing a link, may load: its cold start is part of its promise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from chainlab.store.store import Store


def loaded(module: str) -> set[str]:
    code = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_the_inspector_starts_without_graph_library_migrations_or_engine() -> None:
    modules = loaded("chainlab.inspector.serve")
    assert "fastapi" in modules
    heavy = {"networkx", "alembic", "sqlalchemy", "httpx", "typer", "rich", "chainlab.engine", "chainlab.plan"}
    assert not heavy & modules
    assert not [name for name in modules if name.startswith(("chainlab.engine.", "chainlab.backends."))]


def test_an_up_to_date_store_is_opened_without_migrations() -> None:
    assert not {"networkx", "alembic", "chainlab.engine"} & loaded("chainlab.inspector.serve, chainlab.store.store")


@pytest.mark.parametrize("module", ["chainlab.inspector.link", "chainlab.inspector.tokens"])
def test_a_link_is_printed_without_a_web_framework(module: str) -> None:
    assert not {"fastapi", "starlette", "uvicorn", "sqlalchemy"} & loaded(module)


_FIRST_CHANGE = """
import asyncio, json, sys
from pathlib import Path
from chainlab.inspector.app import create_app
from chainlab.inspector.security import Security
from chainlab.inspector.tokens import bearer
from chainlab.inspector.workbench import Workbench
from chainlab.store.store import Store

def open_lab():
    from chainlab.lab.lab import Lab
    return Lab.open(sys.argv[1])

async def ask(app, method, path, body):
    head = [(b"host", b"127.0.0.1:1"), (b"content-type", b"application/json")]
    head.append((b"authorization", b"Bearer " + bearer("secret").encode()))
    said = []
    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}
    async def send(message):
        said.append(message)
    await app({"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
               "headers": head, "http_version": "1.1", "scheme": "http", "root_path": ""}, receive, send)
    return said[0]["status"]

async def main():
    bench = Workbench(open_lab)
    with Store.open(Path(sys.argv[1])) as store:
        app = create_app(store.reader, security=Security(port=1, secret="secret"), assets={}, bench=bench)
        told = [await ask(app, "GET", path, b"") for path in ("/api/health", "/api/runs", "/api/batches")]
        before = sorted(sys.modules)
        told.append(await ask(app, "POST", "/api/runs/nothing/preview", b"{}"))
        await bench.aclose()
        print(json.dumps([told, before, sorted(sys.modules)]))

asyncio.run(main())
"""


def test_the_first_change_loads_what_changes_need_and_reading_does_not(tmp_path: Path) -> None:
    database = tmp_path / "t.db"
    Store.open(database).close()
    command = [sys.executable, "-c", _FIRST_CHANGE, str(database)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told, before, after = json.loads(done.stdout)
    assert told == [200, 200, 200, 404]
    needed = {"chainlab.lab.lab", "chainlab.engine.execute"}
    assert not needed & set(before) and needed <= set(after)
    assert not [name for name in before if name.startswith(("chainlab.engine", "chainlab.backends"))]
