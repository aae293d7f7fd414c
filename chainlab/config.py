"""The project's settings: where its root is and what its chainlab.toml says. Knows names of backends, never a backend.

For example:

    default_model = "small"

    [models]
    small = "embedded:smollm2-135m-instruct"
    big = { backend = "vllm", base = "llama-3", adapter = "tickets@2", max_tokens = 1024 }
    own = { path = "models/own.gguf" }

    [backends.hosted]
    kind = "openai"
    base_url = "https://models.example.com/v1"
    api_key_env = "HOSTED_KEY"          # the name of a variable; a key itself never stands in a file
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, cast

from chainlab.errors import ConfigError
from chainlab.spec.model import ModelRef, parse_model_ref

CONFIG_FILE = "chainlab.toml"
DEFAULT_MODEL = "embedded:smollm2-135m-instruct"

BackendKind: TypeAlias = Literal["openai", "embedded"]

_ROOT_MARKS = (CONFIG_FILE, "pyproject.toml", ".git")


@dataclass(frozen=True, slots=True)
class BackendConfig:
    """One backend's settings. None: the backend's own default."""

    name: str
    kind: BackendKind
    base_url: str | None = None
    api_key_env: str | None = None
    concurrency: int | None = None
    threads: int | None = None
    n_ctx: int | None = None
    timeout: float | None = None
    retries: int = 3


@dataclass(frozen=True, slots=True)
class ModelAlias:
    """A name for a model, with the limit that goes with it."""

    name: str
    ref: ModelRef
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that is configured for a project. `file` None: there is no chainlab.toml."""

    root: Path
    file: Path | None = None
    default_model: str = DEFAULT_MODEL
    models: Mapping[str, ModelAlias] = field(default_factory=lambda: MappingProxyType({}))
    backends: Mapping[str, BackendConfig] = field(default_factory=lambda: BUILT_IN_BACKENDS)


BUILT_IN_BACKENDS: Mapping[str, BackendConfig] = MappingProxyType(
    {
        "embedded": BackendConfig("embedded", "embedded", retries=0),  # nothing between us and it that could fail
        "openai": BackendConfig("openai", "openai", base_url="https://api.openai.com/v1", api_key_env="OPENAI_API_KEY"),
        "vllm": BackendConfig("vllm", "openai", base_url="http://127.0.0.1:8000/v1"),
    }
)


def find_root(start: str | os.PathLike[str] | None = None) -> Path:
    """The project's root: from `start` upward the nearest folder with one of the marks, else `start` itself."""
    here = Path(start if start is not None else ".").resolve()
    if here.is_file():
        here = here.parent
    for folder in (here, *here.parents):
        if any((folder / mark).exists() for mark in _ROOT_MARKS):
            return folder
    return here


def default_db(root: Path) -> Path:
    """Where traces go when nothing else is said: $CHAINLAB_DB, else .chainlab/traces.db in the root."""
    named = os.environ.get("CHAINLAB_DB")
    return Path(named).expanduser() if named else root / ".chainlab" / "traces.db"


def load_config(root: str | os.PathLike[str] | None = None) -> Config:
    """The settings of the project that holds `root` (default: the working directory). Raises ConfigError."""
    folder = find_root(root)
    file = folder / CONFIG_FILE
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Config(folder)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{CONFIG_FILE} cannot be read: {error}", file=str(file)) from error
    return parse_config(text, folder, file)


