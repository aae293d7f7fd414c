"""A prompt step's inputs as messages, and the same messages as the record that is stored: text in segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from chainlab.events import Binding, RequestRecord
from chainlab.messages import Request
from chainlab.spec.chain import PromptStep
from chainlab.spec.template import Rendered, Segment, compiled
from chainlab.values.codec import Json, Value, encode_texts

_KEEP = 100  # bytes: shorter text is stored as it is

Message: TypeAlias = dict[str, Any]


class Draft:
    """The messages of one call, growing when a reply is sent back, with their stored form beside them."""

    __slots__ = ("messages", "records")

    def __init__(self, messages: list[Message], records: list[Message]) -> None:
        self.messages = messages
        self.records = records

    def say(self, role: str, text: str) -> None:
        """Add a message of plain text."""
        self.messages.append({"role": role, "content": text})
        self.records.append({"role": role, "segments": [text]})


class Renderer(Protocol):
    """Renders templates elsewhere: those that came from somebody who is not the author (`chainlab.sandbox`)."""

    async def render(self, template: str, values: Mapping[str, Json]) -> Rendered:
        """What `Template.render` gives. Raises TemplateError."""
        ...


def render(step: PromptStep, bindings: Sequence[Binding]) -> Draft:
    """Render a prompt's messages. Raises TemplateError."""
    values = _values(bindings)
    return _draft(step, bindings, [compiled(message.template).render(values) for message in step.messages])


async def render_elsewhere(renderer: Renderer, step: PromptStep, bindings: Sequence[Binding]) -> Draft:
    """The same by another process. Raises TemplateError, ChainlabError."""
    values = _values(bindings)
    return _draft(step, bindings, [await renderer.render(message.template, values) for message in step.messages])


def _values(bindings: Sequence[Binding]) -> dict[str, Json]:
    return {binding.name: binding.value.json for binding in bindings}


def _draft(step: PromptStep, bindings: Sequence[Binding], texts: Sequence[Rendered]) -> Draft:
    values = _values(bindings)
    by_name = {binding.name: binding for binding in bindings}
    images = _images(step)
    messages, records = [], []
    for message, rendered in zip(step.messages, texts, strict=True):
        content: Any = rendered.text
        if images and any(segment.name in images and not segment.path for segment in rendered.segments):
            content = _parts(rendered, images, values)
        messages.append({"role": message.role, "content": content})
        records.append({"role": message.role, "segments": [_record(s, by_name) for s in rendered.segments]})
    return Draft(messages, records)


def _record(segment: Segment, bindings: Mapping[str, Binding]) -> Json:
    """A segment as it is stored: a text of some length that is (part of) a payload becomes a reference to it."""
    name = segment.name
    if name is None:
        return segment.text
    shown = name + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in segment.path)
    if len(segment.text) > _KEEP:
        binding = bindings[name]
        if not binding.value.inline:
            record: Json = {"p": binding.value.hash.hex(), "v": shown}
            if segment.path:
                record["at"] = list(segment.path)
            return record
    return {"t": segment.text, "v": shown}


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
    return RequestRecord(Value(body, encode_texts(body)))


def _images(step: PromptStep) -> frozenset[str]:
    return frozenset(name for name, schema in step.params.items() if schema.get("x-chainlab") == "image")


def _parts(rendered: Rendered, images: frozenset[str], values: Mapping[str, Json]) -> list[Message]:
    parts: list[Message] = []
    for segment in rendered.segments:
        if segment.name in images and not segment.path:
            parts.append({"type": "image", **{k: v for k, v in values[str(segment.name)].items() if v is not None}})
        elif parts and parts[-1]["type"] == "text":
            parts[-1]["text"] += segment.text
        elif segment.text:
            parts.append({"type": "text", "text": segment.text})
    return parts
