"""From the name that a step gives its model to the backend that answers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chainlab.backends.embedded import EmbeddedBackend
from chainlab.backends.openai import OpenAIBackend
from chainlab.backends.registry import ModelRegistry
from chainlab.backends.scripted import ScriptedBackend
from chainlab.config.read import parse_config
from chainlab.config.settings import Config
from chainlab.errors import ConfigError

TOML = """
[models]
small = "embedded"
tuned = { backend = "vllm", base = "llama", adapter = "tickets@2", max_tokens = 512 }
[backends.hosted]
kind = "openai"
base_url = "https://models.example.com/v1"
api_key_env = "CHAINLAB_TEST_KEY"
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return parse_config(TOML, tmp_path, tmp_path / "chainlab.toml")


def refused(config: Config, written: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        ModelRegistry(config).resolve(written)
    return caught.value


def test_a_step_without_a_model_gets_the_built_in_one(config: Config) -> None:
    found = ModelRegistry(config).resolve(None)
    assert isinstance(found.backend, EmbeddedBackend)
    assert (found.written, found.model, found.max_tokens) == (None, "smollm2-135m-instruct", 256)


def test_a_string_serves_the_steps_that_name_no_model(config: Config) -> None:
    models = ModelRegistry(config, "vllm:llama")
    assert models.resolve(None).model == "llama"
    assert models.resolve("small").model == "smollm2-135m-instruct"


def test_an_alias_leads_to_backend_model_adapter_and_limit(config: Config) -> None:
    found = ModelRegistry(config).resolve("tuned")
    assert isinstance(found.backend, OpenAIBackend)
    assert (found.backend.name, found.model, found.adapter, found.max_tokens) == ("vllm", "llama", "tickets@2", 512)
    assert found.written == "tuned"


def test_a_backend_is_built_once(config: Config) -> None:
    models = ModelRegistry(config)
    assert models.resolve("tuned").backend is models.resolve("vllm:other").backend
    assert models.resolve("small").backend is models.resolve(None).backend


def test_a_backend_instance_answers_whatever_is_named(config: Config) -> None:
    scripted = ScriptedBackend(lambda request: "x")
    models = ModelRegistry(config, scripted)
    for written in ("small", "nowhere", "vllm:llama+letters", None):
        found = models.resolve(written)
        assert found.backend is scripted
        assert found.model == (written or "scripted")
        assert (found.written, found.adapter, found.max_tokens) == (written, None, None)


def test_an_unknown_alias_lists_what_is_known(config: Config) -> None:
    error = refused(config, "smal")
    assert error.code == "unknown-model"
    assert "did you mean 'small'?" in error.remedy
    for name in ("small", "tuned", "embedded", "openai:MODEL", "vllm:MODEL", "hosted:MODEL"):
        assert name in error.remedy


def test_an_unknown_backend_is_told_apart_from_an_unknown_alias(config: Config) -> None:
    error = refused(config, "hostd:model")
    assert "unknown backend 'hostd'" in error.message
    assert "did you mean 'hosted'?" in error.remedy


def test_a_server_named_without_a_model_is_refused(config: Config) -> None:
    assert refused(config, "vllm").remedy == "write vllm:MODEL"


def test_an_adapter_of_the_embedded_backend_needs_a_file(config: Config) -> None:
    error = refused(config, "embedded:smollm2-135m-instruct+tickets")
    assert error.code == "no-adapter" and "path" in error.remedy


def test_the_values_of_all_key_variables_are_known_for_redaction(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAINLAB_TEST_KEY", "sk-hidden")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert ModelRegistry(config).secrets() == ("sk-hidden",)


def test_closing_closes_what_was_built_and_what_was_given(config: Config) -> None:
    closed: list[str] = []

    class Closing(ScriptedBackend):
        async def aclose(self) -> None:
            closed.append(self.name)

    async def close() -> None:
        await ModelRegistry(config, Closing(lambda request: "x")).aclose()
        models = ModelRegistry(config)
        models.resolve("small")
        await models.aclose()

    asyncio.run(close())
    assert closed == ["scripted"]


def test_what_can_be_written_is_described_with_what_is_missing(
    config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CHAINLAB_CACHE", str(tmp_path / "empty"))
    monkeypatch.delenv("CHAINLAB_TEST_KEY", raising=False)
    lines = {line.name: line for line in ModelRegistry(config).describe()}
    servers = [f"{name}:MODEL" for name in ("openai", "vllm", "anthropic", "gemini", "hosted")]
    assert list(lines) == ["(default)", "small", "tuned", "embedded", *servers]
    assert (lines["small"].ready, lines["small"].note) == (False, "chainlab models pull")
    assert (lines["tuned"].target, lines["tuned"].kind, lines["tuned"].ready) == (
        "vllm:llama+tickets@2",
        "vllm",
        True,
    )
    assert (lines["hosted:MODEL"].ready, lines["hosted:MODEL"].note) == (False, "set CHAINLAB_TEST_KEY")
    assert lines["hosted:MODEL"].where == "https://models.example.com/v1"
