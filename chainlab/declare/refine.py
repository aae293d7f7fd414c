"""refine: a bounded loop of review and improvement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar, cast

from chainlab.declare.bodies import check_function, close_body, new_ref, open_scope
from chainlab.declare.lift import lift
from chainlab.declare.ref import as_condition, condition_of
from chainlab.declare.refined import Refined
from chainlab.declare.scope import called_at, refuse
from chainlab.spec.chain import RefineStep
from chainlab.spec.check import refined_schema
from chainlab.spec.expr import RefExpr

D = TypeVar("D")
V = TypeVar("V")


def refine(
    draft: D,
    /,
    review: Callable[[D], V],
    accept: Callable[[V], bool],
    improve: Callable[[D, V], D],
    *,
    max_rounds: int = 3,
    on_limit: Literal["keep", "fail"] = "keep",
) -> Refined[D, V]:
    """Review a draft and improve it until it is accepted, `max_rounds` reviews at most.

    Gives Refined(value, review, accepted, rounds). `on_limit`: "keep" the last draft unaccepted, or "fail" the step.
    """
    scope = open_scope("refine")
    called = called_at(scope)
    if type(max_rounds) is not int or max_rounds < 1:
        refuse(
            "bad-option",
            f"max_rounds={max_rounds!r} of refine(...)",
            expected="an integer, 1 or more",
            remedy="give one",
        )
    if on_limit not in ("keep", "fail"):
        refuse(
            "bad-option",
            f"on_limit={on_limit!r} of refine(...)",
            expected='"keep" or "fail"',
            remedy="give one of them",
        )
    for role, f, takes in (("review", review, 1), ("accept", accept, 1), ("improve", improve, 2)):
        check_function("refine", role, f, takes)
    start = lift(draft, what="the draft of refine(...)")
    name = scope.unique("refine")
    with scope.block("refine") as outer:
        draft_ref = new_ref(scope, outer, RefExpr(of="var", name=f"{name}.draft"), start.schema, start.tp)
        with scope.block("refine (review)") as frame:
            review_block, verdict = close_body(scope, frame, review(draft_ref), "review")
        review_ref = new_ref(scope, outer, RefExpr(of="var", name=f"{name}.review"), verdict.schema, verdict.tp)
        accepted = as_condition(accept(review_ref))
        with scope.block("refine (improve)") as frame:
            improve_block, _ = close_body(scope, frame, improve(draft_ref, review_ref), "improve")
    scope.frame.steps.append(
        RefineStep(
            name=name,
            called=called,
            draft=start.expr,
            review=review_block,
            accept=condition_of(accepted),
            improve=improve_block,
            max_rounds=max_rounds,
            on_limit=on_limit,
        )
    )
    schema = refined_schema(start.schema, verdict.schema)
    return cast(
        Refined[D, V], new_ref(scope, scope.frame, RefExpr(of="step", name=name), schema, _type(start.tp, verdict.tp))
    )


def _type(draft: Any, review: Any) -> Any:
    """`Refined[draft, review]` as a value; None when a type is not known."""
    return None if draft is None or review is None else Refined.__class_getitem__((draft, review))
