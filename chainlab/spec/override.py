"""Which model names the prompts of a chain are written with, the overrides by chains put in. Resolves nothing."""

from __future__ import annotations

from collections.abc import Mapping

from chainlab.spec.chain import ChainSpec, PromptStep, SubChain, walk


def written_models(spec: ChainSpec) -> dict[str, tuple[str, ...]]:
    """The model names of every prompt by static path, first choice first; none: the default model."""
    overrides = _overrides(spec)
    return {path: _written(path, step, overrides) for path, step in walk(spec.steps) if isinstance(step, PromptStep)}


def with_model(spec: ChainSpec, static: str, model: str) -> ChainSpec:
    """The chain with a model for the prompt at one path, whatever the chain overrides, and for no other prompt."""
    before = written_models(spec)
    if before[static] == (model,):
        return spec
    models = {**spec.models, static: model}
    # An override is found by a step's path, by its name and by its prompt's: others may go by the same name.
    after = written_models(spec.changed({"models": models}))
    others = {path: names[0] for path, names in before.items() if names and path != static and after[path] != names}
    return spec.changed({"models": {**models, **others}})


def _overrides(spec: ChainSpec) -> Mapping[str, Mapping[str, str]]:
    """Overrides by chain prefix: the chain's own and those of its sub-chains."""
    found: dict[str, Mapping[str, str]] = {"": spec.models}
    for path, step in walk(spec.steps):  # a chain comes before what is in it
        if isinstance(step, SubChain):
            around = found[path[: len(path) - len(step.name)]]
            found[f"{path}/"] = {**step.chain.models, **around}
    return found


def _written(path: str, step: PromptStep, overrides: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    here = overrides[path[: len(path) - len(step.name)]]
    for key in (path, step.name, step.step):
        if key in here:
            return (here[key],)
    return tuple(here.get(name, name) for name in step.model)
