"""The chat-completion format: a Request as its JSON body, a reply, whole or in chunks, as a Response. No transport."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from chainlab.backends.constraint import Constraint, constraint_of, is_object, strict, unwrapped, wrapped
from chainlab.backends.http import empty_response, protocol_error, stream_interrupted
from chainlab.errors import BackendError
from chainlab.messages import Request, Response

_TOP_LOGPROBS = 5

Structured: TypeAlias = Literal["json_schema", "json_object", "none"]
"""How a server can be asked for JSON: by a schema, at all, or not."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between servers that speak this format.

    `structured`: how JSON is asked for. `limit_field`: what the limit of tokens is called. `own_constraints`: the
    server takes a schema, choices, a pattern or a grammar of any shape (vLLM's `structured_outputs`).
    """

    structured: Structured = "json_schema"
    limit_field: str = "max_tokens"
    own_constraints: bool = False


PLAIN = Dialect()


def request_body(request: Request, *, stream: bool, dialect: Dialect = PLAIN) -> dict[str, Any]:
    """The JSON body of a request. What the author left open is left out, so that the server's own default holds."""
    body: dict[str, Any] = {
        "model": request.adapter or request.model,  # servers of adapters take the adapter's name for the model's
        "messages": [_message(message) for message in request.messages],
    }
    for key in ("temperature", "top_p", "seed"):
        value = getattr(request, key)
        if value is not None:
            body[key] = value
    if request.max_tokens is not None:
        body[dialect.limit_field] = request.max_tokens
    if request.stop:
        body["stop"] = list(request.stop)
    if request.n > 1:
        body["n"] = request.n
    if request.logprobs:
        body |= {"logprobs": True, "top_logprobs": _TOP_LOGPROBS}
    constraint = constraint_of(request.output_schema)
    if constraint is not None:
        body |= _held_to(constraint, request.output_schema or {}, dialect)
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def wraps(request: Request, dialect: Dialect) -> bool:
    """Whether the reply comes in an object that was put around it."""
    constraint = constraint_of(request.output_schema)
    if constraint is None or dialect.own_constraints or dialect.structured != "json_schema":
        return False
    return constraint.kind != "grammar" and not is_object(request.output_schema or {})


def _held_to(constraint: Constraint, schema: Mapping[str, Any], dialect: Dialect) -> dict[str, Any]:
    if dialect.own_constraints:
        return {"structured_outputs": {constraint.kind: constraint.value}}
    if constraint.kind == "grammar" or dialect.structured == "none":
        return {}
    if dialect.structured == "json_object":
        return {"response_format": {"type": "json_object"}} if constraint.kind == "json" else {}
    asked = dict(schema) if is_object(schema) else wrapped(schema)
    held = strict(asked)
    named = {"name": schema_name(schema), "strict": held is not None, "schema": held or asked}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    content = message["content"]
    return {**message, "content": content if isinstance(content, str) else [_part(part) for part in content]}


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    if part["type"] != "image":
        return dict(part)
    url = part.get("url") or f"data:{part['media_type']};base64,{part['data']}"
    return {"type": "image_url", "image_url": {"url": url}}


def schema_name(schema: Mapping[str, Any]) -> str:
    """The schema's title in the letters that a name may have."""
    title = schema.get("title")
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", title).strip("_")[:64] if isinstance(title, str) else ""
    return name or "output"


def read_completion(data: Any, *, http_status: int | None = None, text: str = "") -> Response:
    """A whole reply. `text` is the reply as it came, for the trace. Raises BackendError."""
    if not isinstance(data, Mapping):
        raise protocol_error("the reply is JSON, but not an object", http_status, text)
    choices = data.get("choices")
    if not isinstance(choices, list):
        raise protocol_error(error_said(data) or "the reply has no choices", http_status, text)
    if not choices:
        raise empty_response("the reply has an empty list of choices", http_status, text)
    texts = [_content(choice, http_status, text) for choice in choices]
    first = choices[0]
    finish = _finish(first)
    if not texts[0] and finish not in ("length", "content_filter"):
        raise empty_response("the model wrote nothing", http_status, text)
    logprobs = first.get("logprobs")
    tokens_in, tokens_out, cached = _usage(data)
    return Response(
        texts[0],
        finish,
        served_model=_text(data.get("model")),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        tokens_cached=cached,
        http_status=http_status,
        logprobs=logprobs.get("content") if isinstance(logprobs, Mapping) else None,
        raw=data,
        more=tuple(texts[1:]),
    )


def without_wrapping(response: Response) -> Response:
    """The reply out of the object that was put around it."""
    return replace(response, text=unwrapped(response.text), more=tuple(map(unwrapped, response.more)))


def _content(choice: Any, http_status: int | None, text: str) -> str:
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(message, Mapping):
        raise protocol_error("a choice of the reply has no message", http_status, text)
    content = message.get("content")
    if isinstance(content, list):  # parts, as some servers give them
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))
    if content is not None and not isinstance(content, str):
        raise protocol_error(f"the reply's content is {type(content).__name__}, not text", http_status, text)
    return content or ""


