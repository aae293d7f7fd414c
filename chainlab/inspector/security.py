"""Who may speak to the inspector: a pure ASGI layer around the whole application. Knows no route and no trace.

Closed by default: every request needs a session, except for the start page and the exact asset paths it is given. All
decisions are made on the scope's own path and headers, before routing, so a crafted Host or URL cannot move them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chainlab.inspector import tokens

Header = tuple[bytes, bytes]

START_PATH = "/start"
CSRF_HEADER = "x-chainlab-csrf"
SAFE_METHODS = frozenset({"GET", "HEAD"})

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS: dict[str, str] = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Refusal(NamedTuple):
    """Why a request is not let through."""

    status: int
    code: str
    message: str


WRONG_HOST = Refusal(421, "wrong_host", "This inspector answers only to its own loopback address.")
NO_SESSION = Refusal(401, "no_session", "Open the inspector by the address that `chainlab inspect` prints.")
WRONG_ORIGIN = Refusal(403, "wrong_origin", "Changes are accepted only from the inspector's own page.")
WRONG_TYPE = Refusal(415, "wrong_content_type", "Changes are sent as application/json.")
NO_CSRF = Refusal(403, "no_csrf", f"Changes carry the session's token in the {CSRF_HEADER} header.")
USED_LINK = Refusal(
    403, "used_link", "This address does not work: each works once. `chainlab inspect` prints a fresh one."
)


class Security:
    """The rules of one server: its port, its secret, and which start tokens were used."""

    def __init__(self, *, port: int, secret: str | None = None) -> None:
        self.port = port
        self.secret = secret if secret is not None else tokens.new_secret()
        self.cookie = f"chainlab_{port}"  # cookies ignore ports, so the name carries it
        self._hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})
        self._used: set[str] = set()

    def open(self, token: str) -> str | None:
        """Exchange a start token for a session, once; None when it is wrong or used."""
        nonce = tokens.check(self.secret, "start", token)
        if nonce is None or nonce in self._used:
            return None
        self._used.add(nonce)
        return tokens.mint(self.secret, "session")

    def session(self, headers: Iterable[Header]) -> str | None:
        """The valid session cookie of a request."""
        for value in _all(headers, b"cookie"):
            try:
                morsel = SimpleCookie(value).get(self.cookie)
            except CookieError:
                continue
            if morsel is not None and tokens.check(self.secret, "session", morsel.value) is not None:
                return morsel.value
        return None

    def has_bearer(self, headers: Iterable[Header]) -> bool:
        """Whether a request carries the bearer token."""
        values = _all(headers, b"authorization")
        return len(values) == 1 and values[0][:7].lower() == "bearer " and tokens.is_bearer(self.secret, values[0][7:])

    def csrf(self, headers: Iterable[Header]) -> str | None:
        """The token that this session's page sends with changes."""
        session = self.session(headers)
        return None if session is None else tokens.csrf(self.secret, session)

    def right_host(self, headers: Iterable[Header]) -> bool:
        """Whether there is exactly one Host header, and it is ours with its port."""
        hosts = _all(headers, b"host")
        return len(hosts) == 1 and hosts[0] in self._hosts

    def refusal(self, method: str, headers: Iterable[Header]) -> Refusal | None:
        """Why a request that needs a session is refused, or None."""
        headers = list(headers)
        by_program = self.has_bearer(headers)
        session = self.session(headers)
        if session is None and not by_program:
            return NO_SESSION
        if method in SAFE_METHODS:
            return None
        return self._change_refusal(headers, None if by_program else session)

    def _change_refusal(self, headers: list[Header], session: str | None) -> Refusal | None:
        origins = _all(headers, b"origin")
        # A program sends no Origin; a browser always does, and must send exactly ours.
        if (origins or session is not None) and origins != [f"http://{_all(headers, b'host')[0]}"]:
            return WRONG_ORIGIN
        types = _all(headers, b"content-type")
        if len(types) != 1 or types[0].partition(";")[0].strip().lower() != "application/json":
            return WRONG_TYPE
        if session is not None:
            sent = _all(headers, CSRF_HEADER.encode())
            if len(sent) != 1 or not tokens.is_csrf(self.secret, session, sent[0]):
                return NO_CSRF
        return None


class SecurityLayer:
    """The ASGI application around the application. `open_paths` are the exact paths that need no session."""

    def __init__(self, app: ASGIApp, *, security: Security, open_paths: Collection[str]) -> None:
        self._app, self._security, self._open = app, security, frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._http(scope, receive, _hardened(send))
            case "websocket":  # there is none; refused before any route could accept it
                await send({"type": "websocket.close", "code": 1008})
            case _:
                await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: list[Header] = list(scope["headers"])
        method, path = str(scope["method"]), str(scope["path"])
        if not self._security.right_host(headers):
            await _refuse(send, WRONG_HOST)
        elif path == START_PATH and method == "GET":
            await self._start(scope, headers, send)
        elif path in self._open and method in SAFE_METHODS:
            await self._app(scope, receive, send)
        elif (refusal := self._security.refusal(method, headers)) is not None:
            await _refuse(send, refusal)
        else:
            await self._app(scope, receive, send)

    async def _start(self, scope: Scope, headers: list[Header], send: Send) -> None:
        given = parse_qs(bytes(scope["query_string"]).decode("latin-1")).get("token", [])
        session = self._security.open(given[0]) if len(given) == 1 else None
        reply: list[Header] = [(b"location", b"/"), (b"content-length", b"0")]
        if session is not None:
            cookie = f"{self._security.cookie}={session}; Path=/; HttpOnly; SameSite=Strict"
            reply.append((b"set-cookie", cookie.encode()))
        elif self._security.session(headers) is None:  # who is inside already may click an old link again
            # Plain words: it is a person who sees this answer, in a browser.
            await _answer(send, USED_LINK.status, b"text/plain; charset=utf-8", USED_LINK.message.encode())
            return
        await send({"type": "http.response.start", "status": 303, "headers": reply})
        await send({"type": "http.response.body", "body": b""})


def _all(headers: Iterable[Header], name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in headers if key.lower() == name]


def _hardened(send: Send) -> Send:
    async def hardened(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {bytes(key).lower() for key, _ in message.get("headers", [])}
            added = HEADERS if b"cache-control" in present else HEADERS | {"cache-control": "no-store"}
            kept = [(key, value) for key, value in message.get("headers", []) if key.lower().decode() not in HEADERS]
            message["headers"] = [*kept, *((key.encode(), value.encode()) for key, value in added.items())]
        await send(message)

    return hardened


async def _refuse(send: Send, refusal: Refusal) -> None:
    body = json.dumps({"error": {"code": refusal.code, "message": refusal.message}}).encode()
    await _answer(send, refusal.status, b"application/json", body)


async def _answer(send: Send, status: int, media_type: bytes, body: bytes) -> None:
    headers = [(b"content-type", media_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
