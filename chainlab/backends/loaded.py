"""Models in memory, within a bound: of those that nobody uses, the one used longest ago goes. Knows no engine."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chainlab.errors import ConfigError

_BESIDE = 200 << 20  # bytes that a model takes beside its file: context, buffers, prompt cache (measured: 240 MB)
_SHARE = 0.5  # of the machine's memory, where nothing is said
_FALLBACK = 4 << 30


@dataclass(slots=True)
class Loaded:
    """One model: the engine's server, its adapters in their order, its size in bytes."""

    server: Any
    adapters: Mapping[str, Path]
    size: int
    users: int = field(default=0)


class LoadedModels:
    """The models of one backend. May be used from several threads."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._models: OrderedDict[str, Loaded] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """The loaded models, the one used longest ago first."""
        return tuple(self._models)

    def has(self, model: str, adapter: str | None) -> bool:
        """Whether the model is loaded, with this adapter."""
        found = self._models.get(model)
        return found is not None and (adapter is None or adapter in found.adapters)

    def adapters(self, model: str) -> Mapping[str, Path]:
        """The adapters that are loaded with a model."""
        found = self._models.get(model)
        return {} if found is None else found.adapters

    def make_room(self, model: str, size: int) -> None:
        """Let idle models go until this one fits. Raises ConfigError when it never can.

        Models in use stay: their memory is freed when they are idle and the next one comes.
        """
        needed = size + _BESIDE
        if needed > self.most:
            raise ConfigError(
                f"{model} needs {needed >> 20} MB, and the embedded models may take {self.most >> 20} MB",
                code="out-of-memory",
                remedy="raise memory_mb under [backends.embedded], or take a smaller model",
            )
        with self._lock:
            others = [name for name in self._models if name != model]
            held = sum(self._models[name].size + _BESIDE for name in others)
            for name in others:
                if held + needed <= self.most:
                    return
                if not self._models[name].users:
                    held -= self._models.pop(name).size + _BESIDE

    def add(self, model: str, loaded: Loaded) -> None:
        """Note a model that was loaded. Calls that use the one before it end on that one."""
        with self._lock:
            self._models[model] = loaded
            self._models.move_to_end(model)

    @contextmanager
    def used(self, model: str) -> Iterator[Loaded]:
        """A loaded model, kept for as long as the `with` lasts."""
        with self._lock:
            found = self._models[model]
            found.users += 1
            self._models.move_to_end(model)
        try:
            yield found
        finally:
            with self._lock:
                found.users -= 1

    def clear(self) -> dict[str, Loaded]:
        """Forget all; what was there."""
        with self._lock:
            gone = dict(self._models)
            self._models.clear()
            return gone


def default_memory() -> int:
    """Half of the machine's memory."""
    try:
        return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * _SHARE)
    except (AttributeError, ValueError, OSError):  # not on Windows
        return _FALLBACK
