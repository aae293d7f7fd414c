"""A replay prepared: the record, the edited chain, and what this process has to run it with. Calls no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from chainlab.declare.found import find_accept, find_code
from chainlab.declare.runnable import Program
from chainlab.engine.execute import Fork
from chainlab.engine.replaying import Replaying
from chainlab.engine.state import CodeHandle
from chainlab.errors import ReplayError
from chainlab.lab.prepare import Prepared, prepare
from chainlab.protocols import Models, ResolvedModel
from chainlab.replay.decide import OnDrift, OnEffects, Scope
from chainlab.replay.planned import CodeAtHand, ModelAtHand, ReplayPlan, World
from chainlab.replay.planning import Asked, plan_replay, refusal
from chainlab.spec.chain import ChainSpec, CodeStep, PromptStep, load, walk
from chainlab.spec.edit import INPUT, Edit, Edited, Inherited, apply_edits, with_step
from chainlab.spec.path import static_path
from chainlab.trace import RunRecord, TraceReader
from chainlab.values.codec import Json, Value
from chainlab.values.types import Accept


@dataclass(frozen=True, slots=True)
class ReadyReplay:
    """A replay that can be carried out, unless `refused` says why not."""

    plan: ReplayPlan
    prepared: Prepared
    models: Mapping[str, Sequence[ResolvedModel]]
    accepts: Mapping[str, Accept]
    code: Mapping[str, CodeHandle]
    fork: Fork
    refused: ReplayError | None

    def replaying(self) -> Replaying:
        """What the engine needs for one execution."""
        plan = self.plan
        return Replaying(plan.decider(), plan.replaced, plan.outputs, plan.fresh_inputs)

    def needed_models(self) -> Sequence[Sequence[ResolvedModel]]:
        """The models of prompts that may be sent: those have to be ready, and no others."""
        known = {step.path for step in self.plan.steps} | {static_path(step.path) for step in self.plan.steps}
        some = {step.path for step in self.plan.steps if step.action in ("execute", "decide") or not step.sure}
        some |= {static_path(path) for path in some}
        return [choices for path, choices in self.models.items() if path in some or path not in known]


def read_record(reader: TraceReader, run_id: str) -> RunRecord:
    """A run that can be replayed. Raises ReplayError: it is still going on, or its chain is not stored."""
    record = reader.record(run_id)
    if record is None:
        raise ReplayError(
            f"run {run_id} has no stored chain", code="no-spec", remedy="run the chain again; then replay that run"
        )
    if record.run.status in ("queued", "running"):
        raise ReplayError(
            f"run {run_id} is still {record.run.status}",
            code="run-live",
            expected="a run that has ended",
            remedy="wait for its end, or cancel it",
        )
    return record


def ready_replay(
    record: RunRecord,
    edits: Sequence[Edit],
    models: Models,
    *,
    program: Program | None = None,
    scope: Scope = "descendants",
    on_drift: OnDrift = "refuse",
    on_effects: OnEffects = "refuse",
) -> ReadyReplay:
    """Think a replay through with what is at hand. `program`: the author's chain of now instead of the stored one.

    Raises ChainError for wrong edits, ConfigError for unknown models, ReplayError for a record that cannot be read.
    """
    stored = _stored_spec(record)
    code = _code_at_hand(stored) if program is None else {}
    base = _with_current_code(stored, code) if program is None else program.spec
    kept = _inherited(record, edits, base)
    edited = apply_edits(base, edits, (step.path for step in record.steps), inherited=kept)
    unchecked: dict[str, str] = {}
    if program is None:
        accepts = _accepts(edited.spec, unchecked)
        handles: dict[str, CodeHandle] = {path: one.handle for path, one in code.items() if one.handle is not None}
        ready_program = Program(edited.spec, {}, accepts, dict.fromkeys(edited.spec.inputs, object), object)
    else:
        accepts, handles = dict(program.accepts), dict(program.code)
        ready_program = Program(edited.spec, program.code, program.accepts, program.inputs, program.result)
    prepared = prepare(ready_program, models)
    resolved = {**prepared.models, **_replaced_models(edited, prepared, models)}
    for path, step in _single(edited).items():
        static = static_path(path)
        if isinstance(step, CodeStep) and static in handles:
            handles[path] = handles[static]
        if isinstance(step, PromptStep) and static in accepts:
            accepts[path] = accepts[static]
    world = World(
        models={path: _model_at_hand(choices[0]) for path, choices in resolved.items()},
        code=_world_code(code, handles, edited.spec),
        unchecked=unchecked,
    )
    plan = plan_replay(record, edited, world, Asked(scope, on_drift, on_effects, program is not None))
    got = {step.path: step.inputs for step in record.steps} | {
        old.edit.step: old.inputs for old in _inherited(record, (), base)
    }
    said: Json = {
        "edits": [_said(edit, got.get(edit.step, {})) for edit in edits],
        "inherited": [_said(old.edit, old.inputs) for old in kept],
        "scope": scope,
        "on_drift": on_drift,
        "on_effects": on_effects,
    }
    fork = Fork(record.run.id, record.run.root_run_id, Value(said))
    return ReadyReplay(plan, prepared, resolved, accepts, handles, fork, refusal(plan, world))


@dataclass(frozen=True, slots=True)
class _Code:
    handle: CodeHandle | None
    hash: str | None
    why_not: str


def _stored_spec(record: RunRecord) -> ChainSpec:
    try:
        return load(record.spec)
    except ValidationError as error:
        raise ReplayError(
            f"the stored chain of run {record.run.id} cannot be read: {error.errors(include_url=False)[0]['msg']}",
            code="bad-spec",
            remedy="replay it with the version of chainlab that recorded it, or give chain=",
        ) from None


def _code_at_hand(spec: ChainSpec) -> dict[str, _Code]:
    found = {}
    for path, step in walk(spec.steps):
        if isinstance(step, CodeStep):
            handle, hashed, why_not = find_code(step)
            found[path] = _Code(handle, hashed, why_not)
    return found


def _with_current_code(spec: ChainSpec, code: Mapping[str, _Code]) -> ChainSpec:
    """The stored chain with the functions as they are now: where one has changed, its steps are other work."""
    for path, step in walk(spec.steps):
        now = code[path].hash if path in code else None
        if isinstance(step, CodeStep) and now is not None and now != step.code_hash:
            spec = with_step(spec, path, step.model_copy(update={"code_hash": now}))
    return spec


def _inherited(record: RunRecord, edits: Sequence[Edit], base: ChainSpec) -> list[Inherited]:
    """Edits of one item or of an output, by which the record itself was made: they still stand, unless edited again."""
    made_by = record.edits if isinstance(record.edits, dict) else {}
    known = {path for path, _ in walk(base.steps)}
    again = {edit.step for edit in edits}
    kept: dict[str, Inherited] = {}
    for data in (*made_by.get("inherited", ()), *made_by.get("edits", ())):
        edit = Edit.model_validate(data["edit"])
        lasting = edit.sets_output or static_path(edit.step) != edit.step
        if lasting and edit.step != INPUT and edit.step not in again and static_path(edit.step) in known:
            kept[edit.step] = Inherited(edit, {name: bytes.fromhex(text) for name, text in data["inputs"].items()})
    return list(kept.values())


def _said(edit: Edit, inputs: Mapping[str, bytes]) -> Json:
    return {"edit": edit.data(), "inputs": {name: hashed.hex() for name, hashed in inputs.items()}}


def _accepts(spec: ChainSpec, unchecked: dict[str, str]) -> dict[str, Accept]:
    accepts = {}
    for path, step in walk(spec.steps):
        if isinstance(step, PromptStep) and step.validated_by is not None:
            accept = find_accept(step)
            if accept is not None:
                accepts[path] = accept
            else:
                unchecked[path] = step.validated_by
    return accepts


def _replaced_models(edited: Edited, prepared: Prepared, models: Models) -> dict[str, Sequence[ResolvedModel]]:
    declared = dict(walk(edited.spec.steps))
    found: dict[str, Sequence[ResolvedModel]] = {}
    for path, step in _single(edited).items():
        if not isinstance(step, PromptStep):
            continue
        static = static_path(path)
        before = declared[static]
        if isinstance(before, PromptStep) and before.model == step.model:
            found[path] = prepared.models[static]
        else:
            found[path] = tuple(models.resolve(name) for name in step.model)
    return found


def _single(edited: Edited) -> dict[str, PromptStep | CodeStep]:
    """Every step that stands at one path only."""
    return {**{old.path: old.step for old in edited.lasting if old.step is not None}, **edited.replaced}


def _model_at_hand(model: ResolvedModel) -> ModelAtHand:
    backend = model.backend
    return ModelAtHand(
        identity=backend.identity(model.model, model.adapter).encode(),
        model=model.written or model.model,
        backend=backend.name,
        adapter=model.adapter,
        pinned=backend.pinned,
    )


def _world_code(code: Mapping[str, _Code], handles: Mapping[str, CodeHandle], spec: ChainSpec) -> dict[str, CodeAtHand]:
    world = {path: CodeAtHand(one.hash, one.why_not or None) for path, one in code.items()}
    for path, step in walk(spec.steps):
        if isinstance(step, CodeStep) and path not in world and path in handles:
            world[path] = CodeAtHand(step.code_hash)
    return world