def _finish(choice: Mapping[str, Any]) -> str | None:
    message = choice.get("message")
    if isinstance(message, Mapping) and message.get("refusal") and not message.get("content"):
        return "content_filter"
    return _text(choice.get("finish_reason"))


class StreamedReply:
    """Folds the chunks of a streamed reply into the reply that would have come whole."""

    def __init__(self) -> None:
        self._parts: defaultdict[int, list[str]] = defaultdict(list)
        self._refusal: list[str] = []
        self._logprobs: list[Mapping[str, Any]] = []
        self._finish: dict[int, str] = {}
        self._head: dict[str, Any] = {}
        self.alive = 0
        """How often the model wrote something, what it thought included."""

    @property
    def text(self) -> str:
        """What was written so far."""
        return "".join(self._parts[0])

    @property
    def finished(self) -> bool:
        """Whether the model said that it is done; usage may still follow."""
        return bool(self._finish) and self._parts.keys() <= self._finish.keys()

    def feed(self, chunk: Any) -> str:
        """Take in one chunk; the text that it adds to the first reply. Raises BackendError on what is not a chunk."""
        if not isinstance(chunk, Mapping):
            raise protocol_error("a chunk of the stream is not an object", None, repr(chunk))
        refusal = error_said(chunk)
        if refusal is not None:
            raise stream_interrupted(refusal, self.text or str(dict(chunk)))
        for key in ("id", "created", "model", "system_fingerprint", "usage", "timings"):
            if chunk.get(key) is not None:
                self._head[key] = chunk[key]
        choices = chunk.get("choices")
        return "".join(self._choice(choice) for choice in choices) if isinstance(choices, list) else ""

    def _choice(self, choice: Any) -> str:
        if not isinstance(choice, Mapping):
            return ""
        index = choice.get("index", 0)
        index = index if type(index) is int else 0
        finish = _text(choice.get("finish_reason"))
        if finish:
            self._finish[index] = finish
        delta = choice.get("delta")
        delta = delta if isinstance(delta, Mapping) else {}
        content = delta.get("content")
        if delta.get("reasoning_content") or delta.get("reasoning") or content:
            self.alive += 1
        if isinstance(delta.get("refusal"), str):
            self._refusal.append(delta["refusal"])
        logprobs = choice.get("logprobs")
        if index == 0 and isinstance(logprobs, Mapping):
            self._logprobs += logprobs.get("content") or ()
        if not isinstance(content, str) or not content:
            return ""
        self._parts[index].append(content)
        return content if index == 0 else ""

    def completion(self) -> dict[str, Any]:
        """The reply in the form of a whole completion."""
        choices = []
        for index in sorted({0, *self._parts, *self._finish}):
            message: dict[str, Any] = {"role": "assistant", "content": "".join(self._parts[index])}
            if index == 0 and self._refusal:
                message["refusal"] = "".join(self._refusal)
            choices.append({"index": index, "message": message, "finish_reason": self._finish.get(index)})
        if self._logprobs:
            choices[0]["logprobs"] = {"content": self._logprobs}
        return {**self._head, "object": "chat.completion", "choices": choices}

    def response(self, http_status: int | None = None) -> Response:
        """The whole reply. Raises BackendError when the stream ended before the model was done."""
        if not self.finished:
            raise stream_interrupted("the stream ended before the model was done", self.text, http_status)
        return read_completion(self.completion(), http_status=http_status, text=self.text)


def error_said(data: Mapping[str, Any]) -> str | None:
    """The message of an error object, in the forms seen so far."""
    error = data.get("error")
    if isinstance(error, Mapping):
        return str(error.get("message") or dict(error))
    return error if isinstance(error, str) and error else None


def _usage(data: Mapping[str, Any]) -> tuple[int | None, int | None, int | None]:
    usage = data.get("usage")
    if not isinstance(usage, Mapping):
        return None, None, None
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, Mapping) else None
    return count(usage.get("prompt_tokens")), count(usage.get("completion_tokens")), count(cached)


def count(value: Any) -> int | None:
    """A number of tokens; None for what is none."""
    return value if type(value) is int and value >= 0 else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def bad_request(message: str, remedy: str = "") -> BackendError:
    """A request that the backend cannot carry."""
    return BackendError(message, code="bad-request", remedy=remedy)
