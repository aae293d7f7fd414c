"""chainlab.toml, read and checked: every mistake in it is one ConfigError with the known names. Knows no backend."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from chainlab.config.place import find_root
from chainlab.config.rules import ALIAS, BACKEND, BUDGET, NEVER_FOR, ONLY_FOR, PRICE, TOP, Rule
from chainlab.config.settings import (
    BUILT_IN_BACKENDS,
    CONFIG_FILE,
    DEFAULT_MODEL,
    HTTP_KINDS,
    KINDS,
    BackendConfig,
    Config,
    ModelAlias,
    Price,
)
from chainlab.errors import ConfigError
from chainlab.spec.budget import Budget
from chainlab.spec.model import ModelRef, parse_model_ref
from chainlab.values.near import did_you_mean


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
    top = _table(data, "the file", TOP, at)
    backends = dict(BUILT_IN_BACKENDS)
    for name, table in top.get("backends", {}).items():
        backends[name] = _backend(name, table, at)
    models = {name: _alias(name, value, backends, root, at) for name, value in top.get("models", {}).items()}
    default = top.get("default_model", DEFAULT_MODEL)
    _known(_ref(default, "default_model", at).name, {*models, *backends}, "default_model", at)
    prices = {name: _price(name, value, {*models, *backends}, at) for name, value in top.get("prices", {}).items()}
    budget = _budget("budget", top["budget"], at) if "budget" in top else None
    budgets = {name: _budget(f"budgets.{name}", value, at) for name, value in top.get("budgets", {}).items()}
    return Config(
        root,
        file,
        default,
        MappingProxyType(models),
        MappingProxyType(backends),
        MappingProxyType(prices),
        budget,
        MappingProxyType(budgets),
    )


def _table(value: Any, where: str, rules: Mapping[str, Rule], at: str) -> dict[str, Any]:
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
    table = dict(_table(value, where, BACKEND, at))
    built_in = BUILT_IN_BACKENDS.get(name)
    kind = table.pop("kind", None) or (built_in.kind if built_in else None)
    if kind is None:
        known = " or ".join(f'kind = "{one}"' for one in KINDS)
        raise ConfigError(f"{where} has no kind", file=at, remedy=f"add {known}")
    for key in table:
        if (kind in KINDS and kind not in ONLY_FOR.get(key, KINDS)) or kind in NEVER_FOR.get(key, ()):
            raise ConfigError(
                f"{key} in {where} says nothing to a backend of kind {kind!r}", file=at, remedy="remove it"
            )
    if built_in is not None and built_in.kind == kind:
        if "base_url" not in table:
            table["base_url"] = built_in.base_url
            # A key belongs to one address: with another address the built-in key variable does not go along.
            table.setdefault("api_key_env", built_in.api_key_env)
        table.setdefault("retries", built_in.retries)
    if kind in HTTP_KINDS and table.get("base_url") is None:
        raise ConfigError(f"{where} has no base_url", file=at, remedy='add base_url = "https://.../v1"')
    if kind == "embedded":
        table.setdefault("retries", 0)
    return BackendConfig(name, kind, **table)


def _refuse_keys(table: Mapping[str, Any], where: str, at: str) -> None:
    """A secret in a file ends up in a repository; the value is not repeated in the message."""
    for key, held in table.items():
        if isinstance(held, dict):
            _refuse_keys(held, f"{where} {key}", at)
        plain = key.lower().replace("-", "_")
        if plain not in BACKEND and any(word in plain for word in ("key", "token", "secret", "password")):
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


def _alias(name: str, value: Any, backends: Mapping[str, BackendConfig], root: Path, at: str) -> ModelAlias:
    where = f"[models] {name}"
    if isinstance(value, str):
        alias = ModelAlias(name, _ref(value, where, at))
    else:
        table = _table(value, where, ALIAS, at)
        ref = _ref(_written(table, where, at), where, at)
        path = table["path"] if ref.adapter is not None and "path" in table else None
        if table.get("autoload") and path is None:
            raise ConfigError(
                f"{where} has autoload, and no adapter with a path",
                file=at,
                remedy='add adapter = "NAME" and path = "FOLDER"',
            )
        alias = ModelAlias(
            name,
            ref,
            table.get("max_tokens"),
            None if path is None else (root / Path(path).expanduser()),
            table.get("autoload", False),
        )
    _known(alias.ref.name, backends, where, at)
    return alias


def _written(table: Mapping[str, Any], where: str, at: str) -> str:
    """The model reference that a table spells out. With an adapter, `path` is the adapter's."""
    keys = ("model", "base") if "adapter" in table else ("model", "base", "path")
    named = [key for key in keys if key in table]
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


def _price(name: str, value: Any, known: Iterable[str], at: str) -> Price:
    where = f'[prices] "{name}"'
    _known(_ref(name, where, at).name, known, where, at)
    table = _table(value, where, PRICE, at)
    for key in ("input", "output"):
        if key not in table:
            raise ConfigError(f"{where} has no {key}", file=at, remedy=f"add {key} = UNITS_FOR_A_MILLION_TOKENS")
    return Price(**table)


def _budget(name: str, value: Any, at: str) -> Budget:
    return Budget(**_table(value, f"[{name}]", BUDGET, at))


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
