"""A server process under attack, the page that attacks it, and a watch that asks all the while whether it answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from chainlab.inspector.security import CSRF_HEADER
from tests.attacks import ENVIRONMENT, VARIABLE
from tests.inspector.desk import fresh_key
from tests.patience import until

T = TypeVar("T")
ENDED = ("ok", "failed", "cancelled")


class Page:
    """A browser's page: a session, and the token of its changes."""

    def __init__(self, start: str) -> None:
        # No environment: a proxy would be asked. No limit of its own: the test has one.
        self.client = httpx.Client(base_url=start.partition("/start")[0], trust_env=False, timeout=60)
        self.client.get(start)
        self.csrf = self.client.get("/api/health").json()["csrf"]

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """Ask for a change."""
        headers = {
            "origin": str(self.client.base_url).rstrip("/"),
            "content-type": "application/json",
            CSRF_HEADER: self.csrf,
        }
        # As Python writes it: NaN and lone surrogates, too.
        return self.client.post(f"/api/{path}", content=json.dumps(body).encode(), headers=headers)

    def preview(self, run: str, edit: dict[str, Any]) -> httpx.Response:
        """What an edit would make of the prompt."""
        return self.post(f"runs/{run}/preview", {"edits": [edit] if edit else [], "step": "repeat"})

    def replayed(self, run: str, edit: dict[str, Any]) -> str:
        """What came of a replay: a refusal, or all that its run tells once it has ended."""
        edits = [edit] if edit else []
        body = {"edits": edits, "idempotency_key": fresh_key(), "scope": "all", "on_drift": "rerun"}
        reply = self.post(f"runs/{run}/replay", body)
        if reply.status_code != 202:
            assert reply.status_code in (400, 413, 422), reply.text[:1000]
            return reply.text
        fork = f"/api/runs/{reply.json()['run_id']}"
        until(lambda: self.client.get(fork).json()["run"]["status"] in ENDED, "the end of the run")
        return self.client.get(fork).text + self.client.get(f"{fork}/steps/repeat").text


class Watch:
    """Asks a server again and again whether it answers; `longest_s` is the longest it took."""

    def __init__(self, page: Page) -> None:
        self.longest_s, self.asked = 0.0, 0
        self._page, self._over = page, threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        cookies = dict(self._page.client.cookies)
        with httpx.Client(base_url=self._page.client.base_url, cookies=cookies, trust_env=False, timeout=60) as client:
            while not self._over.wait(0.01):
                began = time.monotonic()
                assert client.get("/api/health").status_code == 200
                self.longest_s = max(self.longest_s, time.monotonic() - began)
                self.asked += 1

    def end(self) -> None:
        """Stop asking."""
        self._over.set()
        self._thread.join()


@contextmanager
def besieged(database: Path) -> Iterator[tuple[subprocess.Popen[str], Page]]:
    """The server of `tests.inspector.attacked` over a database, and a page of it."""
    command = [sys.executable, "-m", "tests.inspector.attacked", str(database)]
    environment = {**os.environ, VARIABLE: ENVIRONMENT}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    try:
        page = Page(process.stdout.readline().strip())
        with closing(page.client):
            yield process, page
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def soon(what: Callable[[], T], limit_s: float) -> T:
    """Do something that ends within a limit. On a busy machine it may take longer, but not three times in a row."""
    for _ in range(3):
        began = time.monotonic()
        found = what()
        if time.monotonic() - began < limit_s:
            return found
    raise AssertionError(f"not within {limit_s:g} s")
