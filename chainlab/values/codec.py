"""JSON bytes and their names. The one place that turns a value into bytes and back.

A payload is compact JSON in the order the value was given (order reaches a prompt, so it is part of the value),
named by its blake2b-160 hash. What JSON cannot say is kept in the superset that Python's `json` reads back
unchanged: NaN and infinities as literals, integers of any size, lone surrogates as escapes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, TypeAlias

from pydantic_core import to_json

Json: TypeAlias = Any
"""None, bool, int, float, str, list[Json] or dict[str, Json]."""

_INLINE_LIMIT = 100  # bytes; measured: below it a hash and a row cost more than the copy

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
_escaping = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), check_circular=False)


def encode(value: Json) -> bytes:
    """The payload bytes of a JSON value. Raises TypeError on what is not JSON, RecursionError on absurd depth."""
    if type(value) is str:
        try:
            return to_json(value)  # the same bytes for every text, five times as fast
        except ValueError:  # a lone surrogate
            return _escaping.encode(value).encode()
    text = _encoder.encode(value)
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate: escape the whole value, so that the bytes stay valid UTF-8
        return _escaping.encode(value).encode()


def encode_texts(value: Json) -> bytes:
    """The bytes of a value that this package made itself, a quarter of the time of `encode`.

    Nothing refuses what is not JSON here, and a float below 0.0001 may be spelt another way (0.00001 for 1e-05).
    """
    try:
        return to_json(value)
    except ValueError:  # a lone surrogate: it changes how the whole value is written
        return encode(value)


def decode(body: bytes | str) -> Json:
    """The JSON value of payload bytes."""
    return json.loads(body)


def hash_bytes(body: bytes) -> bytes:
    """blake2b-160 of payload bytes: 20 bytes."""
    return blake2b(body, digest_size=20).digest()


_SHORT = tuple(n.to_bytes(8, "big") for n in range(256))


def joined(*parts: bytes) -> bytes:
    """Parts, each after its length, so that no two lists of parts run together."""
    out = b""
    for part in parts:
        length = len(part)
        out += (_SHORT[length] if length < 256 else length.to_bytes(8, "big")) + part
    return out


def hash_parts(*parts: bytes) -> bytes:
    """blake2b-160 of parts."""
    return hash_bytes(joined(*parts))


class Value:
    """A JSON value with its payload bytes and hash, each made once and only when asked for."""

    __slots__ = ("_body", "_hash", "json")

    def __init__(self, value: Json, body: bytes | None = None, hashed: bytes | None = None) -> None:
        self.json = value
        self._body = body
        self._hash = hashed

    @property
    def body(self) -> bytes:
        """Payload bytes."""
        body = self._body
        if body is None:
            body = self._body = encode(self.json)
        return body

    @property
    def hash(self) -> bytes:
        """20-byte name of the payload."""
        hashed = self._hash
        if hashed is None:
            hashed = self._hash = hash_bytes(self.body)
        return hashed

    @property
    def inline(self) -> bool:
        """Whether the value is small enough to stand in its row instead of being a payload."""
        return len(self.body) <= _INLINE_LIMIT

    def __repr__(self) -> str:
        text = self.body.decode()
        return f"Value({text if len(text) <= 60 else text[:57] + '...'})"


def at_path(value: Json, path: Sequence[str | int]) -> Json:
    """The part of a value that a path names. Raises KeyError or IndexError, naming the missing part."""
    for i, part in enumerate(path):
        try:
            if isinstance(value, Mapping):
                value = value[part]
            elif isinstance(value, list) and isinstance(part, int):
                value = value[part]
            else:
                raise KeyError(part)
        except LookupError:
            seen = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path[: i + 1])
            raise LookupError(f"the value has no {seen.lstrip('.')}") from None
    return value
