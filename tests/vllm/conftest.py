"""A real vLLM: the built-in model's weights and two adapters, on this machine's CPU. `make test-vllm` installs it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from chainlab import Lab
from chainlab.backends.weights import ensure

HERE = Path(__file__).parent
ADAPTERS = HERE.parent / "data" / "lora"
START_S = 900
QUEUE = 4

SETTINGS = """
[models]
base = "vllm:smollm2"
ticket = {{ backend = "vllm", base = "smollm2", adapter = "ticket@v1", path = "{adapters}/ticket" }}
route = {{ backend = "vllm", base = "smollm2", adapter = "route@v1", path = "{adapters}/route", autoload = true }}

[backends.vllm]
base_url = "{url}"
metrics = true
count_tokens = true
concurrency = 2
first_token_timeout = 300
token_timeout = 300

[backends.hasty]
kind = "vllm"
base_url = "{url}"
concurrency = 32
retries = 0
first_token_timeout = 300
token_timeout = 300
"""


@dataclass(frozen=True)
class Server:
    """Where it is, and what it says."""

    url: str
    log: Path

    def said(self, path: str, **body: object) -> httpx.Response:
        """Ask it by hand."""
        return httpx.post(f"{self.url}{path}", json=body, timeout=300)

    def served(self) -> dict[str, str | None]:
        """What it serves: names, and whose adapter each is."""
        models = httpx.get(f"{self.url}/models", timeout=60).json()["data"]
        return {model["id"]: model["parent"] for model in models}


@pytest.fixture(scope="session")
def vllm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server, once for all tests."""
    venv = Path(os.environ.get("VLLM_VENV") or "").resolve()
    if not (venv / ".whole").exists():
        pytest.skip("needs a real vLLM, 2.5 GB: `make test-vllm` installs and runs it")
    base = venv / "smollm2"
    if not base.exists():
        shutil.rmtree(base.with_suffix(".part"), ignore_errors=True)
        weights = ensure("smollm2-135m-instruct", Path.cwd(), lambda progress: None)
        subprocess.run([venv / "bin" / "python", HERE / "weights.py", weights, base], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("vllm") / "log"
    url = f"http://127.0.0.1:{port}"
    # More slots than adapters: with a full table, vLLM on a CPU lets the last adapter into base requests (vllm#48421).
    command: list[str | Path] = [
        venv / "bin" / "python", "-m", "vllm.entrypoints.openai.api_server",
        "--model", base, "--served-model-name", "smollm2", "--host", "127.0.0.1", "--port", str(port),
        "--dtype", "bfloat16", "--max-model-len", "2048", "--max-num-seqs", "2", "--enforce-eager",
        "--enable-lora", "--max-lora-rank", "8", "--max-loras", "3", "--enable-prompt-tokens-details",
        "--max-num-queued-reqs", str(QUEUE), "--lora-modules", f"ticket@v1={ADAPTERS / 'ticket'}",
    ]  # fmt: skip
    environment = {
        **os.environ,
        "PYTHONPATH": str(venv / "shim"),
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "OMP_NUM_THREADS": "1",
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "1",
    }
    with (
        log.open("wb") as out,
        subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT) as process,
    ):
        try:
            _wait(url, process, log)
            yield Server(f"{url}/v1", log)
        finally:
            process.terminate()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{url}/health", timeout=10).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(1)
    raise RuntimeError(f"vLLM did not start:\n{log.read_text()[-4000:]}")


@pytest.fixture
def lab(vllm: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A project that names the server, and its adapters, in chainlab.toml."""
    (tmp_path / "chainlab.toml").write_text(SETTINGS.format(url=vllm.url, adapters=ADAPTERS))
    monkeypatch.chdir(tmp_path)
    with Lab.open(tmp_path / "t.db") as lab:
        yield lab
