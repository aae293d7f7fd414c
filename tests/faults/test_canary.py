"""Keys in the environment, a header, an address and the settings: after every fault, and echoed by the server in every
way it can, none is found in the database, the logs, an error's text, the API or what the command line prints."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chainlab import Lab
from chainlab.errors import ChainlabError, ConfigError
from chainlab.inspector import tokens
from chainlab.inspector.app import create_app
from chainlab.inspector.security import Security
from tests.faults.clock import on_a_leaping_clock
from tests.faults.faults import BOTH, STREAMED, Fault, completion, piece, well
from tests.faults.server import Call, serving
from tests.faults.test_faults import numbers

HEADER = "canary-in-the-header-5f2e81c07d"  # no known shape: only its being configured gives it away
ADDRESS = "canary-in-the-address-93b1d46aa0"
UNUSED = "canary-of-another-backend-77e0c5"

TOML = """
default_model = "local:m"
[backends.local]
kind = "openai"
base_url = "{url}?api-key={address}"
api_key_env = "CHAINLAB_CANARY"
structured = "json_schema"
retries = 1
[backends.other]
kind = "anthropic"
base_url = "https://other.example/v1"
api_key_env = "CHAINLAB_CANARY_UNUSED"
"""


def echoed(call: Call) -> str:
    """All that a careless server repeats: the header, the address, and keys that it should not know."""
    return f"{call.headers['authorization']} for {call.path}; the other key is {UNUSED}"


def echoing(status: int, kind: str = "application/json") -> Any:
    async def act(call: Call) -> None:
        said = echoed(call)
        body: Any = {"error": {"message": said, "headers": call.headers}} if "json" in kind else said.encode()
        await call.whole(body, status, f"x-echo: {said}", f"location: http://other.example/?{said}", kind=kind)

    return act


async def in_a_reply(call: Call) -> None:
    await call.whole(completion(json.dumps({"value": echoed(call)})))


async def in_a_stream(call: Call) -> None:
    said = echoed(call)
    await call.events(piece(said), json.dumps({"error": {"message": said}}))


async def cut_off(call: Call) -> None:
    await call.events(piece(echoed(call)))


async def no_json(call: Call) -> None:
    await call.events(f"{echoed(call)}: no JSON")


ECHOES = tuple(
    [Fault(f"echo {status} {kind}", echoing(status, kind)) for status in (200, 302, 400, 401, 404, 429, 500)
     for kind in ("application/json", "text/html")]
) + tuple(Fault(act.__name__, act) for act in (in_a_reply, in_a_stream, cut_off, no_json))  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHAINLAB_CANARY", HEADER)
    monkeypatch.setenv("CHAINLAB_CANARY_UNUSED", UNUSED)
    yield tmp_path


def test_no_key_is_found_anywhere_after_every_fault(
    project: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    faults = (*ECHOES, *(fault for fault in (*BOTH, *STREAMED) if fault.name != "200, a reply without end"))
    said = on_a_leaping_clock(_suffer(faults, project))
    said += caplog.text + capsys.readouterr().out + capsys.readouterr().err
    for file in (project / ".chainlab").rglob("*"):
        if file.is_file():
            said += file.read_bytes().decode("latin-1")
    # what a secret looks like when it is written as a part of JSON is the same text: letters, digits and dashes
    found = [said[max(0, at - 200) : at + 60] for key in (HEADER, ADDRESS, UNUSED) if (at := said.find(key)) >= 0]
    assert found == []
    assert said.count("[redacted]") > 100


async def _suffer(faults: tuple[Fault, ...], project: Path) -> str:
    """Run a chain through every fault; everything that was said about it, to anybody."""
    now: list[Fault] = []
    seen = {"header": 0, "address": 0}

    async def answer(call: Call) -> None:
        seen["header"] += HEADER in call.headers.get("authorization", "")
        seen["address"] += ADDRESS in call.path
        await (now[0].act if call.step == "middle" else well)(call)

    said: list[str] = []
    async with serving(answer) as server:
        (project / "chainlab.toml").write_text(TOML.format(url=server.url, address=ADDRESS))
        async with Lab.open() as lab:
            for fault in faults:
                now[:] = [fault]
                run = await lab.run(numbers, text="x")
                try:
                    said.append(str(run.output))
                except ChainlabError as error:
                    said += [str(error), repr(error), repr(vars(error))]
                said += [repr(run.failure), repr(lab.get(run.id)), repr(lab.get(run.id).failure)]
            said += await _api(lab)
    assert min(seen.values()) > len(faults), "the keys were really sent"
    return "\n".join(said)


async def _api(lab: Lab) -> list[str]:
    """Every run and step as the API gives it."""
    security = Security(port=8642)
    app = create_app(lab.reader, security=security, assets={})
    said = []
    headers = {"authorization": f"Bearer {tokens.bearer(security.secret)}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8642", trust_env=False, headers=headers
    ) as client:
        for run in lab.runs(limit=500):
            for place in (f"/api/runs/{run.id}", f"/api/runs/{run.id}/steps/middle"):
                answer = await client.get(place)
                assert answer.status_code == 200, answer.text
                said.append(answer.text + str(answer.headers))
    return said


def test_a_key_in_the_settings_is_refused_and_not_repeated(project: Path) -> None:
    for text in (
        f'[backends.x]\nkind = "openai"\nbase_url = "http://h/v1"\napi_key = "{HEADER}"',
        f'[backends.x]\nkind = "openai"\nbase_url = "http://me:{HEADER}@h/v1"',
        f'[backends.x]\nkind = "openai"\nbase_url = "http://h/v1"\noptions = {{ secret_key = "{HEADER}" }}',
    ):
        (project / "chainlab.toml").write_text(text)
        with pytest.raises(ConfigError) as caught:
            Lab.open()
        assert caught.value.code == "key-in-file"
        assert HEADER not in str(caught.value)
