"""The drawing of a chain: declared steps as nodes, data flow as edges, the run's steps folded into counts. Pure.

A body's steps have the step that holds the body as `parent`; an edge connects two steps of one body, so a reference
from inside a body to a step outside is drawn to the step that holds the body. Where things stand is the page's work.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import assert_never

from chainlab.events import StepStatus
from chainlab.inspector.models import Graph, GraphEdge, GraphNode, StatusCount
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
)
from chainlab.spec.draw import describe
from chainlab.spec.expr import condition_refs, refs
from chainlab.spec.path import static_path
from chainlab.trace import StepSummary

# The order in which a fold of many instances is told: what needs a look first.
STATUS_ORDER: tuple[StepStatus, ...] = (
    "failed",
    "running",
    "interrupted",
    "cancelled",
    "queued",
    "ok",
    "cached",
    "reused",
    "skipped",
)


def draw(spec: ChainSpec, steps: Iterable[StepSummary]) -> Graph:
    """The chain's nodes and edges, with the run's steps counted per node."""
    counts: dict[str, Counter[StepStatus]] = defaultdict(Counter)
    for step in steps:
        counts[static_path(step.path)][step.status] += 1
    nodes: list[GraphNode] = []
    edges: list[GraphEdge] = []
    for path, parent, role, declared in _places(spec.steps, "", None, None):
        told = tuple(StatusCount(status, counts[path][status]) for status in STATUS_ORDER if counts[path][status])
        nodes.append(GraphNode(path, parent, role, declared.kind, declared.name, describe(declared), told))
    for prefix, steps_of_body in _bodies(spec.steps, ""):
        edges.extend(_edges(prefix, steps_of_body))
    return Graph(tuple(nodes), tuple(edges))


def roles(step: StepSpec) -> Iterator[tuple[str, Block]]:
    """The bodies of a step, each with what to call it in the drawing."""
    labels = iter(str(case.label) for case in step.cases) if isinstance(step, RouteStep) else iter(())
    for role, body in blocks(step):
        yield next(labels) if role == "case" else role, body


def _places(
    steps: tuple[StepSpec, ...], prefix: str, parent: str | None, role: str | None
) -> Iterator[tuple[str, str | None, str | None, StepSpec]]:
    for step in steps:
        path = prefix + step.name
        yield path, parent, role, step
        for name, body in roles(step):
            yield from _places(body.steps, prefix, path, name)
        if isinstance(step, SubChain):
            yield from _places(step.chain.steps, f"{path}/", path, None)


def _bodies(steps: tuple[StepSpec, ...], prefix: str) -> Iterator[tuple[str, tuple[StepSpec, ...]]]:
    yield prefix, steps
    for step in steps:
        for _, body in blocks(step):
            yield from _bodies(body.steps, prefix)
        if isinstance(step, SubChain):
            yield from _bodies(step.chain.steps, f"{prefix}{step.name}/")


def _edges(prefix: str, steps: tuple[StepSpec, ...]) -> Iterator[GraphEdge]:
    here = {step.name for step in steps}
    for step in steps:
        # dict.fromkeys: each source once, in the order of its first use.
        for source in dict.fromkeys(name for name in _needs(step) if name in here and name != step.name):
            yield GraphEdge(prefix + source, prefix + step.name)


def _needs(step: StepSpec) -> Iterator[str]:
    """Names of the steps that a step reads, its bodies included (but not a sub-chain's: those are other names)."""
    yield from _own_needs(step)
    for _, body in blocks(step):
        for inner in body.steps:
            yield from _needs(inner)
        yield from (ref.name for ref in refs(body.output) if ref.of == "step")


def _own_needs(step: StepSpec) -> Iterator[str]:
    match step:
        case PromptStep() | CodeStep() | SubChain():
            read = (ref for arg in step.args.values() for ref in refs(arg))
        case EachStep():
            read = (ref for ref in refs(step.items))
        case WhenStep():
            read = (ref for ref in condition_refs(step.condition))
        case RouteStep():
            read = (ref for ref in refs(step.value))
        case RefineStep():
            read = (ref for part in (refs(step.draft), condition_refs(step.accept)) for ref in part)
        case _:
            assert_never(step)
    yield from (ref.name for ref in read if ref.of == "step")
