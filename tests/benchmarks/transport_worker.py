"""One measurement over HTTP in a process of its own: a client, or chains on one. Prints a line of JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from chainlab.backends.chat import ServerSettings
from chainlab.backends.openai import OpenAIBackend
from chainlab.messages import Request

Ask = Callable[[], Awaitable[Any]]
Close = Callable[[], Awaitable[Any]]

PROMPT = ("What the step is asked, with its context. " * 60)[:2048]
MESSAGES = [{"role": "user", "content": PROMPT}]
BODY = {"model": "m", "messages": MESSAGES, "temperature": 0.2}
STEPS = 4


def _aiohttp(url: str, most: int) -> tuple[Ask, Close]:
    import aiohttp

    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def ask() -> str:
        async with session.post(f"{url}/chat/completions", data=json.dumps(BODY).encode()) as reply:
            return str(json.loads(await reply.read())["choices"][0]["message"]["content"])

    return ask, session.close


def _of_httpx(client: Any, url: str) -> tuple[Ask, Close]:
    async def ask() -> str:
        reply = await client.post(f"{url}/chat/completions", content=json.dumps(BODY).encode())
        return str(json.loads(reply.content)["choices"][0]["message"]["content"])

    return ask, client.aclose


def _httpx(url: str, most: int) -> tuple[Ask, Close]:
    import httpx

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=most)
    return _of_httpx(httpx.AsyncClient(limits=limits, timeout=600), url)


def _httpx_aiohttp(url: str, most: int) -> tuple[Ask, Close]:
    import httpx
    from httpx_aiohttp import HttpxAiohttpClient

    limits = httpx.Limits(max_connections=100_000, max_keepalive_connections=most)
    return _of_httpx(HttpxAiohttpClient(limits=limits, timeout=600), url)


def _backend(streamed: bool) -> Callable[[str, int], tuple[Ask, Close]]:
    def make(url: str, most: int) -> tuple[Ask, Close]:
        backend = OpenAIBackend(ServerSettings(url, "local", default_model="m", concurrency=most))
        request = Request(step="ask", model="m", messages=MESSAGES, temperature=0.2)

        async def ask() -> str:
            return (await backend.send(request, (lambda chunk: None) if streamed else None)).text

        return ask, backend.aclose

    return make


CLIENTS: dict[str, Callable[[str, int], tuple[Ask, Close]]] = {
    "aiohttp": _aiohttp,
    "httpx": _httpx,
    "httpx over aiohttp": _httpx_aiohttp,
    "chainlab, in one piece": _backend(streamed=False),
    "chainlab, streamed": _backend(streamed=True),
}


async def _clients(ask: Ask, at_once: int, requests: int) -> list[float]:
    """Ask so often, so many at once; how long each took."""
    left = iter(range(requests))
    took: list[float] = []

    async def worker() -> None:
        for _ in left:
            began = time.perf_counter()
            assert len(await ask()) == 1024
            took.append(time.perf_counter() - began)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(worker())
    return took


async def measure_client(name: str, url: str, at_once: int, requests: int) -> dict[str, Any]:
    """CPU and wall time of a client."""
    ask, close = CLIENTS[name](url, at_once)
    try:
        await _clients(ask, at_once, 2 * at_once)  # connections are open, code is warm
        began, cpu = time.perf_counter(), time.process_time()
        took = sorted(await _clients(ask, at_once, requests))
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    finally:
        await close()
    return {"cpu_us": cpu / requests * 1e6, "per_s": requests / wall, "p99_ms": took[int(requests * 0.99)] * 1e3}


async def measure_chains(name: str, url: str, runs: int, folder: Path) -> dict[str, Any]:
    """So many chains of four steps at once: chainlab's, or as many requests one after the other with nothing around."""
    if name == "chainlab":
        from chainlab import Lab
        from tests.benchmarks.chains import line

        what = line(STEPS)
        backend = OpenAIBackend(ServerSettings(url, "local", default_model="m", concurrency=runs))
        async with Lab.open(folder / "t.db", default_model=backend) as lab:

            async def once(number: int) -> None:
                assert (await lab.run(what, f"{number}")).status == "ok"

            await once(-1)
            return await _at_once(once, runs)
    ask, close = CLIENTS[name](url, runs)

    async def bare(number: int) -> None:
        for _ in range(STEPS):
            await ask()

    try:
        await bare(-1)
        return await _at_once(bare, runs)
    finally:
        await close()


async def _at_once(once: Callable[[int], Awaitable[None]], runs: int) -> dict[str, Any]:
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(once(number) for number in range(runs)))
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"wall_s": wall, "cpu_us": cpu / (runs * STEPS) * 1e6, "peak_mb": peak}


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("url")
    parser.add_argument("at_once", type=int)
    parser.add_argument("--requests", type=int, default=0, help="0: chains")
    parser.add_argument("--folder", default=None)
    given = parser.parse_args()
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        if given.requests:
            work = measure_client(given.name, given.url, given.at_once, given.requests)
        else:
            work = measure_chains(given.name, given.url, given.at_once, Path(folder))
        print(json.dumps(asyncio.run(work)), flush=True)


if __name__ == "__main__":
    main()
