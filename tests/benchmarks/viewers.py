"""The servers that show runs, each with the same 10,000 of them: chainlab's inspector, and Arize Phoenix beside it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from chainlab.inspector.assets import STATIC
from chainlab.inspector.link import running, start_url, state_file
from chainlab.store.store import Store
from chainlab.values.codec import Value
from tests.benchmarks import workload
from tests.benchmarks.chains import line
from tests.benchmarks.report import PHOENIX, ROOT, environment
from tests.browser.timed import Timed, names_of, write_graph, write_large

RUNS, STEPS = 10_000, 10
SENT = 500  # traces that Phoenix is sent; the rest are copies of their rows
_PORT = 7391


@dataclass(frozen=True)
class Viewer:
    """A server that shows runs. `requests`: what its page asks for, by what a person does; `first` and `shown`: what is
    seen of the first page, and of the list, once it is there.
    """

    name: str
    command: Sequence[str]
    folder: Path
    extra: dict[str, str]
    address: Callable[[], str | None]
    places: Callable[[httpx.Client], dict[str, str]]
    requests: Callable[[httpx.Client], dict[str, httpx.Request]]
    first: str
    shown: str
    static: Path


@dataclass(frozen=True)
class Served:
    """A running server, and since when."""

    viewer: Viewer
    pid: int
    began: float

    @property
    def start(self) -> str:
        """Where a browser begins: chainlab's address works once, so it is another one each time."""
        address = self.viewer.address()
        assert address is not None
        return address


