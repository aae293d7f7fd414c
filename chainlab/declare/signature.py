"""A function's signature as types: parameters and result with their JSON Schemas, and calls bound to it."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import FrameType
from typing import Any, NamedTuple

from chainlab.declare.lift import type_name
from chainlab.declare.scope import refuse
from chainlab.declare.where import Where
from chainlab.spec.chain import Schema
from chainlab.values.codec import Json
from chainlab.values.near import nearest
from chainlab.values.types import InvalidValue, NoSchema, schema_of, strict_json

RESERVED = frozenset({"loop", "self", "cls", "caller", "varargs", "kwargs", "super"})
_EMPTY = inspect.Parameter.empty


class Parameter(NamedTuple):
    """One parameter: its type, its schema, and its default as JSON where it has one."""

    name: str
    tp: Any
    schema: Schema
    has_default: bool = False
    default: Json = None


@dataclass(frozen=True)
class Signature:
    """Parameters by name, and the result."""

    params: Mapping[str, Parameter]
    result: Any
    result_schema: Schema
    python: inspect.Signature

    @cached_property
    def required(self) -> frozenset[str]:
        """The parameters without a default."""
        return frozenset(key for key, parameter in self.params.items() if not parameter.has_default)

    @cached_property
    def is_plain(self) -> bool:
        """Whether every parameter may be given by place and by name."""
        kinds = {parameter.kind for parameter in self.python.parameters.values()}
        return kinds <= {inspect.Parameter.POSITIONAL_OR_KEYWORD} and list(self.params) == list(self.python.parameters)

    def bind(
        self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], *, step: str | None = None
    ) -> dict[str, Any]:
        """Arguments by parameter name, defaults left out. Refuses missing, extra and misnamed ones."""
        if self.is_plain and len(args) <= len(self.params):
            plain = {**dict(zip(self.params, args, strict=False)), **kwargs}
            if len(plain) == len(args) + len(kwargs) and self.required <= plain.keys() <= self.params.keys():
                return {key: plain[key] for key in self.params if key in plain} if kwargs else plain
        known = list(self.params)
        for key in kwargs:
            if key not in self.params or self.python.parameters[key].kind is inspect.Parameter.POSITIONAL_ONLY:
                near = nearest(key, known)
                refuse(
                    "extra-argument",
                    f"{name}() has no parameter {key!r}",
                    expected=f"one of: {', '.join(known)}" if known else "no argument",
                    got=key,
                    remedy=_extra_remedy(name, key, near),
                    step=step,
                )
        try:
            bound = self.python.bind(*args, **kwargs)
        except TypeError as error:
            missing = [
                key
                for index, (key, parameter) in enumerate(self.python.parameters.items())
                if parameter.default is _EMPTY and key not in kwargs and index >= len(args)
            ]
            if missing:
                refuse(
                    "missing-argument",
                    f"{name}() is called without {', '.join(map(repr, missing))}",
                    expected=f"{name}{self.python}"[:160],
                    remedy=f"give {', '.join(f'{key}=...' for key in missing)}",
                    step=step,
                )
            refuse(
                "extra-argument",
                f"{name}() is called with arguments that do not fit: {error}",
                expected=f"{name}{self.python}"[:160],
                remedy="remove the argument that is too many",
                step=step,
            )
        return dict(bound.arguments)


_OPTIONS = frozenset({"model", "temperature", "max_tokens", "stop", "seed", "top_p", "retries", "timeout", "name"})


def _extra_remedy(name: str, key: str, near: list[str]) -> str:
    if near:
        return f"did you mean {near[0]!r}?"
    if key in _OPTIONS:
        return f"an option goes to {name}.with_({key}=...), or to its decorator"
    return f"remove {key}=..."


def signature_of(fn: Callable[..., Any], what: str, *, skip: frozenset[str] = frozenset()) -> Signature:
    """The typed signature of an author's function. Refuses what chainlab cannot check: see the codes below."""
    name = fn.__name__
    where = _place(fn)
    python = inspect.signature(fn)
    _refuse_methods(fn, python, what, where)
    hints = _hints(fn, name, where)
    params: dict[str, Parameter] = {}
    for key, parameter in python.parameters.items():
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            refuse(
                "bad-parameter",
                f"{what} {name!r} takes *{key}: its inputs must be known by name",
                remedy="name every parameter and its type",
                where=where,
                step=name,
            )
        if key in RESERVED:
            refuse(
                "bad-parameter",
                f"{what} {name!r} has a parameter {key!r}, a name that Jinja or Python keeps for itself",
                remedy=f"rename it, for example {key}_",
                where=where,
                step=name,
            )
        if key not in hints:
            refuse(
                "missing-annotation",
                f"parameter {key!r} of {what} {name!r} has no type",
                expected=f"{key}: str (or another type)",
                remedy="annotate every parameter and the result",
                where=where,
                step=name,
            )
        params[key] = _parameter(name, what, key, hints[key], parameter.default, where)
    if "return" not in hints:
        refuse(
            "missing-annotation",
            f"{what} {name!r} does not say what it returns",
            expected=f"def {name}(...) -> str",
            remedy="annotate the result",
            where=where,
            step=name,
        )
    result = hints["return"]
    return Signature(params, result, _schema(name, what, "the result", result, where), python)


