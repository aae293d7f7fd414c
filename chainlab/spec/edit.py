"""Edits of a recorded run: what a replay changes. Data and its application to a spec; knows no run and no record.

An edit of a step as declared changes the spec. An edit of one item or round (`summarise[1]`, `critique@2`) leaves the
spec as it is and puts another step at that one path.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, Field, field_validator
from pydantic_core import PydanticSerializationError

from chainlab.errors import ChainError
from chainlab.spec import schema as types
from chainlab.spec.chain import (
    Block,
    ChainSpec,
    CodeStep,
    MessageSpec,
    PromptStep,
    StepSpec,
    SubChain,
    walk,
)
from chainlab.spec.check import check, output_type, ref_type, visible
from chainlab.spec.expr import ConstExpr, Expr, Frozen, RefExpr
from chainlab.spec.override import with_model
from chainlab.spec.path import static_path
from chainlab.spec.template import TemplateError, compiled
from chainlab.values.codec import Json, encode
from chainlab.values.near import nearest
from chainlab.values.types import InvalidValue, accept_schema

INPUT = "$input"
"""The step of an edit that replaces inputs of the run itself."""

_LENIENT = frozenset({"dead-prompt", "unused-input", "unused-parameter"})  # a waste in a source file, no harm in a fork


class Edit(Frozen):
    """A replacement of one step's template, model, sampling, inputs or recorded output.

    `step` is a path: a step as declared (`summarise`, all its items), one item or round (`summarise[1]`, `critique@2`),
    or `$input` for the run's own inputs; the name of a prompt or function used once means that use. `template` is the
    last user message, `system` the system message. `bind` gives new variables of the template their values: a chain
    input or an upstream output, such as `{"topics": "extract.topics"}`. `inputs` and `output` are JSON.
    """

    step: str
    template: str | None = None
    system: str | None = None
    model: str | None = None
    temperature: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    max_tokens: int | None = Field(default=None, gt=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = None
    stop: tuple[str, ...] | None = None
    bind: dict[str, str] | None = None
    inputs: dict[str, Json] | None = None
    output: Json = None

    @field_validator("inputs", "output", mode="before")
    @classmethod
    def _as_json(cls, value: Any) -> Any:
        """Instances of the author's models may be given as they are."""
        try:
            return _plain(value)
        except RecursionError:  # it is refused where it is used
            return value

    @property
    def sets_output(self) -> bool:
        """Whether the edit gives the step its output by hand (None is an output, too)."""
        return "output" in self.model_fields_set

    @property
    def changes_step(self) -> bool:
        """Whether the edit changes what the step is or gets, so that it has to run."""
        return any(getattr(self, name) is not None for name in _CHANGES)

    def data(self) -> dict[str, Json]:
        """The edit as it is stored: only what it says."""
        return self.model_dump(mode="json", exclude_unset=True)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_computed_fields=True)
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, (list, tuple)) else value


_SAMPLING = ("temperature", "max_tokens", "top_p", "seed", "stop")
_PROMPT_ONLY = ("template", "system", "model", "bind", *_SAMPLING)
_CHANGES = (*_PROMPT_ONLY, "inputs")


@dataclass(frozen=True, slots=True)
class Inherited:
    """An edit by which the record itself was made, and what the step got then (`inputs`: hashes by parameter).

    An edit of an item stays with the item, wherever it stands by now. `here`: that is at the edit's path.
    """

    edit: Edit
    inputs: Mapping[str, bytes]
    here: bool = True


@dataclass(frozen=True, slots=True)
class Lasting:
    """An inherited edit of one item or round, ready to be used where the same inputs come again."""

    path: str
    inputs: Mapping[str, bytes]
    step: PromptStep | CodeStep | None
    output: Json = None


@dataclass(frozen=True, slots=True)
class Edited:
    """A spec with edits in it.

    `replaced`: steps that stand at one path only; `outputs`: outputs set by hand, by path (a declared step's path means
    all its items); `lasting`: inherited ones of single items; `forced`: the paths of newly edited steps; `inputs`:
    replaced inputs of the run; `notes`: what a person should know.
    """

    spec: ChainSpec
    replaced: Mapping[str, PromptStep | CodeStep] = field(default_factory=dict)
    outputs: Mapping[str, Json] = field(default_factory=dict)
    forced: frozenset[str] = frozenset()
    inputs: Mapping[str, Json] = field(default_factory=dict)
    lasting: tuple[Lasting, ...] = ()
    notes: tuple[str, ...] = ()


