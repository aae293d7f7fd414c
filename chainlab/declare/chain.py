"""@chain: traces the body once and compiles it to a ChainSpec, checked."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ParamSpec, Protocol, Self, TypeVar, cast, overload

from pydantic import ValidationError

from chainlab.declare.lift import Lifted, has_ref, lift, type_name, use_make
from chainlab.declare.lint import Held, blind_uses, match_line, watching
from chainlab.declare.options import check_options
from chainlab.declare.prompt import bind_run_inputs
from chainlab.declare.ref import Cond, Ref, State
from chainlab.declare.runnable import Program, Runnable
from chainlab.declare.scope import Scope, called_at, current, quietly, refuse, tracing
from chainlab.declare.signature import Signature, place_of, signature_of
from chainlab.declare.where import Where
from chainlab.declare.wire import made, wire
from chainlab.errors import ChainError
from chainlab.spec.budget import Budget
from chainlab.spec.chain import ChainSpec, CodeStep, PromptStep, SourceRef, StepSpec, SubChain, walk
from chainlab.spec.check import first_error
from chainlab.spec.expr import RefExpr
from chainlab.values.codec import Json
from chainlab.values.near import nearest

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Chain(Runnable[P, R_co]):
    """A declared chain. `.spec` is the whole of it as data."""

    def __init__(self, fn: Callable[P, Any], signature: Signature, program: Program) -> None:
        self.fn = fn
        self.name: str = program.spec.name
        self._signature = signature
        self._program = program
        self._root: object = self
        self.__doc__ = fn.__doc__
        self.__module__ = fn.__module__
        self.__wrapped__ = fn

    def __repr__(self) -> str:
        return f"<Chain {self.name}{self._signature.python}>"

    @property
    def spec(self) -> ChainSpec:
        """The chain as frozen, JSON-serialisable, content-hashed data."""
        return self._program.spec

    def mermaid(self) -> str:
        """The chain as a Mermaid flowchart."""
        from chainlab.spec.draw import mermaid

        return mermaid(self.spec)

    def with_(
        self,
        *,
        name: str | None = None,
        models: Mapping[str, str] | None = None,
        budget: Budget | None = None,
        tags: Sequence[str] | None = None,
    ) -> Self:
        """The same chain with another name, other models by step or alias, another budget, or tags."""
        check_options(self.name, {"name": name, "budget": budget, "tags": tags}, place=None)
        self._check_models(models or {})
        changes: dict[str, Any] = {}
        if name is not None:
            changes["name"] = name
        if models is not None:
            changes["models"] = {**self.spec.models, **models}
        if budget is not None:
            changes["budget"] = budget
        if tags is not None:
            changes["tags"] = tuple(tags)
        other = copy.copy(self)
        spec = self.spec.changed(changes)
        old = self._program
        other._program = Program(spec, old.code, old.accepts, old.inputs, old.result)
        other.name = spec.name
        return other

    def _check_models(self, models: Mapping[str, str]) -> None:
        prompts = [(path, step) for path, step in walk(self.spec.steps) if isinstance(step, PromptStep)]
        known = {name for path, step in prompts for name in (path, step.name, step.step, *step.model)}
        for key, model in models.items():
            if key not in known or not isinstance(model, str):
                near = nearest(key, known)
                refuse(
                    "bad-option",
                    f"models= of {self.name!r} names {key!r}, which is no prompt and no model of this chain",
                    expected=f"one of: {', '.join(sorted(known))}",
                    got=f"{key!r}: {model!r}",
                    remedy=f"did you mean {near[0]!r}?"
                    if near
                    else "name a prompt or a model alias that the chain uses",
                    step=self.name,
                )

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Wire the chain into the chain being declared, as a sub-chain."""
        wired = wire("chain", self, self._root, self._signature, args, kwargs)
        scope, name = wired.scope, wired.name
        called = called_at(scope)
        scope.frame.steps.append(
            SubChain(name=name, source=self.spec.source, called=called, chain=self.spec, args=wired.args)
        )
        scope.code |= {f"{name}/{path}": code for path, code in self._program.code.items()}
        scope.accepts |= {f"{name}/{path}": accept for path, accept in self._program.accepts.items()}
        return cast(R_co, made(wired, self._signature))

    def program(self) -> Program:
        """The spec, with the author's functions and types."""
        return self._program

    def bind_inputs(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Json]:
        """Run inputs as JSON."""
        return bind_run_inputs(self.name, self._signature, args, kwargs)


