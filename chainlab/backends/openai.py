"""Any server that speaks the OpenAI chat-completions API, over HTTP. Knows one try of one request; retries are above.

Nothing is raised but BackendError with a code (and ConfigError for a missing key, when it is prepared). httpx loads on
first use.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from chainlab.backends.completion import (
    StreamedReply,
    protocol_error,
    read_completion,
    request_body,
    stream_interrupted,
)
from chainlab.backends.http_errors import error_of_status
from chainlab.errors import BackendError, ConfigError
from chainlab.messages import Chunk, Progress, Request, Response
from chainlab.values.codec import encode

if TYPE_CHECKING:
    import httpx

_CONCURRENCY = 16
_CONNECT_S = 5.0
_WHOLE_S = 600.0  # for a reply that comes in one piece
_SILENCE_S = 120.0  # between two pieces of a streamed one; a busy server may queue this long before the first
_MOST_BYTES = 16 * 1024 * 1024
_MOST_ERROR_BYTES = 64 * 1024


class OpenAIBackend:
    """One OpenAI-compatible server. The key is read from its environment variable when it is first needed."""

    kind = "openai"
    pinned = False

    def __init__(
        self,
        base_url: str,
        *,
        name: str = "openai",
        api_key_env: str | None = None,
        concurrency: int | None = None,
        timeout: float | None = None,
        retries: int = 3,
        default_model: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.username or parts.password:
            raise ConfigError("base_url holds a user name or password", remedy="use api_key_env", code="key-in-file")
        self.name = name
        self.base_url = base_url.rstrip("/")
        self.concurrency = concurrency or _CONCURRENCY
        self.transport_retries = retries
        self.default_model = default_model
        self._api_key_env = api_key_env
        self._key: str | None = None
        self._timeout = timeout
        self._transport = transport
        self._identity = f"openai|{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        # Connections belong to an event loop, and a backend may outlive one (run_sync opens one per call).
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = WeakKeyDictionary()

    def identity(self, model: str, adapter: str | None) -> str:
        """The server's address without query, and the model. What the server does behind that cannot be known."""
        return f"{self._identity}|{model}" if adapter is None else f"{self._identity}|{model}+{adapter}"

    def secrets(self) -> tuple[str, ...]:
        """The key, if it was read."""
        return (self._key,) if self._key else ()

    async def prepare(self, model: str, report: Callable[[Progress], None]) -> None:
        """Check that there is a key where one is needed. Makes no request. Raises ConfigError."""
        self._headers()

    async def send(self, request: Request, on_chunk: Callable[[Chunk], None] | None = None) -> Response:
        """One try of one request, streamed if somebody listens. Raises BackendError."""
        import httpx

        try:
            headers = self._headers()
        except ConfigError as error:
            raise BackendError(error.message, code="auth-failed", remedy=error.remedy) from error
        stream = on_chunk is not None
        body = encode(request_body(request, stream=stream))
        started = time.monotonic_ns()
        limit = self._timeout or (_SILENCE_S if stream else _WHOLE_S)
        try:
            async with (
                asyncio.timeout(limit) as clock,
                self._client().stream("POST", "/chat/completions", content=body, headers=headers) as reply,
            ):
                if reply.status_code != 200:
                    text = await _read(reply, _MOST_ERROR_BYTES)
                    raise error_of_status(reply.status_code, reply.headers, text, self.name, self._api_key_env)
                if on_chunk is None or "json" in reply.headers.get("content-type", ""):
                    return await _whole(reply, on_chunk)
                return await _streamed(reply, on_chunk, started, lambda: clock.reschedule(_now() + limit))
        except TimeoutError as error:
            raise BackendError(
                f"{self.name} sent nothing for {limit:g} s",
                code="timeout",
                retryable=True,
                remedy=f"raise timeout under [backends.{self.name}], or lower the load",
            ) from error
        except httpx.DecodingError as error:
            raise protocol_error(f"the reply cannot be decoded: {_reason(error)}", None, "") from error
        except httpx.TransportError as error:
            raise BackendError(
                f"{self.name} cannot be reached: {_reason(error)}",
                code="unavailable",
                retryable=True,
                remedy=f"check that a server answers at {self.base_url}",
            ) from error

    async def served(self, seconds: float) -> tuple[str, ...]:
        """The names of the models that the server says it has. Raises BackendError; ConfigError `missing-key`."""
        import httpx

        headers = self._headers()
        try:
            async with (
                asyncio.timeout(seconds),
                self._client().stream("GET", "/models", headers=headers) as reply,
            ):
                body = await _read(reply, _MOST_BYTES)
                if reply.status_code != 200:
                    raise error_of_status(reply.status_code, reply.headers, body, self.name, self._api_key_env)
        except TimeoutError as error:
            raise BackendError(f"{self.name} did not answer within {seconds:g} s", code="timeout") from error
        except httpx.HTTPError as error:
            raise BackendError(f"{self.name} cannot be reached: {_reason(error)}", code="unavailable") from error
        try:
            return tuple(str(model["id"]) for model in json.loads(body)["data"])
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            text = body.decode("utf-8", "replace")
            raise protocol_error("the list of models is not one", reply.status_code, text) from error

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def _client(self) -> httpx.AsyncClient:
        import httpx

        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = httpx.AsyncClient(
                base_url=self.base_url,
                transport=self._transport,
                timeout=httpx.Timeout(None, connect=_CONNECT_S),  # silence is timed here, where pings do not count
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=self.concurrency),
                follow_redirects=False,  # a key goes to the address that was configured, and nowhere else
            )
        return client

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if self._api_key_env is not None:
            if self._key is None:
                self._key = _read_key(self._api_key_env, self.name)
            headers["Authorization"] = f"Bearer {self._key}"
        return headers