def apply_edits(
    spec: ChainSpec, edits: Sequence[Edit], known_paths: Iterable[str] = (), *, inherited: Sequence[Inherited] = ()
) -> Edited:
    """Put edits into a spec and check the result as a declaration is checked.

    `known_paths`: the recorded paths, for items and rounds. `inherited`: edits by which the record itself was made;
    they stand, and force nothing. Raises ChainError: no such step, an edit that says nothing or does not fit the
    step's kind, and every mistake of the edited chain.
    """
    edits = place_edits(spec, edits, known_paths)
    edited = put_edits(spec, edits, inherited)
    spec, replaced = edited.spec, edited.replaced
    found = [error for error in check(spec) if error.code not in _LENIENT]
    for path, step in replaced.items():  # checked where the declared step stands
        found += [e for e in check(with_step(spec, static_path(path), step)) if e.code not in _LENIENT]
    if found:
        raise _explained(found[0], spec, edits)
    return replace(edited, notes=tuple(_notes(spec, edits, replaced)))


def put_edits(spec: ChainSpec, edits: Sequence[Edit], inherited: Sequence[Inherited] = ()) -> Edited:
    """Put edits of `place_edits` into a spec, its templates unseen: not one is so much as parsed.

    Raises ChainError: an edit that does not fit the step's kind, or its values their types.
    """
    replaced: dict[str, PromptStep | CodeStep] = {}
    outputs = {old.edit.step: old.edit.output for old in inherited if _is_declared(old.edit) and old.edit.sets_output}
    forced: set[str] = set()
    inputs: dict[str, Json] = {}
    for edit in edits:
        if edit.step == INPUT:
            inputs |= _run_inputs(spec, edit)
            continue
        steps = dict(walk(spec.steps))
        path, static = edit.step, static_path(edit.step)
        if path != static and static in outputs:
            raise _refusal(
                edit, "bad-edit", f"the output of every {static!r} is set by hand", f"edit {static!r} as a whole"
            )
        forced.add(path)
        if edit.sets_output:
            schema = output_type(_chain_of(spec, static), steps[static])
            _check_fits(edit, f"the output of {path!r}", edit.output, schema)
            outputs[path] = edit.output
            continue
        changed = _changed(spec, static, steps[static], edit, whole=path == static)
        if path != static:
            replaced[path] = changed
            continue
        spec = with_step(spec, static, changed)
        if edit.model is not None:
            spec = with_model(spec, static, edit.model)
    lasting = tuple(_lasting(spec, old) for old in inherited if not _is_declared(old.edit))
    return Edited(spec, replaced, outputs, frozenset(forced), inputs, lasting)


def _is_declared(edit: Edit) -> bool:
    return static_path(edit.step) == edit.step


def place_edits(spec: ChainSpec, edits: Sequence[Edit], known_paths: Iterable[str] = ()) -> tuple[Edit, ...]:
    """One edit per step, under the step's path, however it was named; those of declared steps before those of items.

    Raises ChainError: no such step, an edit that says nothing, two that say the same or contradict each other.
    """
    recorded = frozenset(known_paths)
    steps = dict(walk(spec.steps))
    placed: dict[str, Edit] = {}
    for edit in edits:
        path = INPUT if edit.step == INPUT else _path_of(edit, steps, recorded)
        edit = edit.model_copy(update={"step": path})
        before = placed.get(path)
        both = edit if before is None else merged(before, edit)
        if before is not None and len(_says(both)) < len(_says(before)) + len(_says(edit)):
            again = ", ".join(sorted(_says(before) & _says(edit)))
            raise _refusal(edit, "bad-edit", f"two edits of this step say its {again}", "say it once")
        _check_says(both)
        placed[path] = both
    return tuple(sorted(placed.values(), key=lambda edit: not _is_declared(edit)))


