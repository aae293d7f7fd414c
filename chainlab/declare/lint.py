"""What a Ref cannot intercept: `is`, `type()`, `match`, and a model built from one where `except` hides that it failed.

A lint over the sources of the functions that ran. It reports only names that really held a Ref while the body was
traced, so it never raises a false alarm on a constant.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any, NamedTuple

from pydantic import BaseModel

from chainlab.declare.ref import Cond, Ref
from chainlab.declare.where import is_authors
from chainlab.source.tree import tree_of

_MODEL_INIT = BaseModel.__init__.__code__


class Blind(NamedTuple):
    """A use that would be silently wrong: its place, the variable, and what was written."""

    file: str
    line: int
    name: str
    what: str


@dataclass(slots=True)
class Names:
    """What the names of one function held: a Ref, or a list, tuple or dict with one in it."""

    refs: set[str] = field(default_factory=set)
    holders: set[str] = field(default_factory=set)


class Held:
    """Which names held a Ref, by function (file, first line, name of its code); `models`: those built from one."""

    def __init__(self) -> None:
        self.names: dict[tuple[str, int, str], Names] = {}
        self.returned: dict[CodeType, int] = {}  # the line a function last returned from
        self.models: list[Blind] = []

    def note(self, frame: FrameType) -> None:
        """Record the Ref-holding locals of a frame."""
        values = frame.f_locals
        refs = {name for name, value in values.items() if type(value) in (Ref, Cond)}
        holders = {name for name, value in values.items() if _holds(value)}
        if refs or holders:
            code = frame.f_code
            known = self.names.setdefault((code.co_filename, code.co_firstlineno, code.co_name), Names())
            known.refs |= refs
            known.holders |= holders

    def note_model(self, frame: FrameType) -> None:
        """Record that the author builds a pydantic model from a Ref: that it fails may be swallowed."""
        data = frame.f_locals.get("data")
        made = type(frame.f_locals.get("self")).__name__
        if frame.f_back is not None and isinstance(data, dict) and any(type(value) is Ref for value in data.values()):
            self.models.append(Blind(frame.f_back.f_code.co_filename, frame.f_back.f_lineno, made, "call"))


def _holds(value: Any) -> bool:
    inside = value.values() if type(value) is dict else value if type(value) in (list, tuple) else ()
    return any(type(item) in (Ref, Cond) for item in inside)


@contextmanager
def watching() -> Iterator[Held]:
    """Note the locals of every function of an author's that runs inside the `with`, as it calls and as it returns."""
    held = Held()

    def on_event(frame: FrameType, event: str, arg: Any) -> None:
        if event == "return" and is_authors(frame.f_code.co_filename):
            held.returned[frame.f_code] = frame.f_lineno
            held.note(frame)
        elif event == "call" and frame.f_back is not None and is_authors(frame.f_back.f_code.co_filename):
            held.note(frame.f_back)
            if frame.f_code is _MODEL_INIT:
                held.note_model(frame)

    before: Any = sys.getprofile()
    sys.setprofile(on_event)
    try:
        yield held
    finally:
        if before is None or callable(before):
            sys.setprofile(before)
        else:  # cProfile's own object, which is put back its own way
            before.enable()


def blind_uses(held: Held, steps: Sequence[tuple[str, str, int]]) -> list[Blind]:
    """Uses of `is`, `type` and `match` on what held a Ref, in line order. `steps`: those called, with file and line."""
    found: list[Blind] = []
    for file in dict.fromkeys([*(file for file, _, _ in held.names), *(file for _, file, _ in steps)]):
        tree = tree_of(file)
        if tree is None:
            continue
        called = {(name, line) for name, at, line in steps if at == file}
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                look = _Look(file, held.names.get((file, *_key(node)), Names()), called)
                body = node.body if isinstance(node.body, list) else [node.body]
                for statement in body:
                    found += look.uses(statement)
    return sorted(found, key=lambda use: use.line)


def match_line(file: str, line: int) -> int | None:
    """The line of the `match` whose case stands on this line, if one does."""
    tree = tree_of(file)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Match) and any(case.pattern.lineno == line for case in node.cases):
            return node.lineno
    return None


def _key(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> tuple[int, str]:
    if isinstance(node, ast.Lambda):
        return node.lineno, "<lambda>"
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]), node.name


@dataclass(frozen=True, slots=True)
class _Look:
    """A look at one function. `called`: (name, line) of the steps that were called."""

    file: str
    names: Names
    called: set[tuple[str, int]]

    def uses(self, node: ast.AST) -> Iterator[Blind]:
        """Every use below a node, functions inside it left out: they have names of their own."""
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            return
        match node:
            case ast.Compare():
                yield from self._identities(node)
            case ast.Call(func=ast.Name(id="isinstance" | "type" | "issubclass" as called), args=[first, *_]):
                yield from self._blind(node, f"{called}()", first)
            case ast.Call(func=ast.Name(id="is_" | "is_not") | ast.Attribute(attr="is_" | "is_not")):
                yield from self._blind(node, "is", *node.args)
            case ast.Match(subject=subject):
                parts = [part for part in ast.walk(subject) if isinstance(part, ast.expr)]
                yield from self._blind(node, "match", *parts[:1], *(p for p in parts[1:] if isinstance(p, ast.Name)))
        for child in ast.iter_child_nodes(node):
            yield from self.uses(child)

    def _identities(self, node: ast.Compare) -> Iterator[Blind]:
        sides = [node.left, *node.comparators]
        for index, op in enumerate(node.ops):
            if isinstance(op, (ast.Is, ast.IsNot)):
                yield from self._blind(node, "is" if isinstance(op, ast.Is) else "is not", *sides[index : index + 2])

    def _blind(self, node: ast.Compare | ast.Call | ast.Match, what: str, *parts: ast.expr) -> Iterator[Blind]:
        for part in parts:
            name = self._placeholder(part)
            if name:
                yield Blind(self.file, node.lineno, name, what)
                return

    def _placeholder(self, node: ast.expr) -> str:
        """The name of what an expression holds, where that was a Ref; else empty."""
        below = False
        while isinstance(node, (ast.Attribute, ast.Subscript, ast.NamedExpr)):
            below = below or not isinstance(node, ast.NamedExpr)
            node = node.target if isinstance(node, ast.NamedExpr) else node.value
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else ""
            return f"{called}(...)" if (called, node.lineno) in self.called else ""
        name = node.id if isinstance(node, ast.Name) else ""
        return name if name in self.names.refs or (below and name in self.names.holders) else ""