class _ChainDecorator(Protocol):
    def __call__(self, fn: Callable[P, R], /) -> Chain[P, R]: ...


@overload
def chain(fn: Callable[P, R], /) -> Chain[P, R]: ...
@overload
def chain(*, name: str | None = None, budget: Budget | None = None, tags: Sequence[str] = ()) -> _ChainDecorator: ...
def chain(fn: Any = None, /, *, name: str | None = None, budget: Budget | None = None, tags: Sequence[str] = ()) -> Any:
    """Declare a chain: the body is run once, with placeholders, to learn how its steps are wired.

    `budget`: what each of its runs may take. Raises ChainError.
    """

    def decorate(fn: Callable[P, R]) -> Chain[P, R]:
        if not inspect.isfunction(fn) or inspect.iscoroutinefunction(fn) or inspect.isgeneratorfunction(fn):
            refuse(
                "bad-option",
                "@chain is put on something else than a plain def without yield",
                expected="def name(...) -> Type",
                remedy="write a plain def: the engine awaits the steps",
                step=getattr(fn, "__name__", "chain"),
                where=place_of(fn) if inspect.isfunction(fn) else None,
            )
        if current() is not None:
            refuse(
                "wrong-place",
                f"chain {fn.__name__!r} is declared inside a chain body",
                remedy="declare it at module level and call it here",
                where=place_of(fn),
            )
        check_options(fn.__name__, {"name": name, "budget": budget, "tags": tags}, place=place_of(fn))
        signature = signature_of(fn, "chain")
        return Chain(fn, signature, _trace(fn, signature, name or fn.__name__, budget, tuple(tags)))

    return quietly(decorate) if fn is None else quietly(decorate)(fn)


def _trace(
    fn: Callable[..., Any], signature: Signature, name: str, budget: Budget | None, tags: tuple[str, ...]
) -> Program:
    place = place_of(fn)
    scope = Scope(name, place.file)
    refs = {
        key: Ref(State(scope, scope.frame, RefExpr(of="input", name=key), parameter.schema, parameter.tp))
        for key, parameter in signature.params.items()
    }
    with tracing(scope):
        with watching() as held:
            result = _run_body(fn, signature, scope, refs, place)
        if scope.first_error is not None:
            raise scope.first_error
        _refuse_blind(scope, held)
        line = held.returned.get(fn.__code__, place.line)
        output = _output(result, signature, scope, place if result is None else Where(place.file, line))
    spec = ChainSpec(
        name=name,
        doc=inspect.getdoc(fn) or "",
        inputs={key: parameter.schema for key, parameter in signature.params.items()},
        defaults={key: p.default for key, p in signature.params.items() if p.has_default},
        steps=tuple(scope.frame.steps),
        output=output.expr,
        output_schema=signature.result_schema,
        budget=budget,
        tags=tags,
        source=SourceRef(file=place.file, line=place.line),
    )
    error = first_error(spec)
    if error is not None:
        if error.code == "wrong-type" and error.step == name:
            error.line = line  # of the return; the spec knows only where the chain is declared
        raise error
    types = {key: parameter.tp for key, parameter in signature.params.items()}
    return Program(spec, dict(scope.code), dict(scope.accepts), types, signature.result)


def _refuse_blind(scope: Scope, held: Held) -> None:
    """Refuse what no placeholder could intercept while the body ran."""
    for built in held.models[:1]:
        use_make(built.name, Where(built.file, built.line))
    steps = [
        (step.step, step.called.file, step.called.line)
        for step in _leaves(scope.frame.steps)
        if step.called is not None
    ]
    for use in blind_uses(held, steps):
        scope.refuse(
            "ref-identity",
            f"{use.what} on {use.name!r} is decided now, while it has no value: it would be silently wrong",
            remedy="use when(x == ..., ...), given(x, ...) for an Optional, route(...) for kinds",
            where=Where(use.file, use.line),
        )


