"""The built-in model with real LoRA adapters: chosen by request, recorded, and several models within a memory bound."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chainlab import ConfigError, Lab, chain, fill, prompt
from chainlab.backends import weights
from chainlab.backends.adapter import adapter_hash
from chainlab.backends.embedded import DEFAULT_MODEL, EmbeddedBackend
from chainlab.messages import Request
from chainlab.protocols import ResolvedModel

pytestmark = pytest.mark.model

ADAPTERS = Path(__file__).parents[1] / "data" / "lora"
MAIL = "Order 4711: my invoice is wrong. No rush."

SETTINGS = f"""
[models]
base = {{ backend = "embedded", model = "{DEFAULT_MODEL}", max_tokens = 30 }}
ticket = {{ backend = "embedded", base = "{DEFAULT_MODEL}", adapter = "ticket@v1", path = "{ADAPTERS}/ticket.gguf" }}
route = {{ backend = "embedded", base = "{DEFAULT_MODEL}", adapter = "route@v1", path = "{ADAPTERS}/route.gguf" }}
gone = {{ backend = "embedded", base = "{DEFAULT_MODEL}", adapter = "gone", path = "gone.gguf" }}
broken = {{ backend = "embedded", base = "{DEFAULT_MODEL}", adapter = "broken", path = "broken.gguf" }}
"""


@prompt("{{ mail }}", system="Classify the ticket.", model="ticket", temperature=0, max_tokens=30)
def ticket(mail: str) -> str:
    return fill()


@prompt("{{ mail }}", system="Route the ticket.", model="route", temperature=0, max_tokens=30)
def route_it(mail: str) -> str:
    return fill()


@prompt("{{ mail }}", system="Classify the ticket.", model="base", temperature=0)
def untuned(mail: str) -> str:
    return fill()


@chain
def all_three(mail: str) -> tuple[str, str, str, str]:
    return ticket(mail), untuned(mail), route_it(mail), ticket.with_(name="again")(mail)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "chainlab.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_adapters_and_base_are_chosen_by_request(project: Path) -> None:
    with Lab.open(project / "t.db") as lab:
        run = lab.run_sync(all_three, mail=MAIL)
        run.raise_for_status()
        filed, plain, routed, again = run.output
        assert filed == again == "CAT=billing;PRI=low;ID=4711"
        assert routed == "to: billing (low) #4711"
        assert "CAT=" not in plain and "to: " not in plain
        step = lab.reader.step(run.id, "ticket")
        assert step is not None
        (attempt,) = step.attempts
        hashed = adapter_hash(ADAPTERS / "ticket.gguf")
        assert hashed is not None
        assert (attempt.base, attempt.adapter, attempt.adapter_hash) == (DEFAULT_MODEL, "ticket@v1", hashed.hex())
        assert attempt.served_model == f"{DEFAULT_MODEL}+ticket@v1"


@pytest.mark.parametrize(("name", "code"), [("gone", "no-adapter"), ("broken", "bad-weights")])
def test_an_adapter_that_is_none(name: str, code: str, project: Path) -> None:
    (project / "broken.gguf").write_bytes(b"GGUF" + bytes(100))
    with Lab.open(project / "t.db") as lab, pytest.raises(ConfigError) as refused:
        lab.run_sync(ticket.with_(model=name), mail=MAIL)
    assert refused.value.code == code
    assert f"{name}.gguf" in refused.value.message + (refused.value.remedy or "")


def test_the_model_used_longest_ago_goes_when_memory_is_short(tmp_path: Path) -> None:
    """Three models by name, one file: there is place for two."""
    file = weights.ensure(DEFAULT_MODEL, tmp_path, lambda progress: None)
    for name in "abc":
        (tmp_path / f"{name}.gguf").symlink_to(file)

    async def work() -> list[tuple[str, ...]]:
        backend = EmbeddedBackend(root=tmp_path, n_ctx=512, memory_mb=650)
        loaded = []
        try:
            for name in "abacab":
                request = Request(
                    step="x", model=f"{name}.gguf", messages=[{"role": "user", "content": "x"}], max_tokens=1
                )
                await backend.send(request)
                loaded.append(tuple(model[0] for model in backend.loaded))
        finally:
            await backend.aclose()
        return loaded

    found = asyncio.run(work())
    assert found == [("a",), ("a", "b"), ("b", "a"), ("a", "c"), ("c", "a"), ("a", "b")]


def test_one_that_never_fits_is_refused(tmp_path: Path) -> None:
    backend = EmbeddedBackend(root=tmp_path, memory_mb=100)
    with pytest.raises(ConfigError) as refused:
        asyncio.run(backend.prepare(ResolvedModel(None, backend, DEFAULT_MODEL), lambda progress: None))
    assert (refused.value.code, "memory_mb" in (refused.value.remedy or "")) == ("out-of-memory", True)
