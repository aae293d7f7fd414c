"""HTTP to one server: one pooled client for each event loop, typed errors, sizes bounded. Knows no model format.

httpx's API over aiohttp's connections: under concurrency httpx's own pool costs many times the processor time
(docs/benchmarks.md). Proxies (HTTP_PROXY, HTTPS_PROXY, NO_PROXY) and certificates (SSL_CERT_FILE, SSL_CERT_DIR) come
from the environment; TLS is always verified; redirects are not followed: a key goes to the address that was configured.
Tests put their own transport below. httpx and aiohttp load on first use.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from chainlab.backends.clocks import Clocks, timed_out
from chainlab.errors import BackendError, ConfigError
from chainlab.values.redact import Redactor

if TYPE_CHECKING:
    import ssl

    import httpx

MOST_BYTES = 16 * 1024 * 1024  # of a reply
MOST_ERROR_BYTES = 64 * 1024
_KEPT_ALIVE_S = 30.0
_DRAIN_S = 0.2

Headers = Callable[[], Mapping[str, str]]
"""The headers of a call, its key among them. Raises ConfigError `missing-key`."""


class HttpClient:
    """Calls to one server. `name` is the backend's, for errors."""

    def __init__(
        self,
        base_url: str,
        *,
        name: str,
        headers: Headers,
        clocks: Clocks,
        concurrency: int,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.username or parts.password:
            raise ConfigError("base_url holds a user name or password", remedy="use api_key_env", code="key-in-file")
        self.address = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._query = parts.query
        self._name, self._headers, self._clocks = name, headers, clocks
        self._concurrency, self._transport = concurrency, transport
        # Connections belong to an event loop, and a backend may outlive one (run_sync opens one per call).
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = WeakKeyDictionary()

    @asynccontextmanager
    async def post(self, path: str, body: bytes) -> AsyncIterator[httpx.Response]:
        """Send a JSON body; the reply, its content unread. `path`: below base_url, or a whole address.

        Raises BackendError, also for what breaks while the content is read.
        """
        async with self._call("POST", path, body) as reply:
            yield reply

    async def fetch(self, method: str, path: str, seconds: float, body: bytes | None = None) -> httpx.Response:
        """A small reply, whole, whatever its status. Raises BackendError."""
        try:
            async with asyncio.timeout(seconds), self._call(method, path, body) as reply:
                content = await read(reply, MOST_BYTES)
        except TimeoutError as error:
            raise BackendError(f"{self._name} did not answer within {seconds:g} s", code="timeout-total") from error
        import httpx

        return httpx.Response(reply.status_code, headers=reply.headers, content=content)

    @asynccontextmanager
    async def _call(self, method: str, path: str, body: bytes | None) -> AsyncIterator[httpx.Response]:
        try:
            headers = {"Content-Type": "application/json", **self._headers()}
        except ConfigError as error:
            raise BackendError(error.message, code="auth-failed", remedy=error.remedy) from error
        url = path if "://" in path else f"{self.address}{path}"
        if self._query:  # some services want a version, or a key, with every call
            url += f"{'&' if '?' in url else '?'}{self._query}"
        try:
            async with self._client().stream(method, _parsed_url(url), content=body, headers=headers) as reply:
                yield reply
        except (BackendError, asyncio.CancelledError, GeneratorExit):
            raise
        except Exception as error:
            raise self._trouble(error) from error

    def _trouble(self, error: Exception) -> Exception:
        """What went wrong below, as a BackendError; what is no trouble of HTTP stays itself."""
        import httpx

        causes = {cause.__name__ for part in _chain(error) for cause in type(part).__mro__}
        reason = str(error) or type(error).__name__
        if causes & {"ClientConnectorCertificateError", "ClientConnectorSSLError", "SSLCertVerificationError"}:
            return BackendError(
                f"{self._name} cannot be trusted: {reason}",
                code="tls-failed",
                remedy="set SSL_CERT_FILE to the certificate of whoever signed the server's; it is always verified",
            )
        if isinstance(error, httpx.DecodingError):
            return protocol_error(f"the reply cannot be decoded: {reason}", None, "")
        if causes & {"ConnectionTimeoutError"} or type(error) is httpx.ConnectTimeout and len(_chain(error)) == 1:
            return timed_out(self._name, "connect", self._clocks)
        if causes & {"ClientPayloadError", "ReadError", "IncompleteRead"}:
            return stream_interrupted(f"the reply broke off: {reason}", "")
        if causes & {"ServerDisconnectedError", "RemoteProtocolError"} and "HttpProcessingError" not in causes:
            return self._unavailable("closed the connection before it answered")
        if causes & {"ClientResponseError", "HttpProcessingError", "LocalProtocolError"}:
            return protocol_error(f"what {self._name} answered is not HTTP: {reason}", None, "")
        if causes & {"HTTPError", "ClientError", "OSError"}:
            return self._unavailable(f"cannot be reached: {reason}")
        return error

    def _unavailable(self, what: str) -> BackendError:
        return BackendError(
            f"{self._name} {what}",
            code="unavailable",
            retryable=True,
            remedy=f"check that a server answers at {self.address}",
        )

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def _client(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = self._new_client()
        return client

    def _new_client(self) -> httpx.AsyncClient:
        import httpx
        from httpx_aiohttp import HttpxAiohttpClient

        _quiet_log()
        return HttpxAiohttpClient(
            transport=self._transport,
            verify=_tls(),
            # Silence is timed above, where pings do not count.
            timeout=httpx.Timeout(None, connect=self._clocks.connect),
            limits=httpx.Limits(
                max_connections=100_000,  # the engine bounds what is in flight
                max_keepalive_connections=self._concurrency,
                keepalive_expiry=_KEPT_ALIVE_S,
            ),
            follow_redirects=False,
        )


def _clean_log(record: logging.LogRecord) -> bool:
    record.msg, record.args = Redactor().text(record.getMessage()), ()
    return True


@lru_cache(maxsize=1)
def _quiet_log() -> None:
    """httpx logs the address of every call, and a key may stand in it."""
    logging.getLogger("httpx").addFilter(_clean_log)


@lru_cache(maxsize=64)
def _parsed_url(url: str) -> httpx.URL:
    """A backend has few addresses, and to take one apart costs a tenth of a call."""
    import httpx

    return httpx.URL(url)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """One context for all clients: to make one reads every certificate (30 ms)."""
    import httpx

    return httpx.create_ssl_context()


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


async def read(reply: httpx.Response, most: int) -> bytes:
    """The content of a reply; of a refusal, its beginning. Raises BackendError `output-too-large`."""
    parts: list[bytes] = []
    size = 0
    async for block in bounded(reply, most):
        parts.append(block)
        size += len(block)
    return b"".join(parts)


async def bounded(reply: httpx.Response, most: int = MOST_BYTES) -> AsyncGenerator[bytes, None]:
    """The blocks of a reply. Raises BackendError `output-too-large`, the beginning kept."""
    size = 0
    kept = b""
    async for block in reply.aiter_bytes():
        size += len(block)
        kept = kept if len(kept) > KEPT else (kept + block)[: KEPT + 1]
        if size > most:
            if reply.status_code != 200:
                return
            raise BackendError(
                f"the reply is larger than {most >> 20} MiB",
                code="output-too-large",
                http_status=reply.status_code,
                body=kept[:KEPT].decode("utf-8", "replace"),
                remedy="lower max_tokens",
            )
        yield block


async def drain(events: AsyncIterator[Any]) -> None:
    """Read to the real end, if it is near: only a reply that was read to its end leaves its connection to the next."""
    with suppress(TimeoutError, Exception):
        async with asyncio.timeout(_DRAIN_S):
            async for _ in events:
                pass


KEPT = 2048  # bytes of a reply that is no reply, for the trace


def parsed(content: bytes, what: str, status: int | None) -> Any:
    """JSON. Raises BackendError `protocol-error`, the start of the content kept."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise protocol_error(f"{what} is not JSON: {error}", status, content.decode("utf-8", "replace")) from error


def protocol_error(message: str, http_status: int | None, text: str) -> BackendError:
    """A reply that is not in the format it should be; the start of it is kept."""
    return BackendError(
        message,
        code="protocol-error",
        retryable=True,
        http_status=http_status,
        body=text[:KEPT],
        remedy="check that base_url leads to the API that the backend's kind says (it usually ends in /v1)",
    )


def empty_response(message: str, http_status: int | None, text: str) -> BackendError:
    """A well-formed reply with nothing in it."""
    return BackendError(
        message,
        code="empty-response",
        retryable=True,
        http_status=http_status,
        body=text[:KEPT],
        remedy="look at the raw reply in the trace; another prompt, or another model, may help",
    )


def stream_interrupted(message: str, text: str, http_status: int | None = None) -> BackendError:
    """A reply that broke off; what came is kept."""
    return BackendError(
        message,
        code="stream-interrupted",
        retryable=True,
        http_status=http_status,
        body=text,
        remedy="look at the server's log: it, or a proxy before it, ended the reply",
    )
