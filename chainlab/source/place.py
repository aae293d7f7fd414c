"""Where a template stands in an author's file. Reads sources; never imports or runs them.

Without source (a frozen build, `exec`, a .pyc) it degrades: it gives the decorator's line and says the text cannot be
patched.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from chainlab.source.literal import first_line, span
from chainlab.source.names import literal_of
from chainlab.source.tree import tree_of
from chainlab.values.codec import hash_bytes


class TextPlace(NamedTuple):
    """Where one template's text stands.

    `line` is where its literal or its file begins. `first` is the file line of the template's first line, known where
    template lines are file lines (a triple-quoted literal or a file). `patchable`: it is one literal or one whole file.
    """

    file: str
    line: int
    patchable: bool
    first: int | None = None

    def line_of(self, template_line: int) -> int:
        """The file line of a template line, as exactly as it is known."""
        return self.line if self.first is None else self.first + template_line - 1


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


def template_places(
    file: str, first_line: int, name: str, texts: Sequence[str], names: Mapping[str, object]
) -> list[TextPlace]:
    """Where each template text of a decorated function stands; `texts` in the order of the prompt's messages.

    `names` are the globals of the function's module: a text may be a constant of another module.
    """
    if not texts:
        return []
    function = function_at(file, first_line, name)
    found = [] if function is None else _found(file, function, texts, names)
    unknown = TextPlace(file, first_line, patchable=False)
    if len(found) != 1:  # two decorators with the same text: whose it is cannot be seen
        return [unknown] * len(texts)
    return [place or unknown for place in found[0]]


def _found(
    file: str, function: ast.FunctionDef | ast.AsyncFunctionDef, texts: Sequence[str], names: Mapping[str, object]
) -> list[list[TextPlace | None]]:
    # The places by decorator, of those that hold as many of the texts as any.
    calls = [call for call in function.decorator_list if isinstance(call, ast.Call)]
    found = [(call, _in_decorator(file, function, call, texts, names)) for call in calls]
    most = max((_count(places) for _, places in found), default=0)
    best = [(call, places) for call, places in found if _count(places) == most]
    named = [(call, places) for call, places in best if _called(call.func).endswith("prompt")]
    return [places for _, places in (named or best)]


def _count(places: list[TextPlace | None]) -> int:
    return sum(place is not None for place in places)


def _called(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _in_decorator(
    file: str,
    function: ast.FunctionDef | ast.AsyncFunctionDef,
    decorator: ast.Call,
    texts: Sequence[str],
    names: Mapping[str, object],
) -> list[TextPlace | None]:
    left = _text_nodes(decorator)
    used: list[ast.expr] = []
    places: list[TextPlace | None] = []
    for text in texts:  # two messages with one text: each has its own literal, unless both name one constant
        place = None
        for node in [*left, *used]:
            at = literal_of(file, function, node, text, names)
            if at is not None:
                place = _place(*at)
                if node in left:
                    left.remove(node)
                    used.append(node)
                break
        places.append(place)
    return places


def _text_nodes(decorator: ast.Call) -> list[ast.expr]:
    # Where a prompt's texts can stand, in the order of its messages.
    keywords = {keyword.arg: keyword.value for keyword in decorator.keywords}
    nodes = [keywords["system"]] if "system" in keywords else []
    nodes += decorator.args[:1]
    messages = keywords.get("messages")
    if isinstance(messages, (ast.List, ast.Tuple)):
        for element in messages.elts:
            if isinstance(element, ast.Call):
                nodes += element.args[:1]
                nodes += [keyword.value for keyword in element.keywords if keyword.arg == "template"]
    return nodes


def _place(file: str, node: ast.Constant) -> TextPlace:
    lines = linecache.getlines(file)
    start, end = span(lines, node)
    below = first_line("".join(lines)[start:end])
    return TextPlace(file, node.lineno, patchable=True, first=None if below is None else node.lineno + below)


def read_template_file(file: str, beside: str | None, loader: object = None) -> tuple[str, TextPlace]:
    """The text of a template file and its place: beside the module's file, else from the working directory.

    The text is the same on every machine: without a byte order mark, every line end as `\\n`. Raises OSError or
    UnicodeDecodeError. A module inside a zip reads its template through its loader; such a text cannot be patched.
    """
    base = Path(beside).parent if beside else Path.cwd()
    path = Path(file) if Path(file).is_absolute() else base / file
    patchable = True
    try:
        body = path.read_bytes()
    except OSError:
        get_data = getattr(loader, "get_data", None)
        if get_data is None:
            raise
        body, patchable = get_data(str(path)), False
    return plain_text(body), TextPlace(str(path), 1, patchable=patchable, first=1)


def plain_text(body: bytes) -> str:
    """The text of a template file as a prompt has it. Raises UnicodeDecodeError."""
    return body.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def text_hash(text: str) -> str:
    """The hash by which a template's text is found again in its file."""
    return hash_bytes(text.encode("utf-8", "backslashreplace")).hex()
