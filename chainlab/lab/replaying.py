"""A replay prepared: the record, the edited chain, and what this process has to run it with. Calls no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import get_args

from pydantic import ValidationError

from chainlab.declare.found import find_accept, find_code
from chainlab.declare.runnable import Program
from chainlab.engine.execute import Fork
from chainlab.engine.replaying import Replaying
from chainlab.engine.state import CodeHandle
from chainlab.errors import ChainError, ReplayError, StoreError
from chainlab.lab.prepare import Prepared, prepare
from chainlab.protocols import Models, ResolvedModel, identity_of
from chainlab.replay.decide import OnDrift, OnEffects, Scope
from chainlab.replay.inherit import inherited, on_top, said
from chainlab.replay.planned import CodeAtHand, ModelAtHand, ReplayPlan, World
from chainlab.replay.planning import Asked, plan_replay, refusal
from chainlab.spec.chain import ChainSpec, CodeStep, PromptStep, load, walk
from chainlab.spec.edit import INPUT, Edit, Edited, apply_edits, place_edits, put_edits, with_step
from chainlab.spec.path import static_path
from chainlab.spec.schema import describe
from chainlab.trace import RunRecord, StepRecord, TraceReader
from chainlab.values.codec import Json, Value
from chainlab.values.types import Accept, InvalidValue, accept_schema


@dataclass(frozen=True, slots=True)
class ReadyReplay:
    """A replay that can be carried out, unless `refused` says why not.

    `carried`: what an earlier go of it made before it was cut off, by path.
    """

    plan: ReplayPlan
    prepared: Prepared
    models: Mapping[str, Sequence[ResolvedModel]]
    accepts: Mapping[str, Accept]
    code: Mapping[str, CodeHandle]
    fork: Fork
    refused: ReplayError | None
    carried: Mapping[str, StepRecord] = field(default_factory=dict)

    def replaying(self) -> Replaying:
        """What the engine needs for one execution."""
        plan = self.plan
        return Replaying(plan.decider(self.carried), plan.replaced, plan.outputs, plan.fresh_inputs)

    def needed_models(self) -> Sequence[Sequence[ResolvedModel]]:
        """The models of prompts that may be sent: those have to be ready, and no others."""
        known = {step.path for step in self.plan.steps} | {static_path(step.path) for step in self.plan.steps}
        some = {step.path for step in self.plan.steps if step.action in ("execute", "decide") or not step.sure}
        some |= {static_path(path) for path in some}
        return [choices for path, choices in self.models.items() if path in some or path not in known]


def read_record(reader: TraceReader, run_id: str) -> RunRecord:
    """A run that can be replayed.

    Raises StoreError `run-not-found`; ReplayError: it is still going on, or its chain is not stored.
    """
    record = reader.record(run_id)
    if record is None and reader.trace(run_id, max_bytes=0) is None:
        raise StoreError(
            f"there is no run {run_id} in this database",
            code="run-not-found",
            remedy="open the lab on the database that has it",
        )
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
    _check_asked(edits, scope, on_drift, on_effects)
    stored = _stored_spec(record)
    code = _code_at_hand(stored) if program is None else {}
    base = _with_current_code(stored, code) if program is None else program.spec
    got = {step.path: step.inputs for step in record.steps}
    standing = inherited(record, base)
    new, kept, notes = on_top(place_edits(base, edits, got), standing)
    edited = apply_edits(base, new, got, inherited=kept)
    edited = replace(edited, notes=(*notes, *edited.notes))
    if program is not None:
        _check_inputs(record, edited)
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
        models={path: _model_at_hand(choices) for path, choices in resolved.items()},
        code=_world_code(code, handles, edited.spec),
        unchecked=unchecked,
    )
    plan = plan_replay(record, edited, world, Asked(scope, on_drift, on_effects, program is not None), prepared.plan)
    got |= {old.edit.step: old.inputs for old in standing if old.here}  # what the item gets, not what an edit gives it
    how: Json = {
        "edits": [said(edit, got.get(edit.step, {})) for edit in new],
        "inherited": [said(old.edit, old.inputs) for old in kept],
        "scope": scope,
        "on_drift": on_drift,
        "on_effects": on_effects,
        # Keeping the fork compares it with the chain of the author's files: here that is not the parent's.
        **({} if program is None else {"chain": base.model_dump(mode="json")}),
    }
    fork = Fork(record.run.id, record.run.root_run_id, Value(how))
    return ReadyReplay(plan, prepared, resolved, accepts, handles, fork, refusal(plan, world))


def _check_asked(edits: object, scope: str, on_drift: str, on_effects: str) -> None:
    """What type checkers see, said to those who use none: a word that is not known must not count as another."""
    for name, value, known in (
        ("scope", scope, get_args(Scope)),
        ("on_drift", on_drift, get_args(OnDrift)),
        ("on_effects", on_effects, get_args(OnEffects)),
    ):
        if value not in known:
            raise ReplayError(
                f"{name} is {value!r}", code="bad-option", expected=", ".join(known), remedy="take one of them"
            )
    if not isinstance(edits, (list, tuple)) or not all(isinstance(edit, Edit) for edit in edits):
        raise ReplayError(
            "edits is no list of Edit",
            code="bad-edit",
            got=repr(edits)[:100],
            remedy='write edits=[Edit(step="...", template="...")]',
        )


def _check_inputs(record: RunRecord, edited: Edited) -> None:
    """The author's chain of now may ask for more, or for something else, than the recorded run was given."""
    given = {**edited.spec.defaults, **record.inputs, **edited.inputs}
    for name, schema in edited.spec.inputs.items():
        try:
            if name in given:
                accept_schema(schema)(given[name])
                continue
            wrong = f"the chain takes {name!r}, which run {record.run.id} was not given"
        except InvalidValue as problem:
            wrong = f"input {name!r} of run {record.run.id} does not fit the chain's type of now: {problem}"
        raise ChainError(
            wrong,
            code="run-input",
            step=edited.spec.name,
            expected=describe(schema),
            remedy=f"give it: Edit(step={INPUT!r}, inputs={{{name!r}: ...}})",
        )


