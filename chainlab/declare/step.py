"""@step: plain Python between prompts, named in the spec and never carried by it."""

from __future__ import annotations

import ast
import copy
import inspect
import textwrap
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, ParamSpec, Protocol, Self, TypeVar, cast, overload

from chainlab.declare.options import check_options
from chainlab.declare.prompt import bind_run_inputs, one_step_program
from chainlab.declare.runnable import Code, Program, Runnable
from chainlab.declare.scope import called_at, current, quietly, refuse
from chainlab.declare.signature import Signature, place_of, signature_of
from chainlab.declare.where import Where
from chainlab.declare.wire import made, wire
from chainlab.spec.chain import CodeStep, Policy, SourceRef
from chainlab.spec.expr import RefExpr
from chainlab.values.codec import Json, hash_bytes

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Step(Runnable[P, R_co]):
    """A Python step. Call it in a chain body; run it alone with `run`; `.fn` is the plain function."""

    def __init__(self, fn: Callable[P, Any], signature: Signature, options: Mapping[str, Any]) -> None:
        self.fn = fn
        self.name: str = options["name"] or fn.__name__
        self._signature = signature
        self._options = options
        self._root: object = self
        self.code = Code(
            fn, inspect.iscoroutinefunction(fn), {k: p.tp for k, p in signature.params.items()}, signature.result
        )
        self.__doc__ = fn.__doc__
        self.__module__ = fn.__module__
        self.__wrapped__ = fn

    def __repr__(self) -> str:
        return f"<Step {self.name}{self._signature.python}>"

    def with_(
        self,
        *,
        name: str | None = None,
        retries: int | None = None,
        timeout: float | None = None,
        tags: Sequence[str] | None = None,
    ) -> Self:
        """The same step with other options."""
        values = {"name": name, "retries": retries, "timeout": timeout, "tags": tags}
        given = {key: value for key, value in values.items() if value is not None}
        check_options(self.name, given, place=None)
        other = copy.copy(self)
        other._options = {**self._options, **given}
        other.name = other._options["name"] or self.name
        return other

    def node(self, name: str, args: dict[str, Any], called: SourceRef | None) -> CodeStep:
        """The spec node of one use of this step."""
        place = place_of(self.fn)
        return CodeStep(
            name=name,
            step=self.name,
            source=SourceRef(file=place.file, line=place.line),
            called=called,
            module=self.fn.__module__,
            qualname=self.fn.__qualname__,
            code_hash=code_hash(self.fn),
            not_portable=_why_not_portable(self.fn),
            effects=self._options["effects"],
            params={key: parameter.schema for key, parameter in self._signature.params.items()},
            args=args,
            output=self._signature.result_schema,
            policy=Policy(retries=self._options["retries"], timeout=self._options["timeout"]),
            tags=tuple(self._options["tags"] or ()),
        )

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Wire the step into the chain being declared."""
        wired = wire("step", self, self._root, self._signature, args, kwargs)
        _refuse_calls(self.fn)
        wired.scope.frame.steps.append(self.node(wired.name, wired.args, called_at(wired.scope)))
        wired.scope.code[wired.name] = self.code
        return cast(R_co, made(wired, self._signature))

    def program(self) -> Program:
        """A one-step chain of this step."""
        args = {key: RefExpr(of="input", name=key) for key in self._signature.params}
        node = self.node(self.name, dict(args), None)
        return one_step_program(self.name, node, self._signature, {self.name: self.code}, {})

    def bind_inputs(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Json]:
        """Run inputs as JSON."""
        return bind_run_inputs(self.name, self._signature, args, kwargs)


def _refuse_calls(fn: Callable[..., Any]) -> None:
    """Refuse a step that calls another one in its body: it runs when the chain runs, where nothing can be wired."""
    for name, line in _called_names(fn):
        called = fn.__globals__.get(name)
        if isinstance(called, Runnable):
            refuse(
                "wrong-place",
                f"step {fn.__name__!r} calls {name!r} in its body, where nothing is wired any more",
                remedy=f"call {name} in the chain and pass its output to {fn.__name__}; in a test, {name}.fn(...)",
                where=Where(place_of(fn).file, line),
                step=fn.__name__,
            )


@lru_cache(maxsize=1024)
def _called_names(fn: Callable[..., Any]) -> tuple[tuple[str, int], ...]:
    """The names that a function calls, with their lines; none without source."""
    try:
        lines, first = inspect.getsourcelines(fn)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, SyntaxError, TypeError):
        return ()
    body = tree.body[0].body if isinstance(tree.body[0], (ast.FunctionDef, ast.AsyncFunctionDef)) else []
    calls = [node for statement in body for node in ast.walk(statement) if isinstance(node, ast.Call)]
    return tuple((call.func.id, first + call.lineno - 1) for call in calls if isinstance(call.func, ast.Name))


def code_hash(fn: Callable[..., Any]) -> str:
    """Hash of a function's normalised source: layout, comments and decorators do not count.

    Without source, its bytecode.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(fn)))
        function = tree.body[0]
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            function.decorator_list = []
        text = ast.unparse(tree)
    except (OSError, SyntaxError, TypeError):
        text = f"{fn.__code__.co_code.hex()} {fn.__code__.co_consts!r} {fn.__code__.co_names!r}"
    return hash_bytes(text.encode()).hex()


