"""A real OpenAI-compatible server on the loopback address, for commands that need a model that is quick or slow.

The model's name says what it does: `words` answers text, `typed` fills the JSON Schema, `slow` takes ten minutes,
`wrong` answers what no schema allows, `nasty` writes orders to a terminal.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Stub:
    """A running server: its address, and how many calls came."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        self.calls = 0
        self.began = threading.Event()
        self.closing = threading.Event()


@contextmanager
def serving() -> Iterator[Stub]:
    """Serve until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    stub = Stub(server)
    setattr(server, "stub", stub)  # noqa: B010 - the standard library's class has no such field
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        stub.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        stub: Stub = getattr(self.server, "stub")  # noqa: B009
        stub.calls += 1
        stub.began.set()
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        text = _reply(body)
        try:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            until = time.monotonic() + 600
            while body["model"] == "slow" and time.monotonic() < until and not stub.closing.is_set():
                self.wfile.write(b": wait\n\n")
                self.wfile.flush()
                time.sleep(0.05)
            half = len(text) // 2
            for piece in (text[:half], text[half:]):
                self._send({"choices": [{"index": 0, "delta": {"content": piece}}]})
            usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
            self._send({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            self._send({"choices": [], "usage": usage})
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:  # the client went away
            self.close_connection = True

    def _send(self, chunk: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps({"model": "stub", **chunk}).encode() + b"\n\n")
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        return


def _reply(body: dict[str, Any]) -> str:
    said = str(body["messages"][0]["content"])
    match body["model"]:
        case "typed":
            return json.dumps({"topics": ["tea", "bread"]})
        case "wrong":
            return '{"topics": 5}'
        case "nasty":
            return "\x1b[2J[bold]a\x07b[/bold]\udc80"
        case _:
            return f"about {said.split()[-1]}"
