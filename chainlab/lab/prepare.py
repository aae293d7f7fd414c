"""A program made ready for runs: its plan, and a backend behind every model name it writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chainlab.declare.runnable import Program
from chainlab.errors import ConfigError
from chainlab.plan import Plan, ready
from chainlab.protocols import Models, ResolvedModel
from chainlab.spec.chain import PromptStep
from chainlab.spec.override import written_models
from chainlab.values.types import Accept


@dataclass(frozen=True, slots=True)
class Prepared:
    """What every run of a program shares. `models` by static path, first choice first; `choices`: each of them once."""

    program: Program
    plan: Plan
    models: Mapping[str, Sequence[ResolvedModel]]
    accepts: Mapping[str, Accept]
    choices: tuple[Sequence[ResolvedModel], ...]


def prepare(program: Program, models: Models) -> Prepared:
    """Plan a program and resolve its models. Raises ConfigError naming the step, before any call."""
    plan = ready(program.spec)
    written = written_models(program.spec)
    resolved: dict[str, Sequence[ResolvedModel]] = {}
    choices: dict[tuple[str | None, ...], Sequence[ResolvedModel]] = {}
    for path, step in plan.by_path.items():
        if isinstance(step.spec, PromptStep):
            names = tuple(written[path] or (None,))
            try:
                if names not in choices:
                    choices[names] = tuple(models.resolve(name) for name in names)
                resolved[path] = choices[names]
            except ConfigError as error:
                error.args = (f"step {path!r}: {error.message}",)
                error.message = error.args[0]
                raise
    return Prepared(program, plan, resolved, program.accepts, tuple(choices.values()))