def _leaves(steps: Sequence[StepSpec]) -> Iterator[PromptStep | CodeStep]:
    for _, step in walk(tuple(steps)):
        if isinstance(step, (PromptStep, CodeStep)):
            yield step


def _run_body(fn: Callable[..., Any], signature: Signature, scope: Scope, refs: Mapping[str, Any], place: Where) -> Any:
    positional = [
        refs[key] for key, p in signature.python.parameters.items() if p.kind is inspect.Parameter.POSITIONAL_ONLY
    ]
    named = {
        key: refs[key]
        for key, p in signature.python.parameters.items()
        if p.kind is not inspect.Parameter.POSITIONAL_ONLY
    }
    try:
        return fn(*positional, **named)
    except ChainError as error:
        raise _in_match(scope.first_error or error) from None
    except ValidationError as error:
        if scope.first_error is not None:
            raise scope.first_error from None
        if any(_is_placeholder(item.get("input")) for item in error.errors(include_url=False, include_context=False)):
            _locate(error, place)
            use_make_at(error, scope, place)
        raise
    except Exception as error:
        if scope.first_error is not None:
            raise scope.first_error from None
        if isinstance(error, NameError) and error.name == fn.__name__:
            scope.refuse(
                "recursive-chain",
                f"chain {fn.__name__!r} calls itself",
                expected="a DAG that is known before the first call",
                remedy="use refine(...) for a bounded loop, each(...) over a list, or a loop outside the chain",
                where=_locate(error, place),
            )
        if isinstance(error, ValueError) and "values to unpack" in str(error):
            scope.refuse(
                "ref-iter",
                f"a value of the chain is unpacked into another number of names: {error}",
                remedy="unpack as many as the tuple's type has, or take constant indices such as x[0]",
                where=_locate(error, place),
            )
        if isinstance(error, TypeError) and "Ref" in str(error):  # a library that was given a placeholder
            scope.refuse(
                "ref-operator",
                f"a value that does not exist yet was given to other code: {error}",
                remedy="move this into a @step function",
                where=_locate(error, place),
            )
        raise


def _in_match(error: ChainError) -> ChainError:
    """A comparison that a `case` made, said as what the author wrote."""
    of_a_case = error.code in ("ref-bool", "ref-identity")
    at = match_line(error.file, error.line) if of_a_case and error.file and error.line else None
    if at is not None:
        error.code, error.line = "ref-identity", at
        error.message = "match looks at a value that does not exist yet: a @chain body only wires steps"
        error.remedy = "use route(value, {label: lambda: ...}), or when(...)"
    return error


def use_make_at(error: ValidationError, scope: Scope, place: Where) -> None:
    """Refuse a pydantic model built from a placeholder, at the line that builds it."""
    try:
        use_make(error.title)
    except ChainError as refusal:
        where = _locate(error, place)
        refusal.file, refusal.line = where.file, where.line
        raise refusal from None


def _is_placeholder(value: Any) -> bool:
    return type(value) in (Ref, Cond) or has_ref(value)


def _locate(error: BaseException, place: Where) -> Where:
    """The last line of the chain's file in a traceback."""
    found, step = place, error.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == place.file:
            found = Where(place.file, step.tb_lineno)
        step = step.tb_next
    return found


def _output(result: Any, signature: Signature, scope: Scope, place: Where) -> Lifted:
    if result is None:
        scope.refuse(
            "chain-output",
            f"chain {scope.chain!r} returns nothing",
            expected=f"a {type_name(signature.result)}",
            remedy="return a step's output",
            where=place,
        )
    if not has_ref(result):
        scope.refuse(
            "chain-output",
            f"chain {scope.chain!r} returns a constant: no step makes it",
            expected=f"a {type_name(signature.result)} made by a step",
            got=f"{type(result).__name__} {result!r}"[:80],
            remedy="return a step's output",
            where=place,
        )
    try:
        return lift(result, signature.result, what=f"the result of chain {scope.chain!r}")
    except ChainError as error:
        error.file, error.line = place.file, place.line
        raise
