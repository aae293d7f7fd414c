"""What starting the inspector, or printing a link, may load: its cold start is part of its promise."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


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
