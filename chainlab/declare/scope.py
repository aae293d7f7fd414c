"""The trace of one chain body: which block is open, which names are taken, the first refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn, TypeVar

from chainlab.declare.expected import EXPECTED
from chainlab.declare.where import Where, caller
from chainlab.errors import ChainError, quiet
from chainlab.spec.chain import SourceRef, StepSpec

F = TypeVar("F")
T = TypeVar("T")

_current: ContextVar[Scope | None] = ContextVar("chainlab_scope", default=None)


class Frame:
    """One open block: the chain's body, or a body of each, when, route or refine.

    Refs made in it live as long as it is open.
    """

    __slots__ = ("owner", "steps")

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.steps: list[StepSpec] = []


class Scope:
    """The state of one trace."""

    def __init__(self, chain: str, file: str | None) -> None:
        self.chain = chain
        self.file = file
        self.frames: list[Frame] = [Frame(chain)]
        self.first_error: ChainError | None = None
        self._counts: dict[str, int] = {}
        self._definitions: dict[str, tuple[object, object]] = {}
        self.code: dict[str, Any] = {}
        self.accepts: dict[str, Any] = {}

    @property
    def frame(self) -> Frame:
        """The innermost open block."""
        return self.frames[-1]

    def unique(self, name: str) -> str:
        """The next free name: `summarise`, `summarise~2`."""
        count = self._counts[name] = self._counts.get(name, 0) + 1
        return name if count == 1 else f"{name}~{count}"

    def define(self, name: str, definition: object, root: object) -> None:
        """Note which definition a name stands for. Refuses a second one: a path must mean one thing."""
        known = self._definitions.setdefault(name, (definition, root))
        if known[0] is definition:
            return
        if known[1] is root:
            self.refuse(
                "duplicate-name",
                f"{name!r} is used twice in {self.chain!r} with different .with_(...) options",
                remedy=f'give one of them a name of its own: {name}.with_(name="...", ...)',
                step=name,
            )
        self.refuse(
            "duplicate-name",
            f"two different steps are named {name!r} in {self.chain!r}",
            remedy=f'rename one of them, or write .with_(name="...") where {name!r} is called',
            step=name,
        )

    @contextmanager
    def block(self, owner: str) -> Iterator[Frame]:
        """Open a block for the time of a `with`."""
        frame = Frame(owner)
        self.frames.append(frame)
        try:
            yield frame
        finally:
            self.frames.remove(frame)

    def refuse(
        self,
        code: str,
        message: str,
        *,
        remedy: str,
        step: str | None = None,
        expected: str | None = None,
        got: str | None = None,
        where: Where | None = None,
    ) -> NoReturn:
        """Raise a ChainError at the author's line; remember the first, so that `except` cannot swallow it.

        What is not given: `step` is the chain, `expected` what the code stands for, `got` what the author wrote there.
        """
        where = where or caller(self.file)
        error = ChainError(
            message,
            code=code,
            remedy=remedy,
            step=step or self.chain or None,
            expected=expected or EXPECTED.get(code),
            got=got or (where.text if where else None),
            file=where.file if where else None,
            line=where.line if where else None,
        )
        self.first_error = self.first_error or error
        raise error


def current() -> Scope | None:
    """The scope of the chain body being traced, or None outside one."""
    return _current.get()


@contextmanager
def tracing(scope: Scope) -> Iterator[Scope]:
    """Make a scope the current one."""
    token = _current.set(scope)
    try:
        yield scope
    finally:
        _current.reset(token)


def quietly(decorate: Callable[[F], T]) -> Callable[[F], T]:
    """A decorator whose ChainErrors come without chainlab's frames: the message says the author's line."""

    def wrapped(fn: F) -> T:
        try:
            return decorate(fn)
        except ChainError as error:
            raise quiet(error) from None

    return wrapped


def called_at(scope: Scope | None) -> SourceRef | None:
    """The author's line as a SourceRef."""
    where = caller(scope.file if scope else None)
    return SourceRef(file=where.file, line=where.line) if where else None


def refuse(
    code: str,
    message: str,
    *,
    remedy: str,
    step: str | None = None,
    expected: str | None = None,
    got: str | None = None,
    where: Where | None = None,
) -> NoReturn:
    """Refuse in the current scope, or outside any."""
    scope = current() or Scope("", None)
    scope.refuse(code, message, remedy=remedy, step=step, expected=expected, got=got, where=where)
