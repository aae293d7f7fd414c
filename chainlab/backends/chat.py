"""What backends over HTTP share: a key from the environment, one call with its clocks, errors without secrets.

Nothing is raised but BackendError with a code (and ConfigError for a missing key, when a run is prepared). One try of
one request; retries are above.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from chainlab.backends.clocks import Clocks, Watch
from chainlab.backends.http import (
    MOST_ERROR_BYTES,
    HttpClient,
    bounded,
    drain,
    parsed,
    read,
    stream_interrupted,
)
from chainlab.backends.http_errors import error_of_status, status_within
from chainlab.backends.sse import ServerEvent, server_events
from chainlab.errors import BackendError, ConfigError
from chainlab.messages import Chunk, Response
from chainlab.values.codec import encode
from chainlab.values.redact import Redactor, secrets_in_url

if TYPE_CHECKING:
    import httpx

ASK_S = 5.0  # for a list of models, and what else is no reply of a model
CONCURRENCY = 16
_NO_STREAM = ("json", "html", "xml")  # a server that would not stream, a proxy's page


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """What every backend over HTTP can be told. `headers` are sent along, such as a version or an organisation."""

    base_url: str
    name: str
    api_key_env: str | None = None
    concurrency: int = CONCURRENCY
    retries: int = 3
    clocks: Clocks = Clocks()
    default_model: str | None = None


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model, or an adapter (`parent`: its base), that a server says it has. `context`: tokens it takes."""

    name: str
    parent: str | None = None
    context: int | None = None


class Folded(Protocol):
    """A streamed reply as it grows."""

    alive: int

    @property
    def text(self) -> str: ...
    @property
    def finished(self) -> bool: ...
    def feed(self, chunk: Any) -> str: ...
    def response(self, http_status: int | None = None) -> Response: ...


OnChunk = Callable[[Chunk], None]
Whole = Callable[[Any, int, str], Response]
"""Reads a reply that came in one piece: its JSON, its status, its text."""


