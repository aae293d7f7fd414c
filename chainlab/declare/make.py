"""make: build a model, dataclass, TypedDict or named tuple from values of the chain, without code."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar, cast

from pydantic import BaseModel

from chainlab.declare.bodies import new_ref, open_scope
from chainlab.declare.lift import lift, type_name
from chainlab.declare.scope import refuse
from chainlab.spec.expr import ConstExpr, Expr, ListExpr, ObjectExpr
from chainlab.values.near import nearest
from chainlab.values.types import NoSchema, field_types, schema_of, to_json

P = ParamSpec("P")
R = TypeVar("R")


def make(cls: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Build a model, dataclass or named tuple from values of the chain, without code: an expression, not a step."""
    return cast(R, _make(cls, args, kwargs))


def _make(cls: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    scope = open_scope("make")
    fields = field_types(cls)
    if fields is None:
        refuse(
            "no-schema",
            f"make(...) cannot build {type_name(cls)}",
            expected="a pydantic model, a dataclass, a TypedDict or a NamedTuple",
            remedy="use one of these, or a @step function",
        )
    aliases = {str(json_key): name for name, (json_key, _) in fields.items()}
    given_names = _make_arguments(cls, fields, aliases, args, kwargs)
    lifted: dict[str, Expr] = {
        str(fields[name][0]): lift(value, fields[name][1], what=f"field {name!r} of {cls.__name__}").expr
        for name, value in given_names.items()
    }
    lifted |= _make_defaults(cls, fields, given_names)
    try:
        schema = schema_of(cls)
    except NoSchema as error:
        refuse(
            "no-schema", f"{type_name(cls)} has no JSON Schema: {error}", remedy="use types that pydantic can describe"
        )
    ordered = {str(json_key): lifted[str(json_key)] for json_key, _ in fields.values() if str(json_key) in lifted}
    if issubclass(cls, tuple):
        return new_ref(scope, scope.frame, ListExpr(items=tuple(ordered.values())), schema, cls)
    return new_ref(scope, scope.frame, ObjectExpr(fields=ordered, title=cls.__name__), schema, cls)


def _make_arguments(
    cls: Any, fields: Mapping[str, Any], aliases: Mapping[str, str], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    names = list(fields)
    if len(args) > len(names) or (args and issubclass(cls, BaseModel)):
        refuse(
            "extra-argument",
            f"{cls.__name__} takes its fields by name",
            remedy=f"write make({cls.__name__}, {names[0]}=...)",
        )
    out = dict(zip(names, args, strict=False))
    for key, value in kwargs.items():
        name = key if key in fields else aliases.get(key)
        if name is None:
            near = nearest(key, names)
            refuse(
                "extra-argument",
                f"{cls.__name__} has no field {key!r}",
                expected=f"one of: {', '.join(names)}",
                got=key,
                remedy=f"did you mean {near[0]!r}?" if near else f"remove {key}=...",
            )
        out[name] = value
    missing = [name for name in names if name not in out and not _has_default(cls, name)]
    if missing:
        refuse(
            "missing-argument",
            f"make({cls.__name__}, ...) leaves out {', '.join(map(repr, missing))}",
            expected=f"the fields {', '.join(names)}",
            remedy=f"give {', '.join(f'{name}=...' for name in missing)}",
        )
    return out


def _has_default(cls: Any, name: str) -> bool:
    if issubclass(cls, BaseModel):
        return not cls.model_fields[name].is_required()
    if dataclasses.is_dataclass(cls):
        field = {f.name: f for f in dataclasses.fields(cls)}[name]
        return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
    if issubclass(cls, tuple):
        return name in getattr(cls, "_field_defaults", {})
    return name in getattr(cls, "__optional_keys__", ())


def _make_defaults(cls: Any, fields: Mapping[str, Any], given_names: Mapping[str, Any]) -> dict[str, Expr]:
    out: dict[str, Expr] = {}
    for name, (json_key, tp) in fields.items():
        if name in given_names or name in getattr(cls, "__optional_keys__", ()):
            continue
        if issubclass(cls, BaseModel):
            value = cls.model_fields[name].get_default(call_default_factory=True)
        elif dataclasses.is_dataclass(cls):
            field = {f.name: f for f in dataclasses.fields(cls)}[name]
            value = (
                field.default
                if field.default is not dataclasses.MISSING
                else cast(Callable[[], Any], field.default_factory)()
            )
        else:
            value = cls._field_defaults[name]
        out[str(json_key)] = ConstExpr(value=to_json(tp, value))
    return out
