"""Any server that speaks the OpenAI chat-completions API. Knows one try of one request; retries are above."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from chainlab.backends.chat import ServedModel, Server, ServerSettings
from chainlab.backends.completion import (
    Dialect,
    StreamedReply,
    Structured,
    read_completion,
    request_body,
    without_wrapping,
    wraps,
)
from chainlab.backends.http import protocol_error
from chainlab.errors import BackendError
from chainlab.messages import Chunk, Progress, Request, Response
from chainlab.protocols import ResolvedModel

if TYPE_CHECKING:
    import httpx

_LOWER: dict[Structured, Structured] = {"json_schema": "json_object", "json_object": "none"}
_OF_FORMAT = ("response_format", "json_schema", "structured", "schema", "grammar")


class OpenAIBackend:
    """One OpenAI-compatible server. The key is read from its environment variable when it is first needed.

    `structured`: how the server can be asked for JSON. None: it is found out. A server that refuses the form it is
    asked in is asked in a simpler one from then on; one that ignores it is not noticed, and need not be: every reply is
    checked, and what does not fit is sent back.
    """

    kind = "openai"
    pinned = False
    constraints = frozenset({"json", "choice", "regex"})
    most_samples: int | None = None

    def __init__(
        self,
        settings: ServerSettings,
        *,
        structured: Structured | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.settings = settings
        self.name = settings.name
        self.concurrency = settings.concurrency
        self.transport_retries = settings.retries
        self.default_model = settings.default_model
        self.server = Server(settings, key_headers=lambda key: {"Authorization": f"Bearer {key}"}, transport=transport)
        own = urlsplit(settings.base_url).hostname == "api.openai.com"
        self._dialect = Dialect(structured or "json_schema", "max_completion_tokens" if own else "max_tokens")
        self._probing = structured is None

    def identity(self, model: str, adapter: str | None) -> str:
        """The server's address without query, and the model. What the server does behind that cannot be known."""
        identity = f"{self.kind}|{self.server.client.address}"
        return f"{identity}|{model}" if adapter is None else f"{identity}|{model}+{adapter}"

    def secrets(self) -> tuple[str, ...]:
        """The key, if it was read."""
        return self.server.secrets()

    async def prepare(self, model: ResolvedModel, report: Callable[[Progress], None]) -> None:
        """Check that there is a key where one is needed. Makes no request. Raises ConfigError."""
        self.server.headers()

    async def send(self, request: Request, on_chunk: Callable[[Chunk], None] | None = None) -> Response:
        """One try of one request, streamed if somebody listens. Raises BackendError."""
        dialect = self._dialect
        body = request_body(request, stream=on_chunk is not None, dialect=dialect)
        try:
            response = await self.server.call("/chat/completions", body, StreamedReply(), _whole, on_chunk)
        except BackendError as error:
            raise self._explained(error, dialect, request) from error.__cause__
        return without_wrapping(response) if wraps(request, dialect) else response

    def _explained(self, error: BackendError, dialect: Dialect, request: Request) -> BackendError:
        """A refusal of the form that JSON was asked for in: from now on a simpler one is used."""
        lower = _LOWER.get(dialect.structured)
        refused = error.code == "bad-request" and error.http_status in (400, 422)
        asked = request.output_schema is not None and not dialect.own_constraints
        if not (self._probing and lower and refused and asked):
            return error
        if not any(word in error.message.lower() for word in _OF_FORMAT):
            return error
        if self._dialect is dialect:
            self._dialect = replace(dialect, structured=lower)
        error.code, error.retryable = "structured-refused", True
        error.remedy = f'write structured = "{lower}" under [backends.{self.name}], and this call is saved'
        return error

    async def served(self) -> tuple[ServedModel, ...]:
        """The models that the server says it has. Raises BackendError; ConfigError `missing-key`."""
        self.server.headers()
        data = await self.server.ask("GET", "/models")
        try:
            return tuple(_served(model) for model in data["data"])
        except (LookupError, TypeError, AttributeError) as error:
            raise protocol_error("the list of models is not one", 200, str(data)) from error

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        await self.server.client.aclose()


def _served(model: Any) -> ServedModel:
    parent, context = model.get("parent"), model.get("max_model_len")
    context = context if context is not None else (model.get("meta") or {}).get("n_ctx")  # vLLM's word, llama.cpp's
    return ServedModel(str(model["id"]), parent if isinstance(parent, str) else None, context)


def _whole(data: Any, status: int, text: str) -> Response:
    return read_completion(data, http_status=status, text=text)
