"""Jinja templates: compile once, render plain JSON values to text and segments. Knows no chain, no model and no file.

Sandboxed; strict undefined; keys before methods (`order.items` is the field); no include, import, extends or block: one
prompt, one visible text. Values print as a person expects: text as it is, lists and objects as JSON, true/false/null.
What is sent is what the author wrote, line by line; Jinja reads every line break as `\\n`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import jinja2
from jinja2 import TemplateSyntaxError, meta, nodes
from jinja2.runtime import Context

from chainlab.spec._jinja import ENVIRONMENT, GLOBALS, PIECE, PRINT, NoValue, Piece, did_you_mean, listed
from chainlab.spec._jinja_nodes import chain
from chainlab.values.codec import Json, at_path

LONG_LITERAL = 101  # characters: so long a text of the template is a segment of its own, which others may share


class TemplateProblem(NamedTuple):
    """What is wrong in a template. `line` counts from 1 within the template; `expected` are the names that exist."""

    code: str
    line: int
    message: str
    expected: str | None = None
    got: str | None = None
    remedy: str = ""


class TemplateError(Exception):
    """A template that does not compile, or does not render with these values."""

    def __init__(self, problem: TemplateProblem) -> None:
        self.problem = problem
        super().__init__(problem.message)


class Segment(NamedTuple):
    """A piece of rendered text. `name` and `path` say which variable printed it; None: text, a computed value."""

    text: str
    name: str | None = None
    path: tuple[str | int, ...] = ()


class Rendered(NamedTuple):
    """A rendered template: its text, and the same text in pieces."""

    text: str
    segments: tuple[Segment, ...]


class _Place(NamedTuple):
    # The variable, and the path below it, that an expression prints. `indexed`: only the value can say whether it is a
    # list's item or a letter of a text, and a letter has no path.
    name: str
    path: tuple[str | int, ...]
    indexed: bool


class Template:
    """A compiled template. Raises TemplateError on a syntax error, an unknown filter, or a forbidden tag."""

    source: str
    variables: frozenset[str]

    __slots__ = ("_jinja", "_literals", "_places", "source", "variables")

    def __init__(self, source: str) -> None:
        tree, problems = parse(source)
        if tree is None or problems:
            raise TemplateError(problems[0])
        self.source = source
        try:
            self._literals = _long_literals(tree)
            _print_all(tree)  # first: looking for variables works out what is constant and printed bare
            self.variables = _undeclared(tree)
            self._places = _mark(tree, self.variables)
            code = ENVIRONMENT.compile(tree)
        except _DOES_NOT_COMPILE as error:
            raise TemplateError(syntax_problem(error)) from error
        self._jinja = jinja2.Template.from_code(ENVIRONMENT, code, GLOBALS)

    def render(self, values: Mapping[str, Json], *, most: int | None = None) -> Rendered:
        """Render with plain JSON values, `most` characters of text at most.

        Raises TemplateError on an undefined value, a failing expression, and (code `template-limit`) too long a text.
        """
        printing = self._jinja.root_render_func(Context(ENVIRONMENT, {**GLOBALS, **values}, None, {}))
        try:
            pieces = list(printing if most is None else _at_most(most, printing))
        except Exception as error:
            raise TemplateError(_value_problem(error, self._line(error), values)) from error
        return Rendered("".join(pieces), tuple(self._segments(pieces, values)))

    def _segments(self, pieces: list[str], values: Mapping[str, Json]) -> list[Segment]:
        segments: list[Segment] = []
        literal: list[str] = []
        for piece in pieces:
            place = self._places[piece.number] if type(piece) is Piece else None
            if place is not None and place.indexed and not _reaches(values, place):
                place = None
            if place is None and (len(piece) < LONG_LITERAL or piece not in self._literals):
                literal.append(piece)
                continue
            if literal:
                segments.append(Segment("".join(literal)))
                literal = []
            if place is None:
                segments.append(Segment(piece))
            else:
                segments.append(Segment(piece.plain, place.name, place.path))  # type: ignore[attr-defined]  # a Piece
        if literal:
            segments.append(Segment("".join(literal)))
        return segments

    def _line(self, error: Exception) -> int:
        line, frame = 1, error.__traceback__
        while frame is not None:
            if frame.tb_frame.f_globals.get("__jinja_template__") is self._jinja:
                line = self._jinja.get_corresponding_lineno(frame.tb_lineno)
            frame = frame.tb_next
        return line


@lru_cache(maxsize=1024)
def compiled(source: str) -> Template:
    """The compiled template of a source, kept for the next call."""
    return Template(source)


class _TooLong(Exception):
    """A template prints more than it may."""


def _at_most(most: int, pieces: Iterable[str]) -> Iterator[str]:
    left = most
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise _TooLong(f"it prints more than {most:,} characters")
        yield piece


_DOES_NOT_COMPILE = (SyntaxError, TemplateSyntaxError, RecursionError, ValueError, OverflowError)
_TAGS: dict[type[nodes.Node], str] = {
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from",
    nodes.Extends: "extends",
    nodes.Block: "block",
}
_NAMED_FILTERS = {"map": 0}
_NAMED_TESTS = {"select": 0, "reject": 0, "selectattr": 1, "rejectattr": 1}


def parse(source: str) -> tuple[nodes.Template | None, tuple[TemplateProblem, ...]]:
    """The syntax tree (fresh: it may be changed), and what is wrong before the type of any variable is known."""
    try:
        tree = ENVIRONMENT.parse(source)
        problems = [*_tag_problems(tree), *_filter_problems(tree)]
    except _DOES_NOT_COMPILE as error:
        return None, (syntax_problem(error),)
    return tree, tuple(sorted(problems, key=lambda problem: problem.line))


def syntax_problem(error: Exception) -> TemplateProblem:
    """What is wrong in a template that raised this while it was looked at."""
    if isinstance(error, TemplateSyntaxError):
        return TemplateProblem(
            "template-syntax",
            error.lineno,
            error.message or "this is not Jinja",
            remedy="correct the template; literal braces stand in {% raw %}...{% endraw %}",
        )
    message = "the template is nested too deeply" if isinstance(error, (RecursionError, SyntaxError)) else str(error)
    return TemplateProblem("template-syntax", 1, message, remedy="make it simpler, or compute the value in a @step")


def _tag_problems(tree: nodes.Template) -> Iterator[TemplateProblem]:
    for node in tree.find_all(tuple(_TAGS)):
        yield TemplateProblem(
            "template-tag",
            node.lineno,
            f"{{% {_TAGS[type(node)]} %}} is not allowed: one prompt, one visible text",
            remedy="write the text here, or pass it in as a variable; repeat text with {% macro %}",
        )
    for modifier in tree.find_all(nodes.EvalContextModifier):
        if not all(isinstance(option.value, nodes.Const) or chain(option.value) for option in modifier.options):
            # the compiler would work it out, whatever it takes
            message = "{% autoescape %} is given an expression; it takes true, false or a variable"
            yield TemplateProblem("template-tag", modifier.lineno, message, remedy="set a variable to it first")


def _filter_problems(tree: nodes.Template) -> Iterator[TemplateProblem]:
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        assert isinstance(node, (nodes.Filter, nodes.Test))
        is_filter = isinstance(node, nodes.Filter)
        yield from _unknown_name(node.name, node.lineno, is_filter)
        if is_filter and node.name in _NAMED_FILTERS | _NAMED_TESTS:
            named = (node.args or [])[(_NAMED_FILTERS | _NAMED_TESTS)[node.name] :][:1]
            if named and isinstance(named[0], nodes.Const) and isinstance(named[0].value, str):
                yield from _unknown_name(named[0].value, node.lineno, node.name in _NAMED_FILTERS)


def _unknown_name(name: str, line: int, is_filter: bool) -> Iterator[TemplateProblem]:
    known = ENVIRONMENT.filters if is_filter else ENVIRONMENT.tests
    if name not in known:
        kind = "filter" if is_filter else "test"
        remedy = did_you_mean(name, known, f"the {kind}s are those of Jinja; compute anything else in a @step")
        yield TemplateProblem("template-filter", line, f"there is no {kind} `{name}`", got=name, remedy=remedy)


def _print_all(tree: nodes.Template) -> None:
    # Every printed expression goes through a private filter.
    for output in list(tree.find_all(nodes.Output)):
        output.nodes = [
            child if isinstance(child, nodes.TemplateData) else _filter(child, PRINT) for child in output.nodes
        ]
    for concat in list(tree.find_all(nodes.Concat)):
        concat.nodes = [_filter(child, PRINT) for child in concat.nodes]


def _long_literals(tree: nodes.Template) -> frozenset[str]:
    # What the compiled code yields in one piece: the text between two expressions, comments taken out.
    found: set[str] = set()
    for output in tree.find_all(nodes.Output):
        for literal, parts in groupby(output.nodes, lambda child: isinstance(child, nodes.TemplateData)):
            if literal:
                found.add("".join(part.data for part in parts))  # type: ignore[attr-defined]  # TemplateData here
    return frozenset(text for text in found if len(text) >= LONG_LITERAL)


def _undeclared(tree: nodes.Template) -> frozenset[str]:
    # `meta.find_undeclared_variables` without its optimizer, which would work out every constant expression, whatever
    # that takes, and leave the result in the tree: `{{ '%1000000000d' % 1 }}`.
    found = meta.TrackingCodeGenerator(ENVIRONMENT)
    found.optimizer = None
    found.visit(tree)
    return frozenset(found.undeclared_identifiers)


def _mark(tree: nodes.Template, variables: frozenset[str]) -> tuple[_Place, ...]:
    # A printed variable, or path below one, goes through another filter: it prints, and says which expression did.
    bound = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    bound |= {node.name for node in tree.find_all(nodes.Macro)}
    places: list[_Place] = []
    for output in list(tree.find_all(nodes.Output)):
        for child in output.nodes:
            if not isinstance(child, nodes.Filter) or child.node is None:
                continue  # literal text
            path = chain(child.node)
            if path is not None and path[0] in variables - bound:
                child.name, child.args = PIECE, [nodes.Const(len(places))]
                places.append(_Place(path[0], path[1], any(isinstance(part, int) for part in path[1])))
    tree.set_environment(ENVIRONMENT)
    return tuple(places)


def _filter(child: nodes.Expr, name: str) -> nodes.Filter:
    return nodes.Filter(child, name, [], [], None, None, lineno=child.lineno)


def _reaches(values: Mapping[str, Json], place: _Place) -> bool:
    try:
        at_path(values[place.name], place.path)
    except LookupError:
        return False
    return True


def _value_problem(error: Exception, line: int, values: Mapping[str, Json]) -> TemplateProblem:
    if isinstance(error, _TooLong):
        return TemplateProblem("template-limit", line, str(error), got="output", remedy="make it print less")
    if not isinstance(error, NoValue):
        message = str(error) or type(error).__name__
        remedy = "correct the expression, or compute the value in a @step"
        return TemplateProblem("template-value", line, message, got=type(error).__name__, remedy=remedy)
    known = tuple(values) if error.variable else error.known
    remedy = did_you_mean(error.name, known, "guard it with {% if %}, or give it a default: `| default('')`")
    got = None if error.name is None else str(error.name)
    return TemplateProblem("template-value", line, str(error), listed(known), got, remedy)
