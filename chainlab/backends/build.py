"""From a backend's settings to the backend: the built-in kinds, and those that packages bring.

A package brings one by the entry point group `chainlab.backends`: the kind's name, and a function that takes a
BackendConfig and gives a Backend (docs/backends.md has one in 30 lines).
"""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from chainlab.config.settings import KINDS, BackendConfig
from chainlab.errors import ConfigError
from chainlab.protocols import Backend
from chainlab.values.near import did_you_mean

if TYPE_CHECKING:
    from chainlab.backends.chat import ServerSettings

GROUP = "chainlab.backends"
_NEEDED = ("name", "kind", "concurrency", "pinned", "identity", "prepare", "send", "aclose")


def build(settings: BackendConfig, root: Path) -> Backend:
    """Build a backend. Makes no request. Raises ConfigError."""
    match settings.kind:
        case "openai":
            from chainlab.backends.openai import OpenAIBackend

            return OpenAIBackend(server_settings(settings), structured=settings.structured)
        case "vllm":
            from chainlab.backends.vllm import VllmBackend

            return VllmBackend(server_settings(settings), gauges=settings.metrics, count_tokens=settings.count_tokens)
        case "anthropic":
            from chainlab.backends.anthropic import AnthropicBackend

            return AnthropicBackend(server_settings(settings))
        case "gemini":
            from chainlab.backends.gemini import GeminiBackend

            return GeminiBackend(server_settings(settings))
        case "embedded":
            from chainlab.backends.embedded import EmbeddedBackend

            return EmbeddedBackend(
                name=settings.name,
                root=root,
                concurrency=settings.concurrency,
                threads=settings.threads,
                n_ctx=settings.n_ctx,
                memory_mb=settings.memory_mb,
            )
        case _:
            return _of_a_package(settings)


def server_settings(settings: BackendConfig) -> ServerSettings:
    """The settings of a backend over HTTP."""
    from chainlab.backends.chat import CONCURRENCY, ServerSettings
    from chainlab.backends.clocks import Clocks

    assert settings.base_url is not None  # config refuses such a backend without one
    usual = Clocks()
    return ServerSettings(
        settings.base_url,
        settings.name,
        api_key_env=settings.api_key_env,
        concurrency=settings.concurrency or CONCURRENCY,
        retries=settings.retries,
        clocks=Clocks(
            connect=settings.connect_timeout or usual.connect,
            first_token=settings.first_token_timeout or usual.first_token,
            between_tokens=settings.token_timeout or usual.between_tokens,
            total=settings.timeout or usual.total,
        ),
    )


def _of_a_package(settings: BackendConfig) -> Backend:
    found = entry_points(group=GROUP, name=settings.kind)
    if not found:
        known = sorted({*KINDS, *(point.name for point in entry_points(group=GROUP))})
        raise ConfigError(
            f"[backends.{settings.name}] is of kind {settings.kind!r}, which nothing here provides",
            code="unknown-kind",
            remedy=f"{did_you_mean(settings.kind, known)}known: {', '.join(known)}; a package brings its own kind by "
            f"the entry point group {GROUP!r}",
        )
    (point, *_) = found
    try:
        backend: Backend = point.load()(settings)
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(
            f"the backend {settings.kind!r} of {point.value} cannot be made: {type(error).__name__}: {error}",
            code="backend-broken",
            remedy="correct its options, or report it to the package that brings it",
        ) from error
    missing = [name for name in _NEEDED if not hasattr(backend, name)]
    if missing:
        raise ConfigError(
            f"the backend {settings.kind!r} of {point.value} has no {', '.join(missing)}",
            code="backend-broken",
            remedy="chainlab.protocols.Backend says what a backend has",
        )
    return backend
