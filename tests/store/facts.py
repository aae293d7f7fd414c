"""Events for the store's tests: a run, said step by step. Knows events only."""

from __future__ import annotations

from typing import Any

from chainlab.errors import ErrorInfo
from chainlab.events import (
    AttemptFinished,
    AttemptStarted,
    AttemptStatus,
    Binding,
    RequestRecord,
    RunFinished,
    RunStarted,
    RunStatus,
    StepFinished,
    StepSkipped,
    StepStarted,
    StepStatus,
)
from chainlab.values.codec import Json, Value
from chainlab.values.ids import now_us

SPEC_HASH = b"s" * 20
LONG = "All happy families are alike; every unhappy family is unhappy in its own way. " * 3
RULES = "Write in the plain style of a person who has read much and wishes to be understood by everybody at the table."


def run_started(run: str, inputs: dict[str, Json] | None = None, **more: Any) -> RunStarted:
    """A run of the chain `brief` begins."""
    given = {"text": LONG} if inputs is None else inputs
    fields: dict[str, Any] = {
        "chain": "brief",
        "spec_hash": SPEC_HASH,
        "spec": Value({"format": "chainlab-1", "name": "brief"}),
        "inputs": Value(given),
        "bindings": tuple(Binding(name, Value(value)) for name, value in given.items()),
        "started_at": now_us(),
    }
    return RunStarted(run, **(fields | more))


def run_finished(run: str, output: Json = "done", status: RunStatus = "ok", **more: Any) -> RunFinished:
    """A run ends."""
    fields: dict[str, Any] = {"output": Value(output) if status == "ok" else None, "steps_total": 1}
    return RunFinished(run, status, now_us(), 1500, **(fields | more))


def step_started(run: str, path: str = "draft", value: Json = LONG, **more: Any) -> StepStarted:
    """A prompt step begins; `value` is its parameter `text`."""
    fields: dict[str, Any] = {
        "step": path,
        "step_kind": "prompt",
        "sort": path,
        "bindings": (Binding("text", Value(value), "$input", ".text"),),
        "reuse_key": b"k" * 20,
        "started_at": now_us(),
        "model": "small",
        "backend": "local",
    }
    return StepStarted(run, path, **(fields | more))


def step_skipped(run: str, path: str, cause: str) -> StepSkipped:
    """A step is not run."""
    return StepSkipped(run, path, path, "code", path, cause, now_us())


def step_finished(
    run: str, path: str = "draft", output: Json = "x", status: StepStatus = "ok", **more: Any
) -> StepFinished:
    """A step ends."""
    fields: dict[str, Any] = {"output": Value(output) if status == "ok" else None, "attempts": 1}
    return StepFinished(run, path, status, now_us(), 900, **(fields | more))


def request(value: Json = LONG, *, at: tuple[str | int, ...] = (), rest: str = "") -> RequestRecord:
    """A request that prints a payload between two literals, after a long one. `rest`: makes it as long as you like."""
    payload = {"p": Value(value).hash.hex(), "at": list(at), "v": "text"}
    rules = Value(RULES)
    messages = [
        {"role": "system", "segments": ["You are brief. ", {"p": rules.hash.hex()}]},
        {
            "role": "user",
            "segments": ["Summarise: ", payload, "\nAbout ", {"t": "dogs", "v": "topic"}, *([rest] if rest else ())],
        },
    ]
    return RequestRecord(Value({"messages": messages, "parameters": {"temperature": 0.2}}), (rules,))


def attempt_started(run: str, path: str = "draft", n: int = 1, **more: Any) -> AttemptStarted:
    """A try begins."""
    fields: dict[str, Any] = {
        "reason": "first" if n == 1 else "validation",
        "started_at": now_us(),
        "request": request(),
        "backend": "local",
        "base": "smol-base",
        "model": "smol",
    }
    return AttemptStarted(run, path, n, **(fields | more))


def attempt_finished(
    run: str, path: str = "draft", n: int = 1, status: AttemptStatus = "ok", text: str = "reply", **more: Any
) -> AttemptFinished:
    """A try ends."""
    fields: dict[str, Any] = {"response": Value({"text": text, "raw": {"id": n}}), "tokens_in": 7, "tokens_out": 3}
    return AttemptFinished(run, path, n, status, 800, **(fields | more))


def failed(message: str = "it broke", code: str = "timeout", **more: Any) -> ErrorInfo:
    """An error as it is recorded."""
    return ErrorInfo(code, message, **more)
