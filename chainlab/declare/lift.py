"""Python values into expressions: refs anywhere inside lists, dicts, tuples, dataclasses.

Constants checked strictly.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from pydantic import BaseModel

from chainlab.declare.ref import MARK, Cond, Ref, usable
from chainlab.declare.scope import refuse
from chainlab.declare.where import Where
from chainlab.spec import schema as types
from chainlab.spec.check import const_schema
from chainlab.spec.expr import ConstExpr, Expr, ListExpr, ObjectExpr
from chainlab.values.types import InvalidValue, NoSchema, field_types, strict_json, to_json


class Lifted(NamedTuple):
    """An expression with its type, as schema and, where known, as Python."""

    expr: Expr
    schema: types.Schema
    tp: Any = None


def has_ref(value: Any) -> bool:
    """Whether a Ref or a condition stands anywhere in a value."""
    if type(value) in (Ref, Cond):
        return True
    if isinstance(value, Mapping):
        return any(has_ref(item) for item in value.values())
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(has_ref(item) for item in value)
    if isinstance(value, BaseModel):
        return any(has_ref(item) for item in value.__dict__.values())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return any(has_ref(getattr(value, field.name)) for field in dataclasses.fields(value))
    return False


def lift(value: Any, wanted: Any = None, *, what: str = "value", step: str | None = None) -> Lifted:
    """An expression for a value where the Python type `wanted` is asked for (None: anything).

    Constants are checked against `wanted` without conversions. Types of refs are checked later, over the whole spec.
    """
    if type(value) is Ref:
        known = usable(value)
        return Lifted(known.expr, known.schema, known.tp)
    if type(value) is Cond:
        refuse(
            "bad-condition",
            f"{value!r} cannot be a value",
            remedy="compute it in a @step function that returns bool",
            step=step,
        )
    if not has_ref(value):
        _refuse_printed(value, what, step)
        return _constant(value, wanted, what, step)
    return _composite(value, what, step)


def _refuse_printed(value: Any, what: str, step: str | None) -> None:
    """Refuse text that a placeholder was printed into: by `!r`, by `%r`, or inside a list that was printed."""
    if isinstance(value, str) and MARK in value:
        shown = value.replace(MARK, "")
        refuse(
            "ref-str",
            f"{what} is text with a value in it that does not exist yet",
            got=repr(shown if len(shown) <= 80 else f"{shown[:77]}..."),
            remedy="put the value in a prompt's template as {{ variable }}, or build text in a @step function",
            step=step,
        )
    if isinstance(value, Mapping):
        for key, item in value.items():
            _refuse_printed(key, what, step)
            _refuse_printed(item, what, step)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            _refuse_printed(item, what, step)


def lift_operand(value: Any, against: types.Schema) -> tuple[Expr, types.Schema]:
    """The right side of a comparison: a ref, or a constant taken as it is."""
    if type(value) is Ref:
        known = usable(value)
        return known.expr, known.schema
    lifted = lift(value, what="the compared value")
    return lifted.expr, lifted.schema


def _constant(value: Any, wanted: Any, what: str, step: str | None) -> Lifted:
    if wanted is None:
        try:
            data = to_json(type(value) if not isinstance(value, (list, dict, tuple)) else Any, value)
        except Exception:
            _no_json(value, what, step)
        return Lifted(ConstExpr(value=data), const_schema(data), None)
    try:
        data = strict_json(wanted, value)
    except InvalidValue as error:
        refuse(
            "wrong-type",
            f"{what} is a constant of the wrong type: {error}",
            expected=type_name(wanted),
            got=f"{type(value).__name__} {value!r}"[:100],
            remedy="give a constant of exactly that type",
            step=step,
        )
    except NoSchema as error:
        _no_schema(what, error, step)
    return Lifted(ConstExpr(value=data), const_schema(data), wanted)


def _composite(value: Any, what: str, step: str | None) -> Lifted:
    if isinstance(value, BaseModel):
        use_make(type(value).__name__)
    if isinstance(value, (set, frozenset)):
        refuse("ref-hash", f"{what} is a set with values that do not exist yet", remedy="use a list", step=step)
    fields = field_types(type(value))
    if fields is not None and not isinstance(value, Mapping):
        lifted = {name: lift(getattr(value, name), what=f"{what}.{name}", step=step) for name in fields}
        if isinstance(value, tuple):
            return _tuple(list(lifted.values()), type(value))
        return _object({str(fields[name][0]): item for name, item in lifted.items()}, type(value).__name__, type(value))
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                refuse("wrong-type", f"{what} has a key that is not text: {key!r}", remedy="use text keys", step=step)
        return _object({key: lift(item, what=f"{what}[{key!r}]", step=step) for key, item in value.items()}, None, None)
    items = [lift(item, what=f"{what}[{index}]", step=step) for index, item in enumerate(value)]
    return _tuple(items, None)


def _object(fields: Mapping[str, Lifted], title: str | None, tp: Any) -> Lifted:
    return Lifted(
        ObjectExpr(fields={key: item.expr for key, item in fields.items()}, title=title),
        types.object_of({key: item.schema for key, item in fields.items()}, title),
        tp,
    )


def _tuple(items: list[Lifted], tp: Any) -> Lifted:
    expr = ListExpr(items=tuple(item.expr for item in items))
    return Lifted(expr, types.tuple_of(*(item.schema for item in items)), tp)


def use_make(name: str, where: Where | None = None) -> NoReturn:
    """Refuse `Model(field=ref)`: pydantic would validate the placeholder."""
    refuse(
        "use-make",
        f"{name}(...) validates its fields now, and a value in it does not exist yet",
        remedy=f"write make({name}, field=value, ...) instead of {name}(...)",
        where=where,
    )


def _no_json(value: Any, what: str, step: str | None) -> NoReturn:
    refuse(
        "no-schema",
        f"{what} is a {type(value).__name__}, which is not JSON",
        remedy="use text, numbers, lists, dicts, dataclasses or pydantic models",
        step=step,
    )


def _no_schema(what: str, error: Exception, step: str | None) -> NoReturn:
    refuse("no-schema", f"{what}: {error}", remedy="use a type that pydantic can describe as JSON Schema", step=step)


def type_name(tp: Any) -> str:
    """A Python type for messages."""
    if isinstance(tp, type) and not getattr(tp, "__args__", None):
        return tp.__name__
    return str(tp).replace("typing.", "").replace("__main__.", "")
