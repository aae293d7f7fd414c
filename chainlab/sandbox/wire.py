"""What crosses the pipes between a server and the child that renders: JSON in frames. Knows no process.

A frame is its length (4 bytes, big-endian) and UTF-8 JSON. Lone surrogates cross as they are, since an escaped pair of
them would come back as one letter. Nothing that is read is believed: not its length, not its shape.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import IO

from chainlab.spec.template import Rendered, Segment, TemplateProblem
from chainlab.values.codec import Json

_LENGTH = 4
_LONGEST_TEXT = 2000  # letters of one text in a problem: its words may quote what a template made
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)


class TooLarge(Exception):
    """A value is larger, or nested deeper, than a frame may be."""


class Garbage(Exception):
    """What came over the pipe is no frame, or is not what was asked for."""


def encode(value: Json, most: int) -> bytes:
    """The bytes of a JSON value. Piece by piece, so that it ends as soon as there are more than `most`: TooLarge."""
    body = bytearray()
    try:
        for text in _encoder.iterencode(value):
            body += text.encode("utf-8", "surrogatepass")
            if len(body) > most:
                raise TooLarge
    except RecursionError:
        raise TooLarge from None
    return bytes(body)


def decode(body: bytes) -> Json:
    """The JSON value of a frame's bytes. Raises Garbage, and RecursionError on absurd depth."""
    try:
        return json.loads(body.decode("utf-8", "surrogatepass"))
    except ValueError:
        raise Garbage("it is not JSON") from None


def send(stream: IO[bytes], body: bytes) -> None:
    """Write a frame. Raises OSError when nobody reads any more."""
    stream.write(len(body).to_bytes(_LENGTH, "big"))
    stream.write(body)
    stream.flush()


def receive(stream: IO[bytes], most: int) -> bytes | None:
    """Read a frame of at most so many bytes; None at the end of the stream. Raises Garbage."""
    head = stream.read(_LENGTH)
    if not head:
        return None
    length = int.from_bytes(head, "big")
    if len(head) < _LENGTH or length > most:
        raise Garbage("it is longer than it may be")
    body = stream.read(length)
    if len(body) < length:
        raise Garbage("it ends too early")
    return body


def from_segments(segments: Iterable[Segment]) -> Json:
    """Segments as JSON: the text, and its variable and path where there is one."""
    return [[s.text] if s.name is None else [s.text, s.name, list(s.path)] for s in segments]


def to_rendered(value: Json, names: Iterable[str]) -> Rendered:
    """A rendered template from its segments, which may name these variables. Raises Garbage."""
    known = frozenset(names)
    segments = tuple(_segment(part, known) for part in _list(value))
    return Rendered("".join(segment.text for segment in segments), segments)


def _segment(value: Json, names: frozenset[str]) -> Segment:
    match value:
        case [str(text)]:
            return Segment(text)
        case [str(text), str(name), list(path)] if name in names and all(type(part) in (str, int) for part in path):
            return Segment(text, name, tuple(path))
    raise Garbage("it has a piece of text that is none")


def from_problems(problems: Iterable[TemplateProblem]) -> Json:
    """Problems as JSON, very long words cut."""
    return [
        [one.code, one.line, _cut(one.message), _cut(one.expected), _cut(one.got), _cut(one.remedy)] for one in problems
    ]


def _cut(text: str | None) -> str | None:
    return text[:_LONGEST_TEXT] if text is not None else None


def to_problems(value: Json) -> tuple[TemplateProblem, ...]:
    """Problems from JSON. Raises Garbage."""
    return tuple(map(_problem, _list(value)))


def _problem(value: Json) -> TemplateProblem:
    match value:
        case [str(code), int(line), str(message), str() | None as expected, str() | None as got, str(remedy)]:
            return TemplateProblem(code, line, message, expected, got, remedy)
    raise Garbage("it has a problem that is none")


def _list(value: Json) -> list[Json]:
    if type(value) is not list:
        raise Garbage("it is no list")
    return value
