"""Which literal a name in a decorator stands for: scopes read from the tree. Imports and runs nothing."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType

from chainlab.source.tree import tree_of

_Function = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_NestedScope = (*_Function, ast.ClassDef)


@dataclass(slots=True)
class _Bound:
    """What a scope binds a name to: `any`, whether it binds it at all."""

    any: bool = False
    literals: list[ast.Constant] = field(default_factory=list)
    imports: list[tuple[ast.ImportFrom, str]] = field(default_factory=list)


def literal_of(
    file: str, function: ast.AST, node: ast.expr, text: str, names: Mapping[str, object]
) -> tuple[str, ast.Constant] | None:
    """The literal of an expression that has this text, and its file; None for anything computed.

    A name is followed to the one assignment of the text: in the scopes around `function`, or in the module that it was
    imported from. `names` are the globals of the function's module.
    """
    match node:
        case ast.Constant(value=str(value)):
            return (file, node) if value == text else None
        case ast.Name(id=name):
            for scope in _scopes(file, function):
                bound = _bound(scope, name)
                if bound.any:
                    return _one(file, bound, text) or _imported(bound, text, names)
        case ast.Attribute(value=owner, attr=name):
            module = _module(owner, names)
            return _constant(module, name, text) if module is not None else None
    return None


def _one(file: str, bound: _Bound, text: str) -> tuple[str, ast.Constant] | None:
    found = [node for node in bound.literals if node.value == text]
    return (file, found[0]) if len(found) == 1 else None


def _imported(bound: _Bound, text: str, names: Mapping[str, object]) -> tuple[str, ast.Constant] | None:
    for statement, name in bound.imports:
        dots = "." * statement.level + (statement.module or "")
        package = names.get("__package__")
        try:
            full = importlib.util.resolve_name(dots, package if isinstance(package, str) else None)
        except ImportError:
            continue
        module = sys.modules.get(full)
        found = None if module is None else _constant(module, name, text)
        if found is not None:
            return found
    return None


def _constant(module: ModuleType, name: str, text: str) -> tuple[str, ast.Constant] | None:
    file = getattr(module, "__file__", None)
    tree = tree_of(file) if isinstance(file, str) else None
    return None if tree is None or file is None else _one(file, _bound(tree, name), text)


def _module(node: ast.expr, names: Mapping[str, object]) -> ModuleType | None:
    # `prompts` or `app.prompts`, looked up and not imported.
    if isinstance(node, ast.Name):
        found = names.get(node.id)
    elif isinstance(node, ast.Attribute):
        owner = _module(node.value, names)
        found = None if owner is None else vars(owner).get(node.attr)
    else:
        return None
    return found if isinstance(found, ModuleType) else None


def _scopes(file: str, function: ast.AST) -> list[ast.AST]:
    # Where Python looks a decorator's name up, nearest first: a class body only when it is the nearest.
    tree = tree_of(file)
    if tree is None:
        return []
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    found: list[ast.AST] = []
    node = parents.get(function)
    while node is not None:
        if isinstance(node, (*_Function, ast.Module)) or (isinstance(node, ast.ClassDef) and not found):
            found.append(node)
        node = parents.get(node)
    return found


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    # The nodes of a scope, without those of the scopes in it.
    stack = list(ast.iter_child_nodes(scope))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, _NestedScope):
            stack.extend(ast.iter_child_nodes(node))


def _bound(scope: ast.AST, name: str) -> _Bound:
    found = _Bound()
    for node in _own(scope):
        match node:
            case ast.Assign(targets=targets, value=ast.Constant(value=str()) as value):
                if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                    found.literals.append(value)
            case ast.AnnAssign(target=ast.Name(id=target_name), value=ast.Constant(value=str()) as value):
                if target_name == name:
                    found.literals.append(value)
            case ast.ImportFrom(names=aliases):
                found.imports += [(node, alias.name) for alias in aliases if (alias.asname or alias.name) == name]
        found.any = found.any or _binds(node, name)
    return found


def _binds(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Name(id=bound, ctx=ast.Store()) | ast.arg(arg=bound):
            return bound == name
        case ast.FunctionDef(name=bound) | ast.AsyncFunctionDef(name=bound) | ast.ClassDef(name=bound):
            return bound == name
        case ast.alias(name=bound, asname=other):
            return (other or bound.partition(".")[0]) == name
        case _:
            return False
