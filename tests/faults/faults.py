"""The faults: what a server does, and what must come of it. Knows the wire, not chainlab."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.server import Call

GOOD = {"value": 7}
WORDS = json.dumps(GOOD)
USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}


@dataclass(frozen=True)
class Fault:
    """What a server does to the requests of one step.

    `code`: how the step ends, "" for well. `requests`: how many it sends. `once`: only the first is treated so. `wait`:
    seconds that it may take at most, on the clock that leaps.
    """

    name: str
    act: Callable[[Call], Awaitable[None]]
    code: str = ""
    requests: int = 1
    once: bool = False
    wait: float = 60.0


def completion(content: Any = WORDS, finish: str = "stop", **message: Any) -> dict[str, Any]:
    """A whole reply."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": USAGE}


def piece(text: str, finish: str | None = None) -> str:
    """A chunk of a streamed reply."""
    return json.dumps({"model": "m", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]})


def usage() -> str:
    """The last chunk, with the counts."""
    return json.dumps({"model": "m", "choices": [], "usage": USAGE})


async def well(call: Call) -> None:
    """A good reply, streamed where that is asked for."""
    if call.body.get("stream"):
        half = len(WORDS) // 2
        await call.events(piece(WORDS[:half]), piece(WORDS[half:]), piece("", "stop"), usage(), "[DONE]")
    else:
        await call.whole(completion())


def status(code: int, body: Any = None, *headers: str, kind: str = "application/json") -> Any:
    """An answer with a status."""

    async def act(call: Call) -> None:
        await call.whole({"error": body or {"message": f"status {code}"}} if kind.endswith("json") else body, code,
                         *headers, kind=kind)  # fmt: skip

    return act


def body(data: Any, *headers: str, kind: str = "application/json", length: int | None = None) -> Any:
    """A 200 with this body; one that is shorter than it says ends with the connection."""

    async def act(call: Call) -> None:
        await call.whole(data, 200, *headers, kind=kind, length=length)
        if length is not None:
            call.writer.close()

    return act


def stream(*data: str | bytes, then: str = "close") -> Any:
    """These events, and then the end: `close`, `reset`, `stall` or `ping`."""

    async def act(call: Call) -> None:
        await call.events(*data, ends=False)
        if then == "close":
            call.writer.close()
        elif then == "reset":
            await asyncio.sleep(0.05)  # what was sent arrives first
            await call.reset()
        elif then == "stall":
            await call.gone.wait()
        else:
            while not call.gone.is_set():
                await call.write(b": ping\n\n")
                await asyncio.sleep(5)

    return act


async def nothing(call: Call) -> None:
    """A status that has no body."""
    await call.head(204)


async def silent(call: Call) -> None:
    """Nothing."""
    await call.gone.wait()


async def closed(call: Call) -> None:
    """The end, before an answer."""
    call.writer.close()


async def reset(call: Call) -> None:
    """A reset, before an answer."""
    await call.reset()


async def not_http(call: Call) -> None:
    """Another protocol."""
    await call.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    call.writer.close()


async def huge_header(call: Call) -> None:
    """A header without end."""
    await call.write(b"HTTP/1.1 200 OK\r\nx-padding: " + b"a" * 200_000 + b"\r\n\r\n")
    call.writer.close()


async def slow_body(call: Call) -> None:
    """A good reply, in parts with long waits between them."""
    data = json.dumps(completion()).encode()
    await call.head(200, "application/json", f"content-length: {len(data)}")
    for start in range(0, len(data), 40):
        await call.write(data[start : start + 40])
        await asyncio.sleep(5)


async def body_without_end(call: Call) -> None:
    """A body that does not end."""
    await call.head(200, "application/json", "connection: close")
    while not call.gone.is_set():
        await call.write(b" " * (1 << 20))


async def tokens_without_end(call: Call) -> None:
    """Large tokens that do not end."""
    await call.head(200, "text/event-stream", "connection: close")
    while not call.gone.is_set():
        await call.write(f"data: {piece('x' * (1 << 20))}\n\n".encode())


async def tokens_for_ever(call: Call) -> None:
    """Small tokens, one every twenty seconds, that do not end."""
    await call.head(200, "text/event-stream", "connection: close")
    while not call.gone.is_set():
        await call.write(f"data: {piece('x')}\n\n".encode())
        await asyncio.sleep(20)


