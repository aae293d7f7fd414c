"""What a call of a prompt, step or chain in a chain body does: bind, lift, name; and the Ref it gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from chainlab.declare.lift import lift
from chainlab.declare.ref import Ref, State
from chainlab.declare.scope import Scope, current, refuse
from chainlab.declare.signature import Signature
from chainlab.spec.expr import ConstExpr, Expr, RefExpr


class Wired(NamedTuple):
    """A call, bound: its scope, the step's name in the chain, and an expression for every parameter."""

    scope: Scope
    name: str
    args: dict[str, Expr]


def wire(
    what: str, runnable: Any, root: object, signature: Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Wired:
    """Bind a call to its signature. Refuses a call outside a chain, wrong arguments, and a second use of a name."""
    name: str = runnable.name
    scope = current()
    if scope is None:
        refuse(
            "wrong-place",
            f"{what} {name!r} is called outside a chain",
            expected="a call inside the body of a @chain",
            remedy=f"run it alone with {name}.run_sync(...), or call the plain function {name}.fn(...)",
            step=name,
        )
    bound = signature.bind(name, args, kwargs, step=name)
    lifted: dict[str, Expr] = {}
    for key, parameter in signature.params.items():
        if key in bound:
            lifted[key] = lift(bound[key], parameter.tp, what=f"argument {key!r} of {name!r}", step=name).expr
        else:
            lifted[key] = ConstExpr(value=parameter.default)
    scope.define(name, runnable, root)
    return Wired(scope, scope.unique(name), lifted)


def made(wired: Wired, signature: Signature) -> Any:
    """The value that a wired step will make."""
    expr = RefExpr(of="step", name=wired.name)
    return Ref(State(wired.scope, wired.scope.frame, expr, signature.result_schema, signature.result))