def merged(first: Edit, second: Edit) -> Edit:
    """What two edits of a step say together; what both say, as the second does."""
    data = {**first.data(), **second.data()}
    for name in ("bind", "inputs"):
        both = {**(getattr(first, name) or {}), **(getattr(second, name) or {})}
        data |= {name: both} if both else {}
    return Edit.model_validate(data)


def _says(edit: Edit) -> frozenset[str]:
    """What an edit says, by names for people."""
    names = {name for name in _CHANGES if getattr(edit, name) is not None} - {"bind", "inputs"}
    names |= {f"bind {name}" for name in edit.bind or ()} | {f"input {name}" for name in edit.inputs or ()}
    return frozenset(names | {"output"} if edit.sets_output else names)


def _check_says(edit: Edit) -> None:
    says = _says(edit)
    if not says:
        raise _refusal(edit, "empty-edit", "the edit changes nothing", "give it a template, a model, inputs, ...")
    if edit.step != INPUT:
        try:  # what is not text or not JSON cannot be stored with a chain
            edit.model_copy(update={"output": None}).model_dump_json()
        except (PydanticSerializationError, ValueError, RecursionError) as error:
            raise _refusal(
                edit, "bad-edit", f"the edit cannot be stored: {error}", "write whole characters, and plain JSON"
            ) from None
    if "output" in says and len(says) > 1:
        raise _refusal(edit, "bad-edit", "an edit sets the output and changes the step", "make it one or the other")


def _lasting(spec: ChainSpec, old: Inherited) -> Lasting:
    static = static_path(old.edit.step)
    if old.edit.sets_output:
        return Lasting(old.edit.step, old.inputs, None, old.edit.output)
    step = _changed(spec, static, dict(walk(spec.steps))[static], old.edit, whole=False)
    return Lasting(old.edit.step, old.inputs, step)


_NAMED = 20  # steps, in a message


def _path_of(edit: Edit, steps: Mapping[str, StepSpec], recorded: frozenset[str]) -> str:
    path = edit.step
    if path in steps or (static_path(path) in steps and path in recorded):
        return path
    uses = [place for place, step in steps.items() if isinstance(step, (PromptStep, CodeStep)) and step.step == path]
    if len(uses) == 1:
        return uses[0]
    near = nearest(path, (*steps, *recorded))
    items = sorted(place for place in recorded if static_path(place) == static_path(path))
    raise _refusal(
        edit,
        "unknown-step",
        f"the run has no step {path!r}" if static_path(path) in steps else f"the chain has no step {path!r}",
        f"did you mean {near[0]!r}?" if near else "take a path from `chainlab show RUN`",
        expected=f"one of: {', '.join((uses or items or list(steps))[:_NAMED])}",
    )


def _check_fits(edit: Edit, what: str, value: Json, schema: Mapping[str, Any]) -> None:
    try:
        encode(value)
        accept_schema(schema)(value)
    except (InvalidValue, TypeError, RecursionError) as wrong:
        raise _refusal(
            edit,
            "wrong-type",
            f"{what} does not fit its type: {str(wrong)[:200]}",
            "give a value of that type",
            expected=types.describe(schema),
            got=reprlib.repr(value),
        ) from None


def _changed(spec: ChainSpec, static: str, step: StepSpec, edit: Edit, *, whole: bool) -> PromptStep | CodeStep:
    if not isinstance(step, (PromptStep, CodeStep)):
        raise _refusal(
            edit,
            "bad-edit",
            f"{edit.step!r} is of kind {step.kind!r}: it has no template and no inputs of its own",
            "edit a step inside it, or set its output by hand",
        )
    update: dict[str, Any] = {}
    if isinstance(step, CodeStep):
        wrong = [name for name in _PROMPT_ONLY if getattr(edit, name) is not None]
        if wrong:
            raise _refusal(
                edit,
                "bad-edit",
                f"{edit.step!r} is a Python step: it has no {', '.join(wrong)}",
                "edit its inputs, set its output by hand, or change the function in its file",
            )
    else:
        update = _prompt_changes(step, edit)
        if edit.bind:
            if not whole:
                raise _refusal(edit, "bad-edit", "bind changes how the step is wired", f"edit {static!r} as a whole")
            update |= _bound(spec, static, step, edit.bind)
    if edit.inputs is not None:
        update["args"] = {**(update.get("args") or step.args), **_constants(step, edit)}
    return step.model_copy(update=update)


