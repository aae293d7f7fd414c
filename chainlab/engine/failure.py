"""What goes wrong, as it is recorded with a step."""

from __future__ import annotations

from dataclasses import replace

from chainlab.errors import ChainlabError, ErrorInfo
from chainlab.spec.chain import PromptStep
from chainlab.spec.template import TemplateError

SPENT = frozenset({"budget-exceeded", "deadline-exceeded"})
"""What ends a run, whatever a fan-out does about its items: the rest of them would fail as well."""


def missing_item(error: LookupError) -> ErrorInfo:
    """A key or index that the value does not have."""
    return ErrorInfo(
        "missing-item",
        str(error.args[0]),
        expected="a value that has it",
        remedy="look at the upstream output in the trace; guard with a @step function",
    )


def of_error(error: ChainlabError) -> ErrorInfo:
    """An error that is raised elsewhere in chainlab."""
    return ErrorInfo(error.code, getattr(error, "message", str(error)), remedy=getattr(error, "remedy", ""))


def placed(spec: PromptStep, info: ErrorInfo) -> ErrorInfo:
    """The error with the place of the prompt's declaration."""
    return replace(info, file=spec.source.file, line=spec.source.line) if spec.source and info.file is None else info


def template_failure(spec: PromptStep, error: TemplateError) -> ErrorInfo:
    """The error of a template that cannot be rendered with these values."""
    problem = error.problem
    return placed(
        spec,
        ErrorInfo(
            problem.code,
            f"{problem.message} (line {problem.line} of the template)",
            expected=problem.expected,
            got=problem.got,
            remedy=problem.remedy or "look at the inputs in the trace; guard with {% if %} or | default(...)",
        ),
    )