def parse_config(text: str, root: Path, file: Path) -> Config:
    """The settings in the text of a chainlab.toml. Raises ConfigError."""
    import tomllib

    at = str(file)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{CONFIG_FILE} is not valid TOML: {error}", code="bad-toml", file=at) from error
    top = _table(data, "the file", _TOP, at)
    backends = dict(BUILT_IN_BACKENDS)
    for name, table in top.get("backends", {}).items():
        backends[name] = _backend(name, table, at)
    models = {name: _alias(name, value, backends, at) for name, value in top.get("models", {}).items()}
    default = top.get("default_model", DEFAULT_MODEL)
    _known(_ref(default, "default_model", at).name, {*models, *backends}, "default_model", at)
    return Config(root, file, default, MappingProxyType(models), MappingProxyType(backends))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean 'x'? ` when a known name is near, else an empty string."""
    import difflib

    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]!r}? " if near else ""


# What a key may hold: a test, and the words for it.
_Rule: TypeAlias = tuple[Callable[[Any], bool], str]

_TEXT: _Rule = (lambda v: isinstance(v, str) and bool(v.strip()), "text")
_TABLE: _Rule = (lambda v: isinstance(v, dict), "a table")
_COUNT: _Rule = (lambda v: type(v) is int and v >= 1, "a whole number from 1")
_RETRIES: _Rule = (lambda v: type(v) is int and v >= 0, "a whole number from 0")
_SECONDS: _Rule = (lambda v: type(v) in (int, float) and v > 0, "seconds, more than 0")
_KIND: _Rule = (lambda v: v in ("openai", "embedded"), '"openai" or "embedded"')
_URL: _Rule = (lambda v: isinstance(v, str) and v.startswith(("http://", "https://")), "an http:// or https:// address")

_TOP: Mapping[str, _Rule] = {"default_model": _TEXT, "models": _TABLE, "backends": _TABLE}
_ALIAS: Mapping[str, _Rule] = {
    "backend": _TEXT,
    "model": _TEXT,
    "base": _TEXT,
    "adapter": _TEXT,
    "path": _TEXT,
    "max_tokens": _COUNT,
}
_BACKEND: Mapping[str, _Rule] = {
    "kind": _KIND,
    "base_url": _URL,
    "api_key_env": _TEXT,
    "concurrency": _COUNT,
    "threads": _COUNT,
    "n_ctx": _COUNT,
    "timeout": _SECONDS,
    "retries": _RETRIES,
}
_ONLY_FOR: Mapping[str, BackendKind] = {
    "base_url": "openai",
    "api_key_env": "openai",
    "timeout": "openai",
    "retries": "openai",
    "threads": "embedded",
    "n_ctx": "embedded",
}


def _table(value: Any, where: str, rules: Mapping[str, _Rule], at: str) -> dict[str, Any]:
    """A table with known keys of the right types."""
    if not isinstance(value, dict):
        raise ConfigError(f"{where} must be a table", file=at, remedy=f"its keys are {', '.join(rules)}")
    for key, held in value.items():
        if key not in rules:
            raise ConfigError(
                f"unknown key {key!r} in {where}",
                code="unknown-key",
                file=at,
                remedy=f"{did_you_mean(key, rules)}known keys: {', '.join(rules)}",
            )
        test, words = rules[key]
        if not test(held):
            raise ConfigError(f"{key} in {where} must be {words}, not {held!r}", file=at)
    return value


def _backend(name: str, value: Any, at: str) -> BackendConfig:
    where = f"[backends.{name}]"
    if isinstance(value, dict):
        _refuse_keys(value, where, at)
    table = _table(value, where, _BACKEND, at)
    built_in = BUILT_IN_BACKENDS.get(name)
    kind = cast("BackendKind | None", table.get("kind")) or (built_in.kind if built_in else None)
    if kind is None:
        raise ConfigError(f"{where} has no kind", file=at, remedy='add kind = "openai" or kind = "embedded"')
    for key in table:
        if _ONLY_FOR.get(key, kind) != kind:
            raise ConfigError(
                f"{key} in {where} says nothing to a backend of kind {kind!r}", file=at, remedy="remove it"
            )
    base = built_in if built_in is not None and built_in.kind == kind else None
    # A key belongs to one address: with another address the built-in key variable must not go along.
    moved = "base_url" in table
    base_url = table.get("base_url") or (base.base_url if base else None)
    if kind == "openai" and base_url is None:
        raise ConfigError(f"{where} has no base_url", file=at, remedy='add base_url = "https://.../v1"')
    return BackendConfig(
        name,
        kind,
        base_url=base_url,
        api_key_env=table.get("api_key_env") or (base.api_key_env if base and not moved else None),
        concurrency=table.get("concurrency"),
        threads=table.get("threads"),
        n_ctx=table.get("n_ctx"),
        timeout=table.get("timeout"),
        retries=table.get("retries", 3 if kind == "openai" else 0),
    )


def _refuse_keys(table: Mapping[str, Any], where: str, at: str) -> None:
    """A secret in a file ends up in a repository; the value is not repeated in the message."""
    for key in table:
        plain = key.lower().replace("-", "_")
        if plain != "api_key_env" and any(word in plain for word in ("key", "token", "secret", "password")):
            raise ConfigError(
                f"{key} in {where}: keys do not stand in {CONFIG_FILE}",
                code="key-in-file",
                file=at,
                remedy='remove it and write api_key_env = "NAME_OF_AN_ENVIRONMENT_VARIABLE"',
            )
    url = table.get("base_url")
    if isinstance(url, str) and "@" in url.split("://", 1)[-1].split("/", 1)[0]:
        raise ConfigError(
            f"base_url in {where} holds a user name or password",
            code="key-in-file",
            file=at,
            remedy="remove the part before the @ and use api_key_env",
        )


def _alias(name: str, value: Any, backends: Mapping[str, BackendConfig], at: str) -> ModelAlias:
    where = f"[models] {name}"
    if isinstance(value, str):
        ref, max_tokens = _ref(value, where, at), None
    else:
        table = _table(value, where, _ALIAS, at)
        ref, max_tokens = _ref(_written(table, where, at), where, at), table.get("max_tokens")
    _known(ref.name, backends, where, at)
    return ModelAlias(name, ref, max_tokens)


def _written(table: Mapping[str, Any], where: str, at: str) -> str:
    """The model reference that a table spells out."""
    named = [key for key in ("model", "base", "path") if key in table]
    if len(named) > 1:
        raise ConfigError(f"{where} has {' and '.join(named)}", file=at, remedy="keep one of them")
    backend = table.get("backend") or ("embedded" if named == ["path"] else None)
    if backend is None:
        raise ConfigError(f"{where} names no backend", file=at, remedy='add backend = "NAME"')
    if not named:
        if "adapter" in table:
            raise ConfigError(f"{where} has an adapter but no base", file=at, remedy='add base = "MODEL"')
        return str(backend)
    adapter = f"+{table['adapter']}" if "adapter" in table else ""
    return f"{backend}:{table[named[0]]}{adapter}"


def _ref(text: str, where: str, at: str) -> ModelRef:
    try:
        return parse_model_ref(text)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error.message}", code=error.code, remedy=error.remedy, file=at) from None


def _known(name: str, known: Iterable[str], where: str, at: str) -> None:
    names = sorted(known)
    if name not in names:
        raise ConfigError(
            f"{where} names {name!r}, which is not configured",
            code="unknown-model",
            file=at,
            remedy=f"{did_you_mean(name, names)}known: {', '.join(names)}",
        )
