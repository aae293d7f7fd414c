"""Runs whose times are given, not measured: what a timeline has to show, and a run of 10,000 steps."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from chainlab import chain, fill, prompt
from chainlab.errors import ErrorInfo
from chainlab.events import (
    AttemptFinished,
    AttemptReason,
    AttemptStarted,
    RequestRecord,
    RunFinished,
    RunStarted,
    StepFinished,
    StepSkipped,
    StepStarted,
)
from chainlab.protocols import Journal
from chainlab.store.store import Store
from chainlab.values.codec import Value
from chainlab.values.ids import new_id, now_us
from tests.inspector.story import TEXT, TOPICS, brief, translate_lines

MS = 1000
HOSTILE_PROMPT = """it's "quoted" $(touch owned) `touch owned` ${HOME} !! \\ \\n
REQUEST
'; touch owned; '
é 漢字 😀 \u202egnp.exe \u0000 \u001b[31m"""
WRONG = '{"score": "high", "issues": ["It repeats itself."], "revised": "The line is old."}'


@dataclass
class Timed:
    """One run, told in milliseconds after its start."""

    journal: Journal
    run_id: str = field(default_factory=new_id)
    at: int = field(default_factory=now_us)

    def begin(self, chain: Any) -> None:
        spec = Value(json.loads(chain.spec.model_dump_json()))
        inputs = Value({"text": TEXT})
        self.journal.emit(RunStarted(self.run_id, chain.spec.name, chain.spec.hash, spec, inputs, (), self.at))

    def step(self, path: str, sort: str, begin: int, end: int, **rest: Any) -> None:
        static = path.partition("[")[0]
        kind = rest.pop("kind", "prompt")
        status = rest.pop("status", "ok")
        model = rest.pop("model", "small")
        start = StepStarted(self.run_id, path, static, kind, sort, (), None, self.at + begin * MS, model=model)
        self.journal.emit(start)
        for n, (reason, begun, took, given) in enumerate(rest.pop("tries", ()), 1):
            self.attempt(path, n, reason, begun, took, given)
        self.journal.emit(StepFinished(self.run_id, path, status, self.at + end * MS, (end - begin) * MS, **rest))

    def attempt(self, path: str, n: int, reason: AttemptReason, begun: int, took: int, given: dict[str, Any]) -> None:
        request = {
            "messages": [{"role": "user", "segments": [given.pop("prompt", "Write about the coast.")]}],
            "parameters": {"model": "small", "temperature": 0.5, "logprobs": True},
        }
        sent = {name: given.pop(name, None) for name in ("backend", "base", "adapter", "model", "adapter_hash")}
        self.journal.emit(
            AttemptStarted(self.run_id, path, n, reason, self.at + begun * MS, RequestRecord(Value(request)), **sent)
        )
        status: Literal["failed", "ok"] = "failed" if "error" in given else "ok"
        self.journal.emit(AttemptFinished(self.run_id, path, n, status, took * MS, **given))

    def finish(self, store: Store, took: int, steps: int, **rest: Any) -> str:
        self.end(took, steps, **rest)
        return self.stored(store)

    def end(self, took: int, steps: int, **rest: Any) -> None:
        status = rest.pop("status", "ok")
        self.journal.emit(RunFinished(self.run_id, status, self.at + took * MS, took * MS, steps_total=steps, **rest))

    def stored(self, store: Store) -> str:
        """Its id, as soon as its end is in the database."""
        while (trace := store.reader.trace(self.run_id)) is None or trace.run.status in ("queued", "running"):
            time.sleep(0.01)
        return self.run_id


def write_timed(store: Store) -> str:
    """A run of `brief` with a wait, a stream, retries, a fallback, cached, reused and skipped steps, costs and load."""
    run = Timed(store.journal())
    run.begin(brief)
    said = {"text": "The railway.", "logprobs": _logprobs()}
    run.step(
        "extract", "0000", 0, 1800, queue_us=400 * MS, ttft_us=500 * MS, attempts=1, tokens_in=812, tokens_out=64,
        cost_nano=4_100_000,
        tries=[("first", 400, 1400, {
            "response": Value(said), "prompt": HOSTILE_PROMPT, "ttft_us": 500 * MS, "http_status": 200,
            "finish_reason": "length", "served_model": "small-2026-05", "tokens_in": 812, "tokens_out": 64,
            "tokens_cached": 512, "cost_nano": 4_100_000,
            "gauges": {"running": 3.0, "waiting": 2.0, "kv_cache": 0.41}, "backend": "vllm", "base": "small",
            "adapter": "tone", "model": "small", "adapter_hash": bytes.fromhex("0123456789abcdef" * 2 + "01234567"),
        })],
    )  # fmt: skip
    run.step("each", "0001", 1800, 5200, kind="each", model=None)
    for i in range(len(TOPICS)):
        begun = 1900 + 300 * i
        run.step(
            f"summarise[{i}]", f"0001.{i:06d}.0000", 1850, begun + 1500, queue_us=(begun - 1850) * MS,
            ttft_us=300 * MS, attempts=1, tokens_in=400, tokens_out=30, status="cached" if i == 3 else "ok",
        )  # fmt: skip
    run.step("draft", "0002", 5200, 5200, status="reused", origin_run_id=run.run_id, origin_path="extract")
    lost = ErrorInfo("connection-failed", "the backend could not be reached", retryable=True)
    wrong = ErrorInfo("output-invalid", "the reply does not fit the type: score: Input should be a valid integer")
    run.step(
        "critique", "0003", 5200, 9600, status="failed", attempts=3, tokens_in=900, tokens_out=80, error=wrong,
        tries=[
            ("first", 5300, 900, {"error": lost, "http_status": 503}),
            ("transport", 6900, 1100, {"error": wrong, "response": Value({"text": WRONG}), "ttft_us": 300 * MS}),
            ("validation", 8050, 1500, {"error": wrong, "response": Value({"text": WRONG}), "ttft_us": 400 * MS}),
        ],
    )  # fmt: skip
    run.journal.emit(
        StepSkipped(run.run_id, "word_count", "word_count", "code", "0004", "critique", run.at + 9600 * MS)
    )
    return run.finish(store, 9650, 9, status="failed", error=wrong, error_path="critique", cost_nano=4_100_000)


def write_graph(store: Store, width: int = 10, depth: int = 30) -> str:
    """A run of so many declared steps, each of which takes what two of the row above wrote; one of them failed."""
    run = Timed(store.journal())
    weave = woven(width, depth)
    run.begin(weave)
    bad = names_of(weave)[width * depth // 2]
    wrong = ErrorInfo("output-invalid", "the reply does not fit the type")
    for i, name in enumerate(names_of(weave)):
        failed = {"status": "failed", "error": wrong} if name == bad else {}
        run.step(name, f"{i:04}", 10 * (i // width), 10 * (i // width) + 9, attempts=1, **failed)
    return run.finish(store, 10 * depth, width * depth, status="failed", error=wrong, error_path=bad)


def woven(width: int, depth: int) -> Any:
    """A chain of rows of steps."""

    @prompt("Join {{ a }} and {{ b }}.")
    def weave(a: str, b: str) -> str:
        return fill()

    @chain
    def cloth(text: str) -> list[str]:
        row: list[str] = [text] * width
        for _ in range(depth):
            row = [weave(row[i], row[(i + 1) % width]) for i in range(width)]
        return row

    return cloth


def names_of(of: Any) -> list[str]:
    """The names of a chain's steps, in order."""
    return [step.name for step in of.spec.steps]


def write_large(store: Store, items: int = 9_999) -> str:
    """A run of one fan-out over so many items."""
    run = Timed(store.journal())
    run.begin(translate_lines)
    run.step("each", "0000", 0, 4 * items + 400, kind="each", model=None)
    for i in range(items):
        begun = 4 * i
        run.step(
            f"translate[{i}]", f"0000.{i:06d}.0000", begun, begun + 300, queue_us=60 * MS, ttft_us=90 * MS, attempts=1
        )
    return run.finish(store, 4 * items + 400, items + 1)


def _logprobs() -> list[dict[str, Any]]:
    tokens = [("The", -0.01), (" rail", -0.3), ("way", -0.8), (" ", -1.4), (".", -3.2)]
    choices = [{"token": text, "logprob": logprob} for text, logprob in tokens]
    return [{**choice, "top_logprobs": [choice, {"token": "!", "logprob": -4.0}]} for choice in choices]
