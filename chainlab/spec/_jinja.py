"""The Jinja environment of prompts: sandboxed, strict, keys first, values printed as JSON. Private to `spec/`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial, wraps
from typing import Any

from jinja2 import StrictUndefined, Undefined, UndefinedError, pass_context, pass_environment
from jinja2.filters import make_attrgetter
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from chainlab.values.near import nearest

DICT_METHODS = frozenset({"items", "keys", "values", "get"})
PRINT = "<print>"  # no author can write these names, so no template can call them
PIECE = "<piece>"
_LAZY = ("batch", "items", "map", "reject", "rejectattr", "reverse", "select", "selectattr", "slice", "unique")
_SHOWN = 12
_LONGEST_NAME = 200  # letters; the search for a similar name takes their square
_MOST_PARTS = 10_000_000  # letters or items that one multiplication may make
_MOST_BITS = 1 << 16  # of a whole number; Python prints none that is longer
_ABSENT: Any = object()


class NoValue(UndefinedError):
    """A value that is not there: the name that was asked for, and the names that are there."""

    def __init__(self, owner: Any, name: Any, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.variable = owner is missing and name is not None
        self.known: tuple[str, ...] = tuple(map(str, owner)) if isinstance(owner, dict) else ()


class _Missing(StrictUndefined):
    # Strict undefined that says in plain words what is missing, and of what.
    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = missing,
        name: Any = None,
        exc: Callable[..., Exception] = UndefinedError,
    ) -> None:
        if exc is UndefinedError:  # a SecurityError keeps its own words
            hint = hint or _what_is_missing(obj, name)
            exc = partial(NoValue, obj, name)
        super().__init__(hint, obj, name, exc)  # type: ignore[arg-type]  # Jinja only ever calls it with the message


def _what_is_missing(owner: Any, name: Any) -> str:
    if owner is missing:
        return f"there is no value `{name}`"
    if isinstance(owner, list) and isinstance(name, int):
        return f"there is no item {name}: the list has {len(owner)}"
    kinds = {dict: "the object", list: "a list", str: "text", bool: "a bool", type(None): "None", int: "a number"}
    return f"{kinds.get(type(owner), f'a {type(owner).__name__}')} has no `{name}`"


class PromptEnvironment(ImmutableSandboxedEnvironment):
    """Sandboxed Jinja over plain JSON values: `order.items` is the field when there is one, else the method."""

    intercepted_binops = frozenset({"**", "*"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if _too_large(operator, left, right):
            raise OverflowError("the result would be too large")
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) is not dict:
            return super().getattr(obj, attribute)
        value = obj.get(attribute, _ABSENT)
        if value is not _ABSENT:
            return value
        if attribute in DICT_METHODS:
            method = getattr(obj, attribute)
            return method if attribute == "get" else _listing(method)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if type(obj) is not dict:
            return super().getitem(obj, argument)
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self.undefined(obj=obj, name=argument)


def _too_large(operator: str, left: Any, right: Any) -> bool:
    if isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * right if operator == "**" else left.bit_length() + right.bit_length()
        return bits > _MOST_BITS and abs(left) > 1
    times, parts = (left, right) if isinstance(left, int) else (right, left)
    return isinstance(times, int) and isinstance(parts, (str, bytes, list, tuple)) and len(parts) * times > _MOST_PARTS


def _listing(made: Callable[..., Any]) -> Callable[..., Any]:
    # A list, where Jinja gives an iterator: it can be indexed, counted and printed, and read twice.
    # A closure: the parts of a `partial` are open to a template, and would be called unchecked.
    def listed(*args: Any, **kwargs: Any) -> Any:
        found = made(*args, **kwargs)
        return found if isinstance(found, str) else list(found)

    return listed


def _plain(value: Any) -> Any:
    # The encoder's last resort. Only `range` is a value that it does not know.
    if isinstance(value, Undefined):
        str(value)  # raises, saying what is missing
    if isinstance(value, range):
        return list(value)
    what = "a function; call it with ()" if callable(value) else f"a {type(value).__name__}, not a value"
    raise TypeError(f"this would print {what}")


_encode = json.JSONEncoder(ensure_ascii=False, default=_plain).encode


def printed(value: Any) -> str:
    """The text of a value: text as it is, everything else as JSON."""
    if type(value) is str:
        return value
    return str(value) if isinstance(value, str) else _encode(value)


class Piece(str):
    """Printed text that remembers which expression printed it."""

    number: int
    plain: str

    def __str__(self) -> str:  # Jinja calls str() on what it prints: the memory must survive it
        return self


# The context that they do not need keeps the compiler from working out, and from building, what an expression prints.


@pass_context
def _print(_: Context, value: Any) -> str:
    return printed(value)


@pass_context
def _piece(_: Context, value: Any, number: int) -> Piece:
    text = value if type(value) is str else printed(value)
    made = Piece(text)
    made.number, made.plain = number, text
    return made


def _tojson(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain, indent=indent)


@pass_environment
def _join(environment: PromptEnvironment, value: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
    if attribute is not None:
        value = map(make_attrgetter(environment, attribute), value)
    return printed(d).join(map(printed, value))


def _environment() -> PromptEnvironment:
    made = PromptEnvironment(
        undefined=_Missing,
        autoescape=False,
        keep_trailing_newline=True,
        cache_size=0,
        auto_reload=False,
        optimized=False,  # whoever only looks at `{{ 'a' | center(10000000000) }}` must not build it
    )
    for name in ("lipsum", "cycler", "joiner"):
        del made.globals[name]
    for name in _LAZY:
        made.filters[name] = wraps(made.filters[name])(_listing(made.filters[name]))
    made.filters |= {"tojson": _tojson, "join": _join, "string": printed, PRINT: _print, PIECE: _piece}
    return made


ENVIRONMENT = _environment()
GLOBALS = dict(ENVIRONMENT.globals)


def did_you_mean(name: object, known: Iterable[str], otherwise: str) -> str:
    """A remedy for a wrong name: the nearest known one, else another piece of advice."""
    text = str(name)
    near = nearest(text, known) if len(text) <= _LONGEST_NAME else []
    return f"did you mean `{near[0]}`?" if near else otherwise


def listed(names: Iterable[object]) -> str | None:
    """The known names, in one line; None when there are none."""
    known = [str(name) for name in names]
    return ", ".join(known[:_SHOWN]) + (", ..." if len(known) > _SHOWN else "") or None
