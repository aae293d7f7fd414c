"""Random changes to a recorded chain: edits of a replay, and what an author does to the source between two runs."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chainlab.spec.chain import ChainSpec, PromptStep, dump, load, walk
from chainlab.spec.check import step_refs
from chainlab.spec.edit import Edit, with_step
from chainlab.spec.expr import ListExpr, RefExpr, refs
from chainlab.trace import RunRecord
from tests.replay.chains import LIST, STR, Maker


@dataclass
class Change:
    """What is changed: edits, the author's chain of now, or both. `kind` names it in messages."""

    kind: str
    spec: ChainSpec
    edits: list[Edit] = field(default_factory=list)


def random_change(rng: random.Random, spec: ChainSpec, record: RunRecord, kinds: Sequence[str] = ()) -> Change:
    """One change of a kind that a user makes, and one that changes something. `kinds`: one of these."""
    while True:
        change = _change(rng, spec, record, kinds)
        if change.edits or change.spec != spec or change.kind == "resume":
            return change


def _change(rng: random.Random, spec: ChainSpec, record: RunRecord, some: Sequence[str]) -> Change:
    kinds = ["template", "template", "model", "sampling", "inputs", "output", "item", "items", "resume", "two"]
    kinds += ["bind", "rename", "swap", "add", "remove", "definition", "author+edit"]
    kind = rng.choice(some or kinds)
    if kind in _AUTHOR:
        return Change(kind, _AUTHOR[kind](rng, spec))
    if kind == "author+edit":
        now = _AUTHOR[rng.choice(["rename", "add", "definition"])](rng, spec)
        return Change(kind, now, _edit(rng, rng.choice(["template", "output", "sampling"]), now, record))
    if kind == "two":
        first, second = _edit(rng, "template", spec, record), _edit(rng, rng.choice(["item", "inputs"]), spec, record)
        edits = first if {edit.step for edit in first} & {edit.step for edit in second} else [*first, *second]
        return Change(kind, spec, edits)
    return Change(kind, spec, [] if kind == "resume" else _edit(rng, kind, spec, record))


def _edit(rng: random.Random, kind: str, spec: ChainSpec, record: RunRecord) -> list[Edit]:
    if kind == "items":
        items = [rng.choice("abc") for _ in range(rng.randint(0, 4))]
        return [Edit(step="$input", inputs={"items": items})]
    prompts = [(path, step) for path, step in walk(spec.steps) if isinstance(step, PromptStep)]
    if not prompts:
        return []
    path, step = rng.choice(prompts)
    told = f"edited {rng.randint(0, 9)} " + step.messages[0].template
    match kind:
        case "template":
            return [Edit(step=path, template=told)]
        case "model":
            return [Edit(step=path, model=f"model{rng.randint(0, 2)}")]
        case "sampling":
            return [Edit(step=path, temperature=rng.randint(1, 9) / 10)]
        case "inputs":
            return [Edit(step=path, inputs={"k": "by hand"})] if "k" in step.params else []
        case "output":
            return [Edit(step=path, output=_value(rng, step.output))]
        case "bind":
            return [Edit(step=path, template=told + " {{ more }}", bind={"more": "text"})]
        case _:
            return _item_edit(rng, spec, record)


def _item_edit(rng: random.Random, spec: ChainSpec, record: RunRecord) -> list[Edit]:
    """Another template, or an output by hand, for one item or round."""
    declared = dict(walk(spec.steps))
    rows = [row.path for row in record.steps if row.kind == "prompt" and row.path not in declared]
    if not rows:
        return []
    chosen = rng.choice(rows)
    step = declared[re.sub(r"\[\d+\]|@\d+", "", chosen)]
    assert isinstance(step, PromptStep)
    if rng.random() < 0.3:
        return [Edit(step=chosen, output=_value(rng, step.output))]
    return [Edit(step=chosen, template="one item " + step.messages[0].template)]


def _value(rng: random.Random, schema: dict[str, Any]) -> Any:
    match schema["type"]:
        case "array":
            return [f"i{rng.randint(0, 4)}" for _ in range(rng.randint(0, 3))]
        case "boolean":
            return rng.random() < 0.5
        case "object":
            return {"score": rng.randint(0, 4), "text": "by hand"}
        case _:
            return f"by hand {rng.randint(0, 99)}"


def _renamed(spec: ChainSpec, names: dict[str, str]) -> ChainSpec:
    """The same chain with other names of steps; names are unique in a random chain, at every depth."""
    pattern = re.compile('"(' + "|".join(map(re.escape, names)) + r')(\.\w+)?"')
    return load(pattern.sub(lambda found: f'"{names[found[1]]}{found[2] or ""}"', dump(spec)))


def _rename(rng: random.Random, spec: ChainSpec) -> ChainSpec:
    _, step = rng.choice(list(walk(spec.steps)))
    return _renamed(spec, {step.name: f"renamed{step.name}"})


def _swap(rng: random.Random, spec: ChainSpec) -> ChainSpec:
    steps = [step for _, step in walk(spec.steps)]
    first = rng.choice(steps)
    alike = [step for step in steps if step.kind == first.kind]
    second = rng.choice(alike)
    return _renamed(spec, {first.name: second.name, second.name: first.name})


def _add(rng: random.Random, spec: ChainSpec) -> ChainSpec:
    maker = Maker(rng, names=1000, texts=1000)
    steps = list(spec.steps)
    maker.step(steps, [(RefExpr(of="input", name="text"), STR), (RefExpr(of="input", name="items"), LIST)], 2)
    new = steps[len(spec.steps) :]
    at = rng.randint(0, len(spec.steps))
    steps = [*spec.steps[:at], *new, *spec.steps[at:]]
    assert isinstance(spec.output, ListExpr)
    output = ListExpr(items=(*spec.output.items, RefExpr(of="step", name=new[-1].name)))
    return spec.changed({"steps": tuple(steps), "output": output})


def _remove(rng: random.Random, spec: ChainSpec) -> ChainSpec:
    used = {ref.name for step in spec.steps for ref in step_refs(step) if ref.of == "step"}
    free = [step.name for step in spec.steps if step.name not in used]
    if len(spec.steps) < 2 or not free:
        return spec
    gone = rng.choice(free)
    assert isinstance(spec.output, ListExpr)
    kept = tuple(item for item in spec.output.items if all(ref.name != gone for ref in refs(item)))
    steps = tuple(step for step in spec.steps if step.name != gone)
    return spec.changed({"steps": steps, "output": spec.output.model_copy(update={"items": kept})})


def _definition(rng: random.Random, spec: ChainSpec) -> ChainSpec:
    prompts = [(path, step) for path, step in walk(spec.steps) if isinstance(step, PromptStep)]
    if not prompts:
        return spec
    path, step = rng.choice(prompts)
    message = step.messages[0].model_copy(update={"template": "rewritten " + step.messages[0].template})
    return with_step(spec, path, step.model_copy(update={"messages": (message,)}))


_AUTHOR = {"rename": _rename, "swap": _swap, "add": _add, "remove": _remove, "definition": _definition}
