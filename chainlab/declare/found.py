"""Declared prompts and steps of modules that this process has loaded, by name. Loads nothing itself."""

from __future__ import annotations

import sys
from typing import Any

from chainlab.declare.prompt import Prompt
from chainlab.declare.runnable import Code
from chainlab.declare.step import Step, code_hash
from chainlab.spec.chain import CodeStep, PromptStep
from chainlab.values.types import Accept, accept_type


def find_code(step: CodeStep) -> tuple[Code | None, str | None, str]:
    """The function behind a recorded Python step, its source hash of now, and why there is none ("": there is)."""
    if step.not_portable is not None:
        return None, None, step.not_portable
    found, why = _find(step.module, step.qualname)
    if not isinstance(found, Step):
        return None, None, why or f"{step.module}:{step.qualname} is no @step"
    return found.code, code_hash(found.fn), ""


def find_accept(step: PromptStep) -> Accept | None:
    """The check by the author's own type, validators included; None: it is not loaded, or is another type by now."""
    if step.validated_by is None:
        return None
    module, _, qualname = step.validated_by.partition(":")
    found, _ = _find(module, qualname)
    if not isinstance(found, Prompt) or found.result_schema != step.output:
        return None
    return accept_type(found.reply_type)


def _find(module: str, qualname: str) -> tuple[Any, str]:
    found: Any = sys.modules.get(module)
    if found is None:
        return None, f"module {module!r} is not loaded"
    for part in qualname.split("."):
        found = getattr(found, part, None)
        if found is None:
            return None, f"module {module!r} has no {qualname!r}"
    return found, ""
