"""--model STEP=REF: another model for a step of this run. Checks the names before anything is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chainlab.declare.chain import Chain
from chainlab.declare.prompt import Prompt
from chainlab.declare.runnable import Runnable
from chainlab.errors import ChainError
from chainlab.spec.chain import ChainSpec, PromptStep, walk
from chainlab.values.near import did_you_mean


def with_models(what: Runnable[Any, Any], written: Sequence[str]) -> Runnable[Any, Any]:
    """The same chain or prompt with other models. Raises ChainError."""
    if not written:
        return what
    models = dict(_pair(text) for text in written)
    known = known_names(what.program().spec)
    for name in models:
        if name not in known:
            listed = ", ".join(f"{step} ({model})" for step, model in known.items())
            raise ChainError(
                f"{what.name} has no prompt step {name!r} to give another model",
                code="unknown-step",
                expected=f"one of: {listed}" if known else "a chain with prompt steps",
                remedy=(did_you_mean(name, known) or "name one of its steps").strip(),
            )
    if isinstance(what, Chain):
        return what.with_(models=models)
    assert isinstance(what, Prompt)  # a Python step has no prompt step, so nothing got here
    return what.with_(model=next(iter(models.values())))


def known_names(spec: ChainSpec) -> Mapping[str, str]:
    """Every prompt step, by the path and by the name that may be written, with the model it names."""
    names: dict[str, str] = {}
    for path, step in walk(spec.steps):
        if isinstance(step, PromptStep):
            model = ", ".join(step.model) or "the default model"
            names[path] = model
            names.setdefault(step.step, model)
    return names


def _pair(text: str) -> tuple[str, str]:
    step, equals, ref = text.partition("=")
    if not equals or not step or not ref:
        raise ChainError(
            f"--model {text!r} is not STEP=REF",
            code="bad-option",
            expected="a step's name, =, and a model: --model draft=embedded:smollm2-135m-instruct",
            remedy="write the step's name before the model",
        )
    return step, ref
