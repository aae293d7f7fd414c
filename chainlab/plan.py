"""A checked chain, made ready to execute: order, what each step waits for, definition hashes.

Graph questions are answered here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from chainlab.events import StepKind
from chainlab.spec.chain import (
    Block,
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
    walk,
)
from chainlab.spec.check import first_error, step_refs
from chainlab.spec.expr import Expr, RefExpr, condition_refs, refs
from chainlab.values.codec import encode, hash_bytes, hash_parts, joined

RENDERER = "jinja2-sandbox-1"
"""Version of the template rules; part of a step's definition, so that a change of rules is seen as drift."""

RENDERERS_BEFORE: tuple[str, ...] = ()
"""Earlier versions: a record made under one of them is named as such."""

Source = tuple[str, str]
"""What a step waits for: (`input` | `step` | `var`, name)."""


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step of the plan. `waits` are the values it needs to begin; its bodies wait for their own.

    `kind` is the spec's, `step` the name of its definition, `sort` its place among the steps of its body, `key` what
    its reuse keys begin with: read for every step of every run, and an attribute of a spec takes three times as long.
    """

    spec: StepSpec
    path: str
    index: int
    waits: tuple[Source, ...]
    definition: bytes
    bodies: tuple[PlanBlock, ...]
    sub: PlanBlock | None
    kind: StepKind
    step: str
    sort: str
    key: bytes


@dataclass(frozen=True, slots=True)
class PlanBlock:
    """A body: its steps in declaration order and the expression it gives back."""

    steps: tuple[PlanStep, ...]
    output: Expr


@dataclass(frozen=True)
class Plan:
    """A checked spec, ready to execute."""

    spec: ChainSpec
    root: PlanBlock

    @cached_property
    def by_path(self) -> Mapping[str, PlanStep]:
        """Every step by static path."""
        return {step.path: step for step in _all(self.root)}

    @cached_property
    def code(self) -> Mapping[str, CodeStep]:
        """The Python steps by static path."""
        return {path: step.spec for path, step in self.by_path.items() if isinstance(step.spec, CodeStep)}

    @cached_property
    def _graph(self) -> Any:
        import networkx

        graph: Any = networkx.DiGraph()
        for path, step in walk(self.spec.steps):
            prefix = path[: len(path) - len(step.name)]
            graph.add_node(path)
            for ref in step_refs(step):
                if ref.of == "step":
                    graph.add_edge(prefix + ref.name, path)
                elif ref.of == "var":
                    graph.add_edge(prefix + ref.name.split(".")[0], path)
        return graph

    def downstream(self, path: str) -> frozenset[str]:
        """Static paths of every step that uses this one's output, directly or not."""
        import networkx

        return frozenset(networkx.descendants(self._graph, path))

    def upstream(self, path: str) -> frozenset[str]:
        """Static paths of every step whose output this one uses, directly or not."""
        import networkx

        return frozenset(networkx.ancestors(self._graph, path))


def compile(spec: ChainSpec) -> Plan:
    """Check a spec and make it ready.

    Raises ChainError: a cycle, a dangling reference, a wrong type, a wrong template.
    """
    error = first_error(spec)
    if error is not None:
        raise error
    return ready(spec)


def ready(spec: ChainSpec) -> Plan:
    """Make ready a spec that is already checked (declaration checks it)."""
    return Plan(spec, _block(spec.steps, spec.output, ""))


def _block(steps: tuple[StepSpec, ...], output: Expr, prefix: str) -> PlanBlock:
    return PlanBlock(tuple(_step(step, index, prefix) for index, step in enumerate(steps)), output)


def _step(step: StepSpec, index: int, prefix: str) -> PlanStep:
    definition = definition_hash(step)
    sub = _block(step.chain.steps, step.chain.output, f"{prefix}{step.name}/") if isinstance(step, SubChain) else None
    return PlanStep(
        spec=step,
        path=prefix + step.name,
        index=index,
        waits=tuple(dict.fromkeys((ref.of, ref.name) for ref in _own_refs(step))),
        definition=definition,
        bodies=tuple(_block(body.steps, body.output, prefix) for _, body in blocks(step)),
        sub=sub,
        kind=step.kind,
        step=step.step if isinstance(step, (PromptStep, CodeStep)) else step.name,
        sort=f"{index:04d}",
        key=_key(step.kind, definition),
    )


def _key(kind: StepKind, definition: bytes) -> bytes:
    return joined(b"chainlab-reuse-1", kind.encode(), definition)


def _own_refs(step: StepSpec) -> Iterator[RefExpr]:
    """The refs a step needs before it can begin; its bodies wait for their own."""
    match step:
        case PromptStep() | CodeStep() | SubChain():
            for arg in step.args.values():
                yield from refs(arg)
        case EachStep():
            yield from refs(step.items)
        case WhenStep():
            yield from condition_refs(step.condition)
        case RouteStep():
            yield from refs(step.value)
        case RefineStep():
            yield from refs(step.draft)


def definition_hash(step: StepSpec, renderer: str = RENDERER) -> bytes:
    """Hash of what a step is, whatever its name, place, retries, timeout, tags or model."""
    parts: Any
    match step:
        case PromptStep():
            parts = [
                "prompt",
                renderer,
                [[message.role, message.template] for message in step.messages],
                step.params,
                step.output,
                step.sampling.model_dump(mode="json"),
                step.feedback,
                *([] if step.n is None else [step.n]),
            ]
        case CodeStep():
            parts = ["code", step.code_hash, step.params, step.output]
        case EachStep():
            parts = ["each", step.on_error, _body_definition(step.body)]
        case WhenStep():
            parts = ["when", step.condition.model_dump(mode="json"), *(_body_definition(b) for _, b in blocks(step))]
        case RouteStep():
            labels = [case.label for case in step.cases]
            parts = ["route", labels, *(_body_definition(b) for _, b in blocks(step))]
        case RefineStep():
            bodies = [_body_definition(b) for _, b in blocks(step)]
            parts = ["refine", step.max_rounds, step.on_limit, step.accept.model_dump(mode="json"), *bodies]
        case SubChain():
            parts = ["chain", step.chain.hash.hex()]
    return hash_bytes(encode(parts))


def reuse_key(step: PlanStep, inputs: Iterable[tuple[str, bytes]], identity: bytes) -> bytes:
    """The name of a step's work: equal key, same work. `inputs` are names and payload hashes."""
    parts = [part for name, hashed in sorted(inputs) for part in (name.encode(), hashed)]
    return hash_bytes(step.key + joined(*parts, identity))


def by_hand_key(output: bytes) -> bytes:
    """The key of an output that a person wrote: no work has it."""
    return hash_parts(b"chainlab-by-hand-1", output)


def redefined(step: PlanStep, definition: bytes) -> PlanStep:
    """The step as if that were the hash of its definition."""
    return replace(step, definition=definition, key=_key(step.kind, definition))


def replace_step(step: PlanStep, spec: StepSpec, path: str) -> PlanStep:
    """The step with another prompt or Python step in its place, known under a path of its own."""
    return replace(_step(spec, step.index, ""), path=path)


def _body_definition(body: Block) -> Any:
    return [[definition_hash(step).hex() for step in body.steps], body.output.model_dump(mode="json")]


def _all(block: PlanBlock) -> Iterable[PlanStep]:
    for step in block.steps:
        yield step
        for body in step.bodies:
            yield from _all(body)
        if step.sub is not None:
            yield from _all(step.sub)
