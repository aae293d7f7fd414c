"""What looking costs: from a server's start to its first page, lists and runs of 10,000 runs, what a browser draws."""

from __future__ import annotations

import subprocess
import sys

from playwright.sync_api import sync_playwright

from tests.benchmarks import peers
from tests.benchmarks.looking import asked, drawn, scripts, starts
from tests.benchmarks.report import PHOENIX, SCRATCH, number, table, verdict
from tests.benchmarks.viewers import RUNS, SENT, STEPS, chainlab, phoenix, serving

_CHROMIUM = "/usr/bin/chromium"

_GOALS = (
    ("cold start to the list of runs, s", 2.0),
    ("first page, kB gzip", 170.0),
    ("all scripts, kB gzip", 450.0),
    ("graph of 300 steps, ms", 1500.0),
    ("key in it, p95 ms", 100.0),
    ("key in 10,000 rows, p95 ms", 100.0),
)


def section(rounds: int = 5) -> str:
    """Measure; the section of the report."""
    viewers = [chainlab(SCRATCH / "inspect")]
    if peers.install(PHOENIX):
        viewers.append(phoenix(SCRATCH / "phoenix-data"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        begun = starts(viewers, browser, rounds)
        requests, pages = {}, {}
        for viewer in viewers:
            with serving(viewer) as served:
                requests[viewer.name] = asked(served)
                pages[viewer.name] = drawn(served, browser, rounds)
        browser.close()
    sizes = {viewer.name: scripts(viewer.static) for viewer in viewers}
    ours = pages["chainlab"]
    reached = (
        begun["chainlab"]["seen"], ours["first page, kB"], sizes["chainlab"],
        ours["graph"], ours["graph, key"], ours["large, key"],
    )  # fmt: skip
    return "\n\n".join(
        [
            "## Inspector",
            f"{RUNS:,} runs of {STEPS} steps, 2 KB asked and 1 KB answered in each. {rounds} rounds, medians. The peer"
            f" is {_peer_version()}, with as many traces of {STEPS} spans: {SENT} were sent, the others are copies"
            " of their rows. Its list asks for the first 50 root spans, as its page does. From start to seen: a process"
            " is started, a browser that knows nothing of it opens the first page, and its content is there.",
            table(
                ["server", "answers after, s", "first page seen after, s", "CPU until then, s", "memory, MB"],
                [
                    [name, *(number(one[key], 2) for key in ("up", "seen", "cpu")), number(one["rss"])]
                    for name, one in begun.items()
                ],
            ),
            "Requests, ms. By a word: chainlab looks through ids, chains, labels and errors, Phoenix through the inputs"
            " of all spans, which is more.",
            table(
                ["what", *(f"{name}: {head}" for name in requests for head in ("median", "p95", "CPU"))],
                [[what, *_cells(requests, what)] for what in requests["chainlab"]],
            ),
            "In Chromium, from going to an address until what it names is drawn, ms; what the first page loads, and all"
            " scripts there are, gzip -9, kB.",
            table(
                ["what", *pages],
                [
                    *([what, *_cell(pages, what)] for what in ("the list", "a run of 10 steps")),
                    ["first page, kB", *_cell(pages, "first page, kB")],
                    ["all scripts, kB", *(number(size) for size in sizes.values())],
                    ["graph of 300 steps", *_cell(pages, "graph")],
                    ["timeline of 10,000 steps", *_cell(pages, "large")],
                ],
            ),
            table(
                ["goal", "at most", "measured", ""],
                [
                    [what, number(goal), number(value, 2 if goal < 10 else 0), verdict(value, goal)]
                    for (what, goal), value in zip(_GOALS, reached, strict=True)
                ],
            ),
        ]
    )


def _cells(requests: dict[str, dict[str, tuple[float, float, float]]], what: str) -> list[str]:
    found = (one.get(what) for one in requests.values())
    return [cell for one in found for cell in ([number(ms, 1) for ms in one] if one else ["-"] * 3)]


def _cell(pages: dict[str, dict[str, float]], what: str) -> list[str]:
    return [number(found.get(what)) for found in pages.values()]


def _peer_version() -> str:
    python = PHOENIX / "bin" / "python"
    code = "from importlib.metadata import version; print('Arize Phoenix', version('arize-phoenix'))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip() or "not installed"


if __name__ == "__main__":
    SCRATCH.mkdir(exist_ok=True)
    print(section(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
