"""each: fan out over a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Optional, TypeVar, overload

from chainlab.declare.bodies import check_function, close_body, new_ref, open_scope
from chainlab.declare.lift import Lifted, has_ref, lift
from chainlab.declare.ref import is_ref, item_type
from chainlab.declare.scope import called_at, refuse
from chainlab.spec import schema as types
from chainlab.spec.chain import EachStep
from chainlab.spec.expr import RefExpr, write

T = TypeVar("T")
U = TypeVar("U")


@overload
def each(items: Sequence[T], f: Callable[[T], U], /, *, on_error: Literal["fail", "drop"] = "fail") -> list[U]: ...
@overload
def each(items: Sequence[T], f: Callable[[T], U], /, *, on_error: Literal["keep"]) -> list[U | None]: ...
def each(items: Any, f: Any, /, *, on_error: Any = "fail") -> Any:
    """Run `f` for every item, concurrently; results in input order.

    `on_error`: "fail" fails the step when an item fails, "drop" leaves failed items out, "keep" puts None in their
    place.
    """
    scope = open_scope("each")
    if on_error not in ("fail", "drop", "keep"):
        refuse(
            "bad-option",
            f"on_error={on_error!r} of each(...)",
            expected='"fail", "drop" or "keep"',
            remedy='use on_error="drop"',
        )
    check_function("each", "f", f, 1, "each-body")
    called = called_at(scope)
    lifted = _items(items)
    element = types.item(lifted.schema)
    if element is None:
        refuse(
            "bad-iterable",
            f"each(...) runs over {write(lifted.expr)!r}, which is no list",
            expected="a list",
            got=types.describe(lifted.schema),
            remedy="it may be None: use given(items, then=lambda items: each(items, ...))"
            if types.nullable(lifted.schema) and types.item(types.without_null(lifted.schema)) is not None
            else "give it a list, or make one in a @step function",
        )
    name = scope.unique("each")
    with scope.block(f"each ({getattr(f, 'name', None) or getattr(f, '__name__', 'f')})") as frame:
        item = new_ref(scope, frame, RefExpr(of="var", name=f"{name}.item"), element or {}, item_type(lifted.tp))
        result = f(item)
        if result is None or not has_ref(result):
            refuse(
                "each-body",
                "the function given to each(...) gives back nothing made by a step",
                expected="a step's output, as in each(items, lambda item: summarise(item))",
                got="None" if result is None else f"{type(result).__name__} {result!r}"[:80],
                remedy="return the call of a step",
            )
        body, out = close_body(scope, frame, result, "each")
    scope.frame.steps.append(EachStep(name=name, called=called, items=lifted.expr, body=body, on_error=on_error))
    kept = types.optional(out.schema) if on_error == "keep" else out.schema
    tp = _list_type(out.tp, on_error == "keep")
    return new_ref(scope, scope.frame, RefExpr(of="step", name=name), types.list_of(kept), tp)


def _items(items: Any) -> Lifted:
    if isinstance(items, (str, bytes, Mapping)) or (not is_ref(items) and not isinstance(items, (list, tuple))):
        refuse(
            "bad-iterable",
            f"each(...) runs over a {type(items).__name__}",
            expected="a list, or a step's output that is one",
            got=repr(items)[:80],
            remedy="give it a list",
        )
    return lift(items, what="items of each(...)")


def _list_type(tp: Any, kept: bool) -> Any:
    """`list[tp]` as a value; None when the type is not known."""
    if tp is None:
        return None
    element = Optional.__getitem__(tp) if kept else tp
    return list.__class_getitem__(element)
