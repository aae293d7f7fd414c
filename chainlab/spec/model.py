"""What an author writes to name a model, taken apart. Knows the grammar only, not which aliases or backends exist.

The forms:

    small                        an alias from chainlab.toml, or a backend's own default model
    vllm:llama-3                 backend:model
    vllm:llama-3+tickets@2       backend:base+adapter, the adapter with or without a version
    embedded:models/own.gguf     a file, for backends that load files
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from chainlab.errors import ConfigError

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_ADAPTER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(@[A-Za-z0-9_.-]+)?")

_FORMS = "an alias (`small`), `backend:model` or `backend:base+adapter`"


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model reference in its parts. `model` None: only `name` was written, an alias or a backend."""

    written: str
    name: str
    model: str | None = None
    adapter: str | None = None


def parse_model_ref(text: str) -> ModelRef:
    """The parts of a model reference. Raises ConfigError with what would be right."""
    if not text.strip():
        raise _bad("the model reference is empty", f"write {_FORMS}")
    if text != text.strip() or any(ch in text for ch in "\n\r\t"):
        raise _bad(f"the model reference {text!r} has stray white space", f"write {text.strip()!r}")
    name, colon, rest = text.partition(":")
    if not _NAME.fullmatch(name):
        raise _bad(
            f"{name!r} in the model reference {text!r} is not a name of an alias or a backend",
            f"write {_FORMS}; names hold letters, digits, `_`, `.` and `-`",
        )
    if not colon:
        return ModelRef(text, name)
    model, adapter = split_adapter(rest)
    if not model:
        raise _bad(f"the model reference {text!r} names no model after the colon", f"write {name}:MODEL")
    if adapter is not None and not _ADAPTER.fullmatch(adapter):
        raise _bad(
            f"{adapter!r} in the model reference {text!r} is not a name of an adapter",
            f"write {name}:{model}+ADAPTER or {name}:{model}+ADAPTER@VERSION",
        )
    return ModelRef(text, name, model, adapter)


def split_adapter(text: str) -> tuple[str, str | None]:
    """`base+adapter` in its two parts. A plus inside a file's path is part of the path: adapters are names."""
    base, plus, adapter = text.rpartition("+")
    if not plus or "/" in adapter or "\\" in adapter or adapter.endswith(".gguf"):
        return text, None
    return base, adapter


def _bad(message: str, remedy: str) -> ConfigError:
    return ConfigError(message, code="bad-model", remedy=remedy)
