"""Stored requests back to messages: segments resolved to the exact text that was sent. Knows no table.

A request's body is {"messages": [{"role", "segments": [...]}], "parameters": {...}}. A segment is a string (literal
text), {"p": hash} (a long one), {"t": text, "v": "name.path"} (a short value) or {"p": hash, "at": [path], "v":
"name.path"} (part of an input's payload). A picture is both: `t` says what it is, `p` where it is, and "picture" is
true.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from chainlab.trace import RequestMessage, RequestSegment
from chainlab.values.codec import Json, at_path, decode

_NAME = re.compile(rb'"p":"([0-9a-f]{40})"')  # within a text the quotes are escaped, so only a name matches


def messages_of(body: Json, payload: Callable[[str], bytes | None]) -> tuple[RequestMessage, ...]:
    """The messages of a request as they were sent. `payload` gives the bytes of a hash, or None."""
    values: dict[str, Json] = {}

    def value(name: str) -> Json:
        if name not in values:  # one text is often printed by several messages
            found = payload(name)
            values[name] = f"[payload {name} is not in the store]" if found is None else decode(found)
        return values[name]

    def segment(part: Json) -> RequestSegment:
        if isinstance(part, str):
            return RequestSegment(part)
        if part.get("picture"):
            return RequestSegment(part["t"], part.get("v"))  # its bytes are with the input
        if "p" in part:
            return RequestSegment(printed(_part(value(part["p"]), part.get("at", ()))), part.get("v"))
        return RequestSegment(part["t"], part.get("v"))

    return tuple(
        RequestMessage(message["role"], tuple(_joined(segment(part) for part in message["segments"])))
        for message in body.get("messages", ())
    )


def _joined(segments: Iterable[RequestSegment]) -> Iterator[RequestSegment]:
    """Text that no variable printed in one piece, however it is stored."""
    for of_variable, some in groupby(segments, lambda segment: segment.variable is not None):
        if of_variable:
            yield from some
        else:
            yield RequestSegment("".join(segment.text for segment in some))


def payloads_of(body: bytes) -> list[str]:
    """The names, in hex, of the payloads that a request refers to, from its bytes; one may come several times."""
    return [name.decode() for name in _NAME.findall(body)]


def printed(value: Json) -> str:
    """A value as a template prints it: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _part(value: Json, path: list[str | int]) -> Json:
    try:
        return at_path(value, path)
    except LookupError as problem:  # a payload that redaction or pruning changed
        return f"[{problem.args[0]}]"
