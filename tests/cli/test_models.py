"""`chainlab models`: the names that a step can write, and what the servers behind them serve. `--budget` of a run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.cli.conftest import Project

MODELS = {
    "data": [
        {"id": "smollm2", "parent": None, "max_model_len": 2048},
        {"id": "tickets@3", "parent": "smollm2"},
        {"id": "\x1b[31mred", "parent": None},
    ]
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = (200, MODELS) if self.path == "/v1/models" else (404, {"error": {"message": "no"}})
        if self.path.startswith("/locked"):
            status, body = 401, {"error": {"message": f"bad key {self.headers['authorization']}"}}
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def servers(project: Project) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        project.write(
            "chainlab.toml",
            "[models]\n"
            'tickets = { backend = "mine", base = "smollm2", adapter = "tickets@3" }\n'
            f'[backends.mine]\nkind = "vllm"\nbase_url = "{url}/v1"\n'
            f'[backends.locked]\nkind = "openai"\nbase_url = "{url}/locked"\napi_key_env = "LOCKED_KEY"\n'
            f'[backends.keyless]\nkind = "openai"\nbase_url = "{url}/locked"\napi_key_env = "NO_KEY_OF_THIS_NAME"\n'
            '[backends.down]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n',
        )
        yield url
        server.shutdown()


def test_names_servers_models_adapters_and_context(project: Project, servers: str) -> None:
    said = project.run("models", LOCKED_KEY="sk-secret")
    assert said.code == 0, said.err
    assert re.search(r"tickets +mine:smollm2\+tickets@3 +vllm +yes", said.out)
    assert f"✓ mine  vllm  {servers}/v1\n    smollm2  2,048 tokens of context\n      + tickets@3  adapter\n" in said.out
    assert "\x1b[31m" not in said.out
    assert "cannot be reached" in said.out and "check that a server answers at http://127.0.0.1:9/v1" in said.out
    assert "answered 401" in said.out and "check LOCKED_KEY" in said.out
    assert "export NO_KEY_OF_THIS_NAME=..." in said.out
    assert "sk-secret" not in said.out + said.err


def test_as_json(project: Project, servers: str) -> None:
    found = json.loads(project.run("models", "--json").out)
    mine = next(server for server in found["servers"] if server["backend"] == "mine")
    assert [(model["name"], model["parent"], model["context"]) for model in mine["models"]][:2] == [
        ("smollm2", None, 2048),
        ("tickets@3", "smollm2", None),
    ]
    assert {model["name"] for model in found["models"]} >= {"tickets", "mine:MODEL", "down:MODEL"}


def test_offline_asks_nobody(project: Project, servers: str) -> None:
    said = project.run("models", "--offline")
    assert said.code == 0
    assert "cannot be reached" not in said.out and "tokens of context" not in said.out


def test_a_step_is_pointed_elsewhere(project: Project) -> None:
    said = project.run("run", "brief.py", "text=x", "--model", "summarise=nasty")
    assert "nasty" in said.out
    wrong = project.run("run", "brief.py", "text=x", "--model", "sumarise=nasty")
    assert wrong.code == 2 and "summarise" in wrong.err


def test_a_budget_stops_a_run_and_a_replay_goes_on(project: Project) -> None:
    said = project.run("run", "brief.py", "text=x", "--budget", "calls=2")
    assert said.code == 1
    assert "budget-exceeded" in said.out + said.err and "at most 2 calls" in said.out + said.err
    again = project.run("replay", "last", "--budget", "calls=9", "--module", "brief.py")
    assert again.code == 0, again.err


@pytest.mark.parametrize("wrong", ["calls", "calls=no", "calls=0", "many=3", "seconds=-1"])
def test_a_budget_that_is_none(wrong: str, project: Project) -> None:
    said = project.run("run", "brief.py", "text=x", "--budget", wrong)
    assert said.code == 2
    assert "calls=, tokens=, cost= or seconds=" in said.err
    assert project.run("runs", "--json").out.strip() in ("", "[]")
