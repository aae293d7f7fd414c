"""Where a project's root is, and what its chainlab.toml may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainlab.config.place import default_db, find_root
from chainlab.config.read import load_config
from chainlab.config.settings import DEFAULT_MODEL, Config
from chainlab.errors import ConfigError


def written(folder: Path, text: str) -> Config:
    (folder / "chainlab.toml").write_text(text)
    return load_config(folder)


def refused(folder: Path, text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        written(folder, text)
    assert caught.value.file == str(folder / "chainlab.toml")
    return caught.value


@pytest.mark.parametrize("mark", ["chainlab.toml", "pyproject.toml", ".git"])
def test_the_root_is_the_nearest_folder_upward_with_a_mark(tmp_path: Path, mark: str) -> None:
    (tmp_path / mark).touch()
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert find_root(deep) == tmp_path
    (deep / "file.py").touch()
    assert find_root(deep / "file.py") == tmp_path


def test_the_nearest_mark_wins(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    inner = tmp_path / "examples"
    inner.mkdir()
    (inner / "chainlab.toml").touch()
    assert find_root(inner) == inner


def test_the_working_directory_is_where_the_search_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_root() == tmp_path


def test_traces_stand_in_the_root_unless_the_environment_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHAINLAB_DB", raising=False)
    assert default_db(tmp_path) == tmp_path / ".chainlab" / "traces.db"
    monkeypatch.setenv("CHAINLAB_DB", str(tmp_path / "other.db"))
    assert default_db(tmp_path) == tmp_path / "other.db"


def test_without_a_file_the_built_in_model_and_the_known_servers_are_there(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    config = load_config(tmp_path)
    assert config.file is None
    assert config.default_model == DEFAULT_MODEL == "embedded:smollm2-135m-instruct"
    assert {name: backend.kind for name, backend in config.backends.items()} == {
        "embedded": "embedded",
        "openai": "openai",
        "vllm": "vllm",
        "anthropic": "anthropic",
        "gemini": "gemini",
    }
    assert config.backends["openai"].api_key_env == "OPENAI_API_KEY"
    assert config.backends["vllm"].base_url == "http://127.0.0.1:8000/v1"
    assert config.backends["vllm"].api_key_env is None
    assert config.backends["openai"].retries == 3


def test_aliases_are_text_or_tables(tmp_path: Path) -> None:
    config = written(
        tmp_path,
        """
        default_model = "small"
        [models]
        small = "embedded"
        tuned = { backend = "vllm", base = "llama", adapter = "tickets@2", max_tokens = 512 }
        own = { path = "models/own.gguf" }
        hosted = { backend = "openai", model = "gpt-x" }
        """,
    )
    assert config.default_model == "small"
    assert {name: alias.ref.written for name, alias in config.models.items()} == {
        "small": "embedded",
        "tuned": "vllm:llama+tickets@2",
        "own": "embedded:models/own.gguf",
        "hosted": "openai:gpt-x",
    }
    assert config.models["tuned"].max_tokens == 512


def test_backends_are_tables_and_built_in_ones_can_be_adjusted(tmp_path: Path) -> None:
    config = written(
        tmp_path,
        """
        [backends.hosted]
        kind = "openai"
        base_url = "https://models.example.com/v1"
        api_key_env = "HOSTED_KEY"
        concurrency = 4
        timeout = 30
        retries = 0
        [backends.embedded]
        threads = 3
        n_ctx = 4096
        """,
    )
    hosted, embedded = config.backends["hosted"], config.backends["embedded"]
    assert (hosted.base_url, hosted.api_key_env, hosted.concurrency) == (
        "https://models.example.com/v1",
        "HOSTED_KEY",
        4,
    )
    assert (hosted.timeout, hosted.retries) == (30, 0)
    assert (embedded.kind, embedded.threads, embedded.n_ctx) == ("embedded", 3, 4096)


def test_another_address_does_not_get_the_built_in_key(tmp_path: Path) -> None:
    config = written(tmp_path, '[backends.openai]\nbase_url = "https://elsewhere.example/v1"')
    assert config.backends["openai"].api_key_env is None


def test_an_unknown_key_is_named_with_the_near_one(tmp_path: Path) -> None:
    assert "did you mean 'default_model'?" in refused(tmp_path, 'default_modle = "embedded"').remedy
    error = refused(tmp_path, '[backends.hosted]\nkind = "openai"\nbase_url = "http://h/v1"\nconcurency = 3')
    assert error.code == "unknown-key"
    assert "concurency" in error.message and "[backends.hosted]" in error.message
    assert "did you mean 'concurrency'?" in error.remedy


@pytest.mark.parametrize("key", ["api_key", "key", "token", "secret", "API-KEY"])
def test_a_key_in_the_file_is_refused_and_not_repeated(tmp_path: Path, key: str) -> None:
    error = refused(tmp_path, f'[backends.hosted]\nkind = "openai"\nbase_url = "http://h/v1"\n{key} = "sk-hidden"')
    assert error.code == "key-in-file"
    assert "api_key_env" in error.remedy
    assert "sk-hidden" not in str(error)


def test_a_password_in_an_address_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, '[backends.hosted]\nkind = "openai"\nbase_url = "http://me:hidden@h/v1"')
    assert error.code == "key-in-file"
    assert "hidden" not in str(error)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("default_model = 3", "must be text"),
        ("default_model = ", "not valid TOML"),
        ('default_model = "smal"\n[models]\nsmall = "embedded"', "not configured"),
        ('models = "embedded"', "must be a table"),
        ('[models]\nsmall = "nowhere:model"', "not configured"),
        ('[models]\nsmall = "vllm:"', "names no model"),
        ("[models]\nsmall = 3", "must be a table"),
        ('[models]\nsmall = { model = "x" }', "names no backend"),
        ('[models]\nsmall = { backend = "vllm", model = "x", base = "y" }', "model and base"),
        ('[models]\nsmall = { backend = "vllm", adapter = "x" }', "no base"),
        ('[models]\nsmall = { backend = "vllm", model = "x", max_tokens = 0 }', "whole number"),
        ('[models]\nsmall = { backend = "vllm", model = "x", max_tokens = true }', "whole number"),
        ('[backends.hosted]\nbase_url = "http://h/v1"', "no kind"),
        ('[backends.hosted]\nkind = "openai"', "no base_url"),
        ('[backends.hosted]\nkind = "openai"\nbase_url = "h/v1"', "http://"),
        ('[backends.hosted]\nkind = "openai"\nbase_url = "http://h/v1"\nn_ctx = 5', "says nothing"),
        ('[backends.embedded]\nbase_url = "http://h/v1"', "says nothing"),
        ("[backends]\nhosted = 3", "must be a table"),
    ],
)
def test_what_is_wrong_in_the_file_is_said(tmp_path: Path, text: str, words: str) -> None:
    assert words in refused(tmp_path, text).message


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "chainlab.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)
