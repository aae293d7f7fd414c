"""Runs and replays without a database: events in a list, put together to the record that a store would give."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from chainlab.backends.scripted import ScriptedBackend
from chainlab.declare.runnable import Program
from chainlab.engine.execute import Call, Outcome, execute
from chainlab.engine.gate import Gate
from chainlab.events import AttemptStarted, Event, RunFinished, RunStarted, StepFinished, StepSkipped, StepStarted
from chainlab.lab.prepare import prepare
from chainlab.lab.replaying import ReadyReplay, ready_replay
from chainlab.messages import Request
from chainlab.protocols import Journal, ResolvedModel
from chainlab.spec.chain import ChainSpec, CodeStep, walk
from chainlab.spec.edit import Edit
from chainlab.trace import Failure, RunRecord, RunSummary, StepRecord
from chainlab.values.codec import Json


def fake(text: str, schema: Mapping[str, Any]) -> Any:
    """A reply that depends on all of the text and on nothing else. Lists repeat their items now and then."""
    number = int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big")
    kind = schema.get("type", "string")
    if kind == "array":
        return [f"i{(number >> shift) % 4}" for shift in range(0, 3 * (number % 4), 3)]
    if kind == "boolean":
        return number % 2 == 0
    if kind == "object":
        return {"score": number % 5, "text": f"t{number % 1000}"}
    return f"s{number}"


class ListJournal:
    """protocols.Journal in a list; and in another journal, where there is one."""

    def __init__(self, beside: Journal | None = None) -> None:
        self.events: list[Event] = []
        self.beside = beside

    def emit(self, event: Event) -> None:
        self.events.append(event)
        if self.beside is not None:
            self.beside.emit(event)

    def durable(self, *, alone: bool = False) -> Awaitable[None]:
        return _done() if self.beside is None else self.beside.durable(alone=alone)


async def _done() -> None:
    return None


@dataclass(frozen=True)
class Function:
    """A Python step's function: the fake, asked with its hash and inputs."""

    code_hash: str
    schema: Mapping[str, Any]
    broken: bool
    is_async: bool = True

    async def fn(self, **inputs: Json) -> Json:
        if self.broken:
            raise ValueError("broken")
        return fake(f"{self.code_hash} {json.dumps(inputs, sort_keys=True)}", self.schema)

    def decode(self, args: Mapping[str, Json]) -> dict[str, Any]:
        return dict(args)

    def encode(self, value: Any) -> Json:
        return value


class Models:
    """Every name is the same script, under its own model name."""

    def __init__(self, backend: ScriptedBackend) -> None:
        self.backend = backend

    def resolve(self, written: str | None) -> ResolvedModel:
        return ResolvedModel(written, self.backend, written or "default")


class Bench:
    """Runs chains with pure fakes. `fails`: what prompts and functions must hold to fail; `beside`: a journal more."""

    def __init__(self, fails: Sequence[str] = (), beside: Journal | None = None) -> None:
        self.fails = tuple(fails)
        self.beside = beside
        self.backend = ScriptedBackend(self._reply)
        self.models = Models(self.backend)

    def _reply(self, request: Request) -> Any:
        said = "\n".join(message["content"] for message in request.messages)
        if any(fail in said.split() for fail in self.fails):
            raise ValueError("broken")
        value = fake(f"{request.model} {request.temperature} {said}", request.output_schema or {"type": "string"})
        return value if isinstance(value, str) else json.dumps(value)

    def program(self, spec: ChainSpec) -> Program:
        """A spec with its functions."""
        code: Any = {
            path: Function(step.code_hash, step.output, step.code_hash in self.fails)
            for path, step in walk(spec.steps)
            if isinstance(step, CodeStep)
        }
        return Program(spec, code, {}, dict.fromkeys(spec.inputs, object), object)

    async def run(
        self, spec: ChainSpec, inputs: Mapping[str, Json], run_id: str = "first"
    ) -> tuple[Outcome, RunRecord]:
        """Run a chain; its outcome and its record."""
        program = self.program(spec)
        prepared = prepare(program, self.models)
        journal = ListJournal(self.beside)
        call = Call(
            plan=prepared.plan,
            inputs=inputs,
            run_id=run_id,
            models=prepared.models,
            gates={"scripted": Gate(100)},
            code=program.code,
            accepts={},
        )
        outcome = await execute(call, journal)
        return outcome, record_of(journal.events)

    def ready(
        self, record: RunRecord, edits: Sequence[Edit], *, spec: ChainSpec | None = None, **how: Any
    ) -> ReadyReplay:
        """A replay, thought through. `spec`: the author's chain of now."""
        program = None if spec is None else self.program(spec)
        return ready_replay(record, edits, self.models, program=program, **how)

    async def replay(self, ready: ReadyReplay, run_id: str = "fork") -> tuple[Outcome, RunRecord, list[Event]]:
        """Carry a replay out."""
        journal = ListJournal(self.beside)
        call = Call(
            plan=ready.plan.plan,
            inputs=ready.plan.inputs,
            run_id=run_id,
            models=ready.models,
            gates={"scripted": Gate(100)},
            code=ready.code,
            accepts=ready.accepts,
            fork=ready.fork,
            replaying=ready.replaying(),
        )
        outcome = await execute(call, journal)
        return outcome, record_of(journal.events), journal.events