def _why_not_portable(fn: Callable[..., Any]) -> str | None:
    if "<locals>" in fn.__qualname__:
        return "it is defined inside a function"
    if fn.__module__ == "__main__":
        return "it is defined in __main__"
    return None


class _StepDecorator(Protocol):
    @overload
    def __call__(self, fn: Callable[P, Coroutine[Any, Any, R]], /) -> Step[P, R]: ...
    @overload
    def __call__(self, fn: Callable[P, R], /) -> Step[P, R]: ...


@overload
def step(fn: Callable[P, Coroutine[Any, Any, R]], /) -> Step[P, R]: ...
@overload
def step(fn: Callable[P, R], /) -> Step[P, R]: ...
@overload
def step(
    *,
    name: str | None = None,
    effects: Literal["none", "ask", "never"] = "none",
    retries: int = 0,
    timeout: float | None = None,
    tags: Sequence[str] = (),
) -> _StepDecorator: ...
def step(
    fn: Any = None,
    /,
    *,
    name: str | None = None,
    effects: Literal["none", "ask", "never"] = "none",
    retries: int = 0,
    timeout: float | None = None,
    tags: Sequence[str] = (),
) -> Any:
    """Declare a Python step, sync or async. `retries` counts exceptions; `timeout` is seconds per attempt.

    `effects` says what a replay may do: "none" run it again freely, "ask" only when told to, "never" not at all.
    """
    options = {"name": name, "effects": effects, "retries": retries, "timeout": timeout, "tags": tags}

    def decorate(fn: Callable[..., Any]) -> Any:
        if isinstance(fn, (staticmethod, classmethod)):
            fn = fn.__func__
        if not inspect.isfunction(fn):
            refuse(
                "bad-option",
                f"@step is put on {fn!r}, which is no plain function",
                remedy="put @step directly on a def or async def",
            )
        place = place_of(fn)
        if current() is not None:
            refuse(
                "wrong-place",
                f"step {fn.__name__!r} is declared inside a chain body",
                remedy="declare it outside, at module level: there it cannot close over values that do not exist yet",
                where=place,
                step=fn.__name__,
            )
        if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
            refuse(
                "bad-option",
                f"step {fn.__name__!r} yields: a step gives one value, once",
                expected="a function that returns its result",
                remedy="collect what it yields in a list, and return that",
                where=place,
                step=fn.__name__,
            )
        check_options(fn.__name__, options, place=place)
        return Step(fn, signature_of(fn, "step"), options)

    return quietly(decorate) if fn is None else quietly(decorate)(fn)
