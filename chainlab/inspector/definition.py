"""What a stored chain says of one step, laid out for the page. Pure; knows no run."""

from __future__ import annotations

import json
from typing import assert_never

from chainlab.inspector.models import Definition, Place, Setting, Template
from chainlab.spec.chain import (
    ChainSpec,
    CodeStep,
    EachStep,
    MessageSpec,
    PromptStep,
    RefineStep,
    RouteStep,
    SourceRef,
    StepSpec,
    SubChain,
    WhenStep,
    walk,
)
from chainlab.spec.draw import describe
from chainlab.spec.expr import write


def define(spec: ChainSpec, static: str) -> Definition | None:
    """The definition of the step at a static path, or None when the chain has no such step."""
    step = next((step for path, step in walk(spec.steps) if path == static), None)
    if step is None:
        return None
    schema = step.output if isinstance(step, PromptStep | CodeStep) else None
    return Definition(
        kind=step.kind,
        name=step.name,
        place=_place(step.source),
        called=_place(step.called),
        templates=tuple(_template(m) for m in step.messages) if isinstance(step, PromptStep) else (),
        arguments=_arguments(step),
        settings=tuple(Setting(name, value) for name, value in _settings(step)),
        output_schema=None if schema is None else json.dumps(schema),
    )


def _place(source: SourceRef | None) -> Place | None:
    return None if source is None else Place(source.file, source.line)


def _template(message: MessageSpec) -> Template:
    place = _place(message.source) or (Place(message.file, None) if message.file else None)
    return Template(message.role, message.template, place)


def _arguments(step: StepSpec) -> tuple[Setting, ...]:
    if isinstance(step, PromptStep | CodeStep | SubChain):
        return tuple(Setting(name, write(value)) for name, value in step.args.items())
    return ()


def _settings(step: StepSpec) -> list[tuple[str, str]]:
    match step:
        case PromptStep():
            sampling = step.sampling.model_dump(exclude_defaults=True) | step.policy.model_dump(exclude_none=True)
            sampling |= {} if step.n is None else {"n": step.n}
            return [("model", describe(step)), *((name, _written(value)) for name, value in sampling.items())]
        case CodeStep():
            policy = step.policy.model_dump(exclude_none=True)
            return [
                ("function", f"{step.module}.{step.qualname}"),
                *((name, _written(value)) for name, value in policy.items()),
            ]
        case EachStep():
            return [("items", write(step.items)), ("on_error", step.on_error)]
        case WhenStep() | RouteStep() | SubChain():
            return [(step.kind, describe(step))]
        case RefineStep():
            return [("draft", write(step.draft)), ("accept", describe(step)), ("on_limit", step.on_limit)]
        case _:
            assert_never(step)


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