def _prompt_changes(step: PromptStep, edit: Edit) -> dict[str, Any]:
    update: dict[str, Any] = {}
    messages = list(step.messages)
    if edit.template is not None:
        at = max((i for i, message in enumerate(messages) if message.role == "user"), default=None)
        if at is None:
            messages.append(MessageSpec(role="user", template=edit.template))
        else:
            messages[at] = messages[at].model_copy(update={"template": edit.template})
    if edit.system is not None:
        at = next((i for i, message in enumerate(messages) if message.role == "system"), None)
        if at is None:
            messages.insert(0, MessageSpec(role="system", template=edit.system))
        else:
            messages[at] = messages[at].model_copy(update={"template": edit.system})
    update["messages"] = tuple(messages)
    if edit.model is not None:
        update["model"] = (edit.model,)
    sampling = {name: getattr(edit, name) for name in _SAMPLING if getattr(edit, name) is not None}
    update["sampling"] = step.sampling.model_copy(update=sampling)
    return update


_EXPRESSION = re.compile(r"(?P<name>\w+(?:~\d+)?)(?P<rest>(?:\.\w+|\[\d+\])*)")


def parse_ref(text: str) -> tuple[str, tuple[str | int, ...]]:
    """`extract.topics[0]` as a name and a path below it. Raises ValueError."""
    found = _EXPRESSION.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    parts = re.findall(r"\.(\w+)|\[(\d+)\]", found["rest"])
    return found["name"], tuple(name if name else int(index) for name, index in parts)


def _bound(spec: ChainSpec, static: str, step: PromptStep, bind: Mapping[str, str]) -> dict[str, Any]:
    """New variables: a parameter with the type of what it is bound to, and the argument."""
    chain = _chain_of(spec, static)
    env = visible(chain, step.name)
    params, args = dict(step.params), dict(step.args)
    for variable, text in bind.items():
        got = f"{variable}={text!r}"
        if not variable.isidentifier():
            raise ChainError(
                f"{variable!r} is no name of a variable", code="bad-bind", step=step.name, remedy="bind a plain name"
            )
        try:
            name, path = parse_ref(text)
        except ValueError:
            raise ChainError(
                f"{text!r} names no value of the chain",
                code="bad-bind",
                expected="a chain input or an upstream step, with fields: extract.topics[0]",
                remedy="write the name of an input or a step",
                step=step.name,
                got=got,
            ) from None
        of = next((of for of in ("step", "input") if (of, name) in env), None)
        if of is None and any(other.name == name for _, other in walk(chain.steps)):
            of = "step"  # downstream: the check says that this makes a circle
        if of is None:
            known = sorted(known for kind, known in env if kind in ("step", "input"))
            near = nearest(name, known)
            raise ChainError(
                f"there is no input and no upstream step {name!r} here",
                code="dangling-ref",
                expected=f"one of: {', '.join(known)}",
                remedy=f"did you mean {near[0]!r}?" if near else "name one of them",
                step=step.name,
                got=got,
            )
        ref = RefExpr(of="step" if of == "step" else "input", name=name, path=path)
        args[variable] = ref
        params[variable] = dict(ref_type(chain, ref, env)) if (of, name) in env else {}
    return {"params": params, "args": args}


def _constants(step: PromptStep | CodeStep, edit: Edit) -> dict[str, Expr]:
    out: dict[str, Expr] = {}
    for name, value in (edit.inputs or {}).items():
        if name not in step.params:
            near = nearest(name, step.params)
            raise _refusal(
                edit,
                "extra-argument",
                f"{edit.step!r} has no input {name!r}",
                f"did you mean {near[0]!r}?" if near else "name one of its inputs",
                expected=f"one of: {', '.join(step.params)}",
            )
        _check_fits(edit, f"input {name!r}", value, step.params[name])
        out[name] = ConstExpr(value=value)
    return out


