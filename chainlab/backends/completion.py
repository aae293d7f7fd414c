"""The chat-completion format: a Request as its JSON body, a reply, whole or in chunks, as a Response. No transport."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chainlab.errors import BackendError
from chainlab.messages import Request, Response

_TOP_LOGPROBS = 5


def request_body(request: Request, *, stream: bool) -> dict[str, Any]:
    """The JSON body of a request. What the author left open is left out, so that the server's own default holds."""
    body: dict[str, Any] = {
        "model": request.adapter or request.model,  # servers of adapters take the adapter's name for the model's
        "messages": [dict(message) for message in request.messages],
    }
    for key in ("temperature", "top_p", "max_tokens", "seed"):
        value = getattr(request, key)
        if value is not None:
            body[key] = value
    if request.stop:
        body["stop"] = list(request.stop)
    if request.logprobs:
        body |= {"logprobs": True, "top_logprobs": _TOP_LOGPROBS}
    if request.output_schema is not None:
        schema = dict(request.output_schema)
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": schema_name(schema), "strict": True, "schema": schema},
        }
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


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
        raise protocol_error(_refusal(data) or "the reply has no choices", http_status, text)
    if not choices:
        raise empty_response("the reply has an empty list of choices", http_status, text)
    choice = choices[0]
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(message, Mapping):
        raise protocol_error("the reply's first choice has no message", http_status, text)
    content = message.get("content")
    if content is not None and not isinstance(content, str):
        raise protocol_error(f"the reply's content is {type(content).__name__}, not text", http_status, text)
    finish = choice.get("finish_reason")
    if not content and finish not in ("length", "content_filter"):
        raise empty_response("the model wrote nothing", http_status, text)
    logprobs = choice.get("logprobs")
    tokens_in, tokens_out = _usage(data)
    return Response(
        content or "",
        finish,
        served_model=data.get("model"),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        http_status=http_status,
        logprobs=logprobs.get("content") if isinstance(logprobs, Mapping) else None,
        raw=data,
    )


class StreamedReply:
    """Folds the chunks of a streamed reply into the reply that would have come whole."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._logprobs: list[Mapping[str, Any]] = []
        self._finish: str | None = None
        self._head: dict[str, Any] = {}

    @property
    def text(self) -> str:
        """What was written so far."""
        return "".join(self._parts)

    @property
    def finished(self) -> bool:
        """Whether the model said that it is done; usage may still follow."""
        return self._finish is not None

    def feed(self, chunk: Any) -> str:
        """Take in one chunk; the text that it adds. Raises BackendError on what is not a chunk."""
        if not isinstance(chunk, Mapping):
            raise protocol_error("a chunk of the stream is not an object", None, repr(chunk))
        refusal = _refusal(chunk)
        if refusal is not None:
            raise BackendError(refusal, code="stream-interrupted", retryable=True, body=self.text or str(dict(chunk)))
        for key in ("id", "created", "model", "system_fingerprint", "usage", "timings"):
            if chunk.get(key) is not None:
                self._head[key] = chunk[key]
        added = ""
        for choice in chunk.get("choices") or ():
            if not isinstance(choice, Mapping) or choice.get("index", 0) != 0:
                continue
            added += self._choice(choice)
        return added

    def _choice(self, choice: Mapping[str, Any]) -> str:
        self._finish = choice.get("finish_reason") or self._finish
        logprobs = choice.get("logprobs")
        if isinstance(logprobs, Mapping):
            self._logprobs += logprobs.get("content") or ()
        content = (choice.get("delta") or {}).get("content")
        if not isinstance(content, str) or not content:
            return ""
        self._parts.append(content)
        return content

    def completion(self) -> dict[str, Any]:
        """The reply in the form of a whole completion."""
        choice: dict[str, Any] = {
            "index": 0,
            "message": {"role": "assistant", "content": self.text},
            "finish_reason": self._finish,
        }
        if self._logprobs:
            choice["logprobs"] = {"content": self._logprobs}
        return {**self._head, "object": "chat.completion", "choices": [choice]}

    def response(self, http_status: int | None = None) -> Response:
        """The whole reply. Raises BackendError when the stream ended before the model was done."""
        if not self.finished:
            raise stream_interrupted("the stream ended before the model was done", self.text, http_status)
        return read_completion(self.completion(), http_status=http_status, text=self.text)


def protocol_error(message: str, http_status: int | None, text: str) -> BackendError:
    """A reply that is not a chat completion; the start of it is kept."""
    return BackendError(
        message,
        code="protocol-error",
        retryable=True,
        http_status=http_status,
        body=text[:2048],
        remedy="check that base_url leads to an OpenAI-compatible API (it usually ends in /v1)",
    )


def empty_response(message: str, http_status: int | None, text: str) -> BackendError:
    """A well-formed reply with nothing in it."""
    return BackendError(message, code="empty-response", retryable=True, http_status=http_status, body=text[:2048])


def stream_interrupted(message: str, text: str, http_status: int | None = None) -> BackendError:
    """A stream that broke off; what came is kept."""
    return BackendError(message, code="stream-interrupted", retryable=True, http_status=http_status, body=text)


def _refusal(data: Mapping[str, Any]) -> str | None:
    """The message of an error object, in the forms seen so far."""
    error = data.get("error")
    if isinstance(error, Mapping):
        return str(error.get("message") or error)
    return error if isinstance(error, str) and error else None


def _usage(data: Mapping[str, Any]) -> tuple[int | None, int | None]:
    usage = data.get("usage")
    if not isinstance(usage, Mapping):
        return None, None
    counts = [usage.get("prompt_tokens"), usage.get("completion_tokens")]
    known = [count if type(count) is int else None for count in counts]
    return known[0], known[1]
