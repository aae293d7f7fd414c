"""Expressions: where an input comes from.

`ref | const | list | object`, and the conditions that `when` and `refine` take.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from chainlab.values.codec import Json


class Frozen(BaseModel):
    """Base of all spec data: immutable, no unknown fields.

    Validators are built when a chain is declared, not when the package is imported. NaN and infinities are kept.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", protected_namespaces=(), defer_build=True, ser_json_inf_nan="constants"
    )


class RefExpr(Frozen):
    """A value made elsewhere in the chain: a chain input, a step's output, or a variable of `each` or `refine`.

    `name` is the input's name, the step's name, or the variable (`each.item`, `refine.draft`, `refine.review`);
    `path` the fields, keys and indices below it.
    """

    kind: Literal["ref"] = "ref"
    of: Literal["input", "step", "var"]
    name: str
    path: tuple[str | int, ...] = ()


class ConstExpr(Frozen):
    """A constant, as JSON."""

    kind: Literal["const"] = "const"
    value: Json


class ListExpr(Frozen):
    """A list of expressions."""

    kind: Literal["list"] = "list"
    items: tuple[Expr, ...]


class ObjectExpr(Frozen):
    """An object of expressions. `title` is the model or dataclass it stands for, for messages."""

    kind: Literal["object"] = "object"
    fields: dict[str, Expr]
    title: str | None = None


Expr: TypeAlias = Annotated[RefExpr | ConstExpr | ListExpr | ObjectExpr, Field(discriminator="kind")]


class Compare(Frozen):
    """A comparison of two expressions."""

    kind: Literal["compare"] = "compare"
    op: Literal["==", "!=", "<", "<=", ">", ">="]
    left: Expr
    right: Expr


class AllOf(Frozen):
    """True when every condition is."""

    kind: Literal["all"] = "all"
    items: tuple[Condition, ...]


class AnyOf(Frozen):
    """True when a condition is."""

    kind: Literal["any"] = "any"
    items: tuple[Condition, ...]


class Not(Frozen):
    """True when the condition is not."""

    kind: Literal["not"] = "not"
    item: Condition


class Truth(Frozen):
    """A bool value, taken as a condition."""

    kind: Literal["true"] = "true"
    value: Expr


class Present(Frozen):
    """True when the value is not None; what `given` compiles to."""

    kind: Literal["present"] = "present"
    value: Expr


Condition: TypeAlias = Annotated[Compare | AllOf | AnyOf | Not | Truth | Present, Field(discriminator="kind")]


def refs(expr: Expr) -> Iterator[RefExpr]:
    """Every ref in an expression."""
    match expr:
        case RefExpr():
            yield expr
        case ConstExpr():
            return
        case ListExpr():
            for item in expr.items:
                yield from refs(item)
        case ObjectExpr():
            for value in expr.fields.values():
                yield from refs(value)


def condition_refs(condition: Condition) -> Iterator[RefExpr]:
    """Every ref in a condition."""
    match condition:
        case Compare():
            yield from refs(condition.left)
            yield from refs(condition.right)
        case AllOf() | AnyOf():
            for item in condition.items:
                yield from condition_refs(item)
        case Not():
            yield from condition_refs(condition.item)
        case Truth() | Present():
            yield from refs(condition.value)


def write(expr: Expr) -> str:
    """An expression as its author would write it, for messages and drawings."""
    match expr:
        case RefExpr():
            tail = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in expr.path)
            return f"{expr.name}{tail}"
        case ConstExpr():
            return repr(expr.value)
        case ListExpr():
            return "[" + ", ".join(write(item) for item in expr.items) + "]"
        case ObjectExpr():
            inner = ", ".join(f"{name}={write(value)}" for name, value in expr.fields.items())
            return f"{expr.title or 'dict'}({inner})"


def write_condition(condition: Condition) -> str:
    """A condition as its author would write it."""
    match condition:
        case Compare():
            return f"{write(condition.left)} {condition.op} {write(condition.right)}"
        case AllOf():
            return " & ".join(f"({write_condition(item)})" for item in condition.items)
        case AnyOf():
            return " | ".join(f"({write_condition(item)})" for item in condition.items)
        case Not():
            return f"not_({write_condition(condition.item)})"
        case Truth():
            return write(condition.value)
        case Present():
            return f"given({write(condition.value)})"


_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def evaluate(condition: Condition, value_of: Any) -> bool:
    """The truth of a condition, where `value_of(expr)` gives an expression's JSON value."""
    match condition:
        case Compare():
            return bool(_OPERATORS[condition.op](value_of(condition.left), value_of(condition.right)))
        case AllOf():
            return all(evaluate(item, value_of) for item in condition.items)
        case AnyOf():
            return any(evaluate(item, value_of) for item in condition.items)
        case Not():
            return not evaluate(condition.item, value_of)
        case Truth():
            return value_of(condition.value) is True
        case Present():
            return value_of(condition.value) is not None
