"""Templates checked against the types of their variables, from JSON Schema alone: an edit needs no author's code.

What cannot be known is let pass; `_template_walk` has the list of what is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from chainlab.spec._template_walk import Walk
from chainlab.spec.schema import Schema
from chainlab.spec.template import TemplateError, TemplateProblem, compiled, parse, syntax_problem
from chainlab.values.codec import decode, encode


def check_template(source: str, variables: Mapping[str, Schema]) -> tuple[TemplateProblem, ...]:
    """Everything that is certainly wrong in a template whose variables have these types, in order of lines."""
    return _checked(source, encode(dict(variables)))


@lru_cache(maxsize=512)  # a batch checks the same chain for each of its runs, a replay for each edited item
def _checked(source: str, types: bytes) -> tuple[TemplateProblem, ...]:
    variables: Mapping[str, Schema] = decode(types)
    tree, problems = parse(source)
    if tree is None:
        return problems
    try:
        found = [*problems, *Walk(tree, variables).problems()]
    except RecursionError as error:
        found = [*problems, syntax_problem(error)]
    if not found:
        try:
            compiled(source)
        except TemplateError as error:
            found = [error.problem]
    return tuple(sorted(found, key=lambda problem: problem.line))


def unused_variables(source: str, variables: Mapping[str, Schema]) -> tuple[str, ...]:
    """The variables that the template never mentions; () when it does not compile."""
    try:
        used = compiled(source).variables
    except TemplateError:
        return ()
    return tuple(name for name in variables if name not in used)
