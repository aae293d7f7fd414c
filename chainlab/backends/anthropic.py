"""Anthropic's Messages API. Knows one try of one request; retries are above.

Typed output by a tool that must be used, whose input is the value: its schema binds, and every model has tools. What
the API does not have (a seed, token probabilities, several replies of one call) is not sent.

Source: Anthropic API reference, version 2023-06-01: Messages, Streaming Messages, Errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from chainlab.backends.chat import ServedModel, Server, ServerSettings
from chainlab.backends.completion import bad_request, count, error_said, schema_name, without_wrapping
from chainlab.backends.constraint import constraint_of, is_object, wrapped
from chainlab.backends.http import empty_response, protocol_error, stream_interrupted
from chainlab.messages import Chunk, Progress, Request, Response
from chainlab.protocols import ResolvedModel
from chainlab.values.codec import decode, encode

if TYPE_CHECKING:
    import httpx

VERSION = "2023-06-01"
_MAX_TOKENS = 4096  # the API has no default
_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}


class AnthropicBackend:
    """Anthropic, or a server that speaks its API."""

    kind = "anthropic"
    pinned = False
    constraints = frozenset({"json", "choice", "regex"})
    most_samples: int | None = 1

    def __init__(self, settings: ServerSettings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.name, self.concurrency = settings.name, settings.concurrency
        self.transport_retries, self.default_model = settings.retries, settings.default_model
        self.server = Server(
            settings,
            key_headers=lambda key: {"x-api-key": key},
            headers={"anthropic-version": VERSION},
            transport=transport,
        )

    def identity(self, model: str, adapter: str | None) -> str:
        """The server's address and the model. What it does behind that cannot be known."""
        return f"anthropic|{self.server.client.address}|{model}"

    def secrets(self) -> tuple[str, ...]:
        """The key, if it was read."""
        return self.server.secrets()

    async def prepare(self, model: ResolvedModel, report: Callable[[Progress], None]) -> None:
        """Check that there is a key. Makes no request. Raises ConfigError."""
        self.server.headers()

    async def send(self, request: Request, on_chunk: Callable[[Chunk], None] | None = None) -> Response:
        """One try of one request, streamed if somebody listens. Raises BackendError."""
        body = messages_body(request, stream=on_chunk is not None)
        response = await self.server.call("/messages", body, StreamedMessage(), read_message, on_chunk)
        held = constraint_of(request.output_schema) is not None and not is_object(request.output_schema or {})
        return without_wrapping(response) if held else response

    async def served(self) -> tuple[ServedModel, ...]:
        """The models that the server says it has. Raises BackendError; ConfigError `missing-key`."""
        self.server.headers()
        data = await self.server.ask("GET", "/models?limit=100")
        try:
            return tuple(ServedModel(str(model["id"])) for model in data["data"])
        except (LookupError, TypeError, AttributeError) as error:
            raise protocol_error("the list of models is not one", 200, str(data)) from error

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        await self.server.client.aclose()


def messages_body(request: Request, *, stream: bool) -> dict[str, Any]:
    """The JSON body of a request. Raises BackendError for what the API cannot carry."""
    if request.adapter is not None:
        raise bad_request("Anthropic serves no adapters", "name the model alone")
    system = [str(message["content"]) for message in request.messages if message["role"] == "system"]
    body: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens or _MAX_TOKENS,
        "messages": [_message(message) for message in request.messages if message["role"] != "system"],
    }
    if system:
        body["system"] = "\n\n".join(system)
    for key in ("temperature", "top_p"):
        value = getattr(request, key)
        if value is not None:
            body[key] = value
    if request.stop:
        body["stop_sequences"] = list(request.stop)
    constraint = constraint_of(request.output_schema)
    if constraint is not None:
        if constraint.kind == "grammar":
            raise bad_request("Anthropic holds no reply to a grammar", "use a type, or a backend of kind vllm")
        schema = request.output_schema or {}
        name = schema_name(schema)
        body["tools"] = [{"name": name, "input_schema": dict(schema) if is_object(schema) else wrapped(schema)}]
        body["tool_choice"] = {"type": "tool", "name": name, "disable_parallel_tool_use": True}
    if stream:
        body["stream"] = True
    return body


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    content = message["content"]
    blocks = content if isinstance(content, str) else [_block(part) for part in content]
    return {"role": message["role"], "content": blocks}


def _block(part: Mapping[str, Any]) -> dict[str, Any]:
    if part["type"] != "image":
        return {"type": "text", "text": part["text"]}
    if part.get("url"):
        return {"type": "image", "source": {"type": "url", "url": part["url"]}}
    return {"type": "image", "source": {"type": "base64", "media_type": part["media_type"], "data": part["data"]}}


