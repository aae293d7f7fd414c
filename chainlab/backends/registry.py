"""From the name that a step gives its model to the backend that answers. Builds each backend once, when needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

from chainlab.backends.adapter import adapter_hash
from chainlab.backends.build import build
from chainlab.backends.prices import configured_cost, cost_of, no_cost
from chainlab.config.settings import HTTP_KINDS, BackendConfig, Config, ModelAlias
from chainlab.errors import ConfigError
from chainlab.protocols import Backend, Limits, ResolvedModel
from chainlab.spec.model import ModelRef, parse_model_ref
from chainlab.values.near import did_you_mean
from chainlab.values.redact import secrets_in_url


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A line of `chainlab models`: what can be written, where it leads, and what is missing before it can answer."""

    name: str
    target: str
    kind: str
    where: str
    ready: bool
    note: str = ""


class ModelRegistry:
    """The Models of a lab. `default`: a backend that answers every step, or the name for steps that name no model."""

    def __init__(self, config: Config, default: str | Backend | None = None) -> None:
        self._config = config
        self._only: Backend | None = None if default is None or isinstance(default, str) else default
        self._default = default if isinstance(default, str) else config.default_model
        self._built: dict[str, Backend] = {}
        self._resolved: dict[str | None, ResolvedModel] = {}

    def resolve(self, written: str | None) -> ResolvedModel:
        """The backend and model behind a written name (None: the default). Raises ConfigError with the known names."""
        found = self._resolved.get(written)
        if found is None:
            found = self._resolved[written] = self._resolve(written)
        return found

    def describe(self) -> tuple[ModelInfo, ...]:
        """Every name that can be written: the default first, then the aliases, then the backends. Calls no model."""
        if self._only is not None:
            only = self._only
            return (ModelInfo("(every model)", only.name, only.kind, "in this process", True),)
        lines = [self._info("(default)", self._default)]
        lines += [self._info(name, alias.ref.written) for name, alias in self._config.models.items()]
        for name, settings in self._config.backends.items():
            if name not in self._config.models:
                lines.append(self._info(name if settings.kind == "embedded" else f"{name}:MODEL", name))
        return tuple(lines)

    def registered(self) -> frozenset[str] | None:
        """The names that mean a model by themselves: aliases, and backends with a model of their own. None: every name.

        They are what a page may write: by `backend:model` it would choose what a backend loads.
        """
        if self._only is not None:
            return None
        own = [name for name, settings in self._config.backends.items() if settings.kind == "embedded"]
        return frozenset([*self._config.models, *own])

    def secrets(self) -> tuple[str, ...]:
        """The values of every configured key variable, for redaction; of backends that were never called, too."""
        import os

        names = [settings.api_key_env for settings in self._config.backends.values() if settings.api_key_env]
        values = [value for name in names if (value := os.environ.get(name))]
        for settings in self._config.backends.values():
            values += secrets_in_url(settings.base_url or "")
        for backend in (*self._built.values(), *([self._only] if self._only is not None else [])):
            values += getattr(backend, "secrets", tuple)()
        return tuple(dict.fromkeys(values))

    async def aclose(self) -> None:
        """Close every backend that was built, and the one that was given."""
        backends = [*self._built.values(), *([self._only] if self._only is not None else [])]
        self._built.clear()
        self._resolved.clear()
        for backend in backends:
            await backend.aclose()

    def _resolve(self, written: str | None) -> ResolvedModel:
        if self._only is not None:
            # One backend plays every model; what the author wrote stays visible as the model's name.
            own: str | None = getattr(self._only, "default_model", None)
            limit: int | None = getattr(self._only, "default_max_tokens", None)
            played = own or written or self._only.name
            cost = configured_cost(self._only.name, played, None, self._config.prices)
            if cost is None and self._only.kind in ("scripted", "embedded"):
                cost = no_cost
            return ResolvedModel(written, self._only, played, None, limit, cost=cost)
        ref, alias = self._expand(parse_model_ref(written if written is not None else self._default))
        settings = self._config.backends[ref.name]
        backend = self._backend(settings)
        model = ref.model or getattr(backend, "default_model", None)
        if model is None:
            raise ConfigError(
                f"{ref.written!r} names the backend but no model",
                code="unknown-model",
                remedy=f"write {ref.name}:MODEL",
            )
        limit = alias.max_tokens if alias is not None else None
        path = alias.adapter_path if alias is not None else None
        if ref.adapter is not None and settings.kind == "embedded" and path is None:
            raise ConfigError(
                f"{ref.written!r} names the adapter {ref.adapter!r}, and not where its file is",
                code="no-adapter",
                remedy="write an alias with backend, base, adapter and path: path is a LoRA in GGUF format",
            )
        if ref.adapter is not None and path is not None and hasattr(backend, "learn"):
            backend.learn(ref.adapter, path)
        return ResolvedModel(
            written,
            backend,
            model,
            ref.adapter,
            limit if limit is not None else getattr(backend, "default_max_tokens", None),
            path,
            alias is not None and alias.autoload,
            Limits(settings.requests_per_minute, settings.tokens_per_minute),
            cost_of(settings, model, ref.adapter, self._config.prices),
            None if path is None else partial(adapter_hash, path),
        )

    def _expand(self, ref: ModelRef) -> tuple[ModelRef, ModelAlias | None]:
        """Through the alias, if it is one, to a backend that exists."""
        config = self._config
        if ref.model is None and ref.name in config.models:
            alias = config.models[ref.name]
            return alias.ref, alias
        if ref.name not in config.backends:
            _unknown(ref, config)
        return ref, None

    def _backend(self, settings: BackendConfig) -> Backend:
        built = self._built.get(settings.name)
        if built is None:
            built = self._built[settings.name] = build(settings, self._config.root)
        return built

    def _info(self, name: str, written: str) -> ModelInfo:
        try:
            ref, _ = self._expand(parse_model_ref(written))
        except ConfigError as error:
            return ModelInfo(name, written, "", "", False, error.message)
        settings = self._config.backends[ref.name]
        where, ready, note = _state(settings, ref.model, self._config)
        return ModelInfo(name, ref.written, settings.kind, where, ready, note)


def _state(settings: BackendConfig, model: str | None, config: Config) -> tuple[str, bool, str]:
    """Where a backend is, whether it could be called now, and what is missing."""
    if settings.kind == "embedded":
        from chainlab.backends.embedded import state

        return state(model, config.root)
    import os

    key = settings.api_key_env
    missing = key is not None and not os.environ.get(key)
    return settings.address, not missing, f"set {key}" if missing else ""


def _unknown(ref: ModelRef, config: Config) -> NoReturn:
    known = _known_names(config.models, config.backends)
    names = [*config.models, *config.backends]
    what = "model" if ref.model is None else "backend"
    raise ConfigError(
        f"unknown {what} {ref.name!r}" + ("" if ref.model is None else f" in {ref.written!r}"),
        code="unknown-model",
        file=str(config.file) if config.file else None,
        remedy=f"{did_you_mean(ref.name, names)}known: {known}; name it under [models] in chainlab.toml",
    )


def _known_names(models: Mapping[str, object], backends: Mapping[str, BackendConfig]) -> str:
    """What may be written, aliases first."""
    own = [f"{name}:MODEL" if settings.kind in HTTP_KINDS else name for name, settings in backends.items()]
    return ", ".join([*models, *(name for name in own if name not in models)])
