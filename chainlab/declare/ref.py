"""Ref: a value that does not exist yet.

Takes fields, constant keys and indices, and comparisons; refuses the rest of Python.

`refuse_*` name what to use instead. A Ref has no public attribute, so that every field name of the author's works.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any, NoReturn, get_args, get_origin

from chainlab.declare.scope import Frame, Scope, current
from chainlab.declare.where import caller, is_authors
from chainlab.errors import ChainError
from chainlab.spec import schema as types
from chainlab.spec.expr import AllOf, AnyOf, Compare, Condition, Expr, ListExpr, Not, ObjectExpr, RefExpr, Truth, write
from chainlab.values.near import nearest
from chainlab.values.types import field_types

MARK = "\u2060\u2061"
"""Stands, unseen, in what a Ref prints: text that was made of it by `!r`, `%r` or a print of a list can be told."""


class State:
    """What a Ref knows: where it lives, what it stands for, its type as schema and, where known, as Python."""

    __slots__ = ("expr", "frame", "schema", "scope", "tp")

    def __init__(self, scope: Scope, frame: Frame, expr: Expr, schema: types.Schema, tp: Any = None) -> None:
        self.scope, self.frame, self.expr, self.schema, self.tp = scope, frame, expr, schema, tp


def is_ref(value: object) -> bool:
    """Whether a value is a Ref. `type()`, since a Ref answers nothing else."""
    return type(value) is Ref


def state(ref: Any) -> State:
    """What a Ref knows."""
    found: State = object.__getattribute__(ref, "_chainlab")
    return found


def _refuse(ref: Any, code: str, what: str, remedy: str) -> NoReturn:
    known = state(ref) if type(ref) is Ref else None
    scope: Scope = known.scope if known else object.__getattribute__(ref, "_scope")
    shown = write(known.expr) if known else str(object.__getattribute__(ref, "_text"))
    scope.refuse(
        code,
        f"{what} {shown!r}, which has no value yet: a @chain body only wires steps",
        remedy=remedy,
        step=step_of(known.expr) if known else None,
    )


def step_of(expr: Expr) -> str | None:
    """The step whose output an expression is, or is a part of."""
    return expr.name if isinstance(expr, RefExpr) and expr.of == "step" else None


_STEP = "move this into a @step function"
_KINDS = "use when(x == ..., ...), given(x, ...) for an Optional, route(...) for kinds"
_LOOP = "use each(items, lambda item: ...) to run steps for every item, items[0] for one, or loop in a @step function"


def _refusal(code: str, what: str, remedy: str) -> Any:
    def refuse(self: Any, *args: Any, **kwargs: Any) -> NoReturn:
        _refuse(self, code, what, remedy)

    return refuse


def _comparison(op: Any) -> Any:
    def compare(self: Any, other: Any) -> Cond:
        from chainlab.declare.lift import lift_operand

        here = state(self)
        usable(self)
        right, right_schema = lift_operand(other, here.schema)
        left_type, right_type = here.schema, right_schema
        if types.assignable(right_type, left_type) is not None and types.assignable(left_type, right_type) is not None:
            here.scope.refuse(
                "wrong-type",
                f"{write(here.expr)!r} can never compare with {write(right)}",
                expected=types.describe(left_type),
                got=types.describe(right_type),
                remedy="compare with a value of the same type",
                step=step_of(here.expr),
            )
        return Cond(here.scope, Compare(op=op, left=here.expr, right=right))

    return compare


class Ref:
    """A value that does not exist yet."""

    __slots__ = ("_chainlab",)

    def __init__(self, known: State) -> None:
        object.__setattr__(self, "_chainlab", known)

    def __repr__(self) -> str:
        known = state(self)
        return f"<Ref{MARK} {write(known.expr)}: {types.describe(known.schema)}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") and not (name[1:2] != "_" and is_authors(sys._getframe(1).f_code.co_filename)):
            raise AttributeError(name)  # what Python and libraries try on any object
        return child_of(self, name)

    @property  # type: ignore[misc]  # a property of that name is how `isinstance` is heard
    def __class__(self) -> Any:
        if not is_authors(sys._getframe(1).f_code.co_filename):
            return Ref
        _refuse(self, "ref-identity", "isinstance() or class of", _KINDS)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            _refuse(self, "ref-slice", "slice of", f"{_STEP}, or take constant indices such as x[0]")
        if type(key) is Ref:
            _refuse(self, "ref-index", "index by a value of", f"{_STEP}: only constant keys and indices are data")
        if not isinstance(key, (str, int)) or isinstance(key, bool):
            _refuse(self, "ref-index", "index by a non-constant into", f"use a constant text or integer, or {_STEP}")
        return child_of(self, key)

    def __iter__(self) -> Iterator[Any]:
        schema = state(self).schema
        prefix = schema.get("prefixItems")
        if prefix is not None and schema.get("maxItems") == len(prefix):
            return iter([child_of(self, index) for index in range(len(prefix))])
        _refuse(self, "ref-iter", "loop over", _LOOP)

    __bool__ = _refusal(
        "ref-bool",
        "truth of",
        "use when(condition, then=..., otherwise=...), given(...) or route(...); combine with & | not_(...)",
    )
    __len__ = _refusal("ref-len", "len() of", "count in a @step function")
    __contains__ = _refusal("ref-contains", "`in` on", "test in a @step function that returns bool, then use when(...)")
    __str__ = _refusal(
        "ref-str", "text of", "put it in a prompt's template as {{ variable }}, or build text in a @step function"
    )
    __format__ = _refusal(
        "ref-str",
        "f-string or format of",
        "put it in a prompt's template as {{ variable }}, or build text in a @step function",
    )
    __reversed__ = _refusal("ref-iter", "reversed() of", f"{_STEP}")
    __hash__ = _refusal(
        "ref-hash", "dict key or set member from", "use route(...) for a look-up, a list for a set, or a @step function"
    )
    __reduce_ex__ = _refusal("ref-pickle", "pickle or copy of", "pass it on as it is: it is already immutable")
    __reduce__ = _refusal("ref-pickle", "pickle or copy of", "pass it on as it is: it is already immutable")
    __copy__ = _refusal("ref-pickle", "copy of", "pass it on as it is: it is already immutable")
    __deepcopy__ = _refusal("ref-pickle", "copy of", "pass it on as it is: it is already immutable")
    __call__ = _refusal("ref-operator", "call of", f"{_STEP}")
    __await__ = _refusal("ref-operator", "await of", "call steps without await: the engine awaits them")
    __enter__ = _refusal("ref-operator", "`with` on", f"{_STEP}")
    __setattr__ = _refusal(
        "ref-operator", "assignment to a field of", "values are immutable: use make(...) to build a new one"
    )
    __delattr__ = _refusal(
        "ref-operator", "deletion of a field of", "values are immutable: use make(...) to build a new one"
    )
    __setitem__ = _refusal("ref-operator", "assignment into", "values are immutable: use make(...) to build a new one")
    __delitem__ = _refusal("ref-operator", "deletion from", "values are immutable: use make(...) to build a new one")
    __int__ = _refusal("ref-operator", "int() of", _STEP)
    __float__ = _refusal("ref-operator", "float() of", _STEP)
    __index__ = _refusal("ref-index", "use as an index of", "use route(...) to choose, or a @step function")

    __eq__ = _comparison("==")
    __ne__ = _comparison("!=")
    __lt__ = _comparison("<")
    __le__ = _comparison("<=")
    __gt__ = _comparison(">")
    __ge__ = _comparison(">=")

    def __and__(self, other: Any) -> Cond:
        return _both(AllOf, as_condition(self), other)

    def __or__(self, other: Any) -> Cond:
        return _both(AnyOf, as_condition(self), other)

    def __rand__(self, other: Any) -> Cond:
        return _both(AllOf, as_condition(self), other)

    def __ror__(self, other: Any) -> Cond:
        return _both(AnyOf, as_condition(self), other)

    def __invert__(self) -> Cond:
        return ~as_condition(self)


_OPERATORS = "add sub mul matmul truediv floordiv mod divmod pow lshift rshift xor".split()
for _name in _OPERATORS:
    for _prefix in ("", "r", "i"):
        setattr(
            Ref,
            f"__{_prefix}{_name}__",
            _refusal("ref-operator", "arithmetic on", "compute in a @step function; text belongs in a template"),
        )
for _name in ("neg", "pos", "abs", "round", "trunc", "floor", "ceil", "complex"):
    setattr(Ref, f"__{_name}__", _refusal("ref-operator", "arithmetic on", "compute in a @step function"))


class Cond:
    """A symbolic condition, made by comparing Refs. Combine with `&`, `|` and `not_(...)`."""

    __slots__ = ("_condition", "_scope", "_text")
    _condition: Condition
    _scope: Scope
    _text: str

    def __init__(self, scope: Scope, condition: Condition) -> None:
        from chainlab.spec.expr import write_condition

        object.__setattr__(self, "_scope", scope)
        object.__setattr__(self, "_condition", condition)
        object.__setattr__(self, "_text", write_condition(condition))

    def __repr__(self) -> str:
        return f"<Condition{MARK} {self._text}>"

    def __and__(self, other: Any) -> Cond:
        return _both(AllOf, self, other)

    def __or__(self, other: Any) -> Cond:
        return _both(AnyOf, self, other)

    __rand__ = __and__
    __ror__ = __or__

    def __invert__(self) -> Cond:
        return Cond(self._scope, Not(item=self._condition))

    __bool__ = _refusal(
        "ref-bool",
        "truth of the comparison",
        "give it to when(...) or refine(accept=...), or decide in a @step function; use & | not_(...) for and, or, not",
    )
    __str__ = _refusal("ref-str", "text of the comparison", "compute it in a @step function that returns bool")
    __format__ = _refusal("ref-str", "text of the comparison", "compute it in a @step function that returns bool")
    __eq__ = _refusal("ref-operator", "comparison of the comparison", "combine conditions with & | not_(...)")
    __ne__ = _refusal("ref-operator", "comparison of the comparison", "combine conditions with & | not_(...)")
    __hash__ = _refusal("ref-hash", "dict key or set member from the comparison", "give it to when(...)")
    __reduce_ex__ = _refusal("ref-pickle", "pickle or copy of the comparison", "pass it on as it is")
    __iter__ = _refusal("ref-iter", "loop over the comparison", "give it to when(...)")
    __len__ = _refusal("ref-len", "len() of the comparison", "give it to when(...)")
    __call__ = _refusal("ref-operator", "call of the comparison", "give it to when(...)")


def _both(kind: type[AllOf] | type[AnyOf], left: Cond, right: Any) -> Cond:
    return Cond(left._scope, kind(items=(left._condition, as_condition(right)._condition)))


def as_condition(value: Any) -> Cond:
    """A condition from a comparison or a bool Ref; refuses everything else."""
    if type(value) is Cond:
        return value
    if type(value) is Ref:
        known = state(value)
        usable(value)
        closed = types.labels(known.schema)
        if known.schema.get("type") == "boolean" or (closed is not None and all(isinstance(v, bool) for v in closed)):
            return Cond(known.scope, Truth(value=known.expr))
        known.scope.refuse(
            "bad-condition",
            f"{write(known.expr)!r} is no condition",
            expected="a comparison, or a bool",
            got=types.describe(known.schema),
            remedy='compare it (x.score >= 7, x.kind == "bug"); for an Optional use given(...)',
            step=step_of(known.expr),
        )
    scope = current()
    where = caller(scope.file if scope else None)
    error = ChainError(
        "a plain Python value is no condition: it is decided once, at declaration",
        code="bad-condition",
        remedy="compare a step's output, as in when(found.score >= 7, then=lambda: ...)",
        expected="a comparison of a step's output",
        step=scope.chain if scope is not None else None,
        got=f"{type(value).__name__} {value!r}"[:80],
        file=where.file if where else None,
        line=where.line if where else None,
    )
    if scope is not None:
        scope.first_error = scope.first_error or error
    raise error


def condition_of(cond: Cond) -> Condition:
    """The condition as data."""
    return cond._condition


def usable(ref: Any) -> State:
    """What a Ref knows, after checking that it may be used here: in its own chain, while its block is open."""
    known = state(ref)
    scope = current()
    if scope is not known.scope:
        owner = known.scope.chain
        (scope or known.scope).refuse(
            "ref-leak",
            f"{write(known.expr)!r} belongs to the chain {owner!r}",
            remedy="pass values between chains as arguments: call that chain here and use its result",
        )
    assert scope is not None
    if known.frame not in scope.frames:
        scope.refuse(
            "ref-leak",
            f"{write(known.expr)!r} lives only inside the body given to {known.frame.owner!r}",
            remedy="return it from that body and use the result of each(...), when(...), route(...) or refine(...)",
        )
    return known


def child_of(ref: Any, key: str | int) -> Any:
    """The Ref of a field, key or index; refuses what the type does not have."""
    known = usable(ref)
    json_key, child_type = _python_child(known.tp, key)
    problem = _python_problem(known, key)
    if problem is not None:
        _refuse_field(ref, known, key, problem)
    found = types.child(known.schema, json_key)
    if isinstance(found, types.NoField):
        _refuse_field(ref, known, key, found)
    return Ref(State(known.scope, known.frame, _below(known.expr, json_key), found, child_type))


def _below(expr: Expr, key: str | int) -> Expr:
    match expr:
        case RefExpr():
            return RefExpr(of=expr.of, name=expr.name, path=(*expr.path, key))
        case ObjectExpr() if key in expr.fields:
            return expr.fields[str(key)]
        case ListExpr() if isinstance(key, int) and -len(expr.items) <= key < len(expr.items):
            return expr.items[key]
    raise AssertionError(f"no {key!r} in {expr!r}")


def _python_problem(known: State, key: str | int) -> types.NoField | None:
    """What only the Python type tells: a misnamed field of a named tuple, a computed field of a model."""
    cls = get_origin(known.tp) or known.tp
    fields = field_types(known.tp) if isinstance(key, str) and inspect.isclass(cls) else None
    if fields is None or key in fields:
        return None
    named_tuple = issubclass(cls, tuple)
    computed = key in getattr(cls, "model_computed_fields", ())
    return types.NoField(key, cls.__name__, tuple(fields)) if named_tuple or computed else None


def _python_child(tp: Any, key: str | int) -> tuple[str | int, Any]:
    """JSON key and Python type of a child, as far as the Python type tells."""
    if tp is None:
        return key, None
    fields = field_types(tp)
    if fields is not None and key in fields:
        return fields[str(key)]
    origin, args = get_origin(tp), get_args(tp)
    if origin in (list, tuple) and isinstance(key, int) and args:
        if origin is list or (len(args) == 2 and args[1] is Ellipsis):
            return key, args[0]
        return key, args[key] if -len(args) <= key < len(args) else None
    if origin is dict and len(args) == 2:
        return key, args[1]
    return key, None


def item_type(tp: Any) -> Any:
    """The Python item type of a list type, None when unknown."""
    args = get_args(tp)
    return args[0] if args and get_origin(tp) not in (dict,) else None


def _refuse_field(ref: Any, known: State, key: str | int, problem: types.NoField) -> NoReturn:
    shown = write(known.expr)
    cls = get_origin(known.tp) or known.tp
    if isinstance(key, str) and inspect.isclass(cls) and hasattr(cls, key):
        member = inspect.getattr_static(cls, key)
        kind = "a method" if callable(getattr(cls, key, None)) else "a property"
        if not isinstance(member, property) and not callable(getattr(cls, key, None)):
            kind = "an attribute"
        known.scope.refuse(
            "unknown-field",
            f"{key!r} is {kind} of {problem.type}: code, not data",
            remedy=f"compute it in a @step function that takes the {problem.type}",
            expected=f"a field: {', '.join(problem.known)}" if problem.known else None,
            got=f"{shown}.{key}",
            step=step_of(known.expr),
        )
    near = nearest(str(key), problem.known)
    reason = f"{problem.reason}; read it in a @step function" if problem.reason else ""
    remedy = reason or (f"did you mean {near[0]!r}?" if near else "use one of its fields, or a @step function")
    access = f"[{key}]" if isinstance(key, int) else f".{key}"
    known.scope.refuse(
        "unknown-field",
        f"{shown!r} is {problem.type}, which has no {'item' if isinstance(key, int) else 'field'} {key!r}",
        expected=f"one of: {', '.join(problem.known)}" if problem.known else None,
        got=f"{shown}{access}",
        remedy=remedy,
        step=step_of(known.expr),
    )