def _run_inputs(spec: ChainSpec, edit: Edit) -> dict[str, Json]:
    if edit.inputs is None or edit.sets_output or any(getattr(edit, name) is not None for name in _PROMPT_ONLY):
        raise _refusal(edit, "bad-edit", f"an edit of {INPUT!r} has inputs and nothing else", "give it inputs={...}")
    for name, value in edit.inputs.items():
        if name not in spec.inputs:
            raise _refusal(
                edit,
                "extra-argument",
                f"chain {spec.name!r} has no input {name!r}",
                "name one of its inputs",
                expected=f"one of: {', '.join(spec.inputs)}",
            )
        _check_fits(edit, f"input {name!r}", value, spec.inputs[name])
    return dict(edit.inputs)


def with_step(spec: ChainSpec, static: str, step: PromptStep | CodeStep) -> ChainSpec:
    """The spec with another step at a declared path."""
    head, slash, rest = static.partition("/")

    def put(old: StepSpec) -> StepSpec:
        if slash and isinstance(old, SubChain) and old.name == head:
            return old.model_copy(update={"chain": with_step(old.chain, rest, step)})
        if not slash and old.name == head:
            return step
        return _with_bodies(old, put)

    return spec.changed({"steps": tuple(put(old) for old in spec.steps)})


def _with_bodies(step: StepSpec, put: Any) -> StepSpec:
    def body(block: Block) -> Block:
        return block.model_copy(update={"steps": tuple(put(inner) for inner in block.steps)})

    match step.kind:
        case "each":
            return step.model_copy(update={"body": body(step.body)})
        case "when":
            otherwise = None if step.otherwise is None else body(step.otherwise)
            return step.model_copy(update={"then": body(step.then), "otherwise": otherwise})
        case "route":
            otherwise = None if step.otherwise is None else body(step.otherwise)
            cases = tuple(case.model_copy(update={"body": body(case.body)}) for case in step.cases)
            return step.model_copy(update={"cases": cases, "otherwise": otherwise})
        case "refine":
            return step.model_copy(update={"review": body(step.review), "improve": body(step.improve)})
        case _:
            return step


def _chain_of(spec: ChainSpec, static: str) -> ChainSpec:
    """The chain or sub-chain in which a declared path stands."""
    head, slash, rest = static.partition("/")
    if not slash:
        return spec
    inner = dict(walk(spec.steps))[head]
    assert isinstance(inner, SubChain)
    return _chain_of(inner.chain, rest)


def _explained(error: ChainError, spec: ChainSpec, edits: Sequence[Edit]) -> ChainError:
    """The error of the check; where an unknown variable has the name of a value of the chain, binding it is offered."""
    for edit in edits:
        if error.code != "template-variable" or edit.template is None or edit.bind is not None:
            continue
        static = static_path(edit.step)
        steps = dict(walk(spec.steps))
        if static not in steps or error.got is None:
            continue
        env = visible(_chain_of(spec, static), steps[static].name)
        if ("step", error.got) in env or ("input", error.got) in env:
            error.remedy = f"bind it: bind={{{error.got!r}: {error.got!r}}}, or --bind {error.got}={error.got}"
    return error


def _notes(spec: ChainSpec, edits: Sequence[Edit], replaced: Mapping[str, StepSpec]) -> Iterable[str]:
    steps = {**dict(walk(spec.steps)), **replaced}
    for edit in edits:
        step = steps.get(edit.step)
        if edit.template is None and edit.system is None or not isinstance(step, PromptStep):
            continue
        used: set[str] = set()
        for message in step.messages:
            try:
                used |= compiled(message.template).variables
            except TemplateError:
                return
        for name in step.params:
            if name not in used:
                anymore = "" if name in (edit.bind or {}) else " any more"
                yield f"{edit.step}: the edited template does not use {name!r}{anymore}"


def _refusal(
    edit: Edit, code: str, message: str, remedy: str, *, expected: str | None = None, got: str | None = None
) -> ChainError:
    return ChainError(message, code=code, step=edit.step, expected=expected, got=got, remedy=remedy)
