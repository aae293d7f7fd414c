"""What an author's code says around a prompt: its decorator's arguments, its signature, the variable of a call.

For advice to people, from the files as they are now: what is not found is None. Writes nothing.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Mapping
from pathlib import Path

from chainlab.errors import PatchError
from chainlab.source.below import below_root
from chainlab.source.tree import tree_of
from chainlab.spec.chain import SourceRef

Function = ast.FunctionDef | ast.AsyncFunctionDef


def shown_place(source: SourceRef, root: Path) -> str:
    """`app.py:12`: relative to the root where the file lies below it."""
    try:
        _, name = below_root(source.file, root)
    except PatchError:
        name = source.file
    return f"{name}:{source.line}"


def prompt_function(source: SourceRef, step: str, root: Path) -> Function | None:
    """The function of a prompt, declared at `source` under the name `step`."""
    tree = _tree(source, root)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, Function) and node.decorator_list:
            first = min(decorator.lineno for decorator in node.decorator_list)
            named = decorator_arguments(node).get("name")
            if first == source.line and step in (node.name, getattr(named, "value", None)):
                return node
    return None


def decorator_arguments(function: Function) -> Mapping[str, ast.expr]:
    """The keyword arguments of a function's decorators."""
    calls = (node for node in function.decorator_list if isinstance(node, ast.Call))
    return {keyword.arg: keyword.value for call in calls for keyword in call.keywords if keyword.arg is not None}


def signature_with(function: Function, added: Mapping[str, str], removed: Iterable[str]) -> str:
    """The `def` line of a function with other parameters; `added` are types by name."""
    args = copy.deepcopy(function.args)
    gone = frozenset(removed)
    if args.defaults or args.kwonlyargs:  # after a default, only a keyword can follow without one
        _drop(args, gone)
        args.kwonlyargs += [_parameter(name, written) for name, written in added.items()]
        args.kw_defaults += [None for _ in added]
    else:
        _drop(args, gone)
        args.args += [_parameter(name, written) for name, written in added.items()]
    result = "" if function.returns is None else f" -> {ast.unparse(function.returns)}"
    kind = "async def" if isinstance(function, ast.AsyncFunctionDef) else "def"
    return f"{kind} {function.name}({ast.unparse(args)}){result}"


def _parameter(name: str, written: str) -> ast.arg:
    try:
        return ast.arg(name, ast.parse(written, mode="eval").body)
    except SyntaxError:
        return ast.arg(name, None)


def _drop(args: ast.arguments, gone: frozenset[str]) -> None:
    placed = [*args.posonlyargs, *args.args]
    defaults = dict(zip([arg.arg for arg in reversed(placed)], reversed(args.defaults), strict=False))
    args.posonlyargs = [arg for arg in args.posonlyargs if arg.arg not in gone]
    args.args = [arg for arg in args.args if arg.arg not in gone]
    args.defaults = [defaults[arg.arg] for arg in [*args.posonlyargs, *args.args] if arg.arg in defaults]
    named = [pair for pair in zip(args.kwonlyargs, args.kw_defaults, strict=True) if pair[0].arg not in gone]
    args.kwonlyargs, args.kw_defaults = [arg for arg, _ in named], [default for _, default in named]


def variable_of(called: SourceRef, root: Path) -> str | None:
    """The variable that takes the result of the call at a line: `found` of `found = extract(text)`."""
    tree = _tree(called, root)
    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=func)) if func.lineno == called.line:
                return name
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call(func=func)) if func.lineno == called.line:
                return name
    return None


def _tree(source: SourceRef, root: Path) -> ast.Module | None:
    try:
        path, _ = below_root(source.file, root)
    except PatchError:
        return None
    return tree_of(str(path))
