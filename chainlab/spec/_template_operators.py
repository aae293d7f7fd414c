"""Whether Python can work an operator on two values of these types: tried out on samples. Private to `spec/`.

As everywhere here: what is not known, and None, is let pass; a union gives an error only when no member can do it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chainlab.spec._shape import kind
from chainlab.spec.schema import Schema, alternatives

_SAMPLES: Mapping[str, Any] = {
    "string": "text",
    "integer": 2,
    "number": 0.5,
    "boolean": True,
    "array": [1],
    "object": {"key": 1},
}
_TRIED: Mapping[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "Add": ("+", operator.add),
    "Sub": ("-", operator.sub),
    "Mul": ("*", operator.mul),
    "Div": ("/", operator.truediv),
    "FloorDiv": ("//", operator.floordiv),
    "Pow": ("**", operator.pow),
    "Mod": ("%", operator.mod),
    "lt": ("<", operator.lt),
    "lteq": ("<=", operator.le),
    "gt": (">", operator.gt),
    "gteq": (">=", operator.ge),
}


def cannot(name: str, left: Schema, right: Schema) -> str | None:
    """The sign of an operator (jinja2's name) that no two values of these types can take; None: some can."""
    if name not in _TRIED:
        return None
    sign, work = _TRIED[name]
    lefts, rights = _samples(left), _samples(right)
    if lefts is None or rights is None:
        return None
    can = any(_works(work, name, one, other) for one in lefts for other in rights)
    return None if can else sign


def _samples(schema: Schema) -> Iterable[Any] | None:
    kinds = [kind(option) for option in alternatives(schema)]
    known = [_SAMPLES[one] for one in kinds if one in _SAMPLES]
    return known if known and len(known) == len(kinds) else None  # with None among them, a template guards it


def _works(work: Callable[[Any, Any], Any], name: str, left: Any, right: Any) -> bool:
    if name == "Mod" and isinstance(left, str):
        return True  # "%s of %s" % ...: only its text tells
    try:
        work(left, right)
    except TypeError:
        return False
    return True
