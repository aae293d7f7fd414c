"""A recorded text found again in a file as it is now: by its line and the hash of its text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from chainlab.source.literal import LINE_END, span
from chainlab.source.place import text_hash


@dataclass(frozen=True, slots=True)
class Found:
    """A literal, as offsets in the source. `others`: the lines of other literals with the same text."""

    node: ast.Constant
    value: str
    line: int
    start: int
    end: int
    others: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """No literal, or no single one: `same` are the lines that have the text, `there` what stands at the line."""

    same: tuple[int, ...]
    there: tuple[Found, ...]


def find_literal(text: str, tree: ast.Module, line: int, wanted: str) -> Found | Lost:
    """The literal of a source whose text has this hash: the one at the line, else the only one in the file."""
    lines = _with_ends(text)
    literals = [(node, value, text_hash(value) == wanted) for node, value in _literals(tree)]
    same = [(node, value) for node, value, alike in literals if alike]
    here = [(node, value) for node, value in same if node.lineno == line]
    if len(here) == 1 or (not here and len(same) == 1):
        node, value = (here or same)[0]
        others = tuple(other.lineno for other, _ in same if other is not node)
        return Found(node, value, node.lineno, *span(lines, node), others)
    there = [(node, value) for node, value, _ in literals if node.lineno == line]
    return Lost(
        tuple(sorted(node.lineno for node, _ in same)),
        tuple(Found(node, value, node.lineno, *span(lines, node)) for node, value in there),
    )


def _with_ends(text: str) -> list[str]:
    ends = [0, *(found.end() for found in LINE_END.finditer(text)), len(text)]
    return [text[a:b] for a, b in zip(ends, ends[1:], strict=False)]


def _literals(tree: ast.Module) -> Iterator[tuple[ast.Constant, str]]:
    # Every string literal that can be a template, so no docstring and nothing inside an f-string.
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        match node:
            case ast.Constant(value=str(value)):
                yield node, value
            case ast.JoinedStr() | ast.Expr(value=ast.Constant()):
                continue
        stack.extend(ast.iter_child_nodes(node))


def name_uses(tree: ast.Module, literal: ast.Constant) -> tuple[str, tuple[int, ...]]:
    """The name that a literal is assigned to ('' for none) and the lines where the file reads that name."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is literal:
                return name, _reads(tree, name)
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is literal:
                return name, _reads(tree, name)
    return "", ()


def _reads(tree: ast.Module, name: str) -> tuple[int, ...]:
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name)
    return tuple(node.lineno for node in found if isinstance(node.ctx, ast.Load))