def _read_key(variable: str, backend: str) -> str:
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ConfigError(
            f"backend {backend!r} needs a key, and the environment variable {variable} is not set",
            code="missing-key",
            remedy=f"export {variable}=...",
        )
    if not key.isascii() or not key.isprintable():
        raise ConfigError(
            f"the environment variable {variable} holds what cannot be a key",
            code="missing-key",
            remedy=f"set {variable} again",
        )
    return key


async def _whole(reply: httpx.Response, on_chunk: Callable[[Chunk], None] | None) -> Response:
    """A reply in one piece; also from a server that was asked to stream and would not."""
    content = await _read(reply, _MOST_BYTES)
    text = content.decode("utf-8", "replace")
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise protocol_error(f"the reply is not JSON: {error}", reply.status_code, text) from error
    response = read_completion(data, http_status=reply.status_code, text=text)
    if on_chunk is not None and response.text:
        on_chunk(Chunk(response.text))
    return response


async def _streamed(
    reply: httpx.Response, on_chunk: Callable[[Chunk], None], started: int, alive: Callable[[], None]
) -> Response:
    import httpx

    ttft_us: int | None = None
    folded = StreamedReply()
    try:
        async with aclosing(_events(reply)) as events:
            async for data in events:
                alive()
                if data == b"[DONE]":
                    await _drain(events)
                    break
                added = folded.feed(_chunk(data, reply.status_code, folded.text))
                if added:
                    if ttft_us is None:
                        ttft_us = (time.monotonic_ns() - started) // 1000
                    on_chunk(Chunk(added))
    except httpx.TransportError as error:
        if not folded.finished:  # else only the usage is lost
            message = f"the stream broke off: {_reason(error)}"
            raise stream_interrupted(message, folded.text, reply.status_code) from error
    response = folded.response(reply.status_code)
    return replace(response, ttft_us=ttft_us)


async def _drain(events: AsyncIterator[bytes]) -> None:
    """Read to the real end, if it is near: only a reply that was read to its end leaves its connection to the next."""
    import httpx

    with suppress(TimeoutError, httpx.TransportError):
        async with asyncio.timeout(0.2):
            async for _ in events:
                pass


def _chunk(data: bytes, status: int, so_far: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        text = so_far + data.decode("utf-8", "replace")
        raise protocol_error(f"an event of the stream is not JSON: {error}", status, text) from error


async def _events(reply: httpx.Response) -> AsyncGenerator[bytes, None]:
    """The data of server-sent events. Splits bytes at line feeds only: text may hold other line separators."""
    rest = b""
    data: list[bytes] = []
    size = 0
    async for block in reply.aiter_bytes():
        size += len(block)
        if size > _MOST_BYTES:
            raise _too_large()
        *lines, rest = (rest + block).split(b"\n") if b"\n" in block else [rest + block]
        for line in lines:
            line = line.removesuffix(b"\r")
            if line.startswith(b"data:"):
                data.append(line[5:].removeprefix(b" "))
            elif not line and data:
                yield b"\n".join(data)
                data = []
    if rest.startswith(b"data:"):
        data.append(rest[5:].strip())
    if data:
        yield b"\n".join(data)


async def _read(reply: httpx.Response, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for block in reply.aiter_bytes():
        parts.append(block)
        size += len(block)
        if size > most:
            if reply.status_code == 200:
                raise _too_large()
            break
    return b"".join(parts)


def _too_large() -> BackendError:
    return BackendError(f"the reply is larger than {_MOST_BYTES >> 20} MiB", code="output-too-large")


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _now() -> float:
    return asyncio.get_running_loop().time()