def executed(events: Sequence[Event]) -> set[str]:
    """The paths of the steps that were tried."""
    return {event.path for event in events if isinstance(event, AttemptStarted)}


def record_of(events: Sequence[Event]) -> RunRecord:
    """The record of a run, from what its engine said."""
    begun = next(event for event in events if isinstance(event, RunStarted))
    ended = next(event for event in events if isinstance(event, RunFinished))
    rows: dict[str, StepRecord] = {}
    sorts: dict[str, str] = {}
    for event in events:
        if isinstance(event, StepStarted):
            sorts[event.path] = event.sort
            took = (
                event.bindings[0].value.json
                if event.step_kind in ("each", "when", "route") and event.bindings
                else None
            )
            rows[event.path] = StepRecord(
                path=event.path,
                step=event.step,
                kind=event.step_kind,
                status="running",
                reuse_key=event.reuse_key,
                model=event.model,
                backend=event.backend,
                adapter=event.adapter,
                inputs={binding.name: binding.value.hash for binding in event.bindings},
                output_hash=None,
                output_body=None,
                took=took,
                origin=(event.run_id, event.path),
                duration_us=None,
                tokens_in=None,
                tokens_out=None,
            )
        elif isinstance(event, StepSkipped):
            sorts[event.path] = event.sort
            rows[event.path] = StepRecord(
                event.path, event.step, event.step_kind, "skipped", None, None, None, None, {}, None, None, None,
                (event.run_id, event.path), None, None, None,
            )  # fmt: skip
        elif isinstance(event, StepFinished):
            output = event.output
            rows[event.path] = replace(
                rows[event.path],
                status=event.status,
                output_hash=None if output is None else output.hash,
                output_body=None if output is None else output.body,
                origin=(event.origin_run_id or event.run_id, event.origin_path or event.path),
            )
    summary = RunSummary(
        id=begun.run_id,
        project="",
        chain=begun.chain,
        spec_hash=begun.spec_hash.hex(),
        status=ended.status,
        kind=begun.run_kind,
        label=None,
        parent_run_id=begun.parent_run_id,
        root_run_id=begun.root_run_id or begun.run_id,
        error=None if ended.error is None else Failure(ended.error.code, ended.error.message, ended.error_path),
        started_at=0,
        finished_at=0,
        duration_us=0,
        steps_total=ended.steps_total,
        steps_ok=ended.steps_ok,
        steps_failed=ended.steps_failed,
        steps_skipped=ended.steps_skipped,
        steps_reused=ended.steps_reused,
        tokens_in=0,
        tokens_out=0,
        cost_nano=None,
        tags=(),
        change=0,
    )
    return RunRecord(
        run=summary,
        spec=begun.spec.body,
        inputs={binding.name: binding.value.json for binding in begun.bindings},
        steps=tuple(rows[path] for path in sorted(rows, key=lambda path: (sorts[path], path))),
        edits=None if begun.edits is None else begun.edits.json,
    )