@contextmanager
def serving(viewer: Viewer) -> Iterator[Served]:
    """Start a server; wait until it answers."""
    began = time.perf_counter()
    with subprocess.Popen(
        viewer.command,
        cwd=viewer.folder,
        env=environment() | viewer.extra,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            while viewer.address() is None:
                if process.poll() is not None or time.perf_counter() - began > 120:
                    raise RuntimeError(f"{viewer.name} does not start")
                time.sleep(0.01)
            yield Served(viewer, process.pid, began)
        finally:
            process.terminate()
            process.wait()


def chainlab(folder: Path) -> Viewer:
    """chainlab's inspector on a folder with `RUNS` runs."""
    database = folder / ".chainlab" / "traces.db"
    if not database.exists():
        database.parent.mkdir(parents=True)
        with Store.open(database) as store:
            _fill(store)
            (folder / "graph").write_text(write_graph(store))
            (folder / "large").write_text(write_large(store))

    def address() -> str | None:
        state = running(state_file(database))
        return None if state is None else start_url(state)

    def newest(client: httpx.Client) -> str:
        return str(client.get("api/runs", params={"chain": "line", "limit": 1}).json()["runs"][0]["id"])

    def requests(client: httpx.Client) -> dict[str, httpx.Request]:
        run = newest(client)
        return {
            "the list, 50 runs": client.build_request("GET", "api/runs?limit=50"),
            "the list, failed runs": client.build_request("GET", "api/runs?limit=50&status=failed"),
            "the list, slowest first": client.build_request("GET", "api/runs?limit=50&order=slowest"),
            "the list, by a word": client.build_request("GET", "api/runs?limit=50&text=nowhere"),
            "a run of 10 steps": client.build_request("GET", f"api/runs/{run}"),
            "a step with its prompt and reply": client.build_request("GET", f"api/runs/{run}/steps/ask~10"),
        }

    def places(client: httpx.Client) -> dict[str, str]:
        return {
            "the list": "#/runs",
            "a run of 10 steps": f"#/runs/{newest(client)}?step=ask~10",
            "graph": f"#/runs/{(folder / 'graph').read_text()}",
            "large": f"#/runs/{(folder / 'large').read_text()}?view=timeline&step=translate%5B5000%5D",
        }

    command = [
        sys.executable,
        "-m",
        "chainlab.cli.main",
        "inspect",
        "--no-browser",
        "--port",
        "0",
        "--db",
        str(database),
    ]
    return Viewer("chainlab", command, folder, {}, address, places, requests, ".row-link", ".row-link", STATIC)


def _fill(store: Store) -> None:
    """Runs of a line of prompt steps: 2 KB asked and 1 KB answered, no two alike."""
    chain = line(STEPS)
    names = names_of(chain)
    for n in range(RUNS):
        run = Timed(store.journal(), at=time.time_ns() // 1000 - (RUNS - n) * 1_000_000)
        run.begin(chain)
        text = workload.answer()
        for i, name in enumerate(names):
            prompt, text = workload.prompt_of(text), workload.answer()
            said = {"prompt": prompt, "response": Value({"text": text}), "tokens_in": 500, "tokens_out": 200}
            run.step(
                name, f"{i:04}", 10 * i, 10 * i + 9, attempts=1, tokens_in=500, tokens_out=200,
                tries=[("first", 10 * i, 9, said)],
            )  # fmt: skip
        run.end(10 * STEPS, STEPS)
        if n % 200 == 199:
            run.stored(store)


def phoenix(folder: Path) -> Viewer:
    """Arize Phoenix with as many traces."""
    url = f"http://127.0.0.1:{_PORT}/"

    def address() -> str | None:
        try:
            return url if httpx.get(url, trust_env=False, timeout=5).status_code == 200 else None
        except httpx.HTTPError:
            return None

    def project(client: httpx.Client) -> str:
        asked = client.post("graphql", json={"query": "{projects{edges{node{id name}}}}"}).json()
        nodes = [edge["node"] for edge in asked["data"]["projects"]["edges"]]
        return next(str(node["id"]) for node in nodes if node["name"] == "bench")

    def newest(client: httpx.Client) -> str:
        spans = _spans(
            'first: 1, filterCondition: "parent_id is None", sort: {col: startTime, dir: desc}', "trace{traceId}"
        )
        found = client.post("graphql", json={"query": _of(project(client), spans)}).json()
        return str(found["data"]["node"]["spans"]["edges"][0]["node"]["trace"]["traceId"])

    def requests(client: httpx.Client) -> dict[str, httpx.Request]:
        here, roots = project(client), 'first: 50, filterCondition: "parent_id is None"'
        row = (
            "id name spanKind startTime latencyMs statusCode input{value: truncatedValue} output{value: truncatedValue}"
        )
        whole = row.replace("truncatedValue", "value").replace("value: value", "value")
        trace = f'trace(traceId: "{newest(client)}"){{{_spans("first: 100", whole)}}}'
        asked = {
            "the list, 50 runs": _spans(f"{roots}, sort: {{col: startTime, dir: desc}}", row),
            "the list, failed runs": _spans("first: 50, filterCondition: \"status_code == 'ERROR'\"", row),
            "the list, slowest first": _spans(f"{roots}, sort: {{col: latencyMs, dir: desc}}", row),
            "the list, by a word": _spans("first: 50, filterCondition: \"'nowhere' in input.value\"", row),
            "a run of 10 steps": trace,
        }
        return {
            name: client.build_request("POST", "graphql", json={"query": _of(here, query)})
            for name, query in asked.items()
        }

    def places(client: httpx.Client) -> dict[str, str]:
        here = project(client)
        return {
            "the list": f"projects/{here}/traces",
            "a run of 10 steps": f"projects/{here}/traces/{newest(client)}",
        }

    extra = {
        "PHOENIX_WORKING_DIR": str(folder),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(_PORT),
        "PHOENIX_GRPC_PORT": str(_PORT + 1),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
    }
    (static,) = PHOENIX.glob("lib/python3*/site-packages/phoenix/server/static")
    command = [str(PHOENIX / "bin" / "phoenix"), "serve"]
    viewer = Viewer(
        "Arize Phoenix", command, folder, extra, address, places, requests, "a[href*='projects/']", "tbody tr a", static
    )
    if not (folder / "filled").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        script = [str(PHOENIX / "bin" / "python"), "-m", "tests.benchmarks.peer_phoenix"]
        with serving(viewer):
            subprocess.run([*script, "fill", url.rstrip("/"), str(SENT), str(STEPS)], cwd=ROOT, check=True)
            _stored(url)
        copies = str(RUNS // SENT - 1)
        subprocess.run([*script, "clone", str(folder / "phoenix.db"), copies], cwd=ROOT, check=True)
        (folder / "filled").touch()
    return viewer


def _stored(url: str) -> None:
    """Phoenix takes spans at once and stores them in the background: wait for the last one."""
    query = "{projects{edges{node{name recordCount}}}}"
    counts: dict[str, int] = {}
    for _ in range(600):
        found = httpx.post(f"{url}graphql", json={"query": query}, trust_env=False, timeout=60).json()
        counts = {edge["node"]["name"]: edge["node"]["recordCount"] for edge in found["data"]["projects"]["edges"]}
        if counts.get("bench") == SENT * (STEPS + 1):
            return
        time.sleep(1)
    raise RuntimeError(f"Phoenix has stored {counts} of {SENT * (STEPS + 1)} spans")


def _of(project: str, query: str) -> str:
    return f'{{node(id: "{project}"){{... on Project{{{query}}}}}}}'


def _spans(arguments: str, fields: str) -> str:
    return f"spans({arguments}){{edges{{node{{{fields}}}}}}}"
