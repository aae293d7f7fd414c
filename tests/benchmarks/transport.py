"""HTTP: what a request costs, by client and concurrency; and a thousand chains at once on a server of fixed delay."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.report import SCRATCH, Case, in_rounds, loads, middle, number, ratio, table
from tests.benchmarks.transport_worker import CLIENTS, STEPS

_SOURCE = Path(__file__).with_name("fixed_delay.c")
_WORKER = "tests.benchmarks.transport_worker"
_DELAY_MS = 50
_CHAIN_DELAY_MS = 200
_REQUESTS = {50: 3000, 500: 5000}
_SLOW = 1500  # requests of the client that is many times slower
_RUNS = 1000


@contextmanager
def _server(milliseconds: int) -> Iterator[str]:
    """The compiled server; its address."""
    program = SCRATCH / "fixed_delay"
    if not program.exists() or program.stat().st_mtime < _SOURCE.stat().st_mtime:
        subprocess.run(["gcc", "-O2", "-o", program, _SOURCE], check=True)
    with subprocess.Popen([program, str(milliseconds)], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            yield f"http://127.0.0.1:{running.stdout.readline().strip()}/v1"
        finally:
            running.kill()


def section(rounds: int = 3) -> str:
    """Measure; the section of the report."""
    with _server(_DELAY_MS) as url:
        clients = _clients(url, rounds)
    with _server(_CHAIN_DELAY_MS) as url:
        chains = _chains(url, rounds)
    return f"## HTTP\n\n{clients}\n\n{chains}"


def _clients(url: str, rounds: int) -> str:
    cases: dict[tuple[str, int], Case] = {}
    for at_once, requests in _REQUESTS.items():
        for name in CLIENTS:
            asked = str(_SLOW if name == "httpx" else requests)
            cases[name, at_once] = Case(name, (url, str(at_once), "--requests", asked), _WORKER)
    found = in_rounds(list(cases.values()), rounds)
    rows = []
    for (name, at_once), case in cases.items():
        raw = found[cases["aiohttp", at_once]]
        cells = [number(middle(found[case], "cpu_us")), number(ratio(found[case], raw, "cpu_us"), 1, "x")]
        cells += [number(middle(found[case], "per_s")), number(middle(found[case], "p99_ms"))]
        rows.append([str(at_once), name, *cells])
    head = ["at once", "client", "CPU µs per request", "to aiohttp", "requests per s", "p99 ms"]
    words = (
        f"A compiled server answers every request after {_DELAY_MS} ms with 1 KB; the prompt has 2 KB. CPU of the"
        f" client's process. {rounds} rounds, medians, {loads(found.values())}. `httpx over aiohttp` is what chainlab"
        " builds on; chainlab's own rows have the whole backend in them: clocks, checks, folding of events."
    )
    return f"{words}\n\n{table(head, rows)}"


def _chains(url: str, rounds: int) -> str:
    cases = {name: Case(name, (url, str(_RUNS)), _WORKER) for name in ("chainlab", "chainlab, streamed", "aiohttp")}
    found = in_rounds(list(cases.values()), rounds)
    rows = []
    for name, case in cases.items():
        results = found[case]
        cells = [number(middle(results, "wall_s"), 2), number(middle(results, "cpu_us"))]
        rows.append([_WHAT[name], *cells, number(middle(results, "peak_mb"))])
    head = ["what", "wall s", "CPU µs per step", "peak RSS MB"]
    ideal = STEPS * _CHAIN_DELAY_MS / 1000
    words = (
        f"{_RUNS:,} chains of {STEPS} steps at once, each step a streamed reply after {_CHAIN_DELAY_MS} ms, so"
        f" {ideal} s if nothing took time. {rounds} rounds, medians, {loads(found.values())}."
    )
    return f"{words}\n\n{table(head, rows)}"


_WHAT = {
    "chainlab": "chains, every step committed before its output is handed on",
    "chainlab, streamed": "the backend alone, four requests one after the other",
    "aiohttp": "aiohttp alone, the same, in one piece",
}


if __name__ == "__main__":
    SCRATCH.mkdir(exist_ok=True)
    print(section())
