"""What a Ref cannot intercept: `is`, `isinstance`, `type()` and `match`.

A lint over the sources of the functions that ran.

It reports only names that really held a Ref while the body was traced, so it never raises a false alarm on a constant.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

from chainlab.declare.ref import Cond, Ref
from chainlab.source.tree import tree_of


@dataclass(frozen=True, slots=True)
class Blind:
    """A use that would be silently wrong: its line, the variable, and what was written."""

    line: int
    name: str
    what: str


class Held:
    """Which names held a Ref, by function: (first line, name of the code) -> names."""

    def __init__(self) -> None:
        self.names: dict[tuple[int, str], set[str]] = {}
        self.returned: dict[CodeType, int] = {}  # the line a function last returned from

    def note(self, frame: FrameType) -> None:
        """Record the Ref-holding locals of a frame that returns."""
        self.returned[frame.f_code] = frame.f_lineno
        names = {name for name, value in frame.f_locals.items() if type(value) in (Ref, Cond)}
        if names:
            code = frame.f_code
            self.names.setdefault((code.co_firstlineno, code.co_name), set()).update(names)


@contextmanager
def watching(file: str) -> Iterator[Held]:
    """Note the locals of every function of `file` that runs inside the `with`."""
    held = Held()

    def on_event(frame: FrameType, event: str, arg: Any) -> None:
        if event == "return" and frame.f_code.co_filename == file:
            held.note(frame)

    before: Any = sys.getprofile()
    sys.setprofile(on_event)
    try:
        yield held
    finally:
        if before is None or callable(before):
            sys.setprofile(before)
        else:  # cProfile's own object, which is put back its own way
            before.enable()


def blind_uses(file: str, held: Held) -> list[Blind]:
    """Uses of `is`, `isinstance`, `type` and `match` on names that held a Ref, in line order."""
    tree = tree_of(file)
    if tree is None or not held.names:
        return []
    found: list[Blind] = []
    for node in ast.walk(tree):
        names = _names_of(node, held)
        if names:
            assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            body = node.body if isinstance(node.body, list) else [node.body]
            for statement in body:
                found += _uses(statement, names)
    return sorted(found, key=lambda use: use.line)


def match_line(file: str, line: int) -> int | None:
    """The line of the `match` whose case stands on this line, if one does."""
    tree = tree_of(file)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Match) and any(case.pattern.lineno == line for case in node.cases):
            return node.lineno
    return None


def _names_of(node: ast.AST, held: Held) -> set[str]:
    if isinstance(node, ast.Lambda):
        return held.names.get((node.lineno, "<lambda>"), set())
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        return held.names.get((first, node.name), set())
    return set()


def _uses(node: ast.AST, names: set[str]) -> Iterator[Blind]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        return  # looked at with its own names
    match node:
        case ast.Compare():
            yield from _identities(node, names)
        case ast.Call(func=ast.Name(id="isinstance" | "type" | "issubclass" as called), args=[first, *_]):
            if _root(first) in names:
                yield Blind(node.lineno, _root(first), f"{called}()")
        case ast.Match(subject=subject):
            roots = [_root(part) for part in ast.walk(subject) if isinstance(part, ast.expr)]
            yield from (Blind(node.lineno, root, "match") for root in roots[:1] if root in names)
    for child in ast.iter_child_nodes(node):
        yield from _uses(child, names)


def _identities(node: ast.Compare, names: set[str]) -> Iterator[Blind]:
    sides = [node.left, *node.comparators]
    for index, op in enumerate(node.ops):
        if isinstance(op, (ast.Is, ast.IsNot)):
            for side in sides[index : index + 2]:
                if _root(side) in names:
                    yield Blind(node.lineno, _root(side), "is" if isinstance(op, ast.Is) else "is not")


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.NamedExpr)):
        node = node.target if isinstance(node, ast.NamedExpr) else node.value
    return node.id if isinstance(node, ast.Name) else ""