class Server:
    """One server: its client, its key, and calls of a model on it."""

    def __init__(
        self,
        settings: ServerSettings,
        *,
        key_headers: Callable[[str], Mapping[str, str]],
        headers: Mapping[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.settings = settings
        self._key: str | None = None
        self._key_headers, self._fixed = key_headers, dict(headers or {})
        self.client = HttpClient(
            settings.base_url,
            name=settings.name,
            headers=self.headers,
            clocks=settings.clocks,
            concurrency=settings.concurrency,
            transport=transport,
        )

    def headers(self) -> Mapping[str, str]:
        """The headers of every call. The key is read when it is first needed. Raises ConfigError `missing-key`."""
        if self.settings.api_key_env is None:
            return self._fixed
        if self._key is None:
            self._key = read_key(self.settings.api_key_env, self.settings.name)
        return {**self._fixed, **self._key_headers(self._key)}

    def secrets(self) -> tuple[str, ...]:
        """The key, if it was read, and what of the address is one."""
        return (*((self._key,) if self._key else ()), *secrets_in_url(self.settings.base_url))

    async def call(
        self, path: str, body: Mapping[str, Any], folded: Folded, whole: Whole, on_chunk: OnChunk | None
    ) -> Response:
        """One call of a model: streamed into `folded`, unless the server answers in one piece. Raises BackendError."""
        name = self.settings.name
        watch = Watch(self.settings.clocks, name, streams=on_chunk is not None)
        try:
            async with (
                watch,
                self.client.post(path, encode(dict(body))) as reply,
            ):
                if reply.status_code != 200:
                    text = await read(reply, MOST_ERROR_BYTES)
                    raise error_of_status(reply.status_code, reply.headers, text, name, self.settings.api_key_env)
                if on_chunk is None or any(word in reply.headers.get("content-type", "") for word in _NO_STREAM):
                    watch.whole()
                    response = await self._in_one_piece(reply, whole, on_chunk)
                else:
                    await self._streamed(reply, folded, watch, on_chunk)
                    response = folded.response(reply.status_code)
            return replace(response, ttft_us=watch.ttft_us)
        except BackendError as error:
            if folded.finished and error.code.startswith("timeout-"):  # only the usage did not come
                return replace(folded.response(200), ttft_us=watch.ttft_us)
            error.body = error.body or folded.text or None
            raise self.clean(error) from error.__cause__

    async def _in_one_piece(self, reply: httpx.Response, whole: Whole, on_chunk: OnChunk | None) -> Response:
        """A reply in one piece; also from a server that was asked to stream and would not."""
        from chainlab.backends.http import MOST_BYTES

        content = await read(reply, MOST_BYTES)
        text = content.decode("utf-8", "replace")
        data = parsed(content, "the reply", reply.status_code)
        self._check_status(data)
        response = whole(data, reply.status_code, text)
        if on_chunk is not None and response.text:
            on_chunk(Chunk(response.text))
        return response

    async def _streamed(self, reply: httpx.Response, folded: Folded, watch: Watch, on_chunk: OnChunk) -> None:
        """Feed the events of a reply, and time what the model writes."""
        blocks = bounded(reply)
        try:
            async with aclosing(blocks), aclosing(server_events(blocks)) as events:
                await self._fed(events, reply.status_code, folded, watch, on_chunk)
        except BackendError:
            raise
        except Exception as error:
            if not folded.finished:  # else only the usage is lost
                reason = str(error) or type(error).__name__
                raise stream_interrupted(f"the stream broke off: {reason}", folded.text, reply.status_code) from error

    async def _fed(
        self, events: AsyncIterator[ServerEvent], status: int, folded: Folded, watch: Watch, on_chunk: OnChunk
    ) -> None:
        alive = folded.alive
        async for event in events:
            if event.data == b"[DONE]":
                await drain(events)
                return
            try:
                chunk = parsed(event.data, "an event of the stream", status)
            except BackendError as error:
                error.body = folded.text + (error.body or "")
                raise
            if not folded.text:
                self._check_status(chunk)
            added = folded.feed(chunk)
            if folded.alive != alive:
                alive = folded.alive
                watch.token()
            if added:
                on_chunk(Chunk(added))

    def _check_status(self, data: Any) -> None:
        """Raise the BackendError of a status that is named in a 200 before anything was written."""
        status = status_within(data)
        if status is not None:
            settings = self.settings
            raise error_of_status(status, {}, encode(data), settings.name, settings.api_key_env)

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """A question that is none to a model: its answer's JSON (text, where it is none). Raises BackendError."""
        content = None if body is None else encode(dict(body))
        try:
            reply = await self.client.fetch(method, path, ASK_S, content)
            if reply.status_code != 200:
                name, variable = self.settings.name, self.settings.api_key_env
                raise error_of_status(reply.status_code, reply.headers, reply.content, name, variable)
            kind = reply.headers.get("content-type")
            if kind is None and not reply.content.startswith((b"{", b"[")) or kind is not None and "json" not in kind:
                return reply.text  # vLLM says in words, of no type, that it has loaded an adapter
            return parsed(reply.content, "the answer", reply.status_code)
        except BackendError as error:
            raise self.clean(error) from error.__cause__

    def clean(self, error: BackendError) -> BackendError:
        """The error without secrets: what a server answers to a refused call may repeat the call's headers."""
        redactor = Redactor(self.secrets())
        error.message = redactor.text(error.message)
        error.args = (error.message,)
        # What a model wrote is the user's own; what a server says is not.
        mine = redactor.exact if error.code in ("stream-interrupted", "output-too-large") else redactor
        error.body = mine.text(error.body) if error.body else error.body
        return error


def read_key(variable: str, backend: str) -> str:
    """The key in an environment variable. Raises ConfigError `missing-key`."""
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
