"""How long it takes to see something: a server's start, its requests, a browser's drawing; and what the page weighs."""

from __future__ import annotations

import gzip
import os
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from playwright.sync_api import Browser, Page

from tests.benchmarks.viewers import Served, Viewer, serving

_REPEATS = 30


def starts(viewers: Sequence[Viewer], browser: Browser, rounds: int) -> dict[str, dict[str, float]]:
    """Medians over the rounds: seconds until the server answers, and until its page is seen; its CPU and memory."""
    found: dict[str, list[dict[str, float]]] = {viewer.name: [] for viewer in viewers}
    for _ in range(rounds):
        for viewer in viewers:
            with serving(viewer) as served:
                up = time.perf_counter() - served.began
                context = browser.new_context()
                page = context.new_page()
                page.goto(served.start)
                page.wait_for_selector(viewer.first, timeout=120_000)
                seen = time.perf_counter() - served.began
                found[viewer.name].append({"up": up, "seen": seen, "cpu": _cpu(served.pid), "rss": _rss(served.pid)})
                context.close()
    return {name: {key: median(one[key] for one in all_) for key in all_[0]} for name, all_ in found.items()}


def asked(served: Served) -> dict[str, tuple[float, float, float]]:
    """Milliseconds: the median and the 95th percentile of a request, and the server's CPU for one."""
    with httpx.Client(follow_redirects=True, trust_env=False, timeout=120, base_url=_base(served)) as client:
        client.get(served.start)
        found = {}
        for name, request in served.viewer.requests(client).items():
            took, cpu = [], 0.0
            for n in range(_REPEATS + 2):
                if n == 2:  # the first two are for the caches
                    cpu = _cpu(served.pid)
                began = time.perf_counter()
                response = client.send(request)
                took.append((time.perf_counter() - began) * 1e3)
                response.raise_for_status()
                assert "errors" not in response.text[:100], response.text[:300]
            rest = sorted(took[2:])
            used = (_cpu(served.pid) - cpu) * 1e3 / _REPEATS
            found[name] = (median(rest), rest[len(rest) * 95 // 100], used)
        return found


def drawn(served: Served, browser: Browser, rounds: int) -> dict[str, float]:
    """Milliseconds from going to a place until it is seen, in a browser that knows the page; kB of the first page."""
    ready = {
        "the list": served.viewer.shown,
        "a run of 10 steps": "text=/ask~10/ >> nth=0",
        "graph": ".node.is-selected.was-failed",
        "large": ".timeline-row.is-selected, .timeline-row >> nth=20",
    }
    with httpx.Client(follow_redirects=True, trust_env=False, timeout=120, base_url=_base(served)) as client:
        client.get(served.start)
        places = served.viewer.places(client)
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    sent = _loaded(page, served)
    found = {"first page, kB": sent}
    for name, place in places.items():
        took = []
        for _ in range(rounds + 1):
            page.goto("about:blank")
            began = time.perf_counter()
            page.goto(_base(served) + place, wait_until="commit")
            page.wait_for_selector(ready[name], timeout=120_000)
            took.append((time.perf_counter() - began) * 1e3)
        found[name] = median(took[1:])
        if name in ("graph", "large"):
            found[f"{name}, key"] = _keys(page, "j" if name == "large" else "k")
    context.close()
    return found


def _loaded(page: Page, served: Served) -> float:
    """kB of script and style, gzip -9, that the first page loads."""
    sizes = []

    def keep(response: Any) -> None:
        if response.request.resource_type in ("script", "stylesheet", "document") and response.status == 200:
            sizes.append(len(gzip.compress(response.body(), 9)))

    page.on("requestfinished", lambda request: keep(request.response()))
    page.goto(served.start)
    page.wait_for_load_state("networkidle", timeout=120_000)
    page.wait_for_timeout(1500)
    return sum(sizes) / 1e3


_PRESS = """async ([key, times]) => {
    const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
    const took = [];
    for (let n = 0; n < times; n += 1) {
        const before = location.hash;
        const began = performance.now();
        window.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
        while (location.hash === before && performance.now() - began < 5000) { await drawn(); }
        await drawn();
        took.push(performance.now() - began);
        await new Promise((rested) => setTimeout(rested, 50));
    }
    return took.sort((a, b) => a - b)[Math.floor(times * 0.95)];
}"""


def _keys(page: Page, key: str) -> float:
    """Milliseconds until a key's effect is drawn, 95th percentile of 40."""
    page.wait_for_timeout(500)
    return float(page.evaluate(_PRESS, [key, 40]))


def _base(served: Served) -> str:
    return served.start.split("?")[0].rsplit("/", 1)[0] + "/"


def _cpu(pid: int) -> float:
    """Seconds of CPU of a process, its children included."""
    fields = [Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split() for one in _family(pid)]
    return sum(int(field[11]) + int(field[12]) for field in fields) / os.sysconf("SC_CLK_TCK")


def _rss(pid: int) -> float:
    """MB of memory."""
    pages = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in _family(pid))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in _family(int(child)))]


def scripts(static: Path) -> float:
    """kB of all scripts, gzip -9."""
    found = [*static.rglob("*.js"), *static.rglob("*.mjs")]
    return sum(len(gzip.compress(file.read_bytes(), 9)) for file in found) / 1e3