async def late(call: Call) -> None:
    """Pings for a while, then a good stream."""
    await call.head(200, "text/event-stream", "connection: close")
    for _ in range(8):
        await call.write(b": ping\n\n")
        await asyncio.sleep(5)
    for one in (piece(WORDS), piece("", "stop"), "[DONE]"):
        await call.write(f"data: {one}\n\n".encode())
    call.writer.close()


async def byte_by_byte(call: Call) -> None:
    """A good stream, one byte after the other, with other line ends and comments."""
    await call.head(200, "text/event-stream", "connection: close")
    text = (
        f": hello\r\n\r\nevent: x\r\ndata: {piece(WORDS)}\r\n\r\ndata: {piece('', 'stop')}\r\n\r\ndata: [DONE]\r\n\r\n"
    )
    for letter in text.encode():
        await call.write(bytes([letter]))
    call.writer.close()


async def broken_chunks(call: Call) -> None:
    """A chunked body that is cut within a chunk."""
    await call.head(200, "text/event-stream", "transfer-encoding: chunked")
    line = f"data: {piece('{')}\n\n".encode()
    await call.write(f"{len(line):x}\r\n".encode() + line + b"\r\nff\r\nhalf")
    call.writer.close()


async def twice(call: Call) -> None:
    """A proxy that reconnects and sends the last event again, with its id."""
    await call.head(200, "text/event-stream", "connection: close")
    half = len(WORDS) // 2
    for ident, one in (
        (1, piece(WORDS[:half])),
        (2, piece(WORDS[half:])),
        (2, piece(WORDS[half:])),
        (3, piece("", "stop")),
    ):
        await call.write(f"id: {ident}\ndata: {one}\n\n".encode())
    call.writer.close()


