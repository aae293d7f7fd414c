"""A LoRA adapter on disk: what it is made for, and its content's hash. Knows no server.

PEFT's files: `adapter_config.json` and `adapter_model.safetensors` in a folder; or one GGUF file for llama.cpp.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chainlab.errors import ConfigError

_CONFIG = "adapter_config.json"
_BLOCK = 1 << 20


def adapter_hash(path: Path) -> bytes | None:
    """blake2b-160 over the names and bytes of the adapter's files (README and the like left out); None: not readable.

    Read once as long as sizes and times stay the same.
    """
    try:
        files = _files(path)
        key = tuple((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files)
        known = _hashes.get(key)
        if known is None:
            known = _hashes[key] = _hash(files)
    except OSError:
        return None
    return known


_hashes: dict[tuple[tuple[str, int, int], ...], bytes] = {}


def _files(path: Path) -> tuple[Path, ...]:
    if path.is_file():
        return (path,)
    found = sorted(file for file in path.iterdir() if file.name == _CONFIG or file.suffix in (".safetensors", ".bin"))
    if not found:
        raise FileNotFoundError(path)
    return tuple(found)


def _hash(files: tuple[Path, ...]) -> bytes:
    digest = hashlib.blake2b(digest_size=20)
    for file in files:
        digest.update(file.name.encode() + b"\0")
        with file.open("rb") as opened:
            while block := opened.read(_BLOCK):
                digest.update(block)
    return digest.digest()


def check_adapter(path: Path, name: str) -> None:
    """Look at an adapter before a server is asked to load it. Raises ConfigError: not there, or not a LoRA adapter."""
    if not path.is_dir():
        raise ConfigError(
            f"the adapter {name!r} is not there: {path}",
            code="no-adapter",
            remedy=f"path must be a folder with {_CONFIG}, as PEFT saves it",
        )
    settings = _settings(path)
    if settings is None:
        raise ConfigError(
            f"{path} is no adapter: it has no readable {_CONFIG}",
            code="no-adapter",
            remedy="name the folder that PEFT's save_pretrained wrote",
        )
    if settings.get("peft_type") != "LORA":
        raise ConfigError(
            f"{path} is an adapter of type {settings.get('peft_type')!r}, and vLLM serves LoRA",
            code="no-adapter",
            remedy="merge it into the weights and serve it as a model of its own",
        )


def _settings(path: Path) -> Mapping[str, Any] | None:
    try:
        found = json.loads((path / _CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
