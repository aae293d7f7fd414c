"""Runs the inspector: finds a port, leaves word of itself for links, serves until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from chainlab.inspector.app import create_app
from chainlab.inspector.link import InspectorState, remove_state, start_url, state_file, write_state
from chainlab.inspector.live import Live
from chainlab.inspector.security import Security
from chainlab.inspector.workbench import Workbench
from chainlab.trace import TraceReader

HOST = "127.0.0.1"  # never another: a server for one person on one machine
DEFAULT_PORT = 8642
_PORTS_TRIED = 50
_LAST_ANSWERS_S = 3  # for requests that are being answered when the server ends


def serve(
    reader: TraceReader,
    *,
    database: Path,
    port: int = DEFAULT_PORT,
    open_browser: bool = True,
    run_id: str | None = None,
    step: str | None = None,
    announce: Callable[[str], None] = lambda url: None,
    bench: Workbench | None = None,
) -> None:
    """Serve the traces of `reader` until interrupted. `bench` carries out replays; without one it only shows.

    `announce` gets a start address (which works once) when the server answers; with `run_id`, one that opens that run.
    A taken port gives way to the next free one. `database` is where the traces are: its folder gets the state file.
    """
    with bound_socket(port) as listener:
        taken = int(listener.getsockname()[1])
        security = Security(port=taken)
        state = InspectorState(taken, os.getpid(), str(database.absolute()), security.secret)
        place = state_file(database)
        write_state(place, state)
        try:
            app = create_app(reader, security=security, bench=bench)
            with contextlib.suppress(KeyboardInterrupt), _signals_unwind():
                asyncio.run(_serve(app, listener, lambda: _ready(state, run_id, step, open_browser, announce), bench))
        finally:
            remove_state(place, os.getpid())


@contextlib.contextmanager
def bound_socket(port: int) -> Iterator[socket.socket]:
    """A socket bound on the loopback address at `port`, or at the next free one (0: any)."""
    wanted = [0] if port == 0 else [*range(port, min(port + _PORTS_TRIED, 65_536)), 0]
    for number in wanted:
        # Named as TCP, else asyncio leaves Nagle's algorithm on, and answers wait 40 ms for an acknowledgement.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if os.name != "nt":  # there it would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, number))
            listener.listen(128)
        except OSError:
            listener.close()
            continue
        with listener:
            yield listener
        return
    raise OSError(f"no free port on {HOST}")


def _ready(
    state: InspectorState, run_id: str | None, step: str | None, open_browser: bool, announce: Callable[[str], None]
) -> None:
    announce(start_url(state, run_id, step))
    if open_browser:
        # Its own address: the announced one must still work when the browser could not be opened.
        webbrowser.open(start_url(state, run_id, step))


class _Server(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config, live: Live, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._live, self._ready = live, ready
        self._announcing: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # In a thread: opening a browser may take its time, and may need this server's first answer.
        self._announcing = asyncio.create_task(asyncio.to_thread(self._ready))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._live.close()  # what goes on for as long as a page is open would be waited for
        await super().shutdown(sockets)


async def _serve(app: FastAPI, listener: socket.socket, ready: Callable[[], None], bench: Workbench | None) -> None:
    # No access log: start addresses carry a token. No server header, no trust in proxy headers.
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=_LAST_ANSWERS_S,
    )
    try:
        await _Server(config, app.state.live, ready).serve(sockets=[listener])
    finally:
        if bench is not None:
            await bench.aclose()


@contextlib.contextmanager
def _signals_unwind() -> Iterator[None]:
    """Make SIGTERM and Ctrl-C unwind the stack, so that what `finally` promises is done.

    With Python's own handler of Ctrl-C, asyncio would cancel what `finally` awaits.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(signum: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + signum)

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, end),
        signal.SIGINT: signal.signal(signal.SIGINT, interrupt),
    }
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
