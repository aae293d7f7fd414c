"""Who may speak to the inspector. The matrix is made from the route table, so a new route is covered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from chainlab.inspector import tokens
from chainlab.inspector.answer import encoded
from chainlab.inspector.app import create_app
from chainlab.inspector.security import CSP, CSRF_HEADER, Security
from tests.inspector.conftest import BASE, PAGE, PORT, Story, browser

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
JSON = {"content-type": "application/json"}


def routes(app: FastAPI) -> list[str]:
    """Every path the application answers, page and API, with a value for each parameter."""
    return sorted({re.sub(r"\{[^}]*\}", "a" * 40, path) for path in _paths(app.routes)} | {"/api/unknown", "/api/../x"})


def _paths(table: list[BaseRoute]) -> Iterator[str]:
    for route in table:
        if isinstance(route, APIRoute):
            yield route.path
        else:
            # FastAPI keeps an included router whole; what it holds is in its effective routes.
            yield from (each.path for each in _included(route))


def _included(route: Any) -> list[Any]:
    return list(route.effective_route_contexts())


def api_routes(app: FastAPI) -> list[str]:
    return [path for path in routes(app) if path not in PAGE]


def test_the_route_table_is_read_whole(app: FastAPI) -> None:
    found = set(api_routes(app))
    assert {"/api/health", "/api/chains", "/api/runs"} <= found
    assert len(found) >= 8
    assert len([path for path in app.openapi()["paths"]]) == len(found) - 2


@pytest.mark.parametrize("method", METHODS)
async def test_without_a_credential_every_route_is_refused(
    app: FastAPI, stranger: httpx.AsyncClient, method: str
) -> None:
    for path in api_routes(app):
        reply = await stranger.request(method, path, headers=JSON)
        assert reply.status_code == 401, path
        assert reply.json()["error"]["code"] == "no_session" if method != "HEAD" else True


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", f"127.0.0.1:{PORT + 1}", "evil.example", f"evil.example:{PORT}", f"127.0.0.1:{PORT}.evil.example",
     f"LOCALHOST:{PORT}", f"0.0.0.0:{PORT}", f"[::1]:{PORT}", f"user@127.0.0.1:{PORT}", f"127.0.0.1:{PORT}/api?", ""],
)  # fmt: skip
async def test_another_host_is_misdirected_whatever_it_carries(
    app: FastAPI, client: httpx.AsyncClient, method: str, host: str
) -> None:
    for path in [*routes(app), "/start"]:
        reply = await client.request(method, path, headers=JSON | {"host": host})
        assert reply.status_code == 421, path


async def test_two_hosts_are_misdirected(client: httpx.AsyncClient) -> None:
    request = client.build_request("GET", "/api/health")
    request.headers = httpx.Headers([*request.headers.multi_items(), ("host", f"localhost:{PORT}")])
    assert (await client.send(request)).status_code == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", f"https://127.0.0.1:{PORT}",
                                    f"http://127.0.0.1:{PORT + 1}", f"http://localhost:{PORT}"])  # fmt: skip
async def test_a_change_from_another_origin_is_refused(
    app: FastAPI, client: httpx.AsyncClient, security: Security, method: str, origin: str | None
) -> None:
    headers = JSON | {CSRF_HEADER: _csrf(client, security)} | ({} if origin is None else {"origin": origin})
    for path in routes(app):
        reply = await client.request(method, path, headers=headers)
        assert (reply.status_code, reply.json()["error"]["code"]) == (403, "wrong_origin"), path


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None,
                                  "application/jsonp", "text/plain, application/json"])  # fmt: skip
async def test_a_change_that_is_not_json_is_refused(
    client: httpx.AsyncClient, security: Security, kind: str | None
) -> None:
    headers = {"origin": BASE, CSRF_HEADER: _csrf(client, security)} | ({} if kind is None else {"content-type": kind})
    assert (await client.post("/api/runs", headers=headers)).status_code == 415


@pytest.mark.parametrize("token", [None, "", "wrong", "session"])
async def test_a_change_without_the_csrf_token_is_refused(
    client: httpx.AsyncClient, security: Security, token: str | None
) -> None:
    sent = client.cookies[security.cookie] if token == "session" else token
    headers = JSON | {"origin": BASE} | ({} if sent is None else {CSRF_HEADER: sent})
    reply = await client.post("/api/runs", headers=headers)
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "no_csrf")


async def test_a_change_with_everything_right_reaches_the_routes_and_finds_none(
    client: httpx.AsyncClient, security: Security
) -> None:
    headers = JSON | {"origin": BASE, CSRF_HEADER: (await client.get("/api/health")).json()["csrf"]}
    reply = await client.post("/api/runs", headers=headers)
    assert (reply.status_code, reply.json()["error"]["code"]) == (405, "wrong_method")


async def test_a_start_address_works_once(app: FastAPI, stranger: httpx.AsyncClient, security: Security) -> None:
    token = tokens.mint(security.secret, "start")
    first = await stranger.get("/start", params={"token": token})
    assert (first.status_code, first.headers["location"]) == (303, "/")
    cookie = first.headers["set-cookie"]
    assert cookie.startswith(f"chainlab_{PORT}=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert token not in cookie
    async with browser(app) as another:
        second = await another.get("/start", params={"token": token})
    assert second.status_code == 403
    assert "set-cookie" not in second.headers


async def test_who_is_inside_may_click_a_used_address_again(client: httpx.AsyncClient, security: Security) -> None:
    token = tokens.mint(security.secret, "start")
    for _ in range(2):
        assert (await client.get("/start", params={"token": token})).status_code == 303


@pytest.mark.parametrize("token", ["", "x", ".", "a.b", "é.é", "\ud800".encode(errors="surrogatepass"), "a" * 5000])
async def test_a_wrong_start_token_opens_nothing(stranger: httpx.AsyncClient, token: str | bytes) -> None:
    assert (await stranger.get("/start", params={"token": token})).status_code == 403


async def test_two_tokens_or_another_method_open_nothing(stranger: httpx.AsyncClient, security: Security) -> None:
    good = tokens.mint(security.secret, "start")
    assert (await stranger.get(f"/start?token={good}&token={good}")).status_code == 403
    assert (await stranger.head(f"/start?token={good}")).status_code == 401
    assert (await stranger.post(f"/start?token={good}", headers=JSON)).status_code == 401


async def test_a_token_for_one_door_opens_no_other(stranger: httpx.AsyncClient, security: Security) -> None:
    session, bearer = tokens.mint(security.secret, "session"), tokens.bearer(security.secret)
    for wrong in (session, bearer, tokens.csrf(security.secret, session)):
        assert (await stranger.get("/start", params={"token": wrong})).status_code == 403
    start = tokens.mint(security.secret, "start")
    assert (await stranger.get("/api/health", headers={"cookie": f"{security.cookie}={start}"})).status_code == 401
    assert (await stranger.get("/api/health", headers={"authorization": f"Bearer {start}"})).status_code == 401


async def test_a_session_of_another_server_is_none(stranger: httpx.AsyncClient, security: Security) -> None:
    other = Security(port=PORT)
    cookie = f"{security.cookie}={tokens.mint(other.secret, 'session')}"
    assert (await stranger.get("/api/health", headers={"cookie": cookie})).status_code == 401


async def test_a_program_reads_with_the_bearer_token(stranger: httpx.AsyncClient, security: Security) -> None:
    headers = {"authorization": f"Bearer {tokens.bearer(security.secret)}"}
    assert (await stranger.get("/api/health", headers=headers)).json()["csrf"] is None
    assert (await stranger.get("/api/health", headers={"authorization": "Bearer x"})).status_code == 401


async def test_a_program_needs_no_origin_but_a_browser_with_its_token_does(
    stranger: httpx.AsyncClient, security: Security
) -> None:
    headers = JSON | {"authorization": f"Bearer {tokens.bearer(security.secret)}"}
    assert (await stranger.post("/api/runs", headers=headers)).status_code == 405
    assert (await stranger.post("/api/runs", headers=headers | {"origin": "http://evil.example"})).status_code == 403


async def test_every_answer_carries_the_headers(app: FastAPI, client: httpx.AsyncClient) -> None:
    ending = [path for path in routes(app) if path != "/api/events"]  # test_live.py reads that one's
    replies = [await client.get(path) for path in [*ending, "/start", "/api/runs?limit=x"]]
    replies.append(await client.get("/", headers={"host": "evil.example"}))
    replies.append(await client.post("/api/runs"))
    for reply in replies:
        assert reply.headers.get_list("content-security-policy") == [CSP], reply.url
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["cross-origin-opener-policy"] == "same-origin"
        assert reply.headers["cross-origin-resource-policy"] == "same-origin"
        assert "cache-control" in reply.headers
        assert not [name for name in reply.headers if name.startswith("access-control-")]


def test_the_content_policy_is_the_one_of_the_checklist() -> None:
    assert CSP == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )


class _Broken:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("secret detail")


async def test_a_fault_is_an_error_of_the_usual_shape_and_tells_no_detail(security: Security) -> None:
    app = create_app(_Broken(), security=security, assets=PAGE)
    headers = {"authorization": f"Bearer {tokens.bearer(security.secret)}"}
    async with browser(app) as client:
        reply = await client.get("/api/runs", headers=headers)
    assert (reply.status_code, reply.json()["error"]["code"]) == (500, "fault")
    assert "secret detail" not in reply.text
    assert reply.headers["content-security-policy"] == CSP


async def test_the_page_needs_no_session_and_holds_no_data(stranger: httpx.AsyncClient, story: Story) -> None:
    for path, asset in PAGE.items():
        reply = await stranger.get(path)
        assert (reply.status_code, reply.content) == (200, asset.body)
    assert (await stranger.get("/assets/other.js")).status_code == 401
    assert (await stranger.get("/assets/%2e%2e/app.py")).status_code == 401


async def test_a_websocket_is_closed_before_any_route(app: FastAPI) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/api/health", "headers": [(b"host", f"127.0.0.1:{PORT}".encode())]}
    await app(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_an_answer_never_holds_bytes_that_are_not_utf8() -> None:
    assert encoded(["\ud800", "é"]).decode() == '["\\ud800","\\u00e9"]'


def _csrf(client: httpx.AsyncClient, security: Security) -> str:
    return tokens.csrf(security.secret, client.cookies[security.cookie])
