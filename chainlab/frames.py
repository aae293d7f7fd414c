"""Slots: values that are made during a run, and who waits for them. Frames: which slots a body can see.

What the engine fills while it runs a plan, and what a replay fills in its head before anything runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeAlias

from chainlab.spec.expr import ConstExpr, Expr, ListExpr, ObjectExpr, RefExpr
from chainlab.values.codec import Json, Value, at_path

Fresh: TypeAlias = bool | frozenset[int]
"""Whether a value was made anew in this replay, so that what uses it follows; of a list, perhaps only some items."""


class NotKnown(Exception):
    """A value that only running can tell. Never raised in a run: there a slot that is done has its value."""


class Body(Protocol):
    """The body that a step stands in."""

    def ended(self, slot: Slot) -> None:
        """The step of this slot has ended."""
        ...


class Slot:
    """A value to come. Resolved once: with a value, or with the path of the step whose failure made it impossible.

    `path` and `field` say where the value comes from, for bindings. `body` is told first: the body the step stands in.
    """

    __slots__ = ("_parts", "body", "cause", "done", "field", "fresh", "path", "value", "waiters")

    def __init__(self, path: str, field: str = "", body: Body | None = None) -> None:
        self.path = path
        self.field = field
        self.body = body
        self.done = False
        self.value: Value | None = None
        self.cause: str | None = None
        self.fresh: Fresh = False
        self.waiters: list[Callable[[], None]] | None = None
        self._parts: dict[tuple[str | int, ...], Value] | None = None

    def resolve(self, value: Value | None, cause: str | None = None) -> None:
        """Settle the slot and tell everyone who waits."""
        self.done = True
        self.value = value
        self.cause = cause
        body, self.body = self.body, None
        waiters, self.waiters = self.waiters, None
        if body is not None:
            body.ended(self)
        if waiters:
            for waiter in waiters:
                waiter()

    def when_done(self, waiter: Callable[[], None]) -> None:
        """Call `waiter` when the slot is settled (it is not yet)."""
        if self.waiters is None:
            self.waiters = [waiter]
        else:
            self.waiters.append(waiter)

    def part(self, path: tuple[str | int, ...]) -> Value:
        """The value below a path, made once. Raises LookupError."""
        value = self.value
        if value is None:
            raise NotKnown(self.path)
        if not path:
            return value
        parts = self._parts
        if parts is None:
            parts = self._parts = {}
        found = parts.get(path)
        if found is None:
            found = parts[path] = Value(at_path(value.json, path))
        return found

    def field_of(self, path: tuple[str | int, ...]) -> str:
        """The name of a part, as bindings show it: `topics[3].title`."""
        text = self.field
        for item in path:
            text += f"[{item}]" if isinstance(item, int) else f".{item}" if text else str(item)
        return text


class Frame:
    """The values that a body can see: its own and those of the bodies around it.

    `prefix` and `suffix` make paths: `<prefix><name><suffix>`, such as `letter[2]/clean` or `note[2][5]`.
    """

    __slots__ = ("parent", "prefix", "slots", "sort", "suffix")

    def __init__(self, parent: Frame | None, prefix: str, suffix: str, sort: str) -> None:
        self.parent = parent
        self.prefix = prefix
        self.suffix = suffix
        self.sort = sort
        self.slots: dict[tuple[str, str], Slot] = {}

    def find(self, source: tuple[str, str]) -> Slot:
        """The slot of a name, from the innermost body outward."""
        frame: Frame | None = self
        while frame is not None:
            slot = frame.slots.get(source)
            if slot is not None:
                return slot
            frame = frame.parent
        raise KeyError(source)

    def value(self, expr: Expr) -> Value:
        """The value of an expression whose slots are all resolved. Raises LookupError for a missing key or index."""
        match expr:
            case RefExpr():
                return self.find((expr.of, expr.name)).part(expr.path)
            case ConstExpr():
                return Value(expr.value)
            case _:
                return Value(self.json(expr))

    def json(self, expr: Expr) -> Json:
        """The JSON of an expression."""
        match expr:
            case RefExpr():
                return self.find((expr.of, expr.name)).part(expr.path).json
            case ConstExpr():
                return expr.value
            case ListExpr():
                return [self.json(item) for item in expr.items]
            case ObjectExpr():
                return {key: self.json(value) for key, value in expr.fields.items()}

    def fresh(self, expr: Expr) -> Fresh:
        """Whether an expression's value was made anew."""
        match expr:
            case RefExpr():
                fresh = self.find((expr.of, expr.name)).fresh
                if isinstance(fresh, bool) or not expr.path:
                    return fresh
                return expr.path[0] in fresh
            case ConstExpr():
                return False
            case ListExpr():
                return frozenset(index for index, item in enumerate(expr.items) if self.fresh(item))
            case ObjectExpr():
                return any(self.fresh(value) for value in expr.fields.values())

    def any_fresh(self, exprs: Iterable[Expr]) -> bool:
        """Whether any of some expressions was made anew."""
        return any(bool(self.fresh(expr)) for expr in exprs)

    def failed(self, sources: Sequence[tuple[str, str]]) -> str | None:
        """The cause of the first source that failed, or None."""
        for source in sources:
            cause = self.find(source).cause
            if cause is not None:
                return cause
        return None


def const_slot(value: Any, path: str, field: str = "", fresh: Fresh = False) -> Slot:
    """A slot that has its value already."""
    slot = Slot(path, field)
    slot.done = True
    slot.value = value
    slot.fresh = fresh
    return slot
