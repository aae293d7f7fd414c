"""Bodies: what each, when, route and refine share when they trace the functions they are given."""

from __future__ import annotations

import inspect
from typing import Any

from chainlab.declare.lift import Lifted, lift
from chainlab.declare.ref import Cond, Ref, State, is_ref
from chainlab.declare.runnable import Runnable
from chainlab.declare.scope import Frame, Scope, current, refuse
from chainlab.spec import schema as types
from chainlab.spec.chain import Block
from chainlab.spec.expr import Expr


def open_scope(what: str) -> Scope:
    """The scope of the chain being traced; refuses a call outside one."""
    scope = current()
    if scope is None:
        refuse(
            "wrong-place",
            f"{what}(...) is called outside a chain",
            remedy="call it inside the body of a @chain",
            step=what,
        )
    return scope


def new_ref(scope: Scope, frame: Frame, expr: Expr, schema: types.Schema, tp: Any = None) -> Any:
    """A new Ref."""
    return Ref(State(scope, frame, expr, schema, tp))


def check_function(what: str, role: str, f: Any, takes: int, code: str = "bad-option") -> None:
    """Refuse what is no function of so many arguments. A step given bare says itself what it misses."""
    if isinstance(f, Runnable):
        return
    label = role.removeprefix("case ")
    written = f"{role}=" if label == role else f"{label}: "
    if not callable(f) or is_ref(f) or type(f) is Cond:
        refuse(
            code,
            f"{role} of {what}(...) is {f!r}, not a function"[:160],
            expected=f"a function of {takes} argument{'s' * (takes != 1)}",
            remedy=f"write {written}lambda{' x' * min(takes, 1)}: ...",
        )
    try:
        inspect.signature(f).bind(*range(takes))
    except TypeError:
        refuse(
            "bad-option",
            f"{role} of {what}(...) takes other arguments",
            expected=f"a function of {takes} argument{'s' * (takes != 1)}",
            got=f"{getattr(f, '__name__', f)}{inspect.signature(f)}"[:100],
            remedy=f"give it exactly {takes}",
        )
    except ValueError:
        return


def close_body(scope: Scope, frame: Frame, result: Any, what: str) -> tuple[Block, Lifted]:
    """The traced body as data."""
    lifted = lift(result, what=f"the result of {what}(...)")
    return Block(steps=tuple(frame.steps), output=lifted.expr, schema=dict(lifted.schema)), lifted
