"""A prompt step's inputs as messages, and the same messages as the record that is stored: text in segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

from chainlab.engine.pictures import Picture, Pictures
from chainlab.events import Binding, RequestRecord
from chainlab.messages import Request
from chainlab.spec.chain import PromptStep
from chainlab.spec.template import Rendered, Segment, compiled
from chainlab.values.codec import Json, Value, encode_texts
from chainlab.values.pictures import said

_KEEP = 100  # bytes: shorter text is stored as it is

Message: TypeAlias = dict[str, Any]


class Draft:
    """The messages of one call, growing when a reply is sent back, with their stored form beside them.

    `literals`: long texts that the stored form only names.
    """

    __slots__ = ("literals", "messages", "records")

    def __init__(self, messages: list[Message], records: list[Message], literals: list[Value]) -> None:
        self.messages = messages
        self.records = records
        self.literals = literals

    def and_then(self, role: str, text: str) -> Draft:
        """The same with a message of plain text more."""
        message, record = {"role": role, "content": text}, {"role": role, "segments": [text]}
        return Draft([*self.messages, message], [*self.records, record], self.literals)


class Renderer(Protocol):
    """Renders templates elsewhere: those that came from somebody who is not the author (`chainlab.sandbox`)."""

    async def render(self, template: str, values: Mapping[str, Json]) -> Rendered:
        """What `Template.render` gives. Raises TemplateError."""
        ...


def render(step: PromptStep, bindings: Sequence[Binding]) -> Draft:
    """Render a prompt's messages. Raises TemplateError."""
    pictures = _pictures(step, bindings)
    texts = [compiled(message.template).render(pictures.values) for message in step.messages]
    return _draft(step, bindings, pictures, texts)


async def render_elsewhere(renderer: Renderer, step: PromptStep, bindings: Sequence[Binding]) -> Draft:
    """The same by another process. Raises TemplateError, ChainlabError."""
    pictures = _pictures(step, bindings)
    texts = [await renderer.render(message.template, pictures.values) for message in step.messages]
    return _draft(step, bindings, pictures, texts)


def _pictures(step: PromptStep, bindings: Sequence[Binding]) -> Pictures:
    return Pictures(step, {binding.name: binding.value.json for binding in bindings})


def _draft(step: PromptStep, bindings: Sequence[Binding], pictures: Pictures, texts: Sequence[Rendered]) -> Draft:
    by_name = {binding.name: binding for binding in bindings}
    messages: list[Message] = []
    records: list[Message] = []
    literals: list[Value] = []

    def record(segment: Segment, template: str) -> Json:
        if segment.name is not None:
            return _record(segment, segment.name, by_name)
        literal = _literal(segment.text, template) if len(segment.text) > _KEEP else None
        if literal is None:
            return segment.text
        literals.append(literal)
        return {"p": literal.hash.hex()}

    for message, rendered in zip(step.messages, texts, strict=True):
        if not pictures:
            messages.append({"role": message.role, "content": rendered.text})
            records.append({"role": message.role, "segments": [record(s, message.template) for s in rendered.segments]})
            continue
        parts: list[Message] = []
        segments: list[Json] = []
        for segment in rendered.segments:
            for part in pictures.parts(segment.text):
                if isinstance(part, Picture):
                    parts.append({"type": "image", **{key: one for key, one in part.value.items() if one is not None}})
                    segments.append(_placed(part, by_name[part.name]))
                    continue
                segments.append(record(Segment(part, segment.name, segment.path), message.template))
                if parts and parts[-1]["type"] == "text":
                    parts[-1]["text"] += part
                else:
                    parts.append({"type": "text", "text": part})
        seen = any(part["type"] == "image" for part in parts)
        messages.append({"role": message.role, "content": parts if seen else "".join(p["text"] for p in parts)})
        records.append({"role": message.role, "segments": segments})
    return Draft(messages, records, literals)


@lru_cache(maxsize=256)
def _literal(text: str, template: str) -> Value | None:
    """The payload of a text that stands in the template, made once and not for every call; None: it was computed."""
    return Value(text) if text in template else None


def _record(segment: Segment, name: str, bindings: Mapping[str, Binding]) -> Json:
    """What a variable printed as it is stored: some length of text that is (part of) a payload is a reference to it."""
    shown = _shown(name, segment.path)
    if len(segment.text) > _KEEP:
        binding = bindings[name]
        if not binding.value.inline:
            record: Json = {"p": binding.value.hash.hex(), "v": shown}
            if segment.path:
                record["at"] = list(segment.path)
            return record
    return {"t": segment.text, "v": shown}


def _placed(picture: Picture, binding: Binding) -> Json:
    """A picture as it is stored with a request: what it is, and where its bytes are."""
    record: Json = {"t": said(picture.value), "v": _shown(picture.name, picture.path), "picture": True}
    if not binding.value.inline:
        record |= {"p": binding.value.hash.hex(), "at": list(picture.path)}
    return record


def _shown(name: str, path: Sequence[str | int]) -> str:
    return name + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


def record_of(request: Request, draft: Draft) -> RequestRecord:
    """The stored form of a request."""
    parameters: dict[str, Any] = {"model": request.model}
    for key in ("adapter", "temperature", "max_tokens", "seed", "top_p"):
        value = getattr(request, key)
        if value is not None:
            parameters[key] = value
    if request.stop:
        parameters["stop"] = list(request.stop)
    if request.logprobs:
        parameters["logprobs"] = True
    if request.output_schema is not None:
        parameters["output_schema"] = "as the step's output type"
    body = {"messages": list(draft.records), "parameters": parameters}
    return RequestRecord(Value(body, encode_texts(body)), tuple(draft.literals))