def _parameter(name: str, what: str, key: str, tp: Any, default: Any, where: Where) -> Parameter:
    schema = _schema(name, what, f"parameter {key!r}", tp, where)
    if default is _EMPTY:
        return Parameter(key, tp, schema)
    try:
        return Parameter(key, tp, schema, True, strict_json(tp, default))
    except InvalidValue as error:
        refuse(
            "wrong-type",
            f"the default of parameter {key!r} of {what} {name!r} is of the wrong type: {error}",
            expected=type_name(tp),
            got=repr(default)[:100],
            remedy="give a default of the annotated type",
            where=where,
            step=name,
        )


def _schema(name: str, what: str, part: str, tp: Any, where: Where) -> Schema:
    try:
        if _has_type_variable(tp):
            raise NoSchema("a type variable says nothing about the data")
        return schema_of(type(None) if tp is None else tp)
    except NoSchema as error:
        refuse(
            "no-schema",
            f"{part} of {what} {name!r} has a type without a JSON Schema: {type_name(tp)}",
            expected="a type that pydantic can describe: str, int, a model, a dataclass, list[...], ...",
            got=str(error)[:200],
            remedy="use typing_extensions.TypedDict" if "typing_extensions" in str(error) else "use such a type",
            where=where,
            step=name,
        )


def _has_type_variable(tp: Any) -> bool:
    if isinstance(tp, (typing.TypeVar, typing.ParamSpec)):
        return True
    return any(_has_type_variable(arg) for arg in typing.get_args(tp) if not isinstance(arg, str))


def _refuse_methods(fn: Callable[..., Any], python: inspect.Signature, what: str, where: Where) -> None:
    first = next(iter(python.parameters), None)
    owner = fn.__qualname__.rpartition(".")[0]
    if owner and not owner.endswith("<locals>") and first in ("self", "cls"):
        refuse(
            "bad-parameter",
            f"{what} {fn.__name__!r} is a method: a step carries no object",
            remedy="make it a plain function, or a @staticmethod",
            where=where,
            step=fn.__name__,
        )


def _hints(fn: Callable[..., Any], name: str, where: Where) -> dict[str, Any]:
    names: dict[str, Any] = {}
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:  # local models under `from __future__ import annotations`
        if frame.f_globals is fn.__globals__ and frame.f_locals is not frame.f_globals:
            names = {**frame.f_locals, **names}
        frame = frame.f_back
    try:
        return typing.get_type_hints(fn, localns=names or None, include_extras=True)
    except NameError as error:
        refuse(
            "missing-annotation",
            f"an annotation of {name!r} names {error.name!r}, which is not defined",
            remedy=f"import or define {error.name} before {name!r}",
            where=where,
            step=name,
        )


def _place(fn: Callable[..., Any]) -> Where:
    code = inspect.unwrap(fn).__code__
    return Where(code.co_filename, code.co_firstlineno)


def place_of(fn: Callable[..., Any]) -> Where:
    """The file and first line (its first decorator's) of a function."""
    return _place(fn)
