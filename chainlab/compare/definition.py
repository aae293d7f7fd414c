"""In what two definitions of a step differ: templates, settings, code. Pure; knows no run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from chainlab.spec.chain import (
    CodeStep,
    EachStep,
    PromptStep,
    RefineStep,
    RouteStep,
    StepSpec,
    SubChain,
    WhenStep,
)
from chainlab.spec.expr import write_condition

What: TypeAlias = Literal["template", "sampling", "schema", "code", "definition"]


@dataclass(frozen=True, slots=True)
class SettingDiff:
    """A setting that differs, as text (None: not set). `what` is the sort of difference it makes."""

    what: Literal["model", "adapter"] | What
    name: str
    before: str | None
    after: str | None


def templates(step: StepSpec | None) -> tuple[tuple[str, str], ...]:
    """The messages of a prompt as (role, template)."""
    return tuple((m.role, m.template) for m in step.messages) if isinstance(step, PromptStep) else ()


def settings(a: StepSpec | None, b: StepSpec | None) -> tuple[SettingDiff, ...]:
    """What is set otherwise. What only decides how a step is tried (retries, timeout) is no difference."""
    if a is None or b is None or a.kind != b.kind:
        return ()
    before, after = _set(a), _set(b)
    found = []
    for name in dict.fromkeys((*before, *after)):
        what, old = before.get(name, (None, None))
        other, new = after.get(name, (None, None))
        if old != new and (kind := what or other) is not None:
            found.append(SettingDiff(kind, name, old, new))
    return tuple(found)


def _set(step: StepSpec) -> Mapping[str, tuple[What, str | None]]:
    match step:
        case PromptStep():
            sampling = step.sampling.model_dump(mode="json", exclude_defaults=True)
            return {
                **{name: ("sampling", _text(value)) for name, value in sampling.items()},
                **({} if step.n is None else {"n": ("sampling", str(step.n))}),
                "feedback": ("template", step.feedback),
                "output type": ("schema", _text(step.output)),
            }
        case CodeStep():
            return {"code": ("code", step.code_hash), "output type": ("schema", _text(step.output))}
        case EachStep():
            return {"on_error": ("definition", step.on_error)}
        case WhenStep():
            return {"condition": ("definition", write_condition(step.condition))}
        case RouteStep():
            return {"labels": ("definition", _text([case.label for case in step.cases]))}
        case RefineStep():
            return {
                "accept": ("definition", write_condition(step.accept)),
                "max_rounds": ("definition", str(step.max_rounds)),
                "on_limit": ("definition", step.on_limit),
            }
        case SubChain():
            return {"chain": ("definition", step.chain.name)}
        case _:
            assert_never(step)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
