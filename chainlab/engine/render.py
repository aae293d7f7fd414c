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
    if not step.pictured:
        values = {binding.name: binding.value.json for binding in bindings}
        return _plain(step, bindings, [compiled(message.template).render(values) for message in step.messages])
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
    if not pictures:
        return _plain(step, bindings, texts)
    by_name = {binding.name: binding for binding in bindings}
    messages: list[Message] = []
    records: list[Message] = []
    literals: list[Value] = []
    for message, rendered in zip(step.messages, texts, strict=True):
        parts: list[Message] = []
        segments: list[Json] = []
        for segment in rendered.segments:
            for part in pictures.parts(segment.text):
                if isinstance(part, Picture):
                    parts.append({"type": "image", **{key: one for key, one in part.value.items() if one is not None}})
                    segments.append(_placed(part, by_name[part.name]))
                    continue
                text = Segment(part, segment.name, segment.path)
                segments.append(_record(text, message.template, bindings, literals))
                if parts and parts[-1]["type"] == "text":
                    parts[-1]["text"] += part
                else:
                    parts.append({"type": "text", "text": part})
        seen = any(part["type"] == "image" for part in parts)
        messages.append({"role": message.role, "content": parts if seen else "".join(p["text"] for p in parts)})
        records.append({"role": message.role, "segments": segments})
    return Draft(messages, records, literals)


def _plain(step: PromptStep, bindings: Sequence[Binding], texts: Sequence[Rendered]) -> Draft:
    """Messages of text only."""
    messages: list[Message] = []
    records: list[Message] = []
    literals: list[Value] = []
    for message, rendered in zip(step.messages, texts, strict=True):
        role, template = message.role, message.template
        messages.append({"role": role, "content": rendered.text})
        segments = [_record(segment, template, bindings, literals) for segment in rendered.segments]
        records.append({"role": role, "segments": segments})
    return Draft(messages, records, literals)


@lru_cache(maxsize=256)
def _literal(text: str, template: str) -> Value | None:
    """The payload of a text that stands in the template, made once and not for every call; None: it was computed."""
    return Value(text) if text in template else None


def _record(segment: Segment, template: str, bindings: Sequence[Binding], literals: list[Value]) -> Json:
    """A segment as it is stored: some length of text that is (part of) a payload is a reference to it.

    A long text of the template is such a payload, too, and put with the `literals`.
    """
    text, name, path = segment.text, segment.name, segment.path
    if name is None:
        literal = _literal(text, template) if len(text) > _KEEP else None
        if literal is None:
            return text
        literals.append(literal)
        return {"p": literal.hash.hex()}
    shown = _shown(name, path) if path else name
    if len(text) > _KEEP:
        value = next(binding.value for binding in bindings if binding.name == name)
        if not value.inline:
            record: Json = {"p": value.hash.hex(), "v": shown}
            if path:
                record["at"] = list(path)
            return record
    return {"t": text, "v": shown}


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
    asked = vars(request)  # an attribute of a model takes three times as long
    parameters: dict[str, Any] = {"model": asked["model"]}
    for key in ("adapter", "temperature", "max_tokens", "seed", "top_p"):
        value = asked[key]
        if value is not None:
            parameters[key] = value
    if asked["stop"]:
        parameters["stop"] = list(asked["stop"])
    if asked["logprobs"]:
        parameters["logprobs"] = True
    if asked["output_schema"] is not None:
        parameters["output_schema"] = "as the step's output type"
    body = {"messages": list(draft.records), "parameters": parameters}
    return RequestRecord(Value(body, encode_texts(body)), tuple(draft.literals))
