"""Where a template stands in an author's file. Reads sources; never imports or runs them.

Without source (a frozen build, `exec`, a .pyc) it degrades: it gives the decorator's line and says the text cannot be
patched.
"""

from __future__ import annotations

import ast
import linecache
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TextPlace:
    """Where one template's text stands.

    `line` is its first line. `offset` says that line n of the template is file line `line + n - 1` (a triple-quoted
    literal or a file); otherwise only `line` is known. `patchable`: it is one literal or one whole file.
    """

    file: str
    line: int
    patchable: bool
    offset: bool

    def line_of(self, template_line: int) -> int:
        """The file line of a template line, as exactly as it is known."""
        return self.line + template_line - 1 if self.offset else self.line


@lru_cache(maxsize=256)
def _parse(file: str, size: int) -> ast.Module | None:
    try:
        return ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return None


def tree_of(file: str) -> ast.Module | None:
    """The parsed source of a file (a zip member and a notebook cell too), or None."""
    lines = linecache.getlines(file)
    return _parse(file, len(lines)) if lines else None


def function_at(file: str, first_line: int, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The function whose first line (its first decorator's) this is."""
    tree = tree_of(file)
    if tree is None:
        return None
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
            start = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if start <= first_line <= node.lineno:
                return node
    return None


def template_places(file: str, first_line: int, name: str, texts: list[str]) -> list[TextPlace]:
    """Where each template text of a decorated function stands, in the order of the decorator's arguments."""
    function = function_at(file, first_line, name)
    unknown = TextPlace(file, first_line, patchable=False, offset=False)
    if function is None:
        return [unknown] * len(texts)
    candidates = [node for decorator in function.decorator_list for node in _text_nodes(decorator)]
    places = []
    for text in texts:
        place = unknown
        for node in candidates:
            found = _place_of(file, node, text)
            if found is not None:
                place = found
                break
        places.append(place)
    return places


def _text_nodes(decorator: ast.expr) -> list[ast.expr]:
    if not isinstance(decorator, ast.Call):
        return []
    nodes: list[ast.expr] = []
    for node in [*decorator.args, *(keyword.value for keyword in decorator.keywords)]:
        if isinstance(node, (ast.List, ast.Tuple)):
            for element in node.elts:
                nodes += element.args if isinstance(element, ast.Call) else [element]
        else:
            nodes.append(node)
    return nodes


def _place_of(file: str, node: ast.expr, text: str) -> TextPlace | None:
    if isinstance(node, ast.Constant) and node.value == text:
        return TextPlace(file, node.lineno, patchable=True, offset=_is_triple(file, node))
    if isinstance(node, ast.Name):
        constant = _module_constant(file, node.id)
        if constant is not None and constant.value == text:
            return TextPlace(file, constant.lineno, patchable=True, offset=_is_triple(file, constant))
    return None


def _module_constant(file: str, name: str) -> ast.Constant | None:
    tree = tree_of(file)
    if tree is None:
        return None
    found = None
    for statement in tree.body:
        targets: list[ast.expr] = []
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            value = getattr(statement, "value", None)
            found = value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
    return found


def _is_triple(file: str, node: ast.Constant) -> bool:
    segment = ast.get_source_segment("".join(linecache.getlines(file)), node)
    if segment is None:
        return False
    body = segment.lstrip("rRuUbBfF")
    quote = body[:3]
    return quote in ('"""', "'''") and body.endswith(quote) and body.count(quote) == 2


def read_template_file(file: str, beside: str | None, loader: object = None) -> tuple[str, str]:
    """The text of a template file and its path: beside the module's file, else from the working directory.

    Raises OSError or UnicodeDecodeError. A module inside a zip reads its template through its loader.
    """
    base = Path(beside).parent if beside else Path.cwd()
    path = Path(file) if Path(file).is_absolute() else base / file
    try:
        body = path.read_bytes()
    except OSError:
        get_data = getattr(loader, "get_data", None)
        if get_data is None:
            raise
        body = get_data(str(path))
    return body.decode("utf-8"), str(path)
