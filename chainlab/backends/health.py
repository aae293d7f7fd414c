"""Whether servers answer, and what they serve. Asks for lists of models; calls none."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainlab.backends.build import build
from chainlab.backends.chat import ServedModel
from chainlab.config.settings import BUILT_IN_BACKENDS, HTTP_KINDS, BackendConfig, Config
from chainlab.errors import BackendError, ConfigError
from chainlab.values.redact import Redactor


@dataclass(frozen=True, slots=True)
class Health:
    """One server. `why_not` "": it answers, and serves `models`; else what is wrong, and the next action."""

    backend: str
    kind: str
    where: str
    models: tuple[ServedModel, ...] = ()
    why_not: str = ""
    remedy: str = ""


def servers(config: Config) -> list[BackendConfig]:
    """Every configured server, over HTTP or of a package's kind."""
    return [backend for backend in config.backends.values() if backend.kind != "embedded"]


def used(backend: BackendConfig, config: Config) -> bool:
    """Whether the settings name it: configured there, behind an alias, or behind the default model."""
    named = {alias.ref.name for alias in config.models.values()} | {config.default_model.partition(":")[0]}
    return backend.name in named or backend is not BUILT_IN_BACKENDS.get(backend.name)


def worth_asking(config: Config) -> list[BackendConfig]:
    """The servers that this project uses, or has a key for."""
    return [
        backend
        for backend in servers(config)
        if used(backend, config) or (backend.api_key_env is not None and os.environ.get(backend.api_key_env))
    ]


async def ask_all(backends: Iterable[BackendConfig], root: Path) -> list[Health]:
    """Ask servers what they serve, all at once."""
    return list(await asyncio.gather(*(ask(backend, root) for backend in backends)))


async def ask(settings: BackendConfig, root: Path) -> Health:
    """Ask one server. Never raises."""
    where = settings.address
    backend: Any = None
    secrets: tuple[str, ...] = ()
    try:
        backend = build(settings, root)
        if not hasattr(backend, "served"):
            return Health(settings.name, settings.kind, where)
        return Health(settings.name, settings.kind, where, tuple(await backend.served()))
    except (BackendError, ConfigError) as error:
        secrets = getattr(backend, "secrets", tuple)()
        fix = error.remedy or (f"check that a server answers at {where}" if settings.kind in HTTP_KINDS else "")
        return Health(settings.name, settings.kind, where, (), Redactor(secrets).text(error.message), fix)
    finally:
        if backend is not None:
            await backend.aclose()