HTML = b"<html><body>Sign in to the network</body></html>"
CONTEXT = {
    "message": "This model's maximum context length is 2048 tokens, and your request resulted in 3000 tokens",
    "type": "BadRequestError",
    "code": 400,
}
NO_MEMORY = json.dumps({"error": {"message": "out of memory"}})
CUT = json.dumps(completion()).encode()[:60]
QUOTA = {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": "insufficient_quota"}
UNKNOWN = {"message": "The model `m` does not exist", "type": "NotFoundError", "param": "model", "code": 404}

BOTH = (
    Fault("429 once, Retry-After", status(429, None, "retry-after: 7"), "", 2, once=True),
    Fault("429 once, Retry-After in milliseconds", status(429, None, "retry-after-ms: 900"), "", 2, once=True),
    Fault("429 always, Retry-After", status(429, None, "retry-after: 3"), "rate-limited", 6),
    Fault("429 always", status(429), "rate-limited", 6),
    Fault("429, the quota is used up", status(429, QUOTA), "quota-exhausted"),
    Fault("402", status(402), "quota-exhausted"),
    Fault("401", status(401), "auth-failed"),
    Fault("403", status(403), "auth-failed"),
    Fault("404, no such model", status(404, UNKNOWN), "model-not-found"),
    Fault("404, no such route", status(404, {"message": "Not Found"}), "bad-request"),
    Fault("400, the context is too small", status(400, CONTEXT), "context-overflow"),
    Fault("400", status(400), "bad-request"),
    Fault("422", status(422), "bad-request"),
    Fault("408", status(408), "unavailable", 4),
    Fault("500 once", status(500), "", 2, once=True),
    Fault("500 always", status(500), "unavailable", 4),
    Fault("502, a page of HTML", status(502, HTML, kind="text/html"), "unavailable", 4),
    Fault("503 once, Retry-After of a quarter hour", status(503, None, "retry-after: 900"), "", 2, once=True, wait=70),
    Fault("503 always", status(503), "unavailable", 4),
    Fault("504", status(504), "unavailable", 4),
    Fault("529", status(529), "unavailable", 4),
    Fault("307, to elsewhere", status(307, None, "location: http://127.0.0.1:9/"), "bad-request"),
    Fault("204, nothing", nothing, "bad-request"),
    Fault("reset before an answer", reset, "unavailable", 4),
    Fault("closed before an answer", closed, "unavailable", 4),
    Fault("another protocol", not_http, "protocol-error", 2),
    Fault("a header without end", huge_header, "protocol-error", 2),
    Fault("200, a page of HTML", body(HTML, kind="text/html"), "protocol-error", 2),
    Fault("200, JSON that is cut", body(CUT), "protocol-error", 2),
    Fault("200, shorter than it says", body(CUT, length=500), "stream-interrupted", 2),
    Fault("200, nothing", body(b""), "protocol-error", 2),
    Fault("200, not UTF-8", body(b'{"choices": "\xff\xfe"}'), "protocol-error", 2),
    Fault("200, a JSON list", body([1, 2]), "protocol-error", 2),
    Fault("200, an error that names 502", body({"error": {"message": "no provider", "code": 502}}), "unavailable", 4),
    Fault("200, an error object", body({"error": {"message": "overloaded"}}), "protocol-error", 2),
    Fault("200, no choices", body({**completion(), "choices": []}), "empty-response", 2),
    Fault("200, null content", body(completion(None)), "empty-response", 2),
    Fault("200, content that is a number", body(completion(7)), "protocol-error", 2),
    Fault("200, garbage that says it is gzip", body(b"xxxx", "content-encoding: gzip"), "protocol-error", 2),
    Fault("200, gzip", body(gzip.compress(json.dumps(completion()).encode()), "content-encoding: gzip")),
    Fault("200, a reply without end", body_without_end, "output-too-large"),
    Fault("200, once nothing", body(b""), "", 2, once=True),
    Fault("the reply is cut at the limit", body(completion('{"val', "length")), "truncated"),
    Fault("the reply is filtered", body(completion(None, "content_filter")), "filtered"),
    Fault("the reply is a refusal", body(completion(None, refusal="I will not")), "filtered"),
    Fault("the reply does not fit, once", body(completion('{"value": "x"}')), "", 2, once=True),
    Fault("the reply does not fit", body(completion('{"value": "x"}')), "output-invalid", 2),
    Fault("the reply is no JSON", body(completion("seven, I think")), "output-invalid", 2),
    Fault("no counts", body({key: part for key, part in completion().items() if key != "usage"})),
    Fault("slow, in parts", slow_body, wait=120),
)

PLAIN = (
    Fault("no answer", silent, "timeout-total", wait=600),
    Fault("events, though nobody asked for a stream", stream(piece(WORDS), piece("", "stop")), "protocol-error", 2),
)

STREAMED = (
    Fault("no answer", silent, "timeout-first-token", 2, wait=130),
    Fault("pings and no token", stream(then="ping"), "timeout-first-token", 2, wait=130),
    Fault("pings, and late tokens", late),
    Fault("stalls after a token", stream(piece("{"), then="stall"), "timeout-between-tokens", 2, wait=70),
    Fault("pings after a token", stream(piece("{"), then="ping"), "timeout-between-tokens", 2, wait=70),
    Fault("tokens for ever", tokens_for_ever, "timeout-total", wait=610),
    Fault("large tokens without end", tokens_without_end, "output-too-large"),
    Fault("ends without finish_reason", stream(piece(WORDS)), "stream-interrupted", 2),
    Fault("ends without finish_reason, once", stream(piece("{")), "", 2, once=True),
    Fault("ends before the first token", stream(), "stream-interrupted", 2),
    Fault("reset after a token", stream(piece("{"), then="reset"), "stream-interrupted", 2),
    Fault("reset after the last token", stream(piece(WORDS), piece("", "stop"), then="reset")),
    Fault("stalls after the last token", stream(piece(WORDS), piece("", "stop"), then="stall"), wait=70),
    Fault("cut within a chunk", broken_chunks, "stream-interrupted", 2),
    Fault(
        "an error among the events",
        stream(piece("{"), '{"error": {"message": "out of memory"}}'),
        "stream-interrupted",
        2,
    ),
    Fault(
        "a full queue, said in an event",  # as vLLM says it
        stream(
            '{"error": {"message": "The engine is currently busy.", "type": "ServiceUnavailableError", "code": 503}}'
        ),
        "unavailable",
        4,
    ),
    Fault("an event that is no JSON", stream(piece("{"), '{"choices": ['), "protocol-error", 2),
    Fault("an event that is not UTF-8", stream(piece("{"), b'{"choices": "\xff"}'), "protocol-error", 2),
    Fault("an event that is a number", stream(piece("{"), "3"), "protocol-error", 2),
    Fault("nothing, and finished", stream(piece("", "stop"), "[DONE]"), "empty-response", 2),
    Fault("an event twice, with its id", twice),
    Fault("no [DONE], no counts", stream(piece(WORDS), piece("", "stop"))),
    Fault("one token of 5 MB", stream(piece(WORDS[:-1] + " " * 5_000_000 + "}"), piece("", "stop"))),
    Fault("byte by byte", byte_by_byte),
    Fault("a reply in one piece", body(completion())),
    Fault("cut at the limit", stream(piece('{"val'), piece("", "length")), "truncated"),
    Fault("filtered on the way", stream(piece('{"val'), piece("", "content_filter")), "filtered"),
)