def read_message(data: Any, http_status: int | None = None, text: str = "") -> Response:
    """A whole reply. `text` is the reply as it came, for the trace. Raises BackendError."""
    if not isinstance(data, Mapping):
        raise protocol_error("the reply is JSON, but not an object", http_status, text)
    blocks = data.get("content")
    if not isinstance(blocks, list):
        raise protocol_error(error_said(data) or "the reply has no content", http_status, text)
    written = "".join(_written(block) for block in blocks if isinstance(block, Mapping))
    reason = data.get("stop_reason")
    finish = _FINISH.get(reason, "stop") if isinstance(reason, str) else None
    if not written and finish not in ("length", "content_filter"):
        raise empty_response("the model wrote nothing", http_status, text)
    used = data.get("usage")
    used = used if isinstance(used, Mapping) else {}
    parts = [count(used.get(key)) for key in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")]
    return Response(
        written,
        finish,
        served_model=data["model"] if isinstance(data.get("model"), str) else None,
        tokens_in=None if parts[0] is None else sum(part or 0 for part in parts),
        tokens_out=count(used.get("output_tokens")),
        tokens_cached=parts[2],
        http_status=http_status,
        raw=data,
    )


def _written(block: Mapping[str, Any]) -> str:
    if block.get("type") == "tool_use":
        return encode(block.get("input")).decode()
    said = block.get("text")
    return said if block.get("type") == "text" and isinstance(said, str) else ""


class StreamedMessage:
    """Folds the events of a streamed reply into the reply that would have come whole."""

    def __init__(self) -> None:
        self._message: dict[str, Any] = {}
        self._blocks: dict[int, dict[str, Any]] = {}
        self._inputs: dict[int, list[str]] = {}
        self.alive = 0

    @property
    def text(self) -> str:
        """What was written so far."""
        every = sorted({*self._blocks, *self._inputs})
        return "".join(
            "".join(self._inputs[index]) if index in self._inputs else str(self._blocks[index].get("text") or "")
            for index in every
        )

    @property
    def finished(self) -> bool:
        """Whether the model said that it is done."""
        return self._message.get("stop_reason") is not None

    def feed(self, chunk: Any) -> str:
        """Take in one event; the text that it adds. Raises BackendError."""
        if not isinstance(chunk, Mapping):
            raise protocol_error("an event of the stream is not an object", None, repr(chunk))
        match chunk.get("type"):
            case "error":
                raise stream_interrupted(error_said(chunk) or "the server reports an error", self.text)
            case "message_start":
                message = chunk.get("message")
                self._message = dict(message) if isinstance(message, Mapping) else {}
            case "content_block_start":
                return self._block(chunk)
            case "content_block_delta":
                return self._delta(chunk)
            case "message_delta":
                delta, usage = chunk.get("delta"), chunk.get("usage")
                self._message |= delta if isinstance(delta, Mapping) else {}
                before = self._message.get("usage")
                if isinstance(usage, Mapping):
                    self._message["usage"] = {**(before if isinstance(before, Mapping) else {}), **usage}
        return ""  # a ping, the end of a block, what is new since

    def _block(self, event: Mapping[str, Any]) -> str:
        index, block = event.get("index"), event.get("content_block")
        if type(index) is not int or not isinstance(block, Mapping):
            raise protocol_error("a block of the stream has no index or no content", None, repr(dict(event)))
        self._blocks[index] = dict(block)
        if block.get("type") == "tool_use":
            self._inputs[index] = []
        return ""

    def _delta(self, event: Mapping[str, Any]) -> str:
        index, delta = event.get("index"), event.get("delta")
        if type(index) is not int or not isinstance(delta, Mapping) or index not in self._blocks:
            raise protocol_error("a piece of the stream belongs to no block", None, repr(dict(event)))
        match delta.get("type"):
            case "text_delta":
                added = str(delta.get("text") or "")
                block = self._blocks[index]
                block["text"] = str(block.get("text") or "") + added
            case "input_json_delta":
                added = str(delta.get("partial_json") or "")
                self._inputs.setdefault(index, []).append(added)
            case _:  # what the model thinks
                self.alive += 1
                return ""
        self.alive += bool(added)
        return added

    def message(self) -> dict[str, Any]:
        """The reply in the form of a whole message. Raises BackendError when a tool's input is no JSON."""
        blocks = []
        for index in sorted(self._blocks):
            block = self._blocks[index]
            written = "".join(self._inputs.get(index, ()))
            if block.get("type") == "tool_use" and written:
                block = {**block, "input": _input(written)}
            blocks.append(block)
        return {**self._message, "content": blocks}

    def response(self, http_status: int | None = None) -> Response:
        """The whole reply. Raises BackendError when the stream ended before the model was done."""
        if not self.finished:
            raise stream_interrupted("the stream ended before the model was done", self.text, http_status)
        return read_message(self.message(), http_status, self.text)


def _input(written: str) -> Any:
    """A tool's input; one that was cut at the limit stays the text that it is."""
    try:
        return decode(written)
    except (ValueError, RecursionError):
        return written