@dataclass(frozen=True, slots=True)
class _Code:
    handle: CodeHandle | None
    hash: str | None
    why_not: str


def replayed_prompts(record: RunRecord, edits: Sequence[Edit]) -> tuple[tuple[str, PromptStep], ...]:
    """Every prompt that a replay of the stored chain looks at or sends, edits put in, with its path.

    For whoever does not trust them: no template is parsed here. Raises as `ready_replay`.
    """
    spec = _stored_spec(record)
    got = {step.path: step.inputs for step in record.steps}
    new, kept, _ = on_top(place_edits(spec, edits, got), inherited(record, spec))
    edited = put_edits(spec, new, kept)
    steps = (*walk(edited.spec.steps), *_single(edited).items())
    return tuple((path, step) for path, step in steps if isinstance(step, PromptStep))


def edits_as_recorded(record: RunRecord, edits: Sequence[Edit]) -> list[Json]:
    """Edits as a fork of this run records them. Raises as `ready_replay`."""
    spec = _stored_spec(record)
    got = {step.path: step.inputs for step in record.steps}
    new, _, _ = on_top(place_edits(spec, edits, got), inherited(record, spec))
    return [edit.data() for edit in new]


_loaded = lru_cache(maxsize=8)(load)  # an edit is planned again with every key that somebody types


def _stored_spec(record: RunRecord) -> ChainSpec:
    """The chain of a record. Raises ReplayError `bad-spec`."""
    try:
        return _loaded(record.spec)
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


def _model_at_hand(choices: Sequence[ResolvedModel]) -> ModelAtHand:
    first = choices[0]
    return ModelAtHand(
        identity=identity_of(choices),
        model=first.written or first.model,
        backend=first.backend.name,
        adapter=first.adapter,
        pinned=all(model.backend.pinned for model in choices),
    )


def _world_code(code: Mapping[str, _Code], handles: Mapping[str, CodeHandle], spec: ChainSpec) -> dict[str, CodeAtHand]:
    world = {path: CodeAtHand(one.hash, one.why_not or None) for path, one in code.items()}
    for path, step in walk(spec.steps):
        if isinstance(step, CodeStep) and path not in world and path in handles:
            world[path] = CodeAtHand(step.code_hash)
    return world
