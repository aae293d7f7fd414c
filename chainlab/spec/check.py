"""Every check that needs only the spec: one set of messages for declaration, chains loaded from JSON, and replays.

Errors are ChainErrors at the place where a step is called or declared, as far as the spec knows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from chainlab.errors import ChainError
from chainlab.spec import schema as types
from chainlab.spec.chain import (
    Block,
    ChainSpec,
    CodeStep,
    EachStep,
    PromptStep,
    RefineStep,
    RouteStep,
    SourceRef,
    StepSpec,
    SubChain,
    WhenStep,
    blocks,
    walk,
)
from chainlab.spec.expr import (
    Condition,
    ConstExpr,
    Expr,
    ListExpr,
    ObjectExpr,
    Present,
    RefExpr,
    Truth,
    condition_refs,
    refs,
    write,
)
from chainlab.spec.feedback import FEEDBACK_VARIABLES
from chainlab.spec.template_check import check_template, unused_variables
from chainlab.values.codec import encode
from chainlab.values.near import nearest

Key = tuple[str, str]
"""What a ref points at: (`input` | `step` | `var`, name)."""


@dataclass
class _Checker:
    spec: ChainSpec
    errors: list[ChainError] = field(default_factory=list)
    used: set[Key] = field(default_factory=set)
    wanted: str | None = None  # the step whose surroundings are asked for
    templates: bool = True  # types are known without them, and one may be costly to look at
    seen: Mapping[Key, types.Schema] = field(default_factory=dict)

    def say(
        self,
        code: str,
        message: str,
        place: SourceRef | None,
        remedy: str,
        *,
        step: str | None = None,
        expected: str | None = None,
        got: str | None = None,
    ) -> None:
        place = place or self.spec.source
        self.errors.append(
            ChainError(
                message,
                code=code,
                remedy=remedy,
                step=step or self.spec.name,
                expected=expected,
                got=got,
                file=place.file if place else None,
                line=place.line if place else None,
            )
        )


def first_error(spec: ChainSpec) -> ChainError | None:
    """The first mistake of a chain in the order of its source, or None."""
    errors = check(spec)
    return min(errors, key=lambda error: (error.code in _LATE, error.line or 0)) if errors else None


_LATE = frozenset({"dead-prompt", "unused-input"})  # often only what another mistake leaves behind


def check(spec: ChainSpec) -> list[ChainError]:
    """All mistakes of a chain."""
    checker = _Checker(spec)
    _names(checker)
    env: dict[Key, types.Schema] = {("input", name): schema for name, schema in spec.inputs.items()}
    _block(checker, spec.steps, env)
    _result(checker, spec, env)
    if not checker.errors:
        _unused(checker, spec)
    return checker.errors


def visible(spec: ChainSpec, name: str) -> Mapping[Key, types.Schema]:
    """What the step of that name in a chain (not in its sub-chains) may refer to, each with its type."""
    checker = _Checker(spec, wanted=name, templates=False)
    env: dict[Key, types.Schema] = {("input", known): schema for known, schema in spec.inputs.items()}
    _block(checker, spec.steps, env)
    return checker.seen


def output_type(spec: ChainSpec, step: StepSpec) -> types.Schema:
    """The type of what a step of a chain (not of its sub-chains) gives, whatever its kind."""
    return _step(_Checker(spec, templates=False), step, dict(visible(spec, step.name)))


def ref_type(spec: ChainSpec, ref: RefExpr, env: Mapping[Key, types.Schema]) -> types.Schema:
    """The type of a ref where `env` is visible. Raises ChainError: nothing of that name, no such field."""
    checker = _Checker(spec)
    found = _ref_type(checker, ref, env, None, None)
    if found is None:
        raise checker.errors[0]
    return found


def _names(checker: _Checker) -> None:
    seen: set[str] = set()
    for path, step in walk(checker.spec.steps):
        if path in seen:
            checker.say(
                "duplicate-name",
                f"two steps are named {path!r}",
                step.called or step.source,
                "give each step a name of its own",
                step=path,
            )
        seen.add(path)


def order(steps: tuple[StepSpec, ...]) -> list[StepSpec]:
    """The steps of a block so that each follows those it uses; ties in declaration order.

    Raises graphlib.CycleError.
    """
    by_name = {step.name: step for step in steps}
    graph: TopologicalSorter[str] = TopologicalSorter()
    for step in steps:
        graph.add(step.name, *(ref.name for ref in step_refs(step) if ref.of == "step" and ref.name in by_name))
    return [by_name[name] for name in graph.static_order()]


def step_refs(step: StepSpec) -> Iterator[RefExpr]:
    """Every ref of a step, its bodies included."""
    match step:
        case PromptStep() | CodeStep() | SubChain():
            for arg in step.args.values():
                yield from refs(arg)
        case EachStep():
            yield from refs(step.items)
        case WhenStep():
            yield from condition_refs(step.condition)
        case RouteStep():
            yield from refs(step.value)
        case RefineStep():
            yield from refs(step.draft)
            yield from condition_refs(step.accept)
    for _, body in blocks(step):
        for inner in body.steps:
            yield from step_refs(inner)
        yield from refs(body.output)


def _block(checker: _Checker, steps: tuple[StepSpec, ...], env: dict[Key, types.Schema]) -> None:
    """Check the steps of a block; `env` gains their outputs."""
    try:
        ordered = order(steps)
    except CycleError as error:
        names = [str(name) for name in error.args[1]]
        checker.say(
            "cycle",
            f"the steps depend on each other in a circle: {' -> '.join(names)}",
            next((s.called or s.source for s in steps if s.name in names), None),
            "break the circle, or use refine(...) for a bounded loop",
            step=names[0],
        )
        env |= {("step", step.name): {} for step in steps}  # nothing more to say about what uses them
        return
    for step in ordered:
        env[("step", step.name)] = _step(checker, step, env)


def _step(checker: _Checker, step: StepSpec, env: dict[Key, types.Schema]) -> types.Schema:
    if step.name == checker.wanted:
        checker.seen = dict(env)
    match step:
        case PromptStep():
            _templates(checker, step)
            _args(checker, step, step.params, step.args, env, frozenset())
            return step.output
        case CodeStep():
            _args(checker, step, step.params, step.args, env, frozenset())
            return step.output
        case SubChain():
            checker.errors += check(step.chain) if checker.templates else []
            _args(checker, step, step.chain.inputs, step.args, env, frozenset(step.chain.defaults))
            return step.chain.output_schema
        case EachStep():
            return _each(checker, step, env)
        case WhenStep():
            _condition(checker, step, step.condition, env)
            known = _present(step.condition)  # `given` narrows an Optional in its first body
            outputs = [_body(checker, body, env, known if role == "then" else {}) for role, body in blocks(step)]
            return types.union(*outputs) if step.otherwise else types.optional(outputs[0])
        case RouteStep():
            return _route(checker, step, env)
        case RefineStep():
            return _refine(checker, step, env)


def _body(
    checker: _Checker, body: Block, env: Mapping[Key, types.Schema], variables: Mapping[Key, types.Schema]
) -> types.Schema:
    inner = {**env, **variables}
    _block(checker, body.steps, inner)
    return _type(checker, body.output, inner, None, None) or {}


def _each(checker: _Checker, step: EachStep, env: Mapping[Key, types.Schema]) -> types.Schema:
    place = step.called or step.source
    items = _type(checker, step.items, env, place, step.name)
    element = types.item(items) if items is not None else {}
    if element is None:
        checker.say(
            "bad-iterable",
            f"each(...) runs over {write(step.items)!r}, which is no list",
            place,
            "give it a list",
            step=step.name,
            expected="a list",
            got=types.describe(items or {}),
        )
    output = _body(checker, step.body, env, {("var", f"{step.name}.item"): element or {}})
    return types.list_of(types.optional(output) if step.on_error == "keep" else output)


def _refine(checker: _Checker, step: RefineStep, env: Mapping[Key, types.Schema]) -> types.Schema:
    place = step.called or step.source
    draft = _type(checker, step.draft, env, place, step.name) or {}
    variables: dict[Key, types.Schema] = {("var", f"{step.name}.draft"): draft}
    review = _body(checker, step.review, env, variables)
    variables[("var", f"{step.name}.review")] = review
    _condition(checker, step, step.accept, {**env, **variables})
    improved = _body(checker, step.improve, env, variables)
    wrong = types.assignable(improved, draft)
    if wrong is not None:
        checker.say(
            "wrong-type",
            f"improve of refine(...) gives another type than the draft{_at(wrong)}",
            place,
            "let improve give a new draft of the same type",
            step=step.name,
            expected=wrong.expected,
            got=wrong.got,
        )
    return refined_schema(draft, review)


def refined_schema(draft: types.Schema, review: types.Schema) -> types.Schema:
    """The type of what `refine` gives."""
    fields = {"value": draft, "review": review, "accepted": {"type": "boolean"}, "rounds": {"type": "integer"}}
    return types.object_of(fields, "Refined")


def _route(checker: _Checker, step: RouteStep, env: Mapping[Key, types.Schema]) -> types.Schema:
    place = step.called or step.source
    value = _type(checker, step.value, env, place, step.name) or {}
    closed = types.labels(value)
    given = [case.label for case in step.cases]
    if closed is not None:
        known = {encode(label) for label in closed}
        for label in given:
            if encode(label) not in known:
                near = nearest(str(label), [str(other) for other in closed])
                checker.say(
                    "route-label",
                    f"{write(step.value)!r} can never be {label!r}",
                    place,
                    f"did you mean {near[0]!r}?" if near else "remove the case",
                    step=step.name,
                    expected=types.describe(value),
                    got=repr(label),
                )
        missing = [label for label in closed if encode(label) not in {encode(other) for other in given}]
        if missing and step.otherwise is None:
            checker.say(
                "route-not-exhaustive",
                f"route(...) on {write(step.value)!r} has no case for {', '.join(map(repr, missing))}",
                place,
                "add the case, or otherwise=lambda: ...",
                step=step.name,
                expected=types.describe(value),
                got=", ".join(map(repr, given)),
            )
    elif step.otherwise is None:
        checker.say(
            "route-not-exhaustive",
            f"{write(step.value)!r} may have any value of its type, and route(...) has no otherwise=",
            place,
            "add otherwise=lambda: ..., or make the type a Literal or an enum",
            step=step.name,
            expected="a Literal, an enum or a bool",
            got=types.describe(value),
        )
    return types.union(*(_body(checker, body, env, {}) for _, body in blocks(step)))


def _condition(checker: _Checker, step: StepSpec, condition: Condition, env: Mapping[Key, types.Schema]) -> None:
    place = step.called or step.source
    for ref in condition_refs(condition):
        _type(checker, ref, env, place, step.name)
    if isinstance(condition, Truth):
        found = _type(checker, condition.value, env, place, step.name)
        wrong = types.assignable(found, {"type": "boolean"}) if found else None
        if wrong is not None:
            checker.say(
                "bad-condition",
                f"{write(condition.value)!r} is no condition",
                place,
                "compare it, or take a bool",
                step=step.name,
                expected="bool",
                got=wrong.got,
            )


def _args(
    checker: _Checker,
    step: PromptStep | CodeStep | SubChain,
    params: Mapping[str, types.Schema],
    args: Mapping[str, Expr],
    env: Mapping[Key, types.Schema],
    optional: frozenset[str],
) -> None:
    place = step.called or step.source
    for name in params.keys() - args.keys() - optional:
        checker.say(
            "missing-argument", f"no value for parameter {name!r}", place, f"give {name}", step=step.name, expected=name
        )
    for name, expr in args.items():
        if name not in params:
            near = nearest(name, params)
            checker.say(
                "extra-argument",
                f"there is no parameter {name!r}",
                place,
                f"did you mean {near[0]!r}?" if near else f"remove {name}",
                step=step.name,
                expected=f"one of: {', '.join(params)}",
                got=name,
            )
            continue
        found = _type(checker, expr, env, place, step.name)
        wrong = types.assignable(found, params[name]) if found is not None else None
        if wrong is not None:
            checker.say(
                "wrong-type",
                f"argument {name!r} gets {write(expr)!r}, which is of another type{_at(wrong)}",
                place,
                _type_remedy(found or {}, params[name]),
                step=step.name,
                expected=wrong.expected,
                got=wrong.got,
            )


def _type_remedy(got: types.Schema, expected: types.Schema) -> str:
    items, wanted = types.item(got), types.item(expected)
    if items and wanted and types.nullable(items) and types.assignable(types.without_null(items), wanted) is None:
        return 'an item may be None: say so in the type (list[T | None]), or use on_error="drop"'
    if types.nullable(got) and types.assignable(types.without_null(got), expected) is None:
        return "it may be None: use given(value, then=lambda v: ..., otherwise=lambda: ...)"
    item = types.item(got)
    if item and types.assignable(item, expected) is None:
        return "it is a list: use each(items, lambda item: ...) to run the step for every item"
    return "pass a value of the expected type, take one of its fields, or convert it in a @step function"


def _at(wrong: types.Mismatch) -> str:
    return f" at {wrong.where}" if wrong.where else ""


def _type(
    checker: _Checker, expr: Expr, env: Mapping[Key, types.Schema], place: SourceRef | None, step: str | None
) -> types.Schema | None:
    """The type of an expression; None after an error that is already said."""
    match expr:
        case RefExpr():
            return _ref_type(checker, expr, env, place, step)
        case ConstExpr():
            return const_schema(expr.value)
        case ListExpr():
            parts = [_type(checker, item, env, place, step) for item in expr.items]
            return None if any(part is None for part in parts) else types.tuple_of(*(part or {} for part in parts))
        case ObjectExpr():
            fields = {key: _type(checker, value, env, place, step) for key, value in expr.fields.items()}
            if any(part is None for part in fields.values()):
                return None
            return types.object_of({key: part or {} for key, part in fields.items()}, expr.title)


def _ref_type(
    checker: _Checker, ref: RefExpr, env: Mapping[Key, types.Schema], place: SourceRef | None, step: str | None
) -> types.Schema | None:
    key = (ref.of, ref.name)
    checker.used.add(key)
    if key not in env:
        names = [name for of, name in env if of != "present"]
        near = nearest(ref.name, names)
        checker.say(
            "dangling-ref",
            f"there is no {ref.of} {ref.name!r} here",
            place,
            f"did you mean {near[0]!r}?" if near else "refer to a chain input or an upstream step",
            step=step,
            expected=f"one of: {', '.join(sorted(names))}",
            got=write(ref),
        )
        return None
    schema = env[key]
    for index, part in enumerate(ref.path):
        if _narrowed(ref, index) in env:
            schema = types.without_null(schema)
        found = types.child(schema, part)
        if isinstance(found, types.NoField):
            shown = write(RefExpr(of=ref.of, name=ref.name, path=ref.path[:index]))
            near = nearest(str(part), found.known)
            checker.say(
                "unknown-field",
                f"{shown!r} is {found.type}, which has no field {part!r}",
                place,
                found.reason or (f"did you mean {near[0]!r}?" if near else "use one of its fields"),
                step=step,
                expected=f"one of: {', '.join(found.known)}" if found.known else None,
                got=write(ref),
            )
            return None
        schema = found
    return types.without_null(schema) if _narrowed(ref, len(ref.path)) in env else schema


def _narrowed(ref: RefExpr, length: int) -> Key:
    return ("present", f"{ref.of} {write(RefExpr(of=ref.of, name=ref.name, path=ref.path[:length]))}")


def _present(condition: Condition) -> dict[Key, types.Schema]:
    if isinstance(condition, Present) and isinstance(condition.value, RefExpr):
        return {_narrowed(condition.value, len(condition.value.path)): {}}
    return {}


def const_schema(value: object) -> types.Schema:
    """The type of one JSON value."""
    if isinstance(value, list):
        return types.tuple_of(*(const_schema(item) for item in value))
    if isinstance(value, dict):
        return types.object_of({key: const_schema(item) for key, item in value.items()})
    if value is None:
        return {"type": "null"}
    name = {bool: "boolean", int: "integer", float: "number", str: "string"}[type(value)]
    return {"type": name, "const": value}


def _templates(checker: _Checker, step: PromptStep) -> None:
    if not checker.templates:
        return
    unused = set(step.params)
    for message in step.messages:
        right = _template(checker, step, message.template, step.params, "template", message.source)
        unused &= set(unused_variables(message.template, step.params)) if right else set()
    if step.feedback is not None:
        _template(checker, step, step.feedback, FEEDBACK_VARIABLES, "feedback template", None)
    for name in sorted(unused):
        checker.say(
            "unused-parameter",
            f"parameter {name!r} stands nowhere in the template",
            step.source,
            f"use {{{{ {name} }}}} or remove the parameter",
            step=step.step,
        )


def _template(
    checker: _Checker,
    step: PromptStep,
    text: str,
    params: Mapping[str, types.Schema],
    which: str,
    source: SourceRef | None,
) -> bool:
    """Whether a template is right; what is wrong with it is said."""
    problems = check_template(text, params)
    for problem in problems:
        checker.say(
            problem.code,
            f"{problem.message} (line {problem.line} of the {which})",
            source or step.source,
            problem.remedy,
            step=step.step,
            expected=problem.expected,
            got=problem.got,
        )
    return not problems


def _result(checker: _Checker, spec: ChainSpec, env: Mapping[Key, types.Schema]) -> None:
    found = _type(checker, spec.output, env, spec.source, None)
    wrong = types.assignable(found, spec.output_schema) if found is not None else None
    if wrong is not None:
        checker.say(
            "wrong-type",
            f"chain {spec.name!r} returns {write(spec.output)!r}, which is of another type than it says{_at(wrong)}",
            spec.source,
            _type_remedy(found or {}, spec.output_schema),
            expected=wrong.expected,
            got=wrong.got,
        )


def _unused(checker: _Checker, spec: ChainSpec) -> None:
    used = {(ref.of, ref.name) for step in spec.steps for ref in step_refs(step)}
    used |= {(ref.of, ref.name) for ref in refs(spec.output)}
    for step in _flat(spec.steps):
        if ("step", step.name) in used or _has_code(step):
            continue
        prompts = [inner for inner in _flat((step,)) if isinstance(inner, PromptStep)]
        named = prompts[0].step if prompts else step.name
        checker.say(
            "dead-prompt",
            f"nothing uses the output of {named!r}: its calls would be paid for nothing",
            step.called or step.source,
            "use its output, or remove the call",
            step=step.name,
            expected="an output that another step uses, or that the chain returns",
            got=f"{step.name}, which nothing uses",
        )
    for name in spec.inputs:
        if ("input", name) not in used:
            checker.say(
                "unused-input",
                f"chain {spec.name!r} takes {name!r} and uses it nowhere",
                spec.source,
                f"pass {name} to a step, or remove it",
                expected="inputs that a step uses, or that the chain returns",
                got=name,
            )


def _flat(steps: tuple[StepSpec, ...]) -> Iterator[StepSpec]:
    """Steps with those of their bodies, sub-chains not opened."""
    for step in steps:
        yield step
        for _, body in blocks(step):
            yield from _flat(body.steps)


def _has_code(step: StepSpec) -> bool:
    return any(isinstance(inner, CodeStep) for _, inner in walk((step,)))
