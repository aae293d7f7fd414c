"""when, given, route, not_: branches of a chain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, overload

import typing_extensions

from chainlab.declare.bodies import check_function, close_body, new_ref, open_scope
from chainlab.declare.ref import as_condition, condition_of, is_ref, usable
from chainlab.declare.scope import Scope, called_at, refuse
from chainlab.spec import schema as types
from chainlab.spec.chain import RouteCase, RouteStep, WhenStep
from chainlab.spec.expr import Present, RefExpr
from chainlab.values.codec import Json
from chainlab.values.types import to_json

T = TypeVar("T")
U = TypeVar("U")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")
G = TypeVar("G")
H = TypeVar("H")
N = typing_extensions.TypeVar("N", default=None)
Label = TypeVar("Label", bound=str | int | bool | Enum | None)


@overload
def when(condition: bool, /, then: Callable[[], A], otherwise: Callable[[], B]) -> A | B: ...
@overload
def when(condition: bool, /, then: Callable[[], A]) -> A | None: ...
def when(condition: Any, /, then: Any, otherwise: Any = None) -> Any:
    """Run `then` if the condition holds, else `otherwise`; without `otherwise` the result may be None."""
    scope = open_scope("when")
    called = called_at(scope)
    return _when(scope, condition_of(as_condition(condition)), then, otherwise, None, "when", called)


def _nothing() -> None:
    """Stands for `otherwise=` left out."""


# One signature with a defaulted type variable: with overloads mypy takes the lambda's parameter for Any.
def given(
    value: T | None,
    /,
    then: Callable[[T], A],
    otherwise: Callable[[], N] = _nothing,  # type: ignore[assignment]  # N is None exactly then
) -> A | N:
    """Run `then` with the value if it is not None, else `otherwise`: narrows an Optional."""
    scope = open_scope("given")
    called = called_at(scope)
    if not is_ref(value):
        refuse(  # a constant needs no branch
            "bad-condition",
            "given(...) takes a value of the chain",
            expected="a step's output that may be None",
            got=f"{type(value).__name__} {value!r}"[:80],
            remedy="for a constant, write Python's own if outside the chain",
        )
    known = usable(value)
    other = None if otherwise is _nothing else otherwise
    narrowed: Any = new_ref(scope, known.frame, known.expr, types.without_null(known.schema), _without_none(known.tp))
    result: A | N = _when(scope, Present(value=known.expr), then, other, narrowed, "given", called)
    return result


def _when(scope: Scope, condition: Any, then: Any, otherwise: Any, value: Any, what: str, called: Any) -> Any:
    check_function(what, "then", then, 0 if value is None else 1)
    if otherwise is not None:
        check_function(what, "otherwise", otherwise, 0)
    name = scope.unique("when")
    with scope.block(f"{what} (then)") as frame:
        yes, yes_out = close_body(scope, frame, then() if value is None else then(value), what)
    no, no_schema, no_tp = None, {"type": "null"}, type(None)
    if otherwise is not None:
        with scope.block(f"{what} (otherwise)") as frame:
            no, no_out = close_body(scope, frame, otherwise(), what)
            no_schema, no_tp = dict(no_out.schema), no_out.tp
    scope.frame.steps.append(WhenStep(name=name, called=called, condition=condition, then=yes, otherwise=no))
    tp = yes_out.tp if yes_out.tp == no_tp else None
    return new_ref(scope, scope.frame, RefExpr(of="step", name=name), types.union(yes_out.schema, no_schema), tp)


def _without_none(tp: Any) -> Any:
    if get_origin(tp) in (Union, UnionType):
        rest = [arg for arg in get_args(tp) if arg is not type(None)]
        return rest[0] if len(rest) == 1 else None
    return tp


@overload
def route(value: Label, cases: Mapping[Label, Callable[[], T]], /) -> T: ...
@overload
def route(value: Label, cases: Mapping[Label, Callable[[], T]], /, *, otherwise: Callable[[], U]) -> T | U: ...
@overload
def route(value: Label, c1: tuple[Label, Callable[[], A]], c2: tuple[Label, Callable[[], B]], /) -> A | B: ...
@overload
def route(
    value: Label,
    c1: tuple[Label, Callable[[], A]],
    c2: tuple[Label, Callable[[], B]],
    c3: tuple[Label, Callable[[], C]],
    /,
) -> A | B | C: ...
@overload
def route(
    value: Label,
    c1: tuple[Label, Callable[[], A]],
    c2: tuple[Label, Callable[[], B]],
    c3: tuple[Label, Callable[[], C]],
    c4: tuple[Label, Callable[[], D]],
    /,
) -> A | B | C | D: ...
@overload
def route(
    value: Label,
    c1: tuple[Label, Callable[[], A]],
    c2: tuple[Label, Callable[[], B]],
    c3: tuple[Label, Callable[[], C]],
    c4: tuple[Label, Callable[[], D]],
    c5: tuple[Label, Callable[[], E]],
    /,
) -> A | B | C | D | E: ...
@overload
def route(
    value: Label,
    c1: tuple[Label, Callable[[], A]],
    c2: tuple[Label, Callable[[], B]],
    c3: tuple[Label, Callable[[], C]],
    c4: tuple[Label, Callable[[], D]],
    c5: tuple[Label, Callable[[], E]],
    c6: tuple[Label, Callable[[], F]],
    /,
) -> A | B | C | D | E | F: ...
@overload
def route(
    value: Label,
    c1: tuple[Label, Callable[[], A]],
    c2: tuple[Label, Callable[[], B]],
    c3: tuple[Label, Callable[[], C]],
    c4: tuple[Label, Callable[[], D]],
    c5: tuple[Label, Callable[[], E]],
    c6: tuple[Label, Callable[[], F]],
    c7: tuple[Label, Callable[[], G]],
    /,
) -> A | B | C | D | E | F | G: ...
@overload
def route(
    value: Label,
    c1: tuple[Label, Callable[[], A]],
    c2: tuple[Label, Callable[[], B]],
    c3: tuple[Label, Callable[[], C]],
    c4: tuple[Label, Callable[[], D]],
    c5: tuple[Label, Callable[[], E]],
    c6: tuple[Label, Callable[[], F]],
    c7: tuple[Label, Callable[[], G]],
    c8: tuple[Label, Callable[[], H]],
    /,
) -> A | B | C | D | E | F | G | H: ...
@overload
def route(
    value: Label, c1: tuple[Label, Callable[[], A]], c2: tuple[Label, Callable[[], B]], /, *, otherwise: Callable[[], U]
) -> A | B | U: ...
@overload
def route(
    value: Label,
    c1: tuple[Label, Callable[[], A]],
    c2: tuple[Label, Callable[[], B]],
    c3: tuple[Label, Callable[[], C]],
    /,
    *,
    otherwise: Callable[[], U],
) -> A | B | C | U: ...
@overload
def route(
    value: Label,
    c1: tuple[Label, Callable[[], A]],
    c2: tuple[Label, Callable[[], B]],
    c3: tuple[Label, Callable[[], C]],
    c4: tuple[Label, Callable[[], D]],
    /,
    *,
    otherwise: Callable[[], U],
) -> A | B | C | D | U: ...
@overload
def route(
    value: Label,
    c1: tuple[Label, Callable[[], A]],
    c2: tuple[Label, Callable[[], B]],
    c3: tuple[Label, Callable[[], C]],
    c4: tuple[Label, Callable[[], D]],
    c5: tuple[Label, Callable[[], E]],
    /,
    *,
    otherwise: Callable[[], U],
) -> A | B | C | D | E | U: ...
@overload
def route(
    value: Label,
    c1: tuple[Label, Callable[[], A]],
    c2: tuple[Label, Callable[[], B]],
    c3: tuple[Label, Callable[[], C]],
    c4: tuple[Label, Callable[[], D]],
    c5: tuple[Label, Callable[[], E]],
    c6: tuple[Label, Callable[[], F]],
    /,
    *,
    otherwise: Callable[[], U],
) -> A | B | C | D | E | F | U: ...
@overload
def route(
    value: Label,
    c1: tuple[Label, Callable[[], A]],
    c2: tuple[Label, Callable[[], B]],
    c3: tuple[Label, Callable[[], C]],
    c4: tuple[Label, Callable[[], D]],
    c5: tuple[Label, Callable[[], E]],
    c6: tuple[Label, Callable[[], F]],
    c7: tuple[Label, Callable[[], G]],
    /,
    *,
    otherwise: Callable[[], U],
) -> A | B | C | D | E | F | G | U: ...
@overload
def route(
    value: Label,
    c1: tuple[Label, Callable[[], A]],
    c2: tuple[Label, Callable[[], B]],
    c3: tuple[Label, Callable[[], C]],
    c4: tuple[Label, Callable[[], D]],
    c5: tuple[Label, Callable[[], E]],
    c6: tuple[Label, Callable[[], F]],
    c7: tuple[Label, Callable[[], G]],
    c8: tuple[Label, Callable[[], H]],
    /,
    *,
    otherwise: Callable[[], U],
) -> A | B | C | D | E | F | G | H | U: ...
def route(value: Any, /, *cases: Any, **options: Any) -> Any:
    """Run the branch of a label: a dict of labels to functions, or pairs when branches differ in type."""
    scope = open_scope("route")
    called = called_at(scope)
    otherwise = options.pop("otherwise", None)
    if options:
        refuse(
            "extra-argument", f"route(...) has no option {next(iter(options))!r}", remedy="use otherwise=lambda: ..."
        )
    if not is_ref(value):
        refuse(
            "bad-condition",
            "route(...) takes a value of the chain",
            expected="a step's output with a closed set of values",
            got=f"{type(value).__name__} {value!r}"[:80],
            remedy="route on a Literal, an enum or a bool field",
        )
    known = usable(value)
    pairs = _pairs(cases)
    name = scope.unique("route")
    branches, outs = [], []
    for label, f in pairs:
        check_function("route", f"case {label!r}", f, 0)
        with scope.block(f"route ({label!r})") as frame:
            body, out = close_body(scope, frame, f(), "route")
        branches.append(RouteCase(label=_label(label), body=body))
        outs.append(out)
    default = None
    if otherwise is not None:
        check_function("route", "otherwise", otherwise, 0)
        with scope.block("route (otherwise)") as frame:
            default, out = close_body(scope, frame, otherwise(), "route")
            outs.append(out)
    scope.frame.steps.append(
        RouteStep(name=name, called=called, value=known.expr, cases=tuple(branches), otherwise=default)
    )
    tps = [out.tp for out in outs]
    tp = tps[0] if all(other == tps[0] for other in tps) else None
    return new_ref(scope, scope.frame, RefExpr(of="step", name=name), types.union(*(out.schema for out in outs)), tp)


def _pairs(cases: tuple[Any, ...]) -> list[tuple[Any, Any]]:
    if len(cases) == 1 and isinstance(cases[0], Mapping):
        return list(cases[0].items())
    if not cases or not all(isinstance(case, tuple) and len(case) == 2 for case in cases):
        refuse(
            "bad-option",
            "route(...) takes a dict of labels to functions, or pairs",
            expected='{"bug": lambda: ...} or ("bug", lambda: ...), ...',
            remedy="write it so",
        )
    return list(cases)


def _label(label: Any) -> Json:
    try:
        return to_json(type(label), label)
    except Exception:
        refuse(
            "route-label",
            f"{label!r} is no label",
            expected="text, a number, a bool, None or an enum member",
            remedy="use one",
        )


def not_(condition: bool, /) -> bool:
    """The opposite of a condition."""
    open_scope("not_")
    opposite: Any = ~as_condition(condition)
    return opposite  # type: ignore[no-any-return]  # symbolic; bool to type checkers
