"""Words and a drawing of a chain: one line per step, a Mermaid flowchart. From the spec, before any call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from chainlab.spec.chain import (
    ChainSpec,
    CodeStep,
    EachStep,
    PromptStep,
    RefineStep,
    RouteStep,
    StepSpec,
    SubChain,
    WhenStep,
    blocks,
)
from chainlab.spec.check import step_refs
from chainlab.spec.expr import refs, write, write_condition


def mermaid(spec: ChainSpec) -> str:
    """A `flowchart TD` with a node per step; bodies and sub-chains are subgraphs."""
    lines = ["flowchart TD"]
    for name in spec.inputs:
        lines.append(f'  {_id("in", name)}(["{_text(name)}"])')
    lines += _steps(spec.steps, "", "  ")
    lines.append('  out(["output"])')
    for ref in refs(spec.output):
        lines.append(f"  {_source(ref.of, ref.name, '')} --> out")
    return "\n".join(dict.fromkeys(lines))


def _steps(steps: tuple[StepSpec, ...], prefix: str, indent: str) -> Iterator[str]:
    for step in steps:
        node = _id("s", prefix + step.name)
        inner = [body for _, body in blocks(step)]
        if isinstance(step, SubChain):
            yield f'{indent}subgraph {node}["{_text(_label(step))}"]'
            for name in step.chain.inputs:
                yield f'{indent}  {_id("in", f"{prefix}{step.name}/{name}")}(["{_text(name)}"])'
            yield from _steps(step.chain.steps, f"{prefix}{step.name}/", indent + "  ")
            yield f"{indent}end"
        elif any(body.steps for body in inner):
            yield f'{indent}subgraph {node}["{_text(_label(step))}"]'
            for body in inner:
                yield from _steps(body.steps, prefix, indent + "  ")
            yield f"{indent}end"
        else:
            yield f"{indent}{node}{_shape(step)}"
    for step in steps:
        own = {inner.name for _, body in blocks(step) for inner in body.steps}
        for ref in step_refs(step):
            if ref.of != "var" and ref.name not in own:
                yield f"{indent}{_source(ref.of, ref.name, prefix)} --> {_id('s', prefix + step.name)}"


def _source(of: str, name: str, prefix: str) -> str:
    return _id("in" if of == "input" else "s", prefix + name)


def describe(step: StepSpec) -> str:
    """One line about a step, below its name."""
    match step:
        case PromptStep():
            return ", ".join(step.model) or "default model"
        case CodeStep():
            return step.module
        case EachStep():
            return f"each of {write(step.items)}"
        case WhenStep():
            return f"when {write_condition(step.condition)}"
        case RouteStep():
            return f"by {write(step.value)}"
        case RefineStep():
            return f"until {write_condition(step.accept)}, at most {step.max_rounds} rounds"
        case SubChain():
            return f"chain {step.chain.name}"
        case _:
            assert_never(step)


def _label(step: StepSpec) -> str:
    return step.name if isinstance(step, (PromptStep, CodeStep)) else f"{step.name}: {describe(step)}"


def _shape(step: StepSpec) -> str:
    text = _text(_label(step))
    if isinstance(step, PromptStep):
        return f'["{text}"]'
    if isinstance(step, CodeStep):
        return f'[["{text}"]]'
    return f'{{"{text}"}}'


def _id(kind: str, name: str) -> str:
    return f"{kind}_" + "".join(c if c.isalnum() else f"_{ord(c):x}_" for c in name)


def _text(text: str) -> str:
    return text.replace('"', "'").replace("\n", " ")
